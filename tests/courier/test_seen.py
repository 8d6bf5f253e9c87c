"""What the courier remembers of appointments never makes it send or write what is no longer so."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Change, Doc, Key, Letter, Stale
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Unreachable
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.log import notifications
from slotkeeper.courier.seen import KEPT, Seen
from slotkeeper.desk.changing import Request, act, edit
from slotkeeper.documents import appointment_key, decoded
from slotkeeper.ledger import Draft, Reading
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, a_clinic, contact
from tests.post import LetterBox, a_courier, caught, sweep

START = "2026-11-26T09:00:00Z"


class CountingStore(SqliteStore):
    """A store that tells which appointments and notifications it was asked for, and how many commits were stale."""

    asked: Sequence[Key] = ()
    stale = 0

    def commit(self, change: Change) -> None:
        try:
            super().commit(change)
        except Stale:
            self.stale += 1
            raise

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        self.asked = [*self.asked, *(key for key in keys if key.sort in ("appointment", "notification"))]
        return super().read(keys)


class FailingOnce(SqliteStore):
    """A store that does not keep its next batch."""

    is_armed = False

    @contextmanager
    def batch(self) -> Iterator[None]:
        with super().batch():
            yield
            if self.is_armed:
                self.is_armed = False
                raise Unreachable("the disk is full")


class Forgetless(Seen):
    """A broken one: it takes what was written in a batch that failed for what is there."""

    def forget(self) -> None:
        pass


class NotesInTheEnd(Courier):
    """A broken one: it notes what it has sent when there is no more to send."""

    def _note(self, outcomes: object) -> None:
        self.kept = [*getattr(self, "kept", []), *outcomes]  # type: ignore[misc] # any outcomes


def test_an_appointment_is_read_once_more_before_it_is_sent_and_not_again_to_be_noted() -> None:
    store = CountingStore(":memory:")
    clinic = a_clinic(store)
    key = appointment_key("clinic", clinic.book(START, contact=contact()).id)
    store.asked = []

    assert sweep(a_courier(clinic, LetterBox())).sent == 1
    assert store.asked == [key]


def test_a_message_is_claimed_and_noted_at_the_first_go() -> None:
    store = CountingStore(":memory:")
    clinic = a_clinic(store)
    courier = a_courier(clinic, LetterBox())
    for _ in range(2):
        clinic.book(START, contact=contact())
    store.stale = 0

    assert sweep(courier).sent == 2
    assert store.stale == 0


def test_what_was_read_is_decoded_once_and_what_is_not_there_is_none() -> None:
    clinic = a_clinic()
    key = appointment_key("clinic", clinic.book(START).id)
    seen = Seen(clinic.store)

    first = seen.again(key)

    assert first is not None
    assert seen.again(key) is first
    assert seen.again(appointment_key("clinic", "apt_none")) is None


def test_what_was_written_is_known_as_it_stands_in_the_store() -> None:
    store = CountingStore(":memory:")
    clinic = a_clinic(store)
    key = appointment_key("clinic", clinic.book(START).id)
    seen = Seen(store)
    seen.again(key)
    store.asked, store.stale = (), 0

    def into(zone: str) -> Appointment | None:
        def change(reading: Reading, draft: Draft, before: Appointment) -> tuple[Appointment, Appointment]:
            after = replace(before, zone=zone)
            return after, after

        return seen.rewrite(key, change)

    after = [into("Europe/Paris"), into("Europe/Rome")]

    assert (store.asked, store.stale) == ((), 0)
    assert seen.again(key) is after[-1]


def test_what_changed_between_sending_and_noting_is_kept(tmp_path: Path) -> None:
    clinic = a_clinic(SqliteStore(tmp_path / "a.db"))
    id = clinic.book(START, contact=contact()).id

    def change(letter: Letter) -> None:
        edit(clinic.desk, STAFF, Request(id=id), {"notes": "left knee"}, None)

    sweep(a_courier(clinic, LetterBox(change)))

    key = appointment_key("clinic", id)
    after = decoded(clinic.store.read([key])[key], Appointment)
    assert after.details == {"notes": "left knee"}
    assert [each.state for each in after.messages if each.kind == "booked"] == ["sent"]


@pytest.mark.parametrize("kind", [Seen, Forgetless])
def test_what_was_written_in_a_batch_that_failed_was_never_there(kind: type[Seen], tmp_path: Path) -> None:
    store = FailingOnce(tmp_path / "a.db")
    clinic = a_clinic(store)
    id = clinic.book(START, contact=contact()).id
    courier = a_courier(clinic, LetterBox())
    courier._seen = kind(store)

    store.is_armed = True
    with pytest.raises(Unreachable):
        sweep(courier)
    act(clinic.desk, STAFF, "cancel", Request(id=id))

    with caught(kind, Forgetless):
        key = appointment_key("clinic", id)
        assert courier._seen.rewrite(key, lambda reading, draft, before: (before, before.status)) == "cancelled"


@pytest.mark.parametrize("kind", [Courier, NotesInTheEnd])
def test_what_has_left_is_noted_within_the_second_however_slow_the_server(kind: type[Courier], tmp_path: Path) -> None:
    clinic, noted = a_clinic(SqliteStore(tmp_path / "a.db")), list[int]()
    for _ in range(3):
        clinic.book(START, contact=contact())

    def take_a_second(letter: Letter) -> None:
        noted.append(len(notifications(clinic.store, "clinic").notifications))
        clinic.clock.forward(seconds=1)

    sweep(a_courier(clinic, LetterBox(take_a_second), kind, at_once=1))

    with caught(kind, NotesInTheEnd):
        assert noted == [0, 1, 2]


def test_no_more_is_remembered_than_so_many_appointments() -> None:
    clinic = a_clinic()
    key = appointment_key("clinic", clinic.book(START).id)
    seen, [body] = Seen(clinic.store), [doc.body for doc in clinic.store.read([key]).values()]

    for number in range(3 * KEPT):
        seen.appointment(Doc(appointment_key("clinic", f"apt_{number}"), 1, body))

    assert len(seen._kept) <= KEPT
