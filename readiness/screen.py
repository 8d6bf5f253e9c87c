"""How the checks show: bars and a table in a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from readiness.checks import Verdict
from readiness.page import summary

STYLES = {"passed": "green", "failed": "bold red", "unseen": "yellow"}

Step = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""


@contextmanager
def progress(console: Console) -> Iterator[Step]:
    """A bar for what is being done, in a terminal; a line for each new thing elsewhere."""
    if not console.is_terminal:
        yield _said_once(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {}

        def step(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = bars.add_task(doing)
            bars.update(tasks[doing], completed=done, total=total or None)

        yield step


def show(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Every row with its result; in a terminal as a table."""
    if console.is_terminal:
        _table(console, verdicts)
    else:
        for verdict in verdicts:
            say(console, f"{verdict.state:<7}{verdict.row.id:<24}{verdict.result}")
    say(console, summary(verdicts).rstrip())


def detail(console: Console, verdict: Verdict) -> None:
    """One row with all that is known of it."""
    for text in (f"{verdict.row.asked}: {verdict.result}", *(f"  {each}" for each in verdict.holds)):
        say(console, text)


def _table(console: Console, verdicts: Sequence[Verdict]) -> None:
    table = Table(title="What the review asked for, now", show_lines=True)
    for name in ("row", "asked for", "what holds now", "result"):
        table.add_column(name)
    for verdict in verdicts:
        table.add_row(
            *map(Text, (verdict.row.id, verdict.row.asked, "; ".join(verdict.holds))),
            Text(verdict.result, STYLES[verdict.state]),
        )
    console.print(table)


def _said_once(console: Console) -> Step:
    said = set()

    def step(doing: str, done: int, total: int) -> None:
        if doing not in said:
            said.add(doing)
            say(console, f"{doing} ...")

    return step


def say(console: Console, text: str) -> None:
    """Print the text as it is, on one line."""
    console.print(Text(text), soft_wrap=True)
