"""The meter on single calls: what each costs is reckoned by hand."""

from typing import Any

import pytest

from bench.aws import meter as metering
from bench.aws.meter import Meter, Units

A_KB = "x" * 900


def item(sort: str, body: str = "[]", version: int = 1, **others: str) -> dict[str, Any]:
    texts = {"part": "shop", "sort": sort, "body": body} | others
    return {"version": {"N": str(version)}} | {name: {"S": text} for name, text in texts.items()}


def in_start(sort: str, at: str, **others: Any) -> dict[str, Any]:
    return item(sort, startPart="shop", startSort=at, **others)


def key(sort: str) -> dict[str, Any]:
    return {"part": {"S": "shop"}, "sort": {"S": sort}}


def transaction(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": list(actions)}


def seen(meter: Meter, operation: str, asked: dict[str, Any], answer: dict[str, Any] | None = None) -> Units:
    """What one more call costs; a write without an answer is done."""
    before = meter.ours
    meter.see(operation, asked, answer or {}, is_done=True)
    return meter.ours - before


def test_a_small_write_is_a_unit_and_its_place_another() -> None:
    meter = Meter()

    assert seen(meter, "PutItem", {"Item": in_start("1", "5")}) == Units(table=1, indexes=1, calls=1)
    assert seen(meter, "PutItem", {"Item": in_start("1", "5", version=2)}) == Units(table=1, indexes=0, calls=1)
    assert seen(meter, "PutItem", {"Item": in_start("1", "6", version=3)}) == Units(table=1, indexes=2, calls=1)
    assert seen(meter, "PutItem", {"Item": item("1", version=4)}) == Units(table=1, indexes=1, calls=1)


def test_a_write_is_charged_by_the_larger_of_before_and_after() -> None:
    meter = Meter()
    seen(meter, "PutItem", {"Item": item("1", A_KB * 3)})

    assert seen(meter, "PutItem", {"Item": item("1", version=2)}).table == 3
    assert seen(meter, "PutItem", {"Item": item("1", version=3)}).table == 1


def a_transaction_doubles_the_table_alone() -> None:
    put = transaction({"Put": {"Item": in_start("1", "5")}}, {"Put": {"Item": item("2", A_KB * 2)}})

    assert seen(Meter(), "TransactWriteItems", put) == Units(table=2 + 4, indexes=1, calls=1, transactions=1)


def test_a_transaction_doubles_the_table_alone() -> None:
    a_transaction_doubles_the_table_alone()


def test_a_meter_that_doubles_the_indexes_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = metering._index_units
    monkeypatch.setattr(metering, "_index_units", lambda before, after: 2 * right(before, after))

    with pytest.raises(AssertionError):
        a_transaction_doubles_the_table_alone()


def test_a_delete_and_a_check_are_charged_by_the_item_that_is_there() -> None:
    meter = Meter()
    seen(meter, "PutItem", {"Item": in_start("1", "5", body=A_KB * 3)})
    check, delete = {"ConditionCheck": {"Key": key("1")}}, {"Delete": {"Key": key("1")}}

    assert seen(meter, "TransactWriteItems", transaction(check)) == Units(table=6, calls=1, transactions=1)
    assert seen(meter, "TransactWriteItems", transaction(delete)) == Units(6, 1, 0, 1, 1)
    assert seen(meter, "TransactWriteItems", transaction(delete)) == Units(2, 0, 0, 1, 1)


def test_what_a_condition_stopped_is_charged_without_the_indexes_and_changes_nothing() -> None:
    meter = Meter()
    put = transaction({"Put": {"Item": in_start("1", "5")}}, {"Put": {"Item": item("2")}})

    meter.see("TransactWriteItems", put, {"CancellationReasons": []}, is_done=False)

    assert meter.ours == Units(table=4, indexes=0, calls=1, transactions=1)
    assert meter.items == []


def test_keys_asked_for_together_are_charged_one_by_one_and_missing_ones_too() -> None:
    asked = {"RequestItems": {"table": {"Keys": [key("1"), key("2"), key("3")], "ConsistentRead": True}}}
    answer = {"Responses": {"table": [item("1", A_KB * 5), item("3")]}}

    assert seen(Meter(), "BatchGetItem", asked, answer) == Units(reads=2 + 1 + 1, calls=1)
    assert seen(Meter(), "GetItem", {"Key": key("2")}, {}) == Units(reads=1, calls=1)


def test_a_range_is_charged_by_the_sum_of_what_it_finds() -> None:
    answer = {"Items": [item(str(number), A_KB) for number in range(5)]}

    assert seen(Meter(), "Query", {"ConsistentRead": True}, answer) == Units(reads=2, calls=1)
    assert seen(Meter(), "Query", {"IndexName": "start"}, answer) == Units(reads=1, calls=1)
    assert seen(Meter(), "Query", {"ConsistentRead": True}, {"Items": []}) == Units(reads=1, calls=1)


def test_a_scan_is_charged_for_all_that_it_passes() -> None:
    meter = Meter()
    for number in range(9):
        seen(meter, "PutItem", {"Item": item(str(number), A_KB)})

    assert seen(meter, "Scan", {"FilterExpression": "none of them"}, {"Items": []}).reads == 3


def test_an_operation_without_a_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule here for UpdateItem"):
        seen(Meter(), "UpdateItem", {})


def test_what_the_other_side_says_is_heard_in_its_parts() -> None:
    meter = Meter()
    said = {"CapacityUnits": 6.0, "Table": {"CapacityUnits": 4.0}}
    indexes = {"start": {"CapacityUnits": 1.0}, "customer": {"CapacityUnits": 1.0}}

    meter.hear({"ConsumedCapacity": [said | {"GlobalSecondaryIndexes": indexes}]}, is_write=True)
    meter.hear({"ConsumedCapacity": {"CapacityUnits": 1.5}}, is_write=False)

    assert meter.said == Units(table=4, indexes=2, reads=1.5)
