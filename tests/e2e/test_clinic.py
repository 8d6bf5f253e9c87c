"""Weeks of a clinic, made by `medscheduler` (see bench/clinic/rows.py), goes in through the API and is reminded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.clinic.year import Counts, play, read_rows

SOME = 800
"""Six weeks; `make clinic` takes a year of ten providers."""

ROWS = Path(__file__).parent.parent / "data" / "clinic_quarter.csv.gz"


def no_bar(name: str, total: int) -> Callable[[int], object]:
    return lambda count: None


@pytest.mark.slow
def test_every_row_is_booked_each_rival_refused_and_each_reminder_delivered_once(tmp_path: Path) -> None:
    counts = play(read_rows(ROWS)[:SOME], tmp_path, no_bar)

    assert counts.wrong == []
    assert (counts.booked, counts.rows) == (SOME, SOME)
    assert counts.planted_refused == counts.planted > 50
    assert counts.complaints == counts.overlaps == 0
    assert counts.once == counts.due == 2 * (counts.booked - counts.cancelled)
    assert (counts.twice, counts.missing, counts.void_sent, counts.early_or_late) == (0, 0, 0, 0)
    assert counts.is_good


@pytest.mark.parametrize("wrong", ["twice", "missing", "void_sent", "early_or_late", "complaints", "overlaps"])
def test_counts_that_show_a_fault_are_not_good(wrong: str) -> None:
    good = Counts(planted=1, planted_refused=1, due=2, once=2)
    bad = Counts(planted=1, planted_refused=1, due=2, once=2)
    setattr(bad, wrong, 1)

    assert good.is_good
    assert not bad.is_good
