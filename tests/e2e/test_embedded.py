"""The journeys in the embedded home: `slotkeeper serve` in a process of its own, with a real mail server."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path

import pytest

from tests.e2e import journeys
from tests.e2e.journeys import Mail
from tests.post import MailServer, free_port
from tests.serving import Client, Reply


class EmbeddedHome:
    """A server that runs, and its mail server."""

    def __init__(self, port: int, key: str, post: MailServer) -> None:
        self._port, self._key, self._post = port, key, post

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        with Client(self._port, self._key) as client:
            return client.ask(method, path, body, **headers)

    def mails(self) -> list[Mail]:
        return [Mail(parseaddr(str(mail["to"]))[1], str(mail["subject"])) for mail in self._post.mails]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedHome]:
    folder, port, post = tmp_path_factory.mktemp("home"), free_port(), MailServer()
    settings = {
        "SLOTKEEPER_PORT": str(port),
        "SLOTKEEPER_SMTP_HOST": "127.0.0.1",
        "SLOTKEEPER_SMTP_PORT": str(post.port),
        "SLOTKEEPER_SMTP_SECURITY": "none",
        "SLOTKEEPER_SMTP_FROM_ADDRESS": "desk@example.com",
    }
    key = json.loads(_run(folder, "init", "Clinic", "--zone", "Europe/Berlin", "--json"))["secret"]
    with post.running():
        server = subprocess.Popen([sys.executable, "-m", "slotkeeper", "serve"], cwd=folder, env=settings)
        try:
            _wait(port)
            yield EmbeddedHome(port, key, post)
        finally:
            server.terminate()
            server.wait()


@pytest.mark.slow
def test_a_visit_from_the_first_look_to_the_cancellation(home: EmbeddedHome) -> None:
    journeys.a_visit(home)


@pytest.mark.slow
def test_a_reminder_arrives_once_and_none_for_what_is_off(home: EmbeddedHome) -> None:
    journeys.a_reminder(home)


def _run(folder: Path, *args: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "slotkeeper", *args], cwd=folder, env={}, check=True, capture_output=True, text=True
    ).stdout


def _wait(port: int) -> None:
    def is_up() -> bool:
        try:
            with Client(port) as client:
                return client.get("/health").status == 200
        except OSError:
            time.sleep(0.05)
            return False

    journeys.wait_for(is_up, "the server")
