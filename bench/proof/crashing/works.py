"""What is being done when the power goes: booking and reminding, migrating, restoring, backing up."""

import hashlib
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner

from bench.proof.crashing.disk import Image
from bench.proof.crashing.lives import Life, recorded
from bench.proof.crashing.recording import recorded_calls
from slotkeeper.cli.main import cli
from slotkeeper.contracts import Change, Store
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Refused, Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import booking as bookings
from slotkeeper.desk.changing import Move, Request, act, move
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Order
from slotkeeper.doctor import examine
from slotkeeper.documents import decoded, kind_key
from slotkeeper.stores import schema
from slotkeeper.stores.restoring import restore
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic, at, contact
from tests.clock import VirtualClock
from tests.post import LetterBox, a_courier, sweep

FILE, COPY = "slotkeeper.db", "copy.db"
MONDAY = at("2026-11-23T06:00:00Z")
DAY, TICK = 86_400, 300
STATE_DIGITS = 16
EMPTY = hashlib.sha256().hexdigest()[:STATE_DIGITS]
FURNISHED = kind_key("clinic", "service", "exam")
"""What is put last when a clinic is furnished."""

NONE = "none"
OURS, NEWER = len(schema.scripts()), len(schema.scripts()) + 2
"""Versions of the schema: ours, and the one that the scripts in `newer/` lead to."""


def state_of(store: Store) -> str:
    """A digest of every document with its version."""
    seen = hashlib.sha256()
    for doc in store.walk():
        seen.update(f"{doc.key.part}\0{doc.key.sort}\0{doc.version}\0{len(doc.body)}\0".encode())
        seen.update(doc.body)
    return seen.hexdigest()[:STATE_DIGITS]


class Witness(SqliteStore):
    """The store, with somebody who takes down what it holds whenever it has acknowledged a write."""

    def __init__(self, path: Path, life: Life) -> None:
        self._life = life
        self._is_in_batch = False
        super().__init__(path)
        life.acknowledge(state_of(self))

    def commit(self, change: Change) -> None:
        super().commit(change)
        if not self._is_in_batch:
            self._life.acknowledge(state_of(self))

    @contextmanager
    def batch(self) -> Iterator[None]:
        self._is_in_batch = True
        try:
            with super().batch():
                yield
        finally:
            self._is_in_batch = False
        self._life.acknowledge(state_of(self))


class Doctor:
    """Looks at what a cut has left: each of its methods is a `Look`. What the store held before and was healthy is not
    examined again; the file always is."""

    def __init__(self) -> None:
        self._healthy: set[str] = set()

    def database(self, folder: Path) -> str:
        """What the database holds."""
        return self.whole(folder / FILE)

    def migrated(self, folder: Path) -> str:
        """Which version the file has, and what it holds once it has the newest."""
        with closing(sqlite3.connect(folder / FILE)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        with newer():
            return f"{version} {self.whole(folder / FILE)}"

    def both(self, folder: Path) -> str:
        """What the database holds, and what its copy."""
        return f"{self.whole(folder / FILE)} {self.whole(folder / COPY) if (folder / COPY).exists() else NONE}"

    def whole(self, path: Path) -> str:
        """What the store at `path` holds. Raises `Unreachable` when it is not whole."""
        with closing(SqliteStore(path)) as store:
            state = state_of(store)
            complaints = list(store.problems())
            if state not in self._healthy:
                complaints += examine(store, MONDAY).complaints
        if complaints:
            raise Unreachable(complaints[0])
        self._healthy.add(state)
        return state


def booking(image: Image, state: str, chance: random.Random, doings: int, kind: type[Witness] = Witness) -> Life:
    """A life in which people book, move and cancel, alone and together, and are reminded; a clinic is furnished first
    where there is none. It ends with closing the file."""
    with recorded(image, state) as life, closing(kind(life.recording.folder / FILE, life)) as store:
        if not store.read([FURNISHED]):
            a_clinic(store)
        clock = VirtualClock("2026-11-23T06:00:00Z")
        clinic = Setting(Desk(store, clock, lambda prefix: f"{prefix}_{chance.randbytes(16).hex()}"), clock, store)
        for _ in range(doings):
            _do_something(clinic, chance)
    return life


def _do_something(clinic: Setting, chance: random.Random) -> None:
    match chance.randrange(10):
        case 0:
            clinic.clock.forward(minutes=chance.randrange(200))
            sweep(a_courier(clinic, LetterBox()))
        case 1 | 2 | 3:
            with clinic.store.batch():
                for _ in range(chance.randrange(2, 12)):
                    _ask(clinic, chance)
        case _:
            _ask(clinic, chance)


def _ask(clinic: Setting, chance: random.Random) -> None:
    """Book, or move or cancel what is there; what the rules refuse is refused."""
    start = Instant(MONDAY + chance.randrange(1, 4) * DAY + chance.randrange(24, 132) // 6 * 6 * TICK)
    there = [decoded(doc, Appointment).id for doc in clinic.store.list("start", "clinic", limit=100).docs]
    with suppress(Refused):
        match chance.randrange(6) if there else 0:
            case 5:
                act(clinic.desk, clinic.actor, "cancel", Request(id=chance.choice(there)))
            case 4:
                move(clinic.desk, clinic.actor, Move(id=chance.choice(there), start=start))
            case _:
                who, note = contact(email=f"{chance.randrange(99)}@example.com"), "n" * chance.randrange(3000)
                order = Order(start=start, service_id="visit", contact=who, details={"note": note})
                bookings.book(clinic.desk, clinic.actor, order)


@contextmanager
def newer() -> Iterator[None]:
    """Within the block we are a later version, with more scripts."""
    folder = files("bench.proof.crashing") / "newer"
    known = [*schema.scripts(), *sorted(folder.iterdir(), key=lambda script: script.name)]
    with patch.object(schema, "scripts", lambda: known):
        yield


def migrating(image: Image, state: str) -> Life:
    """A life in which a later version opens the file, and does nothing else."""
    with recorded(image) as life, newer():
        life.states += [f"{version} {state}" for version in range(OURS, NEWER + 1)]
        SqliteStore(life.recording.folder / FILE).close()
        life.marks.append((len(life.recording.steps), NEWER - OURS))
    return life


def restoring(image: Image, state: str, backup: bytes, backed_up: str) -> Life:
    """A life in which a backup takes the place of the database, which may have a log that nobody has put away."""
    with recorded({**image, COPY: backup}, state) as life:
        with recorded_calls(life.recording):
            restore(life.recording.folder / COPY, life.recording.folder / FILE)
        life.acknowledge(backed_up)
    return life


def backing_up(image: Image, state: str, before: str = NONE) -> Life:
    """A life in which `slotkeeper backup` makes a copy, in the place of an earlier one if there is one."""
    with recorded(image, f"{state} {before}") as life:
        copy = ["backup", str(life.recording.folder / COPY), "--force"]
        with recorded_calls(life.recording):
            done = CliRunner().invoke(cli, ["--database", str(life.recording.folder / FILE), *copy])
        assert done.exit_code == 0, done.output
        life.acknowledge(f"{state} {state}")
    return life
