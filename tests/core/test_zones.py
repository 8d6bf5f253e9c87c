"""Only IANA names are zones, and offsets are those that zoneinfo knows."""

import struct
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.core import zones
from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import TICK_SECONDS, Instant, Tick, instant_of, parse_instant, tick_at
from slotkeeper.core.zones import is_twice, local, offsets, zone, zone_names

SEEN = ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "UTC"]


def tick(text: str) -> Tick:
    return tick_at(parse_instant(text))


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "US/Pacific", "Etc/GMT+5"])
def test_an_iana_name_is_a_zone(name: str) -> None:
    assert zone(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Europe",
        "Europe/",
        "/Europe/Berlin",
        "europe/berlin",
        " Europe/Berlin",
        "Europe/Berlin\n",
        "Europe/Berlin\0",
        "Europe\\Berlin",
        "../etc/passwd",
        "../zones",
        "/etc/localtime",
        "Europe/../Europe/Berlin",
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "Factory",
        "zones",
        "__init__.py",
        "+01:00",
        "CET-1CEST",
        "A" * 5000,
        "A/" * 2500,
        "\ud800",
    ],
)
def test_what_is_no_iana_name_is_refused_briefly(name: str) -> None:
    with pytest.raises(Invalid, match="is not a time zone: use an IANA name such as 'Europe/Berlin'") as refused:
        zone(name)

    assert len(refused.value.message) < 130
    refused.value.message.encode()


def test_a_name_that_is_too_long_is_told_by_its_beginning() -> None:
    for name, shown in (("A" * 40, "A" * 40), ("A" * 41, "A" * 40 + "...")):
        with pytest.raises(Invalid, match=f"^'{shown}' is"):
            zone(name)


def test_a_name_is_judged_alike_wherever_it_is_used() -> None:
    with pytest.raises(Invalid):
        local(Instant(0), "localtime")
    with pytest.raises(Invalid):
        offsets("posix/UTC", Tick(0), Tick(1))


def test_every_listed_zone_has_data() -> None:
    assert len(zone_names()) > 590
    assert all(zone(name).key == name for name in zone_names())


def test_the_local_time_is_aware_and_is_the_same_instant() -> None:
    instant = parse_instant("2026-11-24T08:30:00Z")

    wall = local(instant, "Europe/Berlin")

    assert wall.isoformat() == "2026-11-24T09:30:00+01:00"
    assert wall.timestamp() == instant


def test_offsets_change_at_the_tick_at_which_the_clocks_do() -> None:
    spring, autumn = tick("2026-03-29T01:00:00Z"), tick("2026-10-25T01:00:00Z")
    start, end = tick("2025-12-31T00:00:00Z"), tick("2027-01-02T00:00:00Z")

    assert offsets("Europe/Berlin", start, end) == ((start, 12), (spring, 24), (autumn, 12))
    assert offsets("Europe/Berlin", spring, autumn) == ((spring, 24),)
    assert offsets("Europe/Berlin", Tick(spring - 1), Tick(spring + 1)) == ((spring - 1, 12), (spring, 24))


def test_a_change_within_a_tick_counts_from_the_next_tick() -> None:
    before, after = tick("2011-03-13T03:30:00Z"), tick("2011-03-13T03:35:00Z")

    assert offsets("America/St_Johns", before, Tick(after + 1)) == ((before, -42), (after, -30))


def test_a_change_is_found_in_a_window_across_the_new_year() -> None:
    # Samoa dropped a whole date at the end of 2011.
    start, end = tick("2011-12-29T00:00:00Z"), tick("2012-01-02T00:00:00Z")

    assert offsets("Pacific/Apia", start, end) == ((start, -120), (tick("2011-12-30T10:00:00Z"), 168))


