"""Putting a file in the place of another, so that a crash or a power cut at any moment leaves the one or the other."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copyfile, copymode

from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.schema import Damaged, check_ours, make_private
from slotkeeper.stores.sqlite import SqliteStore

IN_USE_SECONDS = 0.2


def restore(backup: Path, path: Path) -> None:
    """Put a backup in the place of the database at `path`, whose log is of no use to it.

    Raises:
        Damaged: the backup is not a whole Slotkeeper database; nothing was changed. Unreachable: another program has
            the database open, or the backup cannot be read.
    """
    _check_whole(backup)
    fresh = path.with_name(path.name + ".restoring")
    fresh.unlink(missing_ok=True)
    make_private(str(fresh))
    copyfile(backup, fresh)
    if path.exists():
        copymode(path, fresh)
        put_log_away(path)
    for rest in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    # Were it there after a power cut, it would be read as the log of the new file.
    sync(path.parent)
    put_in_place(fresh, path)


def _check_whole(backup: Path) -> None:
    try:
        check_ours(str(backup), may_be_new=False)
    except sqlite3.Error as error:
        raise Unreachable(f"cannot read the backup: {error}") from error
    with closing(SqliteStore(backup)) as store:
        complaint = next(store.problems(), "")
    if complaint:
        raise Damaged(f"the backup is damaged: {complaint}")


def put_log_away(path: Path) -> None:
    """Bring what is in the database's log into the file, which is whole without one then. A file that is damaged stays
    as it is.

    Raises:
        Unreachable: another program has the database open.
    """
    with closing(sqlite3.connect(path, timeout=IN_USE_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            raise Unreachable(f"{path} is in use") from error
        except sqlite3.DatabaseError:
            return  # damaged: what is in its log could not be told from what is not


def put_in_place(fresh: Path, path: Path) -> None:
    """Let `path` be the file `fresh` from now on, whatever it was."""
    sync(fresh)
    fresh.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until what the file holds is on the disk, or which files the folder has (POSIX `fsync`)."""
    is_folder = path.is_dir()
    if is_folder and not hasattr(os, "O_DIRECTORY"):
        return  # Windows cannot open folders, and keeps their names in order by itself
    handle = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
