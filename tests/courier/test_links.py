"""The link in messages: it opens the appointment that they tell of, and is kept where nobody else reads it."""

from dataclasses import replace
from typing import Any

import pytest

from slotkeeper.core.reminders import ReminderRule
from slotkeeper.courier import courier as courier_module
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.log import notifications
from slotkeeper.desk.catalogue import put_on_shelf
from slotkeeper.desk.changing import Move, Request, act, move
from slotkeeper.documents import Webhook
from slotkeeper.linking import Links
from slotkeeper.senders.outbox import OutboxSender
from tests.builders import STAFF, Setting, a_clinic, at, contact
from tests.post import LetterBox, a_courier, caught, work

BASE = "https://book.example.com/prod"
PREFIX = f"{BASE}/visit/clinic/"
START, MOVED = "2026-11-26T09:00:00Z", "2026-11-27T10:00:00Z"
LATER = "2026-11-28T00:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def tokens(box: LetterBox) -> dict[str, list[str]]:
    """By the first word of the subject, the tokens in the text."""
    found: dict[str, list[str]] = {}
    for letter in box.letters:
        words = [word.removeprefix(PREFIX) for word in letter.text.split() if word.startswith(PREFIX)]
        found.setdefault(letter.subject.partition(":")[0], []).extend(words)
    return found


def test_each_message_of_a_live_appointment_opens_it_and_no_other_has_a_link(clinic: Setting) -> None:
    box = LetterBox()
    stays = clinic.book(START, contact=contact())
    gone = clinic.book(START, contact=contact())
    move(clinic.desk, STAFF, Move(id=stays.id, start=at(MOVED)))
    act(clinic.desk, STAFF, "cancel", Request(id=gone.id))

    work(a_courier(clinic, box, base_url=BASE), clinic, LATER)

    found = tokens(box)
    links = Links(clinic.store)
    opened = {
        subject: {links.appointment_of("clinic", each, clinic.clock.now) for each in some}
        for subject, some in found.items()
    }
    assert opened == {"Booked": {stays.id, gone.id}, "Moved": {stays.id}, "Reminder": {stays.id}, "Cancelled": set()}
    assert len(found["Reminder"]) == 2
    assert all(f'href="{PREFIX}' in letter.html for letter in box.letters if not letter.subject.startswith("Canc"))


def test_without_an_address_of_ours_there_are_no_links_and_no_secret(clinic: Setting) -> None:
    box = LetterBox()
    clinic.book(START, contact=contact())

    work(a_courier(clinic, box), clinic, LATER)

    assert box.letters
    assert not any("/visit/" in letter.text + letter.html for letter in box.letters)
    assert not [doc for doc in clinic.store.walk() if "linkSecret" in doc.key.part]


class RemembersAll(Courier):
    """A broken one: it keeps the text of what has left as it was."""

    async def _send(self, job: Any, letter: Any) -> Any:
        sender = self._senders.get(letter.channel, self._outbox)
        return replace(await self._outcome(job, letter, sender), letter=letter)


@pytest.mark.parametrize("kind", [Courier, RemembersAll])
def test_a_link_that_has_left_is_remembered_nowhere(clinic: Setting, kind: type[Courier]) -> None:
    box = LetterBox()
    clinic.book(START, contact=contact())

    work(a_courier(clinic, box, kind, base_url=BASE), clinic, LATER)

    [token, *_] = tokens(box)["Booked"]
    with caught(kind, RemembersAll):
        assert not [doc.key for doc in clinic.store.walk() if token.encode() in doc.body]
    assert f"{PREFIX}{courier_module.HIDDEN}" in notifications(clinic.store, "clinic").notifications[0].text or (
        kind is RemembersAll
    )


def test_what_stays_in_the_outbox_keeps_its_link(clinic: Setting) -> None:
    booked = clinic.book(START, contact=contact())

    work(a_courier(clinic, base_url=f"{BASE}/"), clinic, "2026-11-23T07:00:00Z")

    [kept] = notifications(clinic.store, "clinic").notifications
    token = Links(clinic.store).appointment_token("clinic", booked)
    assert f"{PREFIX}{token}" in kept.text


def test_a_text_message_ends_with_the_link(clinic: Setting) -> None:
    put_on_shelf(clinic.desk, STAFF, "reminderRules", "day", ReminderRule(lead_minutes=1440, channel="sms"))
    box = LetterBox()
    booked = clinic.book(START, contact=contact(phone="+4930123456"))

    work(Courier(clinic.store, clinic.clock, {"sms": box}, OutboxSender(), base_url=BASE), clinic, LATER)

    [letter] = box.letters
    assert letter.text.endswith(f" {PREFIX}{Links(clinic.store).appointment_token('clinic', booked)}")


def test_a_webhook_is_told_no_link(clinic: Setting) -> None:
    put_on_shelf(clinic.desk, STAFF, "webhooks", "hook", Webhook(url="https://example.com/hook"))
    box = LetterBox()
    clinic.book(START)

    work(a_courier(clinic, box, base_url=BASE), clinic, LATER)

    told = [letter.text for letter in box.letters if letter.channel == "webhook"]
    assert told
    assert not any("/visit/" in text for text in told)
