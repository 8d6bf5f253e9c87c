"""Rivals: many connections that all want the same few times, and move and cancel what they got.

`python -m bench.proof.rivals` reads a `Task` as JSON from its input and does it. It writes the number of attempts made
so far every now and then, each on a line, and at last a `Told` as JSON.
"""

import asyncio
import random
import sys
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, count
from typing import Any

import msgspec
import uvloop

from bench.proof.shop import DOCTORS, ROOMS
from bench.proof.wire import Reply, Target, Wire
from slotkeeper.core.ticks import Instant, format_instant, parse_instant

CANCELS, MOVES, HOLDS = 0.08, 0.08, 0.04
"""How often a rival who has something cancels or moves it, and how often one holds a time first. Else they book."""
ZIPF = 1.05
"""The most popular start is wanted so much more often than the second as that is than the third, and so on."""
KINDS = ("anyone", "favourite", "favourite", "exam", "both", "own")
USERS = ("u0", "u1", "u2", "u3")
QUARTER_SECONDS = 900
DECIDED, PUT_OFF = frozenset({201, 409}), frozenset({429, 503})
"""An attempt that was put off decided nothing: it is no attempt, and its rival waits a bit."""
PAUSE_SECONDS = 0.5
TELL_SECONDS = 0.5


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of rivals is to do. What they want lies within `quarters` quarters of an hour from `first`."""

    target: Target
    seed: int
    attempts: int
    connections: int
    first: int
    quarters: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What rivals were told: how often each status, and which appointments stand, as id, status and start. What became
    of one whose change was answered with 503 is not known: it is left out."""

    statuses: dict[int, int]
    standing: list[tuple[str, str, int]]


class Wishes:
    """What is wanted, and how badly: a few starts by very many, as popularity goes (Zipf)."""

    def __init__(self, task: Task) -> None:
        # All processes agree on what is popular.
        self._starts = [task.first + QUARTER_SECONDS * number for number in range(task.quarters)]
        random.Random(0).shuffle(self._starts)
        self._popularity = list(accumulate((rank + 1) ** -ZIPF for rank in range(task.quarters)))
        self._draw = random.Random(task.seed)

    def chance(self) -> float:
        return self._draw.random()

    def one_of(self, things: Sequence[str]) -> str:
        return self._draw.choice(things)

    def start(self) -> int:
        return self._starts[bisect(self._popularity, self._draw.random() * self._popularity[-1])]

    def booking(self) -> dict[str, Any]:
        """Anyone's visit, one's favourite's, an exam that takes a doctor and a room, a bare span of both at odd
        seconds, or a span of one of a few people's own calendars."""
        start, who = self.start(), self._draw.choice(DOCTORS)
        kind = self._draw.choice(KINDS)
        if kind == "both":
            begins = start + self._draw.randrange(QUARTER_SECONDS)
            both = [who, self._draw.choice(ROOMS)]
            return {"resourceIds": both, "startTime": _text(begins), "endTime": _text(begins + 2000)}
        if kind == "own":
            spans = {"startTime": _text(start), "endTime": _text(start + 2 * QUARTER_SECONDS)}
            return {"userId": self._draw.choice(USERS), **spans}
        order = {"serviceId": "exam" if kind == "exam" else "visit", "startTime": _text(start)}
        return order | ({"resourceIds": [who]} if kind == "favourite" else {})

    def hold(self) -> dict[str, Any]:
        """A doctor's time, for so short that it may lapse before it is used."""
        return {"serviceId": "visit", "startTime": _text(self.start()), "seconds": self._draw.choice((1, 60))}


class Crowd:
    """The rivals of one process, and what they were told."""

    def __init__(self, task: Task) -> None:
        self.task, self.wishes = task, Wishes(task)
        self.statuses = Counter[int]()
        self.attempts = 0
        self._all = list[dict[str, int]]()
        self._keys = count()

    async def compete(self) -> Told:
        """Let all of them act until there were enough attempts to book."""
        ports = self.task.target.ports
        wires = [Wire(self.task.target, ports[number % len(ports)]) for number in range(self.task.connections)]
        telling = asyncio.create_task(self._tell())
        await asyncio.gather(*(self._rival(wire) for wire in wires))
        telling.cancel()
        standing = [(id, "booked", start) for own in self._all for id, start in own.items()]
        return Told(statuses=dict(self.statuses), standing=standing)

    async def _rival(self, wire: Wire) -> None:
        own = dict[str, int]()
        self._all.append(own)
        while self.attempts < self.task.attempts:
            chance = self.wishes.chance()
            if own and chance < CANCELS:
                await self._cancel(wire, own)
            elif own and chance < CANCELS + MOVES:
                await self._move(wire, own)
            elif chance > 1 - HOLDS:
                await self._hold(wire, own)
            else:
                await self._book(wire, own, self.wishes.booking())
        wire.cut()

    async def _book(self, wire: Wire, own: dict[str, int], order: dict[str, Any]) -> None:
        key = f"{self.task.seed}-{next(self._keys)}"
        reply = await self._ask(wire, "POST", "/appointments", order, key)
        self.attempts += reply.status in DECIDED
        if reply.status == 201:
            made = reply.json["appointment"]
            own[made["id"]] = parse_instant(made["startTime"])

    async def _move(self, wire: Wire, own: dict[str, int]) -> None:
        id, start = self.wishes.one_of(list(own)), self.wishes.start()
        reply = await self._ask(wire, "POST", f"/appointments/{id}/reschedule", {"startTime": _text(start)})
        if reply.status == 200:
            own[id] = start
        elif reply.status != 409:
            del own[id]

    async def _cancel(self, wire: Wire, own: dict[str, int]) -> None:
        id = self.wishes.one_of(list(own))
        del own[id]
        await self._ask(wire, "POST", f"/appointments/{id}/cancel", {})

    async def _hold(self, wire: Wire, own: dict[str, int]) -> None:
        """Hold a time, then book it, give it back, or forget it."""
        reply = await self._ask(wire, "POST", "/holds", self.wishes.hold())
        if reply.status != 201:
            return
        held = reply.json
        chance = self.wishes.chance()
        if chance < 0.6:
            order = {"serviceId": "visit", "startTime": held["startTime"], "holdId": held["id"]}
            await self._book(wire, own, order)
        elif chance < 0.8:
            await self._ask(wire, "DELETE", f"/holds/{held['id']}")

    async def _ask(self, wire: Wire, method: str, path: str, body: object = None, key: str = "") -> Reply:
        reply = await wire.ask(method, path, body, key)
        self.statuses[reply.status] += 1
        if reply.status in PUT_OFF:
            await asyncio.sleep(self.wishes.chance() * PAUSE_SECONDS)
        return reply

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            print(self.attempts, flush=True)


def _text(seconds: int) -> str:
    return format_instant(Instant(seconds))


def main() -> None:
    """Do the task."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    told = uvloop.run(Crowd(task).compete())
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")


if __name__ == "__main__":
    main()
