"""Mail by SES: what arrives is what SMTP would carry, and a failure is the letter's fault only where it is."""

import asyncio
import json
from email import message_from_bytes, policy
from typing import Any
from urllib.request import urlopen

import pytest

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Undeliverable, Unreachable
from slotkeeper.senders.mail import written
from slotkeeper.senders.ses import REFUSALS, SesSender
from tests.aws.emulator import Emulator
from tests.aws.refusing import a_client, refusing
from tests.clock import VirtualClock
from tests.post import caught

CLOCK = VirtualClock("2026-11-24T09:30:00Z")
DESK = "desk@clinic.example"


class GivesUpOnAnything(SesSender):
    """A broken one: whatever goes wrong is the letter's fault."""

    async def send(self, letter: Letter) -> str:
        try:
            return await super().send(letter)
        except Unreachable as error:
            raise Undeliverable(str(error)) from error


class SortsByCodeAlone(SesSender):
    """A broken one: every rejected message is a bad one."""

    async def send(self, letter: Letter) -> str:
        try:
            return await super().send(letter)
        except Unreachable as error:
            raise (Undeliverable if getattr(error, "code", "") in REFUSALS else Unreachable)(str(error)) from error


def a_letter(to: str = "ada@example.com", **others: Any) -> Letter:
    facts: dict[str, Any] = {
        "id": "msg_0123456789abcdef",
        "channel": "email",
        "subject": "Erinnerung: Prüfung 歯",
        "text": "In one hour.\n",
        "html": "<p>In one hour.</p>",
        "sender": "Café Ärzte",
        "headers": {"Reply-To": "front@clinic.example"},
    } | others
    return Letter(to=to, **facts)


@pytest.fixture
def client(emulator: Emulator) -> Any:
    """A client that may send from our address to anyone."""
    client = emulator.client("sesv2")
    client.create_email_identity(EmailIdentity=DESK)
    client.put_account_details(
        MailType="TRANSACTIONAL",
        WebsiteURL="https://clinic.example",
        UseCaseDescription="appointments",
        ProductionAccessEnabled=True,
    )
    return client


def sent(emulator: Emulator, subject: str) -> list[dict[str, Any]]:
    """What SES has taken with that subject."""
    with urlopen(f"{emulator.endpoint}/_ministack/ses/messages") as response:
        taken = json.load(response)["messages"]
    return [each for account in taken.values() for each in account if each["Subject"] == subject]


def outcome(sender: SesSender, letter: Letter) -> type[Exception] | str:
    try:
        return asyncio.run(sender.send(letter))
    except (Unreachable, Undeliverable) as error:
        return Unreachable if isinstance(error, Unreachable) else Undeliverable


def test_a_letter_arrives_with_its_words_and_its_addresses(emulator: Emulator, client: Any) -> None:
    letter = a_letter(subject="Reminder: Prüfung, in full")

    answer = asyncio.run(SesSender(client, DESK, CLOCK).send(letter))

    [mail] = sent(emulator, letter.subject)
    assert answer == mail["MessageId"]
    assert (mail["Source"], mail["To"]) == (DESK, ["ada@example.com"])
    assert (mail["BodyText"].strip(), mail["BodyHtml"].strip()) == ("In one hour.", "<p>In one hour.</p>")


def test_ses_is_given_the_mail_that_smtp_would_carry_and_the_letters_id(client: Any) -> None:
    calls: list[dict[str, Any]] = []

    def keep(params: dict[str, Any], **others: Any) -> None:
        calls.append(params)

    client.meta.events.register("provide-client-params.sesv2.SendEmail", keep)
    letter = a_letter()

    for _ in range(2):
        asyncio.run(SesSender(client, DESK, CLOCK).send(letter))

    first, again = calls
    mail = message_from_bytes(first["Content"]["Raw"]["Data"], policy=policy.default)
    assert first == again
    assert first["Content"]["Raw"]["Data"] == written(letter, DESK, CLOCK())
    assert (mail["Message-ID"], mail["Reply-To"]) == ("<msg_0123456789abcdef@clinic.example>", "front@clinic.example")
    assert mail["From"] == "Café Ärzte <desk@clinic.example>"
    assert first["EmailTags"] == [{"Name": "slotkeeper-message", "Value": "msg_0123456789abcdef"}]


@pytest.mark.parametrize("kind", [SesSender, SortsByCodeAlone])
def test_an_address_that_waits_to_be_verified_is_no_fault_of_the_letter(client: Any, kind: type[SesSender]) -> None:
    with caught(kind, SortsByCodeAlone):
        assert outcome(kind(client, "desk@not-verified.example", CLOCK), a_letter()) is Unreachable


@pytest.mark.parametrize(("status", "code"), [(400, "MessageRejected"), (400, "BadRequestException")])
def test_a_letter_that_ses_refuses_is_dead(status: int, code: str) -> None:
    with refusing("sesv2", status, code) as client:
        assert outcome(SesSender(client, DESK, CLOCK), a_letter()) is Undeliverable


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "TooManyRequestsException"),
        (400, "LimitExceededException"),
        (400, "SendingPausedException"),
        (400, "AccountSuspendedException"),
        (400, "MailFromDomainNotVerifiedException"),
        (403, "AccessDeniedException"),
        (403, "ExpiredTokenException"),
        (404, "NotFoundException"),
        (500, "InternalFailure"),
        (503, "ServiceUnavailable"),
    ],
)
@pytest.mark.parametrize("kind", [SesSender, GivesUpOnAnything])
def test_what_is_wrong_with_the_account_or_with_ses_passes(status: int, code: str, kind: type[SesSender]) -> None:
    with refusing("sesv2", status, code) as client, caught(kind, GivesUpOnAnything):
        assert outcome(kind(client, DESK, CLOCK), a_letter()) is Unreachable


def test_no_connection_is_no_fault_of_the_letter() -> None:
    assert outcome(SesSender(a_client("sesv2", "http://127.0.0.1:9"), DESK, CLOCK), a_letter()) is Unreachable


@pytest.mark.parametrize("to", ["", "ada", "ada@example.com, eve@example.com", "ada@example.com\r\nBcc: eve@x.example"])
def test_what_is_no_address_is_never_sent(client: Any, to: str) -> None:
    assert outcome(SesSender(client, DESK, CLOCK), a_letter(to)) is Undeliverable
