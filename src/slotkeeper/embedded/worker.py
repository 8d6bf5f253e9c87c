"""The worker: a thread that lets the courier deliver what is due, and sleeps until the next thing is."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from slotkeeper.contracts import Clock
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import Instant

if TYPE_CHECKING:
    from slotkeeper.courier.courier import Swept  # with it would come all that letters are written with

LONGEST_SLEEP = 30.0
STOP_SECONDS = 20.0
"""For how long a stop waits for the thread. The thread waits for what is being sent for half of it: what was sent must
still be noted."""

SWEEP = 128
"""How many documents are taken at a time. They share a wait for the disk, and whoever books waits until they are."""
FEW = 32
"""How many while some are still being sent: who cannot be sent to now must not gather."""
MOST_UNDER_WAY = 16
SLOW_SECONDS = 1.0
"""A sweep that takes longer waits for a peer that hangs or is slow, and what is due meanwhile does not."""

CALM_SECONDS = 0.1
PATIENCE_SECONDS = 1.0
LATE_SECONDS = 30.0
IDLE_SECONDS = 1.0
LISTEN_SECONDS = 0.05

_log = logging.getLogger(__name__)


class Delivers(Protocol):
    """What the worker needs of a courier."""

    def next_due(self) -> Instant | None:
        """When the first thing is due; None when nothing is."""
        ...

    async def sweep(self, limit: int) -> "Swept":
        """Do what is due now."""
        ...


@dataclass(slots=True)
class Counts:
    """What the worker did since it was started."""

    sweeps: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0
    errors: int = 0


class Worker:
    """Runs a courier in a thread of its own. It may be started again after it was stopped.

    While bookings pour in it waits for a calm moment, though not for long: a thread that competes for the interpreter
    would make each of them slower, and a confirmation may well come a few seconds later. From `LATE_SECONDS` on it
    waits no more.
    """

    def __init__(
        self,
        courier: Delivers,
        clock: Clock,
        *,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
        longest_sleep: float = LONGEST_SLEEP,
    ) -> None:
        """`closing` is awaited in the worker's loop when it stops: senders take leave of their peers."""
        self.counts = Counts()
        self._closing = tuple(closing)
        self._courier = courier
        self._clock = clock
        self._longest_sleep = longest_sleep
        self._woken = threading.Event()
        self._woken_at = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._under_way: list[asyncio.Task[Swept]] = []

    def start(self) -> None:
        """Begin to deliver."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="slotkeeper-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver no more; what is being sent is waited for, but not for ever. What is not done is taken up again by
        the next start."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
            self._thread = None

    def wake(self) -> None:
        """Look again at what is due: something may have become so."""
        self._woken_at = monotonic()
        self._woken.set()

    def _run(self) -> None:
        from uvicorn.loops.auto import auto_loop_factory  # whoever starts a worker has the server, and so its loop

        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            while not self._stopping.is_set():
                self._woken.clear()
                pause = self._turn(runner)
                if pause > 0:
                    self._sleep(pause)
                if pause > -LATE_SECONDS:
                    self._wait_for_calm(runner)
            runner.run(self._take_leave())

    def _sleep(self, pause: float) -> None:
        """Sleep so long, or until woken. The clock tells whole seconds, and by it the last of them may be over at any
        moment: whoever slept it through would send everything half a second later than need be."""
        until, due = monotonic() + pause, self._clock() + pause
        if self._woken.wait(max(pause - 1.0, 0.0)):
            return
        while monotonic() < until and self._clock() < due and not self._woken.wait(LISTEN_SECONDS):
            pass

    def _wait_for_calm(self, runner: asyncio.Runner) -> None:
        patience = monotonic() + PATIENCE_SECONDS
        while monotonic() < min(patience, self._woken_at + CALM_SECONDS) and not self._stopping.is_set():
            if self._under_way:
                runner.run(asyncio.sleep(CALM_SECONDS))  # they go on only while the loop does
            else:
                self._stopping.wait(CALM_SECONDS)

    async def _take_leave(self) -> None:
        """Wait for what is being sent, though not for ever; the rest is cut off, and what was sent is noted."""
        if self._under_way:
            _, slow = await asyncio.wait(self._under_way, timeout=STOP_SECONDS / 2)
            for each in slow:
                each.cancel()
            await asyncio.wait(self._under_way)
            _, errors = await self._ended([each for each in self._under_way if not each.cancelled()])
            for error in errors:
                self._tell(error)
            self._under_way = []
        for close in self._closing:
            try:
                await close()
            except Exception:  # noqa: BLE001 - whatever a peer does at the end, we stop
                _log.exception("a sender could not be closed")
                self.counts.errors += 1

    def _turn(self, runner: asyncio.Runner) -> float:
        """Deliver some of what is due; returns for how long there is nothing to do, in seconds: below zero when there
        is, and has been for so long."""
        try:
            did_something = runner.run(self._sweep())
            due = self._courier.next_due()
            left = self._longest_sleep if due is None else min(float(due - self._clock()), self._longest_sleep)
            pause = left if did_something else max(left, IDLE_SECONDS)
        except Exception as error:  # noqa: BLE001 - the worker never dies of one failure: it tells of it and goes on
            self._tell(error)
            left = pause = min(IDLE_SECONDS, self._longest_sleep)
        if not self._under_way or pause <= 0:
            return pause
        runner.run(self._stay(pause))
        return min(left, 0.0)

    async def _sweep(self) -> bool:
        """Begin a sweep, and stay until it is over or slow. Tells whether anything was done. Raises as the courier."""
        slow: set[asyncio.Task[Swept]] = set()
        if len(self._under_way) < MOST_UNDER_WAY:
            begun = asyncio.create_task(self._courier.sweep(FEW if self._under_way else SWEEP))
            self._under_way.append(begun)
            _, slow = await asyncio.wait([begun], timeout=SLOW_SECONDS)
        over = [each for each in self._under_way if each.done()]
        self._under_way = [each for each in self._under_way if each not in over]
        did_something, errors = await self._ended(over)
        for error in errors[1:]:
            self._tell(error)
        if errors:
            raise errors[0]
        return did_something or bool(slow)

    async def _ended(self, over: Sequence["asyncio.Task[Swept]"]) -> tuple[bool, list[BaseException]]:
        """Count what the sweeps did. Whether that was anything, and what some of them have raised instead."""
        did_something, errors = False, list[BaseException]()
        for swept in await asyncio.gather(*over, return_exceptions=True):
            if isinstance(swept, BaseException):
                errors.append(swept)
            else:
                self._count(swept)
                did_something |= swept.did_something
        return did_something, errors

    def _tell(self, error: BaseException) -> None:
        self.counts.errors += 1
        if isinstance(error, Unreachable):
            # A disk that is full stays so for a while, and where it came from says nothing: a line will do.
            _log.warning("the worker cannot go on and tries again: %s", error)
        else:
            _log.error("the worker failed and tries again", exc_info=error)

    async def _stay(self, pause: float) -> None:
        """Let the sweeps under way go on for so long; until one is over, something is due, or we are woken."""
        loop, due = asyncio.get_running_loop(), self._clock() + pause
        until = loop.time() + pause
        while loop.time() < until and self._clock() < due and not self._woken.is_set():
            over, _ = await asyncio.wait(self._under_way, timeout=LISTEN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if over:
                return

    def _count(self, swept: "Swept") -> None:
        self.counts.sweeps += 1
        self.counts.sent += swept.sent
        self.counts.failed += swept.failed
        self.counts.dead += swept.dead
