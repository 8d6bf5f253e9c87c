"""What each thing that people do costs in units of DynamoDB, metered on the real calls of our own store.

The API is asked as its function asks it, and the courier works as alarms have it work; behind them is an emulator. What
the meter makes of each call is held against what the emulator says of it.

    python -m bench.aws.units
"""

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.aws.meter import Meter, MeteredConnection, Units
from slotkeeper.aws.planner import wake_time
from slotkeeper.contracts import Letter
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Appointment, Endpoint
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.ticks import Instant, format_instant, parse_instant
from slotkeeper.courier.courier import Courier
from slotkeeper.desk import catalogue
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import create_key
from slotkeeper.documents import appointment_key, decoded
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.stores.dynamodb import DynamoStore
from slotkeeper.stores.signing import Credentials
from slotkeeper.web.app import Web
from slotkeeper.web.http import Request
from tests.aws.emulator import REGION, Emulator, emulating
from tests.aws.tables import a_table

OWNER = Actor(business="clinic", id="owner", scopes=frozenset(SCOPES))
NOW = parse_instant("2026-11-23T06:00:00Z")
HOUR = 3600
DOCTORS = 10
CONTACT = {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+49 30 1234567"}


class Post:
    """A sender that every letter leaves by."""

    async def send(self, letter: Letter) -> str:
        return "250 ok"


@dataclass
class Clinic:
    """A business over a metered table, with a clock that stands still until it is told to go on."""

    store: DynamoStore
    meter: Meter
    table: str
    now: Instant = NOW
    key: str = ""
    desk: Desk = field(init=False)
    web: Web = field(init=False)
    courier: Courier = field(init=False)

    def __post_init__(self) -> None:
        topic = (Endpoint("", channel="topic"),)
        self.desk = Desk(self.store, self.time, lambda prefix: f"{prefix}_{secrets.token_hex(16)}", topic)
        self.web = Web(self.desk)
        senders = {"email": Post(), "topic": Post()}
        self.courier = Courier(self.store, self.time, senders, OutboxSender(), endpoints=topic)
        _furnish(self.desk)
        self.key = create_key(self.desk, OWNER, "units", SCOPES).secret

    def time(self) -> Instant:
        """The `contracts.Clock` of all that works here."""
        return self.now

    def ask(self, method: str, path: str, body: object = None, expect: int = 200, **headers: str) -> Any:
        """Ask the API; returns the answer's body, and takes no other status than is expected."""
        path, _, query = path.partition("?")
        content = b"" if body is None else json.dumps(body).encode()
        sent = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.web.answer(Request(method, path, query, sent, content, "192.0.2.1"))
        if response.status != expect:
            raise RuntimeError(f"{method} {path} gave {response.status}: {response.body!r}")
        return json.loads(response.body) if response.body else None

    def book(self, hours: float, service: str = "visit", expect: int = 201, **others: Any) -> Any:
        """Book a visit that many hours from now."""
        body = {"serviceId": service, "startTime": self.at(hours), **others}
        return self.ask("POST", "/appointments", body, expect, idempotency_key=secrets.token_hex(16))

    def at(self, hours: float) -> str:
        """The time that many hours from now."""
        return format_instant(Instant(self.now + int(hours * HOUR)))

    def attend(self, id: str) -> None:
        """What an alarm has done for one appointment."""
        asyncio.run(self.courier.attend([appointment_key("clinic", id)]))

    def wake(self, id: str) -> Instant | None:
        """When the appointment's next alarm rings; looking is free here: the planner is told by the stream."""
        doc = self.store.read([appointment_key("clinic", id)])[appointment_key("clinic", id)]
        return wake_time(decoded(doc, Appointment))


def _furnish(desk: Desk) -> None:
    """Ten doctors and a room, each open on weekdays from 8 to 18."""
    week = Weekly(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (Opening(from_="08:00", to="18:00"),)))
    catalogue.put_profile(desk, OWNER, Business(name="Clinic at the Park", zone="Europe/Berlin"))
    catalogue.put(desk, OWNER, "schedule", "week", Schedule(name="Week", weekly=week))
    doctors = tuple(f"doctor-{number}" for number in range(DOCTORS))
    for id in (*doctors, "room"):
        catalogue.put(desk, OWNER, "resource", id, Resource(name=id, zone="Europe/Berlin", schedule_id="week"))
    catalogue.put(desk, OWNER, "pool", "doctors", Pool(name="Doctors", resource_ids=doctors))
    one, room, anyone = Need(all_of=("doctor-0",)), Need(all_of=("room",)), Need(any_of="doctors")
    for id, needs in (("visit", (one,)), ("exam", (one, room)), ("any", (anyone,))):
        visit = Service(name=id, duration_minutes=30, step_minutes=30, needs=needs, public=True)
        catalogue.put(desk, OWNER, "service", id, visit)


