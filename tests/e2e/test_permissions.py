"""What each function may do, held against what it does: a proxy notes the calls of a run that does everything.

Neither is one missing from the policies, nor does one stand there that nobody made. The emulator enforces IAM in that
run: what the policies do not allow, the journeys would fail at.
"""

import time
from pathlib import Path
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

STREAM_SECONDS = 8
"""The emulator looks every few seconds whether a stream has something new."""


# One test: whoever runs tests at the same time in several processes would make the run in each of them.
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_function_may_do_what_it_does_and_nothing_else(tmp_path: Path) -> None:
    with (
        guarding(tmp_path) as (emulator, recorder),
        deployed(emulator, the_zip(), is_guarded=True, TextMessages="true") as home,
    ):
        _do_everything(home, recorder)

    assert {name: done_by(recorder, name) for name in CALLS} == {name: allowed(CALLS[name]) for name in CALLS}


def test_a_call_that_no_policy_names_and_a_policy_that_nobody_needs_are_noticed() -> None:
    recorder = Recorder()
    recorder.calls = {Called("Planner", action, f"table/index/{index}") for action, index in allowed(CALLS["Planner"])}
    too_little, too_much = CALLS["Planner"][1:], (*CALLS["Planner"], Grant(actions=("dynamodb:Scan",), on="table"))

    assert done_by(recorder, "Planner") == allowed(CALLS["Planner"])
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


def _do_everything(home: Deployment, recorder: Recorder) -> None:
    """What waits for the clock or for the stream waits while something else is done."""
    journeys.a_visit(home)
    texted = _owe_a_text(home)
    planned, start = _plan(home)
    journeys.a_reminder(home)
    _move(home, planned, start)
    journeys.a_visit_on_the_pages(home)
    journeys.a_day_of_a_member(home)
    journeys.what_pages_load(home)
    _look_at_lists(home)
    _take_away(home)
    _hears_nothing_without_a_key(home)
    journeys.wait_for(lambda: _states(home, texted) == {"sent"}, "the text message")
    journeys.wait_for(lambda: "scheduler:UpdateSchedule" in _done(recorder, "Planner"), "another time of the alarm")
    _lose_the_stream(home, recorder)


def _done(recorder: Recorder, function: str) -> set[str]:
    return set(recorder.actions().get(function, ()))


def _look_at_lists(home: Deployment) -> None:
    for path in ("/appointments", "/appointments?customerId=grace", "/notifications", "/deadLetters", "/events"):
        assert home.ask("GET", path).status == 200, path


def _take_away(home: Deployment) -> None:
    journeys.put(home, "/resources/short-lived", {"name": "x", "zone": "UTC"})
    assert home.ask("DELETE", "/resources/short-lived").status == 204


def _hears_nothing_without_a_key(home: Deployment) -> None:
    for path in ("/business", "/ready"):
        assert home.ask("GET", path, x_api_key="", authorization="").status == 403, path


def _plan(home: Deployment) -> tuple[str, Instant]:
    """An appointment for which an alarm is set; its id and its start."""
    start = Instant(journeys.soon() + DAY_SECONDS)
    return journeys.reserve(home, "planned", start), start


def _move(home: Deployment, id: str, start: Instant) -> None:
    """The alarm stands already when the appointment moves."""
    later = {"startTime": format_instant(Instant(start + DAY_SECONDS))}
    assert home.ask("POST", f"/appointments/{id}/reschedule", later).status == 200


def _owe_a_text(home: Deployment) -> str:
    """An appointment that is reminded of by a text message, and no other one."""
    rule = {"leadMinutes": journeys.LEAD_MINUTES, "channel": "sms"}
    journeys.put(home, "/reminderRules/text", rule)
    id = journeys.reserve(home, "texted", journeys.soon(), phone="+14155550123")
    assert home.ask("DELETE", "/reminderRules/text").status == 204
    return id


def _states(home: Deployment, id: str) -> set[str]:
    return {each["state"] for each in home.ask("GET", f"/appointments/{id}/reminders").body["items"]}


def _lose_the_stream(home: Deployment, recorder: Recorder) -> None:
    """A record that nobody can read is set aside; then the stream tells of nothing more. The sweep does it all."""
    poison = {"part": {"S": "clinic/appointment/bad"}, "sort": {"S": "appointment"}, "version": {"N": "1"}}
    table, name = home.emulator.client("dynamodb"), home.outputs["TableName"]
    table.put_item(TableName=name, Item=poison)
    journeys.wait_for(lambda: "sqs:SendMessage" in _done(recorder, "Planner"), "a record set aside")
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
