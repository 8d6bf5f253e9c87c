"""Mail and webhooks over TLS, to servers whose certificates an authority of our own has signed."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Unreachable
from slotkeeper.senders.options import SmtpSettings, WebhookSettings
from slotkeeper.senders.smtp import SmtpSender
from slotkeeper.senders.webhook import WebhookSender
from tests.clock import VirtualClock
from tests.post import MailServer

CLOCK = VirtualClock("2026-11-24T09:30:00Z")
RIGHT, WRONG = "127.0.0.1", "192.0.2.1"


class Authority:
    """Signs certificates; `file` is its own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Our own authority")])
        self.file = folder / "authority.pem"
        own = self._begun(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def server(self, address: str) -> ssl.SSLContext:
        """What a server at the address needs to speak TLS."""
        key, file = ec.generate_private_key(ec.SECP256R1()), self._folder / f"{address}.pem"
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        made = self._begun(subject, key).add_extension(names, False).sign(self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def _begun(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def mailed(server: MailServer, security: Any) -> str | Unreachable:
    """What became of a letter."""
    settings = SmtpSettings(
        host="127.0.0.1", port=server.port, sender="desk@clinic.example", security=security, timeout_seconds=10
    )
    letter = Letter("msg_1", "email", "ada@example.com", "Reminder", "In one hour.\n")

    async def send() -> str | Unreachable:
        sender = SmtpSender(settings, CLOCK)
        try:
            return await sender.send(letter)
        except Unreachable as error:
            return error
        finally:
            await sender.close()

    return asyncio.run(send())


@contextmanager
def mail_server(security: str, context: ssl.SSLContext) -> Iterator[MailServer]:
    server = MailServer()
    how: dict[str, Any] = {"ssl_context": context} if security == "tls" else {"tls_context": context}
    with server.running(**how):
        yield server


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_goes_to_a_server_that_a_known_authority_vouches_for(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))  # how OpenSSL is told whom to trust

    with mail_server(security, authority.server(RIGHT)) as server:
        answer = mailed(server, security)

    assert answer == "250 taken"
    assert len(server.mails) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(("address", "is_known"), [(RIGHT, False), (WRONG, True)])
def test_no_mail_goes_to_a_server_that_is_unknown_or_another(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, security: str, address: str, *, is_known: bool
) -> None:
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    with mail_server(security, authority.server(address)) as server:
        answer = mailed(server, security)

    assert isinstance(answer, Unreachable)
    assert not server.mails


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _HookServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who does not trust us hangs up: nothing to tell of."""


@pytest.mark.parametrize(
    ("address", "is_known", "arrives"), [(RIGHT, True, True), (RIGHT, False, False), (WRONG, True, False)]
)
def test_a_webhook_goes_only_to_whom_a_known_authority_vouches_for(
    authority: Authority, address: str, *, is_known: bool, arrives: bool
) -> None:
    server = _HookServer(("127.0.0.1", 0), _Hook)
    server.socket = authority.server(address).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    trust = ssl.create_default_context(cafile=str(authority.file)) if is_known else None
    letter = Letter("msg_1", "webhook", f"https://127.0.0.1:{server.server_address[1]}/", "booked", "{}")

    async def send() -> str:
        sender = WebhookSender(WebhookSettings(is_private_allowed=True, timeout_seconds=10), CLOCK, trust)
        try:
            return await sender.send(letter)
        except Unreachable:
            return ""
        finally:
            await sender.close()

    answer = asyncio.run(send())
    server.shutdown()
    thread.join()
    server.server_close()

    assert answer == ("204" if arrives else "")
