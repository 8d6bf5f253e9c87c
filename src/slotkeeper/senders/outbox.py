"""Keeping messages where nothing else is set up: they stay readable as notifications, and leave by no other way."""

import logging

from slotkeeper.contracts import Letter

KEPT = "kept in the outbox"

_log = logging.getLogger(__name__)


class OutboxSender:
    """A `contracts.Sender` that sends nothing. Its log line tells no personal data."""

    async def send(self, letter: Letter) -> str:
        """Keep the letter; never fails."""
        _log.debug("%s stays in the outbox (%s)", letter.id, letter.channel)
        return KEPT
