"""MiniStack, a stand-in for AWS: a process of its own, in an environment of its own, on a free port.

It shows that our requests are right and our races have one winner. It does not show what AWS itself does.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import boto3

from slotkeeper.settings import AwsAccess

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-emulator" / "bin"
REGION = "us-west-1"
START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running MiniStack; `folder` holds its log and state."""

    endpoint: str
    folder: Path
    key_id: str = "test"
    secret: str = "test"

    def client(self, service: str) -> Any:
        """A boto3 client for the service."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key_id,
            aws_secret_access_key=self.secret,
        )

    @property
    def access(self) -> AwsAccess:
        """How our own code reaches it."""
        return AwsAccess(
            region=REGION,
            endpoint=self.endpoint,
            dynamodb_endpoint=self.endpoint,
            key_id=self.key_id,
            secret=self.secret,
            app="tests",
        )

    def reset(self) -> None:
        """Forget everything."""
        with urlopen(Request(f"{self.endpoint}/_ministack/reset", method="POST"), timeout=30):
            pass


@contextmanager
def emulating(folder: Path, port: int = 0, **variables: str) -> Iterator[Emulator]:
    """Run one until the block ends, on any free port unless one is named; `variables` go into its environment, such as
    `AUTH="true"`."""
    if not (ENVIRONMENT / "ministack").exists():
        raise RuntimeError("the emulator is not installed: run `make .venv-emulator/.stamp`")
    port = port or free_port()
    environ = {
        "PATH": f"{ENVIRONMENT}:{os.environ['PATH']}",
        "HOME": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "AWS_DEFAULT_REGION": REGION,
    } | variables
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [ENVIRONMENT / "ministack"], cwd=folder, env=environ, stdout=log, stderr=log, start_new_session=True
        )
        try:
            emulator = Emulator(f"http://127.0.0.1:{port}", folder)
            _wait(emulator, process)
            yield emulator
        finally:
            # The whole group: it starts a process for each warm Lambda.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(emulator: Emulator, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{emulator.endpoint}/_ministack/health", timeout=5):
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError(f"the emulator did not start:\n{(emulator.folder / 'emulator.log').read_text()[-4000:]}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
