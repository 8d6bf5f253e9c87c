"""What is told of somebody's appointments while they are away."""

import pytest

from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.desk import away, catalogue, changing
from slotkeeper.desk.holds import HoldOrder, hold
from tests.builders import STAFF, Setting, a_clinic, at

NINE, TEN, NOON = "2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z", "2026-11-24T11:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def told(clinic: Setting, *spans: tuple[str, str]) -> list[list[str]]:
    for start, end in spans:
        catalogue.add_time_off(clinic.desk, STAFF, "d0", at(start), at(end))
    absences = catalogue.time_off(clinic.desk, STAFF, "d0")
    return [[each.id for each in found] for found in away.clashes(clinic.desk, STAFF, "d0", absences)]


def test_each_absence_tells_of_what_falls_into_it(clinic: Setting) -> None:
    early, late = (clinic.book(start, resource_ids=("d0",)).id for start in (NINE, TEN))
    clinic.book(TEN, resource_ids=("d1",))

    assert told(clinic, (NINE, "2026-11-24T09:05:00Z"), (NOON, "2026-11-25T00:00:00Z")) == [[early, late], []]


def test_buffers_and_what_has_ended_are_not_told_of(clinic: Setting) -> None:
    clinic.book(NINE, "exam", resource_ids=("d0", "r0"))
    cancelled = clinic.book(TEN, resource_ids=("d0",))
    changing.act(clinic.desk, STAFF, "cancel", changing.Request(id=cancelled.id))

    assert told(clinic, ("2026-11-24T08:45:00Z", NOON)) == [[]]


def test_what_lasts_into_an_absence_is_told_of_and_what_is_past_is_not(clinic: Setting) -> None:
    clinic.service("long", duration_minutes=240)
    long = clinic.book(NINE, "long", resource_ids=("d0",)).id
    spans = ("2026-11-24T11:55:00Z", "2026-11-24T12:30:00Z")

    assert told(clinic, spans) == [[long]]
    clinic.clock.now = Instant(clinic.clock.now + 2 * DAY_SECONDS)
    assert told(clinic) == [[]]


def test_no_more_than_a_hundred_are_told_of(clinic: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(away, "MOST", 1)
    first = clinic.book(NINE, resource_ids=("d0",)).id
    clinic.book(TEN, resource_ids=("d0",))

    assert told(clinic, (NINE, NOON)) == [[first]]


def test_what_waits_to_be_confirmed_is_told_of_until_it_has_expired(clinic: Setting) -> None:
    clinic.service("asked", needs_confirmation=True, confirm_within_minutes=60)
    asked = clinic.book(NINE, "asked", resource_ids=("d0",)).id
    spans = (NINE, NOON)

    assert told(clinic, spans) == [[asked]]
    clinic.clock.forward(minutes=59, seconds=59)
    assert told(clinic) == [[asked]]
    clinic.clock.forward(seconds=1)
    assert told(clinic) == [[]]


def test_a_hold_is_no_appointment(clinic: Setting) -> None:
    hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(NINE), resource_ids=("d0",)))

    assert told(clinic, (NINE, NOON)) == [[]]


@pytest.mark.parametrize(("now", "is_told"), [("08:29:59", True), ("08:30:00", False)])
def test_what_is_going_on_is_told_of_until_its_end(clinic: Setting, now: str, is_told: bool) -> None:
    booked = clinic.book(NINE, resource_ids=("d0",)).id
    told(clinic, ("2026-11-24T07:00:00Z", NOON))

    clinic.clock.set(f"2026-11-24T{now}Z")

    assert told(clinic) == [[booked] if is_told else []]


def test_they_are_told_of_by_start(clinic: Setting) -> None:
    days = ("2026-11-26T08:00:00Z", NOON, "2026-11-25T08:00:00Z", TEN)
    booked = {start: clinic.book(start, resource_ids=("d0",)).id for start in days}

    assert told(clinic, (NINE, "2026-11-27T00:00:00Z")) == [[booked[start] for start in sorted(days)]]


def test_what_goes_on_past_the_end_of_an_absence_that_is_over_is_not_told_of(clinic: Setting) -> None:
    clinic.service("long", duration_minutes=240)
    clinic.book(NINE, "long", resource_ids=("d0",))
    told(clinic, ("2026-11-24T08:30:00Z", TEN))

    clinic.clock.set(TEN)

    assert told(clinic) == [[]]


def test_the_buffer_after_a_visit_that_is_over_is_not_told_of(clinic: Setting) -> None:
    clinic.service("washed", duration_minutes=30, buffer_after_minutes=30)
    clinic.book(NINE, "washed", resource_ids=("d0",))
    told(clinic, (NINE, NOON))

    clinic.clock.set("2026-11-24T08:30:00Z")

    assert told(clinic) == [[]]


@pytest.mark.parametrize("spans", [("2026-11-24T07:00:00Z", NINE), ("2026-11-24T08:30:00Z", TEN)])
def test_an_absence_up_to_a_visit_or_from_its_end_meets_its_buffers_alone(
    clinic: Setting, spans: tuple[str, str]
) -> None:
    clinic.service("washed", duration_minutes=30, buffer_before_minutes=30, buffer_after_minutes=30)
    clinic.book(NINE, "washed", resource_ids=("d0",))

    assert told(clinic, spans) == [[]]


def test_what_was_completed_early_is_not_told_of(clinic: Setting) -> None:
    booked = clinic.book(NINE, resource_ids=("d0",)).id
    told(clinic, (NINE, NOON))
    clinic.clock.set("2026-11-24T08:10:00Z")

    for action in ("checkIn", "complete"):
        changing.act(clinic.desk, STAFF, action, changing.Request(id=booked))

    assert told(clinic) == [[]]


def test_who_has_come_already_is_told_of(clinic: Setting) -> None:
    booked = clinic.book(NINE, resource_ids=("d0",)).id
    told(clinic, (NINE, NOON))
    clinic.clock.set(NINE)

    changing.act(clinic.desk, STAFF, "checkIn", changing.Request(id=booked))

    assert told(clinic) == [[booked]]


def test_of_no_absence_nothing_is_told(clinic: Setting) -> None:
    clinic.book(NINE, resource_ids=("d0",))

    assert told(clinic) == []
