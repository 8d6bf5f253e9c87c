"""How long it takes to find slots, beside a plain walk over intervals that finds the same ones.

python -m bench.slots
"""

import json
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from rich.console import Console

from bench.figures import Figure, Measured, machine, slower, table_of
from bench.proof.table import Scale
from slotkeeper import documents
from slotkeeper.contracts import Change, Put
from slotkeeper.core import hours
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Instant, day_of, format_instant, parse_instant
from slotkeeper.desk import catalogue, search
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.memory import Memory
from slotkeeper.documents import encoded, sheet_key
from slotkeeper.stores.sqlite import SqliteStore
from slotkeeper.web.spans import spans_json

ZONE = "Europe/Berlin"
NOW = parse_instant("2026-09-01T06:00:00Z")
OWNER = Actor(business="shop", id="owner", scopes=frozenset(SCOPES))
DAYS = (0, 1, 2, 3, 4)
OPENS, CLOSES, MINUTES, STEP = 9, 17, 30, 15
Taken = list[tuple[int, int]]


KINDS = ("provider", "room", "machine")


@dataclass(frozen=True, slots=True)
class Shop:
    """A desk, and the claims that its resources have, by the pool that they are of, as plain intervals."""

    desk: Desk
    taken: dict[str, dict[str, Taken]]


def a_shop(path: Path, resources: int, days: int, kinds: Sequence[str] = KINDS[:1]) -> Shop:
    """So many resources of each kind, with about a third of their time taken over the days from now on. The service
    `one` is with the first of them, `any` with anyone of each kind."""
    desk = Desk(SqliteStore(path), lambda: NOW, lambda prefix: f"{prefix}_{secrets.token_hex(16)}")
    opening = (Opening(from_=f"{OPENS:02d}:00", to=f"{CLOSES}:00"),)
    week = Weekly(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), opening))
    taken: dict[str, dict[str, Taken]] = {}
    with desk.store.batch():
        catalogue.put_profile(desk, OWNER, Business(name="Shop", zone=ZONE))
        catalogue.put(desk, OWNER, "schedule", "week", Schedule(name="Week", weekly=week))
        for kind in kinds:
            ids = tuple(f"{kind}{number}" for number in range(resources))
            taken[kind] = {id: _take(desk, id, number, days) for number, id in enumerate(ids)}
            catalogue.put(desk, OWNER, "pool", kind, Pool(name=kind.title(), resource_ids=ids))
        needs = {"one": (Need(all_of=(f"{kinds[0]}0",)),), "any": tuple(Need(any_of=kind) for kind in kinds)}
        for service, wanted in needs.items():
            visit = Service(name=service, duration_minutes=MINUTES, step_minutes=STEP, needs=wanted)
            catalogue.put(desk, OWNER, "service", service, visit)
    return Shop(desk, taken)


def _take(desk: Desk, id: str, number: int, days: int) -> Taken:
    """Make the resource, and claim an hour of it in every three. The claims stand in its sheets alone, as if of
    appointments: slots look at nothing else."""
    catalogue.put(desk, OWNER, "resource", id, Resource(name=id, zone=ZONE, schedule_id="week"))
    taken: Taken = []
    first = datetime.fromtimestamp(NOW, ZoneInfo(ZONE)).replace(hour=0, minute=0)
    for day in range(days):
        wall = first + timedelta(days=day)
        if wall.weekday() not in DAYS:
            continue
        starts = [int(wall.replace(hour=hour).timestamp()) for hour in range(OPENS + (number + day) % 3, CLOSES, 3)]
        claims = [Claim(f"apt_{id}_{start}", Instant(start), Instant(start + 3600)) for start in starts if start > NOW]
        if claims:
            key = sheet_key(OWNER.business, id, day_of(claims[0].start))
            desk.store.commit(Change({key: 0}, [Put(key, encoded(claims))]))
        taken += ((claim.start, claim.end) for claim in claims)
    return taken


def ours(desk: Desk, service: str, days: int) -> bytes:
    """The slots from now on, as JSON."""
    wanted = search.Search(first=NOW, last=Instant(NOW + days * 86_400))
    offers = search.service_slots(desk, OWNER, service, wanted)
    return spans_json(offers.window, offers.ticks, offers.seconds)


def ours_anew(desk: Desk, service: str, days: int) -> bytes:
    """The same with nothing known: every document is read from the file, and hours are drawn from schedules."""
    for module in (hours, documents):
        for each in vars(module).values():
            if hasattr(each, "cache_clear"):
                each.cache_clear()
    for known in (documents._sheets, documents._drawings):
        known._found.clear()
    store = desk.store
    assert isinstance(store, SqliteStore)
    store._rows.forget()
    return ours(replace(desk, memory=Memory()), service, days)


