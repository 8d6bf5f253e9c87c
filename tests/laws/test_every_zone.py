"""At every change of every zone's clocks, hours are what zoneinfo's wall clock says they are."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from io import BytesIO
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from slotkeeper.core.hours import (
    WEEKDAYS,
    Hours,
    Opening,
    Override,
    Schedule,
    Weekly,
    check,
    local_dates,
    open_ticks,
    step_ticks,
)
from slotkeeper.core.ticks import (
    DAY_TICKS,
    TICK_SECONDS,
    Day,
    Tick,
    Window,
    day_key,
    format_instant,
    instant_of,
    parse_day,
)
from slotkeeper.core.zones import offsets, zone_names

Opens = Callable[[Schedule, str, Window], int]

FIRST = parse_day("2020-01-01") * DAY_TICKS
LAST = parse_day("2038-01-01") * DAY_TICKS
STEP_MINUTES = 20
AROUND_TICKS = 150  # on each side of the change: 12 and a half hours, so that midnight is always in sight

NAMES = sorted(zone_names())
KNOWN_FOR_TROUBLE = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Nuuk",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
]
SAMPLE = sorted({*KNOWN_FOR_TROUBLE, *random.Random(1).sample(NAMES, 18)})[:30]


def hours(*texts: str) -> Hours:
    return tuple(Opening(from_=text[:5], to=text[6:]) for text in texts)


SCHEDULE = Schedule(
    name="hours that begin, end and pass where clocks change",
    weekly=Weekly(
        mon=hours("00:00-00:30", "01:55-02:05", "08:00-17:00"),
        tue=hours("00:30-01:30", "02:30-03:30", "23:35-00:25"),
        wed=hours("01:00-02:00", "03:00-24:00"),
        thu=hours("02:00-03:00", "21:00-02:45"),
        fri=hours("09:00-12:00", "13:00-17:30", "22:00-00:10"),
        sat=hours("00:10-01:15", "01:20-02:20", "23:00-02:30"),
        sun=hours("02:30-03:05", "03:10-23:55"),
    ),
    overrides=(
        Override(date="2026-03-28", hours=hours("22:30-01:30")),
        Override(date="2026-03-29", hours=hours("01:30-02:15", "02:40-24:00")),
        Override(date="2026-11-01", hours=()),
        Override(date="2027-03-14", hours=hours("02:30-24:00")),
    ),
)


@cache
def wall_minutes() -> tuple[frozenset[tuple[int, int]], dict[str, frozenset[int]]]:
    """The schedule minute by minute: those of each weekday, and those of the dates that overrides touch."""
    weekly: set[tuple[int, int]] = set()
    for number, name in enumerate(WEEKDAYS):
        weekly |= {((number + day) % 7, minute) for day, minute in minutes_of(getattr(SCHEDULE.weekly, name))}
    dated = {override.date: override.hours for override in SCHEDULE.overrides}
    special: dict[str, frozenset[int]] = {}
    for date in {day for text in dated for day in (_after(text, 0), _after(text, 1))}:
        yesterday = hours_on(_after(date, -1), dated)
        today = {minute for day, minute in minutes_of(hours_on(date, dated)) if day == 0}
        special[date] = frozenset(today | {minute for day, minute in minutes_of(yesterday) if day == 1})
    return frozenset(weekly), special


def hours_on(date: str, dated: dict[str, Hours]) -> Hours:
    weekly: Hours = getattr(SCHEDULE.weekly, WEEKDAYS[datetime.fromisoformat(date).weekday()])
    return dated.get(date, weekly)


def _after(date: str, days: int) -> str:
    return (datetime.fromisoformat(date) + timedelta(days=days)).date().isoformat()


def minutes_of(openings: Hours) -> Iterator[tuple[int, int]]:
    """(0 for the same date or 1 for the next, minute of that date)"""
    for opening in openings:
        start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (opening.from_, opening.to))
        for minute in range(start, end if end > start else end + 1440):
            yield divmod(minute, 1440)


@cache
def asked(data: bytes, window: Window) -> tuple[int, int, tuple[tuple[str, int], ...]]:
    """What zoneinfo's wall clock says, asked tick by tick: the open ticks, those on a step, those of each date."""
    weekly, special = wall_minutes()
    shows = zone_from(data)
    opened, stepped, dates = 0, 0, dict[str, int]()
    for at in range(window.length):
        wall = datetime.fromtimestamp((window.start + at) * TICK_SECONDS, shows)
        minute, date = wall.hour * 60 + wall.minute, wall.date().isoformat()
        is_open = minute in special[date] if date in special else (wall.weekday(), minute) in weekly
        opened |= is_open << at
        stepped |= (minute % STEP_MINUTES == 0) << at
        dates[date] = dates.get(date, 0) | 1 << at
    return opened, stepped, tuple(sorted(dates.items()))


@cache
def changes(data: bytes) -> tuple[Tick, ...]:
    """The first tick of every offset that begins in 2020 to 2037, found by asking zoneinfo day by day."""
    shows = zone_from(data)
    days = range(FIRST, LAST + 1, DAY_TICKS)
    readings = [shown(shows, day) for day in days]
    return tuple(
        first_with(shows, after, low, high)
        for (low, before), (high, after) in pairwise(zip(days, readings, strict=True))
        if before != after
    )


