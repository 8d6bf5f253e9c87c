"""Mail servers and webhook endpoints that are down, slow or failing for an hour: what is owed arrives afterwards.

Real senders speak to real sockets; the hour passes on a virtual clock, as the courier's pauses are minutes and hours.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import msgspec

from bench.proof.faults import peers
from bench.proof.faults.peers import Taken, Talk, endpoint, listening, mail_server
from bench.proof.table import Row, Scale
from slotkeeper.contracts import Letter, Sender
from slotkeeper.courier.claiming import Job
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.log import dead_letters
from slotkeeper.courier.noting import Outcome
from slotkeeper.desk.catalogue import put_on_shelf
from slotkeeper.documents import Webhook
from slotkeeper.senders.options import SmtpSettings, WebhookSettings
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.smtp import SmtpSender
from slotkeeper.senders.webhook import WebhookSender
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, contact
from tests.post import MailServer, free_port, work

Channel = Literal["email", "webhook"]

DOWN_UNTIL, END = "2026-11-23T07:00:00Z", "2026-11-23T12:00:00Z"
"""The clinic's clock begins at six."""
START = "2026-11-26T09:00:00Z"
TROUBLE_SECONDS, PATIENCE_SECONDS = 0.3, 15.0
"""How long we wait for a peer that misbehaves, as this must not take long, and for one that is well."""
FINE = b"HTTP/1.1 204 Fine\r\n\r\n"


class DropsWhatFailed(Courier):
    """A courier that is broken on purpose: what fails is let go."""

    async def _outcome(self, job: Job, letter: Letter, sender: Sender) -> Outcome:
        outcome = await super()._outcome(job, letter, sender)
        return Outcome(job, "void", outcome.answer) if outcome.result == "failed" else outcome


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """How a peer misbehaves for an hour; None: nobody is there. What it `took` without a word it may have kept, and it
    may come twice. `most`: so often at most it wants to be asked for each letter; then its answer is waited for as
    that of a peer that is well."""

    channel: Channel
    name: str
    talk: Talk | None
    took: Taken = msgspec.field(default_factory=Taken)
    most: int | None = None


def troubles() -> list[Trouble]:
    """All of them, each to be used once."""
    mail: dict[str, Talk | None] = {
        "is not there": None,
        "accepts and says nothing": peers.says_nothing,
        "drips bytes without end": peers.drips,
        "hangs up at once": peers.hangs_up,
        "answers 421 to everybody": peers.is_full,
        "answers 450 to each recipient": mail_server(b"250 OK\r\n", rcpt=b"450 4.2.1 later\r\n"),
        "answers 451 to each letter": mail_server(b"451 4.3.0 later\r\n"),
    }
    hooks: dict[str, Talk | None] = {
        "is not there": None,
        "accepts and says nothing": peers.says_nothing,
        "drips bytes without end": peers.drips,
        "hangs up at once": peers.hangs_up,
        "answers what is no HTTP": endpoint(b"what?\r\n\r\n"),
        "answers 500": endpoint(_answer("500 Oh")),
    }
    return [
        *(Trouble(channel="email", name=name, talk=talk) for name, talk in mail.items()),
        _keeping("email", "takes a letter and says nothing more", lambda took: mail_server(None, taken=took)),
        _keeping("email", "takes a letter and hangs up", lambda took: mail_server(b"", taken=took)),
        *(Trouble(channel="webhook", name=name, talk=talk) for name, talk in hooks.items()),
        _keeping("webhook", "reads and says nothing", lambda took: endpoint(None, took)),
        _keeping("webhook", "reads and hangs up", lambda took: endpoint(b"", took)),
        _asking("answers 503 with Retry-After: 1200", _answer("503 Busy", "retry-after: 1200"), most=4),
        _asking("answers 429 with Retry-After: 900", _answer("429 Slow", "retry-after: 900"), most=5),
    ]


def _keeping(channel: Channel, name: str, talk: Callable[[Taken], Talk]) -> Trouble:
    took = Taken()
    return Trouble(channel=channel, name=name, talk=talk(took), took=took)


def _asking(name: str, answer: bytes, most: int) -> Trouble:
    took = Taken()
    return Trouble(channel="webhook", name=name, talk=endpoint(answer, took), took=took, most=most)


def _answer(status: str, *heads: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *heads, "content-length: 0", "", ""]).encode()


class Hours(msgspec.Struct, kw_only=True):
    """How the hour went, and those after it: the letters that came, how many of them the peer had taken before without
    saying so, and what was wrong."""

    letters: int = 0
    twice: int = 0
    complaints: list[str] = msgspec.field(default_factory=list)


