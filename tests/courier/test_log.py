"""A dead message that is sent again starts from the beginning, in its appointment and in the log."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Key, Letter, Store
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Missing, Undeliverable
from slotkeeper.courier.log import Notification, message_of, notification, replay
from slotkeeper.desk import agenda
from slotkeeper.documents import appointment_key, appointment_put
from slotkeeper.ledger import Draft, Reading, settle
from tests.builders import STAFF, Setting, a_clinic, at, contact
from tests.post import LetterBox, a_courier, sweep

START = "2026-11-26T09:00:00Z"
LATER = at("2026-11-23T08:00:00Z")


def refuse(letter: Letter) -> None:
    raise Undeliverable("550 5.1.1 no such user")


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


@pytest.fixture
def dead(clinic: Setting) -> Appointment:
    """An appointment whose confirmation was refused for good."""
    booked = clinic.book(START, contact=contact())
    sweep(a_courier(clinic, LetterBox(refuse)))
    return booked


def confirmation_of(clinic: Setting, dead: Appointment) -> str:
    return next(each.id for each in dead.messages if each.kind == "booked")


def test_it_is_owed_from_now_on_with_all_its_tries(clinic: Setting, dead: Appointment) -> None:
    id = confirmation_of(clinic, dead)

    replay(clinic.store, "clinic", id, LATER)

    message = message_of(agenda.appointment(clinic.desk, STAFF, dead.id), id)
    assert message is not None
    assert (message.state, message.attempts, message.due, message.first_due, message.note) == (
        "waiting",
        0,
        LATER,
        0,
        "",
    )


def test_the_log_says_so(clinic: Setting, dead: Appointment) -> None:
    id = confirmation_of(clinic, dead)
    before = notification(clinic.store, "clinic", id)

    after = replay(clinic.store, "clinic", id, LATER)

    assert (before.state, before.attempts, before.answer) == ("dead", 1, "550 5.1.1 no such user")
    assert notification(clinic.store, "clinic", id) == after
    assert (after.state, after.attempts, after.answer, after.due, after.at) == ("waiting", 0, "", LATER, LATER)
    assert (after.id, after.appointment_id, after.kind, after.to) == (id, dead.id, "booked", "ada@example.com")


def test_a_reminder_that_was_not_due_yet_waits_for_its_time(clinic: Setting) -> None:
    booked = clinic.book(START, contact=contact())
    reminder = next(each for each in booked.messages if each.kind == "reminder")
    clinic.clock.now = reminder.due
    sweep(a_courier(clinic, LetterBox(refuse)))

    owed = replay(clinic.store, "clinic", reminder.id, at("2026-11-25T06:00:00Z"))

    assert owed.due == reminder.due


def test_a_second_refusal_is_the_first_of_the_new_tries(clinic: Setting, dead: Appointment) -> None:
    id = confirmation_of(clinic, dead)
    replay(clinic.store, "clinic", id, clinic.clock.now)

    swept = sweep(a_courier(clinic, LetterBox(refuse)))

    assert swept.dead == 1
    again: Notification = notification(clinic.store, "clinic", id)
    assert (again.state, again.attempts) == ("dead", 1)


def forget(reading: Reading, draft: Draft, key: Key) -> None:
    draft.delete(key)


def hush(reading: Reading, draft: Draft, key: Key) -> None:
    before = reading.value(key, Appointment)
    assert before is not None
    draft.put(appointment_put("clinic", replace(before, messages=())))


@pytest.mark.parametrize("lose", [forget, hush])
def test_what_is_logged_and_owed_by_no_appointment_any_more_is_missing(
    clinic: Setting, dead: Appointment, lose: Callable[[Reading, Draft, Key], None]
) -> None:
    id, key = confirmation_of(clinic, dead), appointment_key("clinic", dead.id)
    settle(clinic.store, lambda reading, draft: lose(reading, draft, key))

    with pytest.raises(Missing) as missing:
        replay(clinic.store, "clinic", id, LATER)

    assert (missing.value.kind, missing.value.id) == ("notification", id)


@pytest.mark.parametrize(
    "ask", [lambda store: replay(store, "clinic", "msg_1", LATER), lambda store: notification(store, "clinic", "msg_1")]
)
def test_what_was_never_tried_is_missing_and_named(clinic: Setting, ask: Callable[[Store], object]) -> None:
    with pytest.raises(Missing) as missing:
        ask(clinic.store)

    assert (missing.value.kind, missing.value.id) == ("notification", "msg_1")
