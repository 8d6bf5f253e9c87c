"""The courier of a server, made by whoever first asks something of it.

What it works with, such as templates and the clients of other servers, takes as long to load as all the rest of a
server. So the worker's thread loads it, and no request waits for that.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from slotkeeper.core.ticks import Instant

if TYPE_CHECKING:
    from slotkeeper.courier.courier import Courier, Swept

Closing = Sequence[Callable[[], Awaitable[None]]]
"""How to take leave of a courier's peers."""


class LateCourier:
    """Asks the courier that `make` gives, for the first time when it is asked itself."""

    def __init__(self, make: "Callable[[], tuple[Courier, Closing]]") -> None:
        self._make = make
        self._made: tuple[Courier, Closing] | None = None

    def next_due(self) -> Instant | None:
        """See `Courier.next_due`."""
        return self._courier().next_due()

    async def sweep(self, limit: int = 200) -> "Swept":
        """See `Courier.sweep`."""
        return await self._courier().sweep(limit)

    async def close(self) -> None:
        """Take leave of all peers, also when one of them fails; its error is raised at the end."""
        async with AsyncExitStack() as stack:
            for close in self._made[1] if self._made else ():
                stack.push_async_callback(close)

    def _courier(self) -> "Courier":
        if self._made is None:
            self._made = self._make()
        return self._made[0]
