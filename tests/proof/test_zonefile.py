"""Our own reading of the zone files says what zoneinfo says, and reads what rules may hold."""

import random
from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from bench.proof.zonefile import _foretold, _standard, clock_of
from bench.proof.zones import FIRST, LAST
from slotkeeper.core.zones import zone_names
from tests.laws.test_every_zone import KNOWN_FOR_TROUBLE, data_of


def disagreements(name: str) -> list[int]:
    """The instants, around changes and anywhere, at which zoneinfo's clock shows another time."""
    ours, theirs = clock_of(name), ZoneInfo.from_file(BytesIO(data_of(name)))
    near = [change + seconds for change in ours.between(FIRST, LAST) for seconds in (-3600, -1, 0, 1, 3599)]
    anywhere = [random.Random(name).randrange(FIRST, LAST) for _ in range(40)]
    return [at for at in near + anywhere if datetime.fromtimestamp(at, theirs).replace(tzinfo=None) != ours.wall(at)]


def test_the_clocks_of_troublesome_zones_show_what_zoneinfo_says() -> None:
    assert [name for name in KNOWN_FOR_TROUBLE if disagreements(name)] == []


@pytest.mark.slow
def test_the_clocks_of_all_zones_show_what_zoneinfo_says() -> None:
    assert [name for name in zone_names() if disagreements(name)] == []
    assert sum(len(clock_of(name).between(FIRST, LAST)) for name in zone_names()) > 5000


@pytest.mark.parametrize(
    ("rule", "first", "last"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00", "2026-10-25T01:00"),
        ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-03-29T01:00", "2026-10-25T01:00"),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00", "2026-10-25T01:00"),
        ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00", "2026-11-01T06:00"),
        ("AAA0BBB,J60/0,J300/0", "2026-03-01T00:00", "2026-10-26T23:00"),
        ("AAA0BBB,59/0,299/0", "2026-03-01T00:00", "2026-10-26T23:00"),
        ("AAA3:30BBB,M3.5.4/50,M10.4.4/50", "2026-03-28T05:30", "2026-10-24T04:30"),
    ],
)
def test_a_rule_foretells_its_changes(rule: str, first: str, last: str) -> None:
    year = [at for at, _ in _foretold(rule) if datetime.fromtimestamp(at, UTC).year == 2026]

    assert [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M") for at in year] == [first, last]


def test_a_day_without_29_february_is_told_from_one_with_it() -> None:
    leap = [datetime.fromtimestamp(at, UTC).date().isoformat() for at, _ in _foretold("AAA0BBB,J60/0,59/0")]

    assert "2028-03-01" in leap  # J60 is never 29 February
    assert "2028-02-28" in leap  # day 59, counted from 0, is; summer time makes it the day before in UTC


def test_a_zone_without_summer_time_has_its_offset_and_no_change() -> None:
    assert _standard("<+0545>-5:45") == 20_700
    assert _foretold("<+0545>-5:45") == []


def test_an_hour_that_comes_twice_is_told_from_one_that_does_not() -> None:
    berlin = clock_of("Europe/Berlin")
    change = int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp())

    assert [berlin.is_twice(change + seconds) for seconds in (-3601, -3600, 0, 3599, 3600)] == [
        False, True, True, True, False,
    ]  # fmt: skip
