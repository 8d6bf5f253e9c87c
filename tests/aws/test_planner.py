"""The stream keeps the alarms: set, moved and cleared as appointments change, whatever else comes in it."""

import asyncio
import json
import random
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotkeeper.aws.aside import Aside
from slotkeeper.aws.planner import Planner, wake_time
from slotkeeper.aws.watching import Watch
from slotkeeper.contracts import Key, Letter
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.courier import Courier
from slotkeeper.desk.changing import Move, Request, act, edit, move
from slotkeeper.documents import appointment_key, attention, decoded
from slotkeeper.senders.calls import Failed
from slotkeeper.stores.items import doc_of, key_of
from tests.aws.emulator import Emulator
from tests.aws.events import Invocation
from tests.aws.refusing import a_client
from tests.aws.streams import Clockwork, Record, Streaming
from tests.builders import STAFF, Setting, a_clinic, at, contact
from tests.post import LetterBox, a_courier, caught, sweep

START = "2026-11-26T09:00:00Z"
DAY_BEFORE, HOUR_BEFORE = at("2026-11-25T09:00:00Z"), at("2026-11-26T08:00:00Z")


class SetsEveryTime(Planner):
    """A broken one: it does not look whether anything has changed."""

    def _step(self, place: int, record: Mapping[str, Any]) -> Any:
        step = super()._step(place, record)
        return step and type(step)(step.key, step.place, Instant(-1), step.after)


class StopsAtPoison(Planner):
    """A broken one: what cannot be read stops all that comes after."""

    def _set_aside(self, *facts: Any) -> None:
        raise ValueError("poison")


class ForgetsFailures(Planner):
    """A broken one: what could not be done is done with."""

    def plan(self, event: Any, context: Any) -> dict[str, Any]:
        with suppress(Unreachable):
            super().plan(event, context)
        return {"batchItemFailures": []}


class WakesForClaims(Planner):
    """A broken one: the end of a lease is an alarm, too."""

    def _wake_time(self, image: Any) -> Any:
        return attention(decoded(doc_of(image), Appointment))


