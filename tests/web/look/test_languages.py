"""A reader is given their language, and dates and times as they are written there."""

from datetime import date
from zoneinfo import available_timezones

import pytest

from slotkeeper.core.ticks import parse_instant
from slotkeeper.core.zones import zone_names
from slotkeeper.web.look.languages import CODES, chosen, speech

NINE = parse_instant("2026-11-24T17:30:00Z")


@pytest.mark.parametrize(
    ("asked", "accepted", "usual", "given"),
    [
        ("", "", "", "en"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "en", "de"),
        ("", "ja, fr;q=0.5, es;q=0.7", "en", "es"),
        ("fr", "de", "en", "fr"),
        ("", "ja", "es-MX", "es"),
        ("xx", "ja", "yy", "en"),
        ("", "de;q=0, en;q=0.1", "fr", "en"),
        ("", "ar-EG", "en", "ar"),
        ("", "de;q=often, fr", "en", "fr"),
        ("../de", "*", "", "en"),
        ("", "," * 5000, "", "en"),
    ],
)
def test_the_language_is_the_readers(asked: str, accepted: str, usual: str, given: str) -> None:
    assert chosen(asked, accepted, usual).code == given


def test_the_region_says_how_times_are_written() -> None:
    assert chosen("", "en-US", "").time(NINE, "America/Los_Angeles") == "9:30\u202fAM"
    assert chosen("", "en-GB", "").time(NINE, "America/Los_Angeles") == "09:30"
    assert chosen("en", "en-GB", "").time(NINE, "Europe/London") == "17:30"
    assert chosen("", "de", "").moment(NINE, "Europe/Berlin") == "Dienstag, 24. November 2026, 18:30"


def test_arabic_is_read_from_right_to_left() -> None:
    assert {code: speech(code).dir for code in CODES} == dict.fromkeys(CODES, "ltr") | {"ar": "rtl"}


def test_a_time_that_comes_twice_carries_its_offset() -> None:
    first, second = parse_instant("2026-10-25T00:30:00Z"), parse_instant("2026-10-25T01:30:00Z")

    shown = [speech("de").time(each, "Europe/Berlin") for each in (first, second)]

    assert shown == ["02:30 UTC+2", "02:30 UTC+1"]


def test_every_zone_has_a_name_in_every_language() -> None:
    for code in CODES:
        for name in zone_names() & available_timezones():
            shown = speech(code).zone(name, NINE)
            assert "UTC" in shown, name
            assert not any(
                word in shown for word in ("Unknown", "desconocida", "indéterminée", "Unbekannt", "غير معروفة")
            )


def test_the_place_is_said_by_name_and_offset() -> None:
    assert speech("en").zone("America/Los_Angeles", NINE) == "Pacific Time (Los Angeles), UTC-8"
    assert speech("en").zone("UTC", NINE) == "UTC"


@pytest.mark.parametrize(
    ("minutes", "said"), [(45, "45 minutes"), (60, "1 hour"), (90, "1 hour 30 minutes"), (1500, "25 hours")]
)
def test_a_length_is_said_in_hours_and_minutes(minutes: int, said: str) -> None:
    assert speech("en").length(minutes) == said


def test_parts_of_a_date_stand_in_the_languages_order() -> None:
    day = date(2026, 11, 24)

    assert speech("en").part(day, "MMMEd") == "Tue, Nov 24"
    assert speech("de").part(day, "MMMEd") == "Di., 24. Nov."
