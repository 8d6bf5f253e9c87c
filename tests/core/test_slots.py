"""Offers beside claims: where a bare span would fit instead."""

from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.core.sheet import Claim
from slotkeeper.core.slots import between
from slotkeeper.core.ticks import Instant

DAY = 86_400


def claim(start: int, end: int) -> Claim:
    return Claim("a", Instant(start), Instant(end))


def offers(claims: list[Claim], seconds: int, first: int = -DAY, last: int = DAY) -> list[int]:
    return [int(start) for start in between(claims, seconds, Instant(first), Instant(last))]


def test_a_span_fits_right_before_and_right_after_a_claim() -> None:
    assert offers([claim(100, 200)], 30) == [70, 200]


def test_a_gap_that_fits_exactly_is_offered_once_and_one_that_is_too_short_never() -> None:
    assert offers([claim(0, 100), claim(130, 200)], 30) == [-30, 100, 200]
    assert offers([claim(0, 100), claim(129, 200)], 30) == [-30, 200]


def test_a_gap_that_is_longer_is_offered_from_either_end() -> None:
    assert offers([claim(0, 100), claim(200, 300)], 30) == [-30, 100, 170, 300]


def test_a_claim_within_another_ends_nothing() -> None:
    assert offers([claim(0, 500), claim(100, 200)], 50) == [-50, 500]


def test_offers_keep_to_the_range_and_need_a_claim() -> None:
    assert offers([claim(100, 200)], 30, first=71, last=200) == []
    assert offers([], 30) == []


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), max_size=12), st.integers(1, 80))
def test_every_offer_overlaps_nothing(spans: list[tuple[int, int]], seconds: int) -> None:
    claims = [claim(start, start + length) for start, length in spans]

    for start in offers(claims, seconds):
        assert not any(each.overlaps(Instant(start), Instant(start + seconds)) for each in claims)
