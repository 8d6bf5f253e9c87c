"""The reference day: 3,500 bookings over HTTP on 64 connections, beside the same API on FastAPI and PostgreSQL, and
beside uvicorn that answers without doing anything.

Each booking comes with an API key and an idempotency key, is judged by the rules, and leaves an appointment with two
reminders, a confirmation and an event, synced to disk before the answer. Servers and clients are processes of their
own. Each side opens an empty shop in each round and takes some bookings of another day before it is measured; the
sides take turns, so that whatever else the machine does happens to all of them.

    python -m bench.day
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console

from bench import load
from bench.figures import Figure, Measured, machine, slower, table_of
from bench.peers import cluster
from bench.peers.serving import furnished
from bench.ports import free_port, wait_until_open
from bench.proof.table import Scale
from bench.slots import OWNER, ZONE
from slotkeeper.core.actor import SCOPES
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant
from slotkeeper.desk import catalogue
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import create_key
from slotkeeper.embedded.app import Plan, build

BOOKINGS, CONNECTIONS, RESOURCES = 3500, 64, 50
MINUTES = 15
WARM_UP = 256
ROUNDS: dict[Scale, int] = {"quick": 1, "full": 7}
MOST_SECONDS, LEAST_TIMES = 0.5, 5.0
WORKERS = (1, 2)

SERVER = """
import socket, sys
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.server import Server, configured
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota
house = build(Plan(database=sys.argv[1], rules=Rules(key_quota=Quota("key", 10**9)), delivers=False))
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=1024)
Server(configured(house.app, grace_seconds=1), house.app.streams).run(sockets=[listener])
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


def furnish(path: Path, *, horizon_days: int = 365, resources: int = RESOURCES) -> str:
    """A business with so many resources, each of which can be booked by itself; returns a key."""
    house = build(Plan(database=path, delivers=False))
    with house.store.batch():
        stock(house.desk, horizon_days, resources)
    key = create_key(house.desk, OWNER, "bench", SCOPES).secret
    house.close()
    return key


def stock(desk: Desk, horizon_days: int = 365, resources: int = RESOURCES) -> None:
    """Put the business and all that it offers."""
    always = (Opening(from_="00:00", to="24:00"),)
    week = Weekly(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), always))
    catalogue.put_profile(desk, OWNER, Business(name="Shop", zone=ZONE))
    catalogue.put(desk, OWNER, "schedule", "open", Schedule(name="Open", weekly=week))
    ids = tuple(f"r{number}" for number in range(resources))
    for id in ids:
        catalogue.put(desk, OWNER, "resource", id, Resource(name=id, zone=ZONE, schedule_id="open"))
    catalogue.put(desk, OWNER, "pool", "all", Pool(name="All", resource_ids=ids))
    visit = Service(name="Visit", duration_minutes=MINUTES, horizon_days=horizon_days, needs=(Need(any_of="all"),))
    catalogue.put(desk, OWNER, "service", "visit", visit)


def requests(
    key: str, *, count: int = BOOKINGS, day: int = 2, name: str = "bench", has_customers: bool = True
) -> list[bytes]:
    """One request for each free quarter of an hour of each resource, the resources in turn, from the midnight on that
    is so many days ahead. `name` begins their idempotency keys. Without customers it is the mail address that tells
    who books."""
    first = (int(time.time()) // DAY_SECONDS + day) * DAY_SECONDS
    return [
        request(
            key,
            f"{name}-{number}",
            Instant(first + number // RESOURCES * MINUTES * 60),
            number,
            has_customer=has_customers,
        )
        for number in range(count)
    ]


def request(
    key: str, request_key: str, start: Instant, number: int, resources: int = RESOURCES, *, has_customer: bool = True
) -> bytes:
    """A booking of the resource and by the customer of that number, or by one whom only this request knows."""
    who = f"c{number}" if has_customer else request_key
    body = msgspec.json.encode(
        {
            "serviceId": "visit",
            "startTime": format_instant(start),
            "resourceIds": [f"r{number % resources}"],
            **({"customerId": who} if has_customer else {}),
            "customer": {"name": "Ada Lovelace", "email": f"{who}@example.com"},
        }
    )
    head = (
        f"POST /appointments HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: {request_key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run_day(port: int, waiting: Sequence[bytes]) -> Day:
    """Send all requests over 64 connections, each of which waits for its answer before it goes on."""
    answers = await load.ask_all(port, waiting, CONNECTIONS)
    return Day(answers.seconds, answers.statuses[201])


@contextmanager
def serving(code: str, path: Path) -> Iterator[int]:
    """A server process, until the block ends."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", code, str(path), str(port)]) as server:
        try:
            wait_until_open(port)
            yield port
        finally:
            server.terminate()


@dataclass(frozen=True, slots=True)
class Side:
    """Who is measured. `opened` serves an empty shop, and yields its port and a key."""

    name: str
    opened: Callable[[], AbstractContextManager[tuple[int, str]]]


@contextmanager
def opened(code: str) -> Iterator[tuple[int, str]]:
    """A shop in a file of its own, served by the code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.db"
        key = furnish(path)
        with serving(code, path) as port:
            yield port, key


OURS = Side("slotkeeper", partial(opened, SERVER))
ALONE = Side("uvicorn that does nothing", partial(opened, IDLE))


@contextmanager
def peers() -> Iterator[list[Side]]:
    """The same API on FastAPI and PostgreSQL, with one worker and with two. Raises `Absent`."""
    with furnished(RESOURCES, MINUTES) as peer:
        yield [
            Side(
                f"FastAPI + asyncpg + PostgreSQL, {workers} worker{'s' if workers > 1 else ''}",
                partial(peer.opened, workers),
            )
            for workers in WORKERS
        ]


def measure(sides: Sequence[Side], rounds: int) -> dict[str, list[Day]]:
    """The days of each side by its name, measured in turn."""
    days: dict[str, list[Day]] = {side.name: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            with side.opened() as (port, key):
                load.run(run_day(port, requests(key, count=WARM_UP, day=3, name="warm")))
                days[side.name].append(load.run(run_day(port, requests(key))))
    return days


def figures(scale: Scale) -> Iterator[Figure]:
    """Our day beside each of the others, the better of the peers first."""
    with ExitStack() as stack:
        try:
            others = stack.enter_context(peers())
        except cluster.Absent as absent:
            others = []
            yield Figure(
                name="the reference day on FastAPI + asyncpg + PostgreSQL", ours="", beside=f"left out: {absent}"
            )
        days = measure([OURS, ALONE, *others], ROUNDS[scale])
    ours = Measured([day.seconds for day in days[OURS.name]], "s")
    name = f"the reference day: {BOOKINGS:,} bookings over HTTP, {CONNECTIONS} connections"
    made = min(day.made for day in days[OURS.name])
    yield Figure(
        name=f"{name}; {made:,} booked",
        ours=ours,
        target=f"<= {MOST_SECONDS} s",
        is_reached=made == BOOKINGS and ours.median <= MOST_SECONDS,
    )
    for side in sorted([*others, ALONE], key=lambda each: each is ALONE):
        beside = Measured([day.seconds for day in days[side.name]], "s")
        yield Figure(name="the same day", ours=ours, beside=beside, peer=side.name, ratio=slower(beside, ours))


def main() -> None:
    console = Console()
    console.print(machine())
    console.print(table_of(figures("full")))


if __name__ == "__main__":
    main()
