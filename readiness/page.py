"""The page docs/reference/readiness.md."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from readiness.checks import Verdict

HEAD = """# Readiness

The AWS home answers a review of an earlier serverless design, which came to a "conditional go". Each row of that review
stands here: what it asked for, what it said then, what holds now, and the command that shows it. `make readiness` runs
them all and writes this page; `make readiness ARGS=recovery` shows the row of that name alone. What holds is read from
[the template](../../src/slotkeeper/aws/template.json), is the sentence that a test's name is, or was measured; nothing
of it is typed in.

*passed* counts tests, facts of the template and figures. *failed* names what does not hold; a check that ran no test
has failed. *not shown here* is what only AWS itself can show: the tests run against an emulator.

"""


def page(verdicts: Sequence[Verdict]) -> str:
    """The page, table by table in the order of the rows."""
    return HEAD + summary(verdicts) + "".join(_tables(verdicts))


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many rows came to what, in a line."""
    states = [verdict.state for verdict in verdicts]
    return (
        f"{len(states)} rows: {states.count('passed')} passed, {states.count('failed')} failed, "
        f"{states.count('unseen')} not shown here.\n"
    )


def line(verdict: Verdict) -> str:
    """The row's line in its table."""
    cells = (
        f"`{verdict.row.id}`",
        *(verdict.row.asked, verdict.row.said),
        "; ".join(verdict.holds),
        "<br>".join(f"`{command}`" for command in verdict.commands),
        verdict.result,
    )
    return f"| {' | '.join(_cell(cell) for cell in cells)} |\n"


def _tables(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for name, rows in groupby(verdicts, lambda verdict: verdict.row.table):
        yield f"\n## {name}\n\n"
        yield "| row | asked for | the review said | what holds now | shown by | result |\n|---|---|---|---|---|---|\n"
        yield from map(line, rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
