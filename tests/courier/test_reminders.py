"""Promise 6: every reminder of a live appointment is delivered once, inside its window, and none of any other."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Letter
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.courier import courier as module
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.log import no_longer, notifications
from slotkeeper.courier.noting import Outcome
from slotkeeper.courier.seen import Seen
from slotkeeper.desk import agenda
from slotkeeper.desk.catalogue import put_on_shelf
from slotkeeper.desk.changing import Move, Request, act, move
from slotkeeper.documents import Webhook, appointment_key
from tests.builders import STAFF, Setting, a_clinic, at, contact
from tests.post import LetterBox, a_courier, caught, sweep, work

START = "2026-11-26T09:00:00Z"
OTHER = "2026-11-27T13:00:00Z"


class NeverLooksAgain(Courier):
    """A broken one: it trusts what it claimed, and does not read the appointment again."""

    def _look_again(self, job: Any, catalogue: Any) -> Any:
        return Letter(job.message.id, job.message.channel, "ada@example.com", f"Reminder {job.message.about}", "")


class ForgetsLateOnes(Courier):
    """A broken one: what was due more than an hour ago is not sent any more."""

    def _look_again(self, job: Any, catalogue: Any) -> Any:
        ready = super()._look_again(job, catalogue)
        return Outcome(job, "void", "late") if self._clock() % 86_400 > 12 * 3600 else ready


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def cancel(clinic: Setting, appointment: Appointment) -> None:
    act(clinic.desk, STAFF, "cancel", Request(id=appointment.id))


def reschedule(clinic: Setting, appointment: Appointment) -> None:
    move(clinic.desk, STAFF, Move(id=appointment.id, start=at(OTHER)))


def test_each_reminder_comes_once_at_its_time(clinic: Setting) -> None:
    sent: list[tuple[str, int]] = []
    box = LetterBox(lambda letter: sent.append((letter.subject.split(":")[0], clinic.clock.now)))
    clinic.book(START, contact=contact())

    work(a_courier(clinic, box), clinic, OTHER)

    day, hour = at(START) - 24 * 3600, at(START) - 3600
    assert [time for subject, time in sent if subject == "Reminder"] == [day, hour]
    assert len({letter.id for letter in box.letters}) == 3


def test_nothing_is_swept_between_what_is_due(clinic: Setting) -> None:
    clinic.book(START, contact=contact())

    times = work(a_courier(clinic, LetterBox()), clinic, OTHER)

    assert times == [at("2026-11-23T06:00:00Z"), at(START) - 24 * 3600, at(START) - 3600]


@pytest.mark.parametrize("kind", [Courier, ForgetsLateOnes])
def test_a_stopped_worker_catches_up(clinic: Setting, kind: type[Courier]) -> None:
    box = LetterBox()
    clinic.book(START, contact=contact())
    courier = a_courier(clinic, box, kind)
    work(courier, clinic, "2026-11-24T09:00:00Z")

    clinic.clock.set("2026-11-25T15:10:00Z")
    sweep(courier)

    with caught(kind, ForgetsLateOnes):
        assert ["in 18 hours" in late.text for late in box.reminders()] == [True]
        assert sweep(courier).sent == 0


@pytest.mark.parametrize("change", [cancel, reschedule])
@pytest.mark.parametrize("minutes_before", [2000, 1441, 1440, 1439, 61, 60, 59, 1])
def test_a_change_at_any_time_leaves_no_stale_reminder(
    clinic: Setting, change: Callable[[Setting, Appointment], None], minutes_before: int
) -> None:
    box = LetterBox()
    appointment = clinic.book(START, contact=contact())
    courier = a_courier(clinic, box)
    work(courier, clinic, "2026-11-23T10:00:00Z")
    clinic.clock.now = at(START)
    clinic.clock.forward(minutes=-minutes_before)

    change(clinic, appointment)
    changed = clinic.clock.now
    work(courier, clinic, "2026-11-30T00:00:00Z")

    told = [letter.text for letter in box.reminders()]
    assert all("27 November" in text for text in told)
    assert len(told) == sum(at(OTHER) - lead > changed for lead in (86_400, 3600)) * (change is reschedule)


@pytest.mark.parametrize("change", [cancel, reschedule])
@pytest.mark.parametrize("kind", [Courier, NeverLooksAgain])
def test_a_change_between_claim_and_sending_stops_the_reminder(
    clinic: Setting, change: Callable[[Setting, Appointment], None], kind: type[Courier]
) -> None:
    appointments = [clinic.book(START, contact=contact(email=f"{n}@example.com")) for n in range(2)]
    changed: list[str] = []

    def while_sending(letter: Letter) -> None:
        if letter.subject.startswith("Reminder") and not changed:
            other = next(each for each in appointments if each.contact.email != letter.to)
            changed.append(other.contact.email)
            change(clinic, other)

    box = LetterBox(while_sending)
    courier = a_courier(clinic, box, kind, at_once=1)
    clinic.clock.now = at("2026-11-25T09:00:00Z")
    with caught(kind, NeverLooksAgain):
        sweep(courier)

        assert len(box.reminders()) == 1


def test_a_reminder_that_comes_after_the_start_is_dead_and_says_why(clinic: Setting) -> None:
    box = LetterBox()
    clinic.book(START, contact=contact())
    clinic.clock.set(START)

    sweep(a_courier(clinic, box))

    dead = [each for each in notifications(clinic.store, "clinic").notifications if each.kind == "reminder"]
    assert [each.state for each in dead] == ["dead", "dead"]
    assert {each.answer for each in dead} == {"the appointment began before it could be sent"}
    assert not box.reminders()


def test_a_reminder_that_was_left_owed_though_its_appointment_is_over_is_void_and_no_dead_letter(
    clinic: Setting,
) -> None:
    box = LetterBox()
    booked = clinic.book(START, contact=contact())
    sweep(a_courier(clinic, box))
    key = appointment_key("clinic", booked.id)
    Seen(clinic.store).rewrite(key, lambda reading, draft, before: (replace(before, status="cancelled"), None))
    clinic.clock.set("2026-11-25T09:00:00Z")

    swept = sweep(a_courier(clinic, box))

    assert (swept.void, swept.dead, swept.reminders_failed, box.reminders()) == (1, 0, 0, [])
    assert sorted(each.state for each in agenda.appointment(clinic.desk, STAFF, booked.id).messages) == [
        "sent",
        "void",
        "waiting",
    ]


class GivesUpForGood(Courier):
    """A broken one: what the clock says counts for ever."""

    def _take_up_again(self) -> None:
        pass


@pytest.mark.parametrize("kind", [Courier, GivesUpForGood])
def test_what_was_too_late_by_a_wrong_clock_is_owed_again_when_it_is_set_right(
    clinic: Setting, kind: type[Courier]
) -> None:
    box = LetterBox()
    courier = a_courier(clinic, box, kind)
    stays, goes = (clinic.book(START, contact=contact(email=f"{name}@example.com")) for name in ("stays", "goes"))
    now = clinic.clock.now
    clinic.clock.set(START)
    sweep(courier)
    sweep(courier)
    clinic.clock.now = now
    cancel(clinic, goes)

    sweep(courier)
    at_once = len(box.reminders())
    work(courier, clinic, OTHER)

    with caught(kind, GivesUpForGood):
        assert at_once == 0
        assert [letter.to for letter in box.reminders()] == ["stays@example.com"] * 2
        assert len({letter.id for letter in box.reminders()}) == 2
    assert stays.status == "booked"


def test_of_what_came_too_late_so_many_are_owed_again(clinic: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_GIVEN_UP", 2)
    courier = a_courier(clinic, box := LetterBox())
    for _ in range(3):
        clinic.book(START, contact=contact())
    now = clinic.clock.now
    clinic.clock.set(START)
    sweep(courier)
    clinic.clock.now = now

    sweep(courier)
    work(courier, clinic, OTHER)

    assert len(box.reminders()) == 2


def test_reminders_of_others_go_on_when_one_is_cancelled(clinic: Setting) -> None:
    box = LetterBox()
    gone, stays = (clinic.book(START, contact=contact(email=f"{name}@example.com")) for name in ("gone", "stays"))
    cancel(clinic, gone)

    work(a_courier(clinic, box), clinic, OTHER)

    assert {letter.to for letter in box.reminders()} == {"stays@example.com"}
    assert stays.status == "booked"


def test_a_reminder_by_webhook_goes_to_each_that_wants_all(clinic: Setting) -> None:
    box = LetterBox()
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://all.example/hook"))
    put_on_shelf(clinic.desk, STAFF, "webhooks", "two", Webhook(url="https://two.example/hook"))
    put_on_shelf(clinic.desk, STAFF, "webhooks", "few", Webhook(url="https://few.example/hook", types=("moved",)))
    put_on_shelf(clinic.desk, STAFF, "reminderRules", "r", ReminderRule(lead_minutes=60, channel="webhook"))
    clinic.book(START, contact=contact())

    work(a_courier(clinic, box), clinic, OTHER)

    reminders = [letter.to for letter in box.letters if letter.subject == "reminder"]
    assert sorted(reminders) == ["https://all.example/hook", "https://two.example/hook"]


def test_a_reminder_by_webhook_is_void_where_no_webhook_takes_any(clinic: Setting) -> None:
    put_on_shelf(clinic.desk, STAFF, "webhooks", "few", Webhook(url="https://few.example/hook", types=("moved",)))
    put_on_shelf(clinic.desk, STAFF, "reminderRules", "r", ReminderRule(lead_minutes=60, channel="webhook"))
    booked = clinic.book(START, contact=contact())
    [owed] = [each for each in booked.messages if each.kind == "reminder" and each.channel == "webhook"]

    work(a_courier(clinic, LetterBox()), clinic, OTHER)

    said = agenda.appointment(clinic.desk, STAFF, booked.id).messages
    assert [each for each in said if each.id == owed.id] == [
        replace(owed, state="void", note="no webhook takes reminders")
    ]


def test_the_reasons_to_be_silent_are_told_apart(clinic: Setting) -> None:
    appointment = clinic.book(START, contact=contact())
    reminder = next(message for message in appointment.messages if message.kind == "reminder")

    assert no_longer(appointment, reminder, at(START)) == "the appointment began before it could be sent"
    assert no_longer(appointment, reminder, at("2026-11-25T09:00:00Z")) == ""
