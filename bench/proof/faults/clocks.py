"""Clocks that jump under a real server: nothing fails, and every reminder comes once.

The server's clock is set off by an hour or a day, as by an administrator, a host that woke up, or a machine that keeps
local time on the nights when clocks change; then it is right again, and time goes on. Nobody wakes the worker.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.day import furnish
from bench.proof.faults import broken
from bench.proof.faults.broken import told
from bench.proof.faults.server import Running, running
from bench.proof.table import Row, Scale
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.documents import decoded
from slotkeeper.process import now
from slotkeeper.stores.sqlite import SqliteStore
from tests.post import MailServer
from tests.serving import Client, Reply

PATIENCE_SECONDS, BROKEN_PATIENCE_SECONDS = 20.0, 1.0
HOUR, DAY, QUARTER = 3600, 86_400, 900
STARTS = (2 * HOUR, 12 * HOUR, 30 * HOUR, 50 * HOUR, 100 * HOUR)
"""How long from the first moment the visits are away: some begin before the clock that is ahead, some after."""
JUMPS = {"an hour ahead": HOUR, "an hour behind": -HOUR, "a day ahead": DAY, "a day behind": -DAY}
LOOKS_OFTEN = """
from slotkeeper.embedded.worker import Worker
Worker.__init__.__kwdefaults__["longest_sleep"] = 0.1
"""
"""The worker looks at the clock every half minute; so long nobody wants to wait here."""


class Days(msgspec.Struct, kw_only=True):
    """How some days with a clock that jumped went."""

    visits: int = 0
    reminders: int = 0
    early: int = 0
    answers: Counter[int] = msgspec.field(default_factory=Counter)
    complaints: list[str] = msgspec.field(default_factory=list)


def live_through(jumps: dict[str, int], code: str = LOOKS_OFTEN, patience: float = PATIENCE_SECONDS) -> Days:
    """Book visits, let the clock jump and come back, as often as there are jumps, then let the days pass. At each step
    the worker has up to `patience` seconds to do what is due."""
    days = Days()
    with tempfile.TemporaryDirectory() as folder:
        file, post = Path(folder) / "day.db", MailServer()
        key = furnish(file)
        with post.running(), running(file, post.port, code=code) as server:
            first = Instant(now() // QUARTER * QUARTER + QUARTER)
            for number, (name, seconds) in enumerate(jumps.items()):
                with Client(server.port, key) as client:
                    _book(client, days, f"r{number}", first)
                _set(server, 0, patience)
                _set(server, seconds, patience)
                with Client(server.port, key) as client:  # a new one: the server closes those that rest for long
                    _do_a_bit_of_everything(client, days, f"r{number}", Instant(now() + seconds), name)
                _set(server, 0, patience)
            days.early = _reminders(post)
            for passed in _moments():
                _set(server, first - now() + passed, patience)
        days.complaints += _wrong(file, post, days)
    return days


def _moments() -> Iterator[int]:
    """The seconds from the first moment on at which something is due, and a bit."""
    yield from sorted({start - lead + 5 for start in STARTS for lead in (DAY, HOUR) if start > lead})


def _set(server: Running, seconds: int, patience: float) -> None:
    server.tell("shift", seconds)
    server.tell("calm", patience)


def _book(client: Client, days: Days, resource: str, first: Instant) -> None:
    for start in STARTS:
        days.visits += 1
        body = {
            "serviceId": "visit",
            "startTime": format_instant(Instant(first + start)),
            "resourceIds": [resource],
            "customer": {"name": "Ada", "email": f"{resource}-{start}@example.com"},
        }
        _note(days, client.post("/appointments", body), "booking", {201})


def _do_a_bit_of_everything(client: Client, days: Days, resource: str, by_clock: Instant, name: str) -> None:
    """Ask what people ask while the clock is off, for times that lie well ahead by any clock."""
    free = Instant(by_clock // QUARTER * QUARTER + 5 * DAY)
    wish = {"serviceId": "visit", "startTime": format_instant(free), "resourceIds": [resource]}
    held = client.post("/holds", wish)
    _note(days, held, f"holding, {name}", {201})
    booked = client.post("/appointments", {**wish, "holdId": held.body["id"], "customer": {"name": "Bea"}})
    _note(days, booked, f"booking, {name}", {201})
    _note(days, client.post("/appointments", {**wish, "customer": {"name": "Eve"}}), f"booking twice, {name}", {409})
    mine = f"/appointments/{booked.body['appointmentId']}"
    later = {"startTime": format_instant(Instant(free + HOUR))}
    _note(days, client.post(f"{mine}/reschedule", later), f"moving, {name}", {200})
    _note(days, client.post(f"{mine}/cancel", {}), f"cancelling, {name}", {200})
    for path in ("/slots?serviceId=visit", "/appointments", "/notifications", "/events", "/ready"):
        _note(days, client.get(path), f"{path}, {name}", {200})


def _note(days: Days, reply: Reply, what: str, fine: set[int]) -> None:
    days.answers[reply.status] += 1
    if reply.status not in fine:
        days.complaints.append(f"{what}: answered {reply.status} {reply.body}")


def _reminders(post: MailServer) -> int:
    return sum(str(mail["Subject"]).startswith("Reminder") for mail in post.mails)


def _wrong(file: Path, post: MailServer, days: Days) -> Iterator[str]:
    """Whether each message was sent, once, save the reminders of what was moved or cancelled."""
    came = Counter(str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in post.mails)
    for id, count in came.items():
        if count > 1:
            yield f"the mail {id} came {count} times"
    store = SqliteStore(file)
    for doc in store.walk("shop/appointment/"):
        appointment = decoded(doc, Appointment)
        if not appointment.contact.email:
            continue
        for message in appointment.messages:
            days.reminders += message.kind == "reminder"
            if message.state != "sent" or message.id not in came:
                yield f"a {message.kind} of {format_instant(appointment.start)} is {message.state} {message.note}"
    store.close()


def rows(scale: Scale) -> Iterator[Row]:
    """A row for the jumps, and who fails."""
    rounds = 1 if scale == "quick" else 10
    days = [live_through(JUMPS) for _ in range(rounds)]
    complaints = [complaint for each in days for complaint in each.complaints]
    answers = sum((each.answers for each in days), Counter[int]())
    tried = f"{', '.join(JUMPS)}, and back each time; {sum(each.visits for each in days)} visits were booked before"
    for build in (broken.SLEEPS_BY_THE_WALL_CLOCK, broken.GIVES_UP_FOR_GOOD):
        caught = live_through({"a day ahead": DAY}, build.code, BROKEN_PATIENCE_SECONDS).complaints
        yield Row(
            claim="a clock that jumps loses no reminder, doubles none, and makes nothing fail",
            tried=tried,
            found=complaints[0] if complaints else _summary(days, answers),
            holds=not complaints,
            broken=told(build, caught),
            is_caught=bool(caught),
        )


def _summary(days: list[Days], answers: Counter[int]) -> str:
    return (
        f"{sum(each.reminders for each in days)} reminders, each came once, {sum(each.early for each in days)} of them "
        f"early by a clock that was ahead; {answers.total()} requests meanwhile, none answered 5xx"
    )
