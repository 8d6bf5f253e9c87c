"""A crash at any point loses nothing, and nothing is sent twice save after one."""

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Change, Doc, Key, Letter
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Invalid, Unreachable
from slotkeeper.core.reminders import LEASE_SECONDS
from slotkeeper.courier.claiming import Job, take_appointment
from slotkeeper.courier.courier import SEND_SECONDS, Courier
from slotkeeper.courier.log import notifications
from slotkeeper.courier.noting import Outcome
from slotkeeper.courier.seen import Seen
from slotkeeper.documents import business_of, decoded
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic, a_setting, at, contact
from tests.post import LetterBox, a_courier, caught, sweep, work

START = "2026-11-26T09:00:00Z"
DAY_BEFORE = "2026-11-25T09:00:00Z"


class NotesFirst(Courier):
    """A broken one: it notes the message as sent, and sends it then."""

    async def _send(self, job: Any, letter: Letter) -> Outcome:
        self._note([Outcome(job, "sent", "", letter)])
        return await super()._send(job, letter)


class ClaimsNothing(Courier):
    """A broken one: it sends what is due without having claimed it."""

    def _take(self, docs: Sequence[Doc]) -> Any:
        dues = ((business_of(doc.key), decoded(doc, Appointment)) for doc in docs)
        jobs = [
            Job(business, each.id, "", message)
            for business, each in dues
            for message in each.messages
            if message.is_owed and message.due <= self._clock()
        ]
        return Counter(seen=len(docs)), jobs

    def _look_again(self, job: Any, catalogue: Any) -> Any:
        return Letter(job.message.id, job.message.channel, "ada@example.com", "Reminder", "")


class FullAfterOne(SqliteStore):
    """A store whose disk fills up after its first batch, until somebody makes room."""

    batches = 0
    has_room = False

    @contextmanager
    def batch(self) -> Iterator[None]:
        self.batches += 1
        with super().batch():
            yield
            if self.batches > 1 and not self.has_room:
                raise Unreachable("the disk is full")


class FailsToRead(SqliteStore):
    """A store whose next read fails once it is told to."""

    fails = False

    def fail(self) -> None:
        self.fails = True

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        if self.fails:
            self.fails = False
            raise Unreachable("the disk does not answer")
        return super().read(keys)


class SlowBox(LetterBox):
    """It takes its time to answer."""

    async def send(self, letter: Letter) -> str:
        answer = await super().send(letter)
        await asyncio.sleep(0.02)
        return answer


class ForgetsWhatItCouldNotNote(Courier):
    """A broken one: what the store fails to note is forgotten, and left to the lease."""

    def _note(self, outcomes: Iterable[Outcome]) -> None:
        try:
            super()._note(outcomes)
        finally:
            self._unnoted.clear()


class Killed(BaseException):
    """What a worker feels when it is killed."""


def a_clinic_to_remind(path: Path, count: int = 1) -> Setting:
    """A clinic in a file, whose confirmations are out and whose first reminders are due now."""
    clinic = a_clinic(SqliteStore(path), doctors=count)
    for number in range(count):
        clinic.book(START, contact=contact(email=f"{number}@example.com"))
    work(a_courier(clinic, LetterBox()), clinic, "2026-11-24T00:00:00Z")
    clinic.clock.set(DAY_BEFORE)
    return clinic


@pytest.mark.parametrize("kind", [Courier, NotesFirst])
def test_who_dies_while_sending_leaves_the_message_to_another(tmp_path: Path, kind: type[Courier]) -> None:
    clinic, tried = a_clinic_to_remind(tmp_path / "a.db"), []

    def die(letter: Letter) -> None:
        tried.append(letter.id)
        raise Killed

    with pytest.raises(Killed):
        sweep(a_courier(clinic, LetterBox(die), kind))
    box = LetterBox()
    other = a_courier(clinic, box)
    clinic.clock.forward(seconds=LEASE_SECONDS - 1)
    early = sweep(other)
    clinic.clock.forward(seconds=1)
    sweep(other)

    with caught(kind, NotesFirst):
        assert early.sent == 0
        assert [letter.id for letter in box.letters] == tried
        assert sweep(other).seen == 0


