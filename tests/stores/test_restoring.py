"""Restoring: a backup takes the place of the database whole, or not at all."""

import os
import sqlite3
import time
from pathlib import Path
from unittest.mock import patch

import pytest

from slotkeeper.contracts import Key, Place
from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.restoring import put_log_away, restore, sync
from slotkeeper.stores.schema import Damaged
from slotkeeper.stores.sqlite import SqliteStore
from tests.contracts.store import A, B, put

OPEN = Path("/proc/self/fd")
needs_linux = pytest.mark.skipif(not OPEN.exists(), reason="asks Linux which files are open")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


def a_backup(path: Path) -> Path:
    """Of a store that holds A alone."""
    store = SqliteStore(path)
    put(store, A, b"backed up")
    store.close()
    return path


def a_database_with_a_log(path: Path) -> None:
    """As a server leaves it that is killed: B is in the log alone."""
    store = SqliteStore(path.with_name("live.db"))
    put(store, B, b"in the log")
    for end in ("", "-wal"):
        path.with_name(path.name + end).write_bytes(path.with_name(f"live.db{end}").read_bytes())
    store.close()


def held_by(path: Path) -> dict[Key, bytes]:
    store = SqliteStore(path)
    try:
        assert list(store.problems()) == []
        return {key: doc.body for key, doc in store.read([A, B]).items()}
    finally:
        store.close()


def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is synced, removed and put in another's place from now on, by name."""
    steps = list[str]()

    def note(name: str) -> None:
        call = getattr(os, name)

        def noting(what: int | Path, *others: Path) -> None:
            path = (OPEN / str(what)).readlink() if isinstance(what, int) else what
            call(what, *others)
            steps.append(f"{name} {path.name}")

        monkeypatch.setattr(os, name, noting)

    for name in ("fsync", "unlink", "replace"):
        note(name)
    return steps


def test_an_empty_file_is_no_backup(path: Path) -> None:
    path.touch()

    with pytest.raises(Damaged, match="not a Slotkeeper database"):
        restore(path, path.with_name("other.db"))


def test_what_is_no_database_is_no_backup(path: Path) -> None:
    path.write_bytes(b"this is not a database, only a text that is long enough" * 100)

    with pytest.raises(Unreachable, match="cannot read the backup"):
        restore(path, path.with_name("other.db"))


def test_a_restore_brings_back_what_the_backup_held(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"before")
    store.backup(tmp_path / "copy.db")
    put(store, A, b"after", version=1)
    store.close()

    restore(tmp_path / "copy.db", path)

    again = SqliteStore(path)
    assert again.read([A])[A].body == b"before"
    again.close()


def test_a_damaged_backup_is_refused_and_nothing_is_changed(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one", start=Place("shop", "1"))
    store.backup(tmp_path / "copy.db")
    store.close()
    broken = sqlite3.connect(tmp_path / "copy.db")
    broken.execute("DELETE FROM place")
    broken.commit()
    broken.close()

    with pytest.raises(Damaged, match="places"):
        restore(tmp_path / "copy.db", path)

    again = SqliteStore(path)
    assert again.read([A])[A].body == b"one"
    again.close()


def test_the_log_of_a_killed_server_never_reaches_what_was_restored(path: Path, tmp_path: Path) -> None:
    backup = a_backup(tmp_path / "copy.db")
    a_database_with_a_log(path)

    restore(backup, path)

    assert held_by(path) == {A: b"backed up"}


def test_what_lay_beside_a_database_that_was_removed_never_reaches_what_was_restored(
    path: Path, tmp_path: Path
) -> None:
    backup = a_backup(tmp_path / "copy.db")
    a_database_with_a_log(path)
    path.unlink()
    for end in ("-shm", "-journal"):
        path.with_name(path.name + end).write_bytes(b"left behind")

    restore(backup, path)

    assert {each.name for each in tmp_path.iterdir()} == {"copy.db", "test.db", "live.db"}
    assert held_by(path) == {A: b"backed up"}


@needs_linux
def test_each_step_of_a_restore_is_on_the_disk_before_the_next(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make proof ARGS=power` shows why."""
    backup = a_backup(tmp_path / "copy.db")
    a_database_with_a_log(path)
    path.unlink()
    steps = noted(monkeypatch)

    restore(backup, path)

    assert steps == [
        "unlink test.db-wal",
        f"fsync {tmp_path.name}",
        "fsync test.db.restoring",
        "replace test.db.restoring",
        f"fsync {tmp_path.name}",
    ]


def test_a_restore_that_ends_before_its_last_step_leaves_what_was_there_with_what_was_in_its_log(
    path: Path, tmp_path: Path
) -> None:
    backup = a_backup(tmp_path / "copy.db")
    a_database_with_a_log(path)

    with patch.object(os, "replace", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        restore(backup, path)

    assert held_by(path) == {B: b"in the log"}
    restore(backup, path)
    assert held_by(path) == {A: b"backed up"}


def test_a_damaged_database_can_be_replaced(path: Path, tmp_path: Path) -> None:
    backup = a_backup(tmp_path / "copy.db")
    path.write_bytes(b"this is not a database, only a text that is long enough" * 100)
    path.with_name("test.db-wal").write_bytes(b"neither is this")

    restore(backup, path)

    assert held_by(path) == {A: b"backed up"}


def test_a_restored_database_can_be_read_by_its_owner_alone(path: Path, tmp_path: Path) -> None:
    restore(a_backup(tmp_path / "copy.db"), path)

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_restored_database_can_be_read_by_whoever_could_read_the_one_before(path: Path, tmp_path: Path) -> None:
    SqliteStore(path).close()
    path.chmod(0o640)

    restore(a_backup(tmp_path / "copy.db"), path)

    assert path.stat().st_mode & 0o777 == 0o640


def test_what_a_restore_left_behind_that_was_cut_short_gives_nothing_away(path: Path, tmp_path: Path) -> None:
    left = path.with_name(f"{path.name}.restoring")
    left.write_bytes(b"half of it")
    left.chmod(0o644)

    restore(a_backup(tmp_path / "copy.db"), path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert held_by(path) == {A: b"backed up"}
    assert not left.exists()


@needs_linux
def test_files_and_folders_are_synced_and_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, steps = tmp_path / "a.db", noted(monkeypatch)
    file.write_bytes(b"content")
    before = len(list(OPEN.iterdir()))

    sync(file)
    sync(tmp_path)

    assert steps == ["fsync a.db", f"fsync {tmp_path.name}"]
    assert len(list(OPEN.iterdir())) == before


def test_the_log_of_a_database_in_use_is_left_alone(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")

    with pytest.raises(Unreachable, match="in use"):
        put_log_away(path)

    assert store.read([A])[A].body == b"one"
    store.close()


def test_a_database_that_somebody_has_for_themselves_is_not_waited_for_long(path: Path) -> None:
    SqliteStore(path).close()
    put_log_away(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    waited = list[float]()
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(Unreachable, match="in use"):
            put_log_away(path)
        waited.append(time.monotonic() - began)
    other.close()

    assert min(waited) < 1
