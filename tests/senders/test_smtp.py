"""Mail over SMTP, against a real server on the loopback."""

import asyncio
import ssl
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Undeliverable, Unreachable
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from tests.clock import VirtualClock
from tests.post import MailServer

CLOCK = VirtualClock("2026-11-24T09:30:00Z")


def a_letter(to: str = "ada@example.com", **others: Any) -> Letter:
    facts: dict[str, Any] = {
        "id": "msg_1",
        "channel": "email",
        "subject": "Reminder: Visit",
        "text": "In one hour.\n",
        "html": "<p>In one hour.</p>",
        "sender": "Clinic",
    } | others
    return Letter(to=to, **facts)


def a_sender(server: MailServer, **others: Any) -> SmtpSender:
    facts: dict[str, Any] = {"security": "none", "timeout_seconds": 5.0} | others
    return SmtpSender(SmtpSettings(host="127.0.0.1", port=server.port, sender="desk@clinic.example", **facts), CLOCK)


def run(sender: SmtpSender, *steps: Coroutine[Any, Any, Any]) -> list[Any]:
    """What each step returned or raised, one after the other."""

    async def all_of_them() -> list[Any]:
        ends: list[Any] = []
        for step in steps:
            try:
                ends.append(await step)
            except (Unreachable, Undeliverable) as error:
                ends.append(error)
        await sender.close()
        return ends

    return asyncio.run(all_of_them())


def test_a_letter_arrives_as_text_and_html_with_its_id_and_date() -> None:
    server = MailServer()
    sender = a_sender(server)

    with server.running():
        [answer] = run(sender, sender.send(a_letter(headers={"Reply-To": "front@clinic.example"})))

    [mail] = server.mails
    assert answer == "250 taken"
    assert mail["Message-ID"] == "<msg_1@clinic.example>"
    assert mail["Date"] == "Tue, 24 Nov 2026 09:30:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"] == "Clinic <desk@clinic.example>"
    assert mail["Reply-To"] == "front@clinic.example"
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]


def test_letters_beyond_ascii_arrive_unharmed() -> None:
    server = MailServer()
    sender = a_sender(server)
    letter = a_letter(subject="Erinnerung: Prüfung 歯", text="Größe: 5 €\n", html="", sender="Café Ärzte")

    with server.running():
        run(sender, sender.send(letter))

    [mail] = server.mails
    assert (mail["Subject"], mail.get_content()) == ("Erinnerung: Prüfung 歯", "Größe: 5 €\r\n")
    assert "Café Ärzte" in mail["From"]


def test_no_text_can_end_its_part_of_a_letter() -> None:
    """Whoever books knows their appointment's id, and by it the id of each message about it."""
    server = MailServer()
    sender = a_sender(server)
    ends = "\n--=_msg_1--\n--=_msg_1\nContent-Type: text/html\n\n<b>I am your bank</b>\n"

    with server.running():
        run(sender, sender.send(a_letter(text=f"In one hour.{ends}", html=f"<p>In one hour.</p>{ends}")))

    plain, html = server.mails[0].iter_parts()
    assert plain.get_content() == f"In one hour.{ends}".replace("\n", "\r\n")
    assert "<b>I am your bank</b>" in html.get_content()


def test_many_letters_share_a_connection() -> None:
    server = MailServer()
    sender = a_sender(server)

    with server.running():
        run(sender, *(sender.send(a_letter(id=f"msg_{number}")) for number in range(20)))

    assert (len(server.mails), len(server.sessions)) == (20, 1)


def test_no_more_connections_are_opened_than_allowed() -> None:
    server = MailServer()
    sender = a_sender(server, connections=3)

    async def all_at_once() -> None:
        await asyncio.gather(*(sender.send(a_letter(id=f"msg_{number}")) for number in range(40)))

    with server.running():
        run(sender, all_at_once())

    assert len({mail["Message-ID"] for mail in server.mails}) == 40
    assert len(server.sessions) <= 3


def test_a_server_that_ends_a_connection_after_some_letters_loses_none() -> None:
    server = MailServer()
    server.letters_per_session = 3
    sender = a_sender(server)

    with server.running():
        answers = run(sender, *(sender.send(a_letter(id=f"msg_{number}")) for number in range(10)))

    assert answers == ["250 taken"] * 10
    assert len(server.mails) == 10


