"""Faults of what Slotkeeper stands on: disks, clocks, and the peers that it sends to."""

from collections.abc import Iterator

from bench.proof.faults import clocks, disk, post
from bench.proof.table import Row, Scale


def rows(scale: Scale) -> Iterator[Row]:
    """What was tried with each of them, and what was found."""
    for part in (disk, clocks, post):
        yield from part.rows(scale)
