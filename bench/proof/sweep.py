"""Runs `sweep.sql` over a file, and holds what clients were told against what stands there."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".sql")

_UNKEPT = """
SELECT count(*) FROM told
LEFT JOIN doc ON doc.part = :business || '/appointment/' || appointment AND doc.sort = 'appointment'
WHERE CAST(body AS TEXT) ->> '$.status' IS NOT told.status OR CAST(body AS TEXT) ->> '$.start' IS NOT told.start
"""


def swept(path: Path) -> dict[str, int]:
    """What is wrong with the documents of the file, and how often: only what there is."""
    with closing(sqlite3.connect(path)) as connection:
        rows = [row for statement in _statements() for row in connection.execute(statement)]
    return {what: number for what, number in rows if number}


def unkept(path: Path, business: str, told: Iterable[tuple[str, str, int]]) -> int:
    """How many of the business's appointments that clients were told of, as id, status and start, do not stand so."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TEMP TABLE told (appointment TEXT PRIMARY KEY, status TEXT, start INTEGER)")
        connection.executemany("INSERT INTO told VALUES (?, ?, ?)", told)
        found: int = connection.execute(_UNKEPT, {"business": business}).fetchone()[0]
    return found


def _statements() -> Iterator[str]:
    text = ""
    for line in SCRIPT.read_text("utf-8").splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""
