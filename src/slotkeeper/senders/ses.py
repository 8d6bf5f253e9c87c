"""Mail by Amazon SES, through the same MIME as over SMTP."""

import asyncio
from typing import Any

from slotkeeper.contracts import Clock, Letter
from slotkeeper.core.errors import Undeliverable
from slotkeeper.senders.calls import Failed, call
from slotkeeper.senders.mail import written

REFUSALS = frozenset({"MessageRejected", "BadRequestException"})
"""SES v2, SendEmail, errors: what is wrong with a letter. The others are about the account, the identity or load."""

TAG = "slotkeeper-message"
"""The message tag with the letter's id. SES writes a Message-ID of its own, so by the tag its events are told apart."""

_NOT_VERIFIED = "not verified"


class SesSender:
    """A `contracts.Sender` for mail."""

    def __init__(self, client: Any, sender: str, clock: Clock) -> None:
        """`client` is boto3's for `sesv2`, `sender` the address that letters come from."""
        self._client = client
        self._sender = sender
        self._clock = clock

    async def send(self, letter: Letter) -> str:
        """Hand the letter to SES; returns the id that SES gave it.

        Raises:
            Unreachable: SES did not answer, is asked too much, or may not send for us (yet).
            Undeliverable: SES refuses this letter, or it cannot be written as mail.
        """
        mail = written(letter, self._sender, self._clock())
        try:
            answer = await asyncio.to_thread(
                call,
                self._client.send_email,
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [letter.to]},
                Content={"Raw": {"Data": mail}},
                EmailTags=[{"Name": TAG, "Value": letter.id}],
            )
        except Failed as failed:
            if failed.code in REFUSALS and _NOT_VERIFIED not in failed.said:
                raise Undeliverable(str(failed)) from failed
            raise  # an address that waits to be verified is no fault of the letter
        return str(answer["MessageId"])
