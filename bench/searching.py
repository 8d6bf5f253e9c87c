"""How long a search for slots takes over HTTP while bookings go on: any of 1,000 resources, 30 days.

One connection searches as fast as it is answered, another books at a steady pace, each booking with another resource:
so there is always something that has changed since the last search. The server is a process of its own.

    python -m bench.searching
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from rich.console import Console

from bench import load
from bench.day import SERVER, furnish, request, serving
from bench.figures import Figure, Measured, machine, table_of
from bench.proof.table import Scale
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant

RESOURCES, DAYS = 1000, 30
BOOKINGS_A_SECOND = 50
SEARCHES: dict[Scale, int] = {"quick": 100, "full": 2000}
MOST_MS = 25.0


@dataclass(slots=True)
class Seen:
    """How long each search took, in milliseconds, and what was booked meanwhile."""

    times: list[float] = field(default_factory=list)
    booked: int = 0


async def searched(port: int, key: str, searches: int) -> Seen:
    """Search so many times while others book."""
    seen = Seen()
    booking = asyncio.create_task(_book(port, key, seen))
    try:
        await _search(port, key, searches, seen)
    finally:
        booking.cancel()
    return seen


async def _search(port: int, key: str, searches: int, seen: Seen) -> None:
    first = (int(time.time()) // DAY_SECONDS + 1) * DAY_SECONDS
    span = f"from={format_instant(Instant(first))}&to={format_instant(Instant(first + DAYS * DAY_SECONDS))}"
    question = f"GET /slots?serviceId=visit&{span} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    ended = asyncio.get_running_loop().create_future()
    asked_at = 0.0

    def answered(wire: load.Wire, status: int, answer: bytes) -> None:
        nonlocal asked_at
        seen.times.append((time.perf_counter() - asked_at) * 1000)
        if status != 200:
            ended.set_exception(RuntimeError(f"a search was answered with {status}"))
        elif len(seen.times) == searches:
            ended.set_result(None)
        else:
            asked_at = time.perf_counter()
            wire.ask(question.encode())

    wire = await load.connected(port, answered, lambda: ended.set_exception(ConnectionError("closed")))
    asked_at = time.perf_counter()
    wire.ask(question.encode())
    await ended
    wire.close()


async def _book(port: int, key: str, seen: Seen) -> None:
    first = (int(time.time()) // DAY_SECONDS + 2) * DAY_SECONDS + 9 * 3600

    def answered(wire: load.Wire, status: int, answer: bytes) -> None:
        seen.booked += status == 201

    wire = await load.connected(port, answered, lambda: None)
    for number in count():
        start = Instant(first + number // RESOURCES * 15 * 60)
        wire.ask(request(key, f"booking-{number}", start, number, RESOURCES))
        await asyncio.sleep(1 / BOOKINGS_A_SECOND)


def measure(searches: int) -> Seen:
    """A shop of 1,000 resources, booked and searched at the same time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        key = furnish(path, resources=RESOURCES)
        with serving(SERVER, path) as port:
            load.run(searched(port, key, 5))
            return load.run(searched(port, key, searches))


def figures(scale: Scale) -> Iterator[Figure]:
    """The median and the slowest hundredth of the searches."""
    seen = measure(SEARCHES[scale])
    p99 = statistics.quantiles(seen.times, n=100)[98]
    name = f"slots, any of {RESOURCES:,} resources x {DAYS} days, over HTTP, while {seen.booked:,} bookings go on"
    yield Figure(name=f"{name}: median", ours=Measured([statistics.median(seen.times)], "ms"))
    yield Figure(
        name=f"{name}: p99",
        ours=Measured([p99], "ms"),
        target=f"<= {MOST_MS:g} ms",
        is_reached=p99 <= MOST_MS,
    )


def main() -> None:
    console = Console()
    console.print(machine())
    console.print(table_of(figures("full")))


if __name__ == "__main__":
    main()
