"""The server as its command starts it, and what can be seen of its process from outside."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ports import free_port, wait_until_open

STOP_SECONDS = 60
NO_QUOTA = "10000000"


@dataclass(frozen=True, slots=True)
class Server:
    """A server's process, and its port."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def megabytes(self) -> float:
        """What it holds in memory now."""
        return self._status("VmRSS") / 1024

    @property
    def peak_megabytes(self) -> float:
        """The most that it has ever held in memory."""
        return self._status("VmHWM") / 1024

    @property
    def threads(self) -> int:
        return self._status("Threads")

    @property
    def open_files(self) -> int:
        """Files, sockets and pipes."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    @property
    def processor_seconds(self) -> float:
        """The processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def read_megabytes(self) -> float:
        """What had to be fetched from the disk for it, as it was not in the machine's memory."""
        counts = dict(line.split(": ") for line in Path(f"/proc/{self.process.pid}/io").read_text().splitlines())
        return int(counts["read_bytes"]) / 1e6

    def get(self, path: str, key: str = "") -> bytes:
        """The body of an answer that must be 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path, headers={"authorization": f"Bearer {key}"} if key else {})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        assert response.status == 200, (path, response.status, body)
        return body

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@contextmanager
def started(path: Path, **settings: str) -> Iterator[Server]:
    """`slotkeeper serve` of the file, just called: it may not listen yet. `settings` are those of its environment."""
    port = free_port()
    command = [sys.executable, "-m", "slotkeeper", "--database", str(path), "serve", "--port", str(port)]
    own = {"SLOTKEEPER_LIMITS_KEY_PER_MINUTE": NO_QUOTA, "SLOTKEEPER_LOG_LEVEL": "warning"}
    own |= {f"SLOTKEEPER_{name}": text for name, text in settings.items()}
    environment = {name: text for name, text in os.environ.items() if not name.startswith("SLOTKEEPER_")} | own
    log = path.with_suffix(".log")
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, cwd=path.parent, env=environment, stderr=stream) as process,
    ):
        try:
            yield Server(process, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)


@contextmanager
def serving(path: Path, **settings: str) -> Iterator[Server]:
    """As `started`, once it listens."""
    with started(path, **settings) as server:
        wait_until_open(server.port)
        yield server
