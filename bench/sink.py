"""A mail server that takes whatever comes, as fast as may be, and notes the id of each mail and when it was taken.

It speaks just enough of SMTP (RFC 5321, with PIPELINING) for senders to be measured by: aiosmtpd, the real server of
our tests, takes a few hundred mails a second, which would be the figure then.

    python -m bench.sink PORT FILE
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

from bench.ports import free_port, wait_until_open

FLUSH_SECONDS = 0.2

_ID = re.compile(rb"^Message-ID:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)
_END = b"\r\n.\r\n"
_ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail's id, and when the server had the whole of it: seconds since 1970."""

    id: str
    at: float


class Sink:
    """The server, in a process of its own."""

    def __init__(self, path: Path) -> None:
        """What is taken is noted in the file at `path`, within `FLUSH_SECONDS`."""
        self._path = path
        path.touch()
        self._read, self._counted = 0, 0
        self.port = free_port()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take mail for as long as the block lasts."""
        command = [sys.executable, "-m", "bench.sink", str(self.port), str(self._path)]
        with subprocess.Popen(command) as server:
            try:
                wait_until_open(self.port)
                yield
            finally:
                server.terminate()

    def count(self) -> int:
        """How many mails have been noted."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        self._read += len(fresh)
        self._counted += fresh.count(b"\n")
        return self._counted

    def taken(self) -> list[Taken]:
        """The mails that have been noted, in the order in which they came."""
        lines = (line.partition(" ") for line in self._path.read_text().splitlines())
        return [Taken(id, float(at)) for id, _, at in lines]


class _Connection(asyncio.Protocol):
    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._rest = b""
        self._is_mail = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._rest += data
        answers = []
        while answer := self._taken() if self._is_mail else self._answered():
            answers.append(answer)
        self._transport.write(b"".join(answers))

    def _answered(self) -> bytes:
        """The answer to the next command; empty while it has not come."""
        line, end, rest = self._rest.partition(b"\r\n")
        if not end:
            return b""
        self._rest = rest
        verb = line[:4].upper()
        self._is_mail = verb == b"DATA"
        return _ANSWERS.get(verb, b"250 ok\r\n")

    def _taken(self) -> bytes:
        """The answer to the mail; empty while it has not come whole."""
        mail, end, rest = self._rest.partition(_END)
        if not end:
            return b""
        self._rest, self._is_mail = rest, False
        id = _ID.search(mail)
        self._notes.append(f"{id[1].decode() if id else '-'} {time.time():.6f}\n")
        return b"250 taken\r\n"


async def serve(port: int, path: Path) -> None:
    """Take mail until the process is ended."""
    notes: list[str] = []
    await asyncio.get_running_loop().create_server(lambda: _Connection(notes), "127.0.0.1", port)
    with path.open("a") as file:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            file.writelines(notes)
            file.flush()
            notes.clear()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
