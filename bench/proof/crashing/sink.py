"""A real SMTP server that counts what arrives, and knows when nobody is connected any more."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.post import free_port

_ID = re.compile(rb"^Message-ID:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)


class Sink:
    """`arrived` counts the mails by their id: what was taken counts, whether or not the sender heard of it. `heard` is
    called with each."""

    def __init__(self) -> None:
        self.port = free_port()
        self.arrived: Counter[str] = Counter()
        self.heard: Callable[[], object] = lambda: None
        self._sessions = 0
        self._change = threading.Condition()

    @contextmanager
    def running(self) -> Iterator["Sink"]:
        """Take mail for as long as the block lasts."""
        controller = _Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    def settle(self) -> Counter[str]:
        """What has arrived, once nobody is connected: nothing more can come of those who were killed."""
        with self._change:
            if not self._change.wait_for(lambda: self._sessions == 0, timeout=30):
                raise RuntimeError("somebody is connected to the mail server still")
            return self.arrived.copy()

    def empty(self) -> None:
        """Forget what has arrived so far."""
        self.settle()
        self.arrived.clear()

    def count(self, difference: int) -> None:
        with self._change:
            self._sessions += difference
            self._change.notify_all()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - their name
        found = _ID.search(envelope.content if isinstance(envelope.content, bytes) else b"")
        self.arrived[found[1].decode() if found else ""] += 1
        self.heard()
        return "250 taken"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Counted(self.handler)


class _Counted(SMTP):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler.count(+1)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.event_handler.count(-1)
