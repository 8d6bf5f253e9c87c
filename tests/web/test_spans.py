"""Slots as JSON: drawn by the day, and the same as one by one."""

import json
import random

import pytest

from slotkeeper.core.slots import instants
from slotkeeper.core.ticks import DAY_TICKS, TICK_SECONDS, Instant, Window, day_of, format_instant, parse_instant
from slotkeeper.web.spans import spans_json

FIRST = day_of(parse_instant("2026-12-30T00:00:00Z"))


@pytest.mark.parametrize("minutes", [5, 45, 1440, 1445, 10_080])
@pytest.mark.parametrize("days", [1, 4, 92])
def test_spans_are_the_starts_one_by_one(minutes: int, days: int) -> None:
    window, seconds = Window.of_days(FIRST, days), minutes * 60
    ticks = random.Random(days).getrandbits(days * DAY_TICKS)

    found = json.loads(spans_json(window, ticks, seconds))

    assert found == [
        {"startTime": format_instant(start), "endTime": format_instant(Instant(start + seconds))}
        for start in instants(window, ticks)
    ]
    assert len(found) == ticks.bit_count()


def test_no_starts_are_an_empty_array() -> None:
    assert spans_json(Window.of_days(FIRST, 3), 0, 300) == b"[]"


def test_days_that_offer_the_same_differ_by_their_dates_alone() -> None:
    noon = 1 << (12 * 3600 // TICK_SECONDS)

    found = json.loads(spans_json(Window.of_days(FIRST, 2), noon | noon << DAY_TICKS, 13 * 3600))

    assert found == [
        {"startTime": "2026-12-30T12:00:00Z", "endTime": "2026-12-31T01:00:00Z"},
        {"startTime": "2026-12-31T12:00:00Z", "endTime": "2027-01-01T01:00:00Z"},
    ]
