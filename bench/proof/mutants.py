"""The tests notice small faults: nine in ten at the least, and of each that they do not, somebody has said why."""

import os
from collections.abc import Iterator, Sequence

from rich.console import Console

from bench.mutants.choosing import map_of, test_files, watch
from bench.mutants.judging import TARGET, Judgement, judge, reasons
from bench.mutants.keeping import Keeper
from bench.mutants.planted import PLANTED, TESTS, planted
from bench.mutants.running import chosen_mutants, false_alarms, modules, verdicts_on
from bench.mutants.trying import Verdict
from bench.mutants.watching import PACKAGES
from bench.proof.table import Row, Scale

VALUES = "tests/core/test_value.py"
QUICK = ("core/sheet.py", "core/slots.py", "core/errors.py")
QUICK_TESTS = (TESTS, "tests/core/test_slots.py", "tests/core/test_rules.py", "tests/core/test_errors.py", VALUES)
QUICK_SAMPLE = 8
SEED = 2026


def rows(scale: Scale) -> Iterator[Row]:
    """One for each package; `quick` draws a sample from three modules whose tests are quick."""
    is_quick = scale == "quick"
    names, files = (QUICK, QUICK_TESTS) if is_quick else (PACKAGES, test_files())
    watch(files, is_fresh=not is_quick)
    known, jobs = map_of(files), os.cpu_count() or 1
    mutants = chosen_mutants(names, QUICK_SAMPLE if is_quick else 0, SEED)
    tried = [*mutants, *(mutant for mutant, _ in planted().values())]
    verdicts = verdicts_on(tried, known, Keeper(is_fresh=True), jobs, _ignore)
    alarms = false_alarms(verdicts, tried, known, jobs, _ignore)
    on_planted = [verdict for verdict in verdicts if verdict.name.startswith(PLANTED)]
    judgement = judge(
        [each for each in verdicts if each not in on_planted], reasons(), () if is_quick else modules(names), alarms
    )
    broken, is_caught = machinery(on_planted)
    for share in judgement.shares:
        why = f"{share.survived:,} are not, each with its reason" if judgement.is_good else _complaint(judgement)
        yield Row(
            claim=f"the tests notice small faults in {share.package}/",
            tried=f"{share.all:,} mutants{f' (a sample, seed {SEED})' if is_quick else ''}",
            found=f"{share.noticed:.1%} are noticed, {share.late:,} of them as they never end; {why}",
            holds=share.noticed >= TARGET and not judgement.complaints(),
            broken=broken,
            is_caught=is_caught,
        )


def machinery(verdicts: Sequence[Verdict]) -> tuple[str, bool]:
    """What was made of changes of which the outcome is known, and whether all of it was right."""
    wanted = planted()
    results = {verdict.name: verdict.result for verdict in verdicts}
    wrong = [what for what, (mutant, result) in wanted.items() if results.get(mutant.name) != result]
    said = f"planted: {', '.join(f'{what} ({result})' for what, (_, result) in wanted.items())}"
    return (f"{said}; misjudged: {', '.join(wrong)}" if wrong else said), not wrong


def _complaint(judgement: Judgement) -> str:
    Console(stderr=True).print(judgement.complaints())
    return "; ".join(f"{title}: {len(names):,}" for title, names in judgement.complaints().items())


def _ignore(count: int, total: int) -> None:
    """A proof shows that it is at work by its name alone."""
