"""Bookings and searches for a long time: whether memory and latency stay flat, and nothing is left behind.

200 bookings and 2,000 searches a second are asked for. What is more than the machine can do is found out in the
warm-up, and then so many searches are asked for as it can do with some room. Half of them are for days on which nothing
happens, the other half for the very days that are being booked. The worker delivers all the while, to the outbox.

    python -m bench.soak [--minutes 30]
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from rich.console import Console

from bench import day, filling, load
from bench.figures import Figure, machine, table_of
from bench.ports import free_port, wait_until_open
from bench.proof.table import Scale
from bench.server import Server
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant

BOOKINGS, SEARCHES = "bookings", "searches"
RATES = {BOOKINGS: 200, SEARCHES: 2_000}
WIRES = {BOOKINGS: 16, SEARCHES: 32}
ROOM = 0.7
"""How much of what the machine can do is asked of it."""

QUIET_DAY, WEEK = 2_000, 7


@dataclass(frozen=True, slots=True)
class Plan:
    """How long it all takes, with the warm-up and between two samples, in seconds; and how much more memory may be
    held in the last third of the samples than in the first, in MB: what is known from before takes some, up to a limit.
    """

    seconds: int
    warm_up: int
    every: int
    more_megabytes: int


PLANS: dict[Scale, Plan] = {"quick": Plan(10, 3, 1, 30), "full": Plan(1800, 120, 60, 15)}
MOST_MORE = {"files": 8, "threads": 8, "tasks": sum(WIRES.values())}
MOST_TIMES = 1.5
"""How much longer the slowest hundredth may take in the last third than in the first."""

SERVER = """
import asyncio, json, socket, sys, threading
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.server import Server, configured
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota

house = build(Plan(database=sys.argv[1], rules=Rules(key_quota=Quota("key", 10**9))))
leak = lambda scope: None

async def app(scope, receive, send):
    if scope["type"] != "http" or scope["path"] != "/counts":
        leak(scope)
        return await house.app(scope, receive, send)
    body = json.dumps({"tasks": len(asyncio.all_tasks()), "threads": threading.active_count()}).encode()
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})
"""

RUN = """
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=1024)
config = configured(app, grace_seconds=1)
config.timeout_keep_alive = 60
Server(config, house.app.streams).run(sockets=[listener])
house.close()
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen over some seconds. For bookings and searches: how many were answered in a second, and the ms that
    half of them and 99 of 100 took at most. `odd` are the answers that were not as they should be. `held` is what the
    server held at the end, by name."""

    rates: Mapping[str, float]
    latency: Mapping[str, tuple[float, float]]
    odd: int
    held: Mapping[str, float]

    def __str__(self) -> str:
        asked = (
            f"{rate:,.0f} {kind}/s ({self.latency[kind][0]:.1f} and {self.latency[kind][1]:.1f} ms)"
            for kind, rate in self.rates.items()
        )
        return ", ".join([*asked, *(f"{value:.0f} {name}" for name, value in self.held.items()), f"{self.odd} odd"])


class Soak:
    """One soak: a server of a file of its own, and what is sent to it. `leak` is the code of a server that is broken
    on purpose."""

    def __init__(self, plan: Plan, leak: str = "", tell: Callable[[Sample], object] = lambda sample: None) -> None:
        self._plan = plan
        self._leak = leak
        self._tell = tell
        self._day = 3

    def run(self) -> list[Sample]:
        """The samples; `tell` hears of each as it comes."""
        with tempfile.TemporaryDirectory() as folder:
            path, port = Path(folder) / "soak.db", free_port()
            key = day.furnish(path, horizon_days=filling.HORIZON_DAYS)
            code = SERVER + self._leak + RUN
            with subprocess.Popen([sys.executable, "-c", code, str(path), str(port)]) as process:
                try:
                    wait_until_open(port)
                    return load.run(self._soak(Server(process, port), key))
                finally:
                    process.terminate()

    async def _soak(self, server: Server, key: str) -> list[Sample]:
        streams = {
            BOOKINGS: load.Steady(RATES[BOOKINGS], self._bookings(key), 201),
            SEARCHES: load.Steady(RATES[SEARCHES], self._searches(key), 200),
        }
        for kind, stream in streams.items():
            await stream.connect(server.port, WIRES[kind])
        running = [asyncio.create_task(stream.run()) for stream in streams.values()]
        try:
            await _find_rate(streams[SEARCHES], self._plan.warm_up / 2)
            streams[BOOKINGS].taken()
            return [
                await self._sample(server, streams, running)
                for _ in range(self._plan.warm_up, self._plan.seconds, self._plan.every)
            ]
        finally:
            for task in running:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await task
            for stream in streams.values():
                stream.close()

    async def _sample(
        self, server: Server, streams: Mapping[str, load.Steady], running: Sequence["asyncio.Task[None]"]
    ) -> Sample:
        began = time.perf_counter()
        await asyncio.wait(running, timeout=self._plan.every)
        for task in running:
            if task.done():
                task.result()  # none ends by itself, save by an error
        counts = json.loads(await asyncio.to_thread(server.get, "/counts"))
        seconds = time.perf_counter() - began
        taken = {kind: stream.taken() for kind, stream in streams.items()}
        sample = Sample(
            rates={kind: len(latencies) / seconds for kind, (latencies, _) in taken.items()},
            latency={kind: _p50_p99(latencies) for kind, (latencies, _) in taken.items()},
            odd=sum(odd.total() for _, odd in taken.values()),
            held={"MB": server.megabytes, "files": server.open_files, **counts},
        )
        self._tell(sample)
        return sample

    def _bookings(self, key: str) -> Iterator[bytes]:
        """One free quarter of an hour after the other, of each resource in turn."""
        midnight = _midnight()
        while True:
            for number in range(filling.DAY_APPOINTMENTS):
                start = Instant(midnight + self._day * DAY_SECONDS + number // day.RESOURCES * filling.SLOT_SECONDS)
                yield day.request(key, f"{self._day}-{number}", start, number, has_customer=False)
            self._day += 1

    def _searches(self, key: str) -> Iterator[bytes]:
        """A resource's slots of a week, in turn where nothing happens and where everything does."""
        drawn, midnight = random.Random(1), _midnight()
        while True:
            for first in (QUIET_DAY, self._day):
                span = [format_instant(Instant(midnight + days * DAY_SECONDS)) for days in (first, first + WEEK)]
                resource = f"r{drawn.randrange(day.RESOURCES)}"
                query = urlencode({"serviceId": "visit", "resourceId": resource, "from": span[0], "to": span[1]})
                head = f"GET /slots?{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
                yield head.encode()


