"""The function that alarms wake delivers what is due of what it is told of, tells of it, and fails where it must."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from slotkeeper.aws.reminder_sender import Deliveries
from slotkeeper.aws.watching import Watch
from slotkeeper.contracts import Doc, Key, Letter
from slotkeeper.core.errors import Unreachable
from slotkeeper.courier.courier import Courier
from slotkeeper.documents import appointment_key
from slotkeeper.stores.sqlite import SqliteStore
from tests.aws.events import Invocation
from tests.builders import Setting, a_clinic, contact
from tests.post import LetterBox, a_courier, caught, sweep

START = "2026-11-26T09:00:00Z"
EMF = ("RemindersDue", "RemindersSent", "RemindersLate", "RemindersFailed")


class DeliversAll(Courier):
    """A broken one: whoever it is woken for, it delivers whatever is due."""

    async def attend(self, keys: Sequence[Key]) -> Any:
        return await self.sweep()


class Away(SqliteStore):
    """A store that cannot be reached."""

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        raise Unreachable("no answer")


class World:
    """A clinic with two appointments that are to be reminded of now."""

    def __init__(self, kind: type[Courier] = Courier) -> None:
        self.clinic = a_clinic()
        self.box = LetterBox()
        self.lines: list[str] = []
        self.closed = 0
        self.keys = [
            appointment_key("clinic", self.clinic.book(start, contact=contact()).id)
            for start in (START, "2026-11-26T09:30:00Z")
        ]
        sweep(a_courier(self.clinic))
        self.clinic.clock.set("2026-11-25T09:30:00Z")
        self.deliveries = self.over(a_courier(self.clinic, self.box, kind))

    def over(self, courier: Courier) -> Deliveries:
        return Deliveries(courier, Watch(self.lines.append), [self._close])

    def wake(self, keys: Sequence[Key]) -> dict[str, Any]:
        return self.deliveries.deliver({"keys": [list(key) for key in keys]}, Invocation())

    async def _close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("kind", [Courier, DeliversAll])
def test_what_is_due_of_the_appointment_named_is_sent_and_nothing_else(kind: type[Courier]) -> None:
    world = World(kind)

    done = world.wake(world.keys[:1])

    with caught(kind, DeliversAll):
        assert len(world.box.reminders()) == 1
        assert (done["sent"], done["seen"]) == (1, 1)


def test_an_event_that_comes_twice_or_early_or_for_nobody_does_nothing() -> None:
    world = World()
    world.wake(world.keys)
    gone = Key("clinic/appointment/apt_gone", "appointment")

    for keys in (world.keys, [gone], []):
        assert world.wake(keys)["sent"] == 0

    assert len(world.box.letters) == 2


def test_reminders_are_counted_and_so_are_the_late_ones() -> None:
    world = World()

    world.wake(world.keys)

    [line] = map(json.loads, world.lines)
    # The first was due half an hour ago.
    assert [line[name] for name in EMF] == [2, 2, 1, 0]
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Slotkeeper", [[]])
    assert [each["Name"] for each in directive["Metrics"]] == list(EMF)
    assert (line["requestId"], line["keys"]) == (Invocation().aws_request_id, 2)
    assert "ada@" not in world.lines[0]


def test_a_sender_that_fails_fails_no_invocation() -> None:
    def fail(letter: Letter) -> None:
        raise Unreachable("no answer")

    world = World()
    world.box.before = fail

    assert world.wake(world.keys)["failed"] == 2
    [line] = map(json.loads, world.lines)
    assert [line[name] for name in EMF] == [2, 0, 0, 2]


def test_a_store_that_fails_fails_the_invocation_so_that_it_is_made_again() -> None:
    world = World()
    away = Setting(world.clinic.desk, world.clinic.clock, Away(":memory:"))
    world.deliveries = world.over(a_courier(away))

    with pytest.raises(Unreachable):
        world.wake(world.keys)
    assert world.closed == 1


@pytest.mark.parametrize("event", [{}, {"keys": "all"}, {"Records": []}, []])
def test_an_event_that_names_nothing_fails(event: Any) -> None:
    with pytest.raises(ValueError, match="does not name keys"):
        World().deliveries.deliver(event, Invocation())


def test_leave_is_taken_of_every_invocation() -> None:
    world = World()

    for _ in range(3):
        world.wake(world.keys)

    assert world.closed == 3
