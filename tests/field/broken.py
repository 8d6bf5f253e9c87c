"""Deliberately broken parts: what the field's schedulers do, as stores of ours."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from slotkeeper.contracts import Change, Stale
from slotkeeper.stores.sqlite import SqliteStore

PAUSE_SECONDS = 0.2
"""Long enough for all who ask at the same moment to have looked before the first of them writes."""


class ChecksThenInserts(SqliteStore):
    """It writes what was decided, whatever has changed since it was read; the pause is the time that deciding takes
    elsewhere, between a SELECT and an INSERT."""

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield

    def commit(self, change: Change) -> None:
        time.sleep(PAUSE_SECONDS)
        try:
            super().commit(change)
        except Stale as stale:
            now = {key: 0 if doc is None else doc.version for key, doc in stale.docs.items()}
            super().commit(Change({**change.expects, **now}, change.puts, change.deletes))


class WritesOneByOne(SqliteStore):
    """It writes each document on its own, so that a loser may leave half of what it wanted behind."""

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield

    def commit(self, change: Change) -> None:
        for put in change.puts:
            time.sleep(PAUSE_SECONDS)
            super().commit(Change({put.key: change.expects[put.key]}, [put]))
        for key in change.deletes:
            super().commit(Change({key: change.expects[key]}, [], [key]))
