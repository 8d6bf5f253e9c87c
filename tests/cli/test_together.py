"""Several commits as one: whole or not at all, and again when others were quicker."""

from collections.abc import Callable, Iterator

import pytest

from slotkeeper.cli.history import Past, enter
from slotkeeper.cli.together import together
from slotkeeper.contracts import Change, Doc, Key, Put, Range, Stale, Store
from slotkeeper.core.errors import Invalid, Unreachable
from slotkeeper.desk.desk import Desk
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, a_clinic, at, order
from tests.contracts.store import A, B, C, put


class Counting(SqliteStore):
    """Counts its commits, and lets a rival be quicker than the first."""

    commits = 0
    rival: Callable[[Store], None] | None = None

    def commit(self, change: Change) -> None:
        self.commits += 1
        rival, self.rival = self.rival, None
        if rival is not None:
            rival(self)
        super().commit(change)


@pytest.fixture
def store() -> Iterator[Counting]:
    store = Counting(":memory:")
    yield store
    store.close()


@pytest.fixture
def desk(store: Counting) -> Desk:
    return a_clinic(store).desk


def test_what_was_booked_and_cancelled_long_ago_is_one_commit(desk: Desk, store: Counting) -> None:
    store.commits = 0
    past = Past(booked_at=at("2026-11-01T00:00:00Z"), status="cancelled")

    found = enter(desk, STAFF, order("2026-11-16T09:00:00Z", service_id="visit"), past).appointment

    assert store.commits == 1
    assert found.status == "cancelled"
    assert [event.type for event in found.events] == ["booked", "cancelled"]


def test_nothing_is_kept_of_what_fails_in_the_middle(desk: Desk, store: Counting) -> None:
    def fails(desk: Desk) -> None:
        put(desk.store, A, b"one")
        assert desk.store.read([A])[A].body == b"one"
        raise Unreachable("the disk is full")

    with pytest.raises(Unreachable):
        together(desk, fails)

    assert store.read([A]) == {}


def test_when_a_rival_is_quicker_it_is_all_done_again(desk: Desk, store: Counting) -> None:
    put(store, A, b"0")
    store.rival = lambda behind: put(behind, A, b"10", version=1)

    def adds(desk: Desk) -> int:
        for _ in range(3):
            doc = desk.store.read([A])[A]
            put(desk.store, A, b"%d" % (int(doc.body) + 1), version=doc.version)
        return int(desk.store.read([A])[A].body)

    assert together(desk, adds) == 13
    assert store.read([A])[A].body == b"13"
    assert store.read([A])[A].version == 3


def test_what_was_expected_on_the_way_is_judged_in_the_end(desk: Desk, store: Counting) -> None:
    tries = []

    def expects(desk: Desk) -> None:
        tries.append(1)
        if len(tries) == 1:
            desk.store.commit(Change({A: 5, B: 0}, [Put(B, b"x")]))

    together(desk, expects)

    assert len(tries) == 2
    assert store.read([B]) == {}


def test_its_own_commits_are_seen_and_judged_at_once(desk: Desk, store: Counting) -> None:
    put(store, C, b"old")

    def looks(desk: Desk) -> None:
        put(desk.store, A, b"one")
        with pytest.raises(Stale) as caught:
            put(desk.store, A, b"two", version=0)
        assert caught.value.docs == {A: Doc(A, 1, b"one")}
        desk.store.commit(Change({C: 1, B: 0}, [Put(B, b"one")], [C]))
        ranges = [Range(key.part, "", "z") for key in (A, B, C)]
        assert [[doc.body for doc in docs] for docs in desk.store.read_ranges(ranges)] == [[b"one"], [b"one"], []]
        assert desk.store.read([A, B, C]).keys() == {A, B}

    together(desk, looks)

    assert store.read([A, B, C]).keys() == {A, B}


def test_too_much_for_one_commit_is_told_so(desk: Desk, store: Counting) -> None:
    def writes(desk: Desk) -> None:
        for number in range(101):
            put(desk.store, Key("many", str(number)), b"x")

    with pytest.raises(Invalid, match="101 documents"):
        together(desk, writes)

    assert store.read([Key("many", "1")]) == {}
