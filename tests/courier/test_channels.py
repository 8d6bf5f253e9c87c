"""Text messages and the home's topic: who is told by them, once, and when what goes late is counted so."""

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from slotkeeper.contracts import Letter
from slotkeeper.core.appointment import Endpoint
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.log import Notification, events, notifications, replay
from slotkeeper.courier.telling import Render
from slotkeeper.desk import booking
from slotkeeper.desk.catalogue import put_on_shelf
from slotkeeper.desk.changing import Move, Request, act, edit, move
from slotkeeper.notices.rendering import Occasion, Words
from slotkeeper.notices.rendering import render as our_words
from slotkeeper.senders.outbox import OutboxSender
from tests.builders import STAFF, Setting, a_clinic, at, contact, order
from tests.post import LetterBox, caught, sweep, work

START = "2026-11-26T09:00:00Z"
A_DAY_BEFORE = "2026-11-25T09:00:00Z"
TOPIC = (Endpoint("", channel="topic"),)


class WritesToTheMailbox(Courier):
    """A broken one: text messages go to the mail address."""

    def _look_again(self, job: Any, catalogue: Any) -> Any:
        ready = super()._look_again(job, catalogue)
        return replace(ready, to="ada@example.com") if isinstance(ready, Letter) else ready


class KeepsQuietAboutItsOwnDeeds(Courier):
    """A broken one: what it does to appointments itself is told to nobody."""

    def __init__(self, *facts: Any, **others: Any) -> None:
        super().__init__(*facts, **others | {"endpoints": ()})


class NotesNothing(Courier):
    """A broken one: it forgets what it sent."""

    def _note(self, outcomes: Any) -> None:
        pass


class CountsFromItsClaim(Courier):
    """A broken one: it takes for due when it got to it."""

    async def _try(self, job: Any, catalogue: Any) -> Any:
        outcome = await super()._try(job, catalogue)
        message = msgspec.structs.replace(job.message, first_due=self._clock())
        return outcome and replace(outcome, job=replace(job, message=message))


@pytest.fixture
def clinic() -> Setting:
    """A clinic that reminds a day before by text message, in a home with a topic."""
    clinic = a_clinic()
    clinic.desk = msgspec.structs.replace(clinic.desk, endpoints=TOPIC)
    put_on_shelf(clinic.desk, STAFF, "reminderRules", "day", ReminderRule(lead_minutes=1440, channel="sms"))
    return clinic


def a_courier(
    clinic: Setting, box: LetterBox, *channels: str, kind: type[Courier] = Courier, render: Render = our_words
) -> Courier:
    return kind(clinic.store, clinic.clock, dict.fromkeys(channels, box), OutboxSender(), render, endpoints=TOPIC)


def texts(clinic: Setting) -> list[Notification]:
    return [each for each in notifications(clinic.store, "clinic").notifications if each.channel == "sms"]


@pytest.mark.parametrize("kind", [Courier, WritesToTheMailbox])
def test_a_reminder_by_text_message_goes_to_the_phone_and_names_who_writes(
    clinic: Setting, kind: type[Courier]
) -> None:
    box = LetterBox()
    clinic.book(START, contact=contact(phone="+4930123456"))

    work(a_courier(clinic, box, "sms", kind=kind), clinic, A_DAY_BEFORE)

    [letter] = box.letters
    with caught(kind, WritesToTheMailbox):
        assert (letter.channel, letter.to) == ("sms", "+4930123456")
    assert letter.text == "Clinic: Reminder: Visit, Thursday 26 November 2026, 10:00"


def test_without_a_sender_a_text_message_stays_in_the_outbox(clinic: Setting) -> None:
    clinic.book(START, contact=contact(phone="+4930123456"))

    work(a_courier(clinic, LetterBox()), clinic, A_DAY_BEFORE)

    [kept] = texts(clinic)
    assert (kept.state, kept.to, kept.answer) == ("sent", "+4930123456", "kept in the outbox")


def test_a_text_message_to_nobody_is_a_dead_letter_at_once(clinic: Setting) -> None:
    box = LetterBox()
    clinic.book(START, contact=contact())

    work(a_courier(clinic, box, "sms"), clinic, A_DAY_BEFORE)

    [dead] = texts(clinic)
    assert (dead.state, dead.attempts, dead.answer) == ("dead", 1, "there is no phone number to send it to")
    assert dead.text == "Clinic: Reminder: Visit, Thursday 26 November 2026, 10:00"
    assert box.letters == []


def test_no_rule_reminds_by_the_topic() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"leadMinutes": 60, "channel": "topic"}, ReminderRule)


def test_the_topic_is_told_of_every_event_once_and_of_no_reminder(clinic: Setting) -> None:
    box = LetterBox()
    booked = clinic.book(START)
    move(clinic.desk, STAFF, Move(id=booked.id, start=at("2026-11-27T10:00:00Z")))
    edit(clinic.desk, STAFF, Request(id=booked.id), {"notes": "left knee"}, None)
    act(clinic.desk, STAFF, "checkIn", Request(id=booked.id))

    work(a_courier(clinic, box, "topic"), clinic, "2026-11-28T00:00:00Z")

    told = Counter((letter.subject, letter.to) for letter in box.letters)
    assert told == Counter(
        {(f"appointment.{each}", "clinic"): 1 for each in ("booked", "moved", "changed", "checkedIn")}
    )
    bodies = [msgspec.json.decode(letter.text) for letter in box.letters if letter.subject == "appointment.booked"]
    assert [(body["type"], body["data"]["appointmentId"]) for body in bodies] == [("appointment.booked", booked.id)]


