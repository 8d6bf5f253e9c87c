"""Sheets cut otherwise than into UTC days, for comparison: the desk sees days all the same.

A cell is a stretch of a day, kept under a key of its own, with a version of its own that commits rest on. An item is
what DynamoDB writes, charges and lets collide: one cell, or for one alternative all cells of a day.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from slotkeeper.contracts import Change, Doc, Key, ListName, Page, Put, Range, Stale, Store
from slotkeeper.core.sheet import Sheet
from slotkeeper.core.ticks import DAY_SECONDS, Instant, parse_day
from slotkeeper.documents import encoded, sheet_of


@dataclass(frozen=True, slots=True)
class Cut:
    """How a day is laid out: into cells of `seconds`; with `is_one_item` they stand in one item."""

    name: str
    seconds: int
    is_one_item: bool = False

    @property
    def count(self) -> int:
        """How many cells a day has."""
        return DAY_SECONDS // self.seconds

    def cells(self, key: Key) -> list[Key]:
        """Where the cells of a day's sheet are kept."""
        return [Key(key.part, f"{key.sort}/{number:02d}") for number in range(self.count)]

    def bodies(self, key: Key, sheet: Sheet) -> list[Sheet]:
        """The claims of each cell: a claim stands in every one that it touches."""
        first = parse_day(key.sort) * DAY_SECONDS
        starts = [first + number * self.seconds for number in range(self.count)]
        return [tuple(c for c in sheet if c.overlaps(Instant(at), Instant(at + self.seconds))) for at in starts]

    def physical(self, key: Key) -> Key:
        """The item that a cell stands in."""
        return Key(key.part, key.sort.partition("/")[0]) if self.is_one_item and is_sheet(key) else key


DAY, HOUR = Cut("UTC day, as now", DAY_SECONDS), Cut("1 hour", 3600)
BY_HOUR = Cut("day, a condition an hour", 3600, is_one_item=True)
CUTS = (DAY, Cut("6 hours", 21_600), Cut("2 hours", 7200), HOUR, BY_HOUR)


def is_sheet(key: Key) -> bool:
    return "/sheet/" in key.part


class CutStore:
    """A `contracts.Store` whose sheets are kept in cells by the store below, for as much as booking asks for.

    What it hands out is the whole day, under a version that stands for those of its cells.
    """

    def __init__(self, store: Store, cut: Cut) -> None:
        self._store, self._cut = store, cut
        self._shown: list[tuple[Doc | None, ...]] = [(None,) * cut.count]

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """See `Store.read`. A day's cells are asked for by a range: most of them are empty, and each would cost."""
        found = self._store.read(plain) if (plain := [key for key in keys if not is_sheet(key)]) else {}
        for key in filter(is_sheet, keys):
            cells = self._cut.cells(key)
            [docs] = self._store.read_ranges([Range(key.part, cells[0].sort, cells[-1].sort)])
            if (doc := self._day(key, {each.key: each for each in docs})) is not None:
                found[key] = doc
        return found

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        """See `Store.read_ranges`."""
        wide = [Range(each.part, each.first, each.last + "/99") for each in ranges]
        found = []
        for docs in self._store.read_ranges(wide):
            there = {doc.key: doc for doc in docs}
            days = dict.fromkeys(Key(key.part, key.sort.partition("/")[0]) for key in there)
            found.append([doc for day in days if (doc := self._day(day, there)) is not None])
        return found

    def stamps(self, parts: Sequence[str]) -> None:
        """See `Store.stamps`."""
        return

    def commit(self, change: Change) -> None:
        """See `Store.commit`. It rests on those cells alone that it changes."""
        expects: dict[Key, int] = {}
        puts: list[Put] = []
        for put in change.puts:
            for each, version in self._parts(put, change.expects[put.key]):
                expects[each.key] = version
                puts.append(each)
        try:
            self._store.commit(Change(expects, puts))
        except Stale as stale:
            raise Stale(self._stale(change, stale)) from stale

    def _parts(self, put: Put, version: int) -> Iterator[tuple[Put, int]]:
        if not is_sheet(put.key):
            yield put, version
            return
        bodies = self._cut.bodies(put.key, sheet_of(Doc(put.key, 1, put.body)))
        for cell, before, after in zip(self._cut.cells(put.key), self._shown[version], bodies, strict=True):
            if sheet_of(before) != after:
                yield Put(cell, encoded(after)), before.version if before else 0

    def _stale(self, change: Change, stale: Stale) -> dict[Key, Doc | None]:
        found: dict[Key, Doc | None] = {key: doc for key, doc in stale.docs.items() if not is_sheet(key)}
        for key in filter(is_sheet, change.expects):
            cells = self._cut.cells(key)
            if any(cell in stale.docs for cell in cells):
                shown = zip(cells, self._shown[change.expects[key]], strict=True)
                known = {cell: stale.docs.get(cell, doc) for cell, doc in shown}
                found[key] = self._day(key, {cell: doc for cell, doc in known.items() if doc is not None})
        return found

    def _day(self, key: Key, docs: dict[Key, Doc]) -> Doc | None:
        cells = tuple(docs.get(cell) for cell in self._cut.cells(key))
        if not any(cells):
            return None
        self._shown.append(cells)
        claims = {claim for cell in cells for claim in sheet_of(cell)}
        body = encoded(tuple(sorted(claims, key=lambda claim: (claim.start, claim.owner))))
        return Doc(key, len(self._shown) - 1, body)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Commits are made at once."""
        yield

    def close(self) -> None:
        """See `Store.close`."""
        self._store.close()

    def walk(self, prefix: str = "") -> Iterator[Doc]:
        """Nobody in a crowd asks for it."""
        raise NotImplementedError

    def list(self, name: ListName, part: str, **_: object) -> Page:
        """Nobody in a crowd asks for it."""
        raise NotImplementedError
