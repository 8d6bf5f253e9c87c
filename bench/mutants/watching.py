"""Which tests run which lines of which functions, and how long each test takes: found by running them once.

A process of its own, because lines that run at import are seen only if nothing was imported before:
python -m bench.mutants.watching FILE ...
"""

import functools
import gc
import hashlib
import resource
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import coverage
import msgspec
import pytest

from bench.mutants.mutating import SOURCES, functions_of

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".mutants"
PACKAGES = ("core", "desk", "courier", "stores")
SLOW_TOO = ("tests/stores/",)
"""Where tests that are marked slow are run as well: they are all that there is for the DynamoDB store."""

PLAIN = [
    "-q",
    "--no-header",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-p",
    "no:pytest_cov",
    "-s",
    "--tb=no",
]


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """What the tests of one file ran, as it was when it was watched.

    `tests` has the processor seconds of each test that passed, `lines` for each function ("core/ticks.py Window.bit")
    and each of its lines (0 is its `def`) the numbers of the tests that ran it, `functions` the digest of its text.
    """

    digest: str
    tests: dict[str, float]
    lines: dict[str, dict[int, list[int]]]
    functions: dict[str, str]


def digest_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]


def kept_runs(file: str) -> Path:
    """Where the runs of a test file ("tests/core/test_ticks.py") are kept."""
    return KEPT / "runs" / (file.replace("/", "-") + ".msgpack")


def wanted_items(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Those that take part: not the slow ones, save where there are no others."""
    return [item for item in items if not item.get_closest_marker("slow") or item.nodeid.startswith(SLOW_TOO)]


def draw_the_same() -> None:
    """Let hypothesis draw the same examples each time, and be content with a failure as it comes.

    To be called once pytest is set up: it says things about what was imported before.
    """
    from hypothesis import Phase, settings

    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutants", deadline=None, derandomize=True, database=None, max_examples=50, phases=phases)
    settings.load_profile("mutants")


def used_seconds() -> float:
    """The processor time of this process, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def slotkeeper_caches() -> list[Any]:
    """Every `lru_cache` of our code: what one test has cached another would not run."""
    kind = type(functools.lru_cache(len))
    return [each for each in gc.get_objects() if isinstance(each, kind) and each.__module__.startswith("slotkeeper")]


class Watch:
    """A plugin of pytest that notes for each test what it ran."""

    def __init__(self) -> None:
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{SOURCES}/{package}/*" for package in PACKAGES]
        )
        self._coverage.set_option("run:disable_warnings", ["no-data-collected"])
        self._coverage.start()
        self._caches: list[Any] = []
        self._seconds: dict[str, float] = {}

    def pytest_configure(self) -> None:
        draw_the_same()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = wanted_items(items)

    def pytest_collection_finish(self) -> None:
        self._caches = slotkeeper_caches()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        for cache in self._caches:
            cache.cache_clear()
        self._coverage.switch_context(item.nodeid)
        began = used_seconds()
        self._seconds[item.nodeid] = 0.0
        result = yield
        if item.nodeid in self._seconds:
            self._seconds[item.nodeid] = used_seconds() - began
        self._coverage.switch_context("")
        if nextitem is None or file_of(nextitem.nodeid) != file_of(item.nodeid):
            self._keep(file_of(item.nodeid))
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed and report.nodeid in self._seconds:
            del self._seconds[report.nodeid]
            if report.failed:
                print(f"left out, because it fails: {report.nodeid}\n{report.longreprtext}", file=sys.stderr)

    def _keep(self, file: str) -> None:
        """Write down what the tests of a file that has ended ran, and begin anew."""
        self._coverage.stop()
        numbers = {test: number for number, test in enumerate(self._seconds)}
        lines: dict[str, dict[int, list[int]]] = {}
        functions: dict[str, str] = {}
        data = self._coverage.get_data()
        for measured in data.measured_files():
            path = str(Path(measured).relative_to(SOURCES))
            tests_of = data.contexts_by_lineno(measured)
            texts = function_texts(path)
            for name, first, last in functions_of(path):
                ran = {
                    line - first: sorted(numbers[test] for test in tests_of.get(line, ()) if test in numbers)
                    for line in range(first, last + 1)
                }
                if any(ran.values()):
                    key = f"{path} {name}"
                    lines[key] = {line: tests for line, tests in ran.items() if tests}
                    functions[key] = digest_of(texts[name])
        runs = Runs(digest=digest_of((ROOT / file).read_bytes()), tests=self._seconds, lines=lines, functions=functions)
        kept = kept_runs(file)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(msgspec.msgpack.encode(runs))
        self._seconds = {}
        self._coverage.erase()
        self._coverage.start()


@functools.cache
def function_texts(path: str) -> dict[str, bytes]:
    """The text of each outermost function of a file below `SOURCES`, by its qualified name."""
    lines = (SOURCES / path).read_bytes().splitlines(keepends=True)
    return {name: b"".join(lines[first - 1 : last]) for name, first, last in functions_of(path)}


def file_of(test: str) -> str:
    """The file that a test stands in."""
    return test.partition("::")[0]


def main(files: list[str]) -> int:
    return pytest.main([*PLAIN, *files], plugins=[Watch()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
