"""Storms over the whole service in virtual time, and a year of 3,500 bookings a day: every promise, at every step."""

import time
from collections.abc import Iterator, Sequence

from bench.proof.table import Row, Scale
from bench.simulation.broken import BROKEN, Build
from bench.simulation.storm import SHAPES, Outcome, shape_of, storm
from bench.simulation.year import DAYS_OF_A_YEAR, PER_DAY, year

HOURS = 1 / 24
TRIED_SEEDS = 12
"""So many seeds a broken build may come through before it counts as not caught."""


def rows(scale: Scale) -> Iterator[Row]:
    """Storms with every broken build, then as much of a year as the scale allows."""
    is_quick = scale == "quick"
    storms, hours = (5, 4) if is_quick else (200, 24)
    yield _storms([storm(seed, hours * HOURS) for seed in range(storms)], hours)
    yield _replayed(storm(0, hours * HOURS), storm(0, hours * HOURS))
    yield _year(2, PER_DAY // 20) if is_quick else _year(DAYS_OF_A_YEAR, PER_DAY)


def _storms(found: Sequence[Outcome], hours: int) -> Row:
    wrong = [f"seed {each.seed}, step {each.steps}: {each.wrong}" for each in found if each.wrong]
    counts = {name: sum(each.counts[name] for each in found) for name in ("commits", "kills", "letters")}
    seeds = {build.name: seeds_until_caught(build) for build in BROKEN}
    missed = [name for name, tried in seeds.items() if tried is None]
    most = max((tried for tried in seeds.values() if tried is not None), default=0)
    return Row(
        claim="every promise holds after every step, whoever goes first and whatever fails",
        tried=f"{len(found)} storms of {hours} h, {len(SHAPES)} ways to run it, processes killed at any step",
        found=wrong[0]
        if wrong
        else f"{sum(each.steps for each in found):,} steps, {counts['commits']:,} commits, "
        f"{counts['kills']:,} kills, {counts['letters']:,} letters: 0 promises broken",
        holds=not wrong,
        broken=f"missed: {', '.join(missed)}"
        if missed
        else f"{len(BROKEN)} builds, each caught by {most} seeds or fewer",
        is_caught=not missed,
    )


def seeds_until_caught(build: Build) -> int | None:
    """How many seeds it takes to catch the build; None when none does."""
    seeds = [seed for seed in range(TRIED_SEEDS * len(SHAPES)) if build.shape in ("", shape_of(seed))]
    for tried, seed in enumerate(seeds[:TRIED_SEEDS], 1):
        if storm(seed, 6 * HOURS, build).wrong:
            return tried
    return None


def _replayed(first: Outcome, again: Outcome) -> Row:
    return Row(
        claim="a seed replays a run exactly",
        tried=f"seed {first.seed} twice",
        found=f"{first.steps:,} and {again.steps:,} steps, digests {first.digest[:8]} and {again.digest[:8]}",
        holds=first == again,
    )


def _year(days: int, per_day: int) -> Row:
    began = time.perf_counter()
    found = year(1, days, per_day=per_day, progress=lambda day: None)
    seconds = time.perf_counter() - began
    on_time = sum(count for late, count in found.lateness.items() if late <= 60)
    return Row(
        claim="every promise holds day after day, while little fails",
        tried=f"{days} days of {per_day:,} bookings, the whole service, on one core",
        found=found.wrong
        or f"{found.counts['booked done']:,} bookings, {found.steps:,} steps in {seconds:,.0f} s; "
        f"{on_time:,} of {sum(found.lateness.values()):,} reminders within a minute",
        holds=not found.wrong,
    )
