"""The committed page is what `make readiness` writes: its rows, their commands, and the facts of the template as it is.

Only how tests and benches went is not looked at here: that takes as long as `make readiness` does.
"""

import re

import pytest

from readiness.__main__ import House
from readiness.checks import Evidence, Fact, Row, judge
from readiness.page import HEAD, line, page
from readiness.rows import ROWS
from readiness.template import Template
from readiness.testing import Run

EVIDENCE = Evidence(Template.read(), Run(), {})
RESULT = re.compile(r"(passed \d+ of \d+ .+|failed: .+|not shown here: .+)")


def wrongs(text: str) -> list[str]:
    """What of a page is not as it would be written now."""
    lines = [each for each in text.splitlines(keepends=True) if each.startswith("| `")]
    wrong = [row.id for row, each in zip(ROWS, lines, strict=False) if not is_of(row, each)]
    wrong += [] if len(lines) == len(ROWS) else ["the number of rows"]
    wrong += [] if text.startswith(HEAD + told(lines)) else ["the head"]
    return wrong


def is_of(row: Row, found: str) -> bool:
    """Whether the line is the row's: its words and commands, each fact of the template, and a result of some kind."""
    verdict = judge(row, EVIDENCE)
    *words, holds, shown_by, result = cells(found)
    *expected, _, commands, _ = cells(line(verdict))
    facts = [judge(Row(id="", table="", asked="", said="", checks=(each,)), EVIDENCE) for each in facts_of(row)]
    are_told = all(cells(f"| {text} |")[0] in holds for fact in facts for text in fact.holds)
    return (words, shown_by) == (expected, commands) and are_told and RESULT.fullmatch(result) is not None


def facts_of(row: Row) -> list[Fact]:
    return [check for check in row.checks if isinstance(check, Fact)]


def cells(row: str) -> list[str]:
    return re.split(r" \| ", row.strip().removeprefix("| ").removesuffix(" |"))


def told(lines: list[str]) -> str:
    """The head's count of the results."""
    kinds = [cells(each)[-1].split(maxsplit=1)[0].rstrip(":") for each in lines]
    return (
        f"{len(kinds)} rows: {kinds.count('passed')} passed, {kinds.count('failed')} failed, "
        f"{kinds.count('not')} not shown here.\n"
    )


def test_the_committed_page_is_as_the_rows_and_the_template() -> None:
    assert wrongs(House().page.read_text("utf-8")) == [], "run `make readiness`"


def test_a_page_as_it_is_written_is_not_wrong() -> None:
    assert wrongs(page([judge(row, EVIDENCE) for row in ROWS])) == []


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("7-day optimized", "30-day optimized", "log-retention"),
        ("PointInTimeRecoveryEnabled true", "PointInTimeRecoveryEnabled yes", "recovery"),
        ("python -m readiness tags", "python -m readiness", "tags"),
        ("passed 3 of 3 facts", "all is well", "recovery"),
        ("| `recovery` |", "| recovery |", "the number of rows"),
        (" failed, ", " broken, ", "the head"),
    ],
)
def test_a_page_that_somebody_wrote_into_is_wrong(old: str, new: str, wrong: str) -> None:
    text = page([judge(row, EVIDENCE) for row in ROWS])

    assert old in text
    assert wrong in wrongs(text.replace(old, new))