class Kept:
    """What was set aside."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[Key], str]] = []
        self.is_away = False

    def put(self, keys: Sequence[Key], why: str, record: str) -> None:
        if self.is_away:
            raise Unreachable("no answer")
        self.messages.append((list(keys), record))


class World:
    """A clinic on AWS in small: its stream, its planner, its alarms, and a courier that they wake."""

    def __init__(self, kind: type[Planner] = Planner, courier: type[Courier] = Courier) -> None:
        self.store = Streaming()
        self.clinic = a_clinic(self.store)
        self.alarms, self.aside, self.box = Clockwork(), Kept(), LetterBox()
        self.lines: list[str] = []
        self.planner = kind(
            self.alarms,
            self.aside,  # type: ignore[arg-type] # a queue that is a list
            self.clinic.clock,
            Watch(self.lines.append),
            doc_of=doc_of,
            key_of=key_of,
        )
        self.courier = a_courier(self.clinic, self.box, courier)
        self._seen = len(self.store.records)

    def book(self, start: str = START) -> Key:
        return appointment_key("clinic", self.clinic.book(start, contact=contact()).id)

    def plan(self, records: Sequence[Record]) -> dict[str, Any]:
        return self.planner.plan({"Records": list(records)}, Invocation())

    def news(self) -> list[Record]:
        """What the stream says since it was last asked."""
        found, self._seen = self.store.records[self._seen :], len(self.store.records)
        return found

    def settle(self) -> None:
        """Let the stream, the alarms that ring and the courier have their turns until all is quiet."""
        while (records := self.news()) or self.alarms.rung:
            if records:
                self.plan(records)
            keys, self.alarms.rung = self.alarms.rung, []
            if keys:
                asyncio.run(self.courier.attend(keys))

    def live(self, until: str, seconds_between_sweeps: int = 0) -> None:
        """Let time go on: alarms ring when they are due, and a sweep comes every so often, if at all."""
        end, clock = at(until), self.clinic.clock
        next_sweep = clock.now + seconds_between_sweeps
        self.settle()
        while True:
            times = [*self.alarms.due.values(), *([next_sweep] if seconds_between_sweeps else [])]
            due = min((Instant(time) for time in times), default=end)
            if due >= end:
                break
            clock.now = max(clock.now, due)
            for key in [key for key, time in self.alarms.due.items() if time <= clock.now]:
                del self.alarms.due[key]
                self.alarms.rung.append(key)
            if seconds_between_sweeps and clock.now >= next_sweep:
                next_sweep = clock.now + seconds_between_sweeps
                due_now = self.courier.next_due()
                if due_now is not None and due_now <= clock.now:
                    sweep(self.courier)
            self.settle()
        clock.now = end


@pytest.fixture
def world() -> World:
    return World()


def test_a_booking_rings_at_once_and_then_waits_for_its_first_reminder(world: World) -> None:
    key = world.book()
    world.plan(world.news())
    assert (world.alarms.rung, world.alarms.due) == ([key], {})

    world.settle()

    assert world.alarms.due == {key: DAY_BEFORE}
    assert [subject.split(":")[0] for subject in world.box.subjects] == ["Booked"]


def test_reminders_go_at_their_times_by_alarms_alone(world: World) -> None:
    sent: list[tuple[str, Instant]] = []
    world.box.before = lambda letter: sent.append((letter.subject.split(":")[0], world.clinic.clock.now))
    world.book()

    world.live("2026-11-27T00:00:00Z")

    assert [each for each in sent if each[0] == "Reminder"] == [("Reminder", DAY_BEFORE), ("Reminder", HOUR_BEFORE)]
    assert world.alarms.due == {}


def test_a_move_moves_the_alarm_and_a_cancellation_clears_it(world: World) -> None:
    key = world.book()
    id = key.part.rpartition("/")[2]
    world.settle()

    move(world.clinic.desk, STAFF, Move(id=id, start=at("2026-11-27T10:00:00Z")))
    world.settle()
    assert world.alarms.due == {key: at("2026-11-26T10:00:00Z")}

    act(world.clinic.desk, STAFF, "cancel", Request(id=id))
    world.settle()
    assert world.alarms.due == {}
    assert [subject.split(":")[0] for subject in world.box.subjects] == ["Booked", "Moved", "Cancelled"]


@pytest.mark.parametrize("kind", [Planner, SetsEveryTime])
def test_what_moves_no_time_costs_no_call(kind: type[Planner]) -> None:
    world = World(kind)
    world.book()
    world.settle()
    world.alarms.calls.clear()
    world.clinic.clock.now = DAY_BEFORE
    sweep(world.courier)

    records = world.news()
    for record in records:
        world.plan([record])

    # It was claimed, which sets the alarm for the next one; and noted as sent, in two documents.
    assert len(records) == 3
    with caught(kind, SetsEveryTime):
        assert world.alarms.calls == ["set"]


def test_records_of_one_batch_are_planned_by_what_they_come_to(world: World) -> None:
    key = world.book()
    sweep(world.courier)

    world.plan(world.news())

    assert world.alarms.calls == ["set"]
    assert world.alarms.due == {key: DAY_BEFORE}


@pytest.mark.parametrize("kind", [Planner, WakesForClaims])
def test_the_end_of_a_lease_rings_nobody(kind: type[Planner]) -> None:
    world = World(kind)
    key = world.book()
    world.settle()
    world.clinic.clock.now = DAY_BEFORE
    taken = len(world.store.records)
    sweep(world.courier)

    world.plan(world.store.records[taken : taken + 1])

    with caught(kind, WakesForClaims):
        assert world.alarms.due == {key: HOUR_BEFORE}


def test_a_message_that_failed_is_woken_for_again(world: World) -> None:
    def fail(letter: Any) -> None:
        raise Unreachable("no answer")

    key = world.book()
    world.settle()
    world.clinic.clock.now = DAY_BEFORE
    world.box.before = fail
    world.alarms.rung.append(key)

    world.settle()

    assert world.alarms.due == {key: DAY_BEFORE + 30}


def test_records_about_anything_else_are_passed_by(world: World) -> None:
    world.clinic.service("other")
    world.book()
    others = [each for each in world.store.records if each["dynamodb"]["Keys"]["sort"]["S"] != "appointment"]

    assert len(others) > 10
    assert world.plan(others) == {"batchItemFailures": []}
    assert world.alarms.calls == []


def poisoned(record: Record, how: str) -> Record:
    """The record, as nobody can read it."""
    spoilt: Record = json.loads(json.dumps(record))
    change = spoilt["dynamodb"]
    match how:
        case "body":
            change["NewImage"].pop("deflated", None)
            change["NewImage"]["body"] = {"S": '{"no": "appointment"}'}
        case "deflated":
            change["NewImage"]["deflated"] = {"B": "AAAA"}
        case "image":
            del change["NewImage"]
        case "key":
            change["Keys"] = {"other": {"S": "x"}}
        case _:
            spoilt = {"eventName": "INSERT", "dynamodb": None}
    return spoilt


@pytest.mark.parametrize("how", ["body", "deflated", "image", "key", "all"])
@pytest.mark.parametrize("kind", [Planner, StopsAtPoison])
def test_a_record_that_nobody_can_read_is_set_aside_and_the_batch_goes_on(kind: type[Planner], how: str) -> None:
    world = World(kind)
    bad, good = world.book(), world.book("2026-11-26T10:00:00Z")
    first, second = [each for each in world.news() if each["dynamodb"]["Keys"]["sort"]["S"] == "appointment"]

    if kind is StopsAtPoison:
        with pytest.raises(ValueError, match="poison"):
            world.plan([poisoned(first, how), second])
        return
    answer = world.plan([poisoned(first, how), second])

    assert answer == {"batchItemFailures": []}
    assert world.alarms.rung == [good]
    number = "" if how == "all" else first["dynamodb"]["SequenceNumber"]
    assert world.aside.messages == [([bad] if how in ("body", "deflated", "image") else [], number)]


def test_what_is_set_aside_lies_in_the_queue_with_its_keys(emulator: Emulator) -> None:
    url = emulator.client("sqs").create_queue(QueueName=f"test-{secrets.token_hex(4)}")["QueueUrl"]
    aside, keys = Aside(emulator.client("sqs"), url), [Key("clinic/appointment/apt_é", "appointment")]

    aside.put(keys, "it cannot be read", "000000000000000000042")

    [found] = aside.take()
    assert list(found.keys) == keys
    aside.done(found)
    assert aside.take() == []


@pytest.mark.parametrize("kind", [Planner, ForgetsFailures])
def test_a_batch_comes_again_when_nothing_of_it_could_be_done(kind: type[Planner]) -> None:
    world = World(kind)
    world.clinic.service("other")
    key = world.book()
    records = world.news()
    world.alarms.is_away = world.aside.is_away = True

    with caught(kind, ForgetsFailures):
        try:
            again = world.plan(records)["batchItemFailures"]
        except Unreachable:
            again = records
        assert again
    world.alarms.is_away = world.aside.is_away = False
    world.plan(records)
    assert world.alarms.rung == [key]


@pytest.mark.parametrize("kind", [Planner, ForgetsFailures])
def test_an_alarm_that_could_not_be_set_is_set_when_its_record_comes_again(kind: type[Planner]) -> None:
    world = World(kind)
    key = world.book()
    sweep(world.courier)
    records = world.news()
    world.alarms.is_away = True

    with caught(kind, ForgetsFailures), pytest.raises(Unreachable) if kind is Planner else nullcontext():
        assert world.plan(records)["batchItemFailures"]

    world.alarms.is_away = False
    world.plan(records)
    assert world.alarms.due == {key: DAY_BEFORE}


def test_the_sweep_is_told_of_a_new_appointment_that_nobody_could_be_woken_for(world: World) -> None:
    """A new document stands in no list of what is due: should its record be given up, nobody would find it."""
    first, second = world.book(), world.book("2026-11-26T10:00:00Z")
    world.alarms.is_away = True

    assert world.plan(world.news()) == {"batchItemFailures": []}
    assert [keys for keys, _ in world.aside.messages] == [[first], [second]]


def test_a_batch_comes_again_from_the_first_that_could_not_be_done(world: World) -> None:
    keys = [world.book(f"2026-11-26T{hour}:00:00Z") for hour in ("09", "10", "11")]
    sweep(world.courier)
    records = world.news()
    numbers = {
        key: next(each["dynamodb"]["SequenceNumber"] for each in records if key_of(each["dynamodb"]["Keys"]) == key)
        for key in keys
    }
    set_one = world.alarms.set

    def fail_for_some(key: Key, due: Instant) -> None:
        if key in keys[1:]:
            raise Unreachable("throttled")
        set_one(key, due)

    world.alarms.set = fail_for_some  # type: ignore[method-assign] # Scheduler is asked too much

    assert world.plan(records) == {"batchItemFailures": [{"itemIdentifier": numbers[keys[1]]}]}
    assert world.alarms.due == {keys[0]: DAY_BEFORE}


@pytest.mark.parametrize("code", ["ValidationException", "ServiceQuotaExceededException", "AccessDeniedException"])
def test_an_alarm_that_scheduler_does_not_take_is_set_aside_and_found_by_the_sweep(world: World, code: str) -> None:
    key = world.book()
    sweep(world.courier)

    def refuse(key: Key, due: Instant) -> None:
        raise Failed(code, "no")

    world.alarms.set = refuse  # type: ignore[method-assign] # Scheduler says no

    assert world.plan(world.news()) == {"batchItemFailures": []}
    assert [keys for keys, _ in world.aside.messages] == [[key]]
    assert world.courier.next_due() == DAY_BEFORE


def test_a_queue_that_is_away_brings_the_batch_again() -> None:
    world = World()
    world.book()
    aside = Aside(a_client("sqs", "http://127.0.0.1:9"), "http://127.0.0.1:9/queue")
    planner = Planner(world.alarms, aside, world.clinic.clock, Watch(world.lines.append), doc_of=doc_of, key_of=key_of)
    [record] = [each for each in world.news() if each["dynamodb"]["Keys"]["sort"]["S"] == "appointment"]

    with pytest.raises(Unreachable):
        planner.plan({"Records": [poisoned(record, "body")]}, Invocation())


def test_the_log_tells_numbers_and_no_person(world: World) -> None:
    world.book()
    world.settle()

    lines = list(map(json.loads, world.lines))
    assert {(line["records"], line["rung"], line["set"]) for line in lines} >= {(2, 1, 0)}
    assert "ada@" not in "".join(world.lines)
    assert all("_aws" not in line for line in lines)


DEEDS: dict[str, Callable[[Setting, str], object]] = {
    "move": lambda clinic, id: move(clinic.desk, STAFF, Move(id=id, start=at("2026-11-27T10:00:00Z"))),
    "edit": lambda clinic, id: edit(clinic.desk, STAFF, Request(id=id), {"notes": "x"}, None),
    "cancel": lambda clinic, id: act(clinic.desk, STAFF, "cancel", Request(id=id)),
    "nothing": lambda clinic, id: None,
}


class SendsAgain(Courier):
    """A broken one: it sends what it has sent whenever it is woken."""

    def _take_one(self, doc: Any, now: Any, counts: Any) -> Any:
        found = [*super()._take_one(doc, now, counts)]
        appointment = decoded(doc, Appointment)
        for message in appointment.messages:
            if message.state == "sent":
                letter = Letter(message.id, message.channel, "ada@example.com", message.kind, "")
                asyncio.get_running_loop().create_task(self._senders["email"].send(letter))
        return found


def replayed(seed: int, deeds: Sequence[str], courier: type[Courier] = Courier) -> World:
    """A world in which appointments are made and changed, while the stream's records come again and again, in any
    order, and are sometimes lost; a sweep comes every five minutes."""
    chance, world = random.Random(seed), World(courier=courier)
    for number, deed in enumerate(deeds):
        id = world.clinic.book(f"2026-11-26T{9 + number // 2:02}:{number % 2 * 30:02}:00Z", contact=contact()).id
        world.settle()
        DEEDS[deed](world.clinic, id)
        if chance.random() < 0.5:
            world.news()  # these never get to the planner
        for _ in range(3):
            world.plan(chance.choices(world.store.records, k=chance.randint(1, 20)))
        world.settle()
    world.live("2026-11-28T00:00:00Z", seconds_between_sweeps=300)
    return world


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), deeds=st.lists(st.sampled_from(sorted(DEEDS)), min_size=1, max_size=3))
def test_records_in_any_order_and_number_send_nothing_twice_and_lose_nothing(seed: int, deeds: list[str]) -> None:
    world = replayed(seed, deeds)

    ids = Counter(letter.id for letter in world.box.letters)
    assert set(ids.values()) == {1}
    reminded = sum(2 for deed in deeds if deed != "cancel")
    assert len(world.box.reminders()) == reminded
    assert not [doc for doc in world.store.walk() if doc.key.sort == "appointment" and _is_owed(doc)]


def _is_owed(doc: Any) -> bool:
    return wake_time(decoded(doc, Appointment)) is not None


def test_a_courier_that_sends_twice_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        assert set(Counter(letter.id for letter in replayed(1, ["move"], SendsAgain).box.letters).values()) == {1}


def test_the_sweep_repairs_an_alarm_that_was_lost(world: World) -> None:
    world.book()
    world.settle()
    world.alarms.due.clear()

    world.live("2026-11-27T00:00:00Z", seconds_between_sweeps=300)

    assert len(world.box.reminders()) == 2


def test_without_the_sweep_a_lost_alarm_would_be_missed(world: World) -> None:
    world.book()
    world.settle()
    world.alarms.due.clear()

    world.live("2026-11-27T00:00:00Z")

    assert world.box.reminders() == []
