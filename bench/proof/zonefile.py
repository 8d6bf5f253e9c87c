"""What a wall clock shows, read from the files of the IANA database by ourselves (RFC 9636): neither `zoneinfo` nor
anything of the service has a say in it.
"""

import re
import struct
from bisect import bisect_right
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources

FIRST_YEAR, LAST_YEAR = 2000, 2039
_HEADER = ">4sc15x6L"
_HEADER_BYTES = struct.calcsize(_HEADER)
_NAME = r"(?:<[^>]+>|[A-Za-z]{3,})"
_TIME = r"[+-]?\d+(?::\d+){0,2}"
_RULE = rf"(?:M\d+\.\d+\.\d+|J?\d+)(?:/{_TIME})?"
_FOOTER = re.compile(rf"{_NAME}({_TIME})(?:{_NAME}({_TIME})?,({_RULE}),({_RULE}))?")
_EPOCH = date(1970, 1, 1).toordinal()
_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
_DAY = 86_400


class WallClock:
    """The wall clock of a zone from 2000 to 2039; instants are seconds since 1970."""

    def __init__(self, data: bytes) -> None:
        self.changes, self._first, footer = _read(data)
        last = self.changes[-1][0] if self.changes else -(2**63)
        self.changes += [change for change in _foretold(footer) if change[0] > last]
        if not self.changes:
            self._first = _standard(footer)
        self._instants = [instant for instant, _ in self.changes]

    def offset(self, at: int) -> int:
        """How many seconds it is ahead of UTC."""
        number = bisect_right(self._instants, at)
        return self.changes[number - 1][1] if number else self._first

    def wall(self, at: int) -> datetime:
        """The date and the time that it shows, without a zone."""
        return _WALL_EPOCH + timedelta(seconds=at + self.offset(at))

    def is_twice(self, at: int) -> bool:
        """Whether it shows the same at another instant, less than a day off."""
        offsets = {self.offset(at + hours * 3600) for hours in range(-24, 25)}
        shown = at + self.offset(at)
        return sum(self.offset(shown - offset) == offset for offset in offsets) > 1

    def between(self, first: int, last: int) -> list[int]:
        """The instants in `first <= at < last` at which the file tells of a change, be it of no more than a name."""
        return [at for at in self._instants if first <= at < last]


@cache
def clock_of(name: str) -> WallClock:
    """The clock of a zone by its IANA name."""
    return WallClock(resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes())


def _read(data: bytes) -> tuple[list[tuple[int, int]], int, str]:
    """The changes of a file as instant and offset, the offset before the first, and the rule for what comes after the
    last. All is in the second half; the first half is for readers of 32 bits."""
    skipped = _HEADER_BYTES + _block_bytes(_counts(data), 4)
    counts = _counts(data[skipped:])
    _, _, _, changes, kinds, _ = counts
    body = data[skipped + _HEADER_BYTES :]
    instants = struct.unpack(f">{changes}q", body[: changes * 8])
    which = body[changes * 8 : changes * 9]
    offsets = [struct.unpack(">l", body[at : at + 4])[0] for at in range(changes * 9, changes * 9 + kinds * 6, 6)]
    footer = body[_block_bytes(counts, 8) :].decode("ascii").strip("\n")
    return [(instant, offsets[kind]) for instant, kind in zip(instants, which, strict=True)], offsets[0], footer


def _counts(data: bytes) -> tuple[int, ...]:
    magic, _, *counts = struct.unpack(_HEADER, data[:_HEADER_BYTES])
    if magic != b"TZif":
        raise ValueError("this is no file of a time zone")
    return tuple(counts)


def _block_bytes(counts: tuple[int, ...], time_bytes: int) -> int:
    universal, standard, leaps, changes, kinds, characters = counts
    return changes * (time_bytes + 1) + kinds * 6 + characters + leaps * (time_bytes + 4) + standard + universal


def _standard(footer: str) -> int:
    match = _FOOTER.fullmatch(footer)
    assert match, footer
    return -_seconds(match[1])


def _foretold(footer: str) -> list[tuple[int, int]]:
    """The changes by the rule (POSIX TZ, with the extension of times from -167 to 167 hours), in order."""
    match = _FOOTER.fullmatch(footer)
    assert match, footer
    if match[3] is None:
        return []
    standard = -_seconds(match[1])
    summer = standard + 3600 if match[2] is None else -_seconds(match[2])
    changes = []
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        changes += [(_rule(match[3], year) - standard, summer), (_rule(match[4], year) - summer, standard)]
    return sorted(changes)


def _rule(text: str, year: int) -> int:
    """The wall time of a rule in a year, in seconds since 1970 as this clock counts them."""
    day, _, time = text.partition("/")
    return _rule_day(day, year) * _DAY + _seconds(time or "2")


def _rule_day(text: str, year: int) -> int:
    """The day since 1970 that `M3.5.0` (the last Sunday of March), `J60` (never 29 February) or `59` names."""
    if text[0] == "M":
        month, week, weekday = map(int, text[1:].split("."))
        first = date(year, month, 1)
        day = 1 + (weekday - first.isoweekday()) % 7 + (week - 1) * 7
        end = (date(year + month // 12, month % 12 + 1, 1) - first).days
        return first.toordinal() + (day if day <= end else day - 7) - 1 - _EPOCH
    january = date(year, 1, 1).toordinal() - _EPOCH
    if text[0] != "J":
        return january + int(text)
    number = int(text[1:])
    is_leap = (date(year + 1, 1, 1) - date(year, 1, 1)).days == 366
    return january + number - 1 + (is_leap and number > 59)


def _seconds(text: str) -> int:
    """`-3:30` as seconds."""
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    return -seconds if text[0] == "-" else seconds
