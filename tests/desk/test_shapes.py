"""What stands for what an order or a question leaves out, and the limits that the documents tell of."""

from typing import Any

import msgspec
import pytest

from slotkeeper.core.appointment import Appointment, Contact
from slotkeeper.core.ticks import DAY_SECONDS, Instant, Tick, Window
from slotkeeper.desk import away, catalogue, changing, holds, insight, placing, refusing, search, sessions
from slotkeeper.desk.agenda import Filter
from slotkeeper.desk.audit import Entry
from slotkeeper.desk.booking import Booked
from slotkeeper.desk.changing import Move, Request
from slotkeeper.desk.facts import Question
from slotkeeper.desk.holds import HoldOrder
from slotkeeper.desk.keys import ApiKey
from slotkeeper.desk.orders import Order
from slotkeeper.desk.placing import Placed, Wish
from slotkeeper.desk.search import Meeting, Search

NOW, NEVER = Instant(600), Instant(0)
KEY: dict[str, Any] = {"business": "shop", "name": "till", "hash": "x", "scopes": ("read",), "created": NOW}
ENTRY: dict[str, Any] = {"id": "aud_1", "at": NOW, "by": "key", "what": "put", "target": "pool/a"}
ASKED: dict[str, Any] = {"business": "shop", "window": Window(Tick(0), 1), "now": NOW}
SPAN: dict[str, Any] = {"first": NEVER, "last": NOW}
VISIT = Appointment(id="apt_1", status="booked", start=NOW, end=NOW, created=NOW)
BARE: dict[str, Any] = {"customer_id": "", "resource_ids": ()}


@pytest.mark.parametrize(
    ("least", "whole"),
    [
        (
            Order(start=NOW),
            Order(
                start=NOW,
                end=None,
                service_id="",
                contact=Contact(),
                details={},
                hold_id="",
                override="",
                request_key="",
                **BARE,
            ),
        ),
        (
            HoldOrder(service_id="visit", start=NOW),
            HoldOrder(service_id="visit", start=NOW, resource_ids=(), seconds=300, request_key=""),
        ),
        (Request(id="apt_1"), Request(id="apt_1", seen_revision="", request_key="", reason="")),
        (
            Move(id="apt_1", start=NOW),
            Move(
                id="apt_1",
                start=NOW,
                seen_revision="",
                request_key="",
                reason="",
                end=None,
                resource_ids=(),
                override="",
            ),
        ),
        (Wish(start=NOW, end=NOW), Wish(start=NOW, end=NOW, ignoring=(), is_override=False, **BARE)),
        (
            Placed(start=NOW, end=NOW, calendars=("d0",), zone="UTC"),
            Placed(
                start=NOW,
                end=NOW,
                buffer_before=0,
                buffer_after=0,
                resource_ids=(),
                calendars=("d0",),
                tallies=(),
                zone="UTC",
                overridden=(),
            ),
        ),
        (Question(**ASKED), Question(**ASKED, customer_id="", pinned=(), ignoring=())),
        (Search(**SPAN), Search(**SPAN, ignoring=(), **BARE)),
        (Filter(**SPAN), Filter(**SPAN, customer_id="", resource_id="", service_id="", statuses=frozenset())),
        (
            Meeting(member_ids=("d0",), minutes=30),
            Meeting(member_ids=("d0",), required=None, minutes=30, step_minutes=15),
        ),
        (Booked(VISIT), Booked(VISIT, is_repeat=False, warnings=())),
        (Entry(**ENTRY), Entry(**ENTRY, reason="")),
        (ApiKey(**KEY), ApiKey(**KEY, customer_id="", revoked=NEVER)),
    ],
)
def test_what_is_left_out_is_what_most_mean(least: msgspec.Struct, whole: msgspec.Struct) -> None:
    assert least == whole


def test_what_insight_reads_of_an_appointment_may_lack_what_is_empty() -> None:
    kept = msgspec.convert({"status": "booked", "start": 0, "end": 300, "created": 0}, insight._Kept)
    note = msgspec.convert({"kind": "reminder", "due": 300}, insight._Note)

    assert (kept.service_id, kept.resource_ids, kept.expires, kept.messages) == ("", (), 0, ())
    assert (note.state, note.first_due) == ("waiting", 0)


def test_the_limits_are_those_that_are_told() -> None:
    assert (catalogue.MAX_ON_SHELF, catalogue.MAX_TIME_OFF, catalogue.LONGEST_TIME_OFF_DAYS) == (100, 500, 3660)
    assert (changing.MAX_EVENTS, changing.MAX_SECONDS) == (200, 7 * DAY_SECONDS)
    assert (holds.DEFAULT_SECONDS, holds.MAX_SECONDS) == (300, 1800)
    assert (insight.MAX_DAYS, search.MAX_DAYS, search.MAX_MEMBERS, placing.MAX_DAYS) == (92, 92, 5000, 31)
    assert (sessions.SHORT_SECONDS, sessions.LONG_SECONDS) == (12 * 3600, 30 * DAY_SECONDS)
    assert sessions.SWEPT_AT_ONCE == 20
    assert (away.MOST, refusing.ALTERNATIVES, refusing.DAYS_LOOKED_AHEAD) == (100, 3, 14)
