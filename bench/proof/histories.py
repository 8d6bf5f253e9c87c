"""Histories of clients that book, move, cancel and look at the same time: each calendar answers as if it had been used
by one client after another (it is linearizable), also where clients did not wait for an answer.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvloop
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.proof.diary import EMPTY, Act, parted, shown, step
from bench.proof.linearizable import Operation, judge
from bench.proof.recording import ALONE, PAIR, Diary
from bench.proof.server import serving
from bench.proof.shop import opened, put
from bench.proof.table import Row, Scale
from bench.proof.wire import Target
from slotkeeper.core.ticks import DAY_SECONDS

CLAIM = "each calendar answers as if it had been used by one client after another, also where answers were lost"
CLIENTS, REQUESTS = 5, 8
AT_ONCE = 3
SERVERS, THREADS = 2, 1
HISTORIES: dict[Scale, int] = {"quick": 40, "full": 1200}
BROKEN = {"checks, then inserts": 25, "shows what was": 25, "loses writes": 25}
"""Stores that are broken on purpose, and of how many histories at least one must tell."""


class Judged(msgspec.Struct):
    """How many histories were judged, what was in them, and each that is illegal, in words."""

    histories: int = 0
    acts: Counter[str] = msgspec.field(default_factory=Counter)
    illegal: list[str] = msgspec.field(default_factory=list)


def rows(scale: Scale) -> Iterator[Row]:
    """One row."""
    sound = judged(HISTORIES[scale])
    broken = {name: judged(count, name) for name, count in BROKEN.items()}
    yield Row(
        claim=CLAIM,
        tried=(
            f"{sound.histories:,} histories of {CLIENTS} clients with {REQUESTS} requests each: "
            f"{sound.acts.total():,} operations, {sound.acts['unknown']:,} of them without an answer"
        ),
        found="; ".join([f"{len(sound.illegal)} illegal", *sound.illegal[:1]]),
        holds=not sound.illegal,
        broken="; ".join(
            f"a store that {name}: {len(each.illegal)} of {each.histories} illegal" for name, each in broken.items()
        ),
        is_caught=all(each.illegal for each in broken.values()),
    )


def judged(count: int, broken: str = "") -> Judged:
    """Record so many histories of a service, or of one whose store is broken, and judge them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "diary.db"
        headers = {"Authorization": f"Bearer {opened(path)}"}
        with serving(path, 1, 1) as ports:
            put(Target(ports, headers), _things())
        with serving(path, SERVERS, THREADS, broken) as ports:
            return uvloop.run(_judged(Target(ports, headers), count, broken or "histories"))


def _things() -> Iterator[tuple[str, dict[str, object]]]:
    """Those who are booked, and two services that any of them gives."""
    everybody = (*ALONE, *PAIR)
    for name in everybody:
        yield f"/resources/{name}", {"name": name, "zone": "UTC"}
    yield "/pools/all", {"name": "All", "resourceIds": everybody}
    for name, minutes in (("quarter", 15), ("half", 30)):
        service = {"name": name, "durationMinutes": minutes, "horizonDays": 3660, "needs": [{"anyOf": "all"}]}
        yield f"/services/{name}", service


async def _judged(target: Target, count: int, title: str) -> Judged:
    """A few histories are recorded at the same time, each on a day of its own."""
    found, days = Judged(), iter(range(count))
    first = int(time.time()) // DAY_SECONDS + 2
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task(title, total=count)

        async def work() -> None:
            for number in days:
                history = await Diary(target, first + number, seed=number).record(CLIENTS, REQUESTS)
                note(found, history)
                progress.advance(bar)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return found


def note(found: Judged, history: list[Operation[Act]]) -> None:
    """Judge the history, and count it."""
    found.histories += 1
    found.acts.update("unknown" if each.returned is None else type(each.what).__name__ for each in history)
    verdicts = (judge(part, step, EMPTY) for part in parted(history))
    stuck = [shown(verdict.stuck) for verdict in verdicts if not verdict.is_legal]
    if stuck:
        found.illegal.append("none of these could come next:\n" + "\n".join(stuck))
