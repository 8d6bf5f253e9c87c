"""The queue for what could not be planned, or delivered when it was called for: the sweep attends to the documents."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slotkeeper.aws.alarms import keys_of
from slotkeeper.contracts import Key
from slotkeeper.senders.calls import call

AT_ONCE = 10
"""SQS, ReceiveMessage: 10 messages."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A message of the queue: the documents that it names, none where it cannot be read."""

    id: str
    receipt: str
    keys: tuple[Key, ...]


class Aside:
    """The queue, through boto3's client for `sqs`. Every method may raise `Unreachable`."""

    def __init__(self, queues: Any, url: str) -> None:
        self._queues = queues
        self._url = url

    def put(self, keys: Sequence[Key], why: str, record: str) -> None:
        """Set the documents aside; `why` and `record`, the number of the stream's record, are for who looks there."""
        body = {"keys": [list(key) for key in keys], "why": why[:1000], "record": record}
        call(self._queues.send_message, QueueUrl=self._url, MessageBody=json.dumps(body))

    def take(self) -> list[SetAside]:
        """Some of what lies there, if anything does; what is not `done` with lies there again after a while."""
        answer = call(self._queues.receive_message, QueueUrl=self._url, MaxNumberOfMessages=AT_ONCE, WaitTimeSeconds=0)
        return [
            SetAside(each["MessageId"], each["ReceiptHandle"], _keys(each["Body"]))
            for each in answer.get("Messages") or ()
        ]

    def done(self, message: SetAside) -> None:
        """Take the message out of the queue."""
        call(self._queues.delete_message, QueueUrl=self._url, ReceiptHandle=message.receipt)


def _keys(body: str) -> tuple[Key, ...]:
    """What a message names: one of the planner's, or Lambda's word of an event that ReminderSender failed at, which has
    that event as its `requestPayload` (Lambda, "Adding a destination")."""
    try:
        said = json.loads(body)
        return tuple(keys_of(said.get("requestPayload", said) if isinstance(said, dict) else said))
    except ValueError:
        return ()
