"""What does not hold shows as failed: tests that fail, are skipped or are not there, and a template without a thing."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from readiness.__main__ import House, main
from readiness.checks import ByTests, Check, Covered, Fact, Figure, Finding, Row, Unseen
from readiness.facts import table
from readiness.template import PATH, ROOT

TESTS = '''
"""Tests that were planted."""
import pytest
from slotkeeper.aws.hindered import Hindered

def test_a_sound_thing_holds():
    assert str(Hindered("no way")) == "no way"

def test_a_broken_thing_holds():
    assert False

@pytest.mark.parametrize("size", [1, 2])
def test_every_size_holds(size):
    assert size == 1

@pytest.mark.skip
def test_what_nobody_runs():
    pass

@pytest.fixture
def ruin():
    yield
    raise RuntimeError

def test_what_cannot_be_cleared_away(ruin):
    pass

def test_what_nobody_wants():
    assert False

class TestMany:
    def test_one(self): pass
    def test_two(self): pass
    def test_three(self): pass
    def test_four(self): pass
'''


def planted(name: str) -> ByTests:
    return ByTests(f"tests/test_planted.py::{name}")


HINDERED = f"{ROOT}/src/slotkeeper/aws/hindered.py"
SOUND = planted("test_a_sound_thing_holds")
PASSING: dict[str, tuple[tuple[Check, ...], str]] = {
    "one": ((SOUND,), "passed 1 of 1 test"),
    "many": ((planted("TestMany"), SOUND), "passed 5 of 5 tests"),
    "covered": (
        (SOUND, Covered((f"{ROOT}/src/slotkeeper/aws/hindered.py",), 1)),
        "passed 1 of 1 test and 1 of 1 figure",
    ),
}
FAILING: dict[str, tuple[tuple[Check, ...], str]] = {
    "broken": ((SOUND, planted("test_a_broken_thing_holds")), "failed: a broken thing holds"),
    "some": ((planted("test_every_size_holds"),), "failed: every size holds"),
    "skipped": ((planted("test_what_nobody_runs"),), "failed: tests/test_planted.py::test_what_nobody_runs skipped"),
    "ruined": ((planted("test_what_cannot_be_cleared_away"),), "failed: what cannot be cleared away"),
    "absent": ((SOUND, planted("test_of_nothing")), "failed: tests/test_planted.py::test_of_nothing ran no test"),
    "nowhere": ((ByTests("tests/test_nowhere.py"),), "failed: tests/test_nowhere.py ran no test"),
    "unreadable": ((ByTests("tests/test_unreadable.py"),), "failed: tests/test_unreadable.py failed"),
    "uncovered": ((SOUND, Covered((f"{ROOT}/src/slotkeeper/aws",), 99)), "failed: "),
    "uncounted": ((SOUND, Covered(("src/nothing",))), "failed: no coverage is known"),
}

Shown = dict[str, str]
"""The lines of the page, by the row's name."""


def lines(page: Path) -> Shown:
    found = [line for line in page.read_text().splitlines() if line.startswith("| `")]
    return {line.split("`")[1]: line for line in found}


def row(id: str, *checks: Check) -> Row:
    return Row(id=id, table="Table", asked="a thing", said="fine", checks=checks)


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["alone", "in two processes"])
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Shown]:
    """The exit code and the page of a project with planted tests."""
    root = tmp_path_factory.mktemp("project")
    (root / "readiness").symlink_to(ROOT / "readiness")
    (root / "tests").mkdir()
    (root / "tests" / "test_planted.py").write_text(TESTS)
    (root / "tests" / "test_unreadable.py").write_text("def test_nothing(:")
    (root / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    rows = [row(name, *checks) for name, (checks, _) in (PASSING | FAILING).items()]
    house = House(rows=rows, root=root, page=root / "page.md", log=root / "log", options=request.param)
    return main([], Console(file=io.StringIO()), house), lines(house.page)


@pytest.mark.slow
@pytest.mark.parametrize("name", PASSING)
def test_tests_that_pass_are_counted(shown: tuple[int, Shown], name: str) -> None:
    assert shown[1][name].endswith(f"| {PASSING[name][1]} |")


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILING)
def test_a_test_that_does_not_pass_fails_its_row_and_the_command(shown: tuple[int, Shown], name: str) -> None:
    code, page = shown

    assert code == 1
    assert page[name].rpartition(" | ")[2].startswith(FAILING[name][1])


@pytest.mark.slow
def test_tests_are_told_by_their_sentences_or_by_their_number(shown: tuple[int, Shown]) -> None:
    _, page = shown

    assert "| a sound thing holds |" in page["one"]
    assert "| 4 tests of tests/test_planted.py::TestMany; a sound thing holds |" in page["many"]
    assert "| `pytest tests/test_planted.py::test_a_sound_thing_holds` |" in page["one"]


Showing = Callable[..., tuple[int, str]]
"""Checks a row of these checks; returns the exit code and the row's line on the page."""


@pytest.fixture
def show(tmp_path: Path) -> Showing:
    def shown(*checks: Check, template: Any = None) -> tuple[int, str]:
        path = PATH
        if template is not None:
            path = tmp_path / "template.json"
            path.write_text(json.dumps(template))
        house = House(rows=[row("planted", *checks)], template=path, page=tmp_path / "page.md", log=tmp_path / "log")
        return main([], Console(file=io.StringIO()), house), lines(house.page)["planted"]

    return shown


def test_a_table_that_cannot_be_set_back_fails_its_row_and_the_command(show: Showing) -> None:
    template = json.loads(PATH.read_text())
    replica = template["Resources"]["Table"]["Properties"]["Replicas"][0]
    replica["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": False}

    code, line = show(Fact(table.recovery), template=template)

    assert code == 1
    assert line.endswith("| failed: Table: PointInTimeRecoveryEnabled false |")


def test_a_template_that_is_not_there_fails(show: Showing) -> None:
    code, line = show(Fact(table.recovery), template=[])

    assert code == 1
    assert "template.json cannot be read" in line


def test_a_check_that_finds_nothing_fails(show: Showing) -> None:
    assert show(Fact(lambda template: []))[0] == 1
    assert show(Figure("bench.aws.month", list))[0] == 1
    assert show()[0] == 1


def test_a_bench_that_breaks_off_fails_its_row_only(show: Showing) -> None:
    code, line = show(Fact(table.recovery), Figure("bench.aws.month", lambda: [Finding(str(1 // 0))]))

    assert code == 1
    assert "failed: bench.aws.month: ZeroDivisionError" in line
    assert "PointInTimeRecoveryEnabled true" in line


def test_what_cannot_be_seen_here_is_told_and_fails_nothing(show: Showing) -> None:
    code, line = show(Fact(table.recovery), Unseen("a restore takes a real table"))

    assert code == 0
    assert line.endswith("| passed 3 of 3 facts; not shown here: a restore takes a real table |")
    assert show(Unseen("no cloud"))[1].endswith("| not shown here: no cloud |")
