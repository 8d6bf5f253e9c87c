"""Alarms as one-time schedules of EventBridge Scheduler: one for an appointment at most, gone once it has rung."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slotkeeper.contracts import Clock, Key
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.senders.calls import Failed, call

SOONEST_SECONDS = 60
"""Scheduler keeps its time to the minute, and one in the past may be refused: what is nearer than this rings then."""

KEYS_AT_ONCE = 50
"""Lambda: an asynchronous event has at most 256 KB, and a key at most 3 (DynamoDB)."""

MAX_AGE_SECONDS, MAX_RETRIES = 3600, 10
"""How long Scheduler tries to deliver: an hour later the sweep has done it many times over."""

ROUNDS = 3

EXISTS, GONE = "ConflictException", "ResourceNotFoundException"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSettings:
    """The schedule group, the role that Scheduler takes on, the function that it wakes, and the queue for alarms that
    could not be delivered (empty: none); all but the group are ARNs."""

    group: str
    role: str
    target: str
    dead_letters: str = ""


class ScheduledAlarms:
    """A `contracts.Alarms`."""

    def __init__(self, scheduler: Any, functions: Any, places: AlarmSettings, clock: Clock) -> None:
        """`scheduler` and `functions` are boto3's clients for `scheduler` and `lambda`."""
        self._scheduler = scheduler
        self._functions = functions
        self._places = places
        self._clock = clock

    def set(self, key: Key, due: Instant) -> None:
        """See `Alarms.set`. It rings within the minute after `due`, and no sooner than `SOONEST_SECONDS` from now."""
        when = Instant(max(due, self._clock() + SOONEST_SECONDS))
        schedule = self._schedule(key, when)
        for _ in range(ROUNDS):
            # It may ring, and so be gone, between the one call and the other.
            if self._done(self._scheduler.create_schedule, EXISTS, schedule):
                return
            if self._done(self._scheduler.update_schedule, GONE, schedule):
                return
        raise Unreachable(f"the schedule of {'/'.join(key)} came and went")

    def clear(self, key: Key) -> None:
        """See `Alarms.clear`."""
        self._done(self._scheduler.delete_schedule, GONE, {"Name": name_of(key), "GroupName": self._places.group})

    def ring(self, keys: Sequence[Key]) -> None:
        """See `Alarms.ring`. Lambda takes the events in; what they do is not waited for."""
        for first in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[first : first + KEYS_AT_ONCE]
            call(self._functions.invoke, FunctionName=self._places.target, InvocationType="Event", Payload=event(some))

    def _done(self, operation: Any, unless: str, schedule: dict[str, Any]) -> bool:
        """Whether it was done; not, when AWS answers with the one error that is expected."""
        try:
            # A token of its own: one that was used before would be answered without anything being done.
            call(operation, **schedule, ClientToken=secrets.token_hex(16))
        except Failed as failed:
            if failed.code != unless:
                raise
            return False
        return True

    def _schedule(self, key: Key, when: Instant) -> dict[str, Any]:
        places = self._places
        target: dict[str, Any] = {
            "Arn": places.target,
            "RoleArn": places.role,
            "Input": event([key]),
            "RetryPolicy": {"MaximumEventAgeInSeconds": MAX_AGE_SECONDS, "MaximumRetryAttempts": MAX_RETRIES},
        }
        if places.dead_letters:
            target["DeadLetterConfig"] = {"Arn": places.dead_letters}
        return {
            "Name": name_of(key),
            "GroupName": places.group,
            "ScheduleExpression": f"at({datetime.fromtimestamp(when, UTC):%Y-%m-%dT%H:%M:%S})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": target,
        }


def name_of(key: Key) -> str:
    """The name of the key's schedule: 64 letters, which is as many as there may be, and the same each time."""
    return hashlib.sha256("\n".join(key).encode()).hexdigest()


def event(keys: Sequence[Key]) -> str:
    """What the function is given that attends to the keys."""
    return json.dumps({"keys": [list(key) for key in keys]})


def keys_of(event: Any) -> list[Key]:
    """The keys that such an event names.

    Raises:
        ValueError: it is none.
    """
    keys = event.get("keys") if isinstance(event, dict) else None
    if not isinstance(keys, list) or not all(
        isinstance(key, list) and len(key) == 2 and all(isinstance(half, str) for half in key) for key in keys
    ):
        raise ValueError("the event does not name keys")
    return [Key(part, sort) for part, sort in keys]
