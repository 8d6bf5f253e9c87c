"""The peer as it is measured: its database, its shop, and uvicorn with one worker or more."""

import http.client
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers import cluster
from bench.ports import free_port, wait_until_open

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".venv-peers/bin/python"
POOL = 16
"""Connections to PostgreSQL, in all."""

START_SECONDS, LOOK_SECONDS = 60, 0.005

EMPTY = "TRUNCATE appointment, claim, message, event, idempotency_key; CHECKPOINT"
AWAKE = "SELECT count(*) FROM pg_stat_activity WHERE client_port = -1 AND backend_type = 'client backend'"


@dataclass(frozen=True, slots=True)
class Peer:
    """A database with a shop in it, and the shop's key."""

    cluster: cluster.Cluster
    key: str

    @contextmanager
    def opened(self, workers: int) -> Iterator[tuple[int, str]]:
        """Serve the shop, with nothing booked; yields the port and the key."""
        self.cluster.run(EMPTY)
        with self._started(workers) as (server, port):
            self._wait_for(server, workers)
            wait_until_open(port)
            yield port, self.key

    def first_answer(self) -> float:
        """The seconds from the command until a booking is answered, the first as all others."""
        body = b'{"serviceId": "none", "startTime": "2030-01-01T00:00:00Z"}'
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        began = time.perf_counter()
        with self._started(workers=1) as (_, port):
            wait_until_open(port, LOOK_SECONDS)
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("POST", "/appointments", body, headers)
            status = connection.getresponse().status
            seconds = time.perf_counter() - began
            connection.close()
        assert status == 404, status
        return seconds

    @contextmanager
    def _started(self, workers: int) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
        port = free_port()
        options = ["--loop=uvloop", "--http=httptools", "--no-access-log", "--log-level=error"]
        command = [str(PYTHON), "-m", "uvicorn", "bench.peers.app:app", f"--port={port}", f"--workers={workers}"]
        settings = {"PEER_DSN": self.cluster.dsn, "PEER_POOL": str(POOL // workers)}
        with subprocess.Popen([*command, *options], cwd=ROOT, env=os.environ | settings) as server:
            try:
                yield server, port
            finally:
                server.terminate()

    def _wait_for(self, server: "subprocess.Popen[bytes]", workers: int) -> None:
        """Until every worker has its connections to the database, and one that listens; psql counts itself."""
        until = time.monotonic() + START_SECONDS
        while int(self.cluster.run(AWAKE)) < POOL + workers + 1:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the peer did not start")
            time.sleep(0.1)


@contextmanager
def furnished(resources: int, minutes: int) -> Iterator[Peer]:
    """The peer's database, with a shop of so many resources and a service of so many minutes.

    Raises:
        Absent: there is no PostgreSQL here, or no environment for the peer.
    """
    if not PYTHON.exists():
        raise cluster.Absent("the peer is not installed: make .venv-peers/.stamp")
    with cluster.running() as database:
        key = f"sk_{secrets.token_hex(24)}"
        database.run((HERE / "schema.sql").read_text())
        database.run((HERE / "shop.sql").read_text(), {"key": key, "resources": resources, "minutes": minutes})
        yield Peer(database, key)
