"""How a document becomes an item of DynamoDB and comes back: what may be, what it counts for, and what damage does."""

import random
from base64 import b64encode
from string import ascii_letters, digits
from typing import Any

import pytest

from slotkeeper.contracts import Doc, Place, Put
from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import Instant
from slotkeeper.stores.items import BODY, DEFLATED, ITEM_BYTES, can_be, doc_of, item_of, size_of, wire_key
from tests.contracts.store import A
from tests.stores.sized import a_put_of


@pytest.mark.parametrize(
    ("part", "sort", "can"),
    [
        ("p" * 2048, "s" * 1024, True),
        ("p" * 2049, "s", False),
        ("p", "s" * 1025, False),
        ("é" * 1024, "é" * 512, True),
        ("é" * 1024 + "p", "s", False),
        ("p", "é" * 512 + "s", False),
        ("", "s", False),
        ("p", "", False),
    ],
)
def test_half_a_key_is_neither_empty_nor_longer_than_its_bytes(part: str, sort: str, can: bool) -> None:
    assert can_be((part, sort)) is can


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {BODY: {"B": "AAAA"}},
        {DEFLATED: {"S": "text"}},
        {DEFLATED: {"B": "A"}},
        {DEFLATED: {"B": b64encode(b"never deflated").decode()}},
    ],
    ids=["no body", "a body of another kind", "deflated of another kind", "no base64", "never deflated"],
)
def test_a_damaged_item_is_a_document_without_a_body(rest: dict[str, Any]) -> None:
    assert doc_of(wire_key(A) | rest) == Doc(A, 0, b"")
    assert doc_of(wire_key(A) | {"version": {"N": "7"}} | rest) == Doc(A, 7, b"")


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "ü"}, 2),
        ({"N": "7"}, 2),
        ({"N": "12345"}, 4),
        ({"N": "123456"}, 4),
        ({"N": "1800000000"}, 2),
        ({"B": b64encode(b"123").decode()}, 3),
        ({"B": b64encode(b"1234").decode()}, 4),
        ({"B": b64encode(b"12345").decode()}, 5),
        ({"B": ""}, 0),
    ],
)
def test_an_attribute_counts_for_its_name_and_its_value(value: dict[str, str], size: int) -> None:
    assert size_of({"größe": value}) == len("größe".encode()) + size


def test_an_item_has_the_names_that_tables_have_been_written_with() -> None:
    put = Put(A, b"text", {"due": Place("due", "1")}, Instant(9))

    assert item_of(put, 2, write="token") == {
        "part": {"S": "shop/a"},
        "sort": {"S": "1"},
        "version": {"N": "2"},
        "write": {"S": "token"},
        "until": {"N": "9"},
        "duePart": {"S": "due"},
        "dueSort": {"S": "1"},
        "body": {"S": "text"},
    }
    assert item_of(Put(A, b"\xff"), 1).keys() == {"part", "sort", "version", "deflated"}


def test_an_item_may_have_all_the_bytes_that_dynamodb_takes_and_not_one_more() -> None:
    assert size_of(item_of(a_put_of(A, ITEM_BYTES), 1)) == 409_600

    with pytest.raises(Invalid, match=r"^document shop/a/1 has 409,601 bytes, "):
        item_of(a_put_of(A, ITEM_BYTES + 1), 1)


@pytest.mark.parametrize(("size", "name"), [(1024, BODY), (1025, DEFLATED)])
def test_a_body_stays_as_it_is_as_long_as_its_item_is_one_unit(size: int, name: str) -> None:
    body = b"x" * (size - size_of(item_of(Put(A, b""), 1)))

    assert {BODY, DEFLATED} & item_of(Put(A, body), 1).keys() == {name}


@pytest.mark.parametrize(
    ("length", "name"), [(900, BODY), (1150, DEFLATED), (1600, BODY), (2250, DEFLATED), (2850, BODY)]
)
def test_a_body_is_deflated_only_where_that_spares_a_unit(length: int, name: str) -> None:
    """Random letters and digits deflate by a quarter: enough for a unit less only now and then."""
    chance = random.Random(20)
    text = "".join(chance.choices(ascii_letters + digits, k=length))

    item = item_of(Put(A, text.encode()), 1)

    assert {BODY, DEFLATED} & item.keys() == {name}
    assert doc_of(item).body == text.encode()
