"""Names come in the order in which people count."""

import random

from slotkeeper.core.names import in_order


def test_numbers_count_as_numbers_and_capitals_count_for_nothing() -> None:
    wanted = [
        "",
        "12",
        "Dr Ada",
        "dr Ben",
        "Room",
        "Room 1",
        "room 1b",
        "Room 2",
        "Room 2 b 3",
        "Room 2 b 20",
        "Room 10",
        "Ärztin",
    ]
    mixed = random.Random(1).sample(wanted, len(wanted))

    assert sorted(mixed, key=in_order) == wanted


def test_digits_of_any_script_and_any_length_can_be_compared() -> None:
    names = ["٣", "2", "10", "²", "1" * 200, "Room ٣"]

    assert sorted(names, key=in_order)[:3] == ["2", "٣", "10"]
