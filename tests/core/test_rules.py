"""The rules, one by one: what each allows, what each refuses with, and who is chosen."""

import random
from functools import reduce
from operator import or_
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.core.errors import Closed, CustomerFull, DayFull, OffStep, Refused, Taken, TooFar, TooSoon
from slotkeeper.core.rules import RULES, Facts, Member, Needed, allowed, chosen, refusal, while_open
from slotkeeper.core.service import Service
from slotkeeper.core.slots import nearest, slots
from slotkeeper.core.ticks import Day, Instant, Tick, Window, day_of, fits, format_instant, parse_instant, tick_at
from tests.builders import service

DAY = parse_instant("2026-11-24T00:00:00Z")
WINDOW = Window.of_days(day_of(DAY), 2)


def clock(text: str) -> Instant:
    return parse_instant(f"2026-11-24T{text}:00Z")


def span(first: str, last: str) -> int:
    return WINDOW.mask(clock(first), clock(last))


def member(id: str = "d0", open_: int | None = None, busy: int = 0) -> Member:
    return Member(id, span("09:00", "17:00") if open_ is None else open_, busy)


def facts(*members: Member, now: str = "06:00", needs: Any = None, **others: Any) -> Facts:
    told: dict[str, Any] = {"full_days": 0, "customer_is_full": False}
    told |= {name: others.pop(name) for name in list(others) if name in told}
    one = Needed(members or (member(),), 1)
    the_service: Service = service(**others)
    return Facts(
        window=WINDOW,
        now=clock(now),
        service=the_service,
        zone="UTC",
        needs=needs or (one,),
        service_open=WINDOW.full,
        **told,
    )


def starts(given: Facts) -> list[str]:
    return [format_instant(start)[11:16] for start in slots(given, DAY, Instant(DAY + 86_400))]


def why(given: Facts, start: str) -> type[Refused] | None:
    refused = refusal(given, tick_at(clock(start)))
    return None if refused is None else type(refused)


def test_a_visit_fits_into_the_hours_to_the_last_minute() -> None:
    found = starts(facts(duration_minutes=60, step_minutes=30))

    assert (found[0], found[-1]) == ("09:00", "16:00")


def test_a_visit_does_not_fit_into_a_gap_that_is_a_tick_too_short() -> None:
    shut = span("00:00", "09:00") | span("09:25", "23:55")

    assert starts(facts(member(busy=shut))) == []
    assert starts(facts(member(busy=shut & ~span("09:25", "09:30")))) == ["09:00"]


def test_buffers_keep_their_distance_on_both_sides() -> None:
    busy = span("12:00", "13:00")
    given = facts(member(busy=busy), buffer_before_minutes=15, buffer_after_minutes=30, step_minutes=15)

    found = starts(given)

    assert "11:00" in found
    assert "11:15" not in found
    assert "13:00" not in found
    assert "13:15" in found


def test_buffers_may_reach_out_of_the_hours() -> None:
    given = facts(buffer_before_minutes=30, buffer_after_minutes=30)

    assert (starts(given)[0], starts(given)[-1]) == ("09:00", "16:30")


def test_the_notice_is_kept_to_the_second() -> None:
    early = facts(now="09:00", notice_minutes=60)

    assert why(early, "10:00") is None
    assert why(early, "09:45") is TooSoon
    assert why(facts(now="10:00"), "10:00") is None


def test_the_past_is_too_soon_even_without_notice() -> None:
    assert why(facts(now="12:00"), "11:45") is TooSoon


def test_a_window_that_is_all_past_or_all_too_far_offers_nothing() -> None:
    past = facts()
    late = Facts(
        window=WINDOW,
        now=Instant(DAY + 9 * 86_400),
        service=past.service,
        zone="UTC",
        needs=past.needs,
        service_open=WINDOW.full,
    )

    assert allowed(late) == 0


