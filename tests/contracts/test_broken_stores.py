"""A contract that no broken store fails is not one: each store here breaks one promise, and must be caught."""

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from slotkeeper.contracts import Change, Doc, Key, ListName, Page, Put, Range, Stale
from slotkeeper.stores.schema import roll_back
from slotkeeper.stores.sqlite import SqliteStore
from tests.contracts.store import StoreContract

pytestmark = pytest.mark.slow


def _current(store: SqliteStore, change: Change) -> dict[Key, int]:
    found = store.read(list(change.expects))
    return {key: found[key].version if key in found else 0 for key in change.expects}


def _blindly(change: Change, versions: dict[Key, int]) -> Change:
    return Change(versions, change.puts, change.deletes)


class ChecksThenWrites(SqliteStore):
    """Looks at the versions first and writes later, as if nothing could come between."""

    def commit(self, change: Change) -> None:
        versions = _current(self, change)
        stale = [key for key, version in versions.items() if version != change.expects[key]]
        if stale:
            found = self.read(stale)
            raise Stale({key: found.get(key) for key in stale})
        time.sleep(0.001)
        while True:
            try:
                return super().commit(_blindly(change, _current(self, change)))
            except Stale:
                continue


class ChecksOnlyWhatItWrites(SqliteStore):
    def commit(self, change: Change) -> None:
        written = {put.key for put in change.puts} | set(change.deletes)
        super().commit(Change({key: change.expects[key] for key in written}, change.puts, change.deletes))


class WritesOneByOne(SqliteStore):
    """Not all or nothing: each document in a commit of its own."""

    def commit(self, change: Change) -> None:
        for put in change.puts:
            super().commit(Change({put.key: change.expects[put.key]}, [put]))
        rest = [put.key for put in change.puts]
        super().commit(Change({k: v for k, v in change.expects.items() if k not in rest}, (), change.deletes))


class NamesOneStaleKey(SqliteStore):
    def commit(self, change: Change) -> None:
        try:
            super().commit(change)
        except Stale as stale:
            raise Stale(dict(list(stale.docs.items())[:1])) from None


class ShowsNothingWhenStale(SqliteStore):
    def commit(self, change: Change) -> None:
        try:
            super().commit(change)
        except Stale as stale:
            raise Stale(dict.fromkeys(stale.docs)) from None


class SwallowsStale(SqliteStore):
    def commit(self, change: Change) -> None:
        try:
            super().commit(change)
        except Stale:
            return


class KeepsOldPlaces(SqliteStore):
    """A rewritten document stays in the lists that it has left."""

    def commit(self, change: Change) -> None:
        self._stood = getattr(self, "_stood", {})
        kept = [Put(put.key, put.body, {**self._stood.get(put.key, {}), **put.places}) for put in change.puts]
        super().commit(Change(change.expects, kept, change.deletes))
        self._stood |= {put.key: put.places for put in kept}


class LeavesOutTheLastOfARange(SqliteStore):
    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        found = super().read_ranges(ranges)
        return [[doc for doc in docs if doc.key.sort != each.last] for docs, each in zip(found, ranges, strict=True)]


class ListsInNoOrder(SqliteStore):
    def list(self, name: ListName, part: str, **others: Any) -> Page:
        page = super().list(name, part, **others)
        return Page(sorted(page.docs, key=lambda doc: doc.key), page.after)


class RepeatsAtThePageBreak(SqliteStore):
    def list(self, name: ListName, part: str, *, after: str | None = None, **others: Any) -> Page:
        if after is not None and not others.get("reverse"):
            others["first"] = after
            after = None
        return super().list(name, part, after=after, **others)


class SkipsAtThePageBreak(SqliteStore):
    def list(self, name: ListName, part: str, *, after: str | None = None, **others: Any) -> Page:
        page = super().list(name, part, after=after, **others)
        return page if after is None else Page(page.docs[1:], page.after)


class WalksIntoTheNeighbour(SqliteStore):
    def walk(self, prefix: str = "") -> Iterator[Doc]:
        return super().walk(prefix[:-2])


class WalksOnePageOnly(SqliteStore):
    def walk(self, prefix: str = "") -> Iterator[Doc]:
        return (doc for _, doc in zip(range(500), super().walk(prefix), strict=False))


class ForgetsToCountVersions(SqliteStore):
    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        return {key: Doc(key, 1, doc.body) for key, doc in super().read(keys).items()}


class TidiesBodies(SqliteStore):
    def commit(self, change: Change) -> None:
        tidy = [Put(put.key, put.body.strip(b"\x1f"), put.places) for put in change.puts]
        super().commit(Change(change.expects, tidy, change.deletes))


class RollsTheBatchBackOnStale(SqliteStore):
    def commit(self, change: Change) -> None:
        try:
            super().commit(change)
        except Stale:
            self._rows.forget()
            roll_back(self._writer)
            self._begin()
            raise


class StampsOnce(SqliteStore):
    """Takes what was made of a part for good as long as the store lives."""

    def stamps(self, parts: Sequence[str]) -> Sequence[int] | None:
        return [hash(part) for part in parts]


class StampsByCount(SqliteStore):
    """Takes a part for unchanged when it has as many documents as before."""

    def stamps(self, parts: Sequence[str]) -> Sequence[int] | None:
        return [len(docs) for docs in self.read_ranges([Range(part, "", "\U0010ffff") for part in parts])]


BROKEN: list[type[SqliteStore]] = [
    ChecksThenWrites,
    ChecksOnlyWhatItWrites,
    WritesOneByOne,
    NamesOneStaleKey,
    ShowsNothingWhenStale,
    SwallowsStale,
    KeepsOldPlaces,
    LeavesOutTheLastOfARange,
    ListsInNoOrder,
    RepeatsAtThePageBreak,
    SkipsAtThePageBreak,
    WalksIntoTheNeighbour,
    WalksOnePageOnly,
    ForgetsToCountVersions,
    TidiesBodies,
    RollsTheBatchBackOnStale,
    StampsOnce,
    StampsByCount,
]


def _promises() -> list[Callable[..., None]]:
    return [test for name, test in inspect.getmembers(StoreContract) if name.startswith("test_")]


def _holds(promise: Callable[..., None], kind: type[SqliteStore]) -> bool:
    store = kind(":memory:")
    others = {"reverse": False} if "reverse" in inspect.signature(promise).parameters else {}
    try:
        promise(StoreContract(), store, **others)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - however the promise breaks, it is broken
        return False
    finally:
        store.close()
    return True


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_store_fails_the_contract(kind: type[SqliteStore]) -> None:
    assert not all(_holds(promise, kind) for promise in _promises())


def test_a_whole_store_keeps_the_contract() -> None:
    assert [promise.__name__ for promise in _promises() if not _holds(promise, SqliteStore)] == []