def endure(trouble: Trouble, *, visits: int = 4, kind: type[Courier] = Courier) -> Hours:
    """Book visits of which a peer is to be told that misbehaves for an hour, while the other is well; then both are."""
    post, hooks, hook_port = MailServer(), Taken(), free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as always:
        clinic = a_clinic(SqliteStore(Path(folder) / "clinic.db"), doctors=visits)
        always.callback(clinic.store.close)
        is_mail = trouble.channel == "email"
        quick, slow = TROUBLE_SECONDS if trouble.most is None else PATIENCE_SECONDS, PATIENCE_SECONDS
        hasty = _courier(clinic, post.port, kind, *((quick, slow) if is_mail else (slow, quick)))
        put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url=f"http://127.0.0.1:{hook_port}/"))
        for number in range(visits):
            clinic.book(START, contact=contact(email=f"{number}@example.com"))
        always.enter_context(listening(endpoint(FINE, hooks), hook_port) if is_mail else post.running())
        with ExitStack() as hour:
            if trouble.talk is not None:
                hour.enter_context(listening(trouble.talk, post.port if is_mail else hook_port))
            work(hasty, clinic, DOWN_UNTIL)
            others = len(hooks) if is_mail else len(post.mails)
        with post.running() if is_mail else listening(endpoint(FINE, hooks), hook_port):
            work(_courier(clinic, post.port, kind, slow, slow), clinic, END)
        dead = len(dead_letters(clinic.store, "clinic").notifications)
    came = {"email": [str(mail["Message-ID"]) for mail in post.mails], "webhook": [_hook_id(head) for head in hooks]}
    return _judged(trouble, visits, others, dead, Counter(came[trouble.channel]))


def _judged(trouble: Trouble, visits: int, others: int, dead: int, came: Counter[str]) -> Hours:
    hours = Hours(letters=came.total(), twice=len(came) if trouble.took and trouble.most is None else 0)
    if others != visits:
        hours.complaints.append(f"of {visits} letters to the other peer {others} came meanwhile")
    if (len(came), came.total()) != (visits, visits):
        hours.complaints.append(f"of {visits} letters {len(came)} came, {came.total()} in all")
    if dead:
        hours.complaints.append(f"{dead} letters were given up")
    if trouble.most is not None and len(trouble.took) > visits * trouble.most:
        hours.complaints.append(f"it was asked {len(trouble.took)} times, not {visits * trouble.most} at most")
    return hours


def _hook_id(head: str) -> str:
    return head.lower().partition("webhook-id: ")[2].partition("\r\n")[0]


def _courier(clinic: Setting, mail_port: int, kind: type[Courier], mail: float, hook: float) -> Courier:
    """A courier that waits so many seconds for the mail server, and for an endpoint."""
    smtp = SmtpSettings(
        host="127.0.0.1",
        port=mail_port,
        sender="desk@clinic.example",
        security="none",
        timeout_seconds=mail,
    )
    hooks = WebhookSettings(timeout_seconds=hook, is_private_allowed=True)
    senders: Mapping[str, Sender] = {
        "email": SmtpSender(smtp, clinic.clock),
        "webhook": WebhookSender(hooks, clinic.clock),
    }
    return kind(clinic.store, clinic.clock, senders, OutboxSender())


def rows(scale: Scale) -> Iterator[Row]:
    """A row for each channel."""
    visits = 4 if scale == "quick" else 100
    for channel in ("email", "webhook"):
        mine = [each for each in troubles() if each.channel == channel]
        with ThreadPoolExecutor() as pool:
            hours = list(pool.map(lambda trouble: endure(trouble, visits=visits), mine))
        pairs = zip(mine, hours, strict=True)
        complaints = [f"{each.name}: {hour.complaints[0]}" for each, hour in pairs if hour.complaints]
        caught = endure(next(each for each in troubles() if each.channel == channel), kind=DropsWhatFailed).complaints
        yield Row(
            claim="a peer that is down, slow or failing loses nothing, and holds up nobody else's letters",
            tried=f"{channel}, for an hour each: the peer " + ", ".join(each.name for each in mine),
            found=complaints[0] if complaints else _summary(hours),
            holds=not complaints,
            broken=f"drops what failed: {caught[0] if caught else 'nothing was found'}",
            is_caught=bool(caught),
        )


def _summary(hours: list[Hours]) -> str:
    return (
        f"{sum(each.letters for each in hours):,} letters, each acknowledged once and none given up; "
        f"{sum(each.twice for each in hours)} had been taken without a word before, so they came again with their id"
    )