def test_the_horizon_is_the_last_start() -> None:
    given = facts(now="09:30", horizon_days=1)
    tomorrow = Tick(tick_at(clock("09:30")) + 288)

    assert not isinstance(refusal(given, tomorrow), TooFar)
    assert isinstance(refusal(given, Tick(tomorrow + 3)), TooFar)
    assert isinstance(refusal(facts(now="09:30", horizon_days=1, step_minutes=5), Tick(tomorrow + 1)), TooFar)


@pytest.mark.parametrize(
    ("start", "others", "refused"),
    [
        ("09:05", {}, OffStep),
        ("09:00", {"now": "09:30"}, TooSoon),
        ("09:00", {"full_days": WINDOW.full}, DayFull),
        ("09:00", {"customer_is_full": True}, CustomerFull),
        ("08:00", {}, Closed),
        ("16:45", {}, Closed),
        ("00:00", {"now": "00:00", "customer_is_full": True}, CustomerFull),
    ],
)
def test_the_first_rule_that_lacks_the_start_refuses(start: str, others: Any, refused: type[Refused]) -> None:
    assert why(facts(**others), start) is refused


def test_a_taken_time_is_told_from_a_closed_one() -> None:
    given = facts(member(busy=span("10:00", "10:30")))

    assert why(given, "10:00") is Taken
    assert why(given, "09:45") is Taken
    assert why(given, "10:30") is None
    assert why(facts(member(open_=WINDOW.full, busy=WINDOW.full), now="00:00"), "00:00") is Taken


def test_a_refusal_says_what_would_do() -> None:
    refused = refusal(facts(step_minutes=20), tick_at(clock("09:30")))

    assert str(refused) == "the service starts every 20 minutes, counted from midnight in UTC"


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "the start is in the past"), (30, "the start is in the past or within the notice of 30 minutes")],
)
def test_a_refusal_tells_of_the_notice_where_there_is_one(minutes: int, said: str) -> None:
    assert str(refusal(facts(now="12:00", notice_minutes=minutes), tick_at(clock("11:00")))) == said


def test_slots_and_refusals_agree_on_every_tick() -> None:
    given = facts(member(busy=span("10:00", "11:05")), member("d1", busy=span("10:30", "12:00")), notice_minutes=45)
    offered = allowed(given)

    for at in range(WINDOW.length):
        tick = Tick(WINDOW.start + at)
        assert (refusal(given, tick) is None) == bool(offered & WINDOW.bit(tick))


def test_any_member_will_do() -> None:
    given = facts(member("d0", busy=span("09:00", "12:00")), member("d1", busy=span("11:00", "17:00")))

    found = starts(given)

    assert found[0] == "09:00"
    assert "11:00" not in found
    assert "12:00" in found


def test_two_of_three_must_be_free_at_once() -> None:
    three = (
        member("d0", busy=span("09:00", "12:00")),
        member("d1", busy=span("09:00", "10:00")),
        member("d2", busy=span("11:00", "17:00")),
    )
    given = facts(needs=(Needed(three, 2),), step_minutes=30)

    found = starts(given)

    assert found[:2] == ["10:00", "10:30"]
    assert "11:00" not in found
    assert "12:00" in found
    assert chosen(given, tick_at(clock("12:00"))) == ("d1", "d0")


def test_all_needs_must_be_met_at_once() -> None:
    doctor, room = member("d0"), member("r0", WINDOW.full, span("09:00", "16:00"))

    assert starts(facts(needs=(Needed((doctor,), 1), Needed((room,), 1)))) == ["16:00", "16:15", "16:30"]


def test_the_least_loaded_serves() -> None:
    given = facts(member("d0", busy=span("10:00", "12:00")), member("d1", busy=span("10:00", "11:00")))

    assert chosen(given, tick_at(clock("09:00"))) == ("d1",)


def test_among_equals_the_first_serves() -> None:
    given = facts(member("z"), member("a"))

    assert chosen(given, tick_at(clock("09:00"))) == ("z",)