def test_a_connection_that_broke_while_idle_is_replaced() -> None:
    server = MailServer()
    sender = a_sender(server)

    async def over_a_restart() -> None:
        with server.running():
            await sender.send(a_letter(id="msg_1"))
        with server.running():
            await sender.send(a_letter(id="msg_2"))

    run(sender, over_a_restart())

    assert [mail["Message-ID"][:6] for mail in server.mails] == ["<msg_1", "<msg_2"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 5.1.1 no such user", Undeliverable),
        ("553 5.1.3 bad address", Undeliverable),
        ("450 4.2.1 try again later", Unreachable),
        ("452 4.5.3 too many", Unreachable),
    ],
)
def test_a_refusal_is_for_good_or_for_now(answer: str, kind: type[Exception]) -> None:
    server = MailServer()
    server.refusals["ada@example.com"] = answer
    sender = a_sender(server)

    with server.running():
        first, second = run(sender, sender.send(a_letter()), sender.send(a_letter("bea@example.com")))

    assert type(first) is kind
    assert str(first) == answer
    assert second == "250 taken"
    assert len(server.sessions) == 1


def test_a_server_that_is_not_there_is_unreachable() -> None:
    sender = a_sender(MailServer())

    [end] = run(sender, sender.send(a_letter()))

    assert type(end) is Unreachable


def test_nothing_is_sent_in_the_clear_when_encryption_was_asked_for() -> None:
    server = MailServer()
    starttls, tls = a_sender(server, security="starttls"), a_sender(server, security="tls", timeout_seconds=1.0)

    with server.running():
        ends = run(starttls, starttls.send(a_letter())) + run(tls, tls.send(a_letter()))

    assert [type(end) for end in ends] == [Unreachable, Unreachable]
    assert not server.mails


def test_a_refused_login_is_not_the_letters_fault() -> None:
    server = MailServer()
    sender = a_sender(server, username="desk", password="wrong")

    with server.running(authenticator=lambda *_: _refusal(), auth_require_tls=False):
        [end] = run(sender, sender.send(a_letter()))

    assert type(end) is Unreachable
    assert "535" in str(end)
    assert "wrong" not in repr(sender._settings)


def _refusal() -> Any:
    return AuthResult(success=False, handled=False)


@pytest.mark.parametrize("sign", ["\r", "\n", "\0", "\r\n"])
@pytest.mark.parametrize("place", ["to", "subject", "sender", "headers"])
def test_no_header_can_be_smuggled_in(sign: str, place: str) -> None:
    server = MailServer()
    sender = a_sender(server)
    smuggled = f"x@example.com{sign}Bcc: eve@example.com"
    value: Any = {"Reply-To": smuggled} if place == "headers" else smuggled

    with server.running():
        [end] = run(sender, sender.send(a_letter(**{place: value})))

    assert type(end) is Undeliverable
    assert not server.mails


@pytest.mark.parametrize(
    "to", ["", "ada", "a@b.example, eve@example.com", "<a@b.example> eve@example.com", "a b@c.example"]
)
def test_only_one_plain_address_is_written_to(to: str) -> None:
    server = MailServer()
    sender = a_sender(server)

    with server.running():
        [end] = run(sender, sender.send(a_letter(to)))

    assert type(end) is Undeliverable
    assert not server.recipients


def test_a_letter_that_is_cut_off_leaves_no_half_used_connection() -> None:
    server = MailServer()
    sender = a_sender(server)

    async def cut_off() -> str:
        await sender.send(a_letter(id="msg_1"))
        task = asyncio.ensure_future(sender.send(a_letter(id="msg_2")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await sender.send(a_letter(id="msg_3"))

    with server.running():
        [answer] = run(sender, cut_off())

    assert answer == "250 taken"
    assert server.mails[-1]["Message-ID"].startswith("<msg_3@")


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server on 127.0.0.1 shows, and clients here believe."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_letters_go_by_an_encrypted_connection(certificate: ssl.SSLContext, security: str, loop: Any) -> None:
    server = MailServer()
    sender = a_sender(server, security=security, username="desk", password="right")
    how = {"ssl_context": certificate} if security == "tls" else {"tls_context": certificate, "require_starttls": True}

    async def three() -> list[str]:
        answers = [await sender.send(a_letter(id=f"msg_{number}", text="x" * 90_000)) for number in range(3)]
        await sender.close()
        return answers

    with (
        server.running(authenticator=lambda *_: AuthResult(success=True), auth_require_tls=security != "tls", **how),
        asyncio.Runner(loop_factory=loop) as runner,
    ):
        assert runner.run(three()) == ["250 taken"] * 3

    assert len(server.mails) == 3
    assert len(server.sessions) == 1