@pytest.mark.parametrize("kind", [Courier, KeepsQuietAboutItsOwnDeeds])
def test_the_topic_is_told_of_what_the_courier_lets_expire(clinic: Setting, kind: type[Courier]) -> None:
    box = LetterBox()
    clinic.service("visit", needs_confirmation=True, confirm_within_minutes=60)
    clinic.book(START)

    work(a_courier(clinic, box, "topic", kind=kind), clinic, "2026-11-23T08:00:00Z")

    with caught(kind, KeepsQuietAboutItsOwnDeeds):
        assert sorted(letter.subject for letter in box.letters) == ["appointment.expired", "appointment.pending"]


@pytest.mark.parametrize("kind", [Courier, NotesNothing])
def test_the_topic_hears_nothing_twice_of_a_request_sent_twice(clinic: Setting, kind: type[Courier]) -> None:
    box = LetterBox()
    courier = a_courier(clinic, box, "topic", kind=kind)
    for _ in range(2):
        booking.book(clinic.desk, STAFF, order(START, service_id="visit", request_key="once"))
        sweep(courier)
        clinic.clock.forward(minutes=5)
    sweep(courier)

    with caught(kind, NotesNothing):
        assert [letter.subject for letter in box.letters] == ["appointment.booked"]


@pytest.mark.parametrize("kind", [Courier, CountsFromItsClaim])
def test_a_reminder_is_late_when_it_leaves_five_minutes_after_its_time(clinic: Setting, kind: type[Courier]) -> None:
    box = LetterBox()
    clinic.book(START, contact=contact(phone="+4930123456"))
    courier = a_courier(clinic, box, "sms", kind=kind)
    sweep(courier)

    clinic.clock.set("2026-11-25T09:05:01Z")
    swept = sweep(courier)

    assert (swept.reminders, swept.reminders_sent, swept.reminders_failed) == (1, 1, 0)
    with caught(kind, CountsFromItsClaim):
        assert swept.reminders_late == 1


def test_a_reminder_is_on_time_up_to_five_minutes_and_notices_count_for_nothing(clinic: Setting) -> None:
    clinic.book(START, contact=contact(phone="+4930123456"))
    courier = a_courier(clinic, LetterBox(), "sms", "topic", "email")
    clinic.clock.forward(hours=1)
    notices = sweep(courier)

    clinic.clock.set("2026-11-25T09:05:00Z")
    reminders = sweep(courier)

    assert (notices.sent, notices.reminders, notices.reminders_sent) == (2, 0, 0)
    assert (reminders.sent, reminders.reminders, reminders.reminders_late) == (1, 1, 0)


def test_a_reminder_that_failed_first_is_late_by_its_own_time_and_by_its_replay_not_at_all(clinic: Setting) -> None:
    def refuse(letter: Letter) -> None:
        raise Unreachable("no answer")

    box = LetterBox(refuse)
    clinic.book(START, contact=contact(phone="+4930123456"))
    courier = a_courier(clinic, box, "sms")
    work(courier, clinic, "2026-11-25T09:04:00Z")
    counted = sweep(courier)
    assert (counted.reminders, counted.reminders_sent) == (0, 0)

    clinic.clock.set("2026-11-25T09:20:00Z")
    box.before = lambda letter: None
    assert sweep(courier).reminders_late == 1

    other = clinic.book("2026-11-27T09:00:00Z")
    work(courier, clinic, "2026-11-26T10:00:00Z")
    [dead] = [each for each in texts(clinic) if each.appointment_id == other.id]
    edit(clinic.desk, STAFF, Request(id=other.id), None, contact(phone="+4930123456"))
    replay(clinic.store, "clinic", dead.id, clinic.clock())
    again = sweep(courier)
    assert (again.reminders_sent, again.reminders_late) == (1, 0)


def test_what_the_topic_was_told_stands_in_the_feed_and_not_in_the_log_again(clinic: Setting) -> None:
    clinic.book(START)

    sweep(a_courier(clinic, LetterBox(), "topic", "email"))

    assert [each.channel for each in notifications(clinic.store, "clinic").notifications] == ["email"]
    assert [each.type for each in events(clinic.store, "clinic")] == ["booked"]


def test_html_is_made_for_letters_that_leave_and_kept_of_none(clinic: Setting) -> None:
    asked, box = list[bool](), LetterBox()

    def ask(occasion: Occasion) -> Words:
        asked.append(occasion.has_page)
        return our_words(occasion)

    clinic.book(START, contact=contact())
    sweep(a_courier(clinic, box, "topic", render=ask))
    clinic.book("2026-11-27T09:00:00Z", contact=contact())
    sweep(a_courier(clinic, box, "topic", "email", render=ask))

    assert asked == [False, True]
    assert [bool(letter.html) for letter in box.letters if letter.channel == "email"] == [True]
    assert not [doc.key for doc in clinic.store.walk() if b"<html" in doc.body]
