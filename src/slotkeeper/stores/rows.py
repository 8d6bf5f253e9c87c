"""The documents of a SQLite file as its writer knows them: read once, changed in memory, written together.

What is known is good as long as no other connection has committed (PRAGMA data_version). Within a write transaction
nobody else can commit, so there a change can be judged by what is known, and a document that changes ten times is
written once.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import count

import msgspec

from slotkeeper.contracts import Change, Doc, Key, ListName, Place, Put, Stale

KNOWN_BYTES = 24_000_000
"""About how much memory may go into what is known."""

ROW_BYTES = 400
"""What a row costs beside its body, about."""

_NOWHERE: Mapping[ListName, Place] = {}
_encode_places = msgspec.json.Encoder().encode
_decode_places = msgspec.json.Decoder(dict[ListName, Place]).decode


class Row(msgspec.Struct, frozen=True):
    """A document, the number of its row, and the places where it stands."""

    id: int
    doc: Doc
    places: Mapping[ListName, Place]


class Rows:
    """What one connection knows. It belongs to whoever holds the store's write lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # Two generations: when the younger is full it becomes the older, whose rows that nobody asked for go.
        self._young: dict[Key, Row | None] = {}
        self._old: dict[Key, Row | None] = {}
        self._young_bytes = 0
        self._unwritten: dict[Key, Row | None] = {}
        self._stamps: dict[str, int] = {}
        self._numbers = count(1)
        self._highest_id: int | None = None
        self._others = -1

    def refresh(self) -> None:
        """Forget what is known if another connection has committed since."""
        others = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if others != self._others:
            self.forget()
            self._others = others
        elif self._young_bytes > KNOWN_BYTES // 2 and not self._unwritten:
            self._old, self._young, self._young_bytes = self._young, {}, 0

    def forget(self) -> None:
        """Know nothing: what was changed and not written is undone."""
        for known in (self._young, self._old, self._unwritten, self._stamps):
            known.clear()
        self._young_bytes = 0
        self._highest_id = None

    def docs(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """See `Store.read`."""
        return {key: row.doc for key in keys if (row := self._row(key)) is not None}

    def stamps(self, parts: Sequence[str]) -> list[int]:
        """See `Store.stamps`."""
        stamps = self._stamps
        return [stamps[part] if part in stamps else stamps.setdefault(part, next(self._numbers)) for part in parts]

    def apply(self, change: Change) -> None:
        """Do the change, here and not yet in the file.

        Raises:
            Stale: an expectation does not hold; nothing was done.
        """
        stale = {}
        for key, version in change.expects.items():
            row = self._row(key)
            if version != (0 if row is None else row.doc.version):
                stale[key] = None if row is None else row.doc
        if stale:
            raise Stale(stale)
        for put in change.puts:
            self._put(put)
        for key in change.deletes:
            self._set(key, self._row(key), None)

    def write(self) -> None:
        """Write all that was changed, in the open transaction. The file is the last to judge: each row must be as it
        was known to be, or nothing may be kept.

        Raises:
            sqlite3.Error: a row was another one, or could not be written.
        """
        if not self._unwritten:
            return
        made, changed, gone = list[tuple[object, ...]](), list[tuple[object, ...]](), list[tuple[object, ...]]()
        left, taken = list[tuple[object, ...]](), list[tuple[object, ...]]()
        for key, before in self._unwritten.items():
            after = self._young[key]
            if before is not None and after is None:
                gone.append((before.id, before.doc.version))
            elif after is not None:
                doc, places = after.doc, _encode_places(after.places).decode() if after.places else "{}"
                if before is None:
                    made.append((after.id, key.part, key.sort, doc.version, doc.body, places))
                else:
                    changed.append((doc.version, doc.body, places, before.id, before.doc.version))
            _compare_places(before, after, left, taken)
        self._unwritten.clear()
        self._execute("DELETE FROM place WHERE list = ? AND part = ? AND sort = ?", left)
        self._execute("DELETE FROM doc WHERE id = ? AND version = ?", gone)
        self._execute("INSERT INTO doc (id, part, sort, version, body, places) VALUES (?, ?, ?, ?, ?, ?)", made)
        self._execute("UPDATE doc SET version = ?, body = ?, places = ? WHERE id = ? AND version = ?", changed)
        self._execute("INSERT INTO place (list, part, sort, doc) VALUES (?, ?, ?, ?)", taken)

    def _execute(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run the statement for each row. Raises `sqlite3.IntegrityError` unless each run has changed one."""
        if rows and self._connection.executemany(sql, rows).rowcount != len(rows):
            raise sqlite3.IntegrityError("a document is not as it was known to be")

    def _row(self, key: Key) -> Row | None:
        if key in self._young:
            return self._young[key]
        row = self._old[key] if key in self._old else self._read(key)
        self._keep(key, row)
        return row

    def _read(self, key: Key) -> Row | None:
        found = self._connection.execute(
            "SELECT id, version, body, places FROM doc WHERE part = ? AND sort = ?", key
        ).fetchone()
        if found is None:
            return None
        id, version, body, places = found
        return Row(id, Doc(key, version, body), _NOWHERE if places == "{}" else _decode_places(places))

    def _put(self, put: Put) -> None:
        key, row = put.key, self._row(put.key)
        version = 1 if row is None else row.doc.version + 1
        stands = row or self._unwritten.get(key)  # deleted a moment ago, its row is still in the file
        id = self._next_id() if stands is None else stands.id
        self._set(key, row, Row(id, Doc(key, version, put.body), put.places))

    def _set(self, key: Key, before: Row | None, after: Row | None) -> None:
        self._unwritten.setdefault(key, before)
        self._keep(key, after)
        if key.part in self._stamps:
            self._stamps[key.part] = next(self._numbers)

    def _keep(self, key: Key, row: Row | None) -> None:
        self._young[key] = row
        self._young_bytes += ROW_BYTES if row is None else ROW_BYTES + len(row.doc.body)

    def _next_id(self) -> int:
        if self._highest_id is None:
            self._highest_id = self._connection.execute("SELECT coalesce(max(id), 0) FROM doc").fetchone()[0]
        self._highest_id += 1
        return self._highest_id


def _compare_places(
    before: Row | None, after: Row | None, left: list[tuple[object, ...]], taken: list[tuple[object, ...]]
) -> None:
    """Add the places that the document has left, and those that it has taken."""
    had = _NOWHERE if before is None else before.places
    has = _NOWHERE if after is None else after.places
    if had == has:
        return
    left += ((name, *place) for name, place in had.items() if has.get(name) != place)
    if after is not None:
        taken += ((name, *place, after.id) for name, place in has.items() if had.get(name) != place)
