"""T14: whatever is said, in whatever language, by whatever channel, it prints the place's zone by name."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from slotkeeper.contracts import Sender
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.courier import Courier
from slotkeeper.desk.catalogue import put_on_shelf
from slotkeeper.desk.changing import Move, Request, act, move
from slotkeeper.documents import Webhook
from slotkeeper.notices.languages import LANGUAGES, Language, language_of, when_text
from slotkeeper.notices.templates import KINDS
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from slotkeeper.senders.webhook import WebhookSender, WebhookSettings
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at, contact
from tests.post import MailServer, work
from tests.senders.test_webhook import Endpoint

TRAVELLER = "Pacific/Auckland"
START, MOVED = "2026-11-26T09:00:00Z", "2026-11-27T13:00:00Z"
BERLIN = {START: ("10:00", "10:30"), MOVED: ("14:00", "14:30")}


@pytest.fixture
def clinic(tmp_path: Path) -> Setting:
    clinic = a_clinic(SqliteStore(tmp_path / "a.db"), doctors=20)
    clinic.service("asked", name="Asked for", needs_confirmation=True, confirm_within_minutes=60)
    return clinic


@contextmanager
def an_endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def everything_happens(clinic: Setting, language: str) -> None:
    """Each kind of message comes to be owed to a traveller who reads this language."""
    who = contact(name=language, email=f"{language}@example.com", language=language, zone=TRAVELLER)
    stays, gone = (clinic.book(START, contact=who) for _ in range(2))
    declined = clinic.book(START, "asked", contact=who)
    clinic.book(START, "asked", contact=who)  # expires
    move(clinic.desk, STAFF, Move(id=stays.id, start=at(MOVED)))
    act(clinic.desk, STAFF, "cancel", Request(id=gone.id))
    act(clinic.desk, STAFF, "decline", Request(id=declined.id))


def all_that_is_sent(clinic: Setting) -> tuple[list[EmailMessage], list[dict[str, object]]]:
    """The mails and the webhooks' bodies, as a mail server and an endpoint got them."""
    post = MailServer()
    with post.running(), an_endpoint() as endpoint:
        put_on_shelf(clinic.desk, STAFF, "webhooks", "hook", Webhook(url=endpoint.url))
        for language in LANGUAGES:
            everything_happens(clinic, language)
        server = SmtpSettings(host="127.0.0.1", port=post.port, sender="visits@clinic.example", security="none")
        smtp = SmtpSender(server, clinic.clock)
        hooks = WebhookSender(WebhookSettings(is_private_allowed=True), clinic.clock)
        senders: dict[str, Sender] = {"email": smtp, "webhook": hooks}
        work(Courier(clinic.store, clinic.clock, senders, OutboxSender()), clinic, "2026-11-28T00:00:00Z")
        return post.mails, [json.loads(body) for _, body in endpoint.requests]


def said(language: Language) -> list[str]:
    """The times of the place, as the language says them."""
    return [f"{language.times.format(*times)} (Europe/Berlin, UTC+1)" for times in BERLIN.values()]


def the_place_is_named(clinic: Setting) -> None:
    mails, told = all_that_is_sent(clinic)
    # Of four bookings: pending 2, booked 2, moved, cancelled, declined, expired, and 2 reminders of the one that stays.
    assert len(mails) == 10 * len(LANGUAGES)
    for mail in mails:
        language = language_of(mail["To"].addresses[0].username)
        for part in ("plain", "html"):
            body = mail.get_body((part,))
            assert body is not None
            text = body.get_content()
            times = [text.find(shown) for shown in said(language) if shown in text]
            assert times
            assert f"({TRAVELLER}, UTC+13)" in text
            assert text.find(TRAVELLER) > min(times)
        plain = mail.get_body(("plain",))
        assert plain is not None
        [when] = [line for line in plain.get_content().splitlines() if line.startswith(f"{language.when}: ")]
        assert any(when.endswith(shown) for shown in said(language))
    assert {body["type"] for body in told} == {f"appointment.{kind}" for kind in KINDS if kind != "reminder"}
    assert {body["data"]["zone"] for body in told} == {"Europe/Berlin"}  # type: ignore[index] # JSON


@pytest.mark.slow
def test_no_message_hides_the_zone_of_the_place(clinic: Setting) -> None:
    """calcom/cal.diy#29868: the mail showed the traveller's zone for a visit in person."""
    the_place_is_named(clinic)


def _in_the_travellers_zone(language: Language, start: Instant, end: Instant, zone: str) -> str:
    return when_text(language, start, end, TRAVELLER)


def _without_its_name(language: Language, start: Instant, end: Instant, zone: str) -> str:
    return when_text(language, start, end, zone).split(" (")[0]


@pytest.mark.slow
@pytest.mark.parametrize("broken", [_in_the_travellers_zone, _without_its_name])
def test_a_message_in_another_zone_or_in_none_is_caught(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch, broken: Callable[..., str]
) -> None:
    monkeypatch.setattr("slotkeeper.notices.rendering.when_text", broken)

    with pytest.raises(AssertionError):
        the_place_is_named(clinic)
