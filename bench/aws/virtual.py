"""Real threads in virtual time: one of them runs at a time, and nobody waits for a sleeper.

Whoever sleeps hands over to the thread that wakes first, and the clock jumps to that moment. So code that blocks can be
run as it is, hundreds of times at once, and the same seed gives the same run.
"""

import heapq
import itertools
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from unittest import mock


class Time(Protocol):
    """What somebody lives by: the seconds so far, chance, and letting time pass."""

    @property
    def now(self) -> float: ...

    @property
    def chance(self) -> random.Random: ...

    def sleep(self, seconds: float) -> None: ...


class World:
    """A clock that starts at 0 seconds, chance, and the threads that live by them."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.chance = random.Random(seed)
        self._agenda: list[tuple[float, int, threading.Lock]] = []
        self._numbers = itertools.count()
        self._over = _closed()
        self._mine = threading.local()
        self._failure: BaseException | None = None

    def start(self, work: Callable[[], None], at: float = 0.0) -> None:
        """Have a thread do the work from `at` on. It waits until `run`."""
        turn = _closed()

        def live() -> None:
            turn.acquire()
            self._mine.turn = turn
            try:
                work()
            except BaseException as failure:  # noqa: BLE001 - told to whoever runs the world
                self._failure = failure
            finally:
                self._hand_over()

        threading.Thread(target=live, daemon=True).start()
        self._enter(at, turn)

    def run(self) -> None:
        """Let everything happen; returns when the last thread has ended. Raises what one of them raised."""
        self._hand_over()
        self._over.acquire()
        if self._failure is not None:
            raise self._failure

    def sleep(self, seconds: float) -> None:
        """Let the time pass; for the world's own threads."""
        turn: threading.Lock = self._mine.turn
        self._enter(self.now + seconds, turn)
        self._hand_over()
        turn.acquire()

    @contextmanager
    def governing(self) -> Iterator[None]:
        """Until the block ends, `time.sleep` and the `random` module's own chance are the world's."""
        state = random.getstate()
        random.seed(self.chance.random())
        try:
            with mock.patch("time.sleep", self.sleep):
                yield
        finally:
            random.setstate(state)

    def _enter(self, when: float, turn: threading.Lock) -> None:
        heapq.heappush(self._agenda, (when, next(self._numbers), turn))

    def _hand_over(self) -> None:
        if self._agenda:
            self.now, _, turn = heapq.heappop(self._agenda)
            turn.release()
        else:
            self._over.release()


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock
