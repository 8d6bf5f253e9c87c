"""A load generator: requests over connections that are kept open, each of which waits for its answer.

It is made to cost little, since it shares the machine with the server that it measures: the bytes of a request are at
hand before it is needed, and of an answer no more is looked at than its status and where it ends.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

Answered = Callable[["Wire", int, bytes], object]
"""Told of an answer: on which connection, its status, and all of it."""

END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
TICK_SECONDS = 0.005
PATIENCE_SECONDS = 1.0


@dataclass(slots=True)
class Answers:
    """What came back: how many of each status, seconds until the last, and the first answer that was not asked for."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    odd: bytes = b""


class Wire(asyncio.Protocol):
    """One connection. `ask` only when what was asked before is answered."""

    def __init__(self, answered: Answered, lost: Callable[[], object]) -> None:
        self._answered = answered
        self._lost = lost
        self._got = b""
        self._transport: Any = None

    def ask(self, request: bytes) -> None:
        self._transport.write(request)

    def close(self) -> None:
        self._lost = lambda: None
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

    def data_received(self, data: bytes) -> None:
        self._got = got = self._got + data if self._got else data
        end = got.find(END)
        if end >= 0 and len(got) >= end + len(END) + _length(got, end):
            self._got = b""
            self._answered(self, int(got[9:12]), got)


async def connected(port: int, answered: Answered, lost: Callable[[], object]) -> Wire:
    """A connection to this machine's `port`."""
    _, wire = await asyncio.get_running_loop().create_connection(lambda: Wire(answered, lost), "127.0.0.1", port)
    return wire


async def ask_all(port: int, requests: Iterable[bytes], connections: int, wanted: int = 201) -> Answers:
    """Send all requests, each connection its next one when the last is answered.

    Raises:
        ConnectionError: the server closed one of them.
    """
    todo, answers = iter(requests), Answers()
    ended = asyncio.get_running_loop().create_future()
    busy = connections

    def lost() -> None:
        if not ended.done():
            ended.set_exception(ConnectionError("the server closed a connection"))

    def answered(wire: Wire, status: int, answer: bytes) -> None:
        answers.statuses[status] += 1
        if status != wanted and not answers.odd:
            answers.odd = answer
        go_on(wire)

    def go_on(wire: Wire) -> None:
        nonlocal busy
        request = next(todo, None)
        if request is not None:
            wire.ask(request)
            return
        wire.close()
        busy -= 1
        if not busy and not ended.done():
            ended.set_result(None)

    wires = [await connected(port, answered, lost) for _ in range(connections)]
    began = time.perf_counter()
    for wire in wires:
        go_on(wire)
    await ended
    answers.seconds = time.perf_counter() - began
    return answers


class Steady:
    """Requests at a steady rate, whatever becomes of those before.

    What is due while every connection waits is sent when one is free, and its latency counts from when it was due: a
    server that stalls cannot hide it. What is due for more than `PATIENCE_SECONDS` is dropped, so a rate that is too
    high shows as fewer answers, not as an endless queue.
    """

    def __init__(self, rate: float, requests: Iterator[bytes], wanted: int) -> None:
        self.rate = rate
        self._requests = requests
        self._wanted = wanted
        self._wires: list[Wire] = []
        self._idle: deque[Wire] = deque()
        self._due: deque[float] = deque()
        self._since: dict[Wire, float] = {}
        self._lost = False
        self._latencies: list[float] = []
        self._odd: Counter[int] = Counter()

    async def connect(self, port: int, connections: int) -> None:
        """Open the connections."""
        self._wires = [await connected(port, self._answered, self._note_loss) for _ in range(connections)]
        self._idle.extend(self._wires)

    def close(self) -> None:
        """Close the connections."""
        for wire in self._wires:
            wire.close()

    async def run(self) -> None:
        """Send until cancelled. Raises ConnectionError when the server closes a connection."""
        last, owed = time.perf_counter(), 0.0
        while not self._lost:
            await asyncio.sleep(TICK_SECONDS)
            now = time.perf_counter()
            owed += (now - last) * self.rate
            self._due.extend(now - (now - last) * part / int(owed) for part in range(int(owed), 0, -1))
            last, owed = now, owed % 1
            while self._due and self._due[0] < now - PATIENCE_SECONDS:
                self._due.popleft()
            self._go_on()
        raise ConnectionError("the server closed a connection")

    def taken(self) -> tuple[list[float], Counter[int]]:
        """The latencies in seconds of what was answered as it should since this was asked last, and the statuses of
        what was not."""
        taken = self._latencies, self._odd
        self._latencies, self._odd = [], Counter()
        return taken

    def _go_on(self) -> None:
        while self._due and self._idle:
            wire = self._idle.popleft()  # in turn: one that is idle for long is closed by its server
            self._since[wire] = self._due.popleft()
            wire.ask(next(self._requests))

    def _answered(self, wire: Wire, status: int, answer: bytes) -> None:
        if status == self._wanted:
            self._latencies.append(time.perf_counter() - self._since[wire])
        else:
            self._odd[status] += 1
        self._idle.append(wire)
        self._go_on()

    def _note_loss(self) -> None:
        self._lost = True


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the loop that costs least."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _length(got: bytes, end: int) -> int:
    """The length of the body; 0 where none is told."""
    at = got.find(LENGTH, 0, end)
    if at < 0:
        at = got[:end].lower().find(LENGTH)
        if at < 0:
            return 0
    return int(got[at + len(LENGTH) : got.index(b"\r", at + len(LENGTH), end + 2)])
