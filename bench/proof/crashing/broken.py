"""Builds that are broken on purpose, by name: what the proofs about crashes must catch."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

from slotkeeper.cli.commands import backup
from slotkeeper.contracts import Letter
from slotkeeper.courier import courier
from slotkeeper.courier.claiming import Job
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.noting import Outcome
from slotkeeper.stores import restoring, schema
from slotkeeper.stores.lookout import Lookout

OURS = ""
BLOCK, BLOCK_SECONDS = 16_384, 0.005


def build(name: str) -> AbstractContextManager[object]:
    """Within the block we are the build of that name; the empty name is ours as it is."""
    return BUILDS[name]() if name else nullcontext()


class _Hasty(sqlite3.Connection):
    """Says that it has committed, and does so a few commits later."""

    _commits = 0
    _owes = False
    _seems_open = False

    def execute(self, sql: str, *params: Any) -> sqlite3.Cursor:
        if sql in ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"):
            self._seems_open = sql == "BEGIN IMMEDIATE"
        if sql == "COMMIT":
            self._commits += 1
            self._owes = self._commits % 8 != 0
        if self._owes and sql in ("COMMIT", "BEGIN IMMEDIATE"):
            return super().execute("SELECT 1")
        return super().execute(sql, *params)

    @property
    def in_transaction(self) -> bool:
        return self._seems_open if self._owes else super().in_transaction


@contextmanager
def answers_before_it_commits() -> Iterator[None]:
    connect = sqlite3.connect

    def hasty(*args: Any, **others: Any) -> Any:
        return connect(*args, **{"factory": _Hasty, **others})

    # What it owes keeps the file locked. Whoever looks must not see that, or it would be caught for its 503s.
    with patch.object(sqlite3, "connect", hasty), patch.object(Lookout, "is_free", lambda self: True):
        yield


class _NotesFirst(Courier):
    async def _send(self, job: Job, letter: Letter) -> Outcome:
        self._note([Outcome(job, "sent", "", letter)])
        return await super()._send(job, letter)


def notes_before_it_sends() -> AbstractContextManager[object]:
    return patch.object(courier, "Courier", _NotesFirst)


def migrates_statement_by_statement() -> AbstractContextManager[object]:
    """What migrates is no transaction."""

    def run(connection: sqlite3.Connection, number: int, script: str) -> None:
        for statement in schema._statements(script):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")

    return patch.object(schema, "_run", run)


def renames_without_syncing() -> AbstractContextManager[object]:
    return patch.object(restoring, "sync", lambda path: None)


@contextmanager
def writes_in_place_bit_by_bit() -> Iterator[None]:
    """A backup and a restore that write where the file is wanted, on a disk that takes its time."""

    def put_in_place(fresh: Path, path: Path) -> None:
        path.unlink(missing_ok=True)
        with fresh.open("rb") as source, path.open("wb", buffering=0) as target:
            while block := source.read(BLOCK):
                target.write(block)
                time.sleep(BLOCK_SECONDS)
        fresh.unlink()

    with patch.object(restoring, "put_in_place", put_in_place), patch.object(backup, "put_in_place", put_in_place):
        yield


BUILDS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "answers before it commits": answers_before_it_commits,
    "notes before it sends": notes_before_it_sends,
    "migrates statement by statement": migrates_statement_by_statement,
    "renames without syncing": renames_without_syncing,
    "writes in place, bit by bit": writes_in_place_bit_by_bit,
}
