"""Take a clinic's appointments in through the public API, run the clock forward, and count what arrived.

Real parts throughout: a SQLite file, uvicorn, HTTP clients, the courier and an SMTP server; only the clock is ours.

    python -m bench.clinic.year ROWS.csv.gz
"""

import argparse
import asyncio
import csv
import gzip
import json
import socket
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.clinic.mail import Mail, Mailbox
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.reminders import message_id
from slotkeeper.core.ticks import Instant, parse_instant
from slotkeeper.courier.courier import Courier
from slotkeeper.desk.keys import create_key
from slotkeeper.doctor import examine
from slotkeeper.documents import appointment_key, decoded
from slotkeeper.embedded.app import House, Plan, build
from slotkeeper.embedded.server import Server, configured
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota

ZONE = "Europe/Madrid"
MINUTES = 15
PLANT_EVERY = 10
BEFORE_ALL = "2023-12-29T09:00:00Z"
AFTER_ALL = "2025-01-02T00:00:00Z"
LEADS = (1440, 60)


@dataclass
class Clock:
    """A `contracts.Clock` that stands still until it is set."""

    now: Instant

    def __call__(self) -> Instant:
        return self.now


@dataclass
class Counts:
    """What happened, beside what had to happen."""

    rows: int = 0
    booked: int = 0
    cancelled: int = 0
    planted: int = 0
    planted_refused: int = 0
    wrong: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    overlaps: int = 0
    complaints: int = 0
    booking_seconds: float = 0.0
    delivery_seconds: float = 0.0
    due: int = 0
    once: int = 0
    twice: int = 0
    missing: int = 0
    void_sent: int = 0
    early_or_late: int = 0
    mails: int = 0

    @property
    def is_good(self) -> bool:
        bad = (self.wrong, self.complaints, self.overlaps, self.twice, self.missing, self.void_sent, self.early_or_late)
        return not any(bad) and self.planted == self.planted_refused > 0 and self.once == self.due > 0


Row = dict[str, str]
Advance = Callable[[int], object]


def read_rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def play(rows: list[Row], folder: Path, progress: Callable[[str, int], Advance]) -> Counts:
    """Book all rows with a rival for every tenth, cancel those that were cancelled, then let the year pass."""
    clock, counts = Clock(parse_instant(BEFORE_ALL)), Counts(rows=len(rows))
    mailbox = Mailbox(folder / "mails")
    rules = Rules(key_quota=Quota("key", 100_000_000))
    house = build(Plan(database=folder / "clinic.db", rules=rules, delivers=False), clock)
    with mailbox.running(), _served(house) as port:
        _furnish(house, port, sorted({row["provider"] for row in rows}))
        _book_all(rows, port, _key(house), counts, progress("booking", len(rows)))
        _examine(house, counts)
        _let_time_pass(house, clock, counts, mailbox, progress("delivering", len(counts.kept) * 3))
    _examine(house, counts)
    _count_mails(house, counts, mailbox.mails())
    house.store.close()
    return counts


@contextmanager
def _served(house: House) -> Iterator[int]:
    """The service on a free port, for as long as the block lasts."""
    server = Server(configured(house.app, grace_seconds=1), house.app.streams)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def _key(house: House) -> str:
    owner = Actor(business="clinic", id="bench", scopes=frozenset(SCOPES))
    return create_key(house.desk, owner, "bench", SCOPES).secret


class Client:
    """One connection to the API."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port)
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def close(self) -> None:
        self._connection.close()

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, self._headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read() or b"null")

    def must(self, method: str, path: str, body: Any) -> None:
        status, answer = self.send(method, path, body)
        if status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {status} {answer}")


def _furnish(house: House, port: int, providers: list[str]) -> None:
    """The clinic as an owner would describe it: its hours, its providers, and the visit."""
    client = Client(port, _key(house))
    day = [{"from": "00:00", "to": "24:00"}]
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), day)
    client.must("PUT", "/business", {"name": "Clinic", "zone": ZONE})
    client.must("PUT", "/schedules/open", {"name": "Open", "weekly": week})
    for provider in providers:
        resource = {"name": f"Provider {provider}", "kind": "staff", "zone": ZONE, "scheduleId": "open"}
        client.must("PUT", f"/resources/{provider}", resource)
    client.must("PUT", "/pools/providers", {"name": "Providers", "resourceIds": providers})
    visit = {"name": "Visit", "durationMinutes": MINUTES, "stepMinutes": 5, "horizonDays": 3660}
    client.must("PUT", "/services/visit", visit | {"needs": [{"anyOf": "providers"}]})
    client.close()


def _book_all(rows: list[Row], port: int, key: str, counts: Counts, advance: Advance) -> None:
    """Each provider's rows in their order, several providers at a time."""
    by_provider: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_provider[row["provider"]].append(row)
    lock, began = threading.Lock(), time.perf_counter()

    def book(mine: list[Row]) -> None:
        client = Client(port, key)
        for number, row in enumerate(mine):
            _book_one(client, row, number % PLANT_EVERY == 0, counts, lock)
            advance(1)
        client.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(book, by_provider.values()))
    counts.booking_seconds = time.perf_counter() - began


