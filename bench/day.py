"""The reference day: 3,500 bookings over HTTP on 64 connections, beside uvicorn that answers without doing anything.

Each booking comes with an API key and an idempotency key, is judged by the rules, and leaves an appointment with two
reminders, a confirmation and an event, synced to disk before the answer. Server and clients are processes of their own.

    python -m bench.day
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.slots import OWNER
from slotkeeper.core.actor import SCOPES
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.desk import catalogue
from slotkeeper.desk.keys import create_key
from slotkeeper.embedded.app import Plan, build

BOOKINGS, CONNECTIONS, RESOURCES, ROUNDS = 3500, 64, 50, 3
MINUTES = 15

SERVER = """
import sys, uvicorn
from slotkeeper.embedded.app import Plan, build
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota
house = build(Plan(database=sys.argv[1], rules=Rules(key_quota=Quota("key", 10**9)), delivers=False))
uvicorn.run(house.app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""

IDLE = """
import sys, uvicorn
BODY = b'{"ok":true}'
async def app(scope, receive, send):
    if scope["type"] != "http":
        message = await receive()
        return await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"11")]})
    await send({"type": "http.response.body", "body": BODY})
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False, lifespan="off")
"""


@dataclass(frozen=True, slots=True)
class Day:
    """How a run went: seconds until the last answer, and how many were 201."""

    seconds: float
    made: int


def furnish(path: Path) -> str:
    """A business with 50 resources, each of which can be booked by itself; returns a key."""
    house = build(Plan(database=path, delivers=False))
    week = Weekly(
        **dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), (Opening(from_="00:00", to="24:00"),))
    )
    with house.store.batch():
        catalogue.put_profile(house.desk, OWNER, Business(name="Shop", zone="Europe/Berlin"))
        catalogue.put(house.desk, OWNER, "schedule", "open", Schedule(name="Open", weekly=week))
        ids = tuple(f"r{number}" for number in range(RESOURCES))
        for id in ids:
            catalogue.put(
                house.desk, OWNER, "resource", id, Resource(name=id, zone="Europe/Berlin", schedule_id="open")
            )
        catalogue.put(house.desk, OWNER, "pool", "all", Pool(name="All", resource_ids=ids))
        visit = Service(name="Visit", duration_minutes=MINUTES, needs=(Need(any_of="all"),))
        catalogue.put(house.desk, OWNER, "service", "visit", visit)
    key = create_key(house.desk, OWNER, "bench", SCOPES).secret
    house.close()
    return key


def requests(key: str) -> list[bytes]:
    """One request for each free quarter of an hour of each resource, the resources in turn."""
    first = (int(time.time()) // 86_400 + 2) * 86_400
    made = []
    for number in range(BOOKINGS):
        start = format_instant(Instant(first + number // RESOURCES * MINUTES * 60))
        body = msgspec.json.encode(
            {
                "serviceId": "visit",
                "startTime": start,
                "resourceIds": [f"r{number % RESOURCES}"],
                "customerId": f"c{number}",
                "customer": {"name": "Ada Lovelace", "email": f"c{number}@example.com"},
            }
        )
        head = (
            f"POST /appointments HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: bench-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def run_day(port: int, waiting: list[bytes]) -> Day:
    """Send all requests over 64 connections, each of which waits for its answer before it goes on."""
    todo = iter(waiting)
    made = 0

    async def client() -> None:
        nonlocal made
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in todo:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            made += head.startswith(b"HTTP/1.1 201")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return Day(time.perf_counter() - began, made)


@contextmanager
def serving(code: str, path: Path) -> Iterator[int]:
    """A server process, until the block ends."""
    port = 20_000 + os.getpid() % 20_000
    with subprocess.Popen([sys.executable, "-c", code, str(path), str(port)]) as server:
        try:
            asyncio.run(_until_open(port))
            yield port
        finally:
            server.terminate()


async def _until_open(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError("the server did not start")


def measure(code: str) -> Day:
    """The median of some days, each in an empty database."""
    days = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "day.db"
            waiting = requests(furnish(path))
            with serving(code, path) as port:
                days.append(asyncio.run(run_day(port, waiting)))
    return Day(statistics.median(day.seconds for day in days), min(day.made for day in days))


def rows() -> list[tuple[str, Day]]:
    return [("slotkeeper", measure(SERVER)), ("uvicorn alone", measure(IDLE))]


def main() -> None:
    for name, day in rows():
        print(
            f"{name}: {day.made} of {BOOKINGS} booked in {day.seconds:.2f} s, {BOOKINGS / day.seconds:,.0f} requests/s"
        )


if __name__ == "__main__":
    main()
