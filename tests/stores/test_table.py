"""One table of DynamoDB: what is under way together, what is asked for, and what is left when it is closed."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from slotkeeper.stores.connection import Connection
from slotkeeper.stores.items import wire_key
from slotkeeper.stores.signing import Credentials
from slotkeeper.stores.table import Table
from tests.contracts.store import A, B
from tests.stores.peer import a_peer, answer

PAGES = ["1", "23", "456"]
"""Where the entries stand that an index gives, page by page."""


def a_table(endpoint: str = "http://127.0.0.1:1", **others: Any) -> Table:
    return Table(Connection(Credentials("key", "secret"), "eu-central-1", endpoint=endpoint, **others), "table")


@pytest.fixture
def table() -> Iterator[Table]:
    table = a_table()
    yield table
    table.close()


@pytest.mark.parametrize(("things", "together"), [(2, 2), (24, 8)])
def test_up_to_eight_are_under_way_together_and_come_back_in_order(table: Table, things: int, together: int) -> None:
    gate = threading.Barrier(together, timeout=5)

    def meet(number: int) -> tuple[int, threading.Thread]:
        gate.wait()
        return number, threading.current_thread()

    numbers, threads = zip(*table.each(meet, range(things)), strict=True)

    assert numbers == tuple(range(things))
    assert len(set(threads)) == together


def test_one_alone_is_done_by_who_asks(table: Table) -> None:
    assert table.each(lambda _: threading.current_thread(), [1]) == [threading.current_thread()]


def test_a_table_that_is_closed_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    table = a_table()
    threads = table.each(lambda _: threading.current_thread(), [1, 2])

    table.close()

    assert not before & set(threads)
    assert set(threading.enumerate()) <= before


def an_entry(sort: str) -> dict[str, Any]:
    return wire_key(A) | {"startPart": {"S": "shop"}, "startSort": {"S": sort}}


def test_of_an_index_no_more_is_read_than_is_asked_for() -> None:
    pages = [{"Items": [an_entry(each) for each in sorts], "LastEvaluatedKey": an_entry(sorts[-1])} for sorts in PAGES]
    with a_peer(*map(answer, pages), answer({"Items": []})) as peer, closing(a_table(peer.endpoint)) as table:
        entries = table.entries("start", "shop", "1", "9", most=3, reverse=False)

    asked = [json.loads(each.body) for each in peer.asked]
    assert [place.sort for _, place in entries] == ["1", "2", "3"]
    assert [(each["Limit"], each.get("ExclusiveStartKey")) for each in asked] == [(3, None), (3, an_entry("1"))]


@pytest.mark.parametrize("left", [0, 1], ids=["nothing there", "one left for later"])
def test_who_gets_an_answer_does_not_pause(left: int) -> None:
    pauses: list[float] = []
    some = {
        "Responses": {"table": [wire_key(A)] * left},
        "UnprocessedKeys": {"table": {"Keys": [wire_key(B)]}} if left else {},
    }
    acts = answer(some), answer({"Responses": {}})
    with a_peer(*acts) as peer, closing(a_table(peer.endpoint, sleep=pauses.append)) as table:
        assert table.get([A, B]) == [wire_key(A)] * left

    assert len(peer.asked) == 1 + left
    assert pauses == []


def test_a_bound_that_no_sort_key_can_reach_is_cut_between_two_letters() -> None:
    with a_peer(answer({"Items": []})) as peer, closing(a_table(peer.endpoint)) as table:
        assert table.range("shop", "", "a" + "é" * 600) == []

    values = json.loads(peer.asked[0].body)["ExpressionAttributeValues"]
    assert values == {":part": {"S": "shop"}, ":last": {"S": "a" + "é" * 511}}
