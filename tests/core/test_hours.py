"""Hours follow the wall clock, whatever the clocks do; schedules that contradict themselves are refused."""

import re
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.core.errors import Invalid
from slotkeeper.core.hours import (
    WEEKDAYS,
    Hours,
    Opening,
    Override,
    Schedule,
    Weekly,
    check,
    local_dates,
    minute_of,
    open_ticks,
    step_ticks,
)
from slotkeeper.core.ticks import (
    TICK_SECONDS,
    Tick,
    Window,
    format_instant,
    instant_of,
    parse_day,
    positions,
)
from slotkeeper.core.zones import local

BERLIN = "Europe/Berlin"
ZONES = [BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia"]


def hours(*texts: str) -> Hours:
    """Openings from texts such as `09:00-17:00`."""
    return tuple(Opening(from_=text[:5], to=text[6:]) for text in texts)


def schedule(*overrides: Override, **weekly: Hours) -> Schedule:
    return Schedule(name="Praxis", weekly=Weekly(**weekly), overrides=overrides)


def daily(*texts: str) -> Schedule:
    return schedule(**dict.fromkeys(WEEKDAYS, hours(*texts)))


def on(day: str, count: int = 1) -> Window:
    return Window.of_days(parse_day(day), count)


def runs(bits: int) -> list[tuple[int, int]]:
    """The unbroken stretches of set bits as half-open `(first, after the last)`, ascending."""
    edges = positions(bits ^ bits << 1)
    return list(zip(edges[::2], edges[1::2], strict=True))


def spans(bits: int, window: Window) -> list[str]:
    """The open stretches in UTC, as `2026-03-29T01:00 2026-03-29T02:00`."""
    return [f"{moment(window, start)} {moment(window, end)}" for start, end in runs(bits)]


def moment(window: Window, at: int) -> str:
    return format_instant(instant_of(Tick(window.start + at)))[:16]


def walls(bits: int, zone: str, window: Window) -> list[str]:
    return [f"{local(instant_of(Tick(window.start + at)), zone):%d %H:%M}" for at in positions(bits)]


def is_open(plan: Schedule, wall: datetime) -> bool:
    """The policy, spelt out for one reading of the wall clock."""
    for start_date in (wall.date(), wall.date() - timedelta(days=1)):
        weekly: Hours = getattr(plan.weekly, WEEKDAYS[start_date.weekday()])
        dated = {override.date: override.hours for override in plan.overrides}
        midnight = datetime(start_date.year, start_date.month, start_date.day)  # noqa: DTZ001 - a wall clock
        for opening in dated.get(start_date.isoformat(), weekly):
            start, end = (_minutes(text) for text in (opening.from_, opening.to))
            end += 1440 if end <= start else 0
            if midnight + timedelta(minutes=start) <= wall < midnight + timedelta(minutes=end):
                return True
    return False


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


times = st.integers(0, 287).map(lambda tick: f"{tick // 12:02}:{tick % 12 * 5:02}")
openings = st.builds(Opening, from_=times, to=times | st.just("24:00"))
some_hours = st.lists(openings, max_size=3).map(tuple)
starts = st.dates(date(2011, 12, 20), date(2037, 12, 31))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Schedule, str, Window]:
    """A schedule with overrides near a window that begins anywhere."""
    first = draw(starts)
    near = st.integers(-2, 4).map(lambda days: (first + timedelta(days=days)).isoformat())
    overrides = draw(st.lists(st.builds(Override, date=near, hours=some_hours), max_size=3, unique_by=lambda o: o.date))
    weekly = draw(st.builds(Weekly, **dict.fromkeys(WEEKDAYS, some_hours)))
    window = Window(Tick(parse_day(first.isoformat()) * 288 + draw(st.integers(0, 287))), draw(st.integers(0, 700)))
    return Schedule(name="any", weekly=weekly, overrides=tuple(overrides)), draw(st.sampled_from(ZONES)), window


