"""Opening hours, told in wall-clock time, and the ticks that they open.

The policy where clocks change: an instant is open exactly when the zone's wall clock shows, at that instant, a
time within the hours. An hour that is skipped offers nothing, an hour that comes twice is open twice, and no time
is ever shifted. Hours that pass midnight belong to the date on which they start.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import DAY_TICKS, TICK_MINUTES, Day, Tick, Window, day_key, ones, parse_day
from slotkeeper.core.value import Name, Value
from slotkeeper.core.zones import offsets

T = TypeVar("T")

DAY_MINUTES = 1440
MAX_OPENINGS = 12
MAX_OVERRIDES = 1000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY_BYTES = DAY_TICKS // 8
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_SHOWN = 20
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")

WallTime = Annotated[
    str, Meta(extra_json_schema={"pattern": r"^(([01][0-9]|2[0-3]):[0-5][05]|24:00)$", "examples": ["09:30"]})
]


class Opening(Value, frozen=True, kw_only=True):
    """From one wall-clock time to another, both `HH:MM` on a 5-minute mark; `to` may be `24:00`.

    When `to` is not after `from` the opening ends on the next day.
    """

    from_: WallTime = msgspec.field(name="from")
    to: WallTime


Hours = Annotated[tuple[Opening, ...], Meta(extra_json_schema={"maxItems": MAX_OPENINGS})]


class Weekly(Value, frozen=True, kw_only=True):
    """The openings that start on each day of the week; a day that is left out is closed."""

    mon: Hours = ()
    tue: Hours = ()
    wed: Hours = ()
    thu: Hours = ()
    fri: Hours = ()
    sat: Hours = ()
    sun: Hours = ()


class Override(Value, frozen=True, kw_only=True):
    """The openings that start on one date, in place of the weekly ones; none: closed."""

    date: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    hours: Hours


class Schedule(Value, frozen=True, kw_only=True, cache_hash=True):
    """When one is open. The wall clock is that of the zone in which the schedule is read."""

    name: Name
    weekly: Weekly
    overrides: Annotated[tuple[Override, ...], Meta(extra_json_schema={"maxItems": MAX_OVERRIDES})] = ()


def open_ticks(schedule: Schedule, zone_name: str, window: Window) -> int:
    """The window's ticks at whose start the zone's wall clock shows a time within the hours.

    Raises:
        Invalid: there is no such zone, or the schedule would not pass `check`.
    """
    return _open_ticks(schedule, zone_name, window)


def step_ticks(zone_name: str, step_minutes: int, window: Window) -> int:
    """The window's ticks at whose start the wall clock shows a whole multiple of the step since 00:00.

    Raises:
        Invalid: there is no such zone, or the step is not one of 5, 10, ... 1440 minutes.
    """
    return _step_ticks(zone_name, step_minutes, window)


def local_dates(zone_name: str, window: Window) -> tuple[tuple[str, int], ...]:
    """The dates that the zone's calendar shows in the window, ascending, each with the ticks that show it.

    Raises:
        Invalid: there is no such zone.
    """
    return _local_dates(zone_name, window)


def minute_of(text: str) -> int:
    """The minutes from 00:00 to a wall-clock time such as `09:30`, at most 1440.

    Raises:
        Invalid: it is none, or not on a 5-minute mark.
    """
    match = _WALL_TIME.fullmatch(text)
    if not match:
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
        raise Invalid(f"{shown!r} is not a time of the day: write it as 09:30, from 00:00 to 24:00")
    hour, minute = (int(part) for part in match.groups() if part)
    if minute % TICK_MINUTES:
        raise Invalid(f"{text} is not on a {TICK_MINUTES}-minute mark")
    return hour * 60 + minute


def check(schedule: Schedule) -> None:
    """Makes sure that a schedule says what it means.

    Raises:
        Invalid: a time or date cannot be read, openings overlap (also across midnight), a date comes twice, or
            there are too many; `field` names the place, such as `weekly.mon[1].from`.
    """
    weekly = _by_weekday(schedule.weekly)
    for name, hours in zip(WEEKDAYS, weekly, strict=True):
        _check_hours(hours, f"weekly.{name}")
    for number, name in enumerate(WEEKDAYS):
        _check_night(weekly[number - 1], weekly[number], f"weekly.{name}")
    _check_overrides(schedule.overrides, weekly)


def _check_overrides(overrides: Sequence[Override], weekly: Sequence[Hours]) -> None:
    if len(overrides) > MAX_OVERRIDES:
        raise Invalid(f"{len(overrides)} overrides are too many: keep at most {MAX_OVERRIDES}", field="overrides")
    dated: dict[Day, Hours] = {}
    for number, override in enumerate(overrides):
        day = _day_in(override.date, f"overrides[{number}].date")
        if day in dated:
            raise Invalid(f"{override.date} has two overrides: keep one", field=f"overrides[{number}].date")
        _check_hours(override.hours, f"overrides[{number}].hours")
        dated[day] = override.hours
    for number, (day, hours) in enumerate(dated.items()):
        field = f"overrides[{number}].hours"
        _check_night(_on(Day(day - 1), dated, weekly), hours, field)
        _check_night(hours, _on(Day(day + 1), dated, weekly), field)


def _check_hours(hours: Hours, field: str) -> None:
    if len(hours) > MAX_OPENINGS:
        raise Invalid(f"{len(hours)} openings are too many for a day: keep at most {MAX_OPENINGS}", field=field)
    for number, opening in enumerate(hours):
        _check_opening(opening, f"{field}[{number}]")
    order = sorted(range(len(hours)), key=lambda number: _span(hours[number]))
    for earlier, later in pairwise(order):
        if _span(hours[later])[0] < _span(hours[earlier])[1]:
            raise _overlap(hours[later], hours[earlier], f"{field}[{later}].from")


def _check_opening(opening: Opening, field: str) -> None:
    for name, text in (("from", opening.from_), ("to", opening.to)):
        try:
            minute = minute_of(text)
        except Invalid as error:
            raise error.within(f"{field}.{name}") from None
        if name == "from" and minute == DAY_MINUTES:
            raise Invalid("an opening cannot start at 24:00: let the next day's start at 00:00", field=f"{field}.from")


def _check_night(hours: Hours, next_hours: Hours, field: str) -> None:
    """That the day's last opening is over when the next day's first starts."""
    if hours and next_hours:
        last = max(hours, key=lambda opening: _span(opening)[1])
        first = min(next_hours, key=_span)
        if _span(last)[1] - DAY_MINUTES > _span(first)[0]:
            raise _overlap(first, last, field)


def _overlap(later: Opening, earlier: Opening, field: str) -> Invalid:
    return Invalid(
        f"{later.from_}-{later.to} starts before {earlier.from_}-{earlier.to} ends: join or part the two",
        field=field,
    )


def _day_in(text: str, field: str) -> Day:
    try:
        return parse_day(text)
    except Invalid as error:
        raise error.within(field) from None


def _span(opening: Opening) -> tuple[int, int]:
    """The opening in minutes from 00:00 of the date on which it starts: at most two days."""
    start, end = minute_of(opening.from_), minute_of(opening.to)
    return start, end if end > start else end + DAY_MINUTES


def _by_weekday(weekly: Weekly) -> tuple[Hours, ...]:
    return weekly.mon, weekly.tue, weekly.wed, weekly.thu, weekly.fri, weekly.sat, weekly.sun


def _on(day: Day, dated: Mapping[Day, T], weekly: Sequence[T]) -> T:
    return dated.get(day, weekly[(day + _EPOCH_WEEKDAY) % 7])


@lru_cache(maxsize=4096)
def _open_ticks(schedule: Schedule, zone_name: str, window: Window) -> int:
    first, count = _wall_days(zone_name, window)
    return _at_wall_clock(_wall_ticks(schedule, first, count), first, zone_name, window)


@lru_cache(maxsize=512)
def _step_ticks(zone_name: str, step_minutes: int, window: Window) -> int:
    if step_minutes not in range(TICK_MINUTES, DAY_MINUTES + 1, TICK_MINUTES):
        raise Invalid(f"a step of {step_minutes} minutes is not one of {TICK_MINUTES}, 10, 15 ... {DAY_MINUTES}")
    first, count = _wall_days(zone_name, window)
    day = sum(1 << tick for tick in range(0, DAY_TICKS, step_minutes // TICK_MINUTES))
    wall = int.from_bytes(day.to_bytes(_DAY_BYTES, "little") * count, "little")
    return _at_wall_clock(wall, first, zone_name, window)


@lru_cache(maxsize=64)
def _local_dates(zone_name: str, window: Window) -> tuple[tuple[str, int], ...]:
    dates: dict[int, int] = {}
    for start, end, offset in _spells(zone_name, window):
        for day in range((start + offset) // DAY_TICKS, (end + offset - 1) // DAY_TICKS + 1):
            midnight = day * DAY_TICKS - offset
            shown = window.between(Tick(max(start, midnight)), Tick(min(end, midnight + DAY_TICKS)))
            dates[day] = dates.get(day, 0) | shown
    return tuple((day_key(Day(day)), ticks) for day, ticks in sorted(dates.items()) if ticks)


def _spells(zone_name: str, window: Window) -> list[tuple[Tick, Tick, int]]:
    """The window in stretches of one offset: from tick, to tick, offset in ticks."""
    changes = offsets(zone_name, window.start, window.end)
    ends = [start for start, _ in changes[1:]] + [window.end]
    return [(start, end, offset) for (start, offset), end in zip(changes, ends, strict=True)]


def _wall_days(zone_name: str, window: Window) -> tuple[Day, int]:
    """The first date that the calendar shows in the window, and the number of dates to the last."""
    spells = _spells(zone_name, window)
    first = min((start + offset) // DAY_TICKS for start, _, offset in spells)
    last = max((end + offset - 1) // DAY_TICKS for _, end, offset in spells)
    return Day(first), last - first + 1


def _at_wall_clock(wall: int, first: Day, zone_name: str, window: Window) -> int:
    """The window's ticks at which the clock shows a tick of `wall`, counted from 00:00 of the date `first`."""
    ticks = 0
    for start, end, offset in _spells(zone_name, window):
        shown = wall >> (start + offset - first * DAY_TICKS) & ones(end - start)
        ticks |= shown << (start - window.start)
    return ticks


