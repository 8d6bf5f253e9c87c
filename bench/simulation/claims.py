"""Which claims stand in which sheet, and which should: an independent account, of spans and comparisons only."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache

import msgspec

from slotkeeper.contracts import Key

Span = tuple[int, int, int]
"""From when to when a claim lasts, and when it expires (0: never), in seconds."""

Where = dict[Key, Span]

DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


class Wrong(AssertionError):
    """A promise is broken."""


class Claims:
    """Every claim of every sheet. What is wrong shows when a sheet is written, or its owner."""

    def __init__(self) -> None:
        self.may_overlap: set[str] = set()
        self._sheets: dict[Key, dict[str, Span]] = {}
        self._held: dict[str, Where] = {}
        self._owed: dict[str, Where] = {}

    def owe(self, owner: str, where: Where) -> None:
        """From now on the owner claims this and nothing else."""
        if where:
            self._owed[owner] = where
        else:
            self._owed.pop(owner, None)

    def written(self, key: Key, body: bytes, now: int) -> Iterator[str]:
        """Take note of a sheet as it is now; gives the owners whose claims changed. Raises `Wrong` for an overlap."""
        before, after = self._sheets.get(key, {}), dict[str, Span]()
        for owner, start, end, expires in msgspec.json.decode(body):
            if owner in after:
                raise Wrong(f"{owner} has two claims in {'/'.join(key)}")
            after[owner] = (start, end, expires)
        self._sheets[key] = after
        if "/sheet/" in key.part:
            self._check_apart(key, after, now)
        for owner, span in after.items():
            if before.get(owner) != span:
                self._held.setdefault(owner, {})[key] = span
                yield owner
        for owner in before.keys() - after.keys():
            self._drop(owner, key)
            yield owner

    def check(self, owners: Iterable[str], now: int) -> None:
        """Raises `Wrong` unless what each holds is what each should hold, as far as it has not expired."""
        for owner in owners:
            held, owed = self._held.get(owner, {}), self._owed.get(owner, {})
            if held != owed and _live(held, now) != _live(owed, now):
                raise Wrong(f"{owner} should hold {_told(owed)} and holds {_told(held)}")

    def check_all(self, now: int) -> None:
        """The same, of everybody."""
        self.check(self._held.keys() | self._owed.keys(), now)

    def is_free(self, calendar_part: str, start: int, end: int, now: int) -> bool:
        """Whether no live claim of the calendar overlaps the span."""
        return not any(
            span[0] < end and start < span[1] and (not span[2] or span[2] > now)
            for key in places(calendar_part, start, end)
            for span in self._sheets.get(key, {}).values()
        )

    def forget(self, keys: Iterable[Key]) -> None:
        """Drop sheets that are over, with all that stands in them."""
        for key in keys:
            for owner in self._sheets.pop(key, {}):
                self._drop(owner, key)

    def sheets_before(self, day: str) -> list[Key]:
        """The sheets of days before that one."""
        return [key for key in self._sheets if "/sheet/" in key.part and key.sort < day]

    def _drop(self, owner: str, key: Key) -> None:
        held = self._held[owner]
        del held[key]
        if not held:
            del self._held[owner]

    def _check_apart(self, key: Key, sheet: dict[str, Span], now: int) -> None:
        """By start, each claim against the one before it that reaches furthest."""
        last, reach = "", 0
        for owner, (start, end, expires) in sorted(sheet.items(), key=lambda item: item[1]):
            if expires and expires <= now:
                continue
            if start < reach and not {owner, last} & self.may_overlap:
                raise Wrong(f"{owner} and {last} overlap in {'/'.join(key)}")
            if end > reach:
                last, reach = owner, end


def places(part: str, start: int, end: int) -> list[Key]:
    """The sheets of the UTC days that the span touches."""
    return [Key(part, _day(day)) for day in range(start // DAY, (end - 1) // DAY + 1)]


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return date.fromordinal(_EPOCH + number).isoformat()


def _live(where: Where, now: int) -> Where:
    return {key: span for key, span in where.items() if not span[2] or span[2] > now}


def _told(where: Where) -> str:
    return ", ".join(f"{span} in {'/'.join(key)}" for key, span in where.items()) or "nothing"
