"""T17: a worker that stops, is killed, or is not alone loses no reminder and repeats none without need."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from slotkeeper.core.reminders import LEASE_SECONDS
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.noting import Outcome
from slotkeeper.embedded.worker import Worker
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic, at, contact
from tests.courier.test_crashes import ClaimsNothing
from tests.post import LetterBox, MailServer, a_courier, sweep, work
from tests.serving import ROOT

pytestmark = pytest.mark.slow

START, DAY_BEFORE = "2026-11-26T09:00:00Z", "2026-11-25T09:00:00Z"
PATIENTS = 40


class OnlyThisMinute(Courier):
    """A broken one, as a job that cron starts each minute: it sends what is due in this minute and no other."""

    def _look_again(self, job: Any, catalogue: Any) -> Any:
        ready = super()._look_again(job, catalogue)
        is_late = self._clock() - (job.message.about - job.message.lead_minutes * 60) >= 60
        return Outcome(job, "void", "late") if job.message.about and is_late else ready


class SlowServer(MailServer):
    """A mail server that takes its time."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(0.05)
        return await super().handle_DATA(server, session, envelope)


def a_clinic_to_remind(path: Path) -> Setting:
    """Many patients at one time, whose confirmations are out and whose first reminders are due in five minutes."""
    clinic = a_clinic(SqliteStore(path), doctors=PATIENTS)
    for number in range(PATIENTS):
        clinic.book(START, contact=contact(email=f"{number}@example.com"))
    work(a_courier(clinic, LetterBox()), clinic, "2026-11-24T00:00:00Z")
    clinic.clock.set("2026-11-25T08:55:00Z")
    return clinic


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


def ten_minutes_off(path: Path, kind: type[Courier]) -> None:
    """Nobody works from five minutes before the reminders are due to five minutes after."""
    clinic, box = a_clinic_to_remind(path), LetterBox()
    sweep(a_courier(clinic, box, kind))
    clinic.clock.forward(minutes=10)
    courier = a_courier(clinic, box, kind)
    for _ in range(3):
        sweep(courier)
        clinic.clock.forward(minutes=5)

    assert sorted(letter.to for letter in box.reminders()) == sorted(f"{n}@example.com" for n in range(PATIENTS))
    assert len({letter.id for letter in box.reminders()}) == PATIENTS


def killed_in_the_middle(path: Path, code: str = "") -> None:
    """A worker's process is killed while it sends; another takes over when the claims have run out."""
    clinic, post = a_clinic_to_remind(path), SlowServer()
    clinic.clock.set(DAY_BEFORE)
    with post.running():
        with subprocess.Popen([sys.executable, "-c", _worker(path, clinic, post.port, code)], cwd=ROOT) as process:
            _wait_until(lambda: len(post.mails) >= 8 or process.poll() is not None)
            process.kill()
        assert process.returncode == -9
    before = Counter(str(mail["Message-ID"]).strip("<>").split("@")[0] for mail in post.mails)
    box = LetterBox()
    courier = a_courier(clinic, box)
    early = sweep(courier)
    clinic.clock.forward(seconds=LEASE_SECONDS)
    sweep(courier)
    after = Counter(letter.id for letter in box.reminders())

    assert 8 <= before.total() < PATIENTS
    assert early.sent == 0
    assert set(before.values()) == set(after.values()) == {1}
    assert len(before.keys() | after.keys()) == PATIENTS
    assert sweep(courier).seen == 0


def _worker(path: Path, clinic: Setting, port: int, code: str) -> str:
    """A worker's process: real store, real courier, real SMTP."""
    return f"""
import asyncio
from slotkeeper.courier.courier import Courier
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from slotkeeper.stores.sqlite import SqliteStore
{code}
clock = lambda: {clinic.clock.now}
settings = SmtpSettings(host="127.0.0.1", port={port}, sender="visits@clinic.example", security="none", connections=4)
courier = Courier(SqliteStore({str(path)!r}), clock, {{"email": SmtpSender(settings, clock)}}, OutboxSender())
asyncio.run(courier.sweep())
"""


def _wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


def two_on_one_file(path: Path, kind: type[Courier]) -> None:
    """Two workers, each with its own store and its own thread, are let loose at the same time."""
    clinic, box = a_clinic_to_remind(path), LetterBox()
    clinic.clock.set(DAY_BEFORE)
    stores = [SqliteStore(path) for _ in range(2)]
    couriers = [a_courier(Setting(clinic.desk, clinic.clock, store), box, kind) for store in stores]
    workers = [Worker(courier, clinic.clock) for courier in couriers]
    for worker in workers:
        worker.start()
    later = at(START) - 3600
    _wait_until(lambda: len(box.reminders()) >= PATIENTS and couriers[0].next_due() == later)
    for worker in workers:
        worker.stop()

    assert Counter(Counter(letter.id for letter in box.letters).values()) == {1: PATIENTS}
    assert sum(worker.counts.errors for worker in workers) == 0


def test_ten_minutes_without_a_worker_lose_and_repeat_nothing(path: Path) -> None:
    """LibreBooking/librebooking#269: one missed minute lost the reminders, a rerun repeated them."""
    ten_minutes_off(path, Courier)


def test_who_sends_only_what_is_due_this_minute_is_caught(path: Path) -> None:
    with pytest.raises(AssertionError):
        ten_minutes_off(path, OnlyThisMinute)


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(path: Path) -> None:
    """LibreBooking/librebooking#269, by kill -9; what comes again has the same Message-ID."""
    killed_in_the_middle(path)


NOTES_FIRST = """
from slotkeeper.courier import courier as module
from slotkeeper.courier.noting import Outcome
send = Courier._deliver
async def notes_first(self, jobs):
    self._note([Outcome(job, "sent") for job in jobs])
    return await send(self, jobs)
Courier._deliver = notes_first
Courier._look_again = lambda self, job, catalogue: module.letter_for(
    catalogue, self._render, job.business, _known(self, job), job.message, self._clock()
)
def _known(self, job):
    from slotkeeper.core.appointment import Appointment
    from slotkeeper.documents import appointment_key
    from slotkeeper.ledger import Reading
    return Reading(self._store).value(appointment_key(job.business, job.appointment_id), Appointment)
"""


def test_a_worker_that_notes_before_it_sends_is_caught(path: Path) -> None:
    with pytest.raises(AssertionError):
        killed_in_the_middle(path, NOTES_FIRST)


def test_two_workers_on_one_file_repeat_nothing(path: Path) -> None:
    """LibreBooking/librebooking#269: two runs at the same time sent everything twice."""
    two_on_one_file(path, Courier)


def test_two_workers_that_claim_nothing_are_caught(path: Path) -> None:
    with pytest.raises(AssertionError):
        two_on_one_file(path, ClaimsNothing)
