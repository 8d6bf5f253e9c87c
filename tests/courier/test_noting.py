"""What becomes of a message by its outcome, and what of it people may look up."""

from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Letter
from slotkeeper.core.reminders import BACKOFF_SECONDS, Message
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.claiming import Job, take_appointment
from slotkeeper.courier.log import notifications
from slotkeeper.courier.noting import MAX_ANSWER, Outcome, note, noted
from slotkeeper.courier.seen import Seen
from slotkeeper.documents import appointment_key
from tests.builders import Setting, a_clinic, contact

NOW = Instant(1_800_000_000)
CLAIMED = Message(
    id="m", kind="reminder", channel="email", due=Instant(NOW + 120), state="claimed", attempts=2, lead_minutes=60
)
LETTER = Letter("m", "email", "ada@example.com", "Reminder", "See you")


def outcome(result: Any, message: Message = CLAIMED, **others: Any) -> Outcome:
    return Outcome(Job("clinic", "apt_1", "ada", message), result, **others)


@pytest.mark.parametrize("result", ["sent", "failed", "dead", "void", "untried"])
def test_what_is_gone_or_was_sent_is_left_alone(result: Any) -> None:
    assert noted(None, outcome(result), NOW) is None
    assert noted(replace(CLAIMED, state="sent"), outcome(result), NOW) is None


def test_what_was_sent_keeps_what_the_peer_said_at_no_great_length() -> None:
    after = noted(CLAIMED, outcome("sent", answer="x" * (MAX_ANSWER + 1)), NOW)

    assert after == replace(CLAIMED, state="sent", note="x" * MAX_ANSWER)


def test_what_failed_is_due_again_and_what_failed_for_good_is_not() -> None:
    again, dead = (noted(CLAIMED, outcome(result, answer="why"), NOW) for result in ("failed", "dead"))

    assert again == replace(CLAIMED, state="waiting", note="why", due=Instant(NOW + BACKOFF_SECONDS[1]))
    assert dead == replace(CLAIMED, state="dead", note="why")


def test_what_was_not_tried_is_owed_at_once_as_if_it_had_never_been_claimed() -> None:
    assert noted(CLAIMED, outcome("untried"), NOW) == replace(CLAIMED, state="waiting", attempts=1, due=NOW)


def test_what_must_not_be_sent_any_more_says_why() -> None:
    assert noted(CLAIMED, outcome("void", answer="moved"), NOW) == replace(CLAIMED, state="void", note="moved")


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def a_job(clinic: Setting) -> tuple[Seen, Job]:
    seen = Seen(clinic.store)
    booked = clinic.book("2026-11-26T09:00:00Z", contact=contact())
    [job] = take_appointment(seen, appointment_key("clinic", booked.id), clinic.clock.now).jobs
    return seen, job


@pytest.mark.parametrize(
    ("result", "is_logged"), [("sent", True), ("failed", True), ("dead", True), ("void", False), ("untried", False)]
)
def test_people_may_look_up_what_was_tried(clinic: Setting, result: Any, *, is_logged: bool) -> None:
    seen, job = a_job(clinic)

    note(seen, [Outcome(job, result)], clinic.clock.now)

    found = notifications(clinic.store, "clinic").notifications
    assert [each.id for each in found] == ([job.message.id] if is_logged else [])


def test_what_never_became_a_letter_is_logged_without_one(clinic: Setting) -> None:
    seen, job = a_job(clinic)

    note(seen, [Outcome(job, "failed", "no words")], clinic.clock.now)

    [found] = notifications(clinic.store, "clinic").notifications
    assert (found.to, found.subject, found.text, found.answer) == ("", "", "", "no words")


def test_a_reminder_is_logged_with_how_long_before_it_was(clinic: Setting) -> None:
    booked = clinic.book("2026-11-26T09:00:00Z", contact=contact())
    clinic.clock.set("2026-11-25T09:00:00Z")
    seen = Seen(clinic.store)
    jobs = take_appointment(seen, appointment_key("clinic", booked.id), clinic.clock.now).jobs

    note(seen, [Outcome(each, "sent", letter=LETTER) for each in jobs], clinic.clock.now)

    found = notifications(clinic.store, "clinic").notifications
    assert sorted((each.kind, each.lead_minutes) for each in found) == [("booked", 0), ("reminder", 1440)]


def test_a_message_that_is_gone_keeps_no_other_from_being_noted() -> None:
    clinic = a_clinic()
    booked = clinic.book("2026-11-26T09:00:00Z", contact=contact())
    [one] = take_appointment(Seen(clinic.store), appointment_key("clinic", booked.id), clinic.clock.now).jobs
    gone = Job("clinic", booked.id, "", replace(CLAIMED, id="msg_gone"))

    note(Seen(clinic.store), [Outcome(gone, "sent"), Outcome(one, "sent", letter=LETTER)], clinic.clock.now)

    assert [each.id for each in notifications(clinic.store, "clinic", limit=9).notifications] == [one.message.id]
