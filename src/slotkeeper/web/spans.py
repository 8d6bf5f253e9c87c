"""Slots as JSON, drawn a day at a time: most days offer what some other day has offered, but for the date."""

from functools import lru_cache
from typing import NamedTuple

from slotkeeper.core.ticks import (
    DAY_SECONDS,
    DAY_TICKS,
    TICK_SECONDS,
    Day,
    Instant,
    Window,
    day_key,
    format_instant,
    positions,
)

_DAY_BYTES = DAY_TICKS // 8
_EPOCH = "1970-01-01"


def spans_json(window: Window, ticks: int, seconds: int) -> bytes:
    """The starts that are among the ticks of a window of whole days, as an array of `Span`s of so many seconds."""
    bits = ticks.to_bytes(-(-window.length // 8), "little")
    days = []
    for number, day in enumerate(window.days()):
        starts = bits[number * _DAY_BYTES : (number + 1) * _DAY_BYTES]
        if starts.strip(b"\0"):
            days.append(_dated(_drawn(starts, seconds), day))
    return f"[{','.join(days)}]".encode()


class _Drawn(NamedTuple):
    """The spans of some day, in pieces between which its date goes; `last` is how many days ahead the last date is,
    which has a mark of its own in them."""

    pieces: list[str]
    last: int


def _dated(drawn: _Drawn, day: Day) -> str:
    """What was drawn, with the dates of a day."""
    text = day_key(day).join(drawn.pieces)
    for ahead in range(1, drawn.last + 1):
        text = text.replace(_mark(ahead), day_key(Day(day + ahead)))
    return text


@lru_cache(maxsize=4096)
def _drawn(starts: bytes, seconds: int) -> _Drawn:
    """The spans that start at these ticks of a day."""
    text, last = [], 0
    for at in positions(int.from_bytes(starts, "little")):
        end = at * TICK_SECONDS + seconds
        text.append(f'{{"startTime":"{_marked(at * TICK_SECONDS)}","endTime":"{_marked(end)}"}}')
        last = end // DAY_SECONDS
    return _Drawn(",".join(text).split(_mark(0)), last)


def _marked(second: int) -> str:
    days, rest = divmod(second, DAY_SECONDS)
    return format_instant(Instant(rest)).replace(_EPOCH, _mark(days))


def _mark(days: int) -> str:
    """What stands for the date so many days ahead; no JSON of ours holds such a character."""
    return chr(days)