def first_with(shows: ZoneInfo, reading: timedelta, low: int, high: int) -> Tick:
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(shows, middle) == reading else (middle, high)
    return Tick(high)


def shown(shows: ZoneInfo, tick: int) -> timedelta:
    return datetime.fromtimestamp(tick * TICK_SECONDS, shows).utcoffset() or timedelta()


def offset(shows: ZoneInfo, tick: int) -> int:
    ticks, rest = divmod(shown(shows, tick), timedelta(seconds=TICK_SECONDS))
    assert not rest
    return ticks


def data_of(name: str) -> bytes:
    return resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


@cache
def zone_from(data: bytes) -> ZoneInfo:
    """Many names share their data: each is asked once."""
    return ZoneInfo.from_file(BytesIO(data))


def around(change: Tick) -> Window:
    return Window(Tick(change - AROUND_TICKS), 2 * AROUND_TICKS)


def disagreements(opens: Opens, names: Sequence[str]) -> list[str]:
    """Where the ticks that `opens` finds open differ from those that zoneinfo's wall clock shows as open."""
    return [
        f"{name} {format_instant(instant_of(change))}"
        for name in names
        for change in changes(data_of(name))
        if opens(SCHEDULE, name, around(change)) != asked(data_of(name), around(change))[0]
    ]


def wrong_steps_and_dates(names: Sequence[str]) -> list[str]:
    """Where steps or dates differ from those that zoneinfo's wall clock shows."""
    return [
        f"{name} {format_instant(instant_of(change))}"
        for name in names
        for change in changes(data_of(name))
        if (step_ticks(name, STEP_MINUTES, around(change)), local_dates(name, around(change)))
        != asked(data_of(name), around(change))[1:]
    ]


def wrong_offsets(names: Sequence[str]) -> list[str]:
    """The zones whose offsets are not those that begin where zoneinfo's do."""
    wrong = []
    for name in names:
        shows = zone_from(data_of(name))
        known = tuple((tick, offset(shows, tick)) for tick in (Tick(FIRST), *changes(data_of(name))))
        if offsets(name, Tick(FIRST), Tick(LAST)) != known:
            wrong.append(name)
    return wrong


def with_the_offset_of_the_days_start(schedule: Schedule, name: str, window: Window) -> int:
    """The usual mistake: each date's hours are resolved with the offset that its midnight has."""
    dated = {override.date: override.hours for override in schedule.overrides}
    ticks = 0
    for day in range(window.start // DAY_TICKS - 2, window.end // DAY_TICKS + 2):
        midnight = day * DAY_TICKS - offset(zone_from(data_of(name)), day * DAY_TICKS)
        for number, minute in minutes_of(hours_on(day_key(Day(day)), dated)):
            tick = Tick(midnight + number * DAY_TICKS + minute // 5)
            ticks |= window.bit(tick)
    return ticks


def with_shifted_gaps(schedule: Schedule, name: str, window: Window) -> int:
    """Another: times that a clock skips are moved behind the gap, as `datetime.timestamp` does."""
    ticks = open_ticks(schedule, name, window)
    spells = offsets(name, window.start, window.end)
    for (_, before), (change, after) in pairwise(spells):
        skipped = Window(Tick(change - before), max(after - before, 0))
        ticks |= open_ticks(schedule, "UTC", Window(Tick(change + before), skipped.length)) << (change - window.start)
    return ticks & window.full


def with_one_of_two_hours(schedule: Schedule, name: str, window: Window) -> int:
    """Another: an hour that comes twice is open only the first time."""
    ticks = open_ticks(schedule, name, window)
    for (_, before), (change, after) in pairwise(offsets(name, window.start, window.end)):
        ticks &= ~window.between(change, Tick(change + before - after))
    return ticks


def test_hours_agree_with_the_wall_clock_at_the_changes_of_thirty_zones() -> None:
    assert disagreements(open_ticks, SAMPLE) == []


def test_steps_and_dates_agree_with_the_wall_clock_at_the_changes_of_thirty_zones() -> None:
    assert wrong_steps_and_dates(SAMPLE) == []


def test_offsets_begin_where_those_of_thirty_zones_do() -> None:
    assert wrong_offsets(SAMPLE) == []


@pytest.mark.slow
def test_hours_steps_and_dates_agree_with_the_wall_clock_at_every_change_of_every_zone() -> None:
    """calcom/cal.diy#19589, #10517, #6217: an hour off, or unbookable, only on the day clocks change."""
    assert sum(len(changes(data_of(name))) for name in NAMES) > 5000
    assert wrong_offsets(NAMES) == []
    assert disagreements(open_ticks, NAMES) == []
    assert wrong_steps_and_dates(NAMES) == []


@pytest.mark.slow
@pytest.mark.parametrize("broken", [with_the_offset_of_the_days_start, with_shifted_gaps, with_one_of_two_hours])
def test_hours_that_do_not_follow_the_wall_clock_are_found_out(broken: Opens) -> None:
    assert len(disagreements(broken, SAMPLE)) > 100


def test_the_thirty_zones_and_their_hours_are_worth_the_name() -> None:
    check(SCHEDULE)
    assert len(SAMPLE) == 30
    assert sum(bool(changes(data_of(name))) for name in SAMPLE) >= 15
