"""Amazon SNS: the topic that is told of every event, and text messages."""

import re
from typing import Any

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Undeliverable
from slotkeeper.senders.calls import send

REFUSALS = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "OptedOut"})
"""SNS, Publish, errors: what is wrong with a message. The others are about the topic, its key, the account or load."""

Attributes = dict[str, dict[str, str]]

_BETWEEN_DIGITS = re.compile(r"[\s().\-/\u00a0]+")
_TRUNK_ZERO = re.compile(r"\(0\)")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class TopicSender:
    """A `contracts.Sender` for a topic: `letter.text` is the JSON that webhooks get, too.

    Its attributes are there to filter by: `type`, such as `appointment.booked`, and `business`. `id` stays the same
    should a message come twice.
    """

    def __init__(self, client: Any, topic: str) -> None:
        """`client` is boto3's for `sns`, `topic` the topic's ARN."""
        self._client = client
        self._topic = topic

    async def send(self, letter: Letter) -> str:
        """Publish the letter, whose subject is its type and whose address is the business; returns SNS's id for it.

        Raises:
            Unreachable, Undeliverable: as `calls.send`.
        """
        about = {"type": letter.subject, "business": letter.to, "id": letter.id}
        answer = await send(
            self._client.publish,
            REFUSALS,
            TopicArn=self._topic,
            Message=letter.text,
            MessageAttributes=_attributes(about),
        )
        return str(answer["MessageId"])


class TextSender:
    """A `contracts.Sender` for text messages. `letter.text` is all that is sent."""

    def __init__(self, client: Any, sender_id: str = "") -> None:
        """`client` is boto3's for `sns`. `sender_id`: 1 to 11 letters and digits to show in place of a number, in the
        countries that allow it; some want it registered first."""
        self._client = client
        self._about = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if sender_id:
            self._about["AWS.SNS.SMS.SenderID"] = sender_id

    async def send(self, letter: Letter) -> str:
        """Send the text; returns SNS's id for it.

        Raises:
            Unreachable, Undeliverable: as `calls.send`; Undeliverable also where there is no international number.
        """
        answer = await send(
            self._client.publish,
            REFUSALS,
            PhoneNumber=e164(letter.to),
            Message=letter.text,
            MessageAttributes=_attributes(self._about),
        )
        return str(answer["MessageId"])


def e164(number: str) -> str:
    """The number in the form of ITU-T E.164, `+` and up to 15 digits, without what is written between them.

    Raises:
        Undeliverable: it is none. Without its country code a number may be anyone's.
    """
    found = _BETWEEN_DIGITS.sub("", _TRUNK_ZERO.sub("", number))
    if not _E164.fullmatch(found):
        raise Undeliverable("not a phone number with its country code, such as +4930123456")
    return found


def _attributes(about: dict[str, str]) -> Attributes:
    return {name: {"DataType": "String", "StringValue": value} for name, value in about.items()}