@given(worlds())
def test_a_tick_is_open_exactly_when_the_wall_clock_shows_a_time_within_the_hours(
    world: tuple[Schedule, str, Window],
) -> None:
    plan, zone, window = world

    found = open_ticks(plan, zone, window)

    clock = [local(instant_of(Tick(window.start + at)), zone).replace(tzinfo=None) for at in range(window.length)]
    assert positions(found) == [at for at, wall in enumerate(clock) if is_open(plan, wall)]


@given(worlds(), st.integers(1, 699))
def test_two_halves_of_a_window_say_what_the_whole_says(world: tuple[Schedule, str, Window], cut: int) -> None:
    plan, zone, window = world
    cut = min(cut, window.length)

    left = open_ticks(plan, zone, Window(window.start, cut))
    right = open_ticks(plan, zone, Window(Tick(window.start + cut), window.length - cut))

    assert open_ticks(plan, zone, window) == left | right << cut


def test_nine_to_five_is_nine_to_five_in_winter_and_in_summer() -> None:
    plan = schedule(mon=hours("09:00-17:00"))

    winter, summer = on("2026-01-05"), on("2026-07-06")

    assert spans(open_ticks(plan, BERLIN, winter), winter) == ["2026-01-05T08:00 2026-01-05T16:00"]
    assert spans(open_ticks(plan, BERLIN, summer), summer) == ["2026-07-06T07:00 2026-07-06T15:00"]


def test_the_day_before_and_the_day_after_a_change_are_not_an_hour_off() -> None:
    """calcom/cal.diy#19589, #10517, #6217."""
    window = on("2026-03-28", 3)

    assert spans(open_ticks(daily("09:00-10:00"), BERLIN, window), window) == [
        "2026-03-28T08:00 2026-03-28T09:00",
        "2026-03-29T07:00 2026-03-29T08:00",
        "2026-03-30T07:00 2026-03-30T08:00",
    ]


def test_an_hour_that_is_skipped_offers_nothing() -> None:
    window = on("2026-03-29")

    assert open_ticks(daily("02:00-03:00"), BERLIN, window) == 0
    assert spans(open_ticks(schedule(sun=hours("01:30-03:30")), BERLIN, window), window) == [
        "2026-03-29T00:30 2026-03-29T01:30"
    ]


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    window = on("2026-10-25")

    both = open_ticks(daily("02:00-03:00"), BERLIN, window)
    apart = open_ticks(daily("02:15-02:30"), BERLIN, window)

    assert spans(both, window) == ["2026-10-25T00:00 2026-10-25T02:00"]
    assert spans(apart, window) == ["2026-10-25T00:15 2026-10-25T00:30", "2026-10-25T01:15 2026-10-25T01:30"]


def test_a_date_that_a_zone_skips_offers_nothing() -> None:
    """Samoa had no 30 December 2011."""
    window = on("2011-12-29", 4)
    plan = schedule(Override(date="2011-12-30", hours=hours("00:00-24:00")))

    assert open_ticks(plan, "Pacific/Apia", window) == 0
    assert "2011-12-30" not in dict(local_dates("Pacific/Apia", window))


def test_hours_past_midnight_belong_to_the_date_on_which_they_start() -> None:
    plan = schedule(Override(date="2026-11-28", hours=()), fri=hours("22:00-06:00"), sat=hours("22:00-06:00"))
    window = on("2026-11-27", 4)

    assert spans(open_ticks(plan, "UTC", window), window) == ["2026-11-27T22:00 2026-11-28T06:00"]


def test_a_night_that_began_before_the_window_is_still_open() -> None:
    window = on("2026-11-28")

    assert spans(open_ticks(schedule(fri=hours("22:00-06:00")), "UTC", window), window) == [
        "2026-11-28T00:00 2026-11-28T06:00"
    ]


def test_an_override_of_the_date_before_the_window_also_replaces_the_night_into_it() -> None:
    window = on("2026-11-28")
    shorter = Override(date="2026-11-27", hours=hours("22:00-01:00"))

    assert spans(open_ticks(schedule(shorter, fri=hours("22:00-06:00")), "UTC", window), window) == [
        "2026-11-28T00:00 2026-11-28T01:00"
    ]


