"""How soon `slotkeeper serve` answers, how much memory it takes, and how long large files take to look after.

python -m bench.start
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from rich.console import Console

from bench import day, filling, load
from bench.figures import Figure, Measured, machine, slower, table_of
from bench.peers import cluster
from bench.peers.serving import furnished
from bench.ports import wait_until_open
from bench.proof.table import Scale
from bench.server import Server, serving, started
from slotkeeper.cli.screen import progress
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant
from slotkeeper.stores.sqlite import SqliteStore

STARTED: dict[Scale, int] = {"quick": 2_000, "full": 100_000}
LARGE: dict[Scale, int] = {"quick": 5_000, "full": 1_000_000}
ROUNDS: dict[Scale, int] = {"quick": 2, "full": 15}
MOST_SECONDS, MOST_MEGABYTES = 0.5, 120
LOOK_SECONDS = 0.005
SEARCHES, BOOKINGS = 40, 500


def figures(scale: Scale) -> Iterator[Figure]:
    """The start beside the peer's, then the memory and the care of a large file."""
    with tempfile.TemporaryDirectory() as folder:
        yield _start(Path(folder) / "started.db", scale)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.db"
        key = _filled(path, LARGE[scale])
        yield _memory(path, key, LARGE[scale])
        yield from _care(path, LARGE[scale])


def _filled(path: Path, count: int) -> str:
    with progress(f"Making a file of {count:,} appointments", count) as advance:
        return filling.filled(path, count, is_delivered=True, progress=advance)


def _start(path: Path, scale: Scale) -> Figure:
    key = _filled(path, STARTED[scale])
    ours, peers = list[float](), list[float]()
    with ExitStack() as stack:
        sides: list[tuple[list[float], Callable[[], float]]] = [(ours, lambda: first_answer(path, key))]
        try:
            peer = stack.enter_context(furnished(day.RESOURCES, day.MINUTES))
            sides.append((peers, peer.first_answer))
        except cluster.Absent:
            pass
        for number in range(ROUNDS[scale] + 1):
            for times, side in sides:
                seconds = side()
                if number:  # what the first ones read was not in memory
                    times.append(seconds)
    mine = Measured(ours, "s")
    theirs = Measured(peers, "s") if peers else ""
    return Figure(
        name=f"first answer after the command, {STARTED[scale]:,} appointments in the file",
        ours=mine,
        beside=theirs,
        peer="FastAPI + asyncpg, PostgreSQL running" if peers else "",
        ratio=slower(theirs, mine) if isinstance(theirs, Measured) else "",
        target=f"<= {MOST_SECONDS} s",
        is_reached=mine.median <= MOST_SECONDS,
    )


def first_answer(path: Path, key: str) -> float:
    """The seconds from the command until the services are listed, as they stand in the file."""
    began = time.perf_counter()
    with started(path) as server:
        wait_until_open(server.port, LOOK_SECONDS)
        server.get("/services", key)
        return time.perf_counter() - began


def _memory(path: Path, key: str, count: int) -> Figure:
    with serving(path) as server:
        use(server, key, count)
        megabytes, peak = server.megabytes, server.peak_megabytes
    return Figure(
        name=f"memory after typical requests, {count:,} appointments",
        ours=f"{megabytes:.0f} MB (at most {peak:.0f})",
        target=f"<= {MOST_MEGABYTES} MB",
        is_reached=megabytes <= MOST_MEGABYTES,
    )


def use(server: Server, key: str, count: int) -> None:
    """Ask what a day's work asks: bookings, searches, lists, the pages and the docs."""
    free = filling.after(count)
    waiting = day.requests(key, count=BOOKINGS, day=free, name="use")
    assert load.run(day.run_day(server.port, waiting)).made == BOOKINGS
    midnight = time.time() // DAY_SECONDS * DAY_SECONDS
    for number in range(SEARCHES):
        first, last = (
            format_instant(Instant(int(midnight) + days * DAY_SECONDS)) for days in (number + 1, number + 31)
        )
        span = urlencode({"from": first, "to": last})
        server.get(f"/slots?serviceId=visit&{span}", key)
        server.get(f"/appointments?limit=200&{span}", key)
        server.get("/notifications?limit=200", key)
        server.get(f"/events?after={number * 100}", key)
    for page in ("/shop", "/shop/visit", "/docs", "/openapi.json"):
        server.get(page)


def _care(path: Path, count: int) -> Iterator[Figure]:
    """What is done with the file while nobody serves it."""
    size = path.stat().st_size / 1e9
    opening = Measured([_opening(path) for _ in range(9)], "ms")
    yield Figure(name=f"opening that file of {size:.1f} GB, to the first document", ours=opening)
    copy, rows = path.with_name("copy.db"), path.with_name("rows.jsonl")
    for name, command in (
        ("doctor", ["doctor"]),
        ("backup", ["backup", str(copy)]),
        ("export of its appointments", ["export", str(rows)]),
    ):
        yield Figure(name=f"{name}, {count:,} appointments", ours=Measured([_command(path, command)], "s"))
    with rows.open("rb") as lines:
        assert sum(1 for _ in lines) == count + BOOKINGS


def _opening(path: Path) -> float:
    began = time.perf_counter()
    store = SqliteStore(path)
    next(store.walk())
    seconds = time.perf_counter() - began
    store.close()
    return seconds * 1000


def _command(path: Path, command: list[str]) -> float:
    began = time.perf_counter()
    line = [sys.executable, "-m", "slotkeeper", "--database", str(path), *command]
    subprocess.run(line, check=True, cwd=path.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    console = Console()
    console.print(machine())
    console.print(table_of(figures("full")))


if __name__ == "__main__":
    main()
