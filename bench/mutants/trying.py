"""Letting tests try to notice mutants: each mutant in a process of its own, forked from one that has all of them ready.

A process of its own, because it must not have imported Slotkeeper before:
python -m bench.mutants.trying TRIALS
It prints each verdict as a line of JSON.
"""

import gc
import importlib
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from bench.mutants.forking import Crew, Ended, OutOfTime, limit_to
from bench.mutants.mutating import Mutant
from bench.mutants.swapping import live_functions, plant, swap
from bench.mutants.watching import PLAIN, draw_the_same, file_of, slotkeeper_caches, wanted_items

Result = Literal["killed", "timed out", "survived", "no test", "refused", "crashed"]

IMPORT_SECONDS = 6.0
"""So long the modules that a few files of tests need may take to load."""

BEFOREHAND = ("hypothesis", "httpx", "jinja2", "babel", "icalendar", "rich", "joserfc", "click", "aiosmtpd", "uvicorn")
"""What takes its time to load, and is not ours."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant, and the tests that could notice it with the seconds that each takes, in the order to be tried."""

    mutant: Mutant
    tests: dict[str, float]


class Trials(msgspec.Struct, frozen=True, kw_only=True):
    trials: list[Trial]
    jobs: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mutant: `by` is the test that noticed it, `seconds` the processor time that it took."""

    name: str
    result: Result
    by: str = ""
    seconds: float = 0.0


Tell = Callable[[Verdict], None]


class Session:
    """A plugin of pytest that leaves it to `then` what happens with the tests that were found."""

    def __init__(self, then: "Callable[[Session], None]") -> None:
        self.items: dict[str, pytest.Item] = {}
        self._then = then
        self._failed = ""
        self._is_late = False

    def pytest_configure(self) -> None:
        draw_the_same()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = wanted_items(items)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed
        self.items = {item.nodeid: item for item in session.items}
        # It is emptied when it is first asked for: not by each process in turn, with the others at work in it.
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined] # pytest's own
        self._then(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._failed:
            self._failed = report.nodeid

    def pytest_exception_interact(self, call: pytest.CallInfo[object]) -> None:
        if call.excinfo is not None and call.excinfo.errisinstance(OutOfTime):
            self._is_late = True

    def first_failed(self, tests: dict[str, float]) -> str:
        """Run the tests up to the first that fails, and name it."""
        items = [self.items[test] for test in tests if test in self.items]
        for item, following in zip(items, [*items[1:], None], strict=True):
            limit_to(tests[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                item.session._setupstate.teardown_exact(None)  # what was started for several tests must end
                break
        if self._is_late:
            raise OutOfTime
        return self._failed


class Trying:
    """The trials of one run, with what was learned from those that have ended."""

    def __init__(self, jobs: int, tell: Tell) -> None:
        self._crew = Crew(jobs)
        self._tell = tell
        self._killers: dict[str, list[str]] = defaultdict(list)

    def start(self, trial: Trial, work: Callable[[dict[str, float]], str], refused: list[Trial]) -> None:
        """Try it, the tests first that have noticed mutants of the same function; add it to `refused` if it cannot
        be."""
        place = f"{trial.mutant.path} {trial.mutant.function}"
        first = [test for test in reversed(self._killers[place]) if test in trial.tests]
        tests = {test: trial.tests[test] for test in [*first, *trial.tests]}

        def told(ended: Ended) -> None:
            if ended.ending == "refused":
                refused.append(trial)
                return
            results: dict[str, Result] = {"found": "killed", "nothing": "survived", "out of time": "timed out"}
            result = results.get(ended.ending, "crashed")
            if result == "killed" and ended.found in trial.tests:
                self._killers[place] = [test for test in self._killers[place] if test != ended.found] + [ended.found]
            self._tell(Verdict(name=trial.mutant.name, result=result, by=ended.found, seconds=ended.seconds))

        self._crew.start(lambda: work(tests), told)

    def finish(self) -> None:
        self._crew.finish()


def try_by_swapping(trials: list[Trial], trying: Trying, folder: Path) -> list[Trial]:
    """Collect all tests once, and swap functions under them. Returns the trials that this cannot do."""
    refused: list[Trial] = []

    def then(session: Session) -> None:
        for cache in slotkeeper_caches():
            cache.cache_clear()
        live = live_functions()
        with _emulator(session, folder):
            gc.collect()
            gc.freeze()
            for trial in trials:

                def work(tests: dict[str, float], trial: Trial = trial) -> str:
                    swap(trial.mutant, live)
                    return session.first_failed(tests)

                trying.start(trial, work, refused)
            trying.finish()

    if trials:
        _pytest(session := Session(then), (test for trial in trials for test in trial.tests), folder / "warm")
        if not session.items:
            raise RuntimeError("pytest could not collect the tests")
    return refused


def try_by_importing(trials: list[Trial], trying: Trying, folder: Path) -> None:
    """Import everything anew for each trial."""
    for name in BEFOREHAND:
        importlib.import_module(name)
    for number, trial in enumerate(trials):

        def work(tests: dict[str, float], trial: Trial = trial, number: int = number) -> str:
            plant(trial.mutant)
            for file, some in _by_file(tests).items():
                if failed := _failed_anew(some, folder / f"anew-{number}" / Path(file).stem):
                    return failed
            return ""

        trying.start(trial, work, [])
    trying.finish()


def _failed_anew(tests: dict[str, float], folder: Path) -> str:
    failed = ""

    def then(session: Session) -> None:
        nonlocal failed
        failed = session.first_failed(tests)

    limit_to(IMPORT_SECONDS)
    folder.parent.mkdir(exist_ok=True)
    _pytest(session := Session(then), tests, folder)
    return failed if session.items else "it cannot be imported"


def _by_file(tests: dict[str, float]) -> dict[str, dict[str, float]]:
    """The tests of each file, the file with the most of them first."""
    files: dict[str, dict[str, float]] = defaultdict(dict)
    for test, seconds in tests.items():
        files[file_of(test)][test] = seconds
    return dict(sorted(files.items(), key=lambda each: -len(each[1])))


def _pytest(session: Session, tests: Iterator[str] | dict[str, float], folder: Path) -> None:
    files = sorted({file_of(test) for test in tests})
    # It complains of what was loaded before it came. The machine may be busy: the processor's time is what counts.
    quietly = ["-W", "ignore::pytest.PytestAssertRewriteWarning", "-o", "timeout=300"]
    pytest.main([*PLAIN, *quietly, "--basetemp", str(folder), *files], plugins=[session])


@contextmanager
def _emulator(session: Session, folder: Path) -> Iterator[None]:
    """One emulator for all processes, in the place of the one that each would start for itself."""
    asking = [item for item in session.items.values() if "emulator" in getattr(item, "fixturenames", ())]
    if not asking:
        yield
        return
    from tests.aws.emulator import emulating

    fixtures = asking[0].session._fixturemanager.getfixturedefs("emulator", asking[0])
    (folder / "emulator").mkdir()
    with emulating(folder / "emulator") as running:
        for fixture in fixtures or ():
            fixture.cached_result = (running, None, None)
        yield


def main(path: str) -> None:
    told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what pytest prints

    def tell(verdict: Verdict) -> None:
        told.write(msgspec.json.encode(verdict).decode() + "\n")
        told.flush()

    wanted = msgspec.msgpack.decode(Path(path).read_bytes(), type=Trials)
    trying = Trying(wanted.jobs, tell)
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own, too: what it imports would be in the way of what comes next.
        if os.fork() == 0:
            for trial in try_by_swapping([each for each in wanted.trials if each.mutant.function], trying, Path(name)):
                tell(Verdict(name=trial.mutant.name, result="refused"))
            os._exit(0)
        os.wait()
        try_by_importing([each for each in wanted.trials if not each.mutant.function], trying, Path(name))


if __name__ == "__main__":
    main(sys.argv[1])
