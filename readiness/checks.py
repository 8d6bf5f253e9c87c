"""The kinds of checks, what they find, and what a row's checks come to."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from readiness.template import Absent, Template
from readiness.testing import Run

State = Literal["passed", "failed", "unseen"]

SENTENCES = 3
"""Up to so many tests are told one by one."""

FAILURES = 3
"""Up to so many failures are told one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was read or measured, in words, and whether it is as it should be."""

    text: str
    holds: bool = True


Read = Callable[[Template], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class ByTests:
    """Tests, by pytest's names of tests, classes or files."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


@dataclass(frozen=True, slots=True)
class Fact:
    """What the template says, as `read` finds it there; `parameters` other than the defaults."""

    read: Read
    parameters: tuple[tuple[str, str], ...] = ()

    def __init__(self, read: Read, **parameters: str) -> None:
        object.__setattr__(self, "read", read)
        object.__setattr__(self, "parameters", tuple(parameters.items()))


@dataclass(frozen=True, slots=True)
class Figure:
    """What a bench measures; `module` shows the same by itself. The same every time, or told so that it is."""

    module: str
    measure: Callable[[], Iterable[Finding]]

    def found(self) -> Sequence[Finding]:
        """What was measured; a bench that breaks off is a finding too."""
        try:
            return list(self.measure())
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rows must be shown
            return [Finding(f"{self.module}: {error!r}", holds=False)]


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of these files and folders the tests take, and the least percent that it should be."""

    paths: tuple[str, ...]
    least: int = 90


@dataclass(frozen=True, slots=True)
class Unseen:
    """What cannot be seen here, and why."""

    reason: str


Check = ByTests | Fact | Figure | Covered | Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the review: in which of its tables, what it asks for there and what it said, and what shows it now."""

    id: str
    table: str
    asked: str
    said: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was read, run and measured: the template, the tests, the figures by their module."""

    template: Template | Absent
    run: Run
    figures: Mapping[Figure, Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row comes to."""

    row: Row
    state: State
    holds: tuple[str, ...]
    commands: tuple[str, ...]
    result: str


def judge(row: Row, evidence: Evidence) -> Verdict:
    """The row's verdict: failed as soon as one check fails or looked at nothing."""
    looks = [look for look in (_look(check, evidence) for check in row.checks) if look is not None]
    holds = tuple(dict.fromkeys(text for look in looks for text in look.good))
    failed = list(dict.fromkeys(text for look in looks for text in look.bad))
    unseen = [check.reason for check in row.checks if isinstance(check, Unseen)]
    if not row.checks:
        failed = ["nothing is checked"]
    state: State = "failed" if failed else "passed" if looks else "unseen"
    parts = [f"failed: {_some(failed)}"] if failed else [f"passed {_counted(looks)}"] if looks else []
    parts += [f"not shown here: {reason}" for reason in unseen]
    return Verdict(row, state, holds, tuple(commands(row)), "; ".join(parts))


def commands(row: Row) -> Iterator[str]:
    """What shows the row by itself."""
    tests = [name for check in row.checks if isinstance(check, ByTests) for name in check.names]
    if tests:
        yield f"pytest {' '.join(tests)}"
    yield from dict.fromkeys(f"python -m {check.module}" for check in row.checks if isinstance(check, Figure))
    if any(isinstance(check, Fact | Covered) for check in row.checks):
        yield f"python -m readiness {row.id}"


def sentence(test: str) -> str:
    """What a test says, by its name: its parameters left out."""
    name = test.partition("[")[0].rpartition("::")[2]
    return name.removeprefix("test_").replace("_", " ")


@dataclass(frozen=True, slots=True)
class _Look:
    """What one check found: what holds, what does not, and by what names it was looked at, of which kind."""

    kind: str
    good: Sequence[str]
    bad: Sequence[str]
    passed: frozenset[str]
    all: frozenset[str]


def _look(check: Check, evidence: Evidence) -> _Look | None:
    """What the check finds; None for what cannot be seen."""
    match check:
        case ByTests():
            return _tested(check, evidence.run)
        case Fact():
            return _weighed(_read(check, evidence.template), "fact", "the template")
        case Figure():
            return _weighed(evidence.figures.get(check, ()), "figure", check.module)
        case Covered():
            return _weighed(_covered(check, evidence.run), "figure", "coverage")
        case Unseen():
            return None


def _tested(check: ByTests, run: Run) -> _Look:
    good: list[str] = []
    bad: list[str] = []
    passed: set[str] = set()
    seen: set[str] = set()
    for name in check.names:
        outcomes = run.of(name)
        fine = [test for test, outcome in outcomes.items() if outcome == "passed"]
        if not outcomes:
            bad.append(f"{name} ran no test" + (f" ({run.trouble})" if run.trouble else ""))
        good += _told(name, fine)
        bad += [_went(test, outcome) for test, outcome in outcomes.items() if outcome != "passed"]
        passed.update(fine)
        seen.update(outcomes)
    return _Look("test", good, bad, frozenset(passed), frozenset(seen))


def _went(test: str, outcome: str) -> str:
    return sentence(test) if outcome == "failed" and "::" in test else f"{test} {outcome}"


def _told(name: str, tests: Sequence[str]) -> Iterator[str]:
    """What the tests say, one by one if they are few."""
    sentences = list(dict.fromkeys(map(sentence, tests)))
    if len(sentences) <= SENTENCES:
        yield from sentences
    else:
        yield f"{len(tests)} tests of {_where(name)}"


def _where(name: str) -> str:
    return re.sub(r"^tests/(.*?)(\.py)?(::.*)?$", r"tests/\1\2\3", name)


def _read(check: Fact, template: Template | Absent) -> list[Finding]:
    if isinstance(template, Absent):
        return [Finding(str(template), holds=False)]
    try:
        return list(check.read(template.given(**dict(check.parameters)) if check.parameters else template))
    except Absent as absent:
        return [Finding(str(absent), holds=False)]


def _covered(check: Covered, run: Run) -> Iterator[Finding]:
    share = run.covered(check.paths)
    if share is None:
        yield Finding("no coverage is known", holds=False)
    else:
        yield Finding(f"{int(share * 100)}% of its lines and branches are tested", holds=share * 100 >= check.least)


def _weighed(findings: Iterable[Finding], kind: str, source: str) -> _Look:
    found = list(findings)
    good = [each.text for each in found if each.holds]
    bad = [each.text for each in found if not each.holds] if found else [f"{source} gave nothing"]
    return _Look(kind, good, bad, frozenset(good), frozenset(good + bad))


def _counted(looks: Sequence[_Look]) -> str:
    """How many passed of how many, of each kind; what two checks share counts once."""
    texts = []
    for kind in dict.fromkeys(look.kind for look in looks):
        passed = frozenset[str]().union(*(look.passed for look in looks if look.kind == kind))
        total = frozenset[str]().union(*(look.all for look in looks if look.kind == kind))
        texts.append(f"{len(passed)} of {len(total)} {_plural(kind, len(total))}")
    return _with_and(texts)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _with_and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _some(words: Sequence[str]) -> str:
    left = len(words) - FAILURES
    return "; ".join(words[:FAILURES]) + (f"; and {left} more" if left > 0 else "")
