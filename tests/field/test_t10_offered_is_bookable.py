"""T10: what is offered can be booked, what can be booked is offered, and nothing lies outside the range asked for."""

import random
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotkeeper.core.errors import Refused
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.rules import Facts
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.slots import offered
from slotkeeper.core.ticks import TICK_SECONDS, Instant, format_instant
from slotkeeper.desk import booking, catalogue, changing, facts, holds, search
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import Question
from slotkeeper.ledger import Reading
from tests.builders import STAFF, Setting, a_setting, at, order

CHANGES = {
    "Europe/Berlin": "2026-10-25T01:00:00Z",
    "America/New_York": "2026-11-01T06:00:00Z",
    "Australia/Lord_Howe": "2026-10-03T15:30:00Z",
    "Asia/Kathmandu": "2026-10-25T01:00:00Z",
    "Pacific/Kiritimati": "2026-10-25T01:00:00Z",
    "America/St_Johns": "2026-03-08T05:30:00Z",
}
"""Zones with odd offsets, and a moment in each to look around: that at which its clocks change, if they do."""

STAFFED, ROOMS = ("d0", "d1", "d2"), ("r0", "r1")


@dataclass(frozen=True)
class Case:
    """A service, where it is given, who is busy when (in ticks from the first), and the range that is asked for."""

    zone: str
    staff_zone: str
    opens: int
    closes: int
    facts: dict[str, Any]
    takes_room: bool
    count: int
    busy: tuple[tuple[str, int, int], ...]
    held: int
    away: tuple[int, int]
    first: int
    ticks: int
    now: int
    """How many minutes before the range it is asked."""


