"""Versioned documents in one SQLite file: write-ahead log, `synchronous=FULL`, one writer at a time.

Whoever gets the write lock commits everything that is queued by then in one transaction, so many threads share one
wait for the disk. Inside `batch` a thread keeps the lock and the transaction for itself. What is written and read often
is known in memory (`rows`).
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from slotkeeper.contracts import Change, Doc, Key, ListName, Page, Place, Range, Stale
from slotkeeper.core.errors import Busy, Unreachable
from slotkeeper.stores.rows import Rows
from slotkeeper.stores.schema import check_ours, make_private, migrate, primary_code, roll_back

IN_MEMORY = ":memory:"
WALK_ROWS = 500
CACHE_KIBIBYTES = 8192
"""What SQLite may keep of a file in memory, for each connection. With its 2 MiB a busy day's index does not fit."""
HIGHEST = "\U0010ffff"
STAMPS_SECONDS = 0.05
"""How long to wait for who is writing, to be told what has changed: making everything anew takes longer."""

_LIST = (
    "SELECT doc.part, doc.sort, version, body, place.sort FROM place JOIN doc ON doc.id = place.doc "
    "WHERE list = ? AND place.part = ? AND place.sort BETWEEN ? AND ? "
)
_LIST_FORTH = _LIST + "AND place.sort > ? ORDER BY place.sort LIMIT ?"
_LIST_BACK = _LIST + "AND place.sort < ? ORDER BY place.sort DESC LIMIT ?"

_places = msgspec.json.Decoder(dict[ListName, Place])


class _Ticket:
    """A change that waits for its turn, and what became of it."""

    __slots__ = ("change", "error", "is_done")

    def __init__(self, change: Change) -> None:
        self.change = change
        self.error: BaseException | None = None
        self.is_done = False


