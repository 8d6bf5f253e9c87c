"""Around changes of the clocks, slots, reminders, mails and pages say what the wall clock shows.

`python -m bench.proof zones` looks at all zones.
"""

import pytest

from bench.proof.zones import BROKEN, FEW, all_examined, broken_examined
from tests.laws.test_every_zone import KNOWN_FOR_TROUBLE

pytestmark = pytest.mark.slow


def test_in_troublesome_zones_everything_follows_the_wall_clock() -> None:
    found = all_examined(KNOWN_FOR_TROUBLE, FEW)

    assert found.wrong == {}
    assert all(found.compared[about] >= len(KNOWN_FOR_TROUBLE) for about in ("hours", "reminders", "words"))


@pytest.mark.parametrize("about", BROKEN)
def test_a_build_that_takes_a_zone_for_an_offset_is_caught(about: str) -> None:
    assert broken_examined(about).wrong[about]
