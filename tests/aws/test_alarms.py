"""Alarms: one schedule a key, in UTC, gone once it has rung; whatever Scheduler does in between does no harm."""

import json
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest

from slotkeeper.aws.alarms import AlarmSettings, ScheduledAlarms, event, keys_of, name_of
from slotkeeper.contracts import Key
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import Instant
from tests.aws.emulator import Emulator
from tests.aws.refusing import a_client, refusing
from tests.aws.streams import Called
from tests.builders import at
from tests.clock import VirtualClock
from tests.post import caught

KEY = Key("clinic/appointment/apt_1", "appointment")
OTHER = Key("clinic/appointment/apt_2", "appointment")
ROLE = "arn:aws:iam::000000000000:role/scheduler"
TARGET = "arn:aws:lambda:us-west-1:000000000000:function:sender"
QUEUE = "arn:aws:sqs:us-west-1:000000000000:dead"
NOW = "2030-11-23T06:00:00Z"


class SetsOnce(ScheduledAlarms):
    """A broken one: an alarm that was set stays as it is."""

    def _done(self, operation: Any, unless: str, schedule: dict[str, Any]) -> bool:
        return super()._done(operation, unless, schedule) or unless == "ConflictException"


class Remembers(ScheduledAlarms):
    """A broken one: the same call has the same token, so what was done once is not done again."""

    seen: frozenset[str] = frozenset()

    def _done(self, operation: Any, unless: str, schedule: dict[str, Any]) -> bool:
        token = json.dumps(schedule)
        was_seen, self.seen = token in self.seen, self.seen | {token}
        return was_seen or super()._done(operation, unless, schedule)


@pytest.fixture
def group(emulator: Emulator) -> str:
    name = f"test-{secrets.token_hex(4)}"
    emulator.client("scheduler").create_schedule_group(Name=name)
    return name


def alarms_in(
    emulator: Emulator,
    group: str,
    now: str | int = NOW,
    kind: type[ScheduledAlarms] = ScheduledAlarms,
    target: str = TARGET,
) -> ScheduledAlarms:
    clock = VirtualClock(now) if isinstance(now, str) else lambda: Instant(now)
    places = AlarmSettings(group=group, role=ROLE, target=target, dead_letters=QUEUE)
    return kind(emulator.client("scheduler"), emulator.client("lambda"), places, clock)


def schedules(emulator: Emulator, group: str) -> dict[str, str]:
    """The schedules of the group: when each rings."""
    client = emulator.client("scheduler")
    names = [each["Name"] for each in client.list_schedules(GroupName=group)["Schedules"]]
    return {name: client.get_schedule(Name=name, GroupName=group)["ScheduleExpression"] for name in names}


def test_an_alarm_is_a_schedule_that_rings_once_in_utc_and_goes(emulator: Emulator, group: str) -> None:
    alarms_in(emulator, group).set(KEY, at("2030-11-25T09:00:00Z"))

    found = emulator.client("scheduler").get_schedule(Name=name_of(KEY), GroupName=group)
    assert found["ScheduleExpression"] == "at(2030-11-25T09:00:00)"
    assert (found["ScheduleExpressionTimezone"], found["ActionAfterCompletion"]) == ("UTC", "DELETE")
    assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = found["Target"]
    assert (target["Arn"], target["RoleArn"], target["DeadLetterConfig"]) == (TARGET, ROLE, {"Arn": QUEUE})
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
    assert keys_of(json.loads(target["Input"])) == [KEY]


@pytest.mark.parametrize("key", [KEY, Key("ü" * 1000, "\n/ "), Key("a", "b\nc"), Key("a\nb", "c")])
def test_a_name_is_one_that_scheduler_takes(key: Key) -> None:
    assert re.fullmatch(r"[0-9a-zA-Z-_.]{1,64}", name_of(key))


def test_no_two_appointments_share_a_name() -> None:
    assert name_of(KEY) != name_of(OTHER)
    assert name_of(KEY) == name_of(Key(*KEY))


@pytest.mark.parametrize("kind", [ScheduledAlarms, SetsOnce])
def test_an_alarm_that_is_set_again_rings_at_its_new_time_only(
    emulator: Emulator, group: str, kind: type[ScheduledAlarms]
) -> None:
    alarms = alarms_in(emulator, group, kind=kind)

    for time_ in ("2030-11-25T09:00:00Z", "2030-11-26T08:00:00Z", "2030-11-24T08:00:00Z"):
        alarms.set(KEY, at(time_))

    with caught(kind, SetsOnce):
        assert schedules(emulator, group) == {name_of(KEY): "at(2030-11-24T08:00:00)"}


