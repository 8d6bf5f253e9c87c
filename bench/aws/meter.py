"""Units of what our store really asks DynamoDB: each call is looked at on its way, with its answer.

The meter knows the table from all that was written through it, so it must be there from the first write on: what a
write costs in an index depends on what stood there before.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from bench.aws.rules import Item, index_units, item_size, projected, read_units, write_units
from slotkeeper.contracts import Key
from slotkeeper.stores.connection import Connection, Failed
from slotkeeper.stores.items import LISTS, PART, SORT, key_of, list_attributes


@dataclass(frozen=True, slots=True)
class Units:
    """Write units on the table and in its indexes, read units, and calls, of which so many were transactions."""

    table: float = 0
    indexes: float = 0
    reads: float = 0
    calls: int = 0
    transactions: int = 0

    @property
    def writes(self) -> float:
        """All write units."""
        return self.table + self.indexes

    def __add__(self, other: "Units") -> "Units":
        return Units(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def __sub__(self, other: "Units") -> "Units":
        return Units(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))


class Meter:
    """Adds up what calls cost by the published rules, and what the other side says that they cost."""

    def __init__(self) -> None:
        self.ours = Units()
        self.said = Units()
        self._items: dict[Key, Item] = {}
        self.counting = threading.Lock()

    @property
    def items(self) -> list[Item]:
        """What stands in the table."""
        return list(self._items.values())

    def see(self, operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any], *, is_done: bool) -> None:
        """Count one call. `answer` is DynamoDB's; of a call that is not done, a condition did not hold."""
        match operation:
            case "GetItem":
                found = answer.get("Item")
                self._count(reads=_read([found] if found else []))
            case "BatchGetItem":
                self._count(reads=self._batch(asked, answer))
            case "Query":
                is_index = "IndexName" in asked
                size = sum(map(item_size, answer["Items"]))
                self._count(reads=read_units(size, consistent=asked.get("ConsistentRead", False) and not is_index))
            case "Scan":
                # It is charged for all that it passes, whatever its filter lets through.
                size = sum(map(item_size, self._items.values()))
                self._count(reads=read_units(size, consistent=True))
            case "PutItem":
                self._count(*self._written([asked], factor=1, is_done=is_done))
            case "TransactWriteItems":
                actions = [action for each in asked["TransactItems"] for action in each.values()]
                deleted = [key_of(each["Delete"]["Key"]) for each in asked["TransactItems"] if "Delete" in each]
                self._count(*self._written(actions, factor=2, is_done=is_done, deleted=deleted))
                self.ours += Units(transactions=1)
            case _:
                raise ValueError(f"no rule here for {operation}")

    def hear(self, answer: Mapping[str, Any], *, is_write: bool) -> None:
        """Count what the other side says of a call."""
        said = answer.get("ConsumedCapacity", [])
        for each in said if isinstance(said, list) else [said]:
            whole = each.get("CapacityUnits", 0)
            indexes = sum(index["CapacityUnits"] for index in each.get("GlobalSecondaryIndexes", {}).values())
            table = each.get("Table", {}).get("CapacityUnits", whole - indexes)
            self.said += Units(table, indexes) if is_write else Units(reads=whole)

    def _batch(self, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
        """Each key by itself, one without an item too."""
        [(table, wanted)] = asked["RequestItems"].items()
        found = {key_of(item): item for item in answer["Responses"].get(table, [])}
        return sum(_read([found[key]] if key in found else []) for key in map(key_of, wanted["Keys"]))

    def _written(
        self, actions: Iterable[Mapping[str, Any]], *, factor: int, is_done: bool, deleted: Iterable[Key] = ()
    ) -> tuple[float, float]:
        """What the actions cost on the table and in the indexes; a check costs as much as a write."""
        table = indexes = 0
        for action in actions:
            key, item = key_of(action.get("Item") or action["Key"]), action.get("Item")
            before = self._items.get(key)
            table += factor * write_units(max(item_size(each) for each in (before or {}, item or {})))
            if is_done and (item or key in deleted):
                indexes += _index_units(before or {}, item or {})
                self._items.pop(key, None)
                self._items |= {key: item} if item else {}
        return table, indexes

    def _count(self, table: float = 0, indexes: float = 0, reads: float = 0) -> None:
        self.ours += Units(table, indexes, reads, 1)


def _read(items: Iterable[Item]) -> float:
    return read_units(sum(map(item_size, items)), consistent=True)


def _index_units(before: Item, after: Item) -> int:
    keys = (list_attributes(name) for name in LISTS)
    return sum(
        index_units(projected(before, names, (PART, SORT)), projected(after, names, (PART, SORT))) for names in keys
    )


class MeteredConnection(Connection):
    """Our connection, with a meter at it. It asks the other side for what it makes of each call as well."""

    def __init__(self, *args: Any, meter: Meter, **others: Any) -> None:
        super().__init__(*args, **others)
        self.meter = meter

    def call(self, operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """See `Connection.call`."""
        try:
            answer = super().call(operation, {**payload, "ReturnConsumedCapacity": "INDEXES"})
        except Failed as failed:
            with self.meter.counting:
                self.meter.see(operation, payload, failed.answer, is_done=False)
            raise
        with self.meter.counting:
            self.meter.see(operation, payload, answer, is_done=True)
            self.meter.hear(answer, is_write="Write" in operation or operation == "PutItem")
        return answer
