"""T15, T16: by a virtual clock, each reminder comes once and inside its window, and none of what has changed."""

from collections.abc import Callable, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec.structs import replace

from slotkeeper.contracts import Letter
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.reminders import Message, reminders
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.courier.claiming import Job
from slotkeeper.courier.courier import Courier
from slotkeeper.desk.changing import Move, Request, act, move
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at, contact
from tests.post import LetterBox, MailServer, a_courier, sweep, work

START, OTHER, END = "2026-11-26T09:00:00Z", "2026-11-27T13:00:00Z", "2026-11-30T00:00:00Z"
HOUR, DAY = 3600, 86_400
WINDOW_SECONDS = 60


@pytest.fixture
def clinic(tmp_path: Path) -> Setting:
    return a_clinic(SqliteStore(tmp_path / "a.db"))


class StampingServer(MailServer):
    """A mail server that looks at the clock when mail arrives."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.arrivals: list[tuple[Instant, EmailMessage]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        self.arrivals.append((self.setting.clock.now, self.mails[-1]))
        return answer

    def reminders(self, who: str) -> list[Instant]:
        """When reminders came for somebody."""
        return [
            when for when, mail in self.arrivals if mail["To"] == who and str(mail["Subject"]).startswith("Reminder")
        ]


def each_comes_once_in_its_window(clinic: Setting) -> None:
    """Booked days ahead, within the day and within the hour, on three days, one after another."""
    post = StampingServer(clinic)
    starts: dict[str, str] = {}
    with post.running():
        server = SmtpSettings(host="127.0.0.1", port=post.port, sender="visits@clinic.example", security="none")
        courier = Courier(clinic.store, clinic.clock, {"email": SmtpSender(server, clinic.clock)}, OutboxSender())
        for number, (now, start) in enumerate(
            [
                ("2026-11-23T06:00:00Z", START),
                ("2026-11-25T08:59:59Z", START),
                ("2026-11-25T09:00:00Z", START),
                ("2026-11-26T08:15:00Z", "2026-11-26T10:00:00Z"),
                ("2026-11-26T09:20:00Z", "2026-11-26T10:00:00Z"),
            ]
        ):
            work(courier, clinic, now)
            starts[f"{number}@example.com"] = start
            clinic.book(start, contact=contact(email=f"{number}@example.com"))
        work(courier, clinic, END)

    expected = {"0": [DAY, HOUR], "1": [DAY, HOUR], "2": [HOUR], "3": [HOUR], "4": []}
    for who, leads in expected.items():
        begins, came = at(starts[f"{who}@example.com"]), post.reminders(f"{who}@example.com")
        assert len(came) == len(leads)
        assert all(0 <= when - (begins - lead) < WINDOW_SECONDS for when, lead in zip(came, leads, strict=True))
    ids = [mail["Message-ID"] for _, mail in post.arrivals]
    assert len(set(ids)) == len(ids) == 5 + 6


def test_no_reminder_comes_at_once_or_twice_or_never(clinic: Setting) -> None:
    """calcom/cal.diy#10749, #17928, alextselegidis/easyappointments#1132: the reminders of 24 hours and 1 hour before
    were sent together at once, or not at all."""
    each_comes_once_in_its_window(clinic)


def _all_at_once(*asked: Any) -> list[Message]:
    return [replace(message, due=asked[3]) for message in reminders(*asked)]


def _also_late_ones(*asked: Any) -> list[Message]:
    subject, start, rules, _, *rest = asked
    return reminders(subject, start, rules, Instant(start - 30 * DAY), *rest)


def _none(*asked: Any) -> list[Message]:
    return []


@pytest.mark.slow
@pytest.mark.parametrize("broken", [_all_at_once, _also_late_ones, _none])
def test_reminders_outside_their_window_are_caught(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch, broken: Any
) -> None:
    monkeypatch.setattr("slotkeeper.desk.planning.reminders", broken)

    with pytest.raises(AssertionError):
        each_comes_once_in_its_window(clinic)


def cancel(clinic: Setting, appointment: Appointment) -> None:
    act(clinic.desk, STAFF, "cancel", Request(id=appointment.id))


def reschedule(clinic: Setting, appointment: Appointment) -> None:
    move(clinic.desk, STAFF, Move(id=appointment.id, start=at(OTHER)))


Changing = Callable[[Setting, Appointment], None]


class Interrupted(Courier):
    """Between claiming what is due and sending it, something happens."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    async def _deliver(self, jobs: Sequence[Job]) -> Any:
        self.meanwhile()
        return await super()._deliver(jobs)


