"""The function behind the table's stream: for each appointment that changed its alarm is set, moved or cleared.

A record says what was and what is. Where the two want attention at the same time nothing is done; so most changes, and
all that the courier notes, cost no call. Records that come twice or out of order do no harm: what is due is decided by
the documents, and the sweep finds what an alarm has missed. Handler: `handler`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from msgspec.structs import replace

from slotkeeper.aws import app
from slotkeeper.aws.aside import Aside
from slotkeeper.aws.watching import Context, Watch
from slotkeeper.contracts import Alarms, Clock, Doc, Key
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.documents import attention, decoded
from slotkeeper.senders.calls import Failed
from slotkeeper.settings import aws_access, load

APPOINTMENT = "appointment"
PASSING = frozenset(
    {
        "InternalServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Errors of Scheduler that pass by themselves. Behind any other one the stream would wait for a day; the sweep finds
what it is about by its place in the list of what is due, which an appointment has once it was attended to."""

Image = Mapping[str, Mapping[str, str]]
Record = Mapping[str, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What a stretch of records says of one appointment: when it wanted attention before, and when it does now.

    `place` is that of the first record in its batch.
    """

    key: Key
    place: int
    before: Instant | None
    after: Instant | None


class _Batch:
    """The records that came together, and which of them were done, and how."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.done: dict[str, list[int]] = {"set": [], "cleared": [], "rung": [], "aside": []}
        self.failed: list[int] = []

    def fail(self, places: Sequence[int], error: Unreachable) -> None:
        _log.warning("an alarm could not be changed, and its record comes again: %s", error)
        self.failed += places

    def number(self, place: int) -> str:
        """The record's number in the stream."""
        change = self.records[place].get("dynamodb")
        return str(change.get("SequenceNumber", "")) if isinstance(change, Mapping) else ""

    def counts(self) -> dict[str, object]:
        counts = {name: len(places) for name, places in self.done.items()}
        return {"records": len(self.records), "failed": len(self.failed), **counts}

    def answer(self) -> dict[str, Any]:
        """From which record on the batch must come again. Raises `Unreachable` where nothing before it was done: then
        the error is counted as one, and no mapping that ignores partial answers takes the batch for done."""
        if not self.failed:
            return {"batchItemFailures": []}
        first = min(self.failed)
        if not any(place < first for places in self.done.values() for place in places):
            raise Unreachable(f"{len(self.failed)} alarms could not be changed: the batch must come again")
        return {"batchItemFailures": [{"itemIdentifier": self.number(first)}]}


class Planner:
    """Keeps the alarms as the stream tells of appointments."""

    def __init__(
        self,
        alarms: Alarms,
        aside: Aside,
        clock: Clock,
        watch: Watch,
        *,
        doc_of: Callable[[Image], Doc],
        key_of: Callable[[Image], Key],
    ) -> None:
        """`doc_of` and `key_of` read an image of the stream, and may raise anything where it is none."""
        self._alarms = alarms
        self._aside = aside
        self._clock = clock
        self._watch = watch
        self._doc_of = doc_of
        self._key_of = key_of

    def plan(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Do what a batch of records calls for, and say from which one on it must come again (Lambda's partial batch
        response).

        Raises:
            Unreachable: nothing could be done; the whole batch must come again.
        """
        self._watch.begin(context)
        batch = _Batch(event["Records"])
        self._do(batch, self._steps(batch))
        self._watch.tell("planned", batch.counts())
        return batch.answer()

    def _steps(self, batch: _Batch) -> list[Step]:
        """What the records say of each appointment, first and last; what cannot be read is set aside."""
        steps: dict[Key, Step] = {}
        for place, record in enumerate(batch.records):
            try:
                step = self._step(place, record)
            except Exception as error:  # noqa: BLE001 - whatever a record is, those behind it must not wait for it
                _log.exception("a record of the stream cannot be read")
                self._set_aside(batch, place, self._keys_of(record), repr(error))
                continue
            if step is not None:
                first = steps.get(step.key, step)
                steps[step.key] = Step(step.key, first.place, first.before, step.after)
        return list(steps.values())

    def _step(self, place: int, record: Record) -> Step | None:
        """What one record says; None where it is about no appointment."""
        change = record["dynamodb"]
        key = self._key_of(change["Keys"])
        if key.sort != APPOINTMENT:
            return None
        was_there, is_there = record["eventName"] != "INSERT", record["eventName"] != "REMOVE"
        before = self._wake_time(change["OldImage"]) if was_there else None
        after = self._wake_time(change["NewImage"]) if is_there else None
        return Step(key, place, before, after)

    def _wake_time(self, image: Image) -> Instant | None:
        return wake_time(decoded(self._doc_of(image), Appointment))

    def _do(self, batch: _Batch, steps: Sequence[Step]) -> None:
        now, ringing = self._clock(), list[Step]()
        for step in steps:
            if step.before == step.after:
                continue
            if step.after is not None and step.after <= now:
                ringing.append(step)
            else:
                self._change(batch, step)
        if ringing:
            self._ring(batch, ringing)

    def _change(self, batch: _Batch, step: Step) -> None:
        try:
            if step.after is None:
                self._alarms.clear(step.key)
                batch.done["cleared"].append(step.place)
            else:
                self._alarms.set(step.key, step.after)
                batch.done["set"].append(step.place)
        except Unreachable as error:
            if isinstance(error, Failed) and error.code not in PASSING:
                self._set_aside(batch, step.place, [step.key], str(error))
            else:
                batch.fail([step.place], error)

    def _ring(self, batch: _Batch, steps: Sequence[Step]) -> None:
        """Have what is due attended to; by the sweep, where that cannot be had at once. A new document stands in no
        list of what is due (`DynamoStore`, `leaves_first_due`): should its record be given up, nobody would find it.
        """
        try:
            self._alarms.ring([step.key for step in steps])
            batch.done["rung"] += [step.place for step in steps]
        except Unreachable as error:
            _log.warning("the sweep attends to what could not be rung for: %s", error)
            for step in steps:
                self._set_aside(batch, step.place, [step.key], str(error))

    def _set_aside(self, batch: _Batch, place: int, keys: Sequence[Key], why: str) -> None:
        try:
            self._aside.put(keys, why, batch.number(place))
            batch.done["aside"].append(place)
        except Unreachable as error:
            batch.fail([place], error)

    def _keys_of(self, record: Record) -> list[Key]:
        """The key that a record is about, where that at least can be read."""
        try:
            return [self._key_of(record["dynamodb"]["Keys"])]
        except Exception:  # noqa: BLE001 - whatever it is, it is no key
            return []


def wake_time(appointment: Appointment) -> Instant | None:
    """When an alarm is wanted: when the courier must look next, save for messages in somebody's hands. Those that a
    crash has left there are the sweep's."""
    waiting = tuple(message for message in appointment.messages if message.state == "waiting")
    return attention(replace(appointment, messages=waiting))


@cache
def _planner() -> Planner:
    return app.planner(load(), aws_access())


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What Lambda calls with a batch of the stream's records; returns a partial batch response."""
    return _planner().plan(event, context)


if aws_access().function:
    _planner()
