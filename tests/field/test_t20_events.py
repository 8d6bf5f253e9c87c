"""T20: each change is one event, published once and told once to each endpoint, with the right times; and the service
starts with nothing set."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.core.appointment import Action, Appointment, Event
from slotkeeper.core.reminders import Message
from slotkeeper.core.ticks import Instant
from slotkeeper.courier import claiming, telling
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.log import events
from slotkeeper.desk import planning
from slotkeeper.desk.catalogue import put_on_shelf
from slotkeeper.desk.changing import Move, Request, act, edit, move
from slotkeeper.desk.desk import Desk
from slotkeeper.documents import Webhook, appointment_key, decoded
from slotkeeper.ledger import Draft, Reading
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.webhook import WebhookSender, WebhookSettings
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at
from tests.post import free_port, work
from tests.senders.test_webhook import Endpoint
from tests.serving import Client

START, MOVED, AGAIN = "2026-11-26T09:00:00Z", "2026-11-27T13:00:00Z", "2026-11-27T13:15:00Z"
END = "2026-11-24T00:00:00Z"


@pytest.fixture
def clinic(tmp_path: Path) -> Setting:
    clinic = a_clinic(SqliteStore(tmp_path / "a.db"), doctors=10)
    clinic.service("asked", name="Asked for", needs_confirmation=True, confirm_within_minutes=60)
    return clinic


@contextmanager
def endpoints(count: int) -> Iterator[list[Endpoint]]:
    """Endpoints that listen on the loopback."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Endpoint()) for _ in range(count)]
        threads = [threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01}) for each in servers]
        for thread in threads:
            thread.start()
        try:
            yield servers
        finally:
            for server, thread in zip(servers, threads, strict=True):
                server.shutdown()
                thread.join()


def told(endpoint: Endpoint) -> list[dict[str, Any]]:
    """What the endpoint has heard, in the order of publication."""
    bodies = [json.loads(body) for _, body in endpoint.requests]
    return sorted(bodies, key=lambda body: (body["data"]["appointmentId"], body["data"]["revision"]))


def deliver(clinic: Setting, until: str = END) -> None:
    hooks = WebhookSender(WebhookSettings(is_private_allowed=True), clinic.clock)
    work(Courier(clinic.store, clinic.clock, {"webhook": hooks}, OutboxSender()), clinic, until)


def live_through(clinic: Setting) -> dict[str, list[str]]:
    """Appointments that go through every state; returns for each the types of events that this must leave."""
    lives: list[tuple[str, list[Action], list[str]]] = [
        ("visit", ["checkIn", "complete"], ["booked", "checkedIn", "completed"]),
        ("visit", ["cancel"], ["booked", "cancelled"]),
        ("visit", ["noShow"], ["booked", "noShow"]),
        ("asked", ["confirm", "complete"], ["pending", "booked", "completed"]),
        ("asked", ["decline"], ["pending", "declined"]),
        ("asked", [], ["pending", "expired"]),
    ]
    expected = {}
    for service_id, actions, types in lives:
        id = clinic.book(START, service_id).id
        expected[id] = types
        for action in actions:
            act(clinic.desk, STAFF, action, Request(id=id))
    wanders = clinic.book(START)
    move(clinic.desk, STAFF, Move(id=wanders.id, start=at(MOVED)))
    move(clinic.desk, STAFF, Move(id=wanders.id, start=at(AGAIN)))
    edit(clinic.desk, STAFF, Request(id=wanders.id), {"notes": "left knee"}, None)
    act(clinic.desk, STAFF, "cancel", Request(id=wanders.id))
    return expected | {wanders.id: ["booked", "moved", "moved", "changed", "cancelled"]}


def each_change_is_one_event(clinic: Setting) -> None:
    with endpoints(2) as hooks:
        for number, hook in enumerate(hooks):
            put_on_shelf(clinic.desk, STAFF, "webhooks", f"hook{number}", Webhook(url=hook.url))
        expected = live_through(clinic)
        deliver(clinic)
        deliver(clinic)

    stored = {id: _stored(clinic, id) for id in expected}
    assert {id: [event.type for event in each.events] for id, each in stored.items()} == expected
    published = events(clinic.store, "clinic", limit=500)
    assert [each.number for each in published] == list(range(1, sum(map(len, expected.values())) + 1))
    by_appointment = {id: [each.type for each in published if each.appointment_id == id] for id in expected}
    assert by_appointment == expected
    for hook in hooks:
        heard = told(hook)
        assert {
            id: [body["type"].removeprefix("appointment.") for body in heard if body["data"]["appointmentId"] == id]
            for id in expected
        } == expected
        assert set(Counter(head["webhook-id"] for head, _ in hook.requests).values()) == {1}


def _stored(clinic: Setting, id: str) -> Appointment:
    key = appointment_key("clinic", id)
    return decoded(clinic.store.read([key])[key], Appointment)


