"""Wall times that are meant: which instant one is, also where the library that knows the zones is mistaken."""

from datetime import UTC, datetime

import pytest

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import parse_instant
from slotkeeper.web.staff.walls import instant_at, offset_text, wall_text


def test_of_two_instants_the_earlier_is_meant_unless_the_offset_says_so() -> None:
    early, late = parse_instant("2026-10-25T00:30:00Z"), parse_instant("2026-10-25T01:30:00Z")

    assert instant_at("2026-10-25T02:30", "Europe/Berlin", "start") == early
    assert instant_at("2026-10-25T02:30", "Europe/Berlin", "start", "+01:00") == late
    assert (offset_text(early, "Europe/Berlin"), offset_text(late, "Europe/Berlin")) == ("+02:00", "+01:00")


def test_what_the_clock_leaps_over_is_refused() -> None:
    with pytest.raises(Invalid, match="does not exist"):
        instant_at("2027-03-28T02:30", "Europe/Berlin", "start")


def test_a_time_of_an_autumn_without_a_change_is_what_it_says() -> None:
    meant = int(datetime(2023, 10, 29, 1, 15, tzinfo=UTC).timestamp())

    assert wall_text(instant_at("2023-10-28T23:15", "America/Nuuk", "start"), "America/Nuuk") == "2023-10-28T23:15"
    assert instant_at("2023-10-28T23:15", "America/Nuuk", "start") == meant
    assert offset_text(instant_at("2023-10-28T23:15", "America/Nuuk", "start"), "America/Nuuk") == ""
