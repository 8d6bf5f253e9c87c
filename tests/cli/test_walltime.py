"""Times as people write them: on the clock of the place, with its gaps and folds."""

from datetime import date

import pytest

from slotkeeper.cli.walltime import clock, day_start, read_date, read_time, shown
from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import format_instant
from tests.builders import at


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-11-24 09:30", "Europe/Berlin", "2026-11-24T08:30:00Z"),
        ("2026-11-24T09:30", "America/Los_Angeles", "2026-11-24T17:30:00Z"),
        ("2026-11-24 9:30:00", "Asia/Kolkata", "2026-11-24T04:00:00Z"),
        ("2026-11-24T09:30:00+05:30", "Europe/Berlin", "2026-11-24T04:00:00Z"),
        ("2026-10-25T02:30:00+02:00", "Europe/Berlin", "2026-10-25T00:30:00Z"),
    ],
)
def test_a_time_is_read_on_the_clock_of_the_place_unless_it_has_an_offset(text: str, zone: str, instant: str) -> None:
    assert format_instant(read_time(text, zone)) == instant


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("2026-03-29 02:30", "Europe/Berlin", "does not exist in Europe/Berlin: the clocks go forward"),
        (
            "2026-10-25 02:30",
            "Europe/Berlin",
            "say which one, 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
        ),
        ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-05T01:45:00+11:00 or 2026-04-05T01:45:00+10:30"),
        ("2026-11-24 24:00", "UTC", "hours go to 23"),
        ("2026-11-24 09:60", "UTC", "minutes to 59"),
        ("2026-02-30 09:00", "UTC", "is not a date"),
        ("1999-01-01 09:00", "UTC", "out of range"),
        ("tomorrow", "UTC", "write it as '2026-11-24 09:30', read in UTC"),
        ("2026-11-24 09:30\u0661", "UTC", "is not a time"),
    ],
)
def test_a_time_that_is_none_or_two_is_refused_with_a_way_out(text: str, zone: str, said: str) -> None:
    with pytest.raises(Invalid, match=said.replace("+", r"\+")):
        read_time(text, zone)


def test_dates_have_names_that_depend_on_the_place() -> None:
    now = at("2026-11-24T02:00:00Z")

    assert read_date("today", "America/Los_Angeles", now) == date(2026, 11, 23)
    assert read_date("Tomorrow", "Europe/Berlin", now) == date(2026, 11, 25)
    assert read_date("2026-12-24", "Europe/Berlin", now) == date(2026, 12, 24)
    with pytest.raises(Invalid):
        read_date("soon", "UTC", now)


def test_a_day_begins_with_its_first_instant_also_where_midnight_is_skipped() -> None:
    assert format_instant(day_start(date(2026, 11, 24), "Europe/Berlin")) == "2026-11-23T23:00:00Z"
    assert format_instant(day_start(date(2024, 4, 26), "Africa/Cairo")) == "2024-04-25T22:00:00Z"


def test_times_are_shown_on_the_clock_of_the_place() -> None:
    assert shown(at("2026-11-24T08:30:00Z"), "Europe/Berlin") == "Tue 2026-11-24 09:30"
    assert clock(at("2026-11-24T08:30:00Z"), "Asia/Kolkata") == "14:00"
