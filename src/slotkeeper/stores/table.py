"""One DynamoDB table as a place of items: getting them by key or by stretch, and writing them on conditions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from slotkeeper.contracts import Key, ListName, Place
from slotkeeper.stores.connection import Connection
from slotkeeper.stores.items import (
    PART,
    SORT,
    SORT_BYTES,
    VERSION,
    Item,
    can_be,
    key_of,
    list_attributes,
    place_of,
    wire_key,
)

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")
R = TypeVar("R")

GET_KEYS = 100
"""BatchGetItem: 100 items."""
AT_ONCE = 8
"""So many calls of one read are under way together."""


class Table:
    """The items of one table. Any thread may use it; every method may raise `Unreachable`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    def close(self) -> None:
        """Let go of threads and connections."""
        if "_threads" in vars(self):
            self._threads.shutdown()
        self.connection.close()

    def call(self, operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """As `Connection.call`, for this table."""
        return self.connection.call(operation, {"TableName": self.name, **payload})

    def each(self, do: Callable[[T], R], things: Sequence[T]) -> list[R]:
        """What `do` makes of each thing, in their order; several are under way together."""
        if len(things) < 2:
            return [do(thing) for thing in things]
        return list(self._threads.map(do, things))

    def get(self, keys: Iterable[Key]) -> list[Item]:
        """The items under the keys, as they are now, in any order."""
        wanted = [key for key in dict.fromkeys(keys) if can_be(key)]
        if len(wanted) == 1:
            answer = self.call("GetItem", {"Key": wire_key(wanted[0]), "ConsistentRead": True})
            return [answer["Item"]] if "Item" in answer else []
        parts = [wanted[first : first + GET_KEYS] for first in range(0, len(wanted), GET_KEYS)]
        return [item for items in self.each(self._get, parts) for item in items]

    def range(self, part: str, first: str, last: str) -> list[Item]:
        """The items of a part with a sort key in `first..last`, as they are now, in order."""
        stretch = _stretch(PART, SORT, part, first, last)
        return [] if stretch is None else list(self._pages("Query", {**stretch, "ConsistentRead": True}))

    def entries(
        self, name: ListName, part: str, low: str, high: str, *, most: int, reverse: bool
    ) -> list[tuple[Key, Place]]:
        """Up to `most` entries of a list's index within `low..high`, by place: which document stands where, as of a
        moment ago."""
        stretch = _stretch(*list_attributes(name), part, low, high)
        if stretch is None:
            return []
        query = {**stretch, "IndexName": name, "ScanIndexForward": not reverse, "Limit": most}
        return [
            (key_of(item), place)
            for item in islice(self._pages("Query", query), most)
            if (place := place_of(item, name)) is not None
        ]

    def scan(self, prefix: str) -> Iterator[Item]:
        """Every item whose part begins with `prefix`, in any order. All others are read, and paid for, as well."""
        query: dict[str, Any] = {"ConsistentRead": True}
        if prefix:
            query |= {
                "FilterExpression": "begins_with(#part, :prefix)",
                "ExpressionAttributeNames": {"#part": PART},
                "ExpressionAttributeValues": {":prefix": {"S": prefix}},
            }
        return self._pages("Scan", query)

    @cached_property
    def _threads(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor  # 5 ms that a booking does not need

        return ThreadPoolExecutor(AT_ONCE, "dynamodb")

    def _get(self, keys: Sequence[Key]) -> list[Item]:
        """Up to 100 items. DynamoDB may leave some for later; what it leaves is asked for until it is there."""
        items: list[Item] = []
        wanted: Any = {self.name: {"Keys": [wire_key(key) for key in keys], "ConsistentRead": True}}
        patience = self.connection.patience()
        while wanted:
            answer = self.connection.call("BatchGetItem", {"RequestItems": wanted})
            some = answer["Responses"].get(self.name, [])
            items += some
            wanted = answer.get("UnprocessedKeys")
            if wanted and not some:
                patience.pause("BatchGetItem: throttled")
        return items

    def _pages(self, operation: str, query: Mapping[str, Any]) -> Iterator[Item]:
        """All items of a query or scan; DynamoDB answers with a page of 1 MB at a time."""
        start: dict[str, Any] = {}
        while True:
            answer = self.call(operation, {**query, **start})
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def condition(version: int) -> dict[str, Any]:
    """That the document has this version still; when it has not, the answer shows the item."""
    shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if version == 0:
        names = {"#part": PART}
        return {"ConditionExpression": "attribute_not_exists(#part)", "ExpressionAttributeNames": names, **shown}
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": VERSION},
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
        **shown,
    }


def _stretch(part_name: str, sort_name: str, part: str, first: str, last: str) -> dict[str, Any] | None:
    """The condition for `first..last` of one part. None where nothing can be: DynamoDB refuses to be asked that."""
    if not can_be((part, _bound(last))) or first > last:
        return None
    values = {":part": {"S": part}, ":last": {"S": _bound(last)}}
    if first:
        values[":first"] = {"S": _bound(first)}
    return {
        "KeyConditionExpression": f"#part = :part AND #sort {'BETWEEN :first AND :last' if first else '<= :last'}",
        "ExpressionAttributeNames": {"#part": part_name, "#sort": sort_name},
        "ExpressionAttributeValues": values,
    }


def _bound(text: str) -> str:
    """As much of a bound as a sort key can have: what is longer may come from outside, in a cursor."""
    return text.encode()[:SORT_BYTES].decode(errors="ignore")