Deed = Callable[[Clinic], object]


def _tell(clinic: Clinic, id: str, name: str) -> tuple[str, Deed]:
    """What the courier does for an appointment when its next alarm rings."""
    due = clinic.wake(id)
    if due is None:
        raise RuntimeError(f"nothing is due where we meant: {name}")
    clinic.now = max(clinic.now, due)
    return name, lambda clinic: clinic.attend(id)


def deeds(clinic: Clinic) -> Iterator[tuple[str, Deed]]:
    """What is metered, by name. What is not part of a deed is done in between, and not counted."""
    ada: Any = {"customerId": "ada", "customer": CONTACT}
    yield BOOK, lambda clinic: clinic.book(26, **ada)
    yield "book, any of 10", lambda clinic: clinic.book(26.5, "any", **ada)
    yield "book, two resources", lambda clinic: clinic.book(27, "exam", **ada)
    yield "book a bare span, as the reviewed design", _book_bare
    yield "book on the public page", _book_publicly
    yield REFUSED, lambda clinic: clinic.book(26, expect=409, **ada)
    yield HOLD, lambda clinic: clinic.ask("POST", "/holds", {"serviceId": "visit", "startTime": clinic.at(31)}, 201)
    yield "look at one appointment", lambda clinic: clinic.ask("GET", "/appointments/none", expect=404)
    for days in (7, 30):
        yield f"slots, 1 resource x {days} days", _slots("visit", days)
        yield f"slots, any of 10 x {days} days", _slots("any", days)
    yield AGENDA, lambda clinic: clinic.ask("GET", "/appointments?limit=50")
    id = clinic.book(28, **ada)["appointmentId"]
    yield _tell(clinic, id, TELL_BOOKED)
    other = clinic.book(29, **ada)["appointmentId"]
    clinic.attend(other)
    later = {"startTime": clinic.at(30)}
    yield MOVE, lambda clinic: clinic.ask("POST", f"/appointments/{other}/reschedule", later)
    yield _tell(clinic, other, TELL_MOVED)
    third = clinic.book(29, **ada)["appointmentId"]
    clinic.attend(third)
    yield CANCEL, lambda clinic: clinic.ask("POST", f"/appointments/{third}/cancel", {})
    yield _tell(clinic, third, TELL_CANCELLED)
    yield _tell(clinic, id, REMIND_FIRST)
    yield _tell(clinic, id, REMIND_SECOND)
    yield CHECK_IN, lambda clinic: clinic.ask("POST", f"/appointments/{id}/checkIn", {})
    yield _tell(clinic, id, TELL_CHECKED_IN)
    while asyncio.run(clinic.courier.sweep()).did_something:
        pass
    yield SWEEP, lambda clinic: asyncio.run(clinic.courier.sweep())


BOOK, REFUSED, HOLD, MOVE, CANCEL = "book, one resource", "refused: taken", "hold a slot", "move, same day", "cancel"
CHECK_IN, SLOTS, AGENDA = "check in", "slots, 1 resource x 7 days", "agenda, 5 appointments"
TELL_BOOKED = "publish a booking, tell the topic, send the confirmation"
TELL_MOVED, TELL_CANCELLED = "publish and tell of a move", "publish and tell of a cancellation"
TELL_CHECKED_IN = "publish a check-in and tell the topic"
REMIND_FIRST, REMIND_SECOND, SWEEP = "send the first reminder", "send the last reminder", "sweep, nothing due"
LIFE = (BOOK, TELL_BOOKED, REMIND_FIRST, REMIND_SECOND)


