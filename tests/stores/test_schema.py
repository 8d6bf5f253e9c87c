"""Bringing a file up to date, while others may be doing the same."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from slotkeeper.stores.schema import migrate, roll_back, scripts
from slotkeeper.stores.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    yield connection
    connection.close()


def test_what_another_process_does_meanwhile_is_not_done_again(path: Path, connection: sqlite3.Connection) -> None:
    begun = list[str]()

    def meanwhile(statement: str) -> None:
        if statement == "BEGIN IMMEDIATE" and not begun:
            begun.append(statement)
            SqliteStore(path).close()

    connection.set_trace_callback(meanwhile)
    migrate(connection)

    assert connection.execute("PRAGMA user_version").fetchone() == (len(scripts()),)
    assert not connection.in_transaction


def test_a_file_that_is_up_to_date_is_opened_while_somebody_writes(path: Path, connection: sqlite3.Connection) -> None:
    SqliteStore(path).close()
    connection.execute("BEGIN IMMEDIATE")

    SqliteStore(path, wait_seconds=0).close()


def test_what_cannot_be_undone_is_told_of_by_the_next_to_begin(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)

    roll_back(connection)

    connection.set_authorizer(None)
    with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        connection.execute("BEGIN")
