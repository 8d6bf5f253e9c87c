"""Whether a file can be written to is found out without waiting, and without harm."""

import resource
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.lookout import MOMENT_MS, Lookout
from slotkeeper.stores.restoring import put_log_away
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
    rival = sqlite3.connect(path, timeout=0, isolation_level=None)
    yield rival
    rival.close()


def connection_of(lookout: Lookout) -> sqlite3.Connection:
    assert lookout._connection is not None
    return lookout._connection


def waits_ms(lookout: Lookout) -> int:
    """How long who looks would wait for somebody who writes."""
    return int(connection_of(lookout).execute("PRAGMA busy_timeout").fetchone()[0])


def make_read_only(lookout: Lookout) -> None:
    """Let its connection be as one that was opened while the file could only be read."""
    lookout.is_free()
    connection_of(lookout).execute("PRAGMA query_only = ON")


def test_a_file_is_free_until_somebody_writes_and_when_they_are_done(
    lookout: Lookout, rival: sqlite3.Connection
) -> None:
    seen = [lookout.is_free()]
    for step in ("BEGIN IMMEDIATE", "ROLLBACK", "BEGIN EXCLUSIVE", "ROLLBACK"):
        rival.execute(step)
        seen.append(lookout.is_free())

    assert seen == [True, False, True, False, True]


def test_any_thread_may_look(lookout: Lookout, rival: sqlite3.Connection) -> None:
    assert lookout.is_free()
    rival.execute("BEGIN IMMEDIATE")

    with ThreadPoolExecutor(1) as another:
        assert not another.submit(lookout.is_free).result()


def test_who_looks_keeps_nobody_from_writing(lookout: Lookout, store: SqliteStore, rival: sqlite3.Connection) -> None:
    lookout.check_mode()
    rival.execute("BEGIN IMMEDIATE")
    rival.execute("ROLLBACK")
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


def test_only_a_trial_waits_and_only_a_moment(lookout: Lookout, rival: sqlite3.Connection) -> None:
    lookout.is_free()
    waits = [waits_ms(lookout)]
    lookout.doubt()
    lookout.check()
    waits.append(waits_ms(lookout))
    rival.execute("BEGIN IMMEDIATE")

    lookout.doubt()
    began = time.monotonic()
    with pytest.raises(Unreachable, match="locked"):
        lookout.check()
    waited_ms = (time.monotonic() - began) * 1000
    lookout.is_free()

    assert [*waits, waits_ms(lookout)] == [0, 0, 0]
    assert waited_ms > MOMENT_MS / 2


def test_who_looks_again_and_again_opens_the_file_once(lookout: Lookout) -> None:
    lookout.is_free()
    first = connection_of(lookout)
    lookout.is_free()
    lookout.check_mode()
    lookout.doubt()
    lookout.check()

    assert connection_of(lookout) is first


def test_a_file_that_may_be_written_to_again_is_looked_at_anew(lookout: Lookout, rival: sqlite3.Connection) -> None:
    make_read_only(lookout)
    assert lookout.is_free()  # whoever writes finds out that it cannot be written to
    rival.execute("BEGIN IMMEDIATE")
    assert not lookout.is_free()
    rival.execute("ROLLBACK")

    make_read_only(lookout)
    lookout.doubt()
    with pytest.raises(Unreachable, match="readonly"):
        lookout.check()
    lookout.check()


def test_a_full_disk_is_found_by_writing_to_it(path: Path, lookout: Lookout, store: SqliteStore) -> None:
    put(store, A, b"one")
    size = path.with_name(path.name + "-wal").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    lookout.doubt()
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))

    try:
        with pytest.raises(Unreachable, match="cannot write"):
            lookout.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    lookout.check()
    put(store, A, b"two", version=1)


def test_a_folder_that_was_removed_is_told_of_by_who_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "removed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    lookout = Lookout("test.db")

    assert lookout.is_free()
    with pytest.raises(Unreachable, match="No such file"):
        lookout.check()


def test_who_has_let_go_of_the_file_is_in_nobodys_way(path: Path) -> None:
    SqliteStore(path).close()
    lookout = Lookout(path)
    lookout.check_mode()
    connection = connection_of(lookout)

    lookout.close()

    put_log_away(path)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