def _book_bare(clinic: Clinic) -> None:
    span = {"startTime": clinic.at(24), "endTime": clinic.at(24.5)}
    body = {"userId": "user-1", **span, "details": {"purpose": "consultation"}}
    clinic.ask("POST", "/appointments", body, 201)


def _book_publicly(clinic: Clinic) -> None:
    body = {"serviceId": "visit", "startTime": clinic.at(27.5), "customer": CONTACT}
    clinic.ask("POST", "/public/clinic/appointments", body, 201, idempotency_key=secrets.token_hex(16))


def _slots(service: str, days: int) -> Deed:
    def look(clinic: Clinic) -> object:
        span = f"from={clinic.at(0)}&to={clinic.at(24 * days)}"
        return clinic.ask("GET", f"/slots?serviceId={service}&{span}")

    return look


@dataclass(frozen=True, slots=True)
class Line:
    """What one deed cost by the rules, and by what the emulator says, and the milliseconds of a processor here."""

    name: str
    ours: Units
    said: Units
    cpu_ms: float

    @property
    def agrees(self) -> str:
        """What the emulator confirms."""
        writes = (self.ours.table, self.ours.indexes) == (self.said.table, self.said.indexes)
        reads = self.ours.reads == self.said.reads
        if self.ours.writes == 0:
            return "reads" if reads else "-"
        return {(True, True): "writes, reads", (True, False): "writes", (False, True): "reads"}.get(
            (writes, reads), "-"
        )


def measure(emulator: Emulator) -> list[Line]:
    """Every deed, in a table of its own."""
    clinic = a_clinic(emulator)
    lines = []
    for name, deed in deeds(clinic):
        ours, said, began = clinic.meter.ours, clinic.meter.said, time.process_time()
        deed(clinic)
        cpu_ms = (time.process_time() - began) * 1000
        lines.append(Line(name, clinic.meter.ours - ours, clinic.meter.said - said, cpu_ms))
    clinic.store.close()
    return lines


def a_clinic(emulator: Emulator, meter: Meter | None = None) -> Clinic:
    """A clinic in a new table, metered from its first write on."""
    meter = meter or Meter()
    table, credentials = a_table(emulator), Credentials(emulator.key_id, emulator.secret)
    connection = MeteredConnection(credentials, REGION, endpoint=emulator.endpoint, meter=meter)
    return Clinic(DynamoStore(connection, table, leaves_first_due=True), meter, table)


@contextmanager
def an_emulator() -> Iterator[Emulator]:
    """An emulator of its own, until the block ends."""
    with tempfile.TemporaryDirectory() as folder, emulating(Path(folder)) as emulator:
        yield emulator


def number(units: float) -> str:
    """Units without a needless point."""
    return f"{units:g}"


def rows(lines: list[Line]) -> list[list[str]]:
    """The lines as they are shown."""
    return [
        [
            line.name,
            number(line.ours.writes),
            f"{number(line.ours.table)} + {number(line.ours.indexes)}" if line.ours.writes else "",
            number(line.ours.reads),
            str(line.ours.calls),
            f"{number(line.said.table)} + {number(line.said.indexes)}, {number(line.said.reads)}",
            line.agrees,
        ]
        for line in lines
    ]


HEAD = (
    "what is done",
    "write units",
    "table + indexes",
    "read units",
    "calls",
    "emulator: writes, reads",
    "it confirms",
)


def show(head: tuple[str, ...], table: list[list[str]]) -> None:
    """A table as Markdown."""
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in table:
        print(f"| {' | '.join(row)} |")


def main() -> None:
    with an_emulator() as emulator:
        show(HEAD, rows(measure(emulator)))


if __name__ == "__main__":
    main()