def test_an_alarm_that_is_cleared_is_gone_and_clearing_it_again_does_nothing(emulator: Emulator, group: str) -> None:
    alarms = alarms_in(emulator, group)
    for key in (KEY, OTHER):
        alarms.set(key, at("2030-11-25T09:00:00Z"))

    alarms.clear(KEY)
    alarms.clear(KEY)

    assert list(schedules(emulator, group)) == [name_of(OTHER)]


@pytest.mark.parametrize("kind", [ScheduledAlarms, Remembers])
def test_an_alarm_that_was_cleared_can_be_set_again_as_it_was(
    emulator: Emulator, group: str, kind: type[ScheduledAlarms]
) -> None:
    alarms = alarms_in(emulator, group, kind=kind)
    due = at("2030-11-25T09:00:00Z")

    alarms.set(KEY, due)
    alarms.clear(KEY)
    alarms.set(KEY, due)

    with caught(kind, Remembers):
        assert list(schedules(emulator, group)) == [name_of(KEY)]


@pytest.mark.parametrize(
    ("due", "rings"),
    [
        ("2030-11-22T09:00:00Z", "at(2030-11-23T06:01:00)"),
        ("2030-11-23T06:00:30Z", "at(2030-11-23T06:01:00)"),
        ("2030-11-23T06:01:01Z", "at(2030-11-23T06:01:01)"),
    ],
)
def test_no_alarm_is_set_for_a_time_that_may_pass_before_it_is_set(
    emulator: Emulator, group: str, due: str, rings: str
) -> None:
    alarms_in(emulator, group).set(KEY, at(due))

    assert list(schedules(emulator, group).values()) == [rings]


def test_an_alarm_that_rings_while_it_is_moved_is_set_anew(emulator: Emulator, group: str) -> None:
    alarms = alarms_in(emulator, group)
    alarms.set(KEY, at("2030-11-25T09:00:00Z"))
    client = alarms._scheduler

    def ring(**others: Any) -> None:
        client.meta.events.unregister("before-send.scheduler.UpdateSchedule", ring)
        emulator.client("scheduler").delete_schedule(Name=name_of(KEY), GroupName=group)

    client.meta.events.register("before-send.scheduler.UpdateSchedule", ring)
    alarms.set(KEY, at("2030-11-26T09:00:00Z"))

    assert schedules(emulator, group) == {name_of(KEY): "at(2030-11-26T09:00:00)"}


def test_ringing_calls_the_function_without_waiting_for_it(emulator: Emulator, group: str) -> None:
    called = Called(emulator)
    keys = [Key(f"clinic/appointment/apt_{number}", "appointment") for number in range(120)]

    alarms_in(emulator, group, target=called.arn).ring(keys)

    events = called.events(3)
    assert [len(each["keys"]) for each in sorted(events, key=lambda each: -len(each["keys"]))] == [50, 50, 20]
    assert {tuple(key) for each in events for key in each["keys"]} == set(keys)


@pytest.mark.slow
def test_an_alarm_rings_at_its_time_and_is_gone_then(emulator: Emulator, group: str) -> None:
    called = Called(emulator)
    due = Instant(int(time.time()) + 1)

    alarms_in(emulator, group, int(due) - 300, target=called.arn).set(KEY, due)

    [rung] = called.events(1, seconds=40)
    assert keys_of(rung) == [KEY]
    assert schedules(emulator, group) == {}


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "ThrottlingException"), (500, "InternalServerException"), (403, "AccessDeniedException"), (400, "Other")],
)
def test_what_is_not_done_is_told(status: int, code: str) -> None:
    places = AlarmSettings(group="g", role=ROLE, target=TARGET)
    with refusing("scheduler", status, code) as scheduler, refusing("lambda", status, code) as functions:
        alarms = ScheduledAlarms(scheduler, functions, places, VirtualClock(NOW))
        calls: list[Callable[[], None]] = [
            lambda: alarms.set(KEY, at("2030-11-25T09:00:00Z")),
            lambda: alarms.clear(KEY),
            lambda: alarms.ring([KEY]),
        ]
        for call in calls:
            with pytest.raises(Unreachable, match=code):
                call()


def test_no_answer_is_told() -> None:
    away = "http://127.0.0.1:9"
    places = AlarmSettings(group="g", role=ROLE, target=TARGET)
    alarms = ScheduledAlarms(a_client("scheduler", away), a_client("lambda", away), places, VirtualClock(NOW))

    with pytest.raises(Unreachable):
        alarms.clear(KEY)


@pytest.mark.parametrize(
    "wrong", [None, [], {}, {"keys": None}, {"keys": "ab"}, {"keys": ["ab"]}, {"keys": [["a"]]}, {"keys": [["a", 1]]}]
)
def test_an_event_that_names_no_keys_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="does not name keys"):
        keys_of(wrong)


def test_an_event_names_the_keys_it_was_made_of() -> None:
    assert keys_of(json.loads(event([KEY, OTHER]))) == [KEY, OTHER]
