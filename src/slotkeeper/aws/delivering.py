"""How a function runs a courier: in an event loop of its own, with threads enough for the calls to AWS."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, TypeVar

from slotkeeper.aws.watching import Metric
from slotkeeper.courier.courier import Swept
from slotkeeper.courier.gates import AT_ONCE

T = TypeVar("T")

CHANNELS = 3
"""Mail, text messages and the topic: each is sent so many messages at once, and each of these takes a thread."""

Closing = Sequence[Callable[[], Awaitable[None]]]
"""What is awaited at the end of an invocation: connections belong to their event loop."""


def run(work: Coroutine[Any, Any, T], closing: Closing = ()) -> T:
    """What the work returns, or raises."""

    async def whole() -> T:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(CHANNELS * AT_ONCE))
        try:
            return await work
        finally:
            for close in closing:
                await close()

    return asyncio.run(whole())


def facts_of(swept: Swept) -> dict[str, object]:
    """What was done, for the log: numbers only."""
    return asdict(swept)


def metrics_of(swept: Swept) -> list[Metric]:
    """The reminders that were due, what became of them, and how many of those sent were late."""
    return [
        Metric("RemindersDue", swept.reminders),
        Metric("RemindersSent", swept.reminders_sent),
        Metric("RemindersLate", swept.reminders_late),
        Metric("RemindersFailed", swept.reminders_failed),
    ]
