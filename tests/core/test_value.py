"""What stands in a document, and what it leaves out: documents of every age must read as they were meant."""

from typing import Any

import msgspec
import pytest

from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment, Contact, Customer, Deed, Endpoint, Event
from slotkeeper.core.hours import Override, Schedule, Weekly
from slotkeeper.core.logo import MAX_BYTES, Logo
from slotkeeper.core.reminders import Message, Quiet, ReminderRule
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.sheet import Claim

CONTACT = {"name": "", "email": "", "phone": "", "language": "", "zone": ""}
EVENT = {"number": 1, "type": "booked", "at": 60, "by": "k", "start": 300, "end": 600}
APPOINTMENT = {"id": "apt_1", "status": "booked", "start": 300, "end": 600, "created": 60}
MESSAGE = {"id": "msg_1", "kind": "reminder", "channel": "email", "due": 60}
NEED = {"anyOf": "doctors"}
SERVICE = {"name": "Visit", "durationMinutes": 30, "needs": [NEED]}

# Fields that are at their default are not written, so a default can never be changed: it would change what is stored.
LEFT_OUT: list[tuple[type[Any], dict[str, Any], dict[str, Any]]] = [
    (Contact, {}, CONTACT),
    (Customer, {"name": "Ada"}, {"email": "", "phone": "", "language": "", "zone": "", "notes": ""}),
    (
        Event,
        EVENT,
        {"resource_ids": (), "was_start": 0, "expires": 0, "reason": "", "warning": "", "request": ""},
    ),
    (
        Appointment,
        APPOINTMENT,
        {
            "buffer_before": 0,
            "buffer_after": 0,
            "service_id": "",
            "resource_ids": (),
            "customer_id": "",
            "calendars": (),
            "tallies": (),
            "contact": Contact(),
            "details": {},
            "zone": "UTC",
            "revision": 1,
            "sequence": 0,
            "expires": 0,
            "attending": 0,
            "overrode": "",
            "fingerprint": "",
            "first_details": None,
            "first_contact": None,
            "events": (),
            "idle_requests": (),
            "published": 0,
            "messages": (),
        },
    ),
    (
        Message,
        MESSAGE,
        {
            "state": "waiting",
            "target": "",
            "event": 0,
            "lead_minutes": 0,
            "about": 0,
            "first_due": 0,
            "attempts": 0,
            "note": "",
        },
    ),
    (ReminderRule, {"leadMinutes": 60}, {"channel": "email", "service_id": None, "active": True}),
    (Quiet, {"start": 0, "end": 60}, {}),
    (
        Business,
        {"name": "Shop"},
        {
            "zone": "UTC",
            "language": "en",
            "location": "",
            "email": "",
            "quiet_from": "",
            "quiet_to": "",
            "accent": "",
        },
    ),
    (Resource, {"name": "Ada", "zone": "UTC"}, {"kind": "staff", "schedule_id": None, "active": True}),
    (Pool, {"name": "Doctors", "resourceIds": ["a"]}, {}),
    (Need, {}, {"all_of": (), "any_of": None, "count": 1}),
    (
        Service,
        SERVICE,
        {
            "description": "",
            "buffer_before_minutes": 0,
            "buffer_after_minutes": 0,
            "notice_minutes": 0,
            "horizon_days": 365,
            "step_minutes": 15,
            "day_limit": None,
            "customer_limit": None,
            "needs_confirmation": False,
            "confirm_within_minutes": None,
            "cancel_notice_minutes": 0,
            "schedule_id": None,
            "zone": "",
            "location": "",
            "remote": False,
            "public": True,
            "active": True,
        },
    ),
    (Weekly, {}, dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ())),
    (Override, {"date": "2026-11-24", "hours": []}, {}),
    (Schedule, {"name": "Hours", "weekly": {}}, {"overrides": ()}),
]


@pytest.mark.parametrize(("kind", "body", "rest"), LEFT_OUT, ids=[kind.__name__ for kind, _, _ in LEFT_OUT])
def test_what_a_document_leaves_out_reads_as_it_always_did(
    kind: type[Any], body: dict[str, Any], rest: dict[str, Any]
) -> None:
    read = msgspec.convert(body, kind)

    assert {name: getattr(read, name) for name in rest} == rest
    assert len(msgspec.structs.fields(kind)) == len(body) + len(rest)
    assert msgspec.json.decode(msgspec.json.encode(read)) == body


def test_what_is_not_stored_has_its_defaults_too() -> None:
    actor = Actor(business="b", id="k", scopes=frozenset())

    assert (actor.customer_id, actor.appointment_id, actor.is_public, actor.is_viewer) == ("", "", False, False)
    assert (Endpoint("e").types, Endpoint("e").channel) == ((), "webhook")
    assert msgspec.structs.asdict(Deed(now=msgspec.convert(5, int), by="k")) == {  # type: ignore[arg-type]  # any instant
        "now": 5,
        "by": "k",
        "reason": "",
        "warning": "",
        "request": "",
    }
    assert msgspec.json.encode(msgspec.json.decode(b'["a",0,300]', type=Claim)) == b'["a",0,300,0]'