@pytest.mark.slow
def test_a_worker_that_is_killed_between_sending_and_noting_sends_again_with_the_same_id(tmp_path: Path) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db")
    script = f"""
import asyncio, os, sys
from slotkeeper.courier.courier import Courier
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.documents import business_of, decoded
from slotkeeper.stores.sqlite import SqliteStore
class Sends:
    async def send(self, letter):
        print(letter.id, flush=True)
        os._exit(9)
store = SqliteStore({str(tmp_path / "a.db")!r})
courier = Courier(store, lambda: {clinic.clock.now}, {{"email": Sends()}}, OutboxSender())
asyncio.run(courier.sweep())
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    box = LetterBox()
    courier = a_courier(clinic, box)
    at_once = sweep(courier)
    clinic.clock.forward(seconds=LEASE_SECONDS)
    sweep(courier)

    assert killed.returncode == 9, killed.stderr
    assert at_once.seen == 0
    assert [letter.id for letter in box.letters] == killed.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Courier, ClaimsNothing])
def test_two_couriers_on_one_file_never_send_one_message_twice(tmp_path: Path, kind: type[Courier]) -> None:
    path = tmp_path / "a.db"
    clinic = a_clinic_to_remind(path, count=80)
    box = LetterBox()
    ready = threading.Barrier(2)

    def run() -> None:
        mine = Setting(clinic.desk, clinic.clock, SqliteStore(path))
        courier = a_courier(mine, box, kind)
        ready.wait()
        for _ in range(30):
            asyncio.run(courier.sweep(limit=7))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with caught(kind, ClaimsNothing):
        assert Counter(Counter(letter.id for letter in box.letters).values()) == {1: 80}
        assert sweep(a_courier(clinic, box)).seen == 0


def test_a_store_that_fails_while_noting_leaves_the_messages_to_the_lease(tmp_path: Path) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db")
    box = LetterBox()
    filling = Setting(clinic.desk, clinic.clock, FullAfterOne(tmp_path / "a.db"))
    with pytest.raises(Unreachable):
        sweep(a_courier(filling, box))

    clinic.clock.forward(seconds=LEASE_SECONDS)
    sweep(a_courier(clinic, box))

    assert len(box.letters) == 2
    assert len({letter.id for letter in box.letters}) == 1


@pytest.mark.parametrize("kind", [Courier, ForgetsWhatItCouldNotNote])
def test_who_lives_on_when_the_store_fails_sends_nothing_twice(tmp_path: Path, kind: type[Courier]) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db")
    store, box = FullAfterOne(tmp_path / "a.db"), LetterBox()
    courier = a_courier(Setting(clinic.desk, clinic.clock, store), box, kind)
    for _ in range(3):
        with pytest.raises(Unreachable):
            sweep(courier)
        clinic.clock.forward(seconds=LEASE_SECONDS)

    store.has_room = True
    sweep(courier)

    with caught(kind, ForgetsWhatItCouldNotNote):
        assert len(box.letters) == 1


def test_a_worker_that_is_stopped_notes_what_it_has_sent(tmp_path: Path) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db", count=3)
    box = LetterBox()

    async def stop_while_the_second_is_sent() -> None:
        async def slow(letter: Letter) -> str:
            box.letters.append(letter)
            if len(box.letters) == 2:
                task.cancel()
                await asyncio.sleep(60)
            return "sent"

        box.send = slow  # type: ignore[method-assign] # a slow server
        task = asyncio.ensure_future(a_courier(clinic, box, at_once=1).sweep())
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stop_while_the_second_is_sent())

    sent = [each.id for each in notifications(clinic.store, "clinic").notifications if each.kind == "reminder"]
    assert sent == [box.letters[0].id]


@pytest.mark.parametrize(("seconds", "counts"), [(SEND_SECONDS - 1, (2, 0)), (SEND_SECONDS, (1, 1))])
def test_a_try_begins_no_later_than_it_may_end(tmp_path: Path, seconds: int, counts: tuple[int, int]) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db", count=2)

    swept = sweep(a_courier(clinic, LetterBox(lambda letter: clinic.clock.forward(seconds=seconds)), at_once=1))

    assert (swept.sent, swept.untried) == counts


def test_what_another_has_taken_over_by_its_turn_is_left_to_the_other(tmp_path: Path) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db", count=2)
    keys = [doc.key for doc in clinic.store.list("due", "due", limit=2).docs]

    def take_over(letter: Letter) -> None:
        clinic.clock.forward(seconds=LEASE_SECONDS)
        for key in keys:
            take_appointment(Seen(clinic.store), key, clinic.clock.now)

    box = LetterBox(take_over)
    swept = sweep(a_courier(clinic, box, at_once=1))

    assert len(box.letters) == 1
    assert (swept.sent, swept.untried) == (1, 0)


def test_what_is_owed_no_more_by_its_turn_keeps_no_other_from_being_sent(tmp_path: Path) -> None:
    """As after an import, which leaves of an appointment's messages those that are still of use."""
    clinic = a_clinic_to_remind(tmp_path / "a.db", count=3)
    _, second, _ = (doc.key for doc in clinic.store.list("due", "due", limit=3).docs)

    def hush(letter: Letter) -> None:
        Seen(clinic.store).rewrite(second, lambda reading, draft, before: (replace(before, messages=()), None))

    box = LetterBox(hush)
    swept = sweep(a_courier(clinic, box, at_once=1))

    assert (swept.sent, len(box.letters)) == (2, 2)


def test_a_store_that_fails_for_one_lets_what_is_being_sent_arrive_and_be_noted(tmp_path: Path) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db", count=2)
    store, box = FailsToRead(tmp_path / "a.db"), SlowBox(lambda letter: store.fail())

    with pytest.raises(Unreachable):
        sweep(a_courier(Setting(clinic.desk, clinic.clock, store), box, at_once=2))

    sent = [each.id for each in notifications(clinic.store, "clinic").notifications if each.kind == "reminder"]
    assert sent == [letter.id for letter in box.letters]
    assert len(sent) == 1