class SqliteStore:
    """A `contracts.Store` in the file at `path`, or in memory at `:memory:`. Any thread may use it.

    Other processes may use the same file; a writer waits up to `wait_seconds` for another's commit.
    """

    def __init__(self, path: str | Path, *, wait_seconds: float = 10.0) -> None:
        """Open the file, make it if it is not there, and bring its schema up to date.

        Raises:
            Damaged: it is something else, or newer. Unreachable: it cannot be opened.
        """
        self._path = str(path)
        self._wait_seconds = wait_seconds
        self._writing = threading.Lock()
        self._batch_thread: int | None = None
        self._queue: deque[_Ticket] = deque()
        self._mine = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._half_done = False
        with _unreachable("cannot open the database"):
            if self._path != IN_MEMORY:
                make_private(self._path)
            check_ours(self._path, may_be_new=True)
            self._writer = self._connect()
            migrate(self._writer)
        self._rows = Rows(self._writer)
        self._file = self._found_file()

    def close(self) -> None:
        """Close every connection; the store is of no use afterwards."""
        for connection in self._opened:
            connection.close()

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """See `Store.read`."""
        if self._batch_thread == threading.get_ident():
            return self._known(keys)
        if self._writing.acquire(blocking=False):
            try:
                self._refresh()
                return self._known(keys)
            finally:
                self._writing.release()
        with self._reader() as connection:
            return {key: doc for key in keys if (doc := _doc(connection, key)) is not None}

    def stamps(self, parts: Sequence[str]) -> Sequence[int] | None:
        """See `Store.stamps`."""
        if self._batch_thread == threading.get_ident():
            return self._rows.stamps(parts)
        if not self._writing.acquire(timeout=STAMPS_SECONDS):
            return None
        try:
            self._refresh()
            return self._rows.stamps(parts)
        finally:
            self._writing.release()

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        """See `Store.read_ranges`."""
        sql = "SELECT sort, version, body FROM doc WHERE part = ? AND sort BETWEEN ? AND ? ORDER BY sort"
        with self._reader() as connection:
            return [
                [
                    Doc(Key(each.part, sort), version, body)
                    for sort, version, body in connection.execute(sql, (each.part, each.first, each.last))
                ]
                for each in ranges
            ]

    def list(
        self,
        name: ListName,
        part: str,
        *,
        first: str = "",
        last: str = HIGHEST,
        after: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Page:
        """See `Store.list`."""
        start = after if after is not None else (last + HIGHEST if reverse else "")
        with self._reader() as connection:
            rows = connection.execute(
                _LIST_BACK if reverse else _LIST_FORTH, (name, part, first, last, start, limit + 1)
            ).fetchall()
        docs = [Doc(Key(row[0], row[1]), row[2], row[3]) for row in rows[:limit]]
        return Page(docs, rows[limit - 1][4] if len(rows) > limit else None)

    def walk(self, prefix: str = "") -> Iterator[Doc]:
        """See `Store.walk`."""
        sql = (
            "SELECT part, sort, version, body FROM doc WHERE (part, sort) > (?, ?) AND part <= ? "
            "ORDER BY part, sort LIMIT ?"
        )
        at = (prefix, "")
        while True:
            with self._reader() as connection:
                rows = connection.execute(sql, (*at, prefix + HIGHEST, WALK_ROWS)).fetchall()
            yield from (Doc(Key(part, sort), version, body) for part, sort, version, body in rows)
            if len(rows) < WALK_ROWS:
                return
            at = rows[-1][:2]

    def commit(self, change: Change) -> None:
        """See `Store.commit`."""
        if self._batch_thread == threading.get_ident():
            self._apply(change)
            return
        ticket = _Ticket(change)
        self._queue.append(ticket)
        with self._writing:
            if not ticket.is_done:
                self._commit_queued()
        if ticket.error is not None:
            raise ticket.error

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See `Store.batch`. Other processes are kept from writing until it is left."""
        me = threading.get_ident()
        if self._batch_thread == me:
            raise RuntimeError("a batch cannot be opened within a batch")
        self._writing.acquire()
        self._batch_thread = me
        try:
            with self._transaction():
                yield
        finally:
            self._batch_thread = None
            self._writing.release()

    def backup(self, path: str | Path, progress: Callable[[int, int], object] = lambda done, pages: None) -> None:
        """Copy the database to a new file while it is in use; `progress` hears of pages done and pages in all.

        Raises:
            Unreachable: the copy could not be made.
        """
        with _unreachable("cannot back up"):
            source, target = self._connect(), sqlite3.connect(str(path))
            try:
                source.backup(
                    target,
                    pages=1000,
                    progress=lambda _, remaining, total: progress(total - remaining, total),
                )
            finally:
                target.close()
                source.close()
                self._opened.remove(source)

    def problems(self) -> Iterator[str]:
        """What SQLite itself, and the lists beside the documents, have to complain of; nothing for a whole file.

        Each place must be among those that its document names. As no two documents can share a place, equal numbers
        then prove that none is missing.
        """
        with self._reader() as connection:
            for (text,) in connection.execute("PRAGMA integrity_check"):
                if text != "ok":
                    yield f"integrity: {text}"
            rows = connection.execute(
                "SELECT list, place.part, place.sort, places FROM place LEFT JOIN doc ON doc.id = place.doc"
            )
            for name, part, sort, places in rows:
                if not _is_named(places, name, Place(part, sort)):
                    yield f"list {name}: {part}/{sort} leads to no document that stands there"
            stands, named = connection.execute(
                "SELECT (SELECT count(*) FROM place), "
                "(SELECT count(*) FROM doc, json_each(iif(json_valid(doc.places), doc.places, '{}')))"
            ).fetchone()
            if stands != named:
                yield f"the documents name {named} places, the lists hold {stands}"

    def _known(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """The documents as the writer knows them. The caller holds the write lock."""
        # Not `with _unreachable`: it takes as long as all the rest, and every booking comes by several times.
        try:
            return self._rows.docs(keys)
        except sqlite3.Error as error:
            raise Unreachable(f"cannot read: {error}") from error

    def _refresh(self) -> None:
        try:
            self._rows.refresh()
        except sqlite3.Error as error:
            raise Unreachable(f"cannot read: {error}") from error

    def _apply(self, change: Change) -> None:
        try:
            self._rows.apply(change)
        except sqlite3.Error as error:
            raise Unreachable(f"cannot write: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that is applied within is written together, or nothing. The caller holds the write lock."""
        self._half_done = False
        try:
            with _unreachable("cannot write"):
                self._begin()
            yield
            self._commit()
        except BaseException:
            self._rows.forget()  # what was applied is not so, and a full disk may have undone what was written
            raise
        finally:
            roll_back(self._writer)

    def _begin(self) -> None:
        if self._found_file() != self._file:
            raise Unreachable("the database file was moved or removed: put it back, or start anew")
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if primary_code(error) == sqlite3.SQLITE_BUSY:
                raise Busy(f"cannot write: {error}") from error
            raise
        self._rows.refresh()

    def _commit(self) -> None:
        if self._half_done or not self._writer.in_transaction:  # SQLite may have undone it by itself
            raise Unreachable("a write in this batch failed half-way, so none of it was kept")
        with _unreachable("cannot commit"):
            self._rows.write()
            self._writer.execute("COMMIT")

    def _found_file(self) -> tuple[int, int] | None:
        """Which file is at the path now, None when there is none. One that was moved away takes writes still, and
        whoever opens the path finds none of them."""
        try:
            found = Path(self._path).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _commit_queued(self) -> None:
        """Commit all that is queued in one transaction. The caller holds the write lock."""
        tickets: list[_Ticket] = []
        while self._queue:
            tickets.append(self._queue.popleft())
        try:
            with self._transaction():
                for ticket in tickets:
                    try:
                        self._apply(ticket.change)
                    except Stale as stale:
                        ticket.error = stale
        except BaseException as failure:  # noqa: BLE001 - whatever it was, none of them is kept, and each is told
            for ticket in tickets:
                ticket.error = failure
        finally:
            for ticket in tickets:
                ticket.is_done = True

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """This thread's own connection; the writer's within a batch, which must see its own writes."""
        with _unreachable("cannot read"):
            if self._batch_thread == threading.get_ident():
                self._write_in_batch()
                yield self._writer
            elif self._path == IN_MEMORY:
                with self._writing:
                    yield self._writer
            else:
                if not hasattr(self._mine, "connection"):
                    self._mine.connection = self._connect()
                yield self._mine.connection

    def _write_in_batch(self) -> None:
        """Write what the batch has changed so far: it is about to be looked for in the file."""
        try:
            self._rows.write()
        except sqlite3.Error:
            # Some of a change may stand in the open transaction: it must never be committed.
            self._half_done = True
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._wait_seconds, isolation_level=None, check_same_thread=False
        )
        self._opened.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        return connection


def _is_named(places: str | None, name: ListName, place: Place) -> bool:
    """Whether a document's own `places`, which may be damaged, name the place."""
    try:
        return places is not None and _places.decode(places).get(name) == place
    except msgspec.MsgspecError:
        return False


def _doc(connection: sqlite3.Connection, key: Key) -> Doc | None:
    row = connection.execute("SELECT version, body FROM doc WHERE part = ? AND sort = ?", key).fetchone()
    return None if row is None else Doc(key, *row)


@contextmanager
def _unreachable(doing: str) -> Iterator[None]:
    """Whatever SQLite complains of becomes `Unreachable`: never "nothing is there"."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Unreachable(f"{doing}: {error}") from error
