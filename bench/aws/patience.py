"""Other ways to retry than ours, for comparison."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from bench.aws.simulated import Action, SimulatedConnection, action_of, reason_of
from slotkeeper.contracts import Doc, Key, Stale, Store
from slotkeeper.core.errors import Unreachable
from slotkeeper.ledger import Draft, Reading
from slotkeeper.stores.connection import Failed, _Passing
from slotkeeper.stores.items import key_of, wire_key

R = TypeVar("R")


def hasty(store: Store, decide: Callable[[Reading, Draft], R]) -> R:
    """What `ledger.settle` was: up to 100 attempts, from the sixth on after up to 10 ms, everything else read again."""
    known: dict[Key, Doc | None] = {}
    for attempt in range(100):
        reading = Reading(store, known)
        draft = Draft(reading)
        answer = decide(reading, draft)
        change = draft.change()
        if not change.puts and not change.deletes:
            return answer
        try:
            store.commit(change)
        except Stale as stale:
            known = stale.docs
            if attempt >= 5:
                time.sleep(random.uniform(0, 0.01))
        else:
            return answer
    raise Unreachable("others kept winning")


class LookingConnection(SimulatedConnection):
    """Before a transaction that came to nothing is sent again, it reads whether that can still succeed.

    The read costs half a unit of writing where the transaction costs four, and a partition serves three times as many.
    """

    def call(self, operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "TransactWriteItems":
            return super().call(operation, payload)
        body, patience = msgspec.json.encode(payload), self.patience()
        while True:
            try:
                return self._tried(operation, body, patience.left())
            except _Passing as passing:
                patience.pause(str(passing))
                self._look([action_of(each) for each in payload["TransactItems"]])

    def _look(self, actions: Sequence[Action]) -> None:
        """Raises `Failed`, as a condition would, when one cannot hold any more."""
        wanted = {"crowd": {"Keys": [wire_key(action.key) for action in actions], "ConsistentRead": True}}
        found = super().call("BatchGetItem", {"RequestItems": wanted})["Responses"]["crowd"]
        there = {key_of(item): item for item in found}
        reasons = [reason_of(action, there.get(action.key)) for action in actions]
        if any(reason["Code"] != "None" for reason in reasons):
            raise Failed({"CancellationReasons": reasons}, is_doubtful=False)
