"""The function that runs every few minutes: the net under the alarms. Handler: `handler`.

It attends to what the planner has set aside, and then delivers whatever is due, whatever woke nobody.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from slotkeeper.aws import app
from slotkeeper.aws.aside import Aside
from slotkeeper.aws.delivering import Closing, facts_of, metrics_of, run
from slotkeeper.aws.watching import Context, Watch
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.reminders import LEASE_SECONDS
from slotkeeper.courier.courier import Courier, Swept
from slotkeeper.settings import aws_access, load

RESERVE_SECONDS = LEASE_SECONDS + 10
"""What one more round may take: no message is tried once its claim has run out."""


class Sweep:
    """Sweeps by a courier until nothing is due, or time is nearly over."""

    def __init__(self, courier: Courier, aside: Aside, watch: Watch, closing: Closing = ()) -> None:
        self._courier = courier
        self._aside = aside
        self._watch = watch
        self._closing = closing

    def sweep(self, context: Context) -> dict[str, Any]:
        """Do all that is due; returns what was done, in numbers. Failures of senders are noted, not raised.

        Raises:
            Unreachable: the store or the queue failed. What could be done was done.
        """
        self._watch.begin(context)
        return run(self._sweep(context), self._closing)

    async def _sweep(self, context: Context) -> dict[str, Any]:
        failure: Unreachable | None = None
        total, left = Swept(), 0
        try:
            total, left = await self._drain(context)
        except Unreachable as error:
            failure = error  # reminders must not wait for a queue
        total += await self._sweep_up(context)
        facts = {**facts_of(total), "leftAside": left}
        self._watch.tell("swept", facts, metrics_of(total))
        if failure is not None:
            raise failure
        return facts

    async def _drain(self, context: Context) -> tuple[Swept, int]:
        """Attend to what was set aside; returns what was done, and how many messages stay: those that name nothing, or
        a document that cannot be read. They are for an alarm, and for a person."""
        total, left, seen = Swept(), 0, set[str]()
        while _has_time(context):
            messages = [each for each in self._aside.take() if each.id not in seen]
            if not messages:
                break
            swept = await self._courier.attend([key for message in messages for key in message.keys])
            total += swept
            for message in messages:
                seen.add(message.id)
                # Whose document was damaged is asked one by one; what was delivered is not due a second time.
                if message.keys and not (swept.damaged and (await self._courier.attend(message.keys)).damaged):
                    self._aside.done(message)
                else:
                    left += 1
        return total, left

    async def _sweep_up(self, context: Context) -> Swept:
        total = swept = await self._courier.sweep()
        while swept.did_something and _has_time(context):
            swept = await self._courier.sweep()
            total += swept
        return total


def _has_time(context: Context) -> bool:
    return context.get_remaining_time_in_millis() > RESERVE_SECONDS * 1000


@cache
def _sweep() -> Sweep:
    return app.sweep(load(), aws_access())


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What Lambda calls, whatever the event says."""
    return _sweep().sweep(context)


if aws_access().function:
    _sweep()
