"""Which tests could notice a mutant: its package's own that run its lines, then others, up to a limit of time."""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import accumulate

import msgspec

from bench.mutants.mutating import Mutant, functions_of
from bench.mutants.watching import ROOT, Runs, digest_of, file_of, function_texts, kept_runs

FOLDERS = (
    *("core", "desk", "courier", "stores", "contracts", "laws", "field", "web", "e2e", "aws", "cli", "embedded"),
    *("notices", "senders"),
)
LEFT_OUT = ("tests/aws/test_template", "tests/aws/test_deploy", "tests/web/look/")
"""Tests of what has nothing to do with the packages that are mutated, and takes long."""

ELSEWHERE = ("tests/stores/test_dynamodb", "tests/stores/test_connection", "tests/aws/", "tests/e2e/", "tests/cli/")
"""Tests whose time is spent mostly in other processes. They are asked about the stores alone, which have no others."""

MOST_SECONDS = 6.0
"""A mutant survives when it has outlived the tests of its package, and the quickest others, so many seconds of them."""

IMPORTED_FILES = 5
"""When everything is imported anew for one mutant, it is from so few files of tests."""


class Map:
    """Who runs what, of all tests."""

    def __init__(self, runs: Iterable[Runs]) -> None:
        self.seconds: dict[str, float] = {}
        self._tests: dict[str, dict[str, dict[int, set[str]]]] = defaultdict(dict)
        for each in runs:
            names = list(each.tests)
            self.seconds |= each.tests
            for function, lines in each.lines.items():
                found = self._tests[function].setdefault(each.functions[function], defaultdict(set))
                for line, numbers in lines.items():
                    found[line].update(names[number] for number in numbers)

    def tests_for(self, mutant: Mutant) -> dict[str, float]:
        """The tests to be tried, in their order, with their processor seconds."""
        if mutant.function:
            return self._quickest(mutant, self._running(mutant))
        found = {test for key in self._tests if key.startswith(mutant.path + " ") for test in self._all(key)}
        found = found or set(self.seconds)
        mirror = _mirror(mutant)
        files = Counter(file_of(test) for test in found)
        files[mirror] += len(found)
        # Defaults, bounds and constants have tests of their own.
        among = {file for file, _ in files.most_common(IMPORTED_FILES)} | {_shapes(mutant)}
        return self._quickest(mutant, {test for test in self.seconds if file_of(test) in among})

    def _running(self, mutant: Mutant) -> set[str]:
        """Those that run the mutant's statement. Where the function has changed since they were watched, those that
        ran any of it."""
        key = f"{mutant.path} {mutant.function}"
        text, first = _function(mutant.path, mutant.function)
        found = self._all(key, but=(now := digest_of(text)))
        lines = self._tests[key].get(now, {})
        return found.union(*(lines.get(line - first, ()) for line in range(mutant.first, mutant.last + 1)))

    def _all(self, key: str, but: str = "") -> set[str]:
        return {
            test
            for digest, lines in self._tests[key].items()
            if digest != but
            for tests in lines.values()
            for test in tests
        }

    def _quickest(self, mutant: Mutant, tests: set[str]) -> dict[str, float]:
        if not mutant.path.startswith("stores/"):
            tests = {test for test in tests if not test.startswith(ELSEWHERE)}
        package = f"tests/{mutant.path.partition('/')[0]}/"
        found = sorted(tests & self.seconds.keys(), key=lambda test: (self.seconds[test], test))
        own = [test for test in found if test.startswith(package)]
        others = [test for test in found if not test.startswith(package)]
        spent = accumulate(self.seconds[test] for test in others)
        own += [test for test, seconds in zip(others, spent, strict=True) if seconds <= MOST_SECONDS]
        return {test: self.seconds[test] for test in own}


def test_files() -> list[str]:
    """The files of tests that take part."""
    found = [path for folder in FOLDERS for path in (ROOT / "tests" / folder).glob("test_*.py")]
    names = sorted(str(path.relative_to(ROOT)) for path in [*found, *(ROOT / "tests").glob("test_*.py")])
    return [name for name in names if not name.startswith(LEFT_OUT)]


def watch(files: Iterable[str], *, is_fresh: bool = False) -> None:
    """See to it that what the tests of these files run is known; `is_fresh` asks all of them anew."""
    if new := [file for file in files if is_fresh or (runs := _kept(file)) is None or runs.digest != _digest(file)]:
        subprocess.run([sys.executable, "-m", "bench.mutants.watching", *new], cwd=ROOT, check=False)


def map_of(files: Iterable[str]) -> Map:
    """What is known of the tests of these files."""
    return Map(runs for file in files if (runs := _kept(file)) is not None)


def _kept(file: str) -> Runs | None:
    path = kept_runs(file)
    return msgspec.msgpack.decode(path.read_bytes(), type=Runs) if path.exists() else None


def _digest(file: str) -> str:
    return digest_of((ROOT / file).read_bytes())


def _function(path: str, name: str) -> tuple[bytes, int]:
    first = next(first for each, first, _ in functions_of(path) if each == name)
    return function_texts(path)[name], first


def _shapes(mutant: Mutant) -> str:
    """The tests of what its package's classes and constants are."""
    return f"tests/{mutant.path.partition('/')[0]}/test_shapes.py"


def _mirror(mutant: Mutant) -> str:
    """The tests of its module."""
    folder, _, module = mutant.path.rpartition("/")
    return f"tests/{folder}/test_{module}"
