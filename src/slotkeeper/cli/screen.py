"""How the command line looks: tables, panels and progress for people, JSON for programs."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 200
PROGRAM = "slotkeeper"
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

STATUS_STYLES = {
    "pending": "yellow",
    "booked": "green",
    "checkedIn": "cyan",
    "completed": "dim",
    "cancelled": "red",
    "declined": "red",
    "noShow": "magenta",
    "expired": "dim",
    "sent": "green",
    "kept": "cyan",
    "waiting": "yellow",
    "dead": "red",
}

json_option = click.option("--json", "is_json", is_flag=True, help="Answer in JSON, for programs.")


def program() -> str:
    """How the command is called from here: by its name where the shell finds it, else by its path."""
    beside = Path(sys.executable).with_name(PROGRAM)
    if which(PROGRAM) or not beside.exists():
        return PROGRAM
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)


def out() -> Console:
    """The console of standard output, as it is now; wide enough for whole rows when it is no terminal."""
    return _console(sys.stdout)


def err() -> Console:
    """The console of standard error, as it is now."""
    return _console(sys.stderr)


def plain(value: object) -> Text:
    """A value as text that neither marks up nor steers the terminal."""
    text = _CONTROLS.sub("\ufffd", str(value))
    return Text(text, style=STATUS_STYLES.get(text, ""))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Show rows under their columns; `empty` says what to do when there are none."""
    grid = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*map(plain, row))
    if grid.row_count:
        out().print(grid)
    else:
        click.echo(empty)


def panel(title: str, lines: Iterable[str | Text]) -> None:
    """Show a few lines in a frame."""
    body = Text("\n").join(line if isinstance(line, Text) else plain(line) for line in lines)
    out().print(Panel(body, title=title, title_align="left", border_style="green", expand=False, padding=(1, 2)))


def as_json(value: object) -> None:
    """Write a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


@contextmanager
def progress(doing: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A bar on standard error, when that is a terminal. What is yielded is told how much is done, and how much there
    is in all, as soon as that is known; `note` is shown beside it."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err(),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(doing, total=total, note="")

        def advance(done: int, total: int | None = None, note: str = "") -> None:
            more: dict[str, Any] = {} if total is None else {"total": total}
            bar.update(task, completed=done, note=note, **more)

        yield advance


def _console(file: Any) -> Console:
    return Console(file=file, highlight=False, width=None if file.isatty() else PIPED_WIDTH)
