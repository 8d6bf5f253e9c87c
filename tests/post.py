"""Ways for tests to send and receive messages: a letter box, a real mail server, and a courier to go with them."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from slotkeeper.contracts import Letter, Sender
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.courier import Courier, Swept
from slotkeeper.embedded.worker import SWEEP, Worker
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.smtp import SmtpSender
from slotkeeper.senders.webhook import WebhookSender
from tests.builders import Setting, at


@contextmanager
def caught(kind: object, broken: object) -> Iterator[None]:
    """What is asserted within holds, save for the broken kind, which must fail it."""
    if kind is broken:
        with pytest.raises(AssertionError):
            yield
    else:
        yield


class WaitsForAll(Worker):
    """A broken worker: it goes on when the slowest peer of a sweep has answered."""

    async def _sweep(self) -> bool:
        self._count(swept := await self._courier.sweep(SWEEP))
        return swept.did_something


class LetterBox:
    """A `contracts.Sender` that keeps what it is given. `before` is called with each letter first, and may raise."""

    def __init__(self, before: Callable[[Letter], None] = lambda letter: None) -> None:
        self.before = before
        self.letters: list[Letter] = []

    async def send(self, letter: Letter) -> str:
        self.before(letter)
        self.letters.append(letter)
        await asyncio.sleep(0)
        return "kept"

    @property
    def subjects(self) -> list[str]:
        return [letter.subject for letter in self.letters]

    def reminders(self) -> list[Letter]:
        return [letter for letter in self.letters if letter.subject.startswith("Reminder")]


def a_courier(setting: Setting, sender: Sender | None = None, kind: type[Courier] = Courier, **others: Any) -> Courier:
    """A courier whose mail goes to `sender`; without one it stays in the outbox."""
    senders: Mapping[str, Sender] = {} if sender is None else {"email": sender, "webhook": sender}
    return kind(setting.store, setting.clock, senders, OutboxSender(), **others)


def sweep(courier: Courier) -> Swept:
    """One sweep, to its end; a sender that keeps connections closes them."""

    async def once() -> Swept:
        try:
            return await courier.sweep()
        finally:
            for sender in courier._senders.values():
                if isinstance(sender, SmtpSender | WebhookSender):
                    await sender.close()

    return asyncio.run(once())


def work(courier: Courier, setting: Setting, until: str) -> list[Instant]:
    """What a worker does until then: sleep until something is due, sweep; returns when it swept."""
    end, times = at(until), []
    while (due := courier.next_due()) is not None and due <= end:
        setting.clock.now = max(setting.clock.now, due)
        times.append(setting.clock.now)
        sweep(courier)
    setting.clock.now = end
    return times


class MailServer:
    """What a mail server has received; `refusals` are answers to give for recipients instead of taking their mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusals: dict[str, str] = {}
        self.recipients: list[str] = []
        self.sessions: set[int] = set()
        self.port = free_port()
        self.letters_per_session = 1_000_000
        self._counts: dict[int, int] = {}

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        count = self._counts[id(session)] = self._counts.get(id(session), 0) + 1
        if count > self.letters_per_session:
            return "421 4.7.0 enough for this connection"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        self.sessions.add(id(session))
        return "250 taken"

    @contextmanager
    def running(self, **others: Any) -> Iterator[None]:
        """Serve on the port for as long as the block lasts."""
        controller = Controller(self, hostname="127.0.0.1", port=self.port, **others)
        controller.start()
        try:
            yield
        finally:
            controller.stop()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
