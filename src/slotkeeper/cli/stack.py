"""How a stack's changes are shown and followed on the command line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.table import Table
from rich.text import Text

from slotkeeper.aws.deploying import DONE, Change, Event, Plan, advice, failure
from slotkeeper.cli.complaints import Needs
from slotkeeper.cli.screen import out, plain, program, progress

SHOWN = 4
"""How many alike names a row shows when nothing is lost with them."""
REPLACED = {"": "", "False": "", "True": "yes", "Conditional": "perhaps"}


def show(plan: Plan, stack: str) -> None:
    """Show what would change, alike resources in one row; what would be lost comes first, is shown whole, and is named
    again below."""
    grid = Table(title=f"What changes in {stack}", title_justify="left", title_style="bold", header_style="bold")
    for column in ("action", "what", "type", "replaced"):
        grid.add_column(column, overflow="fold")
    for style, cells in _rows(plan.changes):
        grid.add_row(*(Text(plain(cell).plain, style=style) for cell in cells))
    out().print(grid)
    lost = [change.id for change in plan.changes if change.is_loss and not change.is_kept]
    if lost:
        click.secho(f"What these hold now goes, or may go: {', '.join(lost)}", fg="red", bold=True)


def _rows(changes: Sequence[Change]) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    """Style and cells of each row."""
    rows: dict[tuple[bool, str, str, str], list[Change]] = {}
    for change in changes:
        action = f"{change.action} (kept)" if change.action == "Remove" and change.is_kept else change.action
        rows.setdefault((not change.is_loss, action, change.type, REPLACED[change.replacement]), []).append(change)
    for (is_safe, action, kind, replaced), alike in sorted(rows.items()):
        names = [change.id for change in alike]
        shown = ", ".join(names[:SHOWN] if is_safe else names)
        more = len(names) - SHOWN
        yield _style(alike[0]), (action, f"{shown} and {more} more" if is_safe and more > 0 else shown, kind, replaced)


def watched(events: Iterator[Event], doing: str, stack: str, total: int | None) -> None:
    """Show the events until the stack rests.

    Raises:
        Needs: it rests because something failed.
    """
    seen: list[Event] = []
    done: set[str] = set()
    with _left_alone(stack), progress(f"{doing} {stack}", total) as advance:
        for event in events:
            seen.append(event)
            if event.status.endswith("_COMPLETE") and not event.is_of_stack:
                done.add(event.id)
            advance(len(done), note=f"{event.id} {event.status.lower().replace('_', ' ')}")
    if seen[-1].status not in DONE:
        raise _failed(seen, stack)


def _style(change: Change) -> str:
    if change.is_loss:
        return "bold red"
    if change.replacement == "Conditional":
        return "yellow"
    return "green" if change.action == "Add" else ""


@contextmanager
def _left_alone(stack: str) -> Iterator[None]:
    """Say, to whom breaks off, that AWS does not."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nAWS goes on. See how it ended: {program()} aws outputs --stack {stack}", err=True)
        raise


def _failed(seen: list[Event], stack: str) -> Needs:
    first, last = failure(seen), seen[-1]
    reason = f"{first.id} ({first.type}): {first.reason}" if first else last.reason or "no reason was given"
    hint = advice(first.reason) if first else ""
    return Needs(f"the stack {stack} failed.\n{reason}", f"{hint} {_after(last.status, stack)}".strip())


def _after(status: str, stack: str) -> str:
    match status:
        case "ROLLBACK_COMPLETE":
            return f"What was made is removed again. Before the next try: {program()} aws delete --stack {stack}"
        case "UPDATE_ROLLBACK_COMPLETE":
            return "All is as it was before, and goes on."
        case _:
            return f"The stack is left as {status}."
