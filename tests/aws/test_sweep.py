"""The net under the alarms: what was set aside is attended to, and all that is due delivered, while there is time."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

import pytest

from slotkeeper.aws.alarms import event
from slotkeeper.aws.aside import Aside, SetAside
from slotkeeper.aws.sweep import RESERVE_SECONDS, Sweep
from slotkeeper.aws.watching import Watch
from slotkeeper.contracts import Change, Key, Place, Put
from slotkeeper.core.errors import Unreachable
from slotkeeper.courier.courier import Courier, Swept
from slotkeeper.documents import appointment_key
from slotkeeper.stores.sqlite import SqliteStore
from tests.aws.emulator import Emulator
from tests.aws.events import Invocation
from tests.aws.refusing import a_client
from tests.builders import Setting, a_clinic, contact
from tests.post import LetterBox, a_courier, caught

DAMAGED = Key("clinic/appointment/apt_damaged", "appointment")


class Undue(SqliteStore):
    """A store in which new documents stand in no list of what is due, as on AWS."""

    def commit(self, change: Change) -> None:
        puts = [
            Put(put.key, put.body, {name: place for name, place in put.places.items() if name != "due"})
            if change.expects[put.key] == 0
            else put
            for put in change.puts
        ]
        super().commit(Change(change.expects, puts, change.deletes))


class Away(SqliteStore):
    """A store that cannot be reached."""

    def list(self, *facts: Any, **others: Any) -> Any:
        raise Unreachable("no answer")


class TakesOutWhatItCannotRead(Sweep):
    """A broken one: nobody will ever hear of what it could not do."""

    async def _drain(self, context: Any) -> tuple[Swept, int]:
        for message in self._aside.take():
            self._aside.done(message)
        return Swept(), 0


class SweepsOnce(Sweep):
    """A broken one: what is behind the first few waits for another time."""

    async def _sweep_up(self, context: Any) -> Swept:
        return await self._courier.sweep()


class NeverMindsTheTime(Sweep):
    """A broken one: it begins what it cannot end."""

    async def _sweep_up(self, context: Any) -> Swept:
        total = swept = await self._courier.sweep()
        while swept.did_something:
            swept = await self._courier.sweep()
            total += swept
        return total


class FewAtATime(Courier):
    """Takes three documents a sweep."""

    async def sweep(self, limit: int = 3) -> Swept:
        return await super().sweep(3)


class Waning:
    """Lambda's context, whose time goes by a minute each time it is asked."""

    aws_request_id = "waning"

    def __init__(self, seconds: int) -> None:
        self.left = seconds

    def get_remaining_time_in_millis(self) -> int:
        self.left -= 60
        return (self.left + 60) * 1000


class World:
    """A clinic on AWS in small, with a queue of what was set aside."""

    def __init__(
        self, emulator: Emulator, kind: type[Sweep] = Sweep, courier: type[Courier] = Courier, count: int = 1
    ) -> None:
        self.clinic = a_clinic(Undue(":memory:"), doctors=count)
        self.box = LetterBox()
        self.lines: list[str] = []
        self.queues = emulator.client("sqs")
        self.url = self.queues.create_queue(
            QueueName=f"test-{secrets.token_hex(4)}", Attributes={"VisibilityTimeout": "0"}
        )["QueueUrl"]
        self.aside = Aside(self.queues, self.url)
        self.courier = a_courier(self.clinic, self.box, courier)
        self.function = kind(self.courier, self.aside, Watch(self.lines.append))

    def book(self) -> Key:
        return appointment_key("clinic", self.clinic.book("2026-11-26T09:00:00Z", contact=contact()).id)

    def sweep(self, context: Any = None) -> dict[str, Any]:
        return self.function.sweep(context or Invocation())

    def lies_aside(self) -> int:
        found = self.queues.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def damage(self) -> None:
        """Put a document there that nobody can read, and that is due."""
        places = {"due": Place("due", "000000000001/clinic/apt_damaged")}
        self.clinic.store.commit(Change({DAMAGED: 0}, [Put(DAMAGED, b"{}", {})]))
        self.clinic.store.commit(Change({DAMAGED: 1}, [Put(DAMAGED, b"{}", places)]))  # type: ignore[arg-type] # a literal


def test_what_was_set_aside_is_delivered_and_taken_out(emulator: Emulator) -> None:
    world = World(emulator, count=12)
    for key in [world.book() for _ in range(12)]:
        world.aside.put([key], "nobody could read its record", "7")

    done = world.sweep()

    assert (len(world.box.letters), done["published"], done["leftAside"]) == (12, 12, 0)
    assert world.lies_aside() == 0


def test_what_the_sender_failed_at_is_attended_to(emulator: Emulator) -> None:
    world = World(emulator)
    failed = {
        "version": "1.0",
        "requestPayload": json.loads(event([world.book()])),
        "responsePayload": {"errorType": "x"},
    }
    world.queues.send_message(QueueUrl=world.url, MessageBody=json.dumps(failed))

    done = world.sweep()

    assert (len(world.box.letters), done["leftAside"], world.lies_aside()) == (1, 0, 0)


