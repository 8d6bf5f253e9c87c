"""Taking what is due: what is counted, and from which second on."""

import pytest
from msgspec.structs import replace

from slotkeeper.core.appointment import Status
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.claiming import is_expired, take_appointment
from slotkeeper.documents import appointment_key
from tests.builders import a_clinic, contact

START = "2026-11-26T09:00:00Z"


@pytest.mark.parametrize(
    ("status", "expires", "now", "is_over"),
    [
        ("pending", 1, 1, True),
        ("pending", 60, 60, True),
        ("pending", 61, 60, False),
        ("pending", 0, 60, False),
        ("booked", 60, 60, False),
        ("cancelled", 60, 60, False),
    ],
)
def test_a_request_is_over_from_the_second_in_which_it_expires(
    status: Status, expires: int, now: int, *, is_over: bool
) -> None:
    appointment = replace(a_clinic().book(START), status=status, expires=Instant(expires))

    assert is_expired(appointment, Instant(now)) is is_over


def test_what_is_taken_is_counted_once() -> None:
    clinic = a_clinic()
    booked = clinic.book(START, contact=contact())
    key = appointment_key("clinic", booked.id)

    first, second = (take_appointment(clinic.store, key, clinic.clock.now) for _ in range(2))

    assert (first.published, first.holds, first.expired) == (1, 0, 0)
    [job] = first.jobs
    assert (job.business, job.appointment_id, job.customer_id) == ("clinic", booked.id, booked.customer_id)
    assert (job.message.kind, job.message.state, job.message.attempts) == ("booked", "claimed", 1)
    assert (second.published, second.jobs) == (0, ())
