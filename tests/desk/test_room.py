"""What the calendar shows as free is what a move or a booking is let do."""

from collections.abc import Callable
from typing import Any

import pytest

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Missing, Refused
from slotkeeper.core.service import Need, Resource
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.desk import booking, changing, room
from slotkeeper.desk.room import Span
from tests.builders import STAFF, Setting, a_clinic, a_setting, at, order

DAY = Span(at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"))
STEP = 900


def a_day(setting: Setting) -> Appointment:
    """A day with some visits and exams; one of the exams."""
    for start in ("09:00", "10:00", "10:30", "13:00"):
        setting.book(f"2026-11-24T{start}:00Z")
    return setting.book("2026-11-24T09:30:00Z", "exam")


def may_move(appointment: Appointment, start: Instant, resource: str) -> bool:
    """Whether a move to there succeeds, tried in a copy of the same day."""
    setting = a_clinic(doctors=2, rooms=1)
    mine = a_day(setting)
    assert (mine.start, mine.resource_ids) == (appointment.start, appointment.resource_ids)
    try:
        changing.move(setting.desk, STAFF, changing.Move(id=mine.id, start=start, resource_ids=(resource,)))
    except Refused:
        return False
    return True


def test_a_move_succeeds_exactly_where_there_is_room() -> None:
    setting = a_clinic(doctors=2, rooms=1)
    exam = a_day(setting)

    found = room.room_to_move(setting.desk, STAFF, exam.id, DAY)

    assert set(found.by_resource) == {"d0", "d1", "r0"}
    for resource, starts in found.by_resource.items():
        for start in range(at("2026-11-24T07:30:00Z"), at("2026-11-24T16:30:00Z"), STEP):
            assert (start in starts) == may_move(exam, Instant(start), resource), (resource, start)


def test_its_own_time_is_free_for_an_appointment_that_moves() -> None:
    setting = a_clinic(doctors=1)
    visit = setting.book("2026-11-24T09:00:00Z")

    found = room.room_to_move(setting.desk, STAFF, visit.id, DAY)

    assert visit.start in found.by_resource["d0"]
    assert visit.start not in room.room_to_book(setting.desk, STAFF, "visit", DAY).by_resource["d0"]


def test_a_booking_succeeds_with_whoever_has_room() -> None:
    setting = a_clinic(doctors=2, rooms=1)
    a_day(setting)

    found = room.room_to_book(setting.desk, STAFF, "exam", DAY)

    for resource, starts in found.by_resource.items():
        assert starts
        for start in starts[:3]:
            fresh = a_clinic(doctors=2, rooms=1)
            a_day(fresh)
            wanted = order(format_instant(start), service_id="exam", resource_ids=(resource,))
            assert resource in booking.book(fresh.desk, STAFF, wanted).appointment.resource_ids


def test_it_can_be_made_longer_until_the_next_one_and_no_further() -> None:
    setting = a_clinic(doctors=1, rooms=1)
    exam = setting.book("2026-11-24T09:00:00Z", "exam")
    setting.book("2026-11-24T11:00:00Z", "exam")

    latest = room.room_to_move(setting.desk, STAFF, exam.id, DAY).latest_end

    def stretch(end: int) -> None:
        changing.move(setting.desk, STAFF, changing.Move(id=exam.id, start=exam.start, end=Instant(end)))

    assert latest == at("2026-11-24T10:50:00Z")  # ten minutes of cleaning come after it
    with pytest.raises(Refused):
        stretch(latest + 300)
    stretch(latest)


def test_time_without_a_service_goes_wherever_nothing_is_claimed() -> None:
    setting = a_clinic(doctors=2)
    wanted = order("2026-11-24T20:00:00Z", "2026-11-24T20:40:00Z", resource_ids=("d0",))
    late = booking.book(setting.desk, STAFF, wanted).appointment
    setting.book("2026-11-24T09:00:00Z", resource_ids=("d1",))

    found = room.room_to_move(setting.desk, STAFF, late.id, DAY)

    assert at("2026-11-24T03:00:00Z") in found.by_resource["d1"]
    assert at("2026-11-24T08:45:00Z") not in found.by_resource["d1"]
    assert late.start in found.by_resource["d0"]


def test_how_often_the_store_is_asked_does_not_grow_with_the_days(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = a_clinic()
    visit = setting.book("2026-11-24T09:00:00Z")
    asked: list[str] = []
    for name in ("read", "read_ranges"):
        monkeypatch.setattr(setting.store, name, counting(asked, getattr(setting.store, name)))

    counts = []
    for days in (1, 35):
        asked.clear()
        room.room_to_move(setting.desk, STAFF, visit.id, Span(DAY.first, Instant(DAY.first + days * 86_400)))
        counts.append(len(asked))

    assert counts[0] >= counts[1] >= 1


@pytest.mark.parametrize("pinned", [(), ("d1",)])
def test_the_starts_to_move_to_are_those_with_room(pinned: tuple[str, ...]) -> None:
    setting = a_clinic(doctors=2, rooms=1)
    exam = a_day(setting)
    found = room.room_to_move(setting.desk, STAFF, exam.id, DAY)

    starts = room.starts_to_move(setting.desk, STAFF, exam.id, DAY, pinned)

    assert starts == (found.by_resource["d1"] if pinned else found.anyone)
    assert exam.start in found.anyone


def test_a_visit_off_the_step_may_go_back_onto_it() -> None:
    setting = a_clinic(doctors=1)
    wanted = order("2026-11-24T09:02:00Z", service_id="visit", override="urgent")
    visit = booking.book(setting.desk, STAFF, wanted).appointment

    starts = room.starts_to_move(setting.desk, STAFF, visit.id, DAY)

    assert at("2026-11-24T09:15:00Z") in starts
    found = room.room_to_move(setting.desk, STAFF, visit.id, DAY)
    assert found.latest_end == 0
    assert at("2026-11-24T03:00:00Z") not in found.by_resource["d0"]


def test_nobody_has_room_where_another_who_is_needed_has_none() -> None:
    setting = a_clinic(doctors=1, rooms=1)
    washing = order("2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z", resource_ids=("r0",))
    booking.book(setting.desk, STAFF, washing)

    found = room.room_to_book(setting.desk, STAFF, "exam", DAY)

    assert at("2026-11-24T11:00:00Z") not in found.by_resource["d0"]
    assert at("2026-11-24T12:00:00Z") in found.by_resource["d0"]


def test_who_has_room_for_a_visit_of_three_has_two_others_beside_them() -> None:
    setting = a_clinic(doctors=4)
    setting.service("team", needs=[Need(any_of="doctors", count=3)])
    for id in ("d2", "d3"):
        booking.book(setting.desk, STAFF, order("2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z", resource_ids=(id,)))

    found = room.room_to_book(setting.desk, STAFF, "team", DAY)

    assert at("2026-11-24T11:00:00Z") not in found.by_resource["d0"]
    assert at("2026-11-24T12:00:00Z") in found.by_resource["d0"]


def test_buffers_find_their_room_beyond_the_first_and_the_last_start() -> None:
    setting = a_clinic()
    setting.put("resource", "open", Resource(name="Open", zone="UTC"))
    needs = [Need(all_of=("open",))]
    setting.service("clean", needs=needs, buffer_before_minutes=60, buffer_after_minutes=60)
    found = [room.room_to_book(setting.desk, STAFF, "clean", DAY).anyone]
    for start, end in (("23T23:30", "24T00:00"), ("25T00:30", "25T01:00")):
        wanted = order(f"2026-11-{start}:00Z", f"2026-11-{end}:00Z", resource_ids=("open",))
        booking.book(setting.desk, STAFF, wanted)
        found.append(room.room_to_book(setting.desk, STAFF, "clean", DAY).anyone)

    one, eleven = at("2026-11-24T01:00:00Z"), at("2026-11-24T23:00:00Z")
    ends = [(starts[0], starts[-1]) for starts in found]
    assert ends == [(DAY.first, DAY.last - STEP), (one, DAY.last - STEP), (one, eleven)]


def test_one_who_is_alone_has_room_for_a_span_without_a_service() -> None:
    setting = a_setting()
    setting.put("resource", "d0", Resource(name="Dr", zone="UTC"))
    bare = booking.book(
        setting.desk, STAFF, order("2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z", resource_ids=("d0",))
    ).appointment

    assert at("2026-11-24T11:00:00Z") in room.room_to_move(setting.desk, STAFF, bare.id, DAY).anyone


@pytest.mark.parametrize("limit", ["day_limit", "customer_limit"])
def test_limits_bound_where_an_appointment_may_go(limit: str) -> None:
    setting = a_clinic()
    visit = setting.book("2026-11-25T09:00:00Z", customer_id="ada")
    setting.service("visit", **{limit: 1})
    setting.book("2026-11-24T09:00:00Z", customer_id="ada")

    assert room.starts_to_move(setting.desk, STAFF, visit.id, DAY) == []
    with pytest.raises(Refused):
        changing.move(setting.desk, STAFF, changing.Move(id=visit.id, start=at("2026-11-24T11:00:00Z")))


def test_time_without_a_service_has_no_starts_to_move_to() -> None:
    setting = a_clinic()
    wanted = order("2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z", resource_ids=("d0",))
    bare = booking.book(setting.desk, STAFF, wanted).appointment

    with pytest.raises(Missing) as caught:
        room.starts_to_move(setting.desk, STAFF, bare.id, DAY)

    assert (caught.value.kind, caught.value.id) == ("service", "")


def test_who_is_not_open_then_cannot_stay_any_longer() -> None:
    setting = a_clinic(doctors=1)
    wanted = order("2026-11-24T20:00:00Z", service_id="visit", override="urgent")
    visit = booking.book(setting.desk, STAFF, wanted).appointment

    assert room.room_to_move(setting.desk, STAFF, visit.id, DAY).latest_end == visit.start


@pytest.mark.parametrize(
    ("service_id", "start", "latest"),
    [
        ("visit", "2026-11-24T09:00:00Z", "2026-11-24T16:00:00Z"),  # the doctors go
        ("wash", "2026-11-24T09:00:00Z", "2026-11-26T00:00:00Z"),  # the days that are looked at end
    ],
)
def test_it_can_be_made_longer_while_all_who_serve_are_open(service_id: str, start: str, latest: str) -> None:
    setting = a_clinic(doctors=1, rooms=1)
    setting.service("wash", needs=[Need(any_of="rooms")])
    appointment = setting.book(start, service_id)

    found = room.room_to_move(setting.desk, STAFF, appointment.id, DAY)

    assert format_instant(found.latest_end) == latest


def test_room_says_how_long_a_visit_is() -> None:
    setting = a_clinic(doctors=1)
    exam = setting.book("2026-11-24T09:00:00Z", "exam")
    changing.move(setting.desk, STAFF, changing.Move(id=exam.id, start=exam.start, end=Instant(exam.start + 3600)))

    assert room.room_to_book(setting.desk, STAFF, "exam", DAY).seconds == 45 * 60
    assert room.room_to_move(setting.desk, STAFF, exam.id, DAY).seconds == 60 * 60


@pytest.mark.parametrize(("seconds", "shown"), [(1, 300), (300, 300), (301, 600), (2400, 2400)])
def test_time_without_a_service_is_shown_in_whole_ticks(seconds: int, shown: int) -> None:
    setting = a_clinic()
    end = format_instant(Instant(at("2026-11-24T20:00:00Z") + seconds))
    wanted = order("2026-11-24T20:00:00Z", end, resource_ids=("d0",))
    bare = booking.book(setting.desk, STAFF, wanted).appointment

    found = room.room_to_move(setting.desk, STAFF, bare.id, DAY)

    assert (found.seconds, found.latest_end) == (shown, 0)
    assert found.by_resource["d0"][:2] == [DAY.first, DAY.first + 900]


def test_whoever_else_is_needed_is_free_too() -> None:
    """Where two of a pool are needed, each has room where another is free beside."""
    setting = a_clinic(doctors=3)
    setting.service("pair", needs=[Need(any_of="doctors", count=2)])
    for id in ("d1", "d2"):
        setting.book("2026-11-24T09:00:00Z", resource_ids=(id,))
    setting.book("2026-11-24T10:00:00Z", resource_ids=("d2",))

    found = room.room_to_book(setting.desk, STAFF, "pair", DAY)

    nine, ten = at("2026-11-24T09:00:00Z"), at("2026-11-24T10:00:00Z")
    assert [id for id, starts in found.by_resource.items() if nine in starts] == []
    assert [id for id, starts in found.by_resource.items() if ten in starts] == ["d0", "d1"]
    assert nine not in found.anyone
    assert ten in found.anyone


@pytest.mark.parametrize(("customer_id", "is_offered"), [("ada", False), ("bob", True), ("", True)])
def test_room_is_for_who_has_not_enough(customer_id: str, is_offered: bool) -> None:
    setting = a_clinic()
    setting.service("visit", customer_limit=1)
    mine = setting.book("2026-11-24T09:00:00Z", customer_id="ada")

    found = room.room_to_book(setting.desk, STAFF, "visit", DAY, customer_id)

    assert bool(found.anyone) == is_offered
    assert room.room_to_move(setting.desk, STAFF, mine.id, DAY).anyone


def counting(asked: list[str], ask: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*what: Any, **how: Any) -> Any:
        asked.append(ask.__name__)
        return ask(*what, **how)

    return counted
