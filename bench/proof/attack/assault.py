"""Sending cases to a running server, in rounds over fresh copies of a business, and judging all that is answered."""

import asyncio
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from bench.proof.attack.cases import Case, Cases, Forms
from bench.proof.attack.corpus import BROKEN_HEADS
from bench.proof.attack.findings import Findings
from bench.proof.attack.forms import forms_of
from bench.proof.attack.furnishing import furnish
from bench.proof.attack.judge import Judge
from bench.proof.attack.premises import NOW, Premises
from bench.proof.attack.samples import Samples
from bench.proof.attack.server import serving
from bench.proof.attack.twists import Twists
from bench.proof.attack.wire import Hung, Line, Reply
from slotkeeper.core.ticks import parse_instant
from slotkeeper.doctor import examine
from slotkeeper.embedded.app import Plan, build
from slotkeeper.senders.options import WebhookSettings
from slotkeeper.web.routes import JSON, Route
from tests.clock import VirtualClock

LINES, PER_ROUND, NOISES, VISITS = 12, 250, 8, 12
_NAMES = ("id", "appointmentId")

Progress = Callable[[int], object]
"""Hears of how many cases more have been judged."""


def assault(
    counts: Mapping[Route, int], seed: int, *, fault: str = "", progress: Progress = lambda cases: None
) -> Findings:
    """Send each route so many cases, and say what was found. `fault` names a build that is broken on purpose: there the
    first thing found is enough."""
    findings, began = Findings(), time.perf_counter()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        clinic, other = furnish(folder / "whole.db", ["clinic", "other"], VISITS)
        attacker = _Attacker(clinic, other, findings, progress, stops=bool(fault))
        for number, routes in enumerate(_rounds(counts, seed)):
            path = folder / f"round-{number}.db"
            shutil.copy(folder / "whole.db", path)
            with serving(path, folder / "log", fault) as port:
                asyncio.run(attacker.go(port, random.Random(f"{seed}/{number}"), routes))
            if attacker.has_enough:
                break
            _look_after(path, findings)
            path.unlink()
    findings.seconds = time.perf_counter() - began
    return findings


def _rounds(counts: Mapping[Route, int], seed: int) -> Iterator[list[Route]]:
    """The routes in the order in which they are asked, in rounds of at most so many for each."""
    left = dict(counts)
    while any(left.values()):
        routes = [route for route, count in left.items() for _ in range(min(count, PER_ROUND))]
        random.Random(f"{seed}/{sum(left.values())}").shuffle(routes)
        left = {route: max(0, count - PER_ROUND) for route, count in left.items()}
        yield routes


class _Attacker:
    """Sends cases, learns from the answers what there is, and keeps what is wrong with them."""

    def __init__(
        self, clinic: Premises, other: Premises, findings: Findings, progress: Progress, *, stops: bool
    ) -> None:
        tokens = [seat.token for seats in clinic.seats.values() for seat in seats]
        self._clinic, self._findings, self._progress, self._stops = clinic, findings, progress, stops
        self._judge = Judge([other.private, *clinic.keys.values(), *tokens])
        self._forms: Forms = {}

    @property
    def has_enough(self) -> bool:
        return self._stops and bool(self._findings.found)

    async def go(self, port: int, chance: random.Random, routes: list[Route]) -> None:
        """Ask each of the routes once, in their order, over some connections at a time."""
        if not self._forms and any(route.is_form for route in routes):
            line = Line(port)
            self._forms = await forms_of(line, Cases(chance, self._clinic, {}))
            await line.close()
        cases, waiting = Cases(chance, self._clinic, self._forms), iter(routes)
        twists = Twists(chance, cases)
        await asyncio.gather(*(self._work(Line(port), twists, cases.samples, waiting) for _ in range(LINES)))
        await self._make_noise(Line(port), chance)

    async def _work(self, line: Line, twists: Twists, samples: Samples, waiting: Iterator[Route]) -> None:
        for route in waiting:
            if self.has_enough:
                break
            case = twists.draw(route)
            try:
                reply = await line.ask(case.sent(), is_head=case.is_head)
            except Hung:
                reply = Reply(0)
            self._findings.note(case, reply, self._judge.complaint(case, reply))
            _learn(samples, case, reply)
            self._progress(1)
        await line.close()

    async def _make_noise(self, line: Line, chance: random.Random) -> None:
        """Send what is hardly HTTP; afterwards there must still be somebody who answers."""
        for noise in chance.sample(BROKEN_HEADS, NOISES):
            reply = await line.say(noise)
            if reply.status >= 500:
                self._findings.blame("what is hardly HTTP", f"the status {reply.status}", noise, reply)
        if (await line.ask(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")).status != 200:
            self._findings.blame("GET /health", "nobody answers any more")
        await line.close()


def _learn(samples: Samples, case: Case, reply: Reply) -> None:
    """Note what there is now, so that later cases are about it."""
    location = reply.header("location")
    if location.startswith("/visit/"):
        samples.learn("visit", location.split("/")[3].partition("?")[0])
    if reply.status not in (200, 201) or reply.header("content-type") != JSON or not reply.body.startswith(b"{"):
        return
    told = msgspec.json.decode(reply.body)
    if case.method == "POST" and (id := next((told[name] for name in _NAMES if name in told), "")):
        samples.learn(case.route.pattern.rpartition("/")[2], id)
    if told.get("nextCursor"):
        samples.cursors.append(str(told["nextCursor"]))


def _look_after(path: Path, findings: Findings) -> None:
    """What the requests have left behind must agree with itself, and can be told of in messages."""
    # Nobody answers at the addresses that were made up: whoever waits for them learns nothing more.
    plan = Plan(database=path, delivers=False, webhooks=WebhookSettings(timeout_seconds=0.05))
    house = build(plan, VirtualClock(NOW))
    try:
        for complaint in examine(house.store, parse_instant(NOW)).complaints[:5]:
            findings.blame("the doctor", re.sub("[0-9a-f]{32}", "...", complaint))
        while (swept := asyncio.run(house.courier.sweep(500))).did_something:
            if swept.damaged:
                findings.blame("the courier", "met a damaged document")
    finally:
        house.close()
