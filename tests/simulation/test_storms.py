"""Every promise holds at every step of a storm, a seed replays it exactly, and broken builds do not come through."""

import os
import subprocess
import sys
from itertools import count, islice

import pytest

from bench.simulation.broken import BROKEN, Build
from bench.simulation.storm import SHAPES, shape_of, storm

HOURS = 1 / 24
SEEDS_TO_BE_CAUGHT = 36

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", range(len(SHAPES)), ids=SHAPES)
def test_every_promise_holds_at_every_step(seed: int) -> None:
    outcome = storm(seed, 4 * HOURS)

    assert outcome.wrong == "", "\n".join(outcome.story)
    assert outcome.steps > 5_000
    assert min(outcome.counts[name] for name in ("commits", "letters", "book done", "reschedule done")) > 10


@pytest.mark.parametrize("build", BROKEN, ids=[build.name for build in BROKEN])
def test_a_broken_build_is_caught_and_fails_again_at_the_same_step(build: Build) -> None:
    seeds = (seed for seed in count() if build.shape in ("", shape_of(seed)))

    outcomes = (storm(seed, 6 * HOURS, build) for seed in islice(seeds, SEEDS_TO_BE_CAUGHT))
    failed = next(outcome for outcome in outcomes if outcome.wrong)

    assert storm(failed.seed, 6 * HOURS, build) == failed


@pytest.mark.parametrize("seed", [2, 4])
def test_a_seed_gives_the_same_run_in_another_process(seed: int) -> None:
    script = f"from bench.simulation.storm import storm; print(storm({seed}, {HOURS}).digest)"

    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }

    assert digests == {storm(seed, HOURS).digest + "\n"}


def test_another_seed_gives_another_run() -> None:
    assert storm(0, HOURS).digest != storm(5, HOURS).digest
