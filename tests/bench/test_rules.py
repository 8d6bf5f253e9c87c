"""The rules by which DynamoDB charges, on examples that were reckoned by hand."""

import pytest

from bench.aws import rules
from bench.aws.rules import index_units, item_size, number_size, projected, read_units, write_units

SMALL = {"part": {"S": "shop"}, "sort": {"S": "1"}, "version": {"N": "12"}, "body": {"S": "[]"}}
"""4+4, 4+1, 7+2 and 4+2 bytes."""


def test_an_item_is_the_sum_of_its_names_and_values() -> None:
    assert item_size(SMALL) == 28


@pytest.mark.parametrize(
    ("text", "size"),
    [("ü", 2), ("é😀", 6), ("", 0)],
)
def test_text_counts_by_its_bytes(text: str, size: int) -> None:
    assert item_size({"a": {"S": text}}) == 1 + size


@pytest.mark.parametrize(
    ("number", "size"),
    [
        *(("0", 1), ("7", 2), ("10", 2), ("123", 3), ("1700000000", 2), ("1795000001", 6), ("123456", 4)),
        *(("-5", 3), ("3.14159", 5), ("0.5", 2), ("100.5", 4)),
    ],
)
def test_a_number_costs_a_byte_for_two_digits_on_each_side_of_the_point(number: str, size: int) -> None:
    assert number_size(number) == size


def test_bytes_count_as_they_are_and_not_as_they_travel() -> None:
    assert item_size({"deflated": {"B": "AAAAAA=="}}) == 8 + 4


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (3072, 3)])
def test_a_write_is_charged_by_the_kilobyte_begun(size: int, units: int) -> None:
    assert write_units(size) == units


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4096, 1), (4097, 2), (9000, 3)])
def test_a_read_is_charged_by_four_kilobytes_begun_and_half_where_it_may_lag(size: int, units: int) -> None:
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=False) == units / 2


KEYS = ("startPart", "startSort")
ENTRY = {"part": {"S": "a"}, "sort": {"S": "b"}, "startPart": {"S": "shop"}, "startSort": {"S": "1"}}


def test_an_index_holds_its_keys_and_the_tables() -> None:
    assert projected(ENTRY | {"body": {"S": "much"}}, KEYS, ("part", "sort")) == ENTRY


def test_what_lacks_a_key_stands_in_no_index() -> None:
    assert projected(SMALL, KEYS, ("part", "sort")) is None


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        *((None, None, 0), (None, ENTRY, 1), (ENTRY, None, 1), (ENTRY, ENTRY, 0)),
        *((ENTRY, ENTRY | {"startSort": {"S": "2"}}, 2), (None, ENTRY | {"startSort": {"S": "x" * 1000}}, 2)),
    ],
)
def test_an_index_is_charged_for_what_changes_in_it(before: object, after: object, units: int) -> None:
    assert index_units(before, after) == units  # type: ignore[arg-type]  # they are items


def test_a_type_without_a_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule here for the type L"):
        item_size({"a": {"L": []}})


def test_rules_that_forget_the_names_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def values_only(item: rules.Item) -> int:
        return sum(map(rules.value_size, item.values()))

    monkeypatch.setattr("tests.bench.test_rules.item_size", values_only)

    with pytest.raises(AssertionError):
        test_an_item_is_the_sum_of_its_names_and_values()