async def _find_rate(searches: load.Steady, seconds: float) -> None:
    """Ask for as many searches as are wanted, then, if they are too many, for what can be done with some room."""
    await asyncio.sleep(seconds)
    searches.taken()
    await asyncio.sleep(seconds)
    done = len(searches.taken()[0]) / seconds
    if done < 0.95 * searches.rate:
        searches.rate = done * ROOM


def told(samples: Sequence[Sample], plan: Plan) -> Iterator[Figure]:
    """The samples as figures: rates, latency and what is held, in the first third and in the last."""
    first, last = thirds(samples)
    name = f"{plan.seconds:,} s of bookings and searches"
    rates = {kind: statistics.mean(each.rates[kind] for each in samples) for kind in RATES}
    odd = sum(each.odd for each in samples)
    yield Figure(
        name=f"{name}: a second",
        ours=", ".join(f"{rate:,.0f} {kind}" for kind, rate in rates.items()) + f", {odd} wrong answers",
        target=", ".join(f"{rate:,} {kind}" for kind, rate in RATES.items()) + ", as far as two cores go",
        is_reached=rates[BOOKINGS] >= 0.98 * RATES[BOOKINGS] and not odd,
    )
    before, after = ({kind: latency(some, kind) for kind in RATES} for some in (first, last))
    yield Figure(
        name=f"{name}: p50 and p99, first third, last third",
        ours="\n".join(
            f"{kind} {before[kind][0]:.1f} and {before[kind][1]:.1f}, {after[kind][0]:.1f} and {after[kind][1]:.1f} ms"
            for kind in RATES
        ),
        target=f"p99 <= {MOST_TIMES}x",
        is_reached=is_flat(samples),
    )
    complaints = leaks(samples, plan)
    held = [{thing: _held(some, thing) for thing in samples[0].held} for some in (first, last)]
    yield Figure(
        name=f"{name}: held, first third, last third",
        ours="\n".join(", ".join(f"{value:.0f} {thing}" for thing, value in some.items()) for some in held),
        target="; ".join(complaints) or "nothing is left behind",
        is_reached=not complaints,
    )


def latency(samples: Sequence[Sample], kind: str) -> tuple[float, float]:
    """The medians of the samples' p50 and p99, in ms."""
    p50, p99 = zip(*(each.latency[kind] for each in samples), strict=True)
    return statistics.median(p50), statistics.median(p99)


def is_flat(samples: Sequence[Sample]) -> bool:
    """Whether the slowest hundredth takes as long in the last third as in the first, or nearly so."""
    first, last = thirds(samples)
    return all(latency(last, kind)[1] <= MOST_TIMES * latency(first, kind)[1] for kind in RATES)


def leaks(samples: Sequence[Sample], plan: Plan) -> list[str]:
    """What grew from the first third to the last by more than it may."""
    first, last = thirds(samples)
    found = []
    for thing, most in {"MB": plan.more_megabytes, **MOST_MORE}.items():
        before, after = _held(first, thing), _held(last, thing)
        if after - before > most:
            found.append(f"{thing} grew from {before:.0f} to {after:.0f}")
    return found


def thirds(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """The first third and the last."""
    third = max(len(samples) // 3, 1)
    return samples[:third], samples[-third:]


def _held(samples: Sequence[Sample], thing: str) -> float:
    return statistics.median(each.held[thing] for each in samples)


def _midnight() -> int:
    return int(time.time()) // DAY_SECONDS * DAY_SECONDS


def _p50_p99(seconds: Sequence[float]) -> tuple[float, float]:
    if len(seconds) < 2:
        return 0.0, 0.0
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=PLANS["full"].seconds / 60)
    seconds = round(parser.parse_args().minutes * 60)
    every = max(min(PLANS["full"].every, seconds // 12), 1)
    plan = Plan(seconds, min(PLANS["full"].warm_up, seconds // 4), every, PLANS["full"].more_megabytes)
    console = Console()
    console.print(machine())
    samples = Soak(plan, tell=lambda sample: console.print(str(sample), highlight=False, soft_wrap=True)).run()
    console.print(table_of(told(samples, plan)))


if __name__ == "__main__":
    main()
