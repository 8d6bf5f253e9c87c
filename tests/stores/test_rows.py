"""What the writer of a file knows of it: when it is asked anew, and how rows are numbered."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from slotkeeper.contracts import Key, Place
from slotkeeper.stores import rows
from slotkeeper.stores.rows import ROW_BYTES, Rows
from slotkeeper.stores.sqlite import SqliteStore
from tests.contracts.store import A, B, C, put

BODY = b"x" * 600
KEYS = [Key("k", str(number)) for number in range(8)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "test.db"
    store = SqliteStore(path)
    with store.batch():
        for key in KEYS:
            put(store, key, BODY)
    store.close()
    return path


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


def asked(known: Rows, connection: sqlite3.Connection, key: Key) -> bool:
    """Whether the file is asked for the document, as the next transaction wants it."""
    seen = list[str]()
    known.refresh()
    connection.set_trace_callback(seen.append)
    assert known.docs([key])[key].body == BODY
    connection.set_trace_callback(None)
    return bool(seen)


def test_what_nobody_asks_for_while_others_fill_half_the_memory_twice_is_forgotten(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "KNOWN_BYTES", 2 * 2 * (ROW_BYTES + len(BODY)))  # two rows fill a half, a third is over
    known = Rows(connection)

    found = [(number, asked(known, connection, KEYS[number])) for number in (0, 1, 0, 2, 0, 3, 4, 5, 1, 0)]

    # 0, 1 and 2 become the older half. 0 is asked for and lives on, with 3 and 4; 1 is gone.
    assert [number for number, is_asked in found if is_asked] == [0, 1, 2, 3, 4, 5, 1]


def test_who_opens_a_file_again_gives_new_rows_numbers_of_their_own(path: Path) -> None:
    for key in (A, B, C):
        store = SqliteStore(path)
        put(store, key, b"one")
        store.close()

    again = SqliteStore(path)
    assert again.read([A, B, C]).keys() == {A, B, C}
    assert list(again.problems()) == []
    again.close()


def test_where_a_document_of_the_file_stands_is_known_when_it_is_to_stand_elsewhere(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "other.db")
    put(store, A, b"one", start=Place("p", "1"))
    store.close()

    again = SqliteStore(tmp_path / "other.db")
    put(again, A, b"two", 1, start=Place("p", "2"))
    found = again.list("start", "p", limit=9)

    assert [(doc.key, doc.body) for doc in found.docs] == [(A, b"two")]
    assert list(again.problems()) == []
    again.close()
