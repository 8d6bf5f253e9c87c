"""The machinery of mutation testing judges right, and a sample of small faults in the core is noticed."""

import faulthandler
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.mutants.forking import Crew, Ended, OutOfTime, Refused, limit_to
from bench.mutants.judging import judge, reasons
from bench.mutants.mutating import SOURCES, Mutant, mutants_of
from bench.mutants.planted import planted
from bench.mutants.swapping import live_functions, swap
from bench.mutants.trying import Result, Verdict
from bench.proof import mutants as proof
from slotkeeper.core import sheet
from slotkeeper.core.sheet import Claim, removed
from slotkeeper.core.ticks import Instant

FAULT = "removed: claim.owner != owner -> claim.owner == owner"


def named(part: str) -> Mutant:
    """The one mutant of sheets whose name ends like this."""
    [found] = [mutant for mutant in mutants_of("core/sheet.py") if mutant.name.endswith(part)]
    return found


# What becomes a mutant.


def test_each_mutant_is_one_change_and_no_two_are_the_same() -> None:
    found = mutants_of("core/sheet.py")
    original = (SOURCES / "core/sheet.py").read_text("utf-8")

    sources = [mutant.source() for mutant in found]

    assert len(set(sources)) == len(found) > 50
    assert original not in sources
    assert len({mutant.name for mutant in found}) == len(found)
    for source in sources:
        compile(source, "sheet.py", "exec")


def test_a_mutant_knows_its_function_and_one_at_import_has_none() -> None:
    within, at_import = named(FAULT), named("core/sheet.py: NEVER = 0 -> NEVER = 1")

    assert (within.function, at_import.function) == ("removed", "")
    assert "claim.owner == owner" in within.source()


def test_wording_documentation_and_hints_are_left_alone() -> None:
    names = [mutant.name for path in ("core/errors.py", "core/ticks.py") for mutant in mutants_of(path)]

    for left in ("not a time with an offset", "Whole seconds", "maxsize", "NewType", "current one is XX"):
        assert not [name for name in names if left in name]


# How a mutant is put in.


def test_a_swapped_function_does_what_the_mutant_says_wherever_it_was_imported() -> None:
    mine, other = Claim("a", Instant(0), Instant(1)), Claim("b", Instant(0), Instant(1))
    code = removed.__code__
    try:
        swap(named(FAULT), live_functions())

        assert removed((mine, other), "a") == (mine,)
    finally:
        sheet.removed.__code__ = code
    assert removed((mine, other), "a") == (other,)


def test_a_function_that_is_not_there_is_not_swapped() -> None:
    with pytest.raises(Refused):
        swap(named(FAULT), {})


# How a process ends.


def ending(work: Callable[[], str], stuck_seconds: float = 20.0) -> Ended:
    ended: list[Ended] = []
    crew = Crew(1, stuck_seconds)
    crew.start(work, ended.append)
    crew.finish()
    return ended[0]


def spin() -> str:
    limit_to(-0.4)  # hardly a second is left
    while True:
        pass


def fail() -> str:
    raise ZeroDivisionError


def refuse() -> str:
    raise Refused("not here")


def come_late() -> str:
    raise OutOfTime


def abort() -> str:
    faulthandler.disable()  # it ends as it should: nobody need read of it
    os.abort()


@pytest.mark.parametrize(
    ("work", "how", "found"),
    [
        (lambda: "a test", "found", "a test"),
        (lambda: "", "nothing", ""),
        (refuse, "refused", "not here"),
        (come_late, "out of time", ""),
        (abort, "found", "signal 6"),
    ],
)
def test_a_process_tells_how_it_ended(work: Callable[[], str], how: str, found: str) -> None:
    ended = ending(work)

    assert (ended.ending, ended.found) == (how, found)


def test_a_failure_of_the_machinery_is_not_taken_for_a_find() -> None:
    ended = ending(fail)

    assert ended.ending == "crashed"
    assert "ZeroDivisionError" in ended.found


@pytest.mark.slow
def test_who_takes_too_much_of_the_processor_is_ended() -> None:
    assert ending(spin).ending == "out of time"


