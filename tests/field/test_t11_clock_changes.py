"""T11: on the days when clocks change, slots are what the wall clock says, to be booked at each of two equal times."""

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from slotkeeper.core.hours import step_ticks
from slotkeeper.core.service import Business, Need, Resource
from slotkeeper.core.ticks import TICK_SECONDS, Tick, Window, format_instant, instant_of, parse_day
from slotkeeper.core.zones import offsets
from slotkeeper.desk import search
from slotkeeper.doctor import examine
from tests.builders import STAFF, Setting, a_setting
from tests.laws.test_every_zone import (
    KNOWN_FOR_TROUBLE,
    NAMES,
    SCHEDULE,
    around,
    asked,
    changes,
    data_of,
    with_one_of_two_hours,
    with_shifted_gaps,
    with_the_offset_of_the_days_start,
    zone_from,
)

FIRST, LAST = (parse_day(text) * 288 for text in ("2026-01-01", "2031-01-01"))
VISIT_TICKS, HOUR_TICKS = 4, 12


def coming(zone: str) -> list[Tick]:
    """The zone's changes of 2026 to 2030."""
    spells = offsets(zone, Tick(FIRST), Tick(LAST))
    return [change for change, _ in spells[1:]]


def forty_zones() -> list[str]:
    """Those known for trouble, and others that change their clocks, drawn by lot."""
    changing = [name for name in NAMES if coming(name)]
    troublesome = [name for name in KNOWN_FOR_TROUBLE if name in changing]
    return troublesome + random.Random(11).sample(sorted(set(changing) - set(troublesome)), 40 - len(troublesome))


ZONES = forty_zones()


def a_place(zone: str) -> Setting:
    """Somebody with odd hours who gives `visit`, and a room that is open around the clock, to be had by the hour."""
    setting = a_setting(now="2025-12-30T00:00:00Z", business=Business(name="Place", zone=zone))
    setting.put("schedule", "odd", SCHEDULE)
    setting.put("resource", "ada", Resource(name="Ada", zone=zone, schedule_id="odd"))
    setting.put("resource", "room", Resource(name="Room", kind="room", zone=zone))
    visit = {"duration_minutes": VISIT_TICKS * 5, "step_minutes": 20, "horizon_days": 3660}
    setting.service("visit", needs=[Need(all_of=("ada",))], **visit)
    setting.service("hour", needs=[Need(all_of=("room",))], duration_minutes=30, step_minutes=60, horizon_days=3660)
    return setting


def offered(setting: Setting, service_id: str, first: Tick, last: Tick) -> list[Tick]:
    """The ticks that are offered in `first <= tick < last`."""
    wanted = search.Search(first=instant_of(first), last=instant_of(last))
    return [
        Tick(start // TICK_SECONDS) for start in search.service_slots(setting.desk, STAFF, service_id, wanted).starts
    ]


def slots_follow_the_clock(zone: str) -> int:
    """Around each change, `visit` is offered just where zoneinfo's wall clock, asked tick by tick, shows a multiple of
    20 minutes and open hours for the whole visit. Returns the number of slots."""
    setting, count = a_place(zone), 0
    known = set(changes(data_of(zone)))
    for change in coming(zone):
        assert change in known
        window = around(change)
        opened, stepped, _ = asked(data_of(zone), window)
        whole = [
            at for at in range(window.length - VISIT_TICKS) if all(opened >> at + n & 1 for n in range(VISIT_TICKS))
        ]
        expected = [Tick(window.start + at) for at in whole if stepped >> at & 1]
        assert offered(setting, "visit", window.start, Tick(window.end - VISIT_TICKS)) == expected
        count += len(expected)
    return count


def each_time_is_booked(zone: str) -> None:
    """Each slot of the hours around each change is booked: a time that comes twice is two appointments, one that is
    skipped is never shown."""
    setting, shows = a_place(zone), zone_from(data_of(zone))
    for change in coming(zone)[:4]:
        ticks = range(change - 4 * HOUR_TICKS, change + 4 * HOUR_TICKS)
        full_hours = [Tick(tick) for tick in ticks if wall(tick, shows).minute == 0]
        starts = offered(setting, "hour", Tick(ticks[0]), Tick(ticks[-1] + 1))
        assert starts == full_hours
        made = [setting.book(format_instant(instant_of(start)), "hour") for start in starts]
        assert [each.start for each in made] == [instant_of(start) for start in full_hours]
        assert offered(setting, "hour", Tick(ticks[0]), Tick(ticks[-1] + 1)) == []
    assert examine(setting.store, setting.clock.now).is_clean


def wall(tick: int, shows: Any) -> datetime:
    return datetime.fromtimestamp(tick * TICK_SECONDS, shows)


@pytest.mark.slow
def test_no_slot_is_an_hour_off_on_the_day_the_clocks_change() -> None:
    """calcom/cal.diy#19589, #10517: on the day of the change slots were an hour off."""
    assert len(ZONES) == 40
    assert sum(slots_follow_the_clock(zone) for zone in ZONES) > 5000


@pytest.mark.slow
def test_no_time_is_unbookable_on_the_day_the_clocks_change() -> None:
    """calcom/cal.diy#6217: what was offered on that day could not be booked."""
    for zone in ZONES:
        each_time_is_booked(zone)


def test_of_two_equal_wall_times_neither_is_lost_and_a_skipped_one_is_never_offered() -> None:
    """calcom/cal.diy#10517, in Berlin: 02:00 comes twice in October and never in March."""
    setting = a_place("Europe/Berlin")
    shows = zone_from(data_of("Europe/Berlin"))
    days = {"autumn": "2026-10-25", "spring": "2027-03-28"}
    seen = {}
    for season, day in days.items():
        midnight = datetime.fromisoformat(day).replace(tzinfo=shows)
        first = int(midnight.timestamp()) // TICK_SECONDS
        last = int((midnight + timedelta(days=1)).timestamp()) // TICK_SECONDS
        seen[season] = [wall(tick, shows).hour for tick in offered(setting, "hour", Tick(first), Tick(last))]

    assert seen["autumn"] == [0, 1, 2, 2, *range(3, 24)]
    assert seen["spring"] == [0, 1, *range(3, 24)]
    twice = [setting.book(start, "hour") for start in ("2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z")]
    assert twice[1].start - twice[0].start == 3600
    assert {wall(each.start // TICK_SECONDS, shows).strftime("%H:%M") for each in twice} == {"02:00"}


@pytest.mark.parametrize("broken", [with_the_offset_of_the_days_start, with_shifted_gaps, with_one_of_two_hours])
def test_hours_that_do_not_follow_the_wall_clock_are_caught(monkeypatch: pytest.MonkeyPatch, broken: Any) -> None:
    monkeypatch.setattr("slotkeeper.desk.facts.open_ticks", broken)

    with pytest.raises(AssertionError):  # noqa: PT012 - whichever zone finds it
        for zone in ZONES[:12]:
            slots_follow_the_clock(zone)


def _only_the_first_time(zone: str, minutes: int, window: Window) -> int:
    """Steps that know each wall time once."""
    ticks = step_ticks(zone, minutes, window)
    for (_, before), (change, after) in pairwise(offsets(zone, window.start, window.end)):
        ticks &= ~window.between(change, Tick(change + before - after))
    return ticks


def test_steps_that_know_each_wall_time_once_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slotkeeper.core.rules.step_ticks", _only_the_first_time)

    with pytest.raises(AssertionError):
        each_time_is_booked("Europe/Berlin")
