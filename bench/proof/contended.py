"""A million attempts to book what others want too, through the API: no calendar ever holds two overlapping claims.

Processes of rivals with many connections ask several processes that serve one file; then its stored JSON is looked
through in plain SQL. A store that checks first and inserts then must leave overlaps behind. In full the same goes
through the functions that our template deploys, on an emulator of AWS.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.proof.rivals import Task, Told
from bench.proof.server import serving
from bench.proof.shop import furnish, opened
from bench.proof.sweep import swept, unkept
from bench.proof.table import Row, Scale
from bench.proof.wire import Target
from slotkeeper.core.ticks import DAY_SECONDS

CLAIM = "no calendar holds two overlapping claims; claims and appointments agree; what was promised stands"
BROKEN = "checks, then inserts"
ALLOWED = frozenset({200, 201, 204, 404, 409, 429, 503})
"""What may be answered; 404 when somebody gives back a hold that has lapsed."""


class Size(msgspec.Struct, frozen=True):
    """How many attempts there are, by how many processes of how many rivals each, who want a time within how many
    quarters of an hour."""

    attempts: int
    processes: int
    rivals: int
    quarters: int


class Outcome(msgspec.Struct, frozen=True):
    """What came of a competition: what clients were told, and what is wrong with what was stored, by its name."""

    told: Told
    wrong: dict[str, int]
    seconds: float

    @property
    def is_right(self) -> bool:
        return not self.wrong

    @property
    def text(self) -> str:
        """What was found, for people."""
        counted = self.told.statuses
        wrong = "; ".join(f"{number:,} {what}" for what, number in self.wrong.items()) or "nothing wrong"
        busy = f", {counted[503]:,} put off" if counted.get(503) else ""
        return f"{wrong}; {counted.get(201, 0):,} booked or held, {counted.get(409, 0):,} refused{busy}"


SERVERS, THREADS = 2, 2
SIZES: dict[Scale, Size] = {"quick": Size(2000, 2, 24, 192), "full": Size(1_000_000, 3, 64, 960)}
BROKEN_SIZE = Size(500, 2, 24, 48)


def rows(scale: Scale) -> Iterator[Row]:
    """The rows of the table: the file, and in full the table on AWS."""
    size = SIZES[scale]
    sound = on_sqlite(size)
    broken = on_sqlite(BROKEN_SIZE, BROKEN)
    yield Row(
        claim=CLAIM,
        tried=f"{said(size)} at {SERVERS} processes of {THREADS} threads that serve one SQLite file",
        found=sound.text,
        holds=sound.is_right,
        broken=f"a store that {BROKEN}: {broken.text}",
        is_caught=not broken.is_right,
    )
    if scale == "full":
        from bench.proof import contended_on_aws  # boto3 takes its time to load

        yield from contended_on_aws.rows()


def on_sqlite(size: Size, broken: str = "") -> Outcome:
    """Let rivals compete for a shop in a file of its own, and look through what they left behind."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        headers = {"Authorization": f"Bearer {opened(path)}"}
        with serving(path, SERVERS, THREADS) as ports:
            furnish(Target(ports, headers))
        with serving(path, SERVERS, THREADS, broken) as ports:
            told, seconds = competed(Target(ports, headers), size, broken or "SQLite")
        return Outcome(told, judged(path, "shop", told), seconds)


def competed(target: Target, size: Size, title: str) -> tuple[Told, float]:
    """What the rivals were told, and the seconds that it took them.

    Raises:
        RuntimeError: nothing was contended, or a process failed.
    """
    first = (int(time.time()) // DAY_SECONDS + 2) * DAY_SECONDS
    tasks = [
        Task(
            target=target,
            seed=number,
            attempts=size.attempts // size.processes,
            connections=size.rivals,
            first=first,
            quarters=size.quarters,
        )
        for number in range(size.processes)
    ]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task(f"contended: {title}", total=size.attempts)
        began = time.perf_counter()
        told = compete(tasks, lambda more: progress.advance(bar, more))
    if not 0 < told.statuses.get(201, 0) < 2 * told.statuses.get(409, 0):
        raise RuntimeError(f"nothing was contended: {told.statuses}")
    return told, time.perf_counter() - began


def judged(path: Path, business: str, told: Told) -> dict[str, int]:
    """What is wrong with the documents in the file, or with what clients were told of them: each with its number."""
    wrong = swept(path)
    if number := unkept(path, business, told.standing):
        wrong["promised appointments that do not stand as promised"] = number
    return wrong | {f"answers of {each}": told.statuses[each] for each in told.statuses.keys() - ALLOWED}


def compete(tasks: Sequence[Task], progress: Callable[[int], object]) -> Told:
    """Let a process do each task, all at the same time; `progress` hears of more attempts made."""
    lock = Lock()

    def tell(more: int) -> None:
        with lock:
            progress(more)

    with ThreadPoolExecutor(len(tasks)) as readers:
        all_told = list(readers.map(lambda task: _done(task, tell), tasks))
    statuses = sum((Counter(told.statuses) for told in all_told), Counter[int]())
    return Told(statuses=dict(statuses), standing=[each for told in all_told for each in told.standing])


def _done(task: Task, tell: Callable[[int], object]) -> Told:
    """What the process that did the task was told. Raises `RuntimeError` when it failed."""
    command = [sys.executable, "-m", "bench.proof.rivals"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(task))
        process.stdin.close()
        before, last = 0, b""
        for last in process.stdout:
            if last.strip().isdigit():
                tell(int(last) - before)
                before = int(last)
    if process.returncode:
        raise RuntimeError(f"rivals failed with {process.returncode}")
    tell(task.attempts - before)
    return msgspec.json.decode(last, type=Told)


def said(size: Size) -> str:
    """The size, for people."""
    rivals = size.processes * size.rivals
    return f"{size.attempts:,} contended attempts to book by {rivals} rivals, who also move, cancel and hold,"
