"""How many messages go to one peer at once: while it hangs, those to others do not wait."""

import asyncio
from contextlib import suppress
from typing import Self

from slotkeeper.courier.claiming import Job

AT_ONCE = 32
ENDPOINT_AT_ONCE = 8
"""Of a webhook, which is one of many."""

Peer = tuple[str, str, str]
"""Whom messages are handed to: a channel, and for an endpoint its business and id."""


def peer_of(job: Job) -> Peer:
    message = job.message
    return (message.channel, job.business, message.target) if message.target else (message.channel, "", "")


class Gates:
    """A gate for each peer, with so many places, for all sweeps of one event loop together."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gates: dict[Peer, asyncio.Semaphore] = {}

    def places(self, peer: Peer) -> int:
        """How many may be within at once."""
        return min(self._at_once, ENDPOINT_AT_ONCE) if peer[0] == "webhook" else self._at_once

    def place(self, peer: Peer, until: float | None) -> "Place":
        """A place at the peer's gate, to be entered with `async with`. `until` is of the loop's time."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a gate belongs to the event loop that it was made in
            self._loop, self._gates = loop, {}
        if peer not in self._gates:
            self._gates[peer] = asyncio.Semaphore(self.places(peer))
        return Place(self._gates[peer], until)


class Place:
    """Where something may begin until then; without a time, whenever. Who has got no place by then gets none."""

    def __init__(self, gate: asyncio.Semaphore, until: float | None) -> None:
        self._gate = gate
        self._until = until
        self._is_taken = False

    @property
    def may_begin(self) -> bool:
        """Whether something may begin now."""
        return self._is_taken and (self._until is None or asyncio.get_running_loop().time() < self._until)

    async def __aenter__(self) -> Self:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._until):
                self._is_taken = await self._gate.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._is_taken:
            self._gate.release()