def test_from_midnight_to_midnight_is_the_whole_day() -> None:
    window = on("2026-11-24")

    assert open_ticks(daily("00:00-24:00"), "UTC", window) == window.full
    assert open_ticks(daily("00:00-00:00"), "UTC", window) == window.full
    assert open_ticks(daily("10:00-10:00"), "UTC", window) == window.full


def test_an_override_replaces_the_hours_of_its_date_alone() -> None:
    special = Override(date="2026-12-24", hours=hours("10:00-12:00"))
    window = on("2026-12-23", 3)

    assert spans(
        open_ticks(schedule(special, **dict.fromkeys(WEEKDAYS, hours("09:00-17:00"))), "UTC", window), window
    ) == [
        "2026-12-23T09:00 2026-12-23T17:00",
        "2026-12-24T10:00 2026-12-24T12:00",
        "2026-12-25T09:00 2026-12-25T17:00",
    ]


@pytest.mark.parametrize("days", range(1, 16))
@pytest.mark.parametrize("more", [0, 1])
def test_every_window_reaches_to_its_last_tick(days: int, more: int) -> None:
    whole_days = on("2026-11-23", days)
    window = Window(whole_days.start, whole_days.length + more)
    dates = local_dates("UTC", window)

    assert open_ticks(daily("00:00-24:00"), "UTC", window) == window.full
    assert step_ticks("UTC", 5, window) == window.full
    assert len(dates) == days + more
    assert sum(ticks for _, ticks in dates) == window.full


def test_without_hours_and_without_a_window_nothing_is_open() -> None:
    assert open_ticks(schedule(), BERLIN, on("2026-11-24", 90)) == 0
    assert open_ticks(daily("00:00-24:00"), BERLIN, Window(Tick(5_000_000), 0)) == 0


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that stands in another zone."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_zone_of_the_server_changes_nothing(elsewhere: None) -> None:
    """thunderbird/appointment#1140, nextcloud/calendar#6529."""
    window = on("2031-03-30")

    assert time.localtime(0).tm_hour == 12
    assert spans(open_ticks(daily("09:00-10:00"), BERLIN, window), window) == ["2031-03-30T07:00 2031-03-30T08:00"]


def test_steps_are_counted_from_local_midnight() -> None:
    window = on("2026-11-24")

    steps = step_ticks("Asia/Kathmandu", 360, window)

    assert walls(steps, "Asia/Kathmandu", window) == ["24 06:00", "24 12:00", "24 18:00", "25 00:00"]


def test_steps_that_do_not_divide_the_day_begin_anew_at_midnight() -> None:
    window = on("2026-11-24", 2)

    assert walls(step_ticks("UTC", 700, window), "UTC", window) == [
        "24 00:00", "24 11:40", "24 23:20", "25 00:00", "25 11:40", "25 23:20",
    ]  # fmt: skip


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", [5, 15, 35, 60, 1440])
@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24", "2026-04-04", "2026-10-03"])
def test_steps_follow_the_wall_clock_also_when_clocks_change(zone: str, step: int, day: str) -> None:
    window = on(day, 3)

    steps = positions(step_ticks(zone, step, window))

    clock = [local(instant_of(Tick(window.start + at)), zone) for at in range(window.length)]
    assert steps == [at for at, wall in enumerate(clock) if (wall.hour * 60 + wall.minute) % step == 0]


@pytest.mark.parametrize("step", [-5, 0, 1, 7, 1445])
def test_a_step_off_the_ticks_or_beyond_a_day_is_refused(step: int) -> None:
    with pytest.raises(Invalid, match=f"a step of {step} minutes is not one of 5, 10, 15 ... 1440"):
        step_ticks("UTC", step, on("2026-11-24"))


@given(st.sampled_from([*ZONES, "America/Havana"]), starts, st.integers(0, 900))
def test_every_tick_has_exactly_the_date_that_the_calendar_shows(zone: str, start: date, length: int) -> None:
    window = Window(Tick(parse_day(start.isoformat()) * 288 + 7), length)

    dates = local_dates(zone, window)

    shown: dict[str, int] = {}
    for at in range(length):
        day = local(instant_of(Tick(window.start + at)), zone).date().isoformat()
        shown[day] = shown.get(day, 0) | 1 << at
    assert dates == tuple(sorted(shown.items()))