def a_move_tells_both_times(clinic: Setting) -> None:
    """Also when it is told after the next change has been made."""
    with endpoints(1) as [hook]:
        put_on_shelf(clinic.desk, STAFF, "webhooks", "hook", Webhook(url=hook.url, types=("moved", "cancelled")))
        appointment = clinic.book(START)
        for start in (MOVED, AGAIN):
            move(clinic.desk, STAFF, Move(id=appointment.id, start=at(start)))
        act(clinic.desk, STAFF, "cancel", Request(id=appointment.id))
        deliver(clinic)

    times = [
        (body["type"], body["data"].get("wasStartTime"), body["data"]["startTime"], body["data"]["endTime"])
        for body in told(hook)
    ]
    assert times == [
        ("appointment.moved", START, MOVED, "2026-11-27T13:30:00Z"),
        ("appointment.moved", MOVED, AGAIN, "2026-11-27T13:45:00Z"),
        ("appointment.cancelled", None, AGAIN, "2026-11-27T13:45:00Z"),
    ]


@pytest.mark.slow
def test_no_change_is_without_its_event_or_has_two(clinic: Setting) -> None:
    """calcom/cal.diy#21169: webhooks were missing, or came for what had not happened."""
    each_change_is_one_event(clinic)


def test_no_move_is_told_with_wrong_times(clinic: Setting) -> None:
    """calcom/cal.diy#21169: on a reschedule the wrong webhook was sent, or none."""
    a_move_tells_both_times(clinic)


def test_no_change_of_address_needs_a_new_build_or_start(clinic: Setting) -> None:
    """calcom/docker#343: the image had to be built again to change an address."""
    with endpoints(2) as [old, new]:
        put_on_shelf(clinic.desk, STAFF, "webhooks", "hook", Webhook(url=old.url))
        clinic.book(START)
        deliver(clinic, "2026-11-23T07:00:00Z")
        put_on_shelf(clinic.desk, STAFF, "webhooks", "hook", Webhook(url=new.url))
        clinic.book(START)
        deliver(clinic)

    assert [len(old.requests), len(new.requests)] == [1, 1]


def _moves_without_a_word(before: Appointment, start: Instant, end: Instant, *_: Any, **others: Any) -> Appointment:
    return replace(before, start=start, end=end, resource_ids=others["resource_ids"], calendars=others["calendars"])


def _as_it_is_now(
    business: str, appointment: Appointment, message: Message, event: Event | None, now: Instant
) -> Mapping[str, object]:
    """Tells of the appointment as it is, not as the event left it."""
    now_it_is = None if event is None else replace(event, start=appointment.start, end=appointment.end)
    return _payload(business, appointment, message, now_it_is, now)


def _publishes_again(reading: Reading, draft: Draft, business: str, appointment: Appointment) -> Appointment:
    """Never notes what it has published."""
    return _published(reading, draft, business, replace(appointment, published=0))


def _only_the_first(desk: Desk, reading: Reading, business: str) -> planning.Terms:
    terms = _terms_of(desk, reading, business)
    return replace(terms, endpoints=terms.endpoints[:1])


_payload, _published, _terms_of = telling.payload, claiming.published, planning.terms_of

BROKEN: list[tuple[str, Any, Any]] = [
    ("slotkeeper.desk.changing.moved", _moves_without_a_word, each_change_is_one_event),
    ("slotkeeper.desk.changing.moved", _moves_without_a_word, a_move_tells_both_times),
    ("slotkeeper.courier.telling.payload", _as_it_is_now, a_move_tells_both_times),
    ("slotkeeper.courier.claiming.published", _publishes_again, each_change_is_one_event),
    ("slotkeeper.desk.changing.terms_of", _only_the_first, each_change_is_one_event),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "broken", "check"), BROKEN, ids=[broken.__name__ for _, broken, _ in BROKEN])
def test_wrong_or_missing_events_are_caught(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch, name: str, broken: Any, check: Any
) -> None:
    monkeypatch.setattr(name, broken)

    with pytest.raises(AssertionError):
        check(clinic)


@pytest.mark.slow
def test_no_setting_is_needed_to_start(tmp_path: Path) -> None:
    """calcom/docker#343: nothing started before a long list of variables was right."""
    command, port = [sys.executable, "-m", "slotkeeper"], free_port()
    init = [*command, "init", "Clinic", "--zone", "Europe/Berlin"]
    bare = {"PATH": os.environ["PATH"]}
    made = subprocess.run(init, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr

    with subprocess.Popen(
        [*command, "serve", "--port", str(port)], cwd=tmp_path, env=bare, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        assert str(port) in server.stderr.readline()
        with Client(port) as client:
            health, ready = client.get("/health"), client.get("/ready")
        server.terminate()
        server.communicate(timeout=20)

    assert (health.status, ready.status) == (200, 200)
