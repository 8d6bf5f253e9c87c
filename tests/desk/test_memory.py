"""What was made of documents: used again while they stand, made again when one has changed, never taken for another."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from slotkeeper.contracts import Change, Key, Put
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.desk.memory import Memory
from slotkeeper.ledger import Reading
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, a_clinic, at

A, B = Key("shop/a", "1"), Key("shop/b", "1")


@pytest.fixture
def store() -> SqliteStore:
    store = SqliteStore(":memory:")
    store.commit(Change({A: 0, B: 0}, [Put(A, b"1"), Put(B, b"1")]))
    return store


def write(store: SqliteStore, key: Key, body: bytes) -> None:
    store.commit(Change({key: store.read([key])[key].version}, [Put(key, body)]))


class Maker:
    """Makes numbers of documents, and counts how often."""

    def __init__(self, *keys: Key) -> None:
        self.keys, self.times = keys, 0

    def one(self, reading: Reading) -> int:
        self.times += 1
        return sum(int(doc.body) for key in self.keys if (doc := reading.doc(key)))

    def many(self, reading: Reading, unknown: Sequence[int]) -> list[int]:
        self.times += len(unknown)
        return [int(doc.body) for at in unknown if (doc := reading.doc(self.keys[at]))]


def test_it_is_made_once_while_its_documents_stand(store: SqliteStore) -> None:
    memory, maker = Memory(), Maker(A)

    found = [memory.made(Reading(store), "sum", [A.part], maker.one) for _ in range(3)]
    write(store, B, b"9")
    found.append(memory.made(Reading(store), "sum", [A.part], maker.one))

    assert found == [1] * 4
    assert maker.times == 1


def test_it_is_made_again_when_one_of_its_parts_has_changed(store: SqliteStore) -> None:
    memory, maker = Memory(), Maker(A, B)
    assert memory.made(Reading(store), "sum", [A.part, B.part], maker.one) == 2

    write(store, B, b"9")

    assert memory.made(Reading(store), "sum", [A.part, B.part], maker.one) == 10


def test_what_was_read_before_the_stamps_is_not_trusted(store: SqliteStore) -> None:
    memory, maker = Memory(), Maker(A)
    reading = Reading(store)
    reading.fetch([A])
    write(store, A, b"2")

    assert memory.made(reading, "sum", [A.part], maker.one) == 2
    assert memory.made(Reading(store), "sum", [A.part], maker.one) == 2


def test_of_many_only_those_that_changed_are_made_again(store: SqliteStore) -> None:
    memory, maker = Memory(), Maker(A, B)
    parts = [A.part, B.part]
    write(store, A, b"100")
    before = memory.each(Reading(store), "each", parts, maker.many)
    assert memory.each(Reading(store), "each", parts, maker.many) is before

    write(store, B, b"5")

    assert memory.each(Reading(store), "each", parts, maker.many) == [100, 5]
    assert before == [100, 1]
    assert maker.times == 3


def test_another_process_is_noticed(tmp_path: Path) -> None:
    ours, theirs = SqliteStore(tmp_path / "a.db"), SqliteStore(tmp_path / "a.db")
    ours.commit(Change({A: 0}, [Put(A, b"1")]))
    memory, maker = Memory(), Maker(A)
    assert memory.made(Reading(ours), "sum", [A.part], maker.one) == 1

    write(theirs, A, b"7")

    assert memory.made(Reading(ours), "sum", [A.part], maker.one) == 7
    ours.close()
    theirs.close()


def test_what_a_batch_has_undone_is_not_kept(store: SqliteStore) -> None:
    memory, maker = Memory(), Maker(A)

    with pytest.raises(ZeroDivisionError), store.batch():  # noqa: PT012 - what happens within is the test
        write(store, A, b"3")
        assert memory.made(Reading(store), "sum", [A.part], maker.one) == 3
        raise ZeroDivisionError

    assert memory.made(Reading(store), "sum", [A.part], maker.one) == 1


def test_it_keeps_no_more_than_it_may(store: SqliteStore) -> None:
    memory = Memory(most=10)

    for number in range(50):
        memory.made(Reading(store), number, [A.part], lambda reading: 0)

    memory.each(Reading(store), "many", [A.part] * 4, lambda reading, changed: [0] * 4)
    kept = list(memory._made)
    memory.each(Reading(store), "too many", [A.part] * 11, lambda reading, changed: [0] * 11)

    assert kept == [44, 45, 46, 47, 48, 49, "many"]
    assert list(memory._made) == kept


def test_as_many_as_it_may_keep_are_kept(store: SqliteStore) -> None:
    memory, maker = Memory(most=2), Maker(A, B)
    parts = [A.part, B.part]

    for _ in range(2):
        memory.each(Reading(store), "both", parts, maker.many)

    assert maker.times == 2


def test_what_is_made_again_takes_no_more_room_than_before(store: SqliteStore) -> None:
    memory, maker = Memory(most=2), Maker(B)
    memory.made(Reading(store), "other", [B.part], maker.one)

    for number in range(5):
        write(store, A, str(number).encode())
        memory.made(Reading(store), "one", [A.part], Maker(A).one)
    memory.made(Reading(store), "other", [B.part], maker.one)

    assert maker.times == 1


def test_a_hold_that_expires_is_free_again_without_any_write() -> None:
    clinic = a_clinic(doctors=1)
    whole = clinic.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")
    hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(whole[0]), seconds=60))
    held = clinic.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")

    clinic.clock.forward(seconds=60)

    assert held != whole
    assert clinic.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z") == whole


def test_ones_own_appointment_is_not_in_its_own_way_and_others_are() -> None:
    clinic = a_clinic(doctors=1)
    first, _, third, *_ = clinic.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")
    mine = clinic.book(first)
    others = clinic.book(third)
    seen = clinic.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")

    again = clinic.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", ignoring=(mine.id,))

    assert first in again
    assert first not in seen
    assert others.start == at(third)
    assert third not in again
