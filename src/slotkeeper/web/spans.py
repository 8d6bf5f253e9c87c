"""Slots as JSON, drawn a day at a time: most days offer what some other day has offered, but for the date."""

from functools import lru_cache

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
            days.append(_dated(_drawn(starts, seconds), day, seconds))
    return f"[{','.join(days)}]".encode()


def _dated(drawn: str, day: Day, seconds: int) -> str:
    """What was drawn for the first day there is, moved to another."""
    for ahead in range(seconds // DAY_SECONDS + 1, -1, -1):
        drawn = drawn.replace(_mark(ahead), day_key(Day(day + ahead)))
    return drawn


@lru_cache(maxsize=4096)
def _drawn(starts: bytes, seconds: int) -> str:
    """The spans that start at these ticks of a day, with marks where the dates go."""
    return ",".join(
        f'{{"startTime":"{_marked(at * TICK_SECONDS)}","endTime":"{_marked(at * TICK_SECONDS + seconds)}"}}'
        for at in positions(int.from_bytes(starts, "little"))
    )


def _marked(second: int) -> str:
    days, rest = divmod(second, DAY_SECONDS)
    return format_instant(Instant(rest)).replace(_EPOCH, _mark(days))


def _mark(days: int) -> str:
    """What stands for the date so many days ahead; no JSON of ours holds such a character."""
    return chr(days)