def _wall_ticks(schedule: Schedule, first: Day, count: int) -> int:
    """The hours of `count` dates as a clock that never changes would show them."""
    weekly, dated = _drawn(schedule)
    today = (first - 1 + _EPOCH_WEEKDAY) % 7
    days = ((weekly[today:] + weekly[:today]) * (count // 7 + 1))[: count + 1]
    for day in dated.keys() & range(first - 1, first + count):
        days[day - first + 1] = dated[day]
    own = b"".join([own for own, _ in days[1:]])
    nights = b"".join([night for _, night in days[:-1]])
    return int.from_bytes(own, "little") | int.from_bytes(nights, "little")


_Drawn = tuple[bytes, bytes]
"""One date's hours as sets: the ticks of the date itself, and those of the next date."""


@lru_cache(maxsize=4096)
def _drawn(schedule: Schedule) -> tuple[list[_Drawn], dict[Day, _Drawn]]:
    weekly = [_drawn_hours(hours) for hours in _by_weekday(schedule.weekly)]
    return weekly, {parse_day(override.date): _drawn_hours(override.hours) for override in schedule.overrides}


def _drawn_hours(hours: Hours) -> _Drawn:
    ticks = 0
    for start, end in map(_span, hours):
        ticks |= ones((end - start) // TICK_MINUTES) << start // TICK_MINUTES
    both = ticks.to_bytes(2 * _DAY_BYTES, "little")
    return both[:_DAY_BYTES], both[_DAY_BYTES:]