def test_a_date_that_clocks_return_to_keeps_both_of_its_parts() -> None:
    """In Nuuk clocks go back from 00:00 to 23:00 of the day before."""
    window = on("2026-10-24", 3)

    dates = dict(local_dates("America/Nuuk", window))

    assert dates["2026-10-24"].bit_count() == 25 * 12
    assert dates["2026-10-25"].bit_count() == 24 * 12


def test_a_schedule_is_json_of_plain_times() -> None:
    text = (
        b'{"name":"Praxis","weekly":{"mon":[{"from":"09:00","to":"12:00"},{"from":"13:00","to":"24:00"}]},'
        b'"overrides":[{"date":"2026-12-24","hours":[]}]}'
    )

    plan = msgspec.json.decode(text, type=Schedule)

    assert plan == schedule(Override(date="2026-12-24", hours=()), mon=hours("09:00-12:00", "13:00-24:00"))
    assert msgspec.json.encode(plan) == text
    assert hash(plan) == hash(msgspec.json.decode(text, type=Schedule))


@pytest.mark.parametrize(
    "text",
    [
        b'{"name":"x","weekly":{"monday":[]}}',
        b'{"name":"x","weekly":{},"zone":"UTC"}',
        b'{"name":"x","weekly":{"mon":[{"from":"09:00","to":"10:00","note":""}]}}',
        b'{"name":"x","weekly":{},"overrides":[{"date":"2026-12-24"}]}',
        b'{"name":"","weekly":{}}',
    ],
)
def test_unknown_missing_and_empty_fields_are_refused(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Schedule)


@given(st.integers(0, 288))
def test_a_wall_time_is_minutes_since_midnight(tick: int) -> None:
    assert minute_of(f"{tick // 12:02}:{tick % 12 * 5:02}") == tick * 5


@pytest.mark.parametrize("text", ["", "9:00", "09:00:00", "24:05", "25:00", "09:60", "٠٩:00", "09:00\n", "9" * 5000])
def test_what_is_no_wall_time_is_refused_briefly(text: str) -> None:
    with pytest.raises(Invalid, match="is not a time of the day: write it as 09:30, from 00:00 to 24:00") as refused:
        minute_of(text)

    assert len(refused.value.message) < 120


def test_a_wall_time_that_is_too_long_is_told_by_its_beginning() -> None:
    for text, shown in (("9" * 20, "9" * 20), ("9" * 21, "9" * 20 + "...")):
        with pytest.raises(Invalid, match=f"^'{shown}' is"):
            minute_of(text)


def test_the_schema_tells_what_is_checked_by_hand() -> None:
    parts = msgspec.json.schema(Schedule)["$defs"]

    assert parts["Opening"]["properties"]["to"]["examples"] == ["09:30"]
    for good in ("00:00", "09:05", "23:55", "24:00"):
        assert re.search(parts["Opening"]["properties"]["from"]["pattern"], good)
    for bad in ("24:05", "09:02", "9:00", "25:00", "09:00x", "x09:00"):
        assert not re.search(parts["Opening"]["properties"]["to"]["pattern"], bad)
    assert parts["Weekly"]["properties"]["mon"]["maxItems"] == 12
    assert parts["Override"]["properties"]["date"]["format"] == "date"
    assert parts["Schedule"]["properties"]["overrides"]["maxItems"] == 1000


ALL = dict.fromkeys(WEEKDAYS, hours("09:00-12:00", "13:00-24:00"))


@pytest.mark.parametrize(
    "plan",
    [
        schedule(),
        schedule(**ALL),
        schedule(mon=hours("13:00-17:00", "09:00-13:00")),
        schedule(sun=hours("22:00-06:00"), mon=hours("06:00-12:00")),
        schedule(Override(date="2026-11-27", hours=hours("10:00-02:00")), Override(date="2026-11-28", hours=()), **ALL),
        schedule(*(Override(date=f"{2026 + n // 12}-{n % 12 + 1:02}-01", hours=()) for n in range(888))),
        schedule(*(Override(date=f"{2026 + n // 28}-01-{n % 28 + 1:02}", hours=()) for n in range(1000))),
        daily("00:00-00:00"),
        daily(*(f"{n:02}:00-{n:02}:30" for n in range(12))),
    ],
)
def test_a_schedule_that_says_what_it_means_is_accepted(plan: Schedule) -> None:
    check(plan)


