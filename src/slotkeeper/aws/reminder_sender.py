"""The function that alarms wake: it delivers what is due of the appointments that an event names. Handler: `handler`.

An event is `{"keys": [["part", "sort"], ...]}`. What is not due, or was delivered since, is passed over, so an event
may come late, early or twice.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from slotkeeper.aws import app
from slotkeeper.aws.alarms import keys_of
from slotkeeper.aws.delivering import Closing, facts_of, metrics_of, run
from slotkeeper.aws.watching import Context, Watch
from slotkeeper.courier.courier import Courier
from slotkeeper.settings import aws_access, load


class Deliveries:
    """Delivers by a courier, and tells of it in the log."""

    def __init__(self, courier: Courier, watch: Watch, closing: Closing = ()) -> None:
        self._courier = courier
        self._watch = watch
        self._closing = closing

    def deliver(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Deliver for the event; returns what was done, in numbers. Failures of senders are noted, not raised.

        Raises:
            ValueError: the event names no keys. Unreachable: the store failed. Lambda tries again then.
        """
        self._watch.begin(context)
        keys = keys_of(event)
        swept = run(self._courier.attend(keys), self._closing)
        self._watch.tell("delivered", {"keys": len(keys), **facts_of(swept)}, metrics_of(swept))
        return facts_of(swept)


@cache
def _deliveries() -> Deliveries:
    return app.reminder_sender(load(), aws_access())


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What Lambda calls with an alarm's event."""
    return _deliveries().deliver(event, context)


if aws_access().function:
    _deliveries()