def test_only_the_load_of_that_day_counts() -> None:
    tomorrow = span("10:00", "16:00") << 288
    given = facts(member("d0", busy=tomorrow), member("d1", busy=span("10:00", "10:05")))

    assert chosen(given, tick_at(clock("09:00"))) == ("d0",)


@pytest.mark.parametrize(
    ("busy", "serves"),
    [
        ("24T00:00 24T00:05", "d1"),
        ("24T23:55 25T00:00", "d1"),
        ("25T00:00 25T00:05", "d0"),
        ("23T23:55 24T00:00", "d0"),
    ],
)
def test_the_load_is_that_of_the_whole_day_and_of_no_other(busy: str, serves: str) -> None:
    days = Window.of_days(Day(day_of(DAY) - 1), 3)
    at = days.mask(*(parse_instant(f"2026-11-{text}:00Z") for text in busy.split()))
    hours = days.mask(clock("09:00"), clock("17:00"))
    given = replace(facts(Member("d0", hours, at), Member("d1", hours, 0)), window=days)

    assert chosen(given, tick_at(clock("09:00"))) == (serves,)


def test_who_has_nothing_to_do_that_day_but_is_not_there_does_not_serve() -> None:
    given = facts(member(open_=0), member("d1", busy=span("10:00", "11:00")))

    assert chosen(given, tick_at(clock("09:00"))) == ("d1",)


def test_nobody_serves_twice_in_one_visit() -> None:
    both = (Needed((member("d0"),), 1), Needed((member("d0"),), 1))

    with pytest.raises(Taken):
        chosen(facts(needs=both), tick_at(clock("09:00")))


def test_the_nearest_offers_are_told_in_order() -> None:
    offers = [clock(text) for text in ("09:00", "10:00", "11:00", "15:00")]

    assert nearest(offers, clock("10:30"), 3) == offers[:3]
    assert nearest(offers, clock("14:00"), 1) == [clock("15:00")]
    assert nearest([], clock("14:00"), 3) == []


def test_slots_keep_to_the_range() -> None:
    found = slots(facts(step_minutes=30), clock("10:00"), clock("11:00"))

    assert found == [clock("10:00"), clock("10:30")]


def test_each_rule_refuses_with_its_own_code() -> None:
    codes = [refused.code for _, refused, _ in RULES]

    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("seed", range(30))
def test_any_one_of_many_is_free_whenever_one_of_them_is(seed: int) -> None:
    dice = random.Random(seed)
    many = [
        member(f"d{number}", busy=dice.getrandbits(WINDOW.length) & dice.getrandbits(WINDOW.length))
        for number in range(dice.randrange(1, 8))
    ]
    some = [member(f"r{number}", span("12:00", "15:00")) for number in range(2)]
    given = facts(needs=(Needed(tuple(many), 1), Needed(tuple(some), 1)), duration_minutes=5, step_minutes=5)

    one_by_one = [
        facts(needs=(Needed((each,), 1), Needed(tuple(some), 1)), duration_minutes=5, step_minutes=5) for each in many
    ]

    assert allowed(given) == reduce(or_, (allowed(each) for each in one_by_one))


def test_no_more_members_are_looked_at_than_are_needed() -> None:
    looked: list[str] = []

    class Watched(Member, frozen=True):
        def __getattribute__(self, name: str) -> Any:
            if name == "busy":
                looked.append(super().__getattribute__("id"))
            return super().__getattribute__(name)

    free = [Watched(f"d{number}", span("09:00", "17:00"), 0) for number in range(1000)]

    assert starts(facts(*free))
    assert set(looked) == {"d0"}


def test_what_was_found_out_before_is_taken_for_it() -> None:
    plain = facts(duration_minutes=60)
    [need] = plain.needs
    known = tuple(replace(each, starts=fits(each.open, 12)) for each in need.members)

    told = replace(plain, needs=(Needed(known, 1),), open_starts=while_open(plain))

    assert allowed(told) == allowed(plain) != 0
    assert while_open(replace(plain, open_starts=0)) == 0
