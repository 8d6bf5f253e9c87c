"""How a document is one item of the DynamoDB table: names, sizes, and the way there and back.

An item is `part` and `sort`, its `version`, its `body` as text or `deflated`, and for each list that it stands in
`startPart` and `startSort`, and so on: an index of the list's name goes by these.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import get_args

from slotkeeper.contracts import Doc, Key, ListName, Place, Put
from slotkeeper.core.errors import Invalid

PART, SORT = "part", "sort"
VERSION = "version"
BODY, DEFLATED = "body", "deflated"
WRITE = "write"
"""A token of the commit that wrote the document alone: by it the commit is known when its answer was lost."""
UNTIL = "until"
"""From then on, in seconds since 1970, DynamoDB may delete the item (its time to live)."""

LISTS: tuple[ListName, ...] = get_args(ListName)
"""Each list is an index of that name, over `list_attributes`, of keys only."""

ITEM_BYTES = 400 * 1024
PART_BYTES, SORT_BYTES = 2048, 1024
UNIT_BYTES = 1024
"""A write is billed by whole units of this size (DynamoDB, read/write capacity)."""

Item = dict[str, dict[str, str]]
"""An item on the wire: `{"part": {"S": "shop"}, "version": {"N": "1"}}`."""


def list_attributes(name: ListName) -> tuple[str, str]:
    """The attributes that an index goes by: its hash key and its range key."""
    return f"{name}Part", f"{name}Sort"


def can_be(key: tuple[str, str]) -> bool:
    """Whether DynamoDB could have anything under the key, or place: neither half may be empty or too long."""
    part, sort = key
    return 0 < len(part.encode()) <= PART_BYTES and 0 < len(sort.encode()) <= SORT_BYTES


def wire_key(key: Key) -> Item:
    return {PART: {"S": key.part}, SORT: {"S": key.sort}}


def key_of(item: Mapping[str, Mapping[str, str]]) -> Key:
    return Key(item[PART]["S"], item[SORT]["S"])


def doc_of(item: Mapping[str, Mapping[str, str]]) -> Doc:
    """The document that an item is: from an answer, or an image in the table's stream.

    One that others have damaged has no body, which decodes as nothing: so its readers notice, one by one.
    """
    return Doc(key_of(item), int(item.get(VERSION, {}).get("N", "0")), _body_of(item))


def _body_of(item: Mapping[str, Mapping[str, str]]) -> bytes:
    try:
        return zlib.decompress(b64decode(item[DEFLATED]["B"])) if DEFLATED in item else item[BODY]["S"].encode()
    except (KeyError, ValueError, zlib.error):
        return b""


def place_of(item: Mapping[str, Mapping[str, str]], name: ListName) -> Place | None:
    """Where the document stands in the list; None where it does not."""
    part, sort = list_attributes(name)
    return Place(item[part]["S"], item[sort]["S"]) if part in item else None


def item_of(put: Put, version: int, *, write: str = "", leaves_due: bool = False) -> Item:
    """The item for a document of that version; with `leaves_due` it stands in no list of what is due.

    Raises:
        Invalid: DynamoDB could not keep it.
    """
    item = wire_key(put.key) | {VERSION: {"N": str(version)}}
    if write:
        item[WRITE] = {"S": write}
    if put.until:
        item[UNTIL] = {"N": str(put.until)}
    for name, place in put.places.items():
        if name != "due" or not leaves_due:
            part, sort = list_attributes(name)
            item |= {part: {"S": place.part}, sort: {"S": place.sort}}
    item |= _body(put.body, size_of(item))
    size = size_of(item)
    if size > ITEM_BYTES or not all(can_be(each) for each in (put.key, *put.places.values())):
        raise Invalid(f"document {'/'.join(put.key)[:100]} has {size:,} bytes, or a key that is too long or empty")
    return item


def size_of(item: Item) -> int:
    """What the item counts for, in bytes: its names and values, a number a byte for two digits and one more."""
    return sum(len(name.encode()) + sum(map(_value_size, value.items())) for name, value in item.items())


def _value_size(value: tuple[str, str]) -> int:
    kind, text = value
    match kind:
        case "N":
            return (len(text.strip("0")) + 1) // 2 + 1
        case "B":
            return len(text) // 4 * 3 - text.count("=")
        case _:
            return len(text.encode())


def _body(body: bytes, others: int) -> Item:
    """The body as text that a person can read in the console, unless that would cost a unit more."""
    try:
        plain: Item = {BODY: {"S": body.decode()}}
    except UnicodeDecodeError:
        return _deflated(body)
    whole = others + size_of(plain)
    if whole <= UNIT_BYTES:
        return plain
    deflated = _deflated(body)
    return deflated if _units(others + size_of(deflated)) < _units(whole) else plain


def _deflated(body: bytes) -> Item:
    return {DEFLATED: {"B": b64encode(zlib.compress(body)).decode()}}


def _units(size: int) -> int:
    return -(-size // UNIT_BYTES)
