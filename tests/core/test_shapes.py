"""What stands for what a document leaves out, and how large what stands in it may be: both are promises to what is
stored, and to the programs that ask."""

from typing import Any, get_args

import msgspec
import pytest

from slotkeeper.core.hours import Opening
from slotkeeper.core.logo import MAX_BYTES, Media
from slotkeeper.core.reminders import (
    BACKOFF_SECONDS,
    LEASE_SECONDS,
    Channel,
    Message,
    MessageState,
    ReminderRule,
    RuleChannel,
)
from slotkeeper.core.rules import Facts
from slotkeeper.core.service import Business, Need, Pool, Resource, ResourceKind, Service
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Instant, Tick, Window

SERVICE: dict[str, Any] = {"name": "Visit", "durationMinutes": 30, "needs": [{"anyOf": "doctors"}]}
NAMED = {"name": "Clinic"}


@pytest.mark.parametrize(
    ("kind", "others", "field", "least", "most"),
    [
        (Service, SERVICE, "durationMinutes", 5, 10_080),
        (Service, SERVICE, "bufferBeforeMinutes", 0, 1440),
        (Service, SERVICE, "bufferAfterMinutes", 0, 1440),
        (Service, SERVICE, "noticeMinutes", 0, 525_600),
        (Service, SERVICE, "horizonDays", 1, 3660),
        (Service, SERVICE, "stepMinutes", 5, 1440),
        (Service, SERVICE, "dayLimit", 1, 1000),
        (Service, SERVICE, "customerLimit", 1, 1000),
        (Service, SERVICE, "confirmWithinMinutes", 5, 525_600),
        (Service, SERVICE, "cancelNoticeMinutes", 0, 525_600),
        (Need, {"anyOf": "doctors"}, "count", 1, 20),
        (ReminderRule, {}, "leadMinutes", 5, 525_600),
    ],
)
def test_a_number_keeps_within_its_bounds(kind: Any, others: dict[str, Any], field: str, least: int, most: int) -> None:
    for good in (least, most):
        msgspec.convert(others | {field: good}, kind)
    for wrong in (least - 1, most + 1):
        with pytest.raises(msgspec.ValidationError, match=field):
            msgspec.convert(others | {field: wrong}, kind)


@pytest.mark.parametrize(
    ("kind", "others", "field", "one", "least", "most"),
    [
        (Service, SERVICE, "needs", [{"anyOf": "doctors"}], 1, 10),
        (Service, SERVICE, "name", "x", 1, 200),
        (Service, SERVICE, "description", "x", 0, 2000),
        (Service, SERVICE, "location", "x", 0, 2000),
        (Need, {}, "allOf", ["r"], 0, 20),
        (Pool, NAMED, "resourceIds", ["r"], 1, 5000),
        (Business, NAMED, "location", "x", 0, 2000),
        (Business, NAMED, "email", "x", 0, 254),
    ],
)
def test_a_text_and_a_list_keep_within_their_bounds(
    kind: Any, others: dict[str, Any], field: str, one: Any, least: int, most: int
) -> None:
    for good in (least, most):
        msgspec.convert(others | {field: one * good}, kind)
    for wrong in {most + 1, max(least - 1, 0)} - {least}:
        with pytest.raises(msgspec.ValidationError, match=field):
            msgspec.convert(others | {field: one * wrong}, kind)


@pytest.mark.parametrize(
    ("field", "good", "wrong"),
    [("language", ["en", "de-AT"], ["", "EN", "e"]), ("accent", ["", "#a1B2c3"], ["red", "#a1b2c", "#a1b2c3d"])],
)
def test_a_business_names_its_language_and_colour_as_browsers_do(field: str, good: list[str], wrong: list[str]) -> None:
    for text in good:
        msgspec.convert(NAMED | {field: text}, Business)
    for text in wrong:
        with pytest.raises(msgspec.ValidationError, match=field):
            msgspec.convert(NAMED | {field: text}, Business)


def test_an_opening_says_from_when_and_to_when() -> None:
    assert msgspec.convert({"from": "09:00", "to": "10:00"}, Opening) == Opening(from_="09:00", to="10:00")
    for half in ({"to": "10:00"}, {"from": "09:00"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(half, Opening)


@pytest.mark.parametrize(
    ("least", "whole"),
    [
        (
            Service(name="Visit", duration_minutes=30, needs=(Need(any_of="doctors"),)),
            Service(
                name="Visit",
                description="",
                duration_minutes=30,
                buffer_before_minutes=0,
                buffer_after_minutes=0,
                notice_minutes=0,
                horizon_days=365,
                step_minutes=15,
                needs=(Need(all_of=(), any_of="doctors", count=1),),
                day_limit=None,
                customer_limit=None,
                needs_confirmation=False,
                confirm_within_minutes=None,
                cancel_notice_minutes=0,
                schedule_id=None,
                zone="",
                location="",
                remote=False,
                public=True,
                active=True,
            ),
        ),
        (Need(all_of=("r",)), Need(all_of=("r",), any_of=None, count=1)),
        (
            Business(name="Clinic"),
            Business(
                name="Clinic", zone="UTC", language="en", location="", email="", quiet_from="", quiet_to="", accent=""
            ),
        ),
        (Resource(name="D", zone="UTC"), Resource(name="D", kind="staff", zone="UTC", schedule_id=None, active=True)),
        (ReminderRule(lead_minutes=60), ReminderRule(lead_minutes=60, channel="email", service_id=None, active=True)),
        (
            Message(id="m", kind="booked", channel="email", due=Instant(1)),
            Message(
                id="m",
                kind="booked",
                channel="email",
                due=Instant(1),
                state="waiting",
                target="",
                event=0,
                lead_minutes=0,
                about=Instant(0),
                first_due=Instant(0),
                attempts=0,
                note="",
            ),
        ),
    ],
)
def test_what_is_left_out_is_what_most_mean(least: msgspec.Struct, whole: msgspec.Struct) -> None:
    assert least == whole


def test_a_claim_is_stored_as_a_list_as_sheets_hold_many() -> None:
    assert msgspec.json.encode(Claim("apt_1", Instant(300), Instant(600))) == b'["apt_1",300,600,0]'


def test_facts_know_of_no_limit_that_is_reached_unless_they_say_so() -> None:
    told: dict[str, Any] = {"window": Window(Tick(0), 1), "now": Instant(0), "zone": "UTC", "needs": ()}
    told |= {"service": Service(name="Visit", duration_minutes=30, needs=()), "service_open": 1}

    assert Facts(**told) == Facts(**told, full_days=0, customer_is_full=False, open_starts=None)


def test_the_words_of_the_api_are_what_programs_know() -> None:
    assert get_args(ResourceKind) == ("staff", "room", "equipment")
    assert get_args(Media) == ("image/png", "image/jpeg", "image/webp")
    assert get_args(RuleChannel) == ("email", "webhook", "sms")
    assert get_args(Channel) == ("email", "webhook", "sms", "topic")
    assert get_args(MessageState) == ("waiting", "claimed", "sent", "void", "dead")


def test_how_long_a_worker_has_how_often_is_tried_and_how_large_a_logo_is_stand_in_the_docs() -> None:
    assert LEASE_SECONDS == 120
    assert BACKOFF_SECONDS == (30, 60, 120, 300, 900, 1800, 3600, 7200)
    assert MAX_BYTES == 40 * 1024
