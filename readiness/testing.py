"""Runs the tests that the rows need, once, and knows how each went and which lines of the code they took."""

import json
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from readiness.recorder import enclosing
from readiness.template import ROOT

CODE = ("slotkeeper.aws", "slotkeeper.stores", "slotkeeper.senders")
"""What coverage is measured of."""

LONGEST_SECONDS = 900
RECORD, COVERAGE = "record.jsonl", "coverage.json"
_LOOK_SECONDS = 0.2

Telling = Callable[[int, int], None]
"""Is told how many tests are done, of how many."""


@dataclass(frozen=True, slots=True)
class Part:
    """How much of one file was taken: lines and branches."""

    taken: int
    there: int


@dataclass(frozen=True, slots=True)
class Run:
    """How each test went, by its name: `passed`, `failed` or `skipped`; and what was taken of each file of the code, by
    its path from the root. `trouble` says why there may be less than was asked for."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    coverage: Mapping[str, Part] = field(default_factory=dict)
    trouble: str = ""

    def of(self, name: str) -> dict[str, str]:
        """The outcomes of all tests that the name stands for. A file that could not be collected stands for itself."""
        return {test: outcome for test, outcome in self.outcomes.items() if name in enclosing(test)}

    def covered(self, paths: Iterable[str]) -> float | None:
        """The share of the files' lines and branches that was taken, from 0 to 1; folders stand for their files.

        None when none of it is known.
        """
        parts = [
            part
            for path in paths
            for file, part in self.coverage.items()
            if file == path or file.startswith(f"{path.rstrip('/')}/")
        ]
        there = sum(part.there for part in parts)
        return sum(part.taken for part in parts) / there if there else None


def run(names: Iterable[str], root: Path, log: Path, tell: Telling, options: Sequence[str] = ()) -> Run:
    """Run the tests of these names under `root`; what pytest says goes into `log`. Names of nothing find nothing."""
    wanted = sorted(set(names))
    places = {name.partition("::")[0] for name in wanted}
    # Whole journeys take longest: they begin first.
    found = sorted(
        (place for place in places if (root / place).exists()), key=lambda place: ("/e2e/" not in place, place)
    )
    if not found:
        return Run(trouble="there is no file with any of these tests")
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, log.open("wb") as said:
        folder = Path(name)
        (folder / "wanted").write_text("\n".join(wanted), "utf-8")
        (folder / "coverage.ini").write_text(_coverage_settings(folder), "utf-8")
        command = [sys.executable, "-m", "pytest", *_arguments(folder), *options, *found]
        process = subprocess.Popen(command, cwd=root, stdout=said, stderr=said)  # noqa: S603 - pytest, and our own names
        try:
            ended = _watch(process, folder / RECORD, tell)
        finally:
            process.kill()
            process.wait()
        trouble = "" if ended in (0, 1) else f"pytest ended with {ended}" if ended else "pytest took too long"
        return Run(_outcomes(folder / RECORD), _coverage(folder / COVERAGE), trouble)


def _arguments(folder: Path) -> Sequence[str]:
    return (
        *("-p", "readiness.recorder", f"--record={folder / RECORD}", f"--wanted={folder / 'wanted'}"),
        *("-q", "--continue-on-collection-errors", "--durations=20"),
        *("--cov", f"--cov-config={folder / 'coverage.ini'}", f"--cov-report=json:{folder / COVERAGE}"),
    )


def _watch(process: "subprocess.Popen[bytes]", record: Path, tell: Telling) -> int | None:
    """Tell of each test that is done until the process ends; returns its exit code, or None when it took too long."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while (code := process.poll()) is None and time.monotonic() < deadline:
        lines = _lines(record)
        total = max((line["total"] for line in lines if "total" in line), default=0)
        tell(sum(line.get("phase") == "teardown" for line in lines), total)
        time.sleep(_LOOK_SECONDS)
    return code


def _lines(record: Path) -> Sequence[dict[str, Any]]:
    """What is written so far; the last line may be on its way."""
    if not record.exists():
        return []
    whole = record.read_text("utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def _outcomes(record: Path) -> dict[str, str]:
    """The worst phase of each test counts; one that never came to its end has failed."""
    rank = {"passed": 0, "skipped": 1, "failed": 2}
    worst: dict[str, str] = {}
    ended: set[str] = set()
    for line in _lines(record):
        if "test" not in line:
            continue
        test, outcome = str(line["test"]), str(line["outcome"])
        worst[test] = max(worst.get(test, "passed"), outcome, key=rank.__getitem__)
        if line["phase"] in ("teardown", "collect"):
            ended.add(test)
    return {test: outcome if test in ended else "failed" for test, outcome in worst.items()}


def _coverage_settings(folder: Path) -> str:
    """The project's own, for these packages only and apart from its own data."""
    own = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["coverage"]
    excluded = "".join(f"\n    {pattern}" for pattern in own["report"]["exclude_also"])
    packages = "".join(f"\n    {package}" for package in CODE)
    return (
        f"[run]\nbranch = true\nparallel = true\nrelative_files = true\ndata_file = {folder / 'coverage.data'}\n"
        f"source_pkgs ={packages}\n[report]\nexclude_also ={excluded}\n"
    )


def _coverage(path: Path) -> dict[str, Part]:
    if not path.exists():
        return {}
    files = json.loads(path.read_text("utf-8"))["files"]
    return {
        name: Part(
            facts["summary"]["covered_lines"] + facts["summary"].get("covered_branches", 0),
            facts["summary"]["num_statements"] + facts["summary"].get("num_branches", 0),
        )
        for name, facts in files.items()
    }
