"""The rows answer the whole review, and what they name is there."""

import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from readiness.checks import ByTests, Row, Unseen, commands
from readiness.rows import ROWS
from readiness.template import ROOT

REPORT = Path(__file__).with_name("report.md")
"""The tables and lists of the review."""

Asked = tuple[str, str, str]
"""The table, what it asks for, and what it said of it."""


def asked_by(report: str) -> list[Asked]:
    """Every row of every table and every point of every list."""
    return list(_asked(report.splitlines()))


def _asked(lines: list[str]) -> Iterator[Asked]:
    table, is_head = "", False
    for line in lines:
        if line.startswith("## "):
            table, is_head = line[3:], True
        elif line.startswith("|---"):
            is_head = False
        elif line.startswith("|") and not is_head:
            first, *others = (cell.strip() for cell in line.strip("|").split("|"))
            yield table, first, ", ".join(filter(None, others))
        elif point := re.match(r"\d+\. (.*)", line):
            yield table, point[1], ""


def answered(rows: tuple[Row, ...]) -> list[Asked]:
    return [(row.table, row.asked, row.said) for row in rows]


def test_every_row_of_the_review_has_one_row_here_in_the_same_words_and_order() -> None:
    assert answered(ROWS) == asked_by(REPORT.read_text())


def test_a_row_that_is_left_out_is_missed() -> None:
    asked = asked_by(REPORT.read_text())

    assert all(answered(ROWS[:n] + ROWS[n + 1 :]) != asked for n in range(len(ROWS)))


def test_the_review_is_read_whole() -> None:
    tables = Counter(table for table, _, _ in asked_by(REPORT.read_text()))

    assert list(tables.values()) == [7, 8, 6, 3, 8, 4, 5, 6, 4, 8, 2, 5, 4, 5]


def test_each_row_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(row.id for row in ROWS).items() if times > 1] == []


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])
def test_each_row_is_checked_by_something_that_is_there(row: Row) -> None:
    assert any(not isinstance(check, Unseen) for check in row.checks)
    missing = [name for check in row.checks if isinstance(check, ByTests) for name in check.names if not is_there(name)]
    assert missing == []
    modules = [command.split()[2] for command in commands(row) if command.startswith("python -m ")]
    assert [module for module in modules if find_spec(module) is None] == []


def is_there(test: str) -> bool:
    """Whether a file of tests has such a test, or inherits it from a contract."""
    file, *inside = test.split("::")
    path = ROOT / file
    if not path.exists():
        return False
    places = [path, *(ROOT / "tests" / "contracts").glob("*.py")]
    return not inside or any(f"def {inside[-1]}(" in place.read_text() for place in places)


@pytest.mark.parametrize("test", ["tests/aws/test_nothing.py", "tests/web/test_access.py::test_nothing"])
def test_a_test_that_is_not_there_is_missed(test: str) -> None:
    assert not is_there(test)
