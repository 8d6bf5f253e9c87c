"""What the calendar shows as free is what a move or a booking is let do."""

from collections.abc import Callable
from typing import Any

import pytest

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Refused
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.desk import booking, changing, room
from slotkeeper.desk.room import Span
from tests.builders import STAFF, Setting, a_clinic, at, order

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


def counting(asked: list[str], ask: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*what: Any, **how: Any) -> Any:
        asked.append(ask.__name__)
        return ask(*what, **how)

    return counted
