"""The four functions as they are built from settings, on one table with its stream: from a booking to its messages."""

import io
import json
import logging
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any
from urllib.request import urlopen

import pytest

from slotkeeper.aws import app
from slotkeeper.aws.alarms import name_of
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import Business
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.desk.catalogue import put_on_shelf, put_profile
from slotkeeper.desk.desk import Desk
from slotkeeper.documents import appointment_key
from slotkeeper.process import new_id, now
from slotkeeper.settings import Aws, AwsAccess, Log, Settings
from tests.aws.emulator import REGION, Emulator
from tests.aws.events import Invocation, an_event
from tests.aws.streams import Called
from tests.aws.tables import a_store, table_definition
from tests.builders import STAFF, Setting
from tests.clock import VirtualClock
from tests.web.asking import a_key

DAY = 86_400


class Stack:
    """What a template would make: a table with a stream, a topic and who listens, a group of schedules, queues, and a
    function in the place of the one that delivers, which remembers its events."""

    def __init__(self, emulator: Emulator, **others: Any) -> None:
        self.name = f"test-{secrets.token_hex(4)}"
        self.emulator = emulator
        dynamo = emulator.client("dynamodb")
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        dynamo.create_table(**table_definition(self.name), StreamSpecification=stream)
        self.queues, self.sns = emulator.client("sqs"), emulator.client("sns")
        self.heard = self.queues.create_queue(QueueName=f"{self.name}-heard")["QueueUrl"]
        topic = self.sns.create_topic(Name=self.name)["TopicArn"]
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=self._arn(self.heard))
        emulator.client("scheduler").create_schedule_group(Name=self.name)
        mail = emulator.client("sesv2")
        mail.create_email_identity(EmailIdentity=f"{self.name}@clinic.example")
        mail.put_account_details(
            MailType="TRANSACTIONAL",
            WebsiteURL="https://x.example",
            UseCaseDescription="x",
            ProductionAccessEnabled=True,
        )
        self.sender = Called(emulator)
        self.settings = Settings(
            database=f"dynamodb:{self.name}",
            log=Log(format="json"),
            aws=Aws(
                schedule_group=self.name,
                schedule_role="arn:aws:iam::000000000000:role/scheduler",
                reminder_sender=self.sender.arn,
                aside_url=self.queues.create_queue(QueueName=f"{self.name}-aside")["QueueUrl"],
                topic=topic,
                from_address=f"{self.name}@clinic.example",
                sms=True,
                **others,
            ),
        )
        self.access = AwsAccess(
            region=REGION, endpoint=emulator.endpoint, dynamodb_endpoint=emulator.endpoint, key_id="test", secret="test"
        )
        self._seen = 0

    def _arn(self, url: str) -> str:
        found = self.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def records(self) -> list[Any]:
        """What the table's stream says that it has not said before."""
        client = self.emulator.client("dynamodbstreams")
        [stream] = client.list_streams(TableName=self.name)["Streams"]
        shards = client.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
        found: list[Any] = []
        for shard in shards:
            iterator = client.get_shard_iterator(
                StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            found += client.get_records(ShardIterator=iterator)["Records"]
        fresh, self._seen = found[self._seen :], len(found)
        return [each | {"dynamodb": _as_lambda_sends(each["dynamodb"])} for each in fresh]

    def events(self) -> list[Any]:
        """What was heard from the topic."""
        answer = self.queues.receive_message(QueueUrl=self.heard, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return [json.loads(json.loads(each["Body"])["Message"]) for each in answer.get("Messages", ())]

    def mails(self) -> list[str]:
        """The subjects of what was mailed."""
        with urlopen(f"{self.emulator.endpoint}/_ministack/ses/messages") as response:
            taken = json.load(response)["messages"].values()
        source = self.settings.aws.from_address
        return [mail["Subject"] for account in taken for mail in account if mail["Source"] == source]

    def alarms(self) -> dict[str, str]:
        client = self.emulator.client("scheduler")
        names = [each["Name"] for each in client.list_schedules(GroupName=self.name)["Schedules"]]
        return {name: client.get_schedule(Name=name, GroupName=self.name)["ScheduleExpression"] for name in names}


def _as_lambda_sends(value: Any) -> Any:
    """What boto3 has decoded, as JSON: bytes are Base64."""
    if isinstance(value, dict):
        return {name: _as_lambda_sends(each) for name, each in value.items()}
    return b64encode(value).decode() if isinstance(value, bytes) else value


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Each function takes over the process's log; here it is given back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials that boto3 finds for itself."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_a_booking_is_told_of_at_once_and_reminded_of_by_its_alarm(emulator: Emulator) -> None:
    stack = Stack(emulator)
    store = a_store(emulator, stack.name)
    desk = Desk(store, now, new_id)
    put_profile(desk, STAFF, Business(name="Clinic", zone="Europe/Berlin"))
    put_on_shelf(desk, STAFF, "reminderRules", "day", ReminderRule(lead_minutes=1440, channel="sms"))
    key = a_key(Setting(desk, VirtualClock("2026-11-23T06:00:00Z"), store))
    start = Instant((now() // DAY + 10) * DAY)
    said = io.StringIO()
    with redirect_stdout(said):
        api = app.conflict_detector(stack.settings, stack.access)
        planner, sender = app.planner(stack.settings, stack.access), app.reminder_sender(stack.settings, stack.access)
        sweep = app.sweep(stack.settings, stack.access)

        body = {
            "userId": "ada",
            "startTime": format_instant(start),
            "endTime": format_instant(Instant(start + 3600)),
            "customer": {"name": "Ada", "email": "ada@example.com", "phone": "+4930123456"},
        }
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        answer = api.answer(an_event("POST", "/appointments", json.dumps(body).encode(), headers=headers), Invocation())
        assert answer["statusCode"] == 201, answer["body"]
        named = appointment_key("clinic", json.loads(answer["body"])["appointmentId"])

        planner.plan({"Records": stack.records()}, Invocation())
        [event] = stack.sender.events(1)
        assert event == {"keys": [list(named)]}
        assert sender.deliver(event, Invocation())["sent"] == 2
        planner.plan({"Records": stack.records()}, Invocation())

        assert [each["type"] for each in stack.events()] == ["appointment.booked"]
        assert [subject.split(":")[0] for subject in stack.mails()] == ["Booked"]
        assert stack.alarms() == {name_of(named): f"at({format_instant(Instant(start - DAY)).rstrip('Z')})"}
        assert sweep.sweep(Invocation())["sent"] == 0

        cancelled = api.answer(
            an_event("POST", f"/appointments/{named.part.split('/')[2]}/cancel", b"{}", headers=headers), Invocation()
        )
        assert cancelled["statusCode"] == 200, cancelled["body"]
        planner.plan({"Records": stack.records()}, Invocation())
        # Its event is due now; this time nobody is woken for it but the sweep.
        assert sweep.sweep(Invocation())["sent"] == 2
        planner.plan({"Records": stack.records()}, Invocation())
        assert stack.alarms() == {}
    for each in (store, api._web._desk.store, sender._courier._store, sweep._courier._store):
        each.close()
    assert all(json.loads(line) for line in said.getvalue().splitlines())


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_what_the_settings_leave_out_is_left_out(emulator: Emulator) -> None:
    stack = Stack(emulator)
    plain = Settings(database=stack.settings.database)

    assert app._endpoints(plain) == ()
    assert app._senders(plain, stack.access) == {}
    assert set(app._senders(stack.settings, stack.access)) == {"email", "sms", "topic"}
