"""Taking what is due: what is counted, and from which second on."""

import pytest
from msgspec.structs import replace

from slotkeeper.core.appointment import Endpoint, Status
from slotkeeper.core.service import Business
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.claiming import Taken, expire, is_expired, take_appointment, take_hold
from slotkeeper.courier.log import Published, events
from slotkeeper.courier.seen import Seen
from slotkeeper.desk import agenda, holds
from slotkeeper.desk.booking import book
from slotkeeper.desk.catalogue import put_on_shelf, put_profile
from slotkeeper.desk.changing import Request, act
from slotkeeper.documents import Webhook, appointment_key, hold_key
from tests.builders import STAFF, a_clinic, at, contact, order
from tests.post import LetterBox, a_courier, sweep

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

    first, second = (take_appointment(Seen(clinic.store), key, clinic.clock.now) for _ in range(2))

    assert (first.published, first.holds, first.expired) == (1, 0, 0)
    [job] = first.jobs
    assert (job.business, job.appointment_id, job.customer_id) == ("clinic", booked.id, booked.customer_id)
    assert (job.message.kind, job.message.state, job.message.attempts) == ("booked", "claimed", 1)
    assert (second.published, second.jobs) == (0, ())


def test_what_is_in_other_hands_is_not_taken_again() -> None:
    """A reminder falls due while the confirmation is still being sent."""
    clinic = a_clinic()
    booked = clinic.book("2026-11-24T10:00:00Z", contact=contact())
    key = appointment_key("clinic", booked.id)
    reminder = next(each for each in booked.messages if each.kind == "reminder")
    take_appointment(Seen(clinic.store), key, Instant(reminder.due - 60))

    taken = take_appointment(Seen(clinic.store), key, reminder.due)

    assert [job.message.id for job in taken.jobs] == [reminder.id]


def test_nothing_is_taken_before_it_is_due_or_when_nothing_is_owed() -> None:
    clinic = a_clinic()
    silent, told = clinic.book(START), clinic.book(START, contact=contact())
    act(clinic.desk, STAFF, "cancel", Request(id=silent.id))
    sweep(a_courier(clinic, LetterBox()))
    now = Instant(clinic.clock.now + 3600)

    assert take_appointment(Seen(clinic.store), appointment_key("clinic", silent.id), now) == Taken()
    assert take_appointment(Seen(clinic.store), appointment_key("clinic", told.id), now) == Taken()
    assert take_appointment(Seen(clinic.store), appointment_key("clinic", "apt_none"), now) == Taken()


def test_a_hold_is_taken_away_when_it_is_over_and_once() -> None:
    clinic = a_clinic()
    held = holds.hold(clinic.desk, STAFF, holds.HoldOrder(service_id="visit", start=at(START), seconds=300))
    key = hold_key("clinic", held.id)

    taken = [take_hold(clinic.store, key, Instant(held.expires + seconds)).holds for seconds in (-1, 0, 1)]

    assert taken == [0, 1, 0]


def test_an_entry_of_the_feed_tells_whom_and_what_it_is_about() -> None:
    clinic = a_clinic()
    booked = clinic.book(START, customer_id="ada", resource_ids=("d1",))
    act(clinic.desk, STAFF, "cancel", Request(id=booked.id, reason="ill"))

    take_appointment(Seen(clinic.store), appointment_key("clinic", booked.id), clinic.clock.now)

    first, second = events(clinic.store, "clinic")
    assert second == Published(
        number=2,
        appointment_id=booked.id,
        revision=2,
        type="cancelled",
        at=clinic.clock.now,
        by="staff",
        start=booked.start,
        end=booked.end,
        service_id="visit",
        customer_id="ada",
        resource_ids=("d1",),
        reason="ill",
    )
    assert (first.number, first.revision, first.type, first.reason) == (1, 1, "booked", "")


def test_each_business_counts_its_own_events() -> None:
    clinic = a_clinic()
    salon = replace(STAFF, business="salon")
    put_profile(clinic.desk, salon, Business(name="Salon", zone="UTC"))
    for actor in (STAFF, salon, salon):
        made = book(clinic.desk, actor, order(START, "2026-11-26T09:30:00Z", customer_id="ada")).appointment
        take_appointment(Seen(clinic.store), appointment_key(actor.business, made.id), clinic.clock.now)
        act(clinic.desk, actor, "cancel", Request(id=made.id))
        take_appointment(Seen(clinic.store), appointment_key(actor.business, made.id), clinic.clock.now)

    assert [each.number for each in events(clinic.store, "clinic")] == [1, 2]
    assert [each.number for each in events(clinic.store, "salon")] == [1, 2, 3, 4]


def test_what_expires_is_told_to_those_who_want_that() -> None:
    clinic = a_clinic()
    clinic.service("visit", needs_confirmation=True, confirm_within_minutes=60)
    for id, types in (("all", ()), ("mine", ("expired",)), ("other", ("booked",))):
        put_on_shelf(clinic.desk, STAFF, "webhooks", id, Webhook(url=f"https://{id}.example/h", types=types))  # type: ignore[arg-type] # names are literals
    booked = clinic.book(START)

    taken = expire(Seen(clinic.store), appointment_key("clinic", booked.id), booked.expires, [Endpoint("topic", ())])

    told = agenda.appointment(clinic.desk, STAFF, booked.id).messages
    assert taken.expired == 1
    assert [each.target for each in told if each.kind == "expired" and each.channel == "webhook"] == [
        "all",
        "mine",
        "topic",
    ]
