"""A disk that is full, fails, or is locked by somebody else, under a real server with a crowd before it.

Nobody is told anything wrong, nothing is lost, and it goes on by itself when the disk does.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.day import furnish
from bench.proof.faults import broken
from bench.proof.faults.broken import Broken, told
from bench.proof.faults.crowd import CUSTOMERS, LATER, PATIENCE_SECONDS, Crowd
from bench.proof.faults.failing_disk import can_fail
from bench.proof.faults.server import Running, can_mount, running
from bench.proof.table import Row, Scale
from slotkeeper.core.appointment import Appointment
from slotkeeper.doctor import examine
from slotkeeper.documents import appointment_key, decoded
from slotkeeper.process import now
from slotkeeper.stores.sqlite import SqliteStore
from tests.post import MailServer
from tests.serving import Client

DISK_KILOBYTES = 200_000
RESOURCES = tuple(f"r{number}" for number in range(5))
LEASE_IS_OVER = 300
FINE, MADE = 200, 201
BROKEN_PATIENCE_SECONDS = 4.0


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong with the file of a running server: what to tell the server, and what ends it.

    `shows`: no write goes while it lasts, so `/ready` must say so. `broken` is a build that does not stand it, if this
    fault is the one to show that.
    """

    name: str
    begin: tuple[str, ...]
    end: str = "mend"
    shows: bool = True
    broken: Broken | None = None


FULL = Fault(
    name="every byte of the disk is taken",
    begin=("fill",),
    end="empty",
    broken=broken.ANSWERS_WHATEVER_THE_COMMIT_SAYS,
)
FULL_WITHOUT_A_DISK = msgspec.structs.replace(FULL, name="writes find no space", begin=("full 1",), end="mend")
FAULTS = (
    Fault(
        name="files may not be written beyond a size (a quota)",
        begin=("quota",),
        end="no-quota",
        shows=False,
        broken=broken.NEVER_COMES_BACK,
    ),
    Fault(
        name="every write is an I/O error",
        begin=("fail write 1",),
        broken=broken.TELLS_A_FAILURE_AS_OUR_FAULT,
    ),
    Fault(name="every sync is an I/O error", begin=("fail sync 1",)),
    Fault(
        name="every read is an I/O error",
        begin=("fail read 1",),
        shows=False,
        broken=broken.READS_A_FAILURE_AS_NOTHING,
    ),
    Fault(
        name="one in five reads, writes and syncs fails",
        begin=("fail read 0.2", "fail write 0.2", "fail sync 0.2"),
        shows=False,
    ),
    Fault(name="another process holds the write lock, and is killed", begin=("lock",), end="unlock"),
    Fault(name="the file is moved away, and put back", begin=("move",), end="put-back"),
)


class Few(NamedTuple):
    """How many bookings are waited for before and after a fault, and how many refusals while it lasts."""

    bookings: int
    refusals: int


QUICK, FULL_SCALE = Few(12, CUSTOMERS), Few(60, 40)


class Told(msgspec.Struct, kw_only=True):
    """How one fault went: how often 503 was answered while it lasted, and how many seconds after it the first booking
    was made again."""

    fault: Fault
    refused: int = 0
    recovered: float = 0.0
    complaints: list[str] = msgspec.field(default_factory=list)


class Ordeal(msgspec.Struct, kw_only=True):
    """How a server stood a number of faults, one after the other, and what was found in its file afterwards."""

    told: list[Told] = msgspec.field(default_factory=list)
    booked: int = 0
    slowest: float = 0.0
    slowest_search: float = 0.0
    complaints: list[str] = msgspec.field(default_factory=list)

    @property
    def all_complaints(self) -> list[str]:
        return [*self.complaints, *(each for told in self.told for each in told.complaints)]


def faults_here() -> tuple[Fault, ...]:
    """Those that can be made on this machine."""
    if can_fail():
        return (FULL if can_mount() else FULL_WITHOUT_A_DISK, *FAULTS)
    own = tuple(each for each in FAULTS if not each.begin[0].startswith("fail"))
    return (FULL, *own) if can_mount() else own


def endure(
    faults: Sequence[Fault],
    *,
    code: str = "",
    few: Few = QUICK,
    patience: float = PATIENCE_SECONDS,
) -> Ordeal:
    """Let a server book, meet each fault until so many were told 503, and book again; then look into its file."""
    found = Ordeal()
    small = DISK_KILOBYTES if FULL in faults else 0
    with tempfile.TemporaryDirectory() as folder:
        file, post = Path(folder) / "day.db", MailServer()
        key = furnish(file)
        with post.running():
            with running(file, post.port, code=code, disk_kilobytes=small) as server:
                crowd = Crowd(server.port, key, RESOURCES, patience)
                with crowd.at_work():
                    for fault in faults:
                        found.told.append(_meet(fault, server, crowd, few))
                        if found.all_complaints:
                            break
                _deliver_the_rest(server, crowd, post, patience)
            found.booked, found.slowest, found.slowest_search = len(crowd.won), crowd.slowest, crowd.slowest_search
        found.complaints += [*crowd.complaints, *_wrong_in_file(file, crowd), *_wrong_in_post(post, crowd)]
    return found


