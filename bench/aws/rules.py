"""What DynamoDB charges, by its published rules: sizes in bytes, and read and write units.

Sources, all in Amazon's DynamoDB Developer Guide: "Item sizes and formats", "Read and write operations", "Managing
complex workflows with transactions". For what those leave open, runs against the real service by others: the index
part of a transaction is not doubled (nubo-db/dynoxide, pull request 188); a transactional delete or check is charged
by the item that it meets, and a repeated token costs reads (there, and paritysuite/dynamodb-conformance, pull request
67).
"""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
"""An item as it travels: `{"part": {"S": "..."}, "version": {"N": "1"}}`."""

KB = 1024
WRITE_BYTES, READ_BYTES = KB, 4 * KB
INDEXING_BYTES = 100
"""Storage that each item takes beside its size, in the table and in each index."""


def item_size(item: Item) -> int:
    """Bytes of the item: the names of its attributes and their values."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one value.

    Raises:
        ValueError: it is of a type that our tables have no use for.
    """
    [(kind, data)] = value.items()
    match kind:
        case "S":
            return len(data.encode())
        case "N":
            return number_size(data)
        case "B":
            return len(b64decode(data) if isinstance(data, str) else data)
        case "BOOL" | "NULL":
            return 1
        case _:
            raise ValueError(f"no rule here for the type {kind}")


def number_size(text: str) -> int:
    """Bytes of a number: one for every two significant digits begun, on each side of the point, and one more; a sign
    takes another. The guide says "approximately"; so it was measured (paritysuite/dynamodb-conformance)."""
    whole, _, fraction = text.lstrip("-").partition(".")
    digits, decimals = whole.lstrip("0"), fraction.rstrip("0")
    if not decimals:
        digits = digits.rstrip("0")
    if not digits:
        decimals = decimals.lstrip("0")
    return 1 + -(-len(digits) // 2) + -(-len(decimals) // 2) + text.startswith("-")


def write_units(size: int) -> int:
    """Units of one write outside a transaction: one for each KB begun, at least one."""
    return max(-(-size // WRITE_BYTES), 1)


def read_units(size: int, *, consistent: bool) -> float:
    """Units of one read: one for each 4 KB begun, at least one, and half of it where it may lag."""
    return max(-(-size // READ_BYTES), 1) * (1.0 if consistent else 0.5)


def projected(item: Item, keys: Iterable[str], table_keys: Iterable[str]) -> Item | None:
    """What stands in a KEYS_ONLY index of the item; None when it lacks one of the index's keys."""
    names = list(keys)
    if not all(name in item for name in names):
        return None
    return {name: item[name] for name in dict.fromkeys([*names, *table_keys])}


def index_units(before: Item | None, after: Item | None) -> int:
    """Units that an index costs when what stands in it of one item changes: a put, a delete, both, or nothing.

    A changed index key is a delete and a put; it is never doubled, not even in a transaction.
    """
    if before == after:
        return 0
    return sum(write_units(item_size(entry)) for entry in (before, after) if entry is not None)