@pytest.mark.slow
def test_who_waits_for_what_will_not_come_is_ended() -> None:
    assert ending(lambda: str(threading.Event().wait()), stuck_seconds=0.5).ending == "out of time"


@pytest.mark.slow
@pytest.mark.timeout(30)
def test_who_waits_is_ended_though_a_thread_beside_looks_around_now_and_then() -> None:
    def look_around() -> None:
        while True:
            begun = time.thread_time()
            while time.thread_time() < begun + 0.01:
                pass
            time.sleep(1.5)

    def wait() -> str:
        threading.Thread(target=look_around, daemon=True).start()
        return str(threading.Event().wait())

    assert ending(wait, stuck_seconds=3).ending == "out of time"


ITS_FOLDER = """
import os, sys
from pathlib import Path
from bench.mutants.trying import Session, _pytest
folder = Path(sys.argv[1])
_pytest(Session(lambda session: os.write(2, str(folder.is_dir()).encode())), {"tests/core/test_names.py": 1.0}, folder)
"""


@pytest.mark.slow
def test_the_folder_of_all_processes_is_there_before_the_first_of_them(tmp_path: Path) -> None:
    """Else each would begin by emptying it, with the others at work in it."""
    done = subprocess.run([sys.executable, "-c", ITS_FOLDER, tmp_path / "warm"], capture_output=True, check=False)

    assert b"True" in done.stderr, done


# How it is judged.

X, Y, Z = "core/a.py f: x", "core/a.py f: y", "core/a.py f: z"


def verdicts(*results: Result) -> list[Verdict]:
    return [Verdict(name=name, result=result) for name, result in zip((X, Y, Z), results, strict=False)]


def test_a_survivor_needs_a_reason_and_a_reason_a_survivor() -> None:
    found = verdicts("survived", "killed")

    assert judge(found, {X: "same"}, [], []).complaints() == {}
    assert judge(found, {}, [], []).unexplained == [X]
    assert judge(found, {X: "", Y: ""}, [], []).outdated == [Y]
    assert judge(found, {X: "", Z: ""}, [], []).outdated == []
    assert judge(found, {X: "", Z: ""}, ["core/a.py"], []).outdated == [Z]


def test_shares_count_what_never_ends_as_noticed_and_what_no_test_runs_as_survived() -> None:
    [share] = judge(verdicts("killed", "timed out", "no test"), {}, [], []).shares

    assert (share.package, share.all, share.killed, share.late, share.survived) == ("core", 3, 1, 1, 1)
    assert round(share.noticed, 3) == 0.667


def test_a_test_that_fails_by_itself_or_a_crash_makes_the_figures_worthless() -> None:
    assert judge(verdicts("killed"), {}, [], []).is_good
    assert not judge(verdicts("killed"), {}, [], ["tests/core/test_a.py::test_a"]).is_good
    assert not judge(verdicts("killed", "crashed"), {}, [], []).is_good


def test_no_survivor_has_two_reasons(tmp_path: Path) -> None:
    twice = tmp_path / "twice.toml"
    twice.write_text('[[survivors]]\nwhy = "a"\nmutants = ["x"]\n[[survivors]]\nwhy = "b"\nmutants = ["x"]\n', "utf-8")

    with pytest.raises(ValueError, match="named twice: x"):
        reasons(twice)


@pytest.mark.slow
def test_every_reason_is_given_to_a_mutant_that_there_is() -> None:
    known = reasons()
    paths = {name.partition(".py")[0] + ".py" for name in known}

    there = {mutant.name for path in paths for mutant in mutants_of(path)}

    assert sorted(known.keys() - there) == []


# All of it.


def test_a_machinery_that_calls_everything_noticed_is_caught() -> None:
    """A broken one."""
    rash = [Verdict(name=mutant.name, result="killed") for mutant, _ in planted().values()]

    said, is_right = proof.machinery(rash)

    assert not is_right
    assert "misjudged: a loop without end, other words, other words at import" in said


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_a_sample_of_the_cores_faults_is_noticed_and_other_words_for_the_same_are_not() -> None:
    for row in proof.rows("quick"):
        assert row.is_good, row