def _meet(fault: Fault, server: Running, crowd: Crowd, few: Few) -> Told:
    told = Told(fault=fault)
    try:
        if not crowd.answers[LATER]:
            crowd.until(MADE, few.bookings)
        before = crowd.answers[LATER] + crowd.searches[LATER]
        for order in fault.begin:
            server.tell(order)
        crowd.until(LATER, few.refusals, crowd.patience)
        during = _ready(server)
        server.tell(fault.end)
        told.refused = crowd.answers[LATER] + crowd.searches[LATER] - before
        told.recovered = crowd.until(MADE, few.bookings, crowd.patience)
        if (after := _ready(server)) != FINE or (fault.shows and during != LATER):
            told.complaints.append(f"{fault.name}: /ready said {during}, and {after} when it was over")
    except TimeoutError as late:
        told.complaints.append(f"{fault.name}: {late}")
    return told


def _ready(server: Running) -> int:
    with Client(server.port) as client:
        return client.get("/ready").status


def _deliver_the_rest(server: Running, crowd: Crowd, post: MailServer, patience: float) -> None:
    """Let the leases of what was claimed and not noted run out, and wait until every confirmation has come."""
    server.tell("shift", LEASE_IS_OVER)
    end = time.monotonic() + patience
    with Client(server.port) as client:
        while _confirmed(post) < {wish.id for wish in crowd.won.values()} and time.monotonic() < end:
            client.post("/nothing")  # whatever could write wakes the worker
            time.sleep(0.5)


def _confirmed(post: MailServer) -> set[str]:
    return {recipient.partition("@")[0] for recipient in post.recipients}


def _wrong_in_file(file: Path, crowd: Crowd) -> Iterator[str]:
    """Whether the file holds what was acknowledged, nothing else, and that in order."""
    store = SqliteStore(file)
    try:
        yield from store.problems()
        checked = examine(store, now())
        yield from checked.complaints
        if checked.appointments != len(crowd.won):
            yield f"{len(crowd.won)} bookings were acknowledged, and {checked.appointments} are in the file"
        for (resource, start), wish in crowd.won.items():
            key = appointment_key("shop", crowd.appointments[wish.id])
            doc = store.read([key]).get(key)
            if doc is None:
                yield f"{wish.id}'s booking was acknowledged, and is lost"
                continue
            kept = decoded(doc, Appointment)
            if (kept.start, kept.resource_ids) != (start, (resource,)):
                yield f"{wish.id}'s booking is kept as {kept.resource_ids} at {kept.start}"
    finally:
        store.close()


def _wrong_in_post(post: MailServer, crowd: Crowd) -> Iterator[str]:
    told = _confirmed(post)
    for wish in crowd.won.values():
        if wish.id not in told:
            yield f"{wish.id}'s confirmation never came"
    for id in told - {wish.id for wish in crowd.won.values()}:
        yield f"{id} was sent a confirmation of nothing"
    for id, count in Counter(str(mail["Message-ID"]) for mail in post.mails).items():
        if count > 1:
            yield f"the mail {id} came {count} times"


def rows(scale: Scale) -> Iterator[Row]:
    """A row for each fault, and one for what was found afterwards."""
    faults, rounds = faults_here(), 1 if scale == "quick" else 25
    found = endure(faults * rounds, few=QUICK if scale == "quick" else FULL_SCALE)
    caught = _caught(faults)
    for fault in faults:
        mine = [each for each in found.told if each.fault == fault]
        yield Row(
            claim="a store that fails is answered 503 with Retry-After, never 500 and never as free",
            tried=f"{fault.name}, while {CUSTOMERS} book and one searches"
            + (f": {len(mine)} times" if rounds > 1 else ""),
            found=_summary(mine),
            holds=not any(each.complaints for each in mine),
            broken="" if fault.broken is None else told(fault.broken, caught[fault]),
            is_caught=fault.broken is None or bool(caught[fault]),
        )
    yield _afterwards(found)


def _caught(faults: Sequence[Fault]) -> dict[Fault, list[str]]:
    """What was found wrong with each build that is broken on purpose."""

    def found(fault: Fault) -> list[str]:
        assert fault.broken is not None
        return endure([fault], code=fault.broken.code, patience=BROKEN_PATIENCE_SECONDS).all_complaints

    broken = [fault for fault in faults if fault.broken is not None]
    with ThreadPoolExecutor() as pool:
        return dict(zip(broken, pool.map(found, broken), strict=True))


def _summary(told: Sequence[Told]) -> str:
    if complaints := [complaint for each in told for complaint in each.complaints]:
        return complaints[0]
    refused, slowest = sum(each.refused for each in told), max((each.recovered for each in told), default=0.0)
    return f"{refused:,} times 503; the first booking {slowest:.2f} s after it was over, at most"


def _afterwards(found: Ordeal) -> Row:
    wrong = (
        found.complaints[0] if found.complaints else "none lost, none doubled, none half, each confirmed by one mail"
    )
    return Row(
        claim="what was acknowledged is kept, also when the disk failed in between",
        tried=f"the file and the post after {len(found.told)} faults, by the doctor and one by one",
        found=(
            f"{found.booked:,} bookings: {wrong}; the slowest answer took {found.slowest:.1f} s to a booking, "
            f"{found.slowest_search:.1f} s to a search"
        ),
        holds=not found.complaints,
    )
