"""Actors in virtual time: one of them runs at a time, and who goes on next follows from the seed alone.

An actor is a greenlet: code that blocks is run as it is, and costs two switches where it waits. Nobody waits for a
sleeper: when all sleep, the clock jumps to who wakes first.
"""

import asyncio.events
import hashlib
import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn
from unittest import mock

from greenlet import getcurrent, greenlet

from slotkeeper.core.ticks import Instant, format_instant

REMEMBERED = 60


class Killed(BaseException):
    """What is felt by an actor whose process is killed. It is no `Exception`: nothing may survive it."""


class Actor:
    """Somebody with a course of action. `turn` counts how often they were told to go on: what was agreed for an earlier
    turn is void."""

    __slots__ = ("greenlet", "is_dead", "is_parked", "name", "turn")

    def __init__(self, name: str, work: greenlet) -> None:
        self.name = name
        self.greenlet = work
        self.turn = 0
        self.is_parked = False
        self.is_dead = False


class World:
    """A clock that starts at `began`, chance, and the actors that live by them.

    `steps` counts what was told, `digest` is of all of it: two runs are the same when theirs are.
    """

    def __init__(self, seed: int, began: Instant) -> None:
        self.seed = seed
        self.began = began
        self.now = 0.0
        self.chance = random.Random(seed)
        self.steps = 0
        self.told: deque[tuple[float, str, str]] = deque(maxlen=REMEMBERED)
        self.actor: Actor | None = None
        self._failure: BaseException | None = None
        self._hash = hashlib.blake2b(digest_size=16)
        self._agenda: list[tuple[float, int, Actor | None, int]] = []
        self._number = 0
        self._actors: dict[Actor, None] = {}  # in the order of their start
        self._hub = getcurrent()

    def clock(self) -> Instant:
        """The time as the service knows it."""
        return Instant(self.began + int(self.now))

    def new_id(self, prefix: str) -> str:
        """128 bits of chance behind a prefix."""
        return f"{prefix}_{self.chance.getrandbits(128):032x}"

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def tell(self, what: str, detail: bytes = b"") -> None:
        """Put on record that something happens now; `detail` counts for the digest alone."""
        if self.actor is not None and self.actor.is_dead:
            raise Killed
        self.steps += 1
        name = self.actor.name if self.actor else "-"
        self.told.append((self.now, name, what))
        self._hash.update(b"%s %s " % (name.encode(), what.encode()))
        self._hash.update(detail)

    def story(self) -> Iterator[str]:
        """What was told last, a line each."""
        for when, name, what in self.told:
            yield f"{format_instant(Instant(self.began + int(when)))} {when % 1:.3f}  {name:12} {what}"

    def start(self, name: str, work: Callable[[], None], after: float = 0.0) -> Actor:
        """Have somebody do the work from then on."""

        def live() -> None:
            try:
                work()
            except Killed:
                pass
            finally:
                actor.is_dead = True
                self._actors.pop(actor, None)

        actor = Actor(name, greenlet(live, self._hub))
        self._actors[actor] = None
        self._enter(self.now + after, actor)
        return actor

    def run(self, until: float) -> None:
        """Let everything happen until then. Raises what an actor raised."""
        heapq.heappush(self._agenda, (until, -1, None, 0))
        while self._agenda:
            when, _, actor, turn = heapq.heappop(self._agenda)
            if actor is None:
                self.now = max(self.now, when)
                return
            if actor.turn != turn or actor.is_dead:
                continue
            self.now = max(self.now, when)
            actor.is_parked = False
            self.actor = actor
            actor.greenlet.switch()
            self.actor = None
            if self._failure is not None:
                raise self._failure

    def fail(self, failure: Exception) -> NoReturn:
        """Stop the world here: `run` raises the failure, and nobody can catch it on the way."""
        if self.actor is None:
            raise failure
        self._failure = failure
        self._give_way(self.actor)
        raise Killed

    def close(self) -> None:
        """Let nobody live on; the world is of no use afterwards."""
        for actor in list(self._actors):
            self.kill(actor)

    def kill(self, actor: Actor) -> None:
        """End another actor's course at once: what it is within ends as if `Killed` was raised there."""
        actor.is_dead = True
        self._actors.pop(actor, None)
        if actor.greenlet:
            me, loop = self.actor, asyncio.events._get_running_loop()
            actor.greenlet.parent = getcurrent()
            self.actor = actor
            actor.greenlet.throw(Killed)
            self.actor = me
            if me is not None:
                asyncio.events._set_running_loop(loop)  # theirs has ended, and with it what asyncio knew of ours

    def sleep(self, seconds: float) -> None:
        """Let the time pass; others go on. With 0 whoever is ready goes first."""
        actor = self._alive()
        when = self.now + seconds
        if not self._agenda or when < self._agenda[0][0]:
            self.now = when
            return
        self._enter(when, actor)
        self._give_way(actor)

    def park(self, seconds: float | None = None) -> None:
        """Wait until somebody wakes us, or for so long."""
        actor = self._alive()
        actor.is_parked = True
        actor.turn += 1
        if seconds is not None:
            self._enter(self.now + seconds, actor, is_next_turn=False)
        self._give_way(actor)

    def wake(self, actor: Actor) -> None:
        """Have somebody who is parked go on now."""
        if actor.is_parked and not actor.is_dead:
            actor.is_parked = False
            self._enter(self.now, actor)

    @contextmanager
    def governing(self) -> Iterator[None]:
        """Until the block ends, `time.sleep` and the `random` module's own chance are the world's."""
        state = random.getstate()
        random.seed(self.chance.getrandbits(64))
        try:
            with mock.patch("time.sleep", self.sleep):
                yield
        finally:
            random.setstate(state)

    def _alive(self) -> Actor:
        actor = self.actor
        if actor is None:
            raise RuntimeError("only actors can wait")
        if actor.is_dead:
            raise Killed
        return actor

    def _enter(self, when: float, actor: Actor, *, is_next_turn: bool = True) -> None:
        if is_next_turn:
            actor.turn += 1
        self._number += 1
        heapq.heappush(self._agenda, (when, self._number, actor, actor.turn))

    def _give_way(self, actor: Actor) -> None:
        """Let others go on. asyncio knows one running loop a thread, and each of us may have one of their own."""
        loop = asyncio.events._get_running_loop()
        if loop is None:
            self._hub.switch()
        else:
            asyncio.events._set_running_loop(None)
            try:
                self._hub.switch()
            finally:
                asyncio.events._set_running_loop(loop)
        if actor.is_dead:
            raise Killed
