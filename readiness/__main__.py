"""Checks every row of the review, shows them, and writes docs/reference/readiness.md: `make readiness`.

python -m readiness            all rows; ends with 1 when a check fails, after the page is written
python -m readiness ROW ...    only these, without the page
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from readiness.checks import ByTests, Evidence, Figure, Finding, Row, Verdict, judge
from readiness.page import page
from readiness.rows import ROWS
from readiness.screen import Step, detail, progress, say, show
from readiness.template import PATH, ROOT, Absent, Template
from readiness.testing import Run, run


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What is checked, and where things are: the rows, the tests' root, the template, the page, what pytest says."""

    rows: Sequence[Row] = ROWS
    root: Path = ROOT
    template: Path = PATH
    page: Path = ROOT / "docs" / "reference" / "readiness.md"
    log: Path = ROOT / "build" / "readiness.log"
    options: Sequence[str] = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
    """Of pytest: tests of a file share an emulator and what they have deployed into it."""


def main(names: Sequence[str], console: Console, house: House) -> int:
    """Check the rows of these names, or all; returns the exit code."""
    if unknown := set(names) - {row.id for row in house.rows}:
        say(console, f"there is no row {', '.join(sorted(unknown))}")
        return 2
    with progress(console) as step:
        verdicts = check([row for row in house.rows if not names or row.id in names], step, house)
    if names:
        for verdict in verdicts:
            detail(console, verdict)
    else:
        house.page.write_text(page(verdicts), "utf-8")
        show(console, verdicts)
    if not any(verdict.state == "failed" for verdict in verdicts):
        return 0
    say(console, f"what pytest said is in {house.log}")
    return 1


def check(rows: Sequence[Row], step: Step, house: House) -> list[Verdict]:
    """Do all that the rows need, each thing once; returns their verdicts in the same order."""
    checks = [check for row in rows for check in row.checks]
    names = {name for each in checks if isinstance(each, ByTests) for name in each.names}
    ran = Run()
    if names:
        ran = run(
            names, house.root, house.log, lambda done, total: step("running the tests", done, total), house.options
        )
    figures = _figures([each for each in checks if isinstance(each, Figure)], step)
    evidence = Evidence(_template(house.template), ran, figures)
    return [judge(row, evidence) for row in rows]


def _figures(figures: Sequence[Figure], step: Step) -> Mapping[Figure, Sequence[Finding]]:
    found = {}
    wanted = list(dict.fromkeys(figures))
    for number, figure in enumerate(wanted):
        step("measuring", number, len(wanted))
        found[figure] = figure.found()
    return found


def _template(path: Path) -> Template | Absent:
    try:
        return Template.read(path)
    except Absent as absent:
        return absent


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Console(highlight=False), House()))
