"""Looking whether a SQLite file can be written to just now, beside the store that does it, and without waiting."""

import sqlite3
import threading
from pathlib import Path
from shutil import disk_usage

from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.schema import primary_code

ROOM_BYTES = 1_000_000
"""What the bookings of a few seconds may need."""

MOMENT_MS = 100
"""Longer than a write of ours takes, and short enough for everybody to wait."""


class Lookout:
    """Looks at the file at `path` over a connection of its own. Any thread may ask."""

    def __init__(self, path: str | Path, *, room_bytes: int = ROOM_BYTES) -> None:
        """With less than `room_bytes` left on its disk the file counts as one that cannot be written to."""
        self._path = Path(path)
        self._room_bytes = room_bytes
        self._looking = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_in_doubt = False

    def close(self) -> None:
        """Let go of the file; whoever asks again opens it again."""
        with self._looking:
            self._close()

    def check_mode(self) -> None:
        """Raises `Unreachable` if the file may only be read. SQLite would go on believing so for as long as anything is
        open, also when it could be written to again."""
        with self._looking:
            try:
                # BEGIN IMMEDIATE would not tell: where nothing can be written it is a plain BEGIN.
                self._opened().execute("DELETE FROM doc WHERE 0")
            except sqlite3.OperationalError as error:
                self._close()
                if primary_code(error) == sqlite3.SQLITE_READONLY:
                    raise Unreachable(f"the database may only be read: {self._path}") from error

    def doubt(self) -> None:
        """Know that a write has failed: whether another would succeed must be tried."""
        self._is_in_doubt = True

    def is_free(self) -> bool:
        """Whether nobody, in this process or another, is writing just now. What else may be wrong with the file is not
        told: whoever writes finds it out."""
        with self._looking:
            try:
                connection = self._opened()
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            except (sqlite3.Error, OSError) as error:
                if primary_code(error) == sqlite3.SQLITE_BUSY:
                    return False
                self._close()
            return True

    def check(self) -> None:
        """Raises `Unreachable` if a write would fail: there is no room for it, or the last one failed and so does a
        small one that is made to find out. The file's content stays as it is."""
        try:
            if disk_usage(self._path).free < self._room_bytes:
                raise Unreachable(f"less than {self._room_bytes:,} bytes are left on the disk")
            if self._is_in_doubt:
                with self._looking:
                    self._write()
                self._is_in_doubt = False
        except (sqlite3.Error, OSError) as error:
            raise Unreachable(f"cannot write: {error}") from error

    def _write(self) -> None:
        """Have one page written and synced, with what it says already."""
        connection = self._opened()
        try:
            connection.execute(f"PRAGMA busy_timeout = {MOMENT_MS}")
            connection.execute("BEGIN IMMEDIATE")
            [version] = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
            connection.execute("PRAGMA busy_timeout = 0")
        except sqlite3.Error:
            self._close()  # which undoes what was begun
            raise

    def _opened(self) -> sqlite3.Connection:
        """The connection. It is not kept after a failure: one that was opened while the file was read-only stays so."""
        if self._connection is None:
            # A file that is missing must not be made: it was moved away, and may come back.
            uri = f"{self._path.resolve().as_uri()}?mode=rw"
            self._connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA synchronous = FULL")
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
