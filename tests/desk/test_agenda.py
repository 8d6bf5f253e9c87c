"""Lists of appointments: what fits, in pages that end and go on where they should."""

import pytest

from slotkeeper.core.ticks import Instant
from slotkeeper.desk import agenda
from slotkeeper.desk.agenda import Filter
from tests.builders import STAFF, Setting, a_clinic, at

TIMES = [f"2026-11-26T{hour:02}:00:00Z" for hour in range(9, 14)]
FIRST, LAST = at("2026-11-26T00:00:00Z"), at("2026-11-27T00:00:00Z")


@pytest.fixture
def clinic(monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Five visits, of which the last alone is with `d1`; two are looked at in one turn."""
    monkeypatch.setattr(agenda, "PAGE", 2)
    monkeypatch.setattr(agenda, "PAGES", 1)
    clinic = a_clinic(doctors=2)
    for time in TIMES:
        clinic.book(time, resource_ids=("d1" if time == TIMES[-1] else "d0",))
    return clinic


def test_who_finds_nothing_within_a_turn_is_told_where_to_go_on(clinic: Setting) -> None:
    wanted, after, turns = Filter(first=FIRST, last=LAST, resource_id="d1"), None, list[list[Instant]]()
    while True:
        listing = agenda.appointments(clinic.desk, STAFF, wanted, limit=5, after=after)
        turns.append([each.start for each in listing.appointments])
        after = listing.after
        if after is None:
            break

    assert turns == [[], [], [at(TIMES[-1])]]


def test_what_was_found_within_a_turn_is_told_with_where_to_go_on(clinic: Setting) -> None:
    wanted = Filter(first=FIRST, last=LAST, resource_id="d0")
    first = agenda.appointments(clinic.desk, STAFF, wanted, limit=5)
    then = agenda.appointments(clinic.desk, STAFF, wanted, limit=5, after=first.after)

    assert [each.start for each in (*first.appointments, *then.appointments)] == [at(time) for time in TIMES[:4]]