def test_a_claim_that_waited_too_long_goes_back_untried(tmp_path: Path) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db", count=2)

    def take_long(letter: Letter) -> None:
        clinic.clock.forward(seconds=SEND_SECONDS + 1)

    box = LetterBox(take_long)
    courier = a_courier(clinic, box, at_once=1)
    first = sweep(courier)
    second = sweep(courier)

    assert (first.sent, first.untried, second.sent) == (1, 1, 1)
    assert len({letter.id for letter in box.letters}) == 2


def test_a_damaged_document_keeps_no_other_from_being_delivered(tmp_path: Path) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db", count=2)
    assert isinstance(clinic.store, SqliteStore)
    clinic.store._writer.execute(
        "UPDATE doc SET body = 'x' WHERE id = (SELECT min(id) FROM doc WHERE part LIKE 'clinic/appointment/%')"
    )
    box = LetterBox()

    swept = sweep(a_courier(clinic, box))

    assert swept.damaged == 1
    assert len(box.letters) == 1


class LooksAtTheHeadAlone(Courier):
    """A broken one: it sees no further than as many documents as it may do."""

    async def sweep(self, limit: int = 200) -> Any:
        return await self._attend(self._store.list("due", "due", limit=limit).docs)


@pytest.mark.parametrize("kind", [Courier, LooksAtTheHeadAlone])
def test_damaged_documents_at_the_head_of_the_list_starve_nobody(tmp_path: Path, kind: type[Courier]) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db", count=9)
    assert isinstance(clinic.store, SqliteStore)
    due = [doc.key for doc in clinic.store.list("due", "due", limit=8).docs]
    damage = sqlite3.connect(tmp_path / "a.db")
    with damage:
        damage.executemany("UPDATE doc SET body = 'x' WHERE part = ? AND sort = ?", due)
    damage.close()
    box = LetterBox()
    courier = a_courier(clinic, box, kind)

    asyncio.run(courier.sweep(limit=4))

    with caught(kind, LooksAtTheHeadAlone):
        assert len(box.letters) == 1
    if kind is Courier:
        assert courier.next_due() == at(START) - 3600


def test_nothing_is_due_in_an_empty_store() -> None:
    courier = a_courier(a_setting())

    assert courier.next_due() is None
    assert sweep(courier).seen == 0


def test_what_is_due_next_is_known(tmp_path: Path) -> None:
    clinic = a_clinic_to_remind(tmp_path / "a.db")
    courier = a_courier(clinic, LetterBox())

    sweep(courier)

    assert courier.next_due() == at(START) - 3600


class TakesNothingMore(SqliteStore):
    """One document is as large as can be: every further write of it is refused."""

    full = ""

    def commit(self, change: Change) -> None:
        if self.full and any(self.full in put.key.part for put in change.puts):
            raise Invalid("the document is too large")
        super().commit(change)


def test_a_document_as_large_as_can_be_keeps_no_other_from_being_delivered() -> None:
    store = TakesNothingMore(":memory:")
    clinic = a_clinic(store, doctors=2)
    first, _ = (clinic.book("2026-11-27T09:00:00Z", contact=contact(email=f"{n}@example.com")) for n in "ab")
    store.full = first.id
    box = LetterBox()

    swept = sweep(a_courier(clinic, box))

    assert swept.damaged == 1
    assert [letter.to for letter in box.letters] == ["b@example.com"]


def damage(store: TakesNothingMore, id: str) -> None:
    """Leave of the appointment what nobody can read."""
    other = sqlite3.connect(store._path)
    with other:
        other.execute("UPDATE doc SET body = 'x', version = version + 1 WHERE part = ?", [f"clinic/appointment/{id}"])
    other.close()


def fill(store: TakesNothingMore, id: str) -> None:
    store.full = id


@pytest.mark.parametrize("spoil", [damage, fill])
def test_what_cannot_be_noted_is_logged_once_and_keeps_nothing_else_from_being_noted(
    spoil: Callable[[TakesNothingMore, str], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = TakesNothingMore(tmp_path / "a.db")
    clinic = a_clinic(store)
    first, second = (clinic.book("2026-11-27T09:00:00Z", contact=contact(email=f"{n}@example.com")) for n in "ab")
    box = LetterBox(lambda letter: spoil(store, first.id) if len(box.letters) == 1 else None)
    courier = a_courier(clinic, box, at_once=1)

    with caplog.at_level(logging.ERROR):
        sweep(courier)
        sweep(courier)

    assert len(box.letters) == 2
    assert [each.appointment_id for each in notifications(store, "clinic").notifications] == [second.id]
    assert [each.getMessage() for each in caplog.records if "noted" in each.getMessage()] == [
        f"what became of the messages of clinic/{first.id} cannot be noted"
    ]