FRIDAY, SATURDAY = "2026-11-27", "2026-11-28"


@pytest.mark.parametrize(
    ("plan", "field", "message"),
    [
        (schedule(mon=hours("09:00-12:00", "1x:00-14:00")), "weekly.mon[1].from", "'1x:00' is not a time of the day"),
        (schedule(sun=hours("09:00-25:00")), "weekly.sun[0].to", "'25:00' is not a time of the day"),
        (schedule(tue=hours("09:02-10:00")), "weekly.tue[0].from", "09:02 is not on a 5-minute mark"),
        (schedule(tue=hours("24:00-10:00")), "weekly.tue[0].from", "an opening cannot start at 24:00"),
        (schedule(wed=hours("09:00-12:00", "11:00-13:00")), "weekly.wed[1].from", "11:00-13:00 starts before"),
        (schedule(wed=hours("11:00-13:00", "09:00-12:00")), "weekly.wed[0].from", "11:00-13:00 starts before"),
        (schedule(wed=hours("22:00-06:00", "23:00-24:00")), "weekly.wed[1].from", "23:00-24:00 starts before"),
        (schedule(wed=hours("09:00-10:00", "09:00-10:00")), "weekly.wed[1].from", "09:00-10:00 starts before"),
        (schedule(sun=hours("22:00-06:00"), mon=hours("05:00-06:00")), "weekly.mon", "05:00-06:00 starts before"),
        (schedule(mon=hours(*["09:00-10:00"] * 13)), "weekly.mon", "13 openings are too many for a day"),
        (schedule(Override(date="24.12.2026", hours=())), "overrides[0].date", "'24.12.2026' is not a date"),
        (schedule(Override(date="1999-12-24", hours=())), "overrides[0].date", "'1999-12-24' is out of range"),
        (
            schedule(Override(date=FRIDAY, hours=()), Override(date=FRIDAY, hours=())),
            "overrides[1].date",
            "2026-11-27 has two overrides: keep one",
        ),
        (schedule(*[Override(date=FRIDAY, hours=())] * 1001), "overrides", "1001 overrides are too many"),
        (schedule(Override(date=FRIDAY, hours=hours("9-1"))), "overrides[0].hours[0].from", "'9-1' is not a time"),
        (
            schedule(Override(date=SATURDAY, hours=hours("05:00-08:00")), fri=hours("22:00-06:00")),
            "overrides[0].hours",
            "05:00-08:00 starts before 22:00-06:00 ends: join or part the two",
        ),
        (
            schedule(Override(date=FRIDAY, hours=hours("22:00-06:00")), sat=hours("05:00-08:00")),
            "overrides[0].hours",
            "05:00-08:00 starts before 22:00-06:00 ends",
        ),
    ],
)
def test_a_schedule_that_contradicts_itself_is_refused_with_the_place(plan: Schedule, field: str, message: str) -> None:
    with pytest.raises(Invalid, match="^" + message.replace(".", "[.]")) as refused:
        check(plan)

    assert refused.value.field == field


@given(worlds())
def test_a_schedule_that_is_accepted_opens_each_minute_once(world: tuple[Schedule, str, Window]) -> None:
    plan, _, _ = world
    try:
        check(plan)
    except Invalid:
        return

    window = on("2026-11-23", 21)
    plain = msgspec.structs.replace(plan, overrides=())
    weekly = [getattr(plan.weekly, day) for day in WEEKDAYS]
    minutes = sum((_minutes(o.to) - _minutes(o.from_) - 1) % 1440 + 1 for day in weekly for o in day)

    assert open_ticks(plain, "UTC", window).bit_count() * TICK_SECONDS == minutes * 60 * 3
