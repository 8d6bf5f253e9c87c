"""What a refused caller is told: what stands in the way, and when it would do instead."""

from typing import Any

import pytest

from slotkeeper.core.errors import Refused, Taken
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.desk.booking import book
from slotkeeper.desk.holds import HoldOrder, hold
from tests.builders import STAFF, Setting, a_clinic, at, order

NINE, TEN = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    """`exam` takes 45 minutes, and 10 of cleaning."""
    clinic = a_clinic(doctors=1, rooms=1)
    clinic.service("exam", duration_minutes=45, buffer_before_minutes=5, buffer_after_minutes=10)
    return clinic


def refused(clinic: Setting, start: str, end: str | None = None, **others: Any) -> Refused:
    how = {"service_id": "visit"} if end is None else {"resource_ids": ("d0",)}
    with pytest.raises(Taken) as caught:
        book(clinic.desk, STAFF, order(start, end, **how | others))
    return caught.value


def starts(error: Refused) -> list[str]:
    found: Any = error.facts["alternatives"]
    return [each["startTime"] for each in found]


def test_what_stands_in_the_way_is_told_without_its_buffers(clinic: Setting) -> None:
    rival = clinic.book(TEN, "exam", customer_id="ada")

    error = refused(clinic, TEN)

    assert error.facts["conflictingAppointment"] == {"startTime": TEN, "endTime": "2026-11-24T10:45:00Z"}
    assert error.private == {"appointmentId": rival.id, "customerId": "ada"}


def test_a_hold_is_told_without_its_buffers_and_without_a_name(clinic: Setting) -> None:
    hold(clinic.desk, STAFF, HoldOrder(service_id="exam", start=at(TEN)))

    error = refused(clinic, TEN)

    assert error.facts["conflictingAppointment"] == {"startTime": TEN, "endTime": "2026-11-24T10:45:00Z"}
    assert error.private == {}


def test_of_more_than_one_it_is_the_first(clinic: Setting) -> None:
    later = clinic.book(TEN)
    first = clinic.book(NINE)

    assert refused(clinic, NINE, "2026-11-24T11:00:00Z").private["appointmentId"] == first.id
    assert refused(clinic, "2026-11-24T09:30:00Z", TEN.replace("00Z", "01Z")).private["appointmentId"] == later.id


def test_what_ends_where_the_buffer_begins_is_not_in_the_way(clinic: Setting) -> None:
    book(clinic.desk, STAFF, order("2026-11-24T09:30:00Z", "2026-11-24T09:55:00Z", resource_ids=("d0",)))
    rival = clinic.book(TEN)

    assert refused(clinic, TEN, service_id="exam").private["appointmentId"] == rival.id


def test_the_alternatives_are_the_three_nearest_each_as_long_as_it_was_asked(clinic: Setting) -> None:
    clinic.book(NINE)

    error = refused(clinic, NINE)

    assert error.facts["alternatives"] == [
        {"startTime": "2026-11-24T08:15:00Z", "endTime": "2026-11-24T08:45:00Z"},
        {"startTime": "2026-11-24T08:30:00Z", "endTime": "2026-11-24T09:00:00Z"},
        {"startTime": "2026-11-24T09:30:00Z", "endTime": "2026-11-24T10:00:00Z"},
    ]


@pytest.mark.parametrize(("horizon", "found"), [(365, "2026-12-08T08:00:00Z"), (13, None)])
def test_alternatives_are_looked_for_until_two_weeks_ahead(clinic: Setting, horizon: int, found: str | None) -> None:
    clinic.service("visit", horizon_days=horizon)
    book(clinic.desk, STAFF, order("2026-11-23T06:00:00Z", "2026-12-08T08:00:00Z", resource_ids=("d0",)))

    assert starts(refused(clinic, NINE))[:1] == ([found] if found else [])


def test_alternatives_are_looked_for_from_a_day_before(clinic: Setting) -> None:
    clinic.clock.set("2026-11-16T06:00:00Z")
    book(clinic.desk, STAFF, order("2026-11-23T09:15:00Z", "2026-12-10T08:00:00Z", resource_ids=("d0",)))

    assert starts(refused(clinic, NINE)) == []
    assert starts(refused(clinic, "2026-11-24T08:45:00Z")) == ["2026-11-23T08:45:00Z"]


# A bare span.


def bare(clinic: Setting, start: str, end: str) -> None:
    book(clinic.desk, STAFF, order(start, end, resource_ids=("d0",)))


def test_a_span_is_offered_right_before_and_right_after_what_is_claimed(clinic: Setting) -> None:
    bare(clinic, NINE, TEN)
    bare(clinic, "2026-11-24T10:20:00Z", "2026-11-24T11:00:00Z")

    error = refused(clinic, "2026-11-24T09:30:00Z", "2026-11-24T09:50:00Z")

    assert error.facts["alternatives"] == [
        {"startTime": "2026-11-24T08:40:00Z", "endTime": NINE},
        {"startTime": TEN, "endTime": "2026-11-24T10:20:00Z"},
        {"startTime": "2026-11-24T11:00:00Z", "endTime": "2026-11-24T11:20:00Z"},
    ]


@pytest.mark.parametrize(("until", "offers"), [("12", []), ("18", ["2026-12-07T12:00:00Z"])])
def test_a_gap_at_the_end_of_two_weeks_is_as_long_as_what_follows_lets_it(
    clinic: Setting, until: str, offers: list[str]
) -> None:
    """A span that starts within two weeks may end after them: what is claimed then counts too."""
    bare(clinic, "2026-11-22T00:00:00Z", "2026-12-07T12:00:00Z")
    bare(clinic, f"2026-12-08T{until}:00:00Z", "2026-12-20T00:00:00Z")
    day = "2026-11-24T00:00:00Z"

    error = refused(clinic, day, format_instant(Instant(at(day) + 30 * 3600)))

    assert starts(error) == offers


@pytest.mark.parametrize(
    ("now", "offers"),
    [
        ("2026-11-24T08:39:00Z", ["2026-11-24T08:40:00Z", TEN]),
        ("2026-11-24T08:40:00Z", ["2026-11-24T08:40:00Z", TEN]),
        ("2026-11-24T08:41:00Z", [TEN]),
        ("2026-11-24T09:30:00Z", [TEN]),
        ("2026-11-24T09:31:00Z", ["2026-11-24T08:40:00Z", TEN]),
    ],
)
def test_what_is_past_is_offered_only_to_who_asks_for_what_is_past(
    clinic: Setting, now: str, offers: list[str]
) -> None:
    bare(clinic, NINE, TEN)
    clinic.clock.set(now)

    assert starts(refused(clinic, "2026-11-24T09:30:00Z", "2026-11-24T09:50:00Z")) == offers


def test_a_hold_that_has_expired_is_in_nobodys_way(clinic: Setting) -> None:
    hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(NINE), seconds=60))
    hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(TEN), seconds=120))
    clinic.clock.forward(seconds=60)

    error = refused(clinic, TEN, "2026-11-24T10:30:00Z")

    assert starts(error) == ["2026-11-24T09:30:00Z", "2026-11-24T10:30:00Z"]
