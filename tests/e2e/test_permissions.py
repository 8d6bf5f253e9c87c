"""What each function may do, held against what it does: a proxy notes the calls of a run that does everything.

Neither is one missing from the policies, nor does one stand there that nobody made.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from slotkeeper.aws.stack.roles import CALLS, Grant
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Contact, Endpoint
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant, parse_instant
from slotkeeper.desk.booking import book
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.desk.orders import Order
from slotkeeper.process import new_id, now
from tests.aws.deployed import Deployment, deployed, the_zip
from tests.aws.recording import Called, Recorder, guarding
from tests.e2e import journeys

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STREAM_SECONDS = 8
"""The emulator looks every few seconds whether a stream has something new."""


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    """What was called while everything was done that can be."""
    folder = tmp_path_factory.mktemp("recorded")
    with (
        guarding(folder) as (emulator, found),
        deployed(emulator, the_zip(folder), is_guarded=True, TextMessages="true") as home,
    ):
        _do_everything(home)
        yield found


@pytest.mark.parametrize("function", sorted(CALLS))
def test_each_function_may_do_what_it_does_and_nothing_else(recorder: Recorder, function: str) -> None:
    assert done_by(recorder, function) == allowed(CALLS[function])


def test_a_call_that_no_policy_names_and_a_policy_that_nobody_needs_are_noticed(recorder: Recorder) -> None:
    too_little, too_much = CALLS["Planner"][1:], (*CALLS["Planner"], Grant(actions=("dynamodb:Scan",), on="table"))

    assert done_by(recorder, "Planner") != allowed(too_little)
    assert done_by(recorder, "Planner") != allowed(too_much)


def done_by(recorder: Recorder, function: str) -> set[tuple[str, str]]:
    """What the function called: the action, and for DynamoDB's the index, if it was one."""
    return {(call.action, _index(call)) for call in recorder.calls if call.by == function}


def allowed(grants: tuple[Grant, ...]) -> set[tuple[str, str]]:
    """What grants allow, in the same form."""
    return {(action, index) for grant in grants for action in grant.actions for index in _indexes(grant.on)}


def _index(call: Called) -> str:
    return call.target.partition("/index/")[2]


def _indexes(on: Any) -> list[str]:
    subs = [str(each.get("Fn::Sub", "")) for each in on] if isinstance(on, list) else []
    return [sub.partition("/index/")[2] for sub in subs if "/index/" in sub] or [""]


def _do_everything(home: Deployment) -> None:
    journeys.a_visit(home)
    journeys.a_reminder(home)
    _look_at_lists(home)
    _take_away(home)
    _move_what_is_planned(home)
    _send_a_text(home)
    _lose_the_stream(home)
    time.sleep(2)


def _look_at_lists(home: Deployment) -> None:
    for path in ("/appointments", "/appointments?customerId=grace", "/notifications", "/deadLetters", "/events"):
        assert home.ask("GET", path).status == 200, path


def _take_away(home: Deployment) -> None:
    journeys.put(home, "/resources/short-lived", {"name": "x", "zone": "UTC"})
    assert home.ask("DELETE", "/resources/short-lived").status == 204


def _move_what_is_planned(home: Deployment) -> None:
    """The alarm stands already when the appointment moves."""
    start = Instant(journeys.soon() + DAY_SECONDS)
    id = journeys.reserve(home, "planned", start)
    time.sleep(STREAM_SECONDS)
    later = {"startTime": format_instant(Instant(start + DAY_SECONDS))}
    assert home.ask("POST", f"/appointments/{id}/reschedule", later).status == 200
    time.sleep(STREAM_SECONDS)


def _send_a_text(home: Deployment) -> None:
    """A reminder by text message."""
    rule = {"leadMinutes": journeys.LEAD_MINUTES, "channel": "sms"}
    journeys.put(home, "/reminderRules/text", rule)
    id = journeys.reserve(home, "texted", journeys.soon(), phone="+14155550123")
    journeys.wait_for(lambda: _states(home, id) == {"sent"}, "the text message")


def _states(home: Deployment, id: str) -> set[str]:
    return {each["state"] for each in home.ask("GET", f"/appointments/{id}/reminders").body["items"]}


def _lose_the_stream(home: Deployment) -> None:
    """A record that nobody can read is set aside; then the stream tells of nothing more. The sweep does it all."""
    poison = {"part": {"S": "clinic/appointment/bad"}, "sort": {"S": "appointment"}, "version": {"N": "1"}}
    table, name = home.emulator.client("dynamodb"), home.outputs["TableName"]
    table.put_item(TableName=name, Item=poison)
    time.sleep(STREAM_SECONDS)
    table.delete_item(TableName=name, Key={half: poison[half] for half in ("part", "sort")})
    functions = home.emulator.client("lambda")
    [mapping] = functions.list_event_source_mappings(FunctionName=home.ids["Planner"])["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    time.sleep(STREAM_SECONDS)
    _book_and_hold(home)
    time.sleep(2)
    swept = functions.invoke(FunctionName=home.ids["Sweep"], Payload=b"{}")
    assert "FunctionError" not in swept, swept["Payload"].read()


def _book_and_hold(home: Deployment) -> None:
    """An appointment that owes a mail at once, and a hold for a second, written as the command line writes them."""
    desk = Desk(home.store, now, new_id, (Endpoint("", channel="topic"),))
    staff = Actor(business="clinic", id="cli", scopes=frozenset(SCOPES))
    free = home.ask("GET", "/slots?serviceId=visit").body["items"]
    first, second = (parse_instant(slot["startTime"]) for slot in free[:2])
    book(desk, staff, Order(service_id="visit", start=first, contact=Contact(email="swept@example.com")))
    hold(desk, staff, HoldOrder(service_id="visit", start=second, seconds=1))
