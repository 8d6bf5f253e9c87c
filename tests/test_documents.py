"""What is remembered of documents stays within its bounds."""

import tracemalloc
from collections.abc import Callable

import pytest

from slotkeeper.contracts import Doc, Key
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Instant
from slotkeeper.documents import drawn_of, encoded, sheet_of

SHEETS, CLAIMS = 1_500, 96


def a_full_day(number: int) -> Doc:
    """A sheet of a day of quarters of an hour."""
    claims = tuple(
        Claim(
            f"apt_{number:016x}{at:016x}",
            Instant(number * 86_400 + at * 900),
            Instant(number * 86_400 + at * 900 + 900),
        )
        for at in range(CLAIMS)
    )
    return Doc(Key("shop/sheet/r", str(number)), 1, encoded(claims))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("look", "first", "most_megabytes"), [(drawn_of, 0, 14), (sheet_of, SHEETS, 14)], ids=["drawn", "read"]
)
def test_looking_at_many_full_days_takes_little_memory(
    look: Callable[[Doc], object], first: int, most_megabytes: int
) -> None:
    days = [a_full_day(first + number) for number in range(SHEETS)]
    # What was read from the file is another object each time, and stays as long as anybody remembers it.
    tracemalloc.start()
    try:
        for day in days:
            look(Doc(day.key, 1, bytes(bytearray(day.body))))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept / 1e6 < most_megabytes


def test_what_is_forgotten_is_read_again() -> None:
    days = [a_full_day(number) for number in range(1_000)]

    first, again = ([(len(sheet_of(day)), drawn_of(day)) for day in days] for _ in range(2))

    assert first == again
    assert {claims for claims, _ in first} == {CLAIMS}
