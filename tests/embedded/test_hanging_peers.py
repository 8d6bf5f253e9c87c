"""A webhook that never answers, beside a mail server that is well: whoever books has their mail at once."""

import time
from pathlib import Path

import pytest

from bench.proof.faults.peers import listening, says_nothing
from slotkeeper.desk.catalogue import put_on_shelf
from slotkeeper.documents import Webhook
from slotkeeper.embedded import app
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.worker import Worker
from slotkeeper.senders.options import SmtpSettings, WebhookSettings
from tests.builders import STAFF, Setting, a_clinic, contact
from tests.clock import VirtualClock
from tests.post import MailServer, WaitsForAll, caught, free_port

pytestmark = pytest.mark.slow

MONDAY, START = "2026-11-23T06:00:00Z", "2026-11-26T09:00:00Z"
VISITS = 2
ANSWER_SECONDS, AT_ONCE_SECONDS = 4.0, 2.5
"""How long the webhook is waited for, and how soon a mail has to come: a slow sweep is left alone after a second."""


@pytest.mark.parametrize("kind", [Worker, WaitsForAll])
def test_mails_come_at_once_while_a_webhook_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Worker]
) -> None:
    monkeypatch.setattr(app, "Worker", kind)
    post, hook_port = MailServer(), free_port()
    plan = Plan(
        database=tmp_path / "clinic.db",
        smtp=SmtpSettings(host="127.0.0.1", port=post.port, sender="desk@clinic.example", security="none"),
        webhooks=WebhookSettings(timeout_seconds=ANSWER_SECONDS, is_private_allowed=True),
    )
    house = build(plan, clock := VirtualClock(MONDAY))
    clinic = Setting(a_clinic(house.store, doctors=VISITS).desk, clock, house.store)
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url=f"http://127.0.0.1:{hook_port}/"))
    waits = []

    with post.running(), listening(says_nothing, hook_port):
        house.worker.start()
        for number in range(VISITS):
            begun = time.monotonic()
            clinic.book(START, contact=contact(email=f"{number}@example.com"))
            house.worker.wake()
            while len(post.mails) == number:
                assert time.monotonic() - begun < 30
                time.sleep(0.01)
            waits.append(time.monotonic() - begun)
        house.close()

    with caught(kind, WaitsForAll):
        assert max(waits) < AT_ONCE_SECONDS, waits