class NeverLooksAgain(Interrupted):
    """A broken one: it sends what it claimed, and does not read the appointment again."""

    def _look_again(self, job: Job, catalogue: Any) -> Any:
        about, kind = format_instant(job.message.about), job.message.kind.title()
        return Letter(job.message.id, "email", "ada@example.com", kind, about)


def no_stale_message(clinic: Setting, change: Changing, seconds_before: int) -> None:
    """The appointment changes at that time, and the courier works before and after."""
    sent: list[tuple[Instant, str]] = []

    def keep(letter: Letter) -> None:
        if letter.subject.startswith("Reminder"):
            sent.append((clinic.clock.now, letter.text))

    courier = a_courier(clinic, LetterBox(keep))
    appointment = clinic.book(START, contact=contact())
    changed = Instant(at(START) - seconds_before)
    work(courier, clinic, format_instant(changed))
    before = len(sent)
    change(clinic, appointment)
    work(courier, clinic, END)

    assert before == sum(at(START) - lead <= changed for lead in (DAY, HOUR))
    assert not [text for _, text in sent[before:] if "26 November" in text]
    again = sum(at(OTHER) - lead > changed for lead in (DAY, HOUR)) if change is reschedule else 0
    assert len(sent) == before + again


def no_stale_message_in_between(clinic: Setting, change: Changing, kind: type[Interrupted], lead: int) -> None:
    """The appointment changes while its reminder is claimed and about to be sent."""
    box = LetterBox()
    appointment = clinic.book(START, contact=contact())
    clinic.clock.now = Instant(at(START) - lead - 1)
    sweep(a_courier(clinic, box))
    courier = a_courier(clinic, box, kind)
    assert isinstance(courier, Interrupted)
    courier.meanwhile = lambda: change(clinic, appointment)
    clinic.clock.forward(seconds=1)
    seen = len(box.reminders())
    sweep(courier)
    sweep(a_courier(clinic, box))

    assert len(box.reminders()) == seen


AROUND = [lead + offset for lead in (DAY, HOUR) for offset in range(-150, 151, 30)] + [DAY + 1, DAY - 1, 2 * DAY, 1]


@pytest.mark.slow
@pytest.mark.parametrize("change", [cancel, reschedule])
@pytest.mark.parametrize("seconds_before", AROUND)
def test_no_reminder_comes_of_what_was_cancelled_or_moved(
    clinic: Setting, change: Changing, seconds_before: int
) -> None:
    """calcom/cal.diy#7225, #17785, #10166: reminders came for cancelled and for moved visits."""
    no_stale_message(clinic, change, seconds_before)


@pytest.mark.parametrize("change", [cancel, reschedule])
@pytest.mark.parametrize("lead", [DAY, HOUR])
def test_no_reminder_comes_though_it_was_about_to_be_sent(clinic: Setting, change: Changing, lead: int) -> None:
    """calcom/cal.diy#17785: the change came after the job had been taken up."""
    no_stale_message_in_between(clinic, change, Interrupted, lead)


@pytest.mark.parametrize("change", [cancel, reschedule])
def test_a_courier_that_does_not_look_again_is_caught(clinic: Setting, change: Changing) -> None:
    with pytest.raises(AssertionError):
        no_stale_message_in_between(clinic, change, NeverLooksAgain, HOUR)


@pytest.mark.parametrize("change", [cancel, reschedule])
def test_reminders_that_nothing_makes_void_are_caught(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch, change: Changing
) -> None:
    monkeypatch.setattr("slotkeeper.core.appointment.void", lambda messages, why: tuple(messages))
    monkeypatch.setattr("slotkeeper.courier.courier.no_longer", lambda *_: "")

    with pytest.raises(AssertionError):
        no_stale_message(clinic, change, 2 * DAY)
