"""A mail server in a process of its own, that notes the id of each mail and when, by its own word, it was written.

python -m bench.clinic.mail PORT FILE
"""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Event

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_ID = re.compile(rb"^Message-ID:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(rb"^Date: ([^\r\n]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mail:
    """`at` is the time in its head, in whole seconds since 1970."""

    id: str
    at: int


class Mailbox:
    """Where mails arrive, in the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take mail for as long as the block lasts."""
        command = [sys.executable, "-m", "bench.clinic.mail", str(self.port), str(self._path)]
        with subprocess.Popen(command) as server:
            try:
                self._wait()
                yield
            finally:
                server.terminate()

    def mails(self) -> list[Mail]:
        """What has arrived, in that order."""
        lines = self._path.read_text().splitlines()
        return [Mail(id, int(at)) for id, _, at in (line.partition(" ") for line in lines)]

    def _wait(self) -> None:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise RuntimeError("the mail server did not start")


class _Handler:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        id, date = _ID.search(content), _DATE.search(content)
        at = int(parsedate_to_datetime(date[1].decode()).timestamp()) if date else 0
        self._file.write(f"{id[1].decode() if id else '-'} {at}\n")
        return "250 taken"


def main() -> None:
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    controller = Controller(_Handler(Path(sys.argv[2])), hostname="127.0.0.1", port=int(sys.argv[1]))
    controller.start()
    stop.wait()
    controller.stop()


if __name__ == "__main__":
    main()
