"""A table of DynamoDB in virtual time: latencies, conflicts, throttling and units. Our own connection talks to it.

What is assumed of DynamoDB, and where it is from:
* A transaction takes 25 ms at the median and 92 ms at the 99th percentile, anything else 7.6 and 16 ms: Alex DeBrie,
  "DynamoDB Transactions Performance Testing" (five items, and a PutItem), from a function in the table's region.
* A transaction is a two-phase commit: from prepare to commit it holds its items, and whoever prepares one of them then
  is cancelled by TransactionConflict ("Distributed Transactions at Scale in Amazon DynamoDB", USENIX ATC 2023). That
  it holds them for `HELD` of its time is a guess.
* A cancelled transaction is charged like one that was done, save for the indexes. The developer guide says so of a
  failed condition; of a conflict it is assumed.
* A partition serves 1,000 write units and 3,000 read units a second (developer guide, "Designing partition keys"), and
  each `part` is on one. What is over that is refused, is not charged, and is sent again by the client.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import msgspec

from bench.aws.rules import Item, index_units, item_size, projected, read_units, write_units
from bench.aws.virtual import World
from slotkeeper.contracts import Key
from slotkeeper.stores.connection import Connection
from slotkeeper.stores.items import LISTS, PART, SORT, VERSION, key_of, list_attributes, wire_key
from slotkeeper.stores.signing import Credentials

BEFORE, HELD = 0.4, 0.4
PARTITION_WRITES, PARTITION_READS = 1000.0, 3000.0
_P99 = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of a call, log-normal, by its median and 99th percentile."""

    p50: float
    p99: float

    def drawn(self, world: World) -> float:
        """The seconds of one call."""
        return world.chance.lognormvariate(math.log(self.p50), math.log(self.p99 / self.p50) / _P99)


CALL, TRANSACTION = Latency(0.0076, 0.0162), Latency(0.0253, 0.0925)


@dataclass(slots=True)
class Bill:
    """Write units and transactions by what became of them (done, condition, conflict, throttled), and read units."""

    units: Counter[str] = field(default_factory=Counter)
    commits: Counter[str] = field(default_factory=Counter)
    reads: float = 0.0

    @property
    def wasted(self) -> int:
        """Write units that changed nothing."""
        return self.units.total() - self.units["done"]


class Buckets:
    """The units that each partition has left of its second."""

    def __init__(self, world: World, per_second: float) -> None:
        self._world, self._per_second = world, per_second
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, wanted: Mapping[str, float]) -> bool:
        """Take all of it, or nothing when one of the partitions has nothing left."""
        left = {part: self._now(part) for part in wanted}
        if any(units <= 0 for units in left.values()):
            return False
        self._left.update((part, (left[part] - units, self._world.now)) for part, units in wanted.items())
        return True

    def _now(self, part: str) -> float:
        units, when = self._left.get(part, (self._per_second, 0.0))
        return min(units + (self._world.now - when) * self._per_second, self._per_second)


Physical = Callable[[Key], Key]
"""Which item a key stands in, for charges and conflicts. Several keys in one item stand for attributes of it, each with
a condition of its own."""


