"""What a figure is: our measurement, that of a peer in the same run, their spread; and the table that shows them."""

import os
import platform
import sqlite3
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from rich.table import Table

from bench.peers import cluster


class Measured(msgspec.Struct, frozen=True):
    """The same thing measured in several rounds, in `unit`."""

    rounds: Sequence[float]
    unit: str

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def __str__(self) -> str:
        """The median, and from the least to the most."""
        text = f"{_short(self.median)} {self.unit}"
        if len(self.rounds) == 1:
            return text
        return f"{text} ({_short(min(self.rounds))} to {_short(max(self.rounds))})"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. `beside` is what the peer took, `peer` who that is; `target` what we want to reach, and
    `is_reached` whether we did, as far as there is one."""

    name: str
    ours: Measured | str
    beside: Measured | str = ""
    peer: str = ""
    ratio: str = ""
    target: str = ""
    is_reached: bool | None = None


def slower(peer: Measured, ours: Measured) -> str:
    """How many times as long the peer takes, by the medians."""
    return f"{peer.median / ours.median:.1f}x"


def table_of(figures: Iterable[Figure]) -> Table:
    """The figures as one table, for people."""
    table = Table(title="Slotkeeper beside its peers: medians (least to most) of one run", show_lines=True)
    for name in ("figure", "ours", "beside", "ratio", "target"):
        table.add_column(name, overflow="fold", justify="right" if name == "ratio" else "left")
    for each in figures:
        beside = f"{each.beside}\n[dim]{each.peer}[/]" if each.peer else str(each.beside)
        colour = {True: "green", False: "red", None: "default"}[each.is_reached]
        table.add_row(each.name, f"[{colour}]{each.ours}[/]", beside, each.ratio, each.target)
    return table


def machine() -> str:
    """What the figures were measured on: one line."""
    parts = [
        f"{_processor()}, {os.cpu_count()} cores",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    try:
        parts.append(f"PostgreSQL {cluster.version(cluster.find())}")
    except cluster.Absent:
        parts.append("no PostgreSQL")
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _short(value: float) -> str:
    """Three digits that count, and no more than are needed."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
