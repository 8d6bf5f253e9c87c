"""What stands for what a log or an outcome leaves out, and the limits of what is done at once."""

from typing import Any

import msgspec

from slotkeeper.core.reminders import Message
from slotkeeper.core.ticks import Instant
from slotkeeper.courier import claiming, courier, log, noting, telling
from slotkeeper.courier.claiming import Job, Taken
from slotkeeper.courier.courier import Swept
from slotkeeper.courier.log import Notification, Published
from slotkeeper.courier.noting import Outcome
from tests.builders import a_clinic, contact
from tests.post import LetterBox, a_courier, sweep

NOW, NEVER = Instant(600), Instant(0)
TRIED: dict[str, Any] = {"id": "m", "appointment_id": "a", "kind": "booked", "channel": "email", "state": "sent"}
TOLD: dict[str, Any] = {"number": 1, "appointment_id": "a", "revision": 1, "type": "booked", "by": "key"}
TIMES: dict[str, Any] = {"start": NOW, "end": NOW}


def test_what_is_left_out_is_empty() -> None:
    job = Job("shop", "a", "", Message(id="m", kind="booked", channel="email", due=NOW))
    none = dict.fromkeys(Swept.__dataclass_fields__, 0)

    assert Notification(**TRIED, at=NOW) == Notification(
        **TRIED, at=NOW, to="", subject="", text="", attempts=0, answer="", due=NEVER, lead_minutes=0
    )
    assert Published(**TOLD, **TIMES, at=NOW) == Published(
        **TOLD, **TIMES, at=NOW, service_id="", customer_id="", resource_ids=(), was_start=NEVER, reason=""
    )
    assert Outcome(job, "sent") == Outcome(job, "sent", "", None, 0)
    assert Taken() == Taken(holds=0, expired=0, published=0, jobs=())
    assert Swept() == Swept(**none)


def test_a_log_from_before_is_read_with_what_it_kept_then() -> None:
    kept = {"id": "m", "appointmentId": "a", "kind": "booked", "channel": "email", "state": "sent", "at": 600}

    assert msgspec.convert(kept | {"html": "<p>Booked</p>"}, Notification) == Notification(**TRIED, at=NOW)


def test_the_limits_are_those_that_are_told() -> None:
    assert (claiming.BY_COURIER, claiming.PUBLISHED_AT_ONCE) == ("courier", 40)
    assert (courier.LATE_SECONDS, log.MAX_TEXT) == (300, 20_000)
    assert noting.MAX_ANSWER == 500
    assert set(telling.LINKED) == {"booked", "pending", "moved", "reminder"}
    assert telling.UNNAMED.name == "Slotkeeper"


def test_events_are_read_from_the_first_on() -> None:
    clinic = a_clinic()
    clinic.book("2026-11-26T09:00:00Z")
    sweep(a_courier(clinic))

    assert [each.number for each in log.events(clinic.store, "clinic")] == [1]


def test_without_an_address_of_our_pages_a_mail_has_no_link() -> None:
    clinic = a_clinic()
    clinic.book("2026-11-26T09:00:00Z", contact=contact())

    sweep(a_courier(clinic, box := LetterBox()))

    [letter] = box.letters
    assert (letter.private, "/visit/" in letter.text) == ("", False)
