"""The schema of a SQLite file: numbered scripts, each run once, and only in files that are ours."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.resources import files
from importlib.resources.abc import Traversable

from slotkeeper.core.errors import Unreachable


class Damaged(Unreachable):
    """The file is not a Slotkeeper database, or is of a newer version than this program knows."""


def make_private(path: str) -> None:
    """Make a new file that only its owner can read: it will hold what customers say of themselves. The log files that
    SQLite puts beside it take its permissions over. A file that is there keeps its own."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def check_ours(path: str, *, may_be_new: bool) -> None:
    """Raises `Damaged` for another program's database, before anything in it is changed."""
    with closing(sqlite3.connect(path)) as connection:
        version, tables = connection.execute(
            "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
        ).fetchone()
    if version == 0 and (tables or not may_be_new):
        raise Damaged("this is not a Slotkeeper database")


def migrate(connection: sqlite3.Connection) -> None:
    """Run the numbered scripts that the file has not seen, each in a transaction of its own."""
    known = scripts()
    if _schema_version(connection) > _number(known[-1]):
        raise Damaged("the database was written by a newer Slotkeeper: install that version")
    for script in known:
        number = _number(script)
        if _schema_version(connection) < number:
            with suppress(_AlreadyDone):
                _run(connection, number, script.read_text("utf-8"))


def scripts() -> list[Traversable]:
    """The scripts that this version knows, in their order."""
    folder = files("slotkeeper.stores") / "migrations"
    return sorted((script for script in folder.iterdir() if script.name.endswith(".sql")), key=_number)


def _number(script: Traversable) -> int:
    return int(script.name[:4])


class _AlreadyDone(Exception):
    """Another process has run the script in the meantime."""


def _run(connection: sqlite3.Connection, number: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _schema_version(connection) >= number:
            raise _AlreadyDone
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    finally:
        roll_back(connection)


def _statements(script: str) -> Iterator[str]:
    """The script's statements; `executescript` would commit the transaction that they belong to."""
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""


def _schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def roll_back(connection: sqlite3.Connection) -> None:
    """Leave no transaction open. When even that fails the next BEGIN will, and be told of as unreachable."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def primary_code(error: Exception) -> int:
    """https://sqlite.org/rescode.html: the low byte of a code is the primary one."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
