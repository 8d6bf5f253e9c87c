"""Under a real server whose clock jumps nothing fails, and every reminder comes once."""

import pytest

from bench.proof.faults.broken import GIVES_UP_FOR_GOOD, SLEEPS_BY_THE_WALL_CLOCK, Broken
from bench.proof.faults.clocks import BROKEN_PATIENCE_SECONDS, DAY, JUMPS, live_through

pytestmark = pytest.mark.slow


def test_a_clock_that_jumps_loses_no_reminder_doubles_none_and_makes_nothing_fail() -> None:
    days = live_through(JUMPS)

    assert days.complaints == []
    assert days.early > 0
    assert days.reminders > days.visits


@pytest.mark.parametrize("build", [SLEEPS_BY_THE_WALL_CLOCK, GIVES_UP_FOR_GOOD], ids=lambda build: build.does)
def test_a_build_that_does_otherwise_is_found_out(build: Broken) -> None:
    assert live_through({"a day ahead": DAY}, build.code, BROKEN_PATIENCE_SECONDS).complaints
