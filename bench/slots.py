"""How long it takes to find slots, beside a plain walk over intervals that finds the same ones.

python -m bench.slots
"""

import json
import secrets
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.figures import Figure, Measured, slower
from bench.proof.table import Scale
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.ticks import Instant, format_instant, parse_instant
from slotkeeper.desk import booking, catalogue, search
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Order
from slotkeeper.stores.sqlite import SqliteStore

ZONE = "Europe/Berlin"
NOW = parse_instant("2026-09-01T06:00:00Z")
OWNER = Actor(business="shop", id="owner", scopes=frozenset(SCOPES))
DAYS = (0, 1, 2, 3, 4)
OPENS, CLOSES, MINUTES, STEP = 9, 17, 30, 15
Taken = list[tuple[int, int]]


def a_shop(path: Path, resources: int, days: int) -> tuple[Desk, dict[str, Taken]]:
    """Resources with about a third of their time taken, over the days from now on; also as plain intervals."""
    desk = Desk(SqliteStore(path), lambda: NOW, lambda prefix: f"{prefix}_{secrets.token_hex(16)}")
    opening = (Opening(from_=f"{OPENS:02d}:00", to=f"{CLOSES}:00"),)
    week = Weekly(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), opening))
    ids = [f"r{number}" for number in range(resources)]
    with desk.store.batch():
        catalogue.put_profile(desk, OWNER, Business(name="Shop", zone=ZONE))
        catalogue.put(desk, OWNER, "schedule", "week", Schedule(name="Week", weekly=week))
        for id in ids:
            catalogue.put(desk, OWNER, "resource", id, Resource(name=id, zone=ZONE, schedule_id="week"))
        catalogue.put(desk, OWNER, "pool", "all", Pool(name="All", resource_ids=tuple(ids)))
        for service, need in (("one", Need(all_of=("r0",))), ("any", Need(any_of="all"))):
            visit = Service(name=service, duration_minutes=MINUTES, step_minutes=STEP, needs=(need,))
            catalogue.put(desk, OWNER, "service", service, visit)
    return desk, {id: _take(desk, id, number, days) for number, id in enumerate(ids)}


def _take(desk: Desk, id: str, number: int, days: int) -> Taken:
    taken: Taken = []
    first = datetime.fromtimestamp(NOW, ZoneInfo(ZONE)).replace(hour=0, minute=0)
    with desk.store.batch():
        for day in range(days):
            for hour in range(OPENS + (number + day) % 3, CLOSES, 3):
                wall = first + timedelta(days=day)
                start = Instant(int(wall.replace(hour=hour).timestamp()))
                if wall.weekday() in DAYS and start > NOW:
                    end = Instant(start + 3600)
                    booking.book(desk, OWNER, Order(start=start, end=end, resource_ids=(id,)))
                    taken.append((start, end))
    return taken


def ours(desk: Desk, service: str, days: int) -> list[int]:
    wanted = search.Search(first=NOW, last=Instant(NOW + days * 86_400))
    return list(search.service_slots(desk, OWNER, service, wanted).starts)


def a_table(path: Path, everyone: dict[str, Taken]) -> sqlite3.Connection:
    """The same claims as rows with an index, as most schedulers keep them."""
    table = sqlite3.connect(path)
    table.execute("CREATE TABLE claim (resource TEXT, start INTEGER, end INTEGER)")
    table.execute("CREATE INDEX by_resource ON claim (resource, start)")
    rows = [(id, *span) for id, taken in everyone.items() for span in taken]
    table.executemany("INSERT INTO claim VALUES (?, ?, ?)", rows)
    table.commit()
    return table


def plain_walk(table: sqlite3.Connection, ids: Iterable[str], days: int) -> list[int]:
    """What most schedulers do: read what is taken, then ask for each day and step, for each resource, whether any
    interval is in the way; the first resource that is free settles it."""
    until = NOW + days * 86_400
    sql = "SELECT start, end FROM claim WHERE resource = ? AND start < ? AND end > ?"
    everyone = {id: table.execute(sql, (id, until, NOW)).fetchall() for id in ids}
    zone = ZoneInfo(ZONE)
    first = datetime.fromtimestamp(NOW, zone).replace(hour=0, minute=0)
    found = []
    for day in range(days + 1):
        date = first + timedelta(days=day)
        if date.weekday() not in DAYS:
            continue
        for minute in range(OPENS * 60, CLOSES * 60 - MINUTES + 1, STEP):
            start = int(date.replace(hour=minute // 60, minute=minute % 60).timestamp())
            end = start + MINUTES * 60
            if not NOW <= start < NOW + days * 86_400:
                continue
            for taken in everyone.values():
                if not any(begins < end and start < ends for begins, ends in taken):
                    found.append(start)
                    break
    return found


def to_json(starts: list[int]) -> str:
    return json.dumps([{"startTime": format_instant(Instant(start))} for start in starts])


def median_ms(work: Callable[[], object], least_seconds: float = 1.0) -> float:
    """The median of as many runs as fit."""
    times: list[float] = []
    while sum(times) < least_seconds or len(times) < 3:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def rows() -> list[tuple[str, float, float]]:
    """For each case its name, our time and that of the plain walk, both in ms and to JSON."""
    measured = []
    for name, service, resources, days in (
        ("1 resource x 90 days", "one", 1, 90),
        ("any of 50 resources x 30 days", "any", 50, 30),
    ):
        with tempfile.TemporaryDirectory() as folder:
            desk, everyone = a_shop(Path(folder) / "shop.db", resources, days)
            table = a_table(Path(folder) / "plain.db", everyone)
            mine, walked = ours(desk, service, days), plain_walk(table, everyone, days)
            if mine != walked:
                raise RuntimeError(f"{name}: {len(mine)} slots of ours, {len(walked)} of the walk")
            our_ms = median_ms(lambda: to_json(ours(desk, service, days)))  # noqa: B023 - called at once
            walk_ms = median_ms(lambda: to_json(plain_walk(table, everyone, days)))  # noqa: B023 - called at once
            measured.append((name, our_ms, walk_ms))
    return measured


def figures(scale: Scale) -> Iterator[Figure]:
    """Our time from stored documents beside the walk's; both scales are the same."""
    for name, our_ms, walk_ms in rows():
        ours, walk = Measured([our_ms], "ms"), Measured([walk_ms], "ms")
        yield Figure(
            name=f"slots, {name}, to JSON", ours=ours, beside=walk, peer="plain walk", ratio=slower(walk, ours)
        )


def main() -> None:
    for name, our_ms, walk_ms in rows():
        print(f"{name}: {our_ms:.2f} ms from stored documents, plain walk {walk_ms:.2f} ms")


if __name__ == "__main__":
    main()
