"""The outbox keeps what nothing else takes, and says nothing about whom it was for."""

import asyncio
import logging

import pytest

from slotkeeper.contracts import Letter
from slotkeeper.senders.outbox import KEPT, OutboxSender


def test_the_outbox_takes_everything_and_logs_no_personal_data(caplog: pytest.LogCaptureFixture) -> None:
    letter = Letter("msg_1", "email", "ada@example.com", "Ada's visit", "Hello Ada")

    with caplog.at_level(logging.DEBUG):
        answer = asyncio.run(OutboxSender().send(letter))

    assert answer == KEPT
    assert "msg_1" in caplog.text
    assert "ada" not in caplog.text.lower()