@pytest.mark.parametrize(
    ("name", "change", "before", "after"),
    [
        ("Africa/Sao_Tome", "2018-01-01T01:00:00Z", 0, 12),
        ("Africa/Sao_Tome", "2019-01-01T01:00:00Z", 12, 0),
        ("Africa/Juba", "2021-01-31T21:00:00Z", 36, 24),
    ],
)
def test_a_change_early_in_the_year_is_found_in_a_window_of_that_year(
    name: str, change: str, before: int, after: int
) -> None:
    at = tick(change)
    start, end = Tick(at - 12), Tick(at + 12)

    assert offsets(name, start, end) == ((start, before), (at, after))


def test_an_offset_that_is_no_whole_number_of_ticks_is_an_error() -> None:
    with pytest.raises(ValueError, match="the offset of Africa/Monrovia at tick 0 is no whole number of ticks"):
        offsets("Africa/Monrovia", Tick(0), Tick(1))


@given(st.sampled_from(SEEN), st.datetimes(datetime(2000, 1, 1), datetime(2100, 12, 1)), st.integers(1, 9999))  # noqa: DTZ001
def test_offsets_say_what_zoneinfo_says(name: str, start: datetime, length: int) -> None:
    first = Tick(int(start.replace(tzinfo=UTC).timestamp()) // TICK_SECONDS)
    changes = offsets(name, first, Tick(first + length))

    looked_at = range(first, first + length, max(length // 50, 1))

    assert changes[0][0] == first
    assert all(one[0] < other[0] and one[1] != other[1] for one, other in pairwise(changes))
    for moment in looked_at:
        shown = max(change for change in changes if change[0] <= moment)[1]
        assert local(instant_of(Tick(moment)), name).utcoffset() == timedelta(seconds=shown * TICK_SECONDS)


def test_no_zone_keeps_an_offset_for_so_short_a_time_that_a_probe_leaps_over_it() -> None:
    first, last = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2101, 1, 1, tzinfo=UTC).timestamp())

    shortest = min(
        later - earlier
        for name in zone_names()
        for earlier, later in pairwise(changes_in_file(name))
        if first <= later < last
    )

    assert shortest > zones._PROBE_TICKS * TICK_SECONDS


def changes_in_file(name: str) -> list[int]:
    """When the zone's offset changes, from the table in its file (RFC 9636 3.2), without the rule that follows it."""
    data = resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    indicators, leaps, times, types, letters = _counts(data, 0)
    body = 44 + times * 5 + types * 6 + letters + leaps * 8 + indicators  # the first block has times of 4 bytes
    _, _, times, types, _ = _counts(data, body)
    moments = struct.unpack_from(f">{times}q", data, body + 44)
    kinds = struct.unpack_from(f">{times}B", data, body + 44 + times * 8)
    zones = [struct.unpack_from(">i", data, body + 44 + times * 9 + kind * 6)[0] for kind in range(types)]
    shown = [zones[kind] for kind in kinds]
    return [moment for moment, (before, after) in zip(moments[1:], pairwise(shown), strict=True) if before != after]


def _counts(data: bytes, start: int) -> tuple[int, int, int, int, int]:
    indicators_ut, indicators_standard, leaps, times, types, letters = struct.unpack_from(">6l", data, start + 20)
    return indicators_ut + indicators_standard, leaps, times, types, letters


NUUK_2023 = Instant(1_698_542_100)
"""2023-10-29T01:15Z, 23:15 in Nuuk: its file tells of a change at 01:00Z that leaves the offset as it is, and of none
after it, so zoneinfo goes by the rule for later years and takes the quarter to be one of two."""


def test_a_time_is_shown_twice_only_where_the_clock_shows_it_at_two_instants() -> None:
    twice = parse_instant("2026-10-25T00:30:00Z"), parse_instant("2026-10-25T01:30:00Z")

    assert all(is_twice(each, "Europe/Berlin") for each in twice)
    assert not is_twice(Instant(twice[0] - 3600), "Europe/Berlin")
    assert not is_twice(parse_instant("2027-03-28T01:30:00Z"), "Europe/Berlin")
    assert not is_twice(NUUK_2023, "America/Nuuk")
