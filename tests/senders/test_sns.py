"""The topic of events, and text messages."""

import asyncio
import json
import secrets
import threading
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Undeliverable, Unreachable
from slotkeeper.senders.sns import TextSender, TopicSender, e164
from tests.aws.emulator import Emulator
from tests.aws.refusing import a_client, refusing
from tests.post import caught

BODY = '{"type":"appointment.booked","data":{"business":"clinic"}}'


class TellsItsTypeOnly(TopicSender):
    """A broken one: nobody can listen for one business."""

    async def send(self, letter: Letter) -> str:
        return await super().send(Letter(letter.id, letter.channel, "any", letter.subject, letter.text))


def an_event(type: str = "appointment.booked", business: str = "clinic") -> Letter:
    return Letter("msg_1", "topic", business, type, BODY)


def a_text(to: str = "+49 (0)30 123-456") -> Letter:
    return Letter("msg_2", "sms", to, "", "Clinic: Reminder: Prüfung, 10:00")


class Listener:
    """A queue that hears from a topic what its filter lets through."""

    def __init__(self, emulator: Emulator, topic: str, **policy: list[str]) -> None:
        self._queues = emulator.client("sqs")
        self._url = self._queues.create_queue(QueueName=f"test-{secrets.token_hex(4)}")["QueueUrl"]
        arn = self._queues.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        emulator.client("sns").subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn["QueueArn"],
            Attributes={"FilterPolicy": json.dumps(policy)} if policy else {},
        )

    def heard(self) -> list[dict[str, Any]]:
        answer = self._queues.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return [json.loads(each["Body"]) for each in answer.get("Messages", [])]


@pytest.fixture
def topic(emulator: Emulator) -> str:
    return str(emulator.client("sns").create_topic(Name=f"test-{secrets.token_hex(4)}")["TopicArn"])


def test_an_event_comes_with_the_body_of_a_webhook_and_what_to_filter_by(emulator: Emulator, topic: str) -> None:
    listener = Listener(emulator, topic)

    answer = asyncio.run(TopicSender(emulator.client("sns"), topic).send(an_event()))

    [heard] = listener.heard()
    assert (heard["Message"], heard["MessageId"]) == (BODY, answer)
    about = {name: each["Value"] for name, each in heard["MessageAttributes"].items()}
    assert about == {"type": "appointment.booked", "business": "clinic", "id": "msg_1"}


@pytest.mark.parametrize("kind", [TopicSender, TellsItsTypeOnly])
def test_a_listener_hears_what_it_listens_for(emulator: Emulator, topic: str, kind: type[TopicSender]) -> None:
    listener = Listener(emulator, topic, type=["appointment.cancelled"], business=["clinic"])
    sender = kind(emulator.client("sns"), topic)
    for type in ("booked", "cancelled"):
        for business in ("clinic", "spa"):
            asyncio.run(sender.send(an_event(f"appointment.{type}", business)))

    heard = [
        (each["MessageAttributes"]["type"]["Value"], each["MessageAttributes"]["business"]["Value"])
        for each in listener.heard()
    ]
    with caught(kind, TellsItsTypeOnly):
        assert heard == [("appointment.cancelled", "clinic")]


def test_a_text_message_goes_to_the_number_in_its_international_form(emulator: Emulator) -> None:
    sender = TextSender(emulator.client("sns"), sender_id="Clinic")

    answer = asyncio.run(sender.send(a_text()))

    with urlopen(f"{emulator.endpoint}/_ministack/sns/sms-messages?phoneNumber={quote('+4930123456')}") as response:
        [sent] = json.load(response)["sms_messages"]["+4930123456"]
    assert (sent["Message"], sent["MessageId"]) == (a_text().text, answer)
    assert sent["MessageAttributes"]["AWS.SNS.SMS.SenderID"]["StringValue"] == "Clinic"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+4930123456", "+4930123456"),
        ("+49 (0)30 123-456", "+4930123456"),
        (" +1 (415) 555.0100 ", "+14155550100"),
        ("+44/20/7946\u00a00958", "+442079460958"),
    ],
)
def test_what_is_written_between_the_digits_is_left_out(written: str, number: str) -> None:
    assert e164(written) == number


@pytest.mark.parametrize(
    "written",
    ["", "030 123456", "0049 30 123456", "+0 30 123456", "+49", "+4930123456789012", "+49 30 CALL", "+4930,+4940"],
)
def test_what_is_no_international_number_is_never_sent(written: str) -> None:
    with pytest.raises(Undeliverable, match="country code"):
        asyncio.run(TextSender(a_client("sns", "http://127.0.0.1:9")).send(a_text(written)))


@pytest.mark.parametrize("code", ["InvalidParameter", "ParameterValueInvalid", "OptedOut"])
def test_a_message_that_sns_refuses_is_dead(code: str) -> None:
    with refusing("sns", 400, code) as client:
        for sender, letter in ((TopicSender(client, "arn:aws:sns:x"), an_event()), (TextSender(client), a_text())):
            with pytest.raises(Undeliverable, match=code):
                asyncio.run(sender.send(letter))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AuthorizationError"),
        (404, "NotFound"),
        (400, "KMSThrottling"),
        (400, "KMSDisabled"),
        (429, "Throttled"),
        (500, "InternalError"),
    ],
)
def test_what_is_wrong_with_the_topic_its_key_or_sns_passes(status: int, code: str) -> None:
    with refusing("sns", status, code) as client, pytest.raises(Unreachable, match=code):
        asyncio.run(TopicSender(client, "arn:aws:sns:x").send(an_event()))


def test_many_are_under_way_at_once(emulator: Emulator, topic: str) -> None:
    client = emulator.client("sns")
    together = threading.Barrier(4, timeout=10)

    def wait_for_the_others(**others: Any) -> None:
        together.wait()

    client.meta.events.register("before-send.sns.Publish", wait_for_the_others)
    sender = TopicSender(client, topic)

    async def four() -> list[str]:
        return await asyncio.gather(*(sender.send(an_event()) for _ in range(4)))

    assert len(set(asyncio.run(four()))) == 4
