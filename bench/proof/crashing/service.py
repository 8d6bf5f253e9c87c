"""A whole service that is killed again and again on one file: server, worker, mail, who asks and who waits for mail.

After each death everybody is heard: patrons hold the file against what they were told, SQLite and the doctor against
what must be true of any file, and the post against what was noted.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

from bench.proof.crashing import broken, victims
from bench.proof.crashing.killing import Fate, Victim
from bench.proof.crashing.lives import laid_out
from bench.proof.crashing.patrons import Patron, ask_all
from bench.proof.crashing.sink import Sink
from bench.proof.crashing.works import FILE
from slotkeeper.contracts import Store
from slotkeeper.core.actor import SCOPES
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.reminders import LEASE_SECONDS, Message
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant
from slotkeeper.courier.courier import Courier
from slotkeeper.desk.keys import create_key
from slotkeeper.doctor import examine
from slotkeeper.documents import decoded
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.smtp import SmtpSender
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, a_clinic, at, contact
from tests.clock import VirtualClock

DOCTORS = 8
OPENS, HALF_HOURS = at("2026-11-24T08:00:00Z"), 16
FULL_DAY, *OTHER_DAYS = (
    [Instant(OPENS + day * DAY_SECONDS + half * 1800) for half in range(HALF_HOURS)] for day in range(4)
)
EVE = at("2026-11-23T16:00:00Z")
"""All reminders for the first day that go out the day before are due."""

SECONDS, CALLS, HEARD = 0.3, 150_000, 60


@dataclass(frozen=True, slots=True)
class Load:
    """How many `patrons` ask, and whether the first day `is_full` of visits that nobody has been told of yet."""

    patrons: int
    is_full: bool


@dataclass(frozen=True, slots=True)
class Clinic:
    """A file to begin with, and a key for its API."""

    content: bytes
    key: str


@cache
def furnished(load: Load) -> Clinic:
    """A clinic, and a key for its patrons."""
    with laid_out({}) as folder:
        with closing(SqliteStore(folder / FILE)) as store:
            clinic = a_clinic(store, doctors=DOCTORS)
            with store.batch():
                for number, start in enumerate(FULL_DAY * DOCTORS if load.is_full else []):
                    clinic.book(format_instant(start), contact=contact(email=f"full-{number}@example.com"))
            key = create_key(clinic.desk, STAFF, "patrons", SCOPES).secret
        return Clinic((folder / FILE).read_bytes(), key)


@dataclass(slots=True)
class Post:
    """What has arrived, held against what the file says of each message."""

    sink: Sink
    before: Counter[str] = field(default_factory=Counter)
    noted: set[str] = field(default_factory=set)
    void: set[str] = field(default_factory=set)

    def complaints(self, messages: Mapping[str, Message]) -> Iterator[str]:
        """What is wrong with what has come since it was asked last, that is in one life."""
        arrived = self.sink.settle()
        for id, times in (arrived - self.before).items():
            if times > 1:
                yield f"{id} arrived {times} times in one life"
            if id in self.noted:
                yield f"{id} was noted as sent, and came again"
            if id in self.void:
                yield f"{id} was void, and came"
        self.before = arrived
        self.noted = {id for id, message in messages.items() if message.state == "sent"}
        self.void = {id for id, message in messages.items() if message.state == "void"}
        yield from (f"{id} is noted as sent, and never came" for id in self.noted if not arrived[id])

    def debts(self, messages: Mapping[str, Message], now: Instant) -> Iterator[str]:
        """What was due and is neither sent nor void."""
        for id, message in messages.items():
            if message.state not in ("sent", "void") and (message.due <= now or message.state != "waiting"):
                yield f"{id} is {message.state} in the end: {message.note}"


@dataclass(slots=True)
class Tally:
    """What was seen of so many kills. `unheard` are requests that were under way at a kill, and so many of them `done`;
    `twice` counts mails that came more than once."""

    kills: int = 0
    acknowledged: int = 0
    unheard: int = 0
    done: int = 0
    delivered: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


class Service:
    """The service on the file at `path`, life after life. `breaking` names a build that is broken on purpose."""

    def __init__(self, load: Load, path: Path, sink: Sink, chance: random.Random, breaking: str = broken.OURS) -> None:
        clinic = furnished(load)
        path.write_bytes(clinic.content)
        self._key, self._path, self._chance, self._breaking = clinic.key, path, chance, breaking
        sink.empty()  # each clinic is made from the same file, so its messages have the same ids
        self._post = Post(sink)
        starts = [start for day in OTHER_DAYS for start in day]
        names = [f"patron{number}" for number in range(load.patrons)]
        self._patrons = [Patron(name, starts, random.Random(chance.random())) for name in names]
        self._now = EVE
        self.tally = Tally()

    def die(self) -> None:
        """Live until a moment that is drawn, and be judged."""
        sink = self._post.sink
        fate = Fate.drawn(self._chance, seconds=SECONDS, calls=CALLS, heard=HEARD)
        victim = Victim(victims.serve, str(self._path), sink.port, self._now, self._breaking, fate=fate)
        sink.heard = victim.heard
        port = victim.begun()
        asking = ask_all(self._patrons, port, self._key, victim.heard) if port else []
        victim.end()
        for thread in asking:
            thread.join()
        self.tally.kills += victim.was_killed
        self._judge()
        # Who takes over what the dead had in hand must wait for the end of their lease.
        self._now = Instant(self._now + LEASE_SECONDS + 1)

    def _judge(self) -> None:
        with closing(SqliteStore(self._path)) as store:
            wrong = [*store.problems(), *examine(store, self._now).complaints]
            found = appointments(store)
        for patron in self._patrons:
            wrong += patron.complaints(found)
        wrong += self._post.complaints(messages(found))
        self.tally.wrong += wrong

    def drain(self) -> None:
        """Let a courier that nobody kills deliver what is due, and will be within the hour; then count."""
        clock = VirtualClock(format_instant(self._now))
        with closing(SqliteStore(self._path)) as store:
            sender = SmtpSender(victims.mail(self._post.sink.port), clock)
            courier = Courier(store, clock, {"email": sender}, OutboxSender())
            with asyncio.Runner() as runner:
                while (due := courier.next_due()) is not None and due <= self._now + 3600:
                    clock.now = max(clock.now, due)
                    runner.run(courier.sweep())
                runner.run(sender.close())
            found = messages(appointments(store))
        wrong = [*self._post.complaints(found), *self._post.debts(found, clock.now)]
        arrived = [self._post.before[id] for id in found if self._post.before[id]]
        self.tally.wrong += wrong
        self.tally.delivered = len(arrived)
        self.tally.twice = sum(times > 1 for times in arrived)
        self.tally.acknowledged = sum(patron.acknowledged for patron in self._patrons)
        self.tally.unheard = sum(len(patron.unheard) for patron in self._patrons)
        self.tally.done = sum(len(patron.done) for patron in self._patrons)


def appointments(store: Store) -> dict[str, Appointment]:
    """All there are, by id."""
    docs = store.walk("clinic/appointment/")
    return {each.id: each for each in (decoded(doc, Appointment) for doc in docs)}


def messages(found: Mapping[str, Appointment]) -> dict[str, Message]:
    """All that these appointments owe or owed, by id."""
    return {message.id: message for each in found.values() for message in each.messages}