LONG = "x" * 2001
IDS = [f"r{number}" for number in range(5001)]

# For each field: what is just within its limits, and what is just beyond.
LIMITS: list[tuple[type[Any], dict[str, Any], str, list[Any], list[Any]]] = [
    (Service, SERVICE, "name", ["x", LONG[:200]], ["", LONG[:201]]),
    (Service, SERVICE, "description", ["", LONG[:2000]], [LONG]),
    (Service, SERVICE, "location", ["", LONG[:2000]], [LONG]),
    (Service, SERVICE, "durationMinutes", [5, 10_080], [4, 10_081]),
    (Service, SERVICE, "bufferBeforeMinutes", [0, 1440], [-1, 1441]),
    (Service, SERVICE, "bufferAfterMinutes", [0, 1440], [-1, 1441]),
    (Service, SERVICE, "noticeMinutes", [0, 525_600], [-1, 525_601]),
    (Service, SERVICE, "horizonDays", [1, 3660], [0, 3661]),
    (Service, SERVICE, "stepMinutes", [5, 1440], [4, 1441]),
    (Service, SERVICE, "needs", [[NEED], [NEED] * 10], [[], [NEED] * 11]),
    (Service, SERVICE, "dayLimit", [None, 1, 1000], [0, 1001]),
    (Service, SERVICE, "customerLimit", [None, 1, 1000], [0, 1001]),
    (Service, SERVICE, "confirmWithinMinutes", [None, 5, 525_600], [4, 525_601]),
    (Service, SERVICE, "cancelNoticeMinutes", [0, 525_600], [-1, 525_601]),
    (Service, SERVICE, "scheduleId", [None, "x" * 128, "aZ09_.:@+-"], ["", "x" * 129, "a b", "a\n", "ä"]),
    (Need, {}, "allOf", [[], IDS[:20]], [IDS[:21]]),
    (Need, {}, "count", [1, 20], [0, 21]),
    (Pool, {"name": "Doctors"}, "resourceIds", [["a"], IDS[:5000]], [[], IDS]),
    (Business, {"name": "Shop"}, "email", ["", LONG[:254]], [LONG[:255]]),
    (Business, {"name": "Shop"}, "language", ["en", "fil", "pt-BR", "zh-Hant-TW"], ["", "e", "EN", "en-", "en\n"]),
    (Business, {"name": "Shop"}, "accent", ["", "#0a1B2c"], ["#12345", "#1234567", "0a1b2c", "#0a1b2c\n", "red"]),
    (Resource, {"name": "Ada", "zone": "UTC"}, "kind", ["staff", "room", "equipment"], ["thing"]),
    (Contact, {}, "name", ["", LONG[:200]], [LONG[:201]]),
    (Contact, {}, "email", ["", LONG[:254]], [LONG[:255]]),
    (Contact, {}, "phone", ["", LONG[:40]], [LONG[:41]]),
    (Contact, {}, "language", ["", "en", "pt-BR", "zh-Hant-TW"], ["e", "EN", "en-", "en\n"]),
    (Contact, {}, "zone", ["", LONG[:64]], [LONG[:65]]),
    (Customer, {"name": "Ada"}, "notes", ["", LONG[:2000]], [LONG]),
    (ReminderRule, {}, "leadMinutes", [5, 525_600], [4, 525_601]),
    (ReminderRule, {"leadMinutes": 60}, "channel", ["email", "webhook", "sms"], ["topic"]),
    (Message, MESSAGE, "channel", ["email", "webhook", "sms", "topic"], ["fax"]),
    (Message, MESSAGE, "state", ["waiting", "claimed", "sent", "void", "dead"], ["lost"]),
]


@pytest.mark.parametrize(
    ("kind", "body", "field", "within", "beyond"),
    LIMITS,
    ids=[f"{kind.__name__}.{field}" for kind, _, field, _, _ in LIMITS],
)
def test_a_value_at_its_limit_passes_and_one_beyond_it_does_not(
    kind: type[Any], body: dict[str, Any], field: str, within: list[Any], beyond: list[Any]
) -> None:
    for value in within:
        kept = msgspec.json.decode(msgspec.json.encode(msgspec.convert(body | {field: value}, kind)))
        assert kept.get(field, value) == value
    for value in beyond:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(body | {field: value}, kind)


def test_a_logo_has_at_most_forty_kilobytes() -> None:
    assert MAX_BYTES == 40_960
    msgspec.json.decode(msgspec.json.encode({"media": "image/png", "data": bytes(40_960)}), type=Logo)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"media": "image/png", "data": bytes(40_961)}), type=Logo)


def test_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `colour`"):
        msgspec.convert({"name": "Ada", "colour": "red"}, Customer)
