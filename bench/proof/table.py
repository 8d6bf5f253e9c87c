"""What a proof says, and how it is printed."""

from collections.abc import Iterable
from typing import Literal

import msgspec
from rich.table import Table

Scale = Literal["quick", "full"]
"""`quick` is for every build: seconds. `full` is what the figures in the docs come from."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one proof tried and found, and what it said of a build that was broken on purpose.

    `broken` is empty where nothing could be broken, such as a soak; then `is_caught` says nothing.
    """

    claim: str
    tried: str
    found: str
    holds: bool
    broken: str = ""
    is_caught: bool = True

    @property
    def is_good(self) -> bool:
        return self.holds and self.is_caught


def table_of(rows: Iterable[Row]) -> Table:
    """The rows as one table, for people."""
    table = Table(title="What was tried to show Slotkeeper wrong, and what was found", show_lines=True)
    for name in ("promise", "tried", "found", "a broken build"):
        table.add_column(name, overflow="fold")
    for row in rows:
        found = row.found if row.holds else f"[bold red]FALSE[/]: {row.found}"
        broken = row.broken if row.is_caught else f"[bold red]NOT CAUGHT[/]: {row.broken}"
        table.add_row(row.claim, row.tried, found, broken)
    return table