class SimulatedTable:
    """Answers what our store asks, and charges for it. While it `is_open`, nothing takes time or is charged."""

    def __init__(
        self,
        world: World,
        *,
        call: Latency = CALL,
        transaction: Latency = TRANSACTION,
        held: float = HELD,
        physical: Physical = lambda key: key,
    ) -> None:
        self.bill = Bill()
        self.is_open = True
        self._world, self._call, self._transaction = world, call, transaction
        self._held_for, self._physical = held, physical
        self._items: dict[Key, Item] = {}
        self._groups: dict[Key, set[Key]] = defaultdict(set)
        self._held: set[Key] = set()
        self._writes, self._reads = Buckets(world, PARTITION_WRITES), Buckets(world, PARTITION_READS)

    def answer(self, operation: str, asked: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and the body of DynamoDB's answer, when its time has passed."""
        match operation:
            case "TransactWriteItems":
                return self._transact([action_of(each) for each in asked["TransactItems"]])
            case "GetItem":
                found = self._get([key_of(asked["Key"])])
                return (200, {"Item": found[0]} if found else {}) if found is not None else _THROTTLED
            case "BatchGetItem":
                [(table, wanted)] = asked["RequestItems"].items()
                found = self._get([key_of(key) for key in wanted["Keys"]])
                return (200, {"Responses": {table: found}}) if found is not None else _THROTTLED
            case "Query":
                return self._query(asked["ExpressionAttributeValues"])
            case _:
                action = {"Put": {**asked, "Key": {name: asked["Item"][name] for name in (PART, SORT)}}}
                return self._transact([action_of(action)])

    def _get(self, keys: Iterable[Key]) -> list[Item] | None:
        units: dict[str, float] = defaultdict(float)
        for item in {self._physical(key) for key in keys}:
            units[item.part] += read_units(self._size(item), consistent=True)
        return [self._items[key] for key in keys if key in self._items] if self._is_read(units) else None

    def _query(self, values: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        part, last = values[":part"]["S"], values[":last"]["S"]
        first = values.get(":first", {"S": ""})["S"]
        keys = sorted(key for key in self._items if key.part == part and first <= key.sort <= last)
        size = sum(self._size(item) for item in {self._physical(key) for key in keys})
        if not self._is_read({part: read_units(size, consistent=True)}):
            return _THROTTLED
        return 200, {"Items": [self._items[key] for key in keys]}

    def _is_read(self, units: Mapping[str, float]) -> bool:
        """Let the call's time pass and charge for it; False when a partition has no units left."""
        self._pass(self._call.drawn(self._world))
        if self.is_open:
            return True
        if not self._reads.take(units):
            return False
        self.bill.reads += sum(units.values())
        return True

    def _transact(self, actions: "list[Action]") -> tuple[int, dict[str, Any]]:
        seconds = self._transaction.drawn(self._world)
        self._pass(seconds * BEFORE)
        items = {self._physical(action.key) for action in actions}
        units = self._table_units(actions)
        if not self.is_open and not self._writes.take(units):
            self.bill.commits["throttled"] += 1
            self._pass(seconds * (1 - BEFORE))
            return _cancelled(["ThrottlingError"] * len(actions))
        reasons = [self._reason(action) for action in actions]
        outcome = "condition" if any("Item" in each or each["Code"] == _FAILED for each in reasons) else "done"
        if any(each["Code"] == _CONFLICT for each in reasons):
            outcome = "conflict" if outcome == "done" else outcome
        if outcome == "done":
            self._held |= items
            self._pass(seconds * self._held_for)
            self._held -= items
            units["indexes"] = sum(map(self._written, actions))
        else:
            self._pass(seconds * self._held_for)
        if not self.is_open:
            self.bill.commits[outcome] += 1
            self.bill.units[outcome] += round(sum(units.values()))
        self._pass(seconds * (1 - BEFORE - self._held_for))
        return (200, {}) if outcome == "done" else _cancelled(reasons)

    def _table_units(self, actions: "list[Action]") -> dict[str, float]:
        """What the actions cost on the table, by partition; each item once."""
        after: dict[Key, dict[Key, Item]] = defaultdict(dict)
        for action in actions:
            after[self._physical(action.key)][action.key] = action.item or {}
        factor = 2 if len(actions) > 1 else 1
        units: dict[str, float] = defaultdict(float)
        for item, new in after.items():
            units[item.part] += factor * write_units(max(self._size(item), self._size(item, new)))
        return units

    def _reason(self, action: "Action") -> dict[str, Any]:
        if self._physical(action.key) in self._held:
            return {"Code": _CONFLICT}
        return reason_of(action, self._items.get(action.key))

    def _written(self, action: "Action") -> int:
        """Do it; what it costs in the indexes."""
        before, after = self._items.pop(action.key, {}), action.item or {}
        if after:
            self._items[action.key] = after
        self._groups[self._physical(action.key)].add(action.key)
        return sum(
            index_units(
                projected(before, list_attributes(name), (PART, SORT)),
                projected(after, list_attributes(name), (PART, SORT)),
            )
            for name in LISTS
        )

    def _size(self, item: Key, new: Mapping[Key, Item] | None = None) -> int:
        """Bytes of the item now, or as it will be with `new`; 0 where there is none. Its key is in it once."""
        new = new or {}
        parts = {**{key: self._items.get(key, {}) for key in self._groups[item]}, **new}
        sizes = [item_size(part) for part in parts.values() if part]
        return sum(sizes) - max(len(sizes) - 1, 0) * item_size(wire_key(item))

    def _pass(self, seconds: float) -> None:
        if not self.is_open:
            self._world.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Action:
    """One write of a transaction: the version that it expects, and the item that it puts; None for a delete."""

    key: Key
    expected: int
    item: Item | None


def action_of(asked: Mapping[str, Any]) -> Action:
    """One entry of `TransactItems`."""
    [(kind, what)] = asked.items()
    expected = int(what.get("ExpressionAttributeValues", {":version": {"N": "0"}})[":version"]["N"])
    item = what["Item"] if kind == "Put" else None
    return Action(key_of(item or what["Key"]), expected, item)


def reason_of(action: Action, there: Item | None) -> dict[str, Any]:
    """Why the action would not be done, as DynamoDB says it."""
    if (int(there[VERSION]["N"]) if there else 0) == action.expected:
        return {"Code": "None"}
    return {"Code": _FAILED} | ({"Item": there} if there else {})


_FAILED, _CONFLICT = "ConditionalCheckFailed", "TransactionConflict"
_THROTTLED: tuple[int, dict[str, Any]] = (400, {"__type": "ProvisionedThroughputExceededException"})


def _cancelled(reasons: Iterable[Any]) -> tuple[int, dict[str, Any]]:
    each = [{"Code": reason} if isinstance(reason, str) else reason for reason in reasons]
    return 400, {"__type": "TransactionCanceledException", "CancellationReasons": each}


class SimulatedConnection(Connection):
    """Our connection as it is, with its patience in virtual time, over a wire to the simulated table."""

    def __init__(self, world: World, table: SimulatedTable) -> None:
        super().__init__(
            Credentials("key", "secret"),
            "us-west-1",
            clock=lambda: 1.8e9 + world.now,
            seconds=lambda: world.now,
            sleep=world.sleep,
        )
        self._simulated = table

    def _taken(self) -> Any:
        return _Wire(self._simulated)


class _Wire:
    """What our connection uses of `http.client`: a request goes in, and its response comes out."""

    timeout = 0.0

    def __init__(self, table: SimulatedTable) -> None:
        self._table = table
        self.sock = self

    def settimeout(self, seconds: float) -> None:
        """Answers come before that."""

    def close(self) -> None:
        """There is nothing to close."""

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        operation = headers["x-amz-target"].rpartition(".")[2]
        self.status, answer = self._table.answer(operation, msgspec.json.decode(body))
        self._content = msgspec.json.encode(answer)

    def getresponse(self) -> "_Wire":
        return self

    def read(self) -> bytes:
        return self._content

    def getheader(self, name: str) -> None:
        return None