@pytest.mark.parametrize(
    "body", ["[]", "null", "7", '{"requestPayload": null}', '{"requestPayload": {"keys": 1}}', "{"]
)
def test_a_message_that_names_nothing_stays_for_an_alarm(emulator: Emulator, body: str) -> None:
    world = World(emulator)
    world.queues.send_message(QueueUrl=world.url, MessageBody=body)

    assert (world.sweep()["leftAside"], world.lies_aside()) == (1, 1)


@pytest.mark.parametrize("kind", [Sweep, TakesOutWhatItCannotRead])
def test_what_cannot_be_attended_to_stays_for_an_alarm(emulator: Emulator, kind: type[Sweep]) -> None:
    world = World(emulator, kind)
    world.damage()
    world.aside.put([DAMAGED], "damaged", "8")
    world.aside.put([], "no key", "9")
    world.queues.send_message(QueueUrl=world.url, MessageBody="no JSON")

    done = world.sweep()

    with caught(kind, TakesOutWhatItCannotRead):
        assert (world.lies_aside(), done["leftAside"]) == (3, 3)


def test_what_is_gone_is_taken_out(emulator: Emulator) -> None:
    world = World(emulator)
    world.aside.put([Key("clinic/appointment/apt_gone", "appointment")], "gone", "9")

    world.sweep()

    assert world.lies_aside() == 0


@pytest.mark.parametrize("kind", [Sweep, SweepsOnce])
def test_all_that_is_due_is_delivered_however_much_it_is(emulator: Emulator, kind: type[Sweep]) -> None:
    world = World(emulator, kind, FewAtATime, count=10)
    for key in [world.book() for _ in range(10)]:
        world.aside.put([key], "", "")
    World.sweep(world)
    world.clinic.clock.set("2026-11-25T09:00:00Z")

    done = world.sweep()

    with caught(kind, SweepsOnce):
        assert (len(world.box.reminders()), done["reminders_sent"]) == (10, 10)


@pytest.mark.parametrize("kind", [Sweep, NeverMindsTheTime])
def test_no_round_is_begun_that_could_be_cut_off(emulator: Emulator, kind: type[Sweep]) -> None:
    world = World(emulator, kind, FewAtATime, count=10)
    for key in [world.book() for _ in range(10)]:
        world.aside.put([key], "", "")
    world.sweep()
    world.clinic.clock.set("2026-11-25T09:00:00Z")

    # Once for the queue, which is empty; then a second round just so.
    world.sweep(Waning(RESERVE_SECONDS + 120))

    with caught(kind, NeverMindsTheTime):
        assert len(world.box.reminders()) == 6


def test_nothing_that_stays_due_keeps_it_busy(emulator: Emulator) -> None:
    world = World(emulator)
    world.damage()

    done = world.sweep()

    assert (done["damaged"], done["seen"]) == (1, 1)


def test_reminders_do_not_wait_for_a_queue_that_is_away(emulator: Emulator) -> None:
    world = World(emulator)
    world.aside.put([world.book()], "", "")
    world.sweep()
    world.clinic.clock.set("2026-11-25T09:00:00Z")
    away = Aside(a_client("sqs", "http://127.0.0.1:9"), "http://127.0.0.1:9/queue")

    with pytest.raises(Unreachable):
        Sweep(world.courier, away, Watch(world.lines.append)).sweep(Invocation())

    assert len(world.box.reminders()) == 1


def test_a_store_that_fails_fails_the_invocation(emulator: Emulator) -> None:
    world = World(emulator)
    away = Setting(world.clinic.desk, world.clinic.clock, Away(":memory:"))

    with pytest.raises(Unreachable):
        Sweep(a_courier(away), world.aside, Watch(world.lines.append)).sweep(Invocation())


def test_what_was_done_is_told_in_numbers(emulator: Emulator) -> None:
    world = World(emulator)
    world.aside.put([world.book()], "", "")
    world.sweep()
    world.clinic.clock.set("2026-11-25T09:30:00Z")

    world.sweep()

    line = json.loads(world.lines[-1])
    assert [line[name] for name in ("RemindersDue", "RemindersSent", "RemindersLate", "RemindersFailed")] == [
        1,
        1,
        1,
        0,
    ]
    assert "ada@" not in world.lines[-1]


class Broken:
    """A queue whose message cannot be taken out."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self.keys = tuple(keys)

    def take(self) -> list[SetAside]:
        return [SetAside("1", "r", self.keys)]

    def done(self, message: SetAside) -> None:
        raise Unreachable("no answer")


def test_a_message_that_comes_again_and_again_is_attended_to_once_a_run(emulator: Emulator) -> None:
    world = World(emulator)
    world.damage()
    world.aside.put([DAMAGED], "damaged", "8")

    assert world.sweep()["damaged"] == 2  # for the message, and for the list of what is due


def test_a_message_that_stays_sends_nothing_twice(emulator: Emulator) -> None:
    world = World(emulator)
    queue: Any = Broken([world.book()])

    for _ in range(2):
        with pytest.raises(Unreachable):
            Sweep(world.courier, queue, Watch(world.lines.append)).sweep(Invocation())

    assert len(world.box.letters) == 1
