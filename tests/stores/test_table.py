"""One table of DynamoDB: what is under way together, what is asked for, and what is left when it is closed."""

import json
import threading
from collections.abc import Iterator

import pytest

from slotkeeper.stores.connection import Connection
from slotkeeper.stores.signing import Credentials
from slotkeeper.stores.table import Table
from tests.stores.peer import a_peer, answer


def a_table(endpoint: str = "http://127.0.0.1:1") -> Table:
    return Table(Connection(Credentials("key", "secret"), "eu-central-1", endpoint=endpoint), "table")


@pytest.fixture
def table() -> Iterator[Table]:
    table = a_table()
    yield table
    table.close()


@pytest.mark.parametrize("count", [2, 8])
def test_as_many_as_eight_are_under_way_together_and_come_back_in_order(table: Table, count: int) -> None:
    gate = threading.Barrier(count, timeout=2)

    def meet(number: int) -> int:
        gate.wait()
        return -number

    assert table.each(meet, range(count)) == [-number for number in range(count)]


def test_one_alone_is_done_by_who_asks(table: Table) -> None:
    assert table.each(lambda _: threading.current_thread(), [1]) == [threading.current_thread()]


def test_a_table_that_is_closed_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    table = a_table()
    threads = table.each(lambda _: threading.current_thread(), [1, 2])

    table.close()

    assert not before & set(threads)
    assert set(threading.enumerate()) <= before


def test_of_an_index_no_more_is_read_than_is_asked_for() -> None:
    with a_peer(answer({"Items": []})) as peer:
        table = a_table(peer.endpoint)
        assert table.entries("start", "shop", "a", "b", most=3, reverse=True) == []
        table.close()

    asked = json.loads(peer.asked[0].body)
    assert {name: asked[name] for name in ("TableName", "IndexName", "Limit", "ScanIndexForward")} == {
        "TableName": "table",
        "IndexName": "start",
        "Limit": 3,
        "ScanIndexForward": False,
    }
