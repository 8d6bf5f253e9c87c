"""Instants are read and written strictly, and sets of ticks obey the laws of sets."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import (
    DAY_SECONDS,
    DAY_TICKS,
    TICK_SECONDS,
    Day,
    Instant,
    Tick,
    Window,
    at_least,
    day_key,
    day_of,
    fits,
    format_instant,
    instant_of,
    ones,
    parse_day,
    parse_instant,
    positions,
    tick_after,
    tick_at,
)

FIRST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2100, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())

instants = st.integers(FIRST, LAST).map(Instant)
days = st.integers(FIRST // DAY_SECONDS, LAST // DAY_SECONDS).map(Day)
sparse = st.sets(st.integers(0, 700)).map(lambda ticks: sum(1 << tick for tick in ticks))
dense = st.integers(0, 1 << 700)
blocks = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), max_size=6).map(
    lambda stretches: sum(1 << tick for tick in {start + at for start, length in stretches for at in range(length)})
)
sets = sparse | dense | blocks


def members(bits: int) -> set[int]:
    return {tick for tick in range(bits.bit_length()) if bits >> tick & 1}


def at(text: str) -> Instant:
    return Instant(int(datetime.fromisoformat(text).timestamp()))


@given(instants)
def test_an_instant_is_written_so_that_it_reads_back_the_same(instant: Instant) -> None:
    text = format_instant(instant)

    assert parse_instant(text) == instant
    assert text == datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@given(instants, st.integers(-1439, 1439))
def test_an_offset_changes_how_an_instant_is_written_and_not_when_it_is(instant: Instant, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))

    assert parse_instant(datetime.fromtimestamp(instant, zone).isoformat()) == instant


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-24T09:30:00.000Z", "2026-11-24T09:30:00Z"),
        ("2026-11-24T09:30:00.0+01:00", "2026-11-24T08:30:00Z"),
        ("2026-11-24T09:30:00z", "2026-11-24T09:30:00Z"),
        ("2026-11-24T09:30:00-00:00", "2026-11-24T09:30:00Z"),
        ("2024-02-29T23:59:59-01:00", "2024-03-01T00:59:59Z"),
        ("1999-12-31T23:00:00-01:00", "2000-01-01T00:00:00Z"),
    ],
)
def test_every_form_of_rfc_3339_with_whole_seconds_is_read(text: str, same: str) -> None:
    assert format_instant(parse_instant(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "T",
        "2026-11-24",
        "2026-11-24T09:30:00",
        "2026-11-24T09:30Z",
        "2026-11-24 09:30:00Z",
        "2026-11-24t09:30:00Z",
        "2026-11-24T09:30:00 Z",
        "2026-11-24T09:30:00Z ",
        " 2026-11-24T09:30:00Z",
        "2026-11-24T09:30:00Z\n",
        "2026-11-24T09:30:00+0100",
        "2026-11-24T09:30:00+01",
        "2026-11-24T09:30:00+24:00",
        "2026-11-24T09:30:00+01:60",
        "2026-11-24T09:30:00+01:00:00",
        "2026-11-24T09:30:00.5Z",
        "2026-11-24T09:30:00.Z",
        "2026-11-24T09:30:00,000Z",
        "2026-11-24T09:30:00." + "0" * 5000 + "Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T09:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-02-29T09:30:00Z",
        "2026-13-01T09:30:00Z",
        "2026-00-10T09:30:00Z",
        "0000-01-01T00:00:00Z",
        "2026-W48-2T09:30:00Z",
        "2026W482T09:30:00Z",
        "20261124T093000Z",
        "2026-328T09:30:00Z",
        "+2026-11-24T09:30:00Z",
        "٢٠٢٦-11-24T09:30:00Z",
        "2026-11-24T0٩:30:00Z",
        "2026-11-24T09:30:00\u2212" + "01:00",
        "2026-11-24T09:30:00\ud800",
        "1763976600",
        "9" * 5000,
    ],
)
def test_what_is_no_strict_date_time_is_refused_briefly(text: str) -> None:
    with pytest.raises(Invalid, match="is not a time with an offset: write it as 2026-11-24T09:30:00Z") as refused:
        parse_instant(text)

    assert len(refused.value.message) < 250
    refused.value.message.encode()


def test_a_time_that_is_too_long_is_told_by_its_beginning() -> None:
    for text, shown in (("9" * 40, "9" * 40), ("9" * 41, "9" * 40 + "...")):
        with pytest.raises(Invalid, match=f"^'{shown}' is"):
            parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "1999-12-31T23:59:59Z",
        "2000-01-01T00:00:00+00:01",
        "2101-01-01T00:00:00Z",
        "2100-12-31T23:59:59-00:01",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_an_instant_outside_2000_to_2100_is_refused_without_an_overflow(text: str) -> None:
    with pytest.raises(Invalid, match="is out of range: use a year from 2000 to 2100"):
        parse_instant(text)


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.Z+-]{0,20}", fullmatch=True))
def test_any_text_is_either_an_instant_or_invalid(text: str) -> None:
    try:
        instant = parse_instant(text)
    except Invalid:
        return

    assert instant == at(text)


@given(instants)
def test_a_tick_is_the_five_minutes_that_an_instant_lies_in(instant: Instant) -> None:
    assert instant_of(tick_at(instant)) <= instant < instant_of(Tick(tick_at(instant) + 1))
    assert instant_of(Tick(tick_after(instant) - 1)) < instant <= instant_of(tick_after(instant))
    assert day_of(instant) == tick_at(instant) // DAY_TICKS


@given(days)
def test_a_day_is_written_so_that_it_reads_back_the_same(day: Day) -> None:
    assert parse_day(day_key(day)) == day


@given(days, days)
def test_keys_of_days_sort_as_days_do(one: Day, other: Day) -> None:
    assert (day_key(one) < day_key(other)) == (one < other)


@pytest.mark.parametrize("text", ["", "2026-11", "2026-02-30", "20261124", "2026-W48-2", "2026-11-24T00:00:00Z"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is not a date: write it as 2026-11-24"):
        parse_day(text)


@pytest.mark.parametrize("text", ["1999-12-31", "2101-01-01"])
def test_a_date_outside_2000_to_2100_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=f"'{text}' is out of range: use a year from 2000 to 2100"):
        parse_day(text)


def test_a_window_of_days_has_the_ticks_of_those_days() -> None:
    window = Window.of_days(parse_day("2026-11-24"), 2)

    assert window.days() == (parse_day("2026-11-24"), parse_day("2026-11-25"))
    assert instant_of(window.start) == at("2026-11-24T00:00:00Z")
    assert instant_of(window.end) == at("2026-11-26T00:00:00Z")
    assert members(window.full) == set(range(2 * DAY_TICKS))


def test_a_window_touches_the_days_of_its_first_and_last_tick() -> None:
    assert Window(Tick(DAY_TICKS - 1), 2).days() == (0, 1)
    assert Window(Tick(DAY_TICKS), DAY_TICKS).days() == (1,)
    assert Window(Tick(DAY_TICKS), 0).days() == ()


@given(st.integers(-5, 25).map(Tick))
def test_a_bit_is_the_set_of_one_tick_or_empty_outside(tick: Tick) -> None:
    window = Window(Tick(5), 10)

    assert members(window.bit(tick)) == ({tick - 5} if 5 <= tick < 15 else set())


spans = st.tuples(st.integers(-1000, 5000), st.integers(-1000, 5000))


@given(spans)
def test_busy_time_takes_every_tick_that_it_touches_by_a_second(span: tuple[int, int]) -> None:
    window = Window(Tick(3), 9)
    seconds = range(*span)

    taken = members(window.mask(Instant(span[0]), Instant(span[1])))

    assert taken == {second // TICK_SECONDS - 3 for second in seconds} & set(range(9))


@given(sets, st.integers(1, 40))
def test_a_length_fits_where_all_its_ticks_are_in_the_set(bits: int, length: int) -> None:
    have = members(bits)

    assert members(fits(bits, length)) == {tick for tick in have if have.issuperset(range(tick, tick + length))}


@given(st.lists(sets, max_size=9), st.integers(1, 10))
def test_at_least_a_number_of_sets_is_a_count_of_each_tick(several: list[int], count: int) -> None:
    ticks = set().union(*map(members, several))

    enough = members(at_least(count, iter(several)))

    assert enough == {tick for tick in ticks if sum(bits >> tick & 1 for bits in several) >= count}


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_the_first_tick_counts_like_any_other(count: int) -> None:
    assert at_least(count, [1] * count) == 1
    assert at_least(count, [1] * (count - 1)) == 0


@given(sets)
def test_positions_are_the_members_in_order(bits: int) -> None:
    assert positions(bits) == sorted(members(bits))


def test_positions_reach_as_far_as_ninety_days() -> None:
    assert positions(ones(26_000)) == list(range(26_000))
    assert positions(1 << 25_999) == [25_999]
