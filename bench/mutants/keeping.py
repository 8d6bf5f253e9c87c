"""Verdicts that hold still: of functions and tests whose text is as it was when they were tried."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from bench.mutants.mutating import SOURCES, Mutant
from bench.mutants.trying import Trial, Verdict
from bench.mutants.watching import KEPT, ROOT, digest_of, file_of, function_texts

FOLDER = KEPT / "verdicts"
"""A file for each module, so that runs on different modules may go on side by side."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, and digests of what was changed and of the tests that it rests on."""

    verdict: Verdict
    text: str
    tests: str


class Keeper:
    """Knows the verdicts of earlier runs on this machine. What else has changed since, it does not ask: a run for the
    figures starts without it."""

    def __init__(self, *, is_fresh: bool) -> None:
        self._is_fresh = is_fresh
        self._modules: dict[str, dict[str, Kept]] = {}
        self._changed: set[str] = set()

    def verdict(self, trial: Trial) -> Verdict | None:
        """The one that holds still; None when it has to be tried."""
        kept = self._of(trial.mutant.path).get(trial.mutant.name)
        if self._is_fresh or kept is None or kept.text != _text(trial.mutant):
            return None
        return kept.verdict if kept.tests == _tests(kept.verdict, trial) else None

    def note(self, trial: Trial, verdict: Verdict) -> None:
        """Remember it, unless it says more of the machinery than of the mutant."""
        if verdict.name.startswith(trial.mutant.path) and verdict.result in ("killed", "timed out", "survived"):
            kept = Kept(verdict=verdict, text=_text(trial.mutant), tests=_tests(verdict, trial))
            self._of(trial.mutant.path)[trial.mutant.name] = kept
            self._changed.add(trial.mutant.path)

    def save(self) -> None:
        """Write down what has been noted since the last time."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        for path in self._changed:
            _file(path).write_bytes(msgspec.msgpack.encode(self._modules[path]))
        self._changed.clear()

    def _of(self, path: str) -> dict[str, Kept]:
        if path not in self._modules:
            file = _file(path)
            known = msgspec.msgpack.decode(file.read_bytes(), type=dict[str, Kept]) if file.exists() else {}
            self._modules[path] = known
        return self._modules[path]


def _file(path: str) -> Path:
    return FOLDER / (path.replace("/", "-") + ".msgpack")


def _text(mutant: Mutant) -> str:
    whole = function_texts(mutant.path)[mutant.function] if mutant.function else (SOURCES / mutant.path).read_bytes()
    return digest_of(whole + mutant.text.encode())


def _tests(verdict: Verdict, trial: Trial) -> str:
    """One that was noticed rests on the file of the test that noticed it, one that survived on all."""
    if verdict.by in trial.tests:
        return _digest_of_files([file_of(verdict.by)])
    return _digest_of_files(file_of(test) for test in trial.tests)


def _digest_of_files(files: Iterable[str]) -> str:
    return digest_of("".join(f"{file} {_digest_of_file(ROOT / file)}" for file in sorted(set(files))).encode())


@cache
def _digest_of_file(path: Path) -> str:
    return digest_of(path.read_bytes())