def a_table(path: Path, everyone: Mapping[str, Taken]) -> sqlite3.Connection:
    """The same claims as rows with an index, as most schedulers keep them."""
    table = sqlite3.connect(path)
    table.execute("CREATE TABLE claim (resource TEXT, start INTEGER, end INTEGER)")
    table.execute("CREATE INDEX by_resource ON claim (resource, start)")
    rows = [(id, *span) for id, taken in everyone.items() for span in taken]
    table.executemany("INSERT INTO claim VALUES (?, ?, ?)", rows)
    table.commit()
    return table


def plain_walk(table: sqlite3.Connection, pools: Iterable[Iterable[str]], days: int) -> bytes:
    """What most schedulers do: read what is taken, then ask for each day and step, for each resource, whether any
    interval is in the way; the first of each pool that is free settles it. As JSON."""
    until = NOW + days * 86_400
    sql = "SELECT start, end FROM claim WHERE resource = ? AND start < ? AND end > ?"
    everyone = [[table.execute(sql, (id, until, NOW)).fetchall() for id in pool] for pool in pools]
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
            if all(any(_is_free(taken, start, end) for taken in pool) for pool in everyone):
                found.append({"startTime": format_instant(Instant(start)), "endTime": format_instant(Instant(end))})
    return json.dumps(found, separators=(",", ":")).encode()


def _is_free(taken: Taken, start: int, end: int) -> bool:
    return not any(begins < end and start < ends for begins, ends in taken)


def rounds_ms(work: Callable[[], object], least_seconds: float) -> list[float]:
    """The times of as many runs as fit, and of three at least."""
    times: list[float] = []
    while sum(times) < least_seconds * 1000 or len(times) < 3:
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return times


@dataclass(frozen=True, slots=True)
class Case:
    """A question. `work` asks it of us."""

    name: str
    resources: int
    days: int
    service: str = "any"
    work: Callable[[Desk, str, int], bytes] = ours
    kinds: Sequence[str] = KINDS[:1]
    most_ms: float | None = None


CASES = (
    Case("1 resource x 90 days, warm", 1, 90, "one", most_ms=0.3),
    Case("1 resource x 90 days, from stored documents and uncached hours", 1, 90, "one", ours_anew, most_ms=0.9),
    Case("any of 50 resources x 30 days, warm", 50, 30),
    Case("any of 50 resources x 30 days, from stored documents", 50, 30, work=ours_anew),
    Case("any of 1,000 resources x 30 days, warm", 1000, 30),
    Case("any of 1,000 providers, rooms and machines x 30 days, warm", 1000, 30, kinds=KINDS, most_ms=50),
)


def figures(scale: Scale) -> Iterator[Figure]:
    """Our times beside the walk's, which must find the same."""
    for case in CASES:
        if scale == "quick" and len(case.kinds) * case.resources > 100:
            continue
        with tempfile.TemporaryDirectory() as folder:
            yield _figure(case, Path(folder), 0.2 if scale == "quick" else 2.0)


def _figure(case: Case, folder: Path, seconds: float) -> Figure:
    shop = a_shop(folder / "shop.db", case.resources, case.days, case.kinds)
    everyone = {id: taken for pool in shop.taken.values() for id, taken in pool.items()}
    pools = [["provider0"]] if case.service == "one" else [list(pool) for pool in shop.taken.values()]
    table = a_table(folder / "plain.db", everyone)
    mine, walked = (
        json.loads(each)
        for each in (case.work(shop.desk, case.service, case.days), plain_walk(table, pools, case.days))
    )
    if mine != walked:
        raise RuntimeError(f"{case.name}: {len(mine)} slots of ours, {len(walked)} of the walk")
    ours = Measured(rounds_ms(lambda: case.work(shop.desk, case.service, case.days), seconds), "ms")
    walk = Measured(rounds_ms(lambda: plain_walk(table, pools, case.days), seconds), "ms")
    shop.desk.store.close()
    return Figure(
        name=f"slots, {case.name}, to JSON: {len(mine):,}",
        ours=ours,
        beside=walk,
        peer="plain walk over intervals",
        ratio=slower(walk, ours),
        target="" if case.most_ms is None else f"<= {case.most_ms} ms",
        is_reached=None if case.most_ms is None else ours.median <= case.most_ms,
    )


def main() -> None:
    console = Console()
    console.print(machine())
    console.print(table_of(figures("full")))


if __name__ == "__main__":
    main()
