"""Claims on a day: half-open, exact to the second, and gone when they expire."""

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest

from slotkeeper.core.sheet import BLANK, Claim, added, busy, clash, drawn, live, removed, together
from slotkeeper.core.ticks import Instant, Window, day_of, parse_instant

NINE = parse_instant("2026-11-24T09:00:00Z")
NOW = parse_instant("2026-11-24T08:00:00Z")


def minutes(count: int) -> Instant:
    return Instant(NINE + count * 60)


def claim(first: int, last: int, owner: str = "a", expires: int = 0) -> Claim:
    return Claim(owner, minutes(first), minutes(last), Instant(expires))


# The relations of a span to 9:30-10:00, after J. F. Allen, "Maintaining Knowledge about Temporal Intervals" (1983).
ALLEN = {
    "before": (0, 20, False),
    "meets": (0, 30, False),
    "overlaps": (0, 40, True),
    "starts": (30, 40, True),
    "during": (35, 50, True),
    "finishes": (50, 60, True),
    "equals": (30, 60, True),
    "finished by": (20, 60, True),
    "contains": (20, 70, True),
    "started by": (30, 70, True),
    "overlapped by": (40, 70, True),
    "met by": (60, 80, False),
    "after": (70, 80, False),
}


@pytest.mark.parametrize("relation", ALLEN)
def test_each_relation_of_two_spans_is_judged_right(relation: str) -> None:
    first, last, overlaps = ALLEN[relation]

    found = clash([(claim(30, 60),)], minutes(first), minutes(last), NOW)

    assert (found is not None) == overlaps


def test_a_second_makes_the_difference() -> None:
    sheet = (Claim("a", Instant(NINE + 1), Instant(NINE + 2)),)

    assert clash([sheet], NINE, Instant(NINE + 1), NOW) is None
    assert clash([sheet], Instant(NINE + 2), Instant(NINE + 9), NOW) is None
    assert clash([sheet], Instant(NINE + 1), Instant(NINE + 2), NOW) is not None


def test_the_first_of_several_clashes_is_named() -> None:
    sheets = [(claim(40, 50, "late"),), (claim(30, 35, "early"), claim(0, 5, "other"))]

    found = clash(sheets, minutes(30), minutes(60), NOW)

    assert found is not None
    assert found.owner == "early"


def test_an_expired_claim_counts_for_nothing() -> None:
    sheet = (claim(0, 30, "gone", NOW), claim(30, 60, "held", NOW + 1))

    assert [each.owner for each in live(sheet, NOW)] == ["held"]
    assert clash([sheet], minutes(0), minutes(30), NOW) is None
    assert clash([sheet], minutes(30), minutes(31), NOW) is not None
    window = Window.of_days(day_of(NINE), 1)
    assert busy([sheet], window, NOW) == busy([(claim(30, 60),)], window, NOW) != 0


def test_ones_own_claim_can_be_left_out() -> None:
    sheet = (claim(0, 30, "mine"),)

    assert clash([sheet], minutes(0), minutes(30), NOW, ("mine",)) is None


def test_busy_ticks_are_those_that_a_claim_touches() -> None:
    window = Window.of_days(day_of(NINE), 1)
    touched = busy([(claim(1, 6), claim(10, 15, "b"))], window, NOW)

    nine = 9 * 12
    assert touched == 0b111 << nine
    assert busy([(claim(1, 6),)], window, NOW, ("a",)) == 0


def test_of_a_claim_that_reaches_out_of_the_window_only_the_ticks_within_are_busy() -> None:
    window = Window.of_days(day_of(NINE), 1)

    assert busy([(claim(-24 * 60, -10 * 60),)], window, NOW) == 0
    assert busy([(claim(-10 * 60, -9 * 60 + 5),)], window, NOW) == 1


def test_a_claim_is_entered_by_start_and_sweeps_what_has_expired() -> None:
    sheet = (claim(0, 10, "gone", NOW), claim(40, 50, "later"))

    after = added(sheet, claim(20, 30, "new"), NOW)

    assert [each.owner for each in after] == ["new", "later"]


def test_a_claim_takes_the_place_of_its_owners_earlier_one() -> None:
    sheet = (claim(0, 10, "a"), claim(20, 30, "b"))

    assert added(sheet, claim(40, 50, "a"), NOW) == (claim(20, 30, "b"), claim(40, 50, "a"))


def test_an_owner_is_taken_out_whole() -> None:
    sheet = (claim(0, 10, "a"), claim(20, 30, "b"), claim(40, 50, "a"))

    assert removed(sheet, "a") == (claim(20, 30, "b"),)


@pytest.mark.parametrize("offset_minutes", [0, 120, -300, 330])
def test_notations_of_one_instant_are_one_instant(offset_minutes: int) -> None:
    there = datetime.fromtimestamp(NINE, UTC).astimezone(timezone(timedelta(minutes=offset_minutes)))

    assert parse_instant(there.isoformat()) == NINE
    assert parse_instant(there.isoformat(timespec="milliseconds")) == NINE


def some_claims(dice: random.Random, count: int) -> list[Claim]:
    """Claims around the window's two days, to the second, some of them over midnight, some that expire."""
    claims = []
    for number in range(count):
        start = NINE + dice.randrange(-90_000, 200_000)
        expires = NOW + dice.randrange(-100, 100) if dice.random() < 0.3 else 0
        claims.append(
            Claim(f"c{number}/{start}", Instant(start), Instant(start + dice.randrange(1, 90_000)), Instant(expires))
        )
    return claims


@pytest.mark.parametrize("seed", range(40))
def test_what_was_drawn_shows_what_the_claims_say_at_any_time(seed: int) -> None:
    dice = random.Random(seed)
    window = Window.of_days(day_of(NINE), 2)
    sheets = [tuple(sorted(some_claims(dice, dice.randrange(4)), key=lambda each: each.start)) for _ in range(4)]
    passing = tuple(each.owner for sheet in sheets for each in sheet if each.expires)[:1]

    whole = together([drawn(sheet) for sheet in sheets])

    for now in (Instant(NOW - 500), NOW, Instant(NOW + 500)):
        assert whole.busy(window, now) == busy(sheets, window, now)
        assert whole.busy(window, now, passing) == busy(sheets, window, now, passing)


@pytest.mark.parametrize("seed", range(40))
def test_claims_drawn_one_by_one_are_the_sheet_drawn_at_once(seed: int) -> None:
    claims = some_claims(random.Random(seed), 6)
    window = Window.of_days(day_of(NINE), 2)

    drawing = BLANK
    for each in claims:
        drawing = drawing.with_claim(each)

    assert drawing.busy(window, NOW) == busy([tuple(claims)], window, NOW)


@pytest.mark.parametrize("seed", range(20))
def test_what_was_drawn_over_a_window_shows_the_same_of_it(seed: int) -> None:
    dice = random.Random(seed)
    window = Window.of_days(day_of(NINE), 1)
    whole = drawn(tuple(sorted(some_claims(dice, 12), key=lambda each: each.start)))

    over = whole.over(window)

    assert over.first == window.start
    assert over.ticks & ~window.full == 0
    assert over.busy(window, NOW) == whole.busy(window, NOW)


def test_nothing_drawn_is_nothing_busy() -> None:
    assert drawn(()) == together([]) == BLANK
    assert BLANK.busy(Window.of_days(day_of(NINE), 1), NOW) == 0
