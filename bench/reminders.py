"""Reminders: how long it takes until all that are due at one moment have reached a mail server, and how late each was.

`slotkeeper serve` delivers from a file to a real SMTP server in a process of its own (`bench.sink`). Beside it, in the
same run: loops that hand ready-made mails to the same SMTP server, and do nothing else.

    python -m bench.reminders [COUNT]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.due import Dues, furnish
from bench.figures import Figure
from bench.handing import by_aiosmtplib, by_smtplib
from bench.ports import free_port, wait_until_open
from bench.proof.table import Scale
from bench.sink import Sink, Taken
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.ticks import Instant
from slotkeeper.documents import decoded
from slotkeeper.stores.sqlite import SqliteStore

COUNTS: dict[Scale, int] = {"quick": 2000, "full": 100_000}
HANDED = 5000
"""How many ready-made mails the peers hand over, at most."""

READY_SECONDS = 8
"""How long before the moment everything is to stand ready."""

PATIENCE_SECONDS = 20
"""So long may nothing arrive before the rest is taken for missing."""

MINUTE = 60
TARGET = 2000

Advance = Callable[[int], object]
Bars = Callable[[str, int], Advance]
"""What is under way, and of how many; returns what to call with each count that is done."""


class Delivery(msgspec.Struct, frozen=True):
    """How a run went. `lateness` is in seconds, from when a reminder was due until the mail server had it, ascending;
    `seconds` from when the first was due until the last was there; `noted` how many the store says were sent;
    `cpu_seconds` what the server's process took of a core meanwhile, which is the same on a machine that is busy."""

    owed: int
    seconds: float
    lateness: list[float]
    doubled: int
    missing: int
    noted: int
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Reminders a second."""
        return len(self.lateness) / self.seconds

    @property
    def is_whole(self) -> bool:
        return not self.doubled and not self.missing and self.noted == self.owed

    def late(self, percent: int) -> float:
        return statistics.quantiles(self.lateness, n=100, method="inclusive")[percent - 1]

    def __str__(self) -> str:
        late = f"late by {self.late(50):.1f} s (p50), {self.late(99):.1f} s (p99), {self.lateness[-1]:.1f} s (max)"
        cpu = f"{self.cpu_seconds / self.owed * 1e6:,.0f} us of a core each"
        return f"{self.rate:,.0f}/s; {late}; {self.doubled} doubled, {self.missing} missing; {cpu}"


def deliver(count: int, over_seconds: int, folder: Path, bars: Bars) -> Delivery:
    """Let so many reminders become due, at one moment or over so many seconds, and see them arrive."""
    path, sink = folder / "due.db", Sink(folder / "mails")
    due = Instant(int(time.time() + 2 * _seconds_to_write(count, folder) + READY_SECONDS))
    store = SqliteStore(path)
    dues = furnish(store, count, due, over_seconds=over_seconds, progress=bars("writing appointments", count))
    store.close()
    with sink.running(), _serving(path, sink.port) as server:
        if time.time() > due:
            raise RuntimeError("the machine is too busy: the server was not ready when the reminders were due")
        time.sleep(due - time.time())
        before = _cpu_seconds(server)
        _watch(sink, count, due + over_seconds, bars("delivering", count))
        cpu_seconds = _cpu_seconds(server) - before
    return _found(path, dues, sink.taken(), cpu_seconds)


def ready_made(count: int, folder: Path) -> Mapping[str, float]:
    """How many ready-made mails a second the same mail server takes from loops that do nothing else."""
    rates = {}
    for name, hand_over in (("smtplib", by_smtplib), ("aiosmtplib", by_aiosmtplib)):
        sink = Sink(folder / name)
        with sink.running():
            began = time.time()
            hand_over(sink.port, count)
            while sink.count() < count:
                time.sleep(0.05)
        rates[name] = count / (sink.taken()[-1].at - began)
    return rates


def _seconds_to_write(count: int, folder: Path) -> float:
    """About how long it takes to write so many appointments."""
    some, store = max(count // 50, 500), SqliteStore(folder / "trial.db")
    began = time.perf_counter()
    furnish(store, some, Instant(0))
    store.close()
    return (time.perf_counter() - began) * count / some


@contextmanager
def _serving(path: Path, mail_port: int) -> Iterator[int]:
    """A server with its worker, until the block ends and all that is under way is noted; yields its process id."""
    port = free_port()
    settings = {
        "DATABASE": str(path),
        "PORT": str(port),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mail_port),
        "SMTP_SECURITY": "none",
        "SMTP_FROM_ADDRESS": "desk@example.com",
        "LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "slotkeeper", "serve"]
    environment = os.environ | {f"SLOTKEEPER_{name}": value for name, value in settings.items()}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_open(port)
            yield server.pid
        finally:
            server.terminate()


def _watch(sink: Sink, count: int, until: float, advance: Advance) -> None:
    """Wait until so many have arrived, or none did for long after the last was due."""
    seen, last = 0, until
    while seen < count and time.time() < last + PATIENCE_SECONDS:
        time.sleep(0.2)
        now = sink.count()
        if now > seen:
            advance(now - seen)
            seen, last = now, max(until, time.time())
    time.sleep(0.5)  # what comes twice comes a little later


def _cpu_seconds(process: int) -> float:
    """What the process has taken of a core so far (proc(5)); nothing where no system tells."""
    try:
        facts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")


def _found(path: Path, dues: Dues, taken: list[Taken], cpu_seconds: float) -> Delivery:
    store, arrived = SqliteStore(path), Counter(mail.id for mail in taken)
    notes = (
        message.state == "sent"
        for doc in store.walk("clinic")
        if doc.key.sort == "appointment"
        for message in decoded(doc, Appointment).messages
        if message.id in dues
    )
    noted = sum(notes)
    store.close()
    return Delivery(
        owed=len(dues),
        seconds=max(mail.at for mail in taken) - min(dues.values()),
        lateness=sorted(mail.at - dues[mail.id] for mail in taken if mail.id in dues),
        doubled=sum(times > 1 for times in arrived.values()),
        missing=len(dues.keys() - arrived.keys()),
        noted=noted,
        cpu_seconds=cpu_seconds,
    )


def measure(count: int, over_seconds: int, bars: Bars) -> Delivery:
    with tempfile.TemporaryDirectory() as folder:
        return deliver(count, over_seconds, Path(folder), bars)


def figures(scale: Scale) -> Iterator[Figure]:
    """All at one moment, and in full also as many over a minute."""
    count = COUNTS[scale]
    with tempfile.TemporaryDirectory() as folder:
        rates = ready_made(min(count, HANDED), Path(folder))
    beside = "; ".join(f"{rate:,.0f}/s {name}" for name, rate in rates.items())
    for over_seconds in (0, MINUTE) if scale == "full" else (0,):
        found = measure(count, over_seconds, lambda *_: lambda _: None)
        when = "in one minute" if over_seconds else "at one moment"
        yield Figure(
            name=f"{count:,} reminders due {when}, by SMTP",
            ours=str(found),
            beside=beside,
            peer="ready-made mails, handed to the same server",
            target="" if over_seconds else f"{TARGET:,}/s, none doubled or missing",
            is_reached=found.is_whole and (bool(over_seconds) or found.rate >= TARGET),
        )


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else COUNTS["full"]
    console, table = Console(), Table(title=f"{count:,} reminders, delivered by SMTP", show_lines=True)
    for name in ("", "a second", "late (p50)", "p99", "max", "doubled", "missing", "noted", "us of a core"):
        table.add_column(name, justify="right" if name else "left")
    with tempfile.TemporaryDirectory() as folder, console.status("handing over ready-made mails"):
        for name, rate in ready_made(min(count, HANDED), Path(folder)).items():
            table.add_row(f"ready-made, {name}", f"{rate:,.0f}")
    with Progress(console=console) as progress:
        for name, seconds in (("due at one moment", 0), ("due over a minute", MINUTE)):

            def bars(what: str, total: int) -> Advance:
                task = progress.add_task(f"{name}: {what}", total=total)  # noqa: B023 - called within the round
                return lambda done: progress.advance(task, done)

            found = measure(count, seconds, bars)
            late = [f"{each:.2f} s" for each in (found.late(50), found.late(99), found.lateness[-1])]
            counts = (found.doubled, found.missing, found.noted, round(found.cpu_seconds / count * 1e6))
            table.add_row(name, f"{found.rate:,.0f}", *late, *map(str, counts))
    console.print(table)


if __name__ == "__main__":
    main()
