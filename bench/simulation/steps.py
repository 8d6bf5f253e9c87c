"""A store where each call is a step: others may go first, it may fail or lose its answer, and who calls may be killed.

Whoever has a batch open has their process's store to themselves. That hides nothing: what its others would read
meanwhile is what they could have read just before. Other processes of one file go on.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bench.simulation.truth import Truth
from bench.simulation.weather import Fault, Weather
from bench.simulation.world import Actor, Killed, World
from slotkeeper.contracts import Change, Doc, Key, ListName, Page, Range, Stale, Store
from slotkeeper.core.errors import Unreachable

HIGHEST = "\U0010ffff"


class Gate:
    """Who has something to themselves, and who waits for it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._owner: Actor | None = None
        self._waiting: deque[Actor] = deque()

    @property
    def is_mine(self) -> bool:
        return self._owner is not None and self._owner is self._world.actor

    def wait(self) -> None:
        """Until nobody else has it."""
        while self._owner is not None and self._owner is not self._world.actor and self._world.actor is not None:
            self._waiting.append(self._world.actor)
            self._world.park()

    def take(self) -> None:
        """Wait, and have it."""
        self.wait()
        self._owner = self._world.actor

    def give(self) -> None:
        """Have it no more; nothing happens to somebody else's."""
        if self.is_mine:
            self._owner = None
            while self._waiting:
                self._world.wake(self._waiting.popleft())


class Steps:
    """A `contracts.Store` before another: one process's view of it. `kill` ends that process.

    What the inner store has committed is told to the truth, in its order. `file` is shared by all processes that have
    one file open: who has written within a batch keeps it until the batch is over, and other writers wait. Without one
    a batch goes on without a break.
    """

    def __init__(
        self, inner: Store, world: World, weather: Weather, truth: Truth, kill: Callable[[], object], file: Gate | None
    ) -> None:
        self.inner = inner
        self.is_dead = False
        self._world = world
        self._weather = weather
        self._truth = truth
        self._kill = kill
        self._file = file
        self._room = Gate(world)
        self._batch: list[Change] | None = None
        self._is_spoilt = False

    def close(self) -> None:
        """See `Store.close`."""
        self.inner.close()

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """See `Store.read`."""
        self._begin("read")
        return self.inner.read(keys)

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        """See `Store.read_ranges`."""
        self._begin("read ranges")
        return self.inner.read_ranges(ranges)

    def list(
        self,
        name: ListName,
        part: str,
        *,
        first: str = "",
        last: str = HIGHEST,
        after: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Page:
        """See `Store.list`."""
        self._begin("list")
        return self.inner.list(name, part, first=first, last=last, after=after, limit=limit, reverse=reverse)

    def stamps(self, parts: Sequence[str]) -> Sequence[int] | None:
        """See `Store.stamps`."""
        self._begin("stamps")
        return self.inner.stamps(parts)

    def walk(self, prefix: str = "") -> Iterator[Doc]:
        """See `Store.walk`."""
        self._begin("walk")
        return self.inner.walk(prefix)

    def commit(self, change: Change) -> None:
        """See `Store.commit`. Within a batch an answer cannot be lost: a write that failed spoils the batch."""
        fault = self._begin("commit", is_write=True)
        if self._file is not None:
            self._file.take() if self._is_batching() else self._file.wait()
        try:
            self.inner.commit(change)
        except Stale:
            self._world.tell("stale")
            raise
        self._world.tell("committed", b"".join(put.body for put in change.puts))
        if self._batch is not None:
            self._batch.append(change)
        else:
            self._truth.committed(change)
        self._end(fault)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See `Store.batch`."""
        self._begin("batch")
        self._room.take()
        self._batch, self._is_spoilt = [], False
        try:
            with self.inner.batch():
                yield
                fault = self._begin("commit batch", is_write=True)
                if self._is_spoilt or fault == "after":
                    self._truth.trouble()
                    raise Unreachable("simulated: the batch failed")
            self._world.tell("committed batch")
            for change in self._batch:
                self._truth.committed(change)
            self._end(fault)
        finally:
            self._batch = None
            if self._file is not None:
                self._file.give()
            self._room.give()

    def _is_batching(self) -> bool:
        return self._batch is not None and self._room.is_mine

    def _begin(self, what: str, *, is_write: bool = False) -> Fault | None:
        """What may happen before the call; gives what will happen after it."""
        if self.is_dead:
            raise Killed
        world = self._world
        world.tell(what)
        if self._file is not None or not self._is_batching():
            if latency := self._weather.latency():
                world.sleep(latency)
            self._room.wait()
        fault = self._weather.of_call(is_write=is_write)
        if fault == "before":
            self._fail()
        if fault == "killed before":
            self._die()
        return fault

    def _end(self, fault: Fault | None) -> None:
        if fault == "after":
            self._fail()
        if fault == "killed after":
            self._die()

    def _fail(self) -> None:
        self._world.tell("fails")
        self._truth.trouble()
        self._is_spoilt = True
        raise Unreachable("simulated: the store does not answer")

    def _die(self) -> None:
        self._world.tell("is killed")
        self._kill()
        raise Killed
