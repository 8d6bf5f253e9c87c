"""Let storms rage over the whole service, or a year pass; exits with 1 when a promise was broken.

python -m bench.simulation [--seed SEED] [--storms 10] [--days 1] [--year]
"""

import argparse
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bench.simulation.storm import DAYS, Outcome, storm
from bench.simulation.year import DAYS_OF_A_YEAR, year

SEEDS = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description="Simulate the whole service.")
    parser.add_argument("--seed", type=int, help="replay this one; without it seeds are drawn, and told")
    parser.add_argument("--storms", type=int, default=10, help="so many storms, when no seed is named")
    parser.add_argument("--days", type=int, help="how long, in days of simulated time")
    parser.add_argument("--year", action="store_true", help="let a year of 3,500 bookings a day pass")
    asked, console = parser.parse_args(), Console()
    seed = secrets.randbelow(SEEDS) if asked.seed is None else asked.seed
    console.print(f"seed {seed}")
    if asked.year:
        outcomes = [_year(seed, asked.days or DAYS_OF_A_YEAR, console)]
    else:
        outcomes = _storms(range(seed, seed + (asked.storms if asked.seed is None else 1)), asked.days or DAYS, console)
    for each in outcomes:
        if each.wrong:
            _tell(each, console, is_year=asked.year)
    sys.exit(any(each.wrong for each in outcomes))


def _storms(seeds: Iterable[int], days: float, console: Console) -> list[Outcome]:
    """The storms of the seeds; the first that breaks a promise is the last."""
    found, table = list[Outcome](), Table(title=f"Storms of {days:g} days")
    for name in ("seed", "how it runs", "steps", "commits", "kills", "letters", "twice", "digest", "promises"):
        is_text = name in ("how it runs", "promises")
        table.add_column(name, justify="left" if is_text else "right", no_wrap=name != "promises")
    seeds = list(seeds)
    with _bar(console) as bar:
        task = bar.add_task("storms", total=len(seeds))
        for seed in seeds:
            found.append(each := storm(seed, days))
            bar.advance(task)
            counts = [f"{each.counts[name]:,}" for name in ("commits", "kills", "letters", "letters twice")]
            said = f"[bold red]{each.wrong}" if each.wrong else "all held"
            table.add_row(str(seed), each.shape, f"{each.steps:,}", *counts, each.digest[:8], said)
            if each.wrong:
                break
    console.print(table)
    return found


def _year(seed: int, days: int, console: Console) -> Outcome:
    began = time.perf_counter()
    with _bar(console) as bar:
        task = bar.add_task("days", total=days)
        found = year(seed, days, progress=lambda day: bar.update(task, completed=day))
    table = Table(title=f"{days} days in {time.perf_counter() - began:,.0f} s", show_header=False)
    rows: dict[str, object] = {"steps, each of them judged": f"{found.steps:,}"}
    rows |= {name: f"{count:,}" for name, count in found.counts.items()}
    rows |= {f"reminders late, {name}": f"{seconds} s" for name, seconds in _lateness(found.lateness).items()}
    for name, value in (rows | {"digest": found.digest}).items():
        table.add_row(name, str(value))
    console.print(table)
    return found


def _lateness(seconds: Mapping[int, int]) -> dict[str, int]:
    """The median, the 99th percentile and the most."""
    ordered = sorted(Counter(seconds).items())
    total, seen, found = sum(seconds.values()), 0, dict[str, int]()
    for late, count in ordered:
        seen += count
        for name, share in (("half of them", 0.5), ("99 %", 0.99), ("the last", 1.0)):
            if seen >= share * total:
                found.setdefault(name, late)
    return found


def _tell(outcome: Outcome, console: Console, *, is_year: bool) -> None:
    """What went before the step at which a promise broke, and how to see it again."""
    for line in outcome.story:
        console.print(line, markup=False, highlight=False)
    console.print(f"[bold red]seed {outcome.seed} breaks a promise at step {outcome.steps}: {outcome.wrong}")
    console.print(f"to see it again: make simulate SEED={outcome.seed}{' ARGS=--year' if is_year else ''}")


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console)


if __name__ == "__main__":
    main()
