"""The journeys in the embedded home: `slotkeeper serve` in a process of its own, with a real mail server."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parseaddr
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.e2e import journeys
from tests.e2e.browsing import Raw
from tests.e2e.journeys import Mail
from tests.post import MailServer, free_port
from tests.serving import Client, Reply


class EmbeddedHome:
    """A server that runs, its mail server, and the folder in which it works."""

    base = ""

    def __init__(self, port: int, key: str, post: MailServer, folder: Path) -> None:
        self._port, self._key, self._post, self._folder = port, key, post, folder

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        with Client(self._port, self._key) as client:
            return client.ask(method, path, body, **headers)

    def mails(self) -> list[Mail]:
        return [Mail(parseaddr(str(mail["to"]))[1], str(mail["subject"]), _text(mail)) for mail in self._post.mails]

    def command(self, *args: str, typed: str = "") -> str:
        return _run(self._folder, *args, typed=typed)

    def fetch(self, method: str, target: str, body: bytes = b"", **headers: str) -> Raw:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            sent = {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request(method, target, body or None, sent)
            response = connection.getresponse()
            return Raw(response.status, response.getheaders(), response.read())
        finally:
            connection.close()


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
            yield EmbeddedHome(port, key, post, folder)
        finally:
            server.terminate()
            server.wait()


@pytest.mark.slow
def test_a_visit_from_the_first_look_to_the_cancellation(home: EmbeddedHome) -> None:
    journeys.a_visit(home)


@pytest.mark.slow
def test_a_reminder_arrives_once_and_none_for_what_is_off(home: EmbeddedHome) -> None:
    journeys.a_reminder(home)


@pytest.mark.slow
def test_a_visitor_books_moves_and_cancels_on_the_pages(home: EmbeddedHome) -> None:
    journeys.a_visit_on_the_pages(home)


@pytest.mark.slow
def test_a_member_signs_in_moves_an_appointment_and_signs_out(home: EmbeddedHome) -> None:
    journeys.a_day_of_a_member(home)


@pytest.mark.slow
def test_what_pages_load_is_there(home: EmbeddedHome) -> None:
    journeys.what_pages_load(home)


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""


def _run(folder: Path, *args: str, typed: str = "") -> str:
    command = [sys.executable, "-m", "slotkeeper", *args]
    return subprocess.run(command, cwd=folder, env={}, check=True, capture_output=True, text=True, input=typed).stdout


def _wait(port: int) -> None:
    def is_up() -> bool:
        try:
            with Client(port) as client:
                return client.get("/health").status == 200
        except OSError:
            time.sleep(0.05)
            return False

    journeys.wait_for(is_up, "the server")
