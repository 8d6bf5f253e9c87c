"""What the audit log tells of a change: who did what to what, when and why."""

import pytest
from msgspec.structs import replace

from slotkeeper.core.actor import OnlyLooks
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import booking, catalogue
from slotkeeper.desk.audit import Entry, entries, record
from slotkeeper.ledger import Draft, Reading, settle
from tests.builders import STAFF, Setting, a_clinic, order, service

START = "2026-11-24T09:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    """A minute after everything was put there."""
    clinic = a_clinic(doctors=1)
    clinic.clock.forward(minutes=1)
    return clinic


def noted(clinic: Setting, business: str = "clinic") -> list[Entry]:
    return list(entries(clinic.store, business, clinic.clock.now, Instant(clinic.clock.now + 1)))


def test_an_entry_tells_who_went_against_the_rules_for_which_appointment_when_and_why(clinic: Setting) -> None:
    clinic.book(START)
    made = booking.book(clinic.desk, STAFF, order(START, service_id="visit", override="urgent"))

    [entry] = noted(clinic)

    assert entry.id.startswith("aud_")
    assert entry == Entry(
        id=entry.id, at=clinic.clock.now, by="staff", what="override", target=made.appointment.id, reason="urgent"
    )


def test_a_plain_booking_leaves_no_entry(clinic: Setting) -> None:
    clinic.book(START)

    assert noted(clinic) == []


def test_entries_are_those_of_the_span_and_the_business_oldest_first(clinic: Setting) -> None:
    first = clinic.clock.now
    for number in range(3):
        clinic.service(f"s{number}")
        clinic.clock.forward(minutes=1)

    found = entries(clinic.store, "clinic", first, Instant(first + 120))

    assert [each.target for each in found] == ["service/s0", "service/s1"]
    assert list(entries(clinic.store, "salon", first, clinic.clock.now)) == []


def test_what_a_viewer_may_not_do_leaves_no_entry(clinic: Setting) -> None:
    viewer = replace(STAFF, is_viewer=True)

    with pytest.raises(OnlyLooks):
        catalogue.put(clinic.desk, viewer, "service", "s", service())

    assert noted(clinic) == []


def test_who_gives_no_reason_has_none() -> None:
    clinic = a_clinic()

    def decide(reading: Reading, draft: Draft) -> None:
        record(draft, STAFF, clinic.clock.now, lambda kind: f"{kind}_1", "put", "pool/a")

    clinic.clock.forward(minutes=1)
    settle(clinic.store, decide)

    assert noted(clinic) == [Entry(id="aud_1", at=clinic.clock.now, by="staff", what="put", target="pool/a")]
