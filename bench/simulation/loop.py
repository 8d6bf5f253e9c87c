"""An event loop in virtual time: where asyncio would wait for the system, the world's others go on."""

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from bench.simulation.world import Killed, World

T = TypeVar("T")

A_MOMENT = 1e-6
"""A timer is due when its time has come, and not before: a sum of floats may fall short by a bit."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop of one actor's."""

    def __init__(self, world: World) -> None:
        super().__init__(_Waiting(world))
        self._world = world
        self.set_exception_handler(lambda loop, context: None)

    def time(self) -> float:
        """The world's time."""
        return self._world.now

    def abandon(self) -> None:
        """Drop all that was under way, as when a process is killed: no task hears of it."""
        for task in asyncio.all_tasks(self):
            coroutine = task.get_coro()
            try:
                if coroutine is not None:
                    coroutine.close()
            except (Killed, RuntimeError):
                pass
            task._log_destroy_pending = False  # type: ignore[attr-defined] # as asyncio.gather does
        self.close()


class VirtualRunner:
    """What a worker needs of `asyncio.Runner`: it runs coroutines, one after another, in virtual time."""

    def __init__(self, world: World) -> None:
        self.loop = VirtualLoop(world)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns."""
        return self.loop.run_until_complete(coroutine)


class _Waiting(selectors.BaseSelector):
    """A selector of no files: it only waits."""

    def __init__(self, world: World) -> None:
        self._world = world

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing ever happens to files; the time passes, or somebody wakes us."""
        if timeout is None:
            self._world.park()
        elif timeout > 0:
            self._world.park(timeout + A_MOMENT)
        return []