def multiples(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most // 5).map(lambda number: number * 5)


CASES = st.builds(
    Case,
    zone=st.sampled_from(list(CHANGES)),
    staff_zone=st.sampled_from([*CHANGES, "UTC"]),
    opens=st.integers(0, 9),
    closes=st.integers(10, 23),
    facts=st.fixed_dictionaries(
        {
            "duration_minutes": multiples(120).map(lambda minutes: minutes + 5),
            "buffer_before_minutes": multiples(30),
            "buffer_after_minutes": multiples(30),
            "step_minutes": st.sampled_from([5, 10, 15, 20, 45]),
            "notice_minutes": st.sampled_from([0, 90, 600]),
            "horizon_days": st.sampled_from([365, 1, 2]),
            "day_limit": st.sampled_from([None, None, 1, 2]),
        }
    ),
    takes_room=st.booleans(),
    count=st.integers(1, 2),
    busy=st.lists(
        st.tuples(st.sampled_from(STAFFED + ROOMS), st.integers(0, 250), st.integers(1, 60)), max_size=12
    ).map(tuple),
    held=st.integers(0, 250),
    away=st.tuples(st.integers(0, 250), st.integers(1, 100)),
    first=st.integers(-150, 50),
    ticks=st.integers(40, 220),
    now=st.sampled_from([700, 60, 0, 2000]),
)


def a_setting_for(case: Case) -> tuple[Setting, Instant]:
    """The case as a business, with its clock at the time of asking; and the first instant of the range."""
    first = Instant(at(CHANGES[case.zone]) + case.first * TICK_SECONDS)
    setting = a_setting(
        now=format_instant(Instant(first - case.now * 60)), business=Business(name="Anywhere", zone=case.zone)
    )
    opening = (Opening(from_=f"{case.opens:02}:00", to=f"{case.closes:02}:30"),)
    weekly = Weekly(**dict.fromkeys(("mon", "wed", "thu", "fri", "sat", "sun"), opening))
    setting.put("schedule", "hours", Schedule(name="Hours", weekly=weekly))
    for who in STAFFED:
        setting.put("resource", who, Resource(name=who, zone=case.staff_zone, schedule_id="hours"))
    for who in ROOMS:
        setting.put("resource", who, Resource(name=who, kind="room", zone="UTC"))
    setting.put("pool", "staff", Pool(name="Staff", resource_ids=STAFFED))
    setting.put("pool", "rooms", Pool(name="Rooms", resource_ids=ROOMS))
    rooms = [Need(any_of="rooms")] if case.takes_room else []
    setting.service("visit", needs=[Need(any_of="staff", count=case.count), *rooms], **case.facts)
    make_busy(setting, case, first)
    return setting, first


def make_busy(setting: Setting, case: Case, first: Instant) -> None:
    """Appointments, some of the service itself, a hold, and a member of staff who is away."""
    start, length = (Instant(ticks * TICK_SECONDS) for ticks in case.away)
    catalogue.add_time_off(setting.desk, STAFF, "d0", Instant(first + start), Instant(first + start + length))
    for who, begins, lasts in case.busy:
        span = Instant(first + begins * TICK_SECONDS + 60), Instant(first + (begins + lasts) * TICK_SECONDS)
        wish = order(format_instant(span[0]), format_instant(span[1]), resource_ids=(who,))
        try_to(lambda wish=wish: booking.book(setting.desk, STAFF, wish))
    offered = offers(setting, first, Instant(first + 300 * TICK_SECONDS))
    if offered:
        start = offered[case.held % len(offered)]
        try_to(lambda: holds.hold(setting.desk, STAFF, holds.HoldOrder(service_id="visit", start=start, seconds=1800)))
        try_to(lambda: booking.book(setting.desk, STAFF, order(format_instant(offered[-1]), service_id="visit")))


def try_to(act: Any) -> Any:
    """What the act answers; None when a rule refuses."""
    try:
        return act()
    except Refused:
        return None


def offers(setting: Setting, first: Instant, last: Instant) -> list[Instant]:
    wanted = search.Search(first=first, last=last)
    return search.service_slots(setting.desk, STAFF, "visit", wanted).starts


def every_offer_is_kept(case: Case) -> int:
    """At each tick of the range, and some beyond, booking says what the offer says; returns how many were offered."""
    setting, first = a_setting_for(case)
    last = Instant(first + case.ticks * TICK_SECONDS)
    offered = offers(setting, first, last)

    assert all(first <= start < last for start in offered)
    assert [start for start in range(first, last, TICK_SECONDS) if is_booked(setting, Instant(start))] == offered
    return len(offered)


def is_booked(setting: Setting, start: Instant) -> bool:
    """Whether the start can be booked; it is free again afterwards."""
    made = try_to(lambda: booking.book(setting.desk, STAFF, order(format_instant(start), service_id="visit")))
    if made is None:
        return False
    changing.act(setting.desk, STAFF, "cancel", changing.Request(id=made.appointment.id))
    return True


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(CASES)
def test_nothing_is_offered_and_then_refused_or_left_out_or_outside_the_range(case: Case) -> None:
    """calcom/cal.diy#24260, thunderbird/appointment#1233: slots were offered that could not be booked, and slots lay
    outside the range that was asked for."""
    every_offer_is_kept(case)


def a_case(dice: random.Random, **others: Any) -> Case:
    busy = [(dice.choice(STAFFED + ROOMS), dice.randrange(150), dice.randrange(1, 20)) for _ in range(20)]
    service = {"duration_minutes": 30, "buffer_after_minutes": 15, "step_minutes": 10, "notice_minutes": 90}
    plain: dict[str, Any] = {
        "zone": "Europe/Berlin",
        "staff_zone": "Europe/Berlin",
        "opens": 0,
        "closes": 23,
        "facts": service,
        "takes_room": True,
        "count": 2,
        "busy": tuple(busy),
        "held": dice.randrange(50),
        "away": (20, 30),
        "first": -12,
        "ticks": 180,
        "now": 60,
    }
    return Case(**(plain | others))


SOME = [a_case(random.Random(seed), zone=zone, staff_zone=zone) for seed, zone in enumerate(CHANGES)]


@pytest.mark.slow
def test_the_same_holds_for_a_few_cases_in_which_there_is_something_to_offer() -> None:
    """calcom/cal.diy#24260, thunderbird/appointment#1233."""
    assert sum(every_offer_is_kept(case) for case in SOME[:2]) > 10


def _without_buffers(desk: Desk, reading: Reading, question: Question, id: str, service: Service) -> Facts:
    short = msgspec.structs.replace(service, buffer_after_minutes=0)
    return facts.gather(desk, reading, question, id, short)


def _without_notice(desk: Desk, reading: Reading, question: Question, id: str, service: Service) -> Facts:
    return facts.gather(desk, reading, question, id, msgspec.structs.replace(service, notice_minutes=0))


def _the_whole_window(found: Facts, first: Instant, last: Instant) -> int:
    return offered(found, Instant(0), Instant(10**11))


def _without_the_last(found: Facts, first: Instant, last: Instant) -> int:
    ticks = offered(found, first, last)
    return ticks & ~(1 << ticks.bit_length() - 1) if ticks else 0


BROKEN: list[tuple[str, Any]] = [
    ("slotkeeper.desk.search.gather", _without_buffers),
    ("slotkeeper.desk.search.gather", _without_notice),
    ("slotkeeper.desk.search.offered", _the_whole_window),
    ("slotkeeper.desk.search.offered", _without_the_last),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "broken"), BROKEN, ids=[broken.__name__ for _, broken in BROKEN])
def test_offers_by_other_rules_are_caught(monkeypatch: pytest.MonkeyPatch, name: str, broken: Any) -> None:
    monkeypatch.setattr(name, broken)

    with pytest.raises(AssertionError):  # noqa: PT012 - whichever case finds it
        for case in SOME:
            every_offer_is_kept(case)
