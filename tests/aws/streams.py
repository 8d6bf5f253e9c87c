"""A store that keeps what a table's stream would say of it, and functions that remember what they were called with."""

import io
import json
import secrets
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slotkeeper.contracts import Change, Key, Put
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.stores.items import Item, item_of, wire_key
from slotkeeper.stores.sqlite import SqliteStore
from tests.aws.emulator import Emulator

Record = dict[str, Any]

CALLED = """
import json, os, boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""


def a_record(number: int, key: Key, old: Item | None, new: Item | None) -> Record:
    """What a stream of new and old images says of one change."""
    name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    change: Record = {"Keys": wire_key(key), "SequenceNumber": f"{number:021d}", "StreamViewType": "NEW_AND_OLD_IMAGES"}
    change |= {} if old is None else {"OldImage": old}
    change |= {} if new is None else {"NewImage": new}
    return {"eventID": str(number), "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change}


class Streaming(SqliteStore):
    """A store with a stream: `records` are all changes so far, in their order."""

    def __init__(self, path: str | Path = ":memory:") -> None:
        super().__init__(path)
        self.records: list[Record] = []

    def commit(self, change: Change) -> None:
        before = self.read([put.key for put in change.puts] + list(change.deletes))
        images = {key: item_of(Put(key, doc.body), doc.version) for key, doc in before.items()}
        super().commit(change)
        for put in change.puts:
            new = item_of(put, change.expects[put.key] + 1)
            self.records.append(a_record(len(self.records), put.key, images.get(put.key), new))
        for key in change.deletes:
            self.records.append(a_record(len(self.records), key, images.get(key), None))


class Clockwork:
    """A `contracts.Alarms` that keeps them: `due` is when each rings, `rung` what is to be attended to at once."""

    def __init__(self) -> None:
        self.due: dict[Key, Instant] = {}
        self.rung: list[Key] = []
        self.calls: list[str] = []
        self.is_away = False

    def set(self, key: Key, due: Instant) -> None:
        self._called("set")
        self.due[key] = due

    def clear(self, key: Key) -> None:
        self._called("clear")
        self.due.pop(key, None)

    def ring(self, keys: Sequence[Key]) -> None:
        self._called("ring")
        self.rung += keys

    def _called(self, name: str) -> None:
        if self.is_away:
            raise Unreachable("no answer")
        self.calls.append(name)


class Called:
    """A function in the emulator that remembers its events: `arn` is its name there."""

    def __init__(self, emulator: Emulator) -> None:
        name = f"test-{secrets.token_hex(4)}"
        self._queues = emulator.client("sqs")
        self._queue = self._queues.create_queue(QueueName=name)["QueueUrl"]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as packed:
            packed.writestr("called.py", CALLED)
        made = emulator.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role="arn:aws:iam::000000000000:role/any",
            Handler="called.handler",
            Code={"ZipFile": code.getvalue()},
            Environment={
                "Variables": {
                    "QUEUE": self._queue,
                    "AWS_ENDPOINT_URL": emulator.endpoint,
                    "AWS_DEFAULT_REGION": "us-west-1",
                }
            },
        )
        self.arn: str = made["FunctionArn"]

    def events(self, count: int, seconds: float = 20) -> list[Any]:
        """The next `count` events, waited for as long."""
        found: list[Any] = []
        deadline = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < deadline:
            answer = self._queues.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", ()):
                found.append(json.loads(message["Body"]))
                self._queues.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return found
