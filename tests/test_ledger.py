"""How a decision is made again when others have won: soon from what was shown, then slowly from what is read."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from slotkeeper.contracts import Change, Doc, Key, Put, Stale
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Day, day_of
from slotkeeper.desk.changing import Move, Request, act, move
from slotkeeper.desk.desk import Desk
from slotkeeper.doctor import examine
from slotkeeper.documents import kind_key, sheet_key
from slotkeeper.ledger import (
    ATTEMPTS,
    CALM_ATTEMPTS,
    DAYS_REMEMBERED,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Draft,
    Reading,
    settle,
)
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at

COUNTER, NAME = Key("shop/counter", "1"), Key("shop/name", "1")
START = "2026-11-24T09:00:00Z"


class Rivals(SqliteStore):
    """A store in which somebody else is quicker, for the first `times` commits; it counts what is read."""

    def __init__(self, times: int, act: Callable[[], object] = lambda: None) -> None:
        super().__init__(":memory:")
        self.reads: list[Key] = []
        self.times, self._act = 0, act
        self.start(times)

    def start(self, times: int, act: Callable[[], object] | None = None) -> None:
        self.times, self._act = times, act or self._act
        self.reads.clear()

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        self.reads += keys
        return super().read(keys)

    def stamps(self, parts: Sequence[str]) -> Sequence[int] | None:
        """Nothing is remembered from one decision to the next, as on DynamoDB."""
        return None

    def commit(self, change: Change) -> None:
        if self.times:
            self.times -= 1
            self._act()
        super().commit(change)


def counting(times: int) -> Rivals:
    """Each rival counts on."""

    def count_on() -> None:
        there = SqliteStore.read(store, [COUNTER])[COUNTER]
        SqliteStore.commit(store, Change({COUNTER: there.version}, [Put(COUNTER, b"%d" % (int(there.body) + 1))]))

    store = Rivals(0)
    store.commit(Change({COUNTER: 0, NAME: 0}, [Put(COUNTER, b"0"), Put(NAME, b"shop")]))
    store.start(times, count_on)
    return store


def count(reading: Reading, draft: Draft) -> int:
    """A decision from two documents that writes one."""
    name, there = reading.doc(NAME), reading.doc(COUNTER)
    assert name is not None
    assert there is not None
    draft.put(Put(COUNTER, b"%d" % (int(there.body) + 1)))
    return int(there.body) + 1


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause; none of them passes."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


def test_the_first_rivals_cost_no_pause(pauses: list[float]) -> None:
    assert settle(counting(CALM_ATTEMPTS), count) == CALM_ATTEMPTS + 1

    assert pauses == []


def test_a_crowd_is_met_with_pauses_that_grow_and_end(pauses: list[float]) -> None:
    for _ in range(20):
        settle(counting(ATTEMPTS - 1), count)

    each = [pauses[number :: ATTEMPTS - 1 - CALM_ATTEMPTS] for number in range(ATTEMPTS - 1 - CALM_ATTEMPTS)]
    bounds = [min(FIRST_PAUSE_SECONDS * 2**number, LONGEST_PAUSE_SECONDS) for number in range(len(each))]
    assert all(0 <= max(some) <= bound for some, bound in zip(each, bounds, strict=True))
    assert all(max(some) > bound / 2 for some, bound in zip(each, bounds, strict=True))
    assert min(pauses) < FIRST_PAUSE_SECONDS


def test_who_never_wins_is_told_so_within_ten_seconds(pauses: list[float]) -> None:
    store = counting(ATTEMPTS)

    with pytest.raises(Unreachable):
        settle(store, count)

    assert sum(pauses) < 10
    assert store.read([COUNTER])[COUNTER].body == b"%d" % ATTEMPTS


def test_what_was_shown_is_used_at_once_and_read_again_after_a_pause(pauses: list[float]) -> None:
    store = counting(CALM_ATTEMPTS + 2)

    settle(store, count)

    assert len(pauses) == 2
    assert store.reads.count(COUNTER) == 1 + len(pauses)


def test_what_nobody_writes_is_read_once(pauses: list[float]) -> None:
    store = counting(ATTEMPTS - 1)

    settle(store, count)

    assert store.reads.count(NAME) == 1


def a_race(*acts: Callable[[Setting], object]) -> tuple[Setting, Rivals]:
    """A clinic with one doctor, in which somebody else does each of these things right before our next commits."""
    store = Rivals(0)
    clinic, left = a_clinic(store, doctors=1), list(acts)

    def act() -> None:
        rest, store.times = store.times, 0
        left.pop(0)(clinic)
        store.times = rest

    store.start(len(acts), act)
    return clinic, store


def books_at(hour: int) -> Callable[[Setting], object]:
    """Another takes another time of the same day: the sheet changes, and the wish still finds its place."""
    return lambda clinic: clinic.book(f"2026-11-24T{hour}:00:00Z")


def test_the_catalogue_is_read_once_and_the_sheet_when_it_may_have_changed(pauses: list[float]) -> None:
    rivals = CALM_ATTEMPTS + 2
    clinic, store = a_race(*(books_at(10 + number) for number in range(rivals)))

    clinic.book(START)

    assert store.reads.count(kind_key("clinic", "resource", "d0")) == 1 + rivals
    assert store.reads.count(sheet_key("clinic", "d0", day_of(at(START)))) == 1 + rivals + len(pauses)


@pytest.mark.parametrize("days", [1, 2, 3, DAYS_REMEMBERED])
def test_days_that_were_looked_at_together_are_each_insisted_on(days: int) -> None:
    clinic = a_clinic(doctors=1)
    clinic.book(START)
    today, tomorrow = day_of(at(START)), Day(day_of(at(START)) + 1)
    reading = Reading(clinic.store)
    draft = Draft(reading)
    sheets = reading.sheets("clinic", ["d0"], today, days)

    clinic.book("2026-11-24T11:00:00Z")
    clinic.book("2026-11-25T11:00:00Z")
    claim = Claim("apt", at(START), at("2026-11-25T12:00:00Z"))
    draft.claim([sheet_key("clinic", "d0", today), sheet_key("clinic", "d0", tomorrow)], claim, clinic.clock.now)

    assert [len(sheet) for sheet in sheets] == [1]
    with pytest.raises(Stale) as caught:
        clinic.store.commit(draft.change())
    seen = {1: [today], 2: [today, tomorrow]}[min(days, 2)]
    assert {sheet_key("clinic", "d0", day) for day in seen} == caught.value.docs.keys()


def a_request_that_comes_twice_in_a_crowd() -> None:
    """While others book as well, the same request is done by another function first."""
    others = [books_at(10 + number) for number in range(CALM_ATTEMPTS)]
    clinic, _ = a_race(*others, lambda clinic: clinic.book(START, request_key="once"))

    mine = clinic.book(START, request_key="once")

    assert clinic.slots(START, "2026-11-24T09:30:00Z") == []
    assert clinic.book(START, request_key="once") == mine


def test_a_request_that_comes_twice_is_one_also_in_a_crowd(pauses: list[float]) -> None:
    a_request_that_comes_twice_in_a_crowd()


@pytest.mark.parametrize("written", ["a", "b"])
def test_what_was_to_be_written_is_read_again_for_the_next_attempt(written: str) -> None:
    store = SqliteStore(":memory:")
    keys = {name: Key(f"shop/{name}", "1") for name in "ab"}
    reading = Reading(store, is_deciding=True)
    reading.fetch(keys.values())

    assert reading.lasting({keys[written]}).keys() == set(keys.values()) - {keys[written]}


def test_a_claim_is_let_go_of_though_its_sheet_was_read_before_it_came_there(tmp_path: Path) -> None:
    theirs = a_clinic(SqliteStore(tmp_path / "a.db"), doctors=2)
    ours = Desk(SqliteStore(tmp_path / "a.db"), theirs.clock, theirs.desk.new_id)
    booked = theirs.book(START, resource_ids=("d0",))

    ours.store.read([sheet_key("clinic", "d1", day_of(booked.start))])
    move(theirs.desk, STAFF, Move(id=booked.id, start=booked.start, resource_ids=("d1",)))
    with ours.store.batch():
        act(ours, STAFF, "cancel", Request(id=booked.id))

    assert examine(theirs.store, theirs.clock.now).complaints == []
