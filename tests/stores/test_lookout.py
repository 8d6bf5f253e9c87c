"""Whether a file can be written to is found out without waiting, and without harm."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.lookout import Lookout
from slotkeeper.stores.sqlite import SqliteStore
from tests.contracts.store import A, put


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


@pytest.fixture
def lookout(path: Path, store: SqliteStore) -> Iterator[Lookout]:
    lookout = Lookout(path)
    yield lookout
    lookout.close()


@pytest.fixture
def rival(path: Path, store: SqliteStore) -> Iterator[sqlite3.Connection]:
    rival = sqlite3.connect(path, isolation_level=None)
    yield rival
    rival.close()


def test_a_file_is_free_until_somebody_writes_and_when_they_are_done(
    lookout: Lookout, rival: sqlite3.Connection
) -> None:
    seen = [lookout.is_free()]
    for step in ("BEGIN IMMEDIATE", "ROLLBACK", "BEGIN EXCLUSIVE", "ROLLBACK"):
        rival.execute(step)
        seen.append(lookout.is_free())

    assert seen == [True, False, True, False, True]


def test_who_looks_keeps_nobody_from_writing(lookout: Lookout, store: SqliteStore) -> None:
    assert lookout.is_free()
    put(store, A, b"one")
    lookout.doubt()
    lookout.check()
    put(store, A, b"two", version=1)

    assert store.read([A])[A].body == b"two"


def test_as_long_as_no_write_failed_none_is_tried(lookout: Lookout, rival: sqlite3.Connection) -> None:
    rival.execute("BEGIN IMMEDIATE")

    lookout.check()


def test_after_a_failure_it_is_tried_whether_one_can_write_again(lookout: Lookout, rival: sqlite3.Connection) -> None:
    lookout.doubt()
    rival.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unreachable, match="locked"):
        lookout.check()
    rival.execute("ROLLBACK")

    lookout.check()
    rival.execute("BEGIN IMMEDIATE")
    lookout.check()


def test_a_file_that_may_only_be_read_is_known_by_that(path: Path, store: SqliteStore) -> None:
    lookout = Lookout(path)
    lookout.check_mode()
    assert lookout._connection is not None
    lookout._connection.execute("PRAGMA query_only = ON")  # as a connection is to a file that may only be read

    with pytest.raises(Unreachable, match="may only be read"):
        lookout.check_mode()
    lookout.check_mode()
    lookout.close()


def test_a_file_that_somebody_writes_to_may_be_written_to(lookout: Lookout, rival: sqlite3.Connection) -> None:
    rival.execute("BEGIN IMMEDIATE")

    lookout.check_mode()


def test_a_disk_without_room_cannot_be_written_to(path: Path, store: SqliteStore) -> None:
    with pytest.raises(Unreachable, match="left on the disk"):
        Lookout(path, room_bytes=2**62).check()


def test_a_file_that_was_moved_away_is_not_made_anew(path: Path, lookout: Lookout) -> None:
    path.rename(path.with_name("elsewhere"))

    with pytest.raises(Unreachable):
        lookout.check()
    assert lookout.is_free()
    assert not path.exists()
    path.with_name("elsewhere").rename(path)
    lookout.check()
