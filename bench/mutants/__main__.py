"""Put small faults into modules, and tell which of them no test notices.

python -m bench.mutants [core desk/holds.py ...]
"""

import argparse
import os
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.mutants.choosing import map_of, test_files, watch
from bench.mutants.judging import Judgement, judge, reasons, table_of
from bench.mutants.keeping import Keeper
from bench.mutants.running import Heard, chosen_mutants, false_alarms, modules, verdicts_on
from bench.mutants.watching import PACKAGES


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="packages or modules; all when none is named")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many at once")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs have found")
    parser.add_argument("--sample", type=int, default=0, help="only so many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    wanted = parser.parse_args()
    judgement = run(wanted.names or PACKAGES, wanted.jobs, wanted.fresh, wanted.sample, wanted.seed, Console())
    sys.exit(not judgement.is_good)


def run(names: Sequence[str], jobs: int, is_fresh: bool, sample: int, seed: int, console: Console) -> Judgement:
    """Try, print the table and what has no reason, and return the judgement."""
    files = test_files()
    watch(files, is_fresh=is_fresh)
    known, keeper = map_of(files), Keeper(is_fresh=is_fresh)
    mutants = chosen_mutants(names, sample, seed)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:

        def bar(what: str) -> Heard:
            task = progress.add_task(what, total=None)
            return lambda count, total: progress.update(task, completed=count, total=total)

        verdicts = verdicts_on(mutants, known, keeper, jobs, bar("trying mutants"))
        alarms = false_alarms(verdicts, mutants, known, jobs, bar("trying the tests themselves"))
    judgement = judge(verdicts, reasons(), () if sample else modules(names), alarms)
    console.print(table_of(judgement))
    for title, names in judgement.complaints().items():
        console.print(f"\n{title}:", style="bold")
        for name in names:
            console.print(f"  {name!r},", highlight=False, soft_wrap=True, markup=False)
    return judgement


if __name__ == "__main__":
    main()
