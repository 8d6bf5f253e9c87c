"""A whole run: mutants are made and tried, and the tests that noticed one are tried without any."""

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence

import msgspec

from bench.mutants.choosing import Map
from bench.mutants.keeping import Keeper
from bench.mutants.mutating import SOURCES, Mutant, mutants_of
from bench.mutants.trying import Trial, Trials, Verdict
from bench.mutants.watching import ROOT

SAVE_EVERY = 50
"""So many verdicts may be lost when a run is broken off."""

Heard = Callable[[int, int], None]
"""Is told how many trials have ended, and how many there are."""


def modules(names: Sequence[str]) -> list[str]:
    """The files of the packages ("core") and modules ("desk/holds.py") that are named, below `SOURCES`."""
    paths = [SOURCES / name for name in names]
    files = [file for path in paths for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    return [str(file.relative_to(SOURCES)) for file in files]


def chosen_mutants(names: Sequence[str], sample: int = 0, seed: int = 1) -> list[Mutant]:
    """All mutants of what is named; with `sample` only so many, drawn by the seed."""
    found = [mutant for path in modules(names) for mutant in mutants_of(path)]
    if not sample or sample >= len(found):
        return found
    return [found[at] for at in sorted(random.Random(seed).sample(range(len(found)), sample))]


def verdicts_on(mutants: Sequence[Mutant], known: Map, keeper: Keeper, jobs: int, heard: Heard) -> list[Verdict]:
    """What becomes of each; a verdict that an earlier run has found is taken from the keeper."""
    trials = {mutant.name: Trial(mutant=mutant, tests=known.tests_for(mutant)) for mutant in mutants}
    verdicts = {name: Verdict(name=name, result="no test") for name, trial in trials.items() if not trial.tests}
    verdicts |= {name: kept for name, trial in trials.items() if trial.tests and (kept := keeper.verdict(trial))}
    left = [trial for name, trial in trials.items() if name not in verdicts]
    heard(0, len(left))
    for count, verdict in enumerate(_tried(left, jobs), 1):
        verdicts[verdict.name] = verdict
        keeper.note(trials[verdict.name], verdict)
        heard(count, len(left))
        if count % SAVE_EVERY == 0:
            keeper.save()
    keeper.save()
    return [verdicts[name] for name in trials if name in verdicts]


def false_alarms(
    verdicts: Sequence[Verdict], mutants: Sequence[Mutant], known: Map, jobs: int, heard: Heard
) -> list[str]:
    """The tests that have noticed a mutant and notice something where nothing was changed, each tried by itself."""
    by_name = {mutant.name: mutant for mutant in mutants}
    killers = {verdict.by: by_name[verdict.name] for verdict in verdicts if verdict.by in known.seconds}
    trials = [
        Trial(
            mutant=msgspec.structs.replace(mutant, name=test, start=0, end=0, text=""),
            tests={test: known.seconds[test]},
        )
        for test, mutant in killers.items()
    ]
    found = []
    for count, verdict in enumerate(_tried(trials, jobs), 1):
        heard(count, len(trials))
        if verdict.result != "survived":
            found.append(verdict.name)
    return found


def _tried(trials: Sequence[Trial], jobs: int) -> Iterator[Verdict]:
    """The verdicts as they become known; what cannot be swapped is imported anew."""
    refused: list[Trial] = []
    by_name = {trial.mutant.name: trial for trial in trials}
    for verdict in _once_tried(trials, jobs):
        if verdict.result == "refused":
            trial = by_name[verdict.name]
            refused.append(msgspec.structs.replace(trial, mutant=msgspec.structs.replace(trial.mutant, function="")))
        else:
            yield verdict
    if refused:
        yield from _once_tried(refused, jobs)


def _once_tried(trials: Sequence[Trial], jobs: int) -> Iterator[Verdict]:
    if not trials:
        return
    with tempfile.NamedTemporaryFile(suffix=".trials") as file:
        file.write(msgspec.msgpack.encode(Trials(trials=list(trials), jobs=jobs)))
        file.flush()
        command = [sys.executable, "-m", "bench.mutants.trying", file.name]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            for line in process.stdout or ():
                yield msgspec.json.decode(line, type=Verdict)
        if process.returncode:
            raise RuntimeError("the tests could not be run: see above")
