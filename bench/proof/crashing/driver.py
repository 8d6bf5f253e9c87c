"""The calls of `sqlite3` that the store makes, answered by apsw over a VFS: so the store itself runs, line by line."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import apsw


@contextmanager
def _their_errors() -> Iterator[None]:
    """What apsw complains of, as `sqlite3` would."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise sqlite3.DatabaseError(str(error)) from error
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error)) from error


class _Done(NamedTuple):
    """What of a cursor is asked for after `executemany`."""

    rowcount: int


class Connection(apsw.Connection):
    """A connection as `sqlite3.connect(..., isolation_level=None)` gives it."""

    def __init__(self, path: str, vfs: str, timeout: float) -> None:
        super().__init__(path, vfs=vfs)
        self.set_busy_timeout(int(timeout * 1000))

    def execute(  # type: ignore[override] # sqlite3's signature
        self, sql: str, params: Sequence[Any] = ()
    ) -> Any:
        with _their_errors():
            return super().execute(sql, tuple(params))

    def executemany(  # type: ignore[override] # sqlite3's signature
        self, sql: str, params: Iterable[Sequence[Any]]
    ) -> _Done:
        before = self.total_changes()
        with _their_errors():
            super().executemany(sql, params)
        return _Done(self.total_changes() - before)

    def backup(  # type: ignore[override] # sqlite3's signature: the copy goes from this one to the target
        self, target: "Connection", *, pages: int = -1, progress: Callable[[int, int, int], object] | None = None
    ) -> None:
        """As `sqlite3.Connection.backup`."""
        with apsw.Connection.backup(target, "main", self, "main") as copying:
            while not copying.done:
                copying.step(pages)
                if progress is not None:
                    progress(0, copying.remaining, copying.page_count)


@contextmanager
def on_disk(vfs: str, *pragmas: str) -> Iterator[None]:
    """Within the block `sqlite3.connect` opens files by that VFS, and does the pragmas first."""

    def connect(path: str | Path, timeout: float = 5.0, **_: Any) -> Connection:
        connection = Connection(str(path), vfs, timeout)
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    with patch.object(sqlite3, "connect", connect):
        yield
