"""Every zone, at every change of its clocks from 2020 to 2037: hours, reminders and whatever is said of times are as a
wall clock shows that is read on its own.
"""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing import get_context
from typing import Any
from unittest.mock import patch

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.proof.place import Place, Tally
from bench.proof.table import Row, Scale
from bench.proof.zonefile import clock_of
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import zone_names
from tests.laws.test_every_zone import KNOWN_FOR_TROUBLE, with_the_offset_of_the_days_start

FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2020, 2038))
CLAIMS = {
    "hours": "hours and slots follow the wall clock of every zone",
    "reminders": "reminders leave so long before, never in quiet hours, and as close to these as can be",
    "words": "mails, pages, calendar files and the staff calendar tell the right times",
}
FEW = 2
"""As many changes of a zone are looked at in quick."""


def by_the_offset_of_new_year(instant: Instant, name: str) -> datetime:
    """The usual mistake: a zone is taken for one offset."""
    year = datetime.fromtimestamp(instant, UTC).year
    offset = clock_of(name).offset(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()))
    return datetime.fromtimestamp(instant, timezone(timedelta(seconds=offset)))


class Broken(msgspec.Struct, frozen=True):
    """A build that is broken on purpose: in words, and what stands where."""

    text: str
    wrong: Callable[..., Any]
    places: tuple[str, ...]


BROKEN = {
    "hours": Broken(
        "hours by the offset that the day begins with",
        with_the_offset_of_the_days_start,
        ("slotkeeper.desk.facts.open_ticks",),
    ),
    "reminders": Broken(
        "quiet hours by the offset of new year", by_the_offset_of_new_year, ("slotkeeper.core.reminders.local",)
    ),
    "words": Broken(
        "words by the offset of new year",
        by_the_offset_of_new_year,
        ("slotkeeper.notices.languages.local", "slotkeeper.web.look.languages.local"),
    ),
}


def rows(scale: Scale) -> Iterator[Row]:
    """A row for each of hours, reminders and words."""
    zones = KNOWN_FOR_TROUBLE if scale == "quick" else sorted(zone_names())
    found = all_examined(zones, FEW if scale == "quick" else None)
    count = sum(len(changes_of(zone, FEW if scale == "quick" else None)) for zone in zones)
    for about, claim in CLAIMS.items():
        wrong = found.wrong.get(about, [])
        broken = len(broken_examined(about).wrong.get(about, []))
        yield Row(
            claim=claim,
            tried=f"{len(zones)} zones, {count:,} changes of their clocks: {found.compared[about]:,} comparisons",
            found="; ".join([f"{len(wrong):,} wrong", *wrong[:1]]),
            holds=not wrong and found.compared[about] > 0,
            broken=f"{BROKEN[about].text}: {broken} wrong",
            is_caught=broken > 0,
        )


def changes_of(zone: str, few: int | None = None) -> list[int]:
    """The changes of a zone's clocks, ascending; with `few` so many of them, drawn by lot."""
    changes = clock_of(zone).between(FIRST, LAST)
    if few is None or len(changes) <= few:
        return changes
    return sorted(random.Random(zone).sample(changes, few))


def examined(zone: str, few: int | None = None) -> Tally:
    """The zone, at its changes."""
    tally, changes = Tally(), changes_of(zone, few)
    if not changes:
        return tally
    place = Place(zone)
    for change in changes:
        tally.add(place.examined(change))
    return tally


def broken_examined(about: str) -> Tally:
    """What is found of a build that is broken in that."""
    broken, tally = BROKEN[about], Tally()
    with ExitStack() as stack:
        for where in broken.places:
            stack.enter_context(patch(where, broken.wrong))
        for zone in ("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"):
            tally.add(examined(zone, FEW))
    return tally


def all_examined(zones: Sequence[str], few: int | None) -> Tally:
    """All zones: when all of their changes are wanted, by as many processes as there are cores."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tally = Tally()
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(*columns, transient=True))
        bar = progress.add_task("zones", total=len(zones))
        found: Iterator[Tally] = (examined(zone, few) for zone in zones)
        if few is None:
            context = get_context("spawn")
            workers = stack.enter_context(ProcessPoolExecutor(os.cpu_count(), mp_context=context))
            found = workers.map(examined, zones)
        for each in found:
            tally.add(each)
            progress.advance(bar)
    return tally
