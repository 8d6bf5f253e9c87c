"""Clients that use a diary over HTTP at the same time, and note what they asked, what they were told, and when.

Some do not wait for the answer: what became of their request they do not know, unless they ask again under its key.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import msgspec

from bench.proof.diary import Act, Answer, Book, Cancel, Look, LookForRoom, Move, Visit
from bench.proof.linearizable import Operation
from bench.proof.wire import Reply, Target, Wire
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant, parse_instant

ALONE, PAIR = ("ada", "bob"), ("cat", "dan")
"""Those who are booked one at a time, and two who are booked singly and together, and stand in for one another."""
OPENS, QUARTERS, QUARTER_SECONDS = 10 * 3600, 6, 900
"""Everything that is wanted begins within an hour and a half, in seconds of a day."""
IMPATIENT, ASKS_AGAIN = 0.15, 0.5
PATIENCE_SECONDS = 60.0
SHORT_PATIENCE = (0.0, 0.001, 0.004, 0.01)


class Known(msgspec.Struct, frozen=True):
    """An appointment that somebody was told of: its id, and how it was booked."""

    id: str
    visit: Visit

    @property
    def seconds(self) -> int:
        return self.visit.end - self.visit.start


class Diary:
    """One day of a diary, the clients that use it, and the history of that."""

    def __init__(self, target: Target, day: int, seed: int) -> None:
        """`day` is counted from 1970."""
        self.target = target
        self.midnight = day * DAY_SECONDS
        self.draw = random.Random(seed)
        self.names = (f"{day}-{number}" for number in count())
        self.known: list[Known] = []
        self.history: list[Operation[Act]] = []

    async def record(self, clients: int, requests: int) -> list[Operation[Act]]:
        """Let so many clients make so many requests each; returns the history."""
        await asyncio.gather(*(_Client(self, number).work(requests) for number in range(clients)))
        return self.history


class _Client:
    def __init__(self, diary: Diary, number: int) -> None:
        self._diary, self._draw = diary, diary.draw
        ports = diary.target.ports
        self._wire, self._other = (Wire(diary.target, ports[each % len(ports)]) for each in (number, number + 1))

    async def work(self, requests: int) -> None:
        for _ in range(requests):
            known = self._draw.choice(self._diary.known) if self._diary.known else None
            await self._draw.choice(self._deeds(known))()
        self._wire.cut()
        self._other.cut()

    def _deeds(self, known: Known | None) -> list[Callable[[], Awaitable[None]]]:
        """What may be done next, what is done often named more often."""
        looks = [self._look, self._look_for_room]
        if known is None:
            return [*[self._book] * 4, *looks]
        return [*[self._book] * 4, *[lambda: self._move(known)] * 2, lambda: self._cancel(known), *looks]

    async def _book(self) -> None:
        who = self._draw.choice([*((each,) for each in ALONE), *((each,) for each in PAIR), PAIR])
        visit = self._visit(next(self._diary.names), who, self._draw.choice((1200, 1800, 2700)))
        order: dict[str, Any] = {"customerId": visit.name, "resourceIds": who, "startTime": _text(visit.start)}
        if visit.end - visit.start == 1800 and who != PAIR:
            order["serviceId"] = "half"
        else:
            order["endTime"] = _text(visit.end)

        def note(reply: Reply) -> None:
            self._diary.known.append(Known(reply.json["appointmentId"], visit))

        await self._write("/appointments", order, lambda answer: Book(visit, answer), note)

    async def _move(self, known: Known) -> None:
        """To another time; of the pair, one for the other too."""
        who, all_of_them = tuple(known.visit.calendars), _together(known.visit)
        if len(who) == 1 and len(all_of_them) > 1:
            who = (self._draw.choice(PAIR),)
        visit = self._visit(known.visit.name, who, known.seconds)
        asked = {"startTime": _text(visit.start), "endTime": _text(visit.end), "resourceIds": who}
        path = f"/appointments/{known.id}/reschedule"
        await self._write(path, asked, lambda answer: Move(visit, all_of_them, answer))

    async def _cancel(self, known: Known) -> None:
        name, calendars = known.visit.name, _together(known.visit)
        path = f"/appointments/{known.id}/cancel"
        await self._write(path, {}, lambda answer: Cancel(name, calendars, answer))

    async def _write(
        self,
        path: str,
        body: dict[str, Any],
        act: Callable[[Answer], Act],
        note: Callable[[Reply], object] = lambda reply: None,
    ) -> None:
        """Ask for a change, and write the history of it. Who did not wait may ask again under the same key.

        Both requests together are done at most once: an answer that it was done is that of both. Of a refusal, the
        first may still be done later.
        """
        key = f"key-{self._draw.getrandbits(64):016x}"
        patience = self._draw.choice(SHORT_PATIENCE) if self._draw.random() < IMPATIENT else PATIENCE_SECONDS
        first = called = time.perf_counter_ns()
        reply = await self._asked(self._wire, path, body, key, patience)
        if reply is None and self._draw.random() < ASKS_AGAIN:
            called = time.perf_counter_ns()
            reply = await self._asked(self._other, path, body, key, PATIENCE_SECONDS)
        returned = time.perf_counter_ns()
        answer = _answer_of(reply)
        if answer == "done":
            assert reply is not None
            note(reply)
            self._note(act("done"), first, returned)
            return
        if answer == "unknown" or called != first:
            self._note(act("unknown"), first, None)
        if answer == "refused":
            self._note(act("refused"), called, returned)

    async def _asked(self, wire: Wire, path: str, body: dict[str, Any], key: str, patience: float) -> Reply | None:
        """The answer; None when it was not waited for."""
        await wire.send("POST", path, body, key)
        try:
            return await asyncio.wait_for(wire.receive(), patience)
        except TimeoutError:
            wire.cut()
            return None

    async def _look(self) -> None:
        calendar = self._draw.choice((*ALONE, *PAIR))
        query = f"resourceId={calendar}&status=booked&limit=200&{self._span(0, DAY_SECONDS)}"
        called = time.perf_counter_ns()
        found = (await self._wire.ask("GET", f"/appointments?{query}")).json["items"]
        visits = frozenset(
            Visit(
                each["customerId"],
                frozenset(each["resourceIds"]),
                parse_instant(each["startTime"]),
                parse_instant(each["endTime"]),
            )
            for each in found
        )
        self._note(Look(calendar, visits), called, time.perf_counter_ns())

    async def _look_for_room(self) -> None:
        calendar = self._draw.choice((*ALONE, *PAIR))
        length = (QUARTERS + 4) * QUARTER_SECONDS
        query = f"serviceId=quarter&resourceId={calendar}&{self._span(OPENS, OPENS + length)}"
        called = time.perf_counter_ns()
        found = (await self._wire.ask("GET", f"/slots?{query}")).json["items"]
        first = self._diary.midnight + OPENS
        spans = tuple((at, at + QUARTER_SECONDS) for at in range(first, first + length, QUARTER_SECONDS))
        free = frozenset(parse_instant(each["startTime"]) for each in found)
        self._note(LookForRoom(calendar, spans, free), called, time.perf_counter_ns())

    def _note(self, act: Act, called: int, returned: int | None) -> None:
        self._diary.history.append(Operation(act, called, returned))

    def _visit(self, name: str, who: tuple[str, ...], seconds: int) -> Visit:
        start = self._diary.midnight + OPENS + QUARTER_SECONDS * self._draw.randrange(QUARTERS)
        return Visit(name, frozenset(who), start, start + seconds)

    def _span(self, first: int, last: int) -> str:
        midnight = self._diary.midnight
        return f"from={_text(midnight + first)}&to={_text(midnight + last)}"


def _together(visit: Visit) -> frozenset[str]:
    """All calendars that a visit may ever be on, once it was booked so."""
    return frozenset(PAIR) if visit.calendars & set(PAIR) else visit.calendars


def _answer_of(reply: Reply | None) -> Answer:
    """What a client takes from it: of a 503, it is not known what was done.

    Raises:
        RuntimeError: it is no answer to a change.
    """
    if reply is None or reply.status == 503:
        return "unknown"
    if reply.status in (200, 201):
        return "done"
    if reply.status in (404, 409):
        return "refused"
    raise RuntimeError(f"{reply.status} is no answer to a change: {reply.body.decode()}")


def _text(seconds: int) -> str:
    return format_instant(Instant(seconds))