def _book_one(client: Client, row: Row, is_planted: bool, counts: Counts, lock: threading.Lock) -> None:
    wall = datetime.fromisoformat(f"{row['day']}T{row['time']}").replace(tzinfo=ZoneInfo(ZONE))
    status, answer = client.send("POST", "/appointments", _body(row, row["patient"], wall))
    rival: tuple[int, Any] = (0, {})
    if is_planted and row["status"] != "cancelled":
        rival = client.send("POST", "/appointments", _body(row, "rival", wall + timedelta(minutes=5)))
    ended = row["status"] == "cancelled" and status == 201
    if ended:
        cancelled, _ = client.send("POST", f"/appointments/{answer['appointmentId']}/cancel")
        ended = cancelled == 200
    with lock:
        if status == 201:
            counts.booked += 1
            counts.cancelled += ended
            (counts.dropped if ended else counts.kept).add(answer["appointmentId"])
        else:
            counts.wrong.append(f"row {row['row']}: {status} {answer}")
        if rival[0]:
            counts.planted += 1
            counts.planted_refused += rival[0] == 409 and rival[1]["code"] == "taken"


def _body(row: Row, patient: str, wall: datetime) -> dict[str, Any]:
    return {
        "serviceId": "visit",
        "resourceIds": [row["provider"]],
        "startTime": wall.isoformat(),
        "customerId": patient,
        "customer": {"name": row["name"], "email": f"{patient}@example.com"},
        "details": {"row": row["row"]},
    }


def _examine(house: House, counts: Counts) -> None:
    found = examine(house.store, house.desk.now())
    counts.overlaps += found.overrides
    counts.complaints += len(found.complaints) + len(list(house.store.problems()))


def _let_time_pass(house: House, clock: Clock, counts: Counts, mailbox: Mailbox, advance: Advance) -> None:
    """Set the clock to each moment at which something is due, and let the courier do it."""
    began = time.perf_counter()
    smtp = SmtpSettings(host="127.0.0.1", port=mailbox.port, sender="desk@clinic.example", security="none")
    sender = SmtpSender(smtp, clock)
    courier = Courier(house.store, clock, {"email": sender}, OutboxSender())

    async def year() -> None:
        while (due := courier.next_due()) is not None:
            clock.now = max(clock.now, due)
            swept = await courier.sweep(500)
            advance(swept.sent)
        await sender.close()

    asyncio.run(year())
    clock.now = parse_instant(AFTER_ALL)
    counts.delivery_seconds = time.perf_counter() - began


def _count_mails(house: House, counts: Counts, mails: list[Mail]) -> None:
    """Hold the mails that arrived against the reminders that were due, by their ids and to the second."""
    wanted = {message_id(f"{id}/0/reminder/{lead}/email") for id in counts.kept for lead in LEADS}
    void = {message_id(f"{id}/0/reminder/{lead}/email") for id in counts.dropped for lead in LEADS}
    arrived = Counter(mail.id for mail in mails)
    counts.due, counts.mails = len(wanted), len(mails)
    counts.once = sum(arrived[id] == 1 for id in wanted)
    counts.twice = sum(count > 1 for count in arrived.values())
    counts.missing = sum(arrived[id] == 0 for id in wanted)
    counts.void_sent = sum(id in void for id in arrived)
    starts = _starts(house, counts)
    counts.early_or_late = sum(mail.at != starts[mail.id] for mail in mails if mail.id in wanted)


def _starts(house: House, counts: Counts) -> dict[str, int]:
    """When each reminder was to be sent."""
    moments = {}
    for id in counts.kept:
        key = appointment_key("clinic", id)
        start = decoded(house.store.read([key])[key], Appointment).start
        for lead in LEADS:
            moments[message_id(f"{id}/0/reminder/{lead}/email")] = start - lead * 60
    return moments


def show(counts: Counts, console: Console) -> None:
    table = Table(title="A year of a clinic", show_header=False)
    for name, value in (
        ("rows", counts.rows),
        ("booked (201)", counts.booked),
        ("refused though free", len(counts.wrong)),
        ("planted overlaps", counts.planted),
        ("of these refused (409 taken)", counts.planted_refused),
        ("cancelled afterwards", counts.cancelled),
        ("requests/s", f"{(counts.rows + counts.planted + counts.cancelled) / counts.booking_seconds:,.0f}"),
        ("doctor's complaints", counts.complaints),
        ("mails received", counts.mails),
        ("mails/s", f"{counts.mails / counts.delivery_seconds:,.0f}"),
        ("reminders due", counts.due),
        ("delivered once, at their second", counts.once - counts.early_or_late),
        ("delivered twice", counts.twice),
        ("missing", counts.missing),
        ("sent for cancelled appointments", counts.void_sent),
    ):
        table.add_row(name, str(value))
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("rows", type=Path)
    asked = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder, Progress(console=console) as bars:

        def progress(name: str, total: int) -> Advance:
            task = bars.add_task(name, total=total)
            return lambda count: bars.advance(task, count)

        counts = play(read_rows(asked.rows), Path(folder), progress)
    show(counts, console)
    return 0 if counts.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
