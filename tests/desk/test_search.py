"""Looking for slots: what is asked, how far, for whom, and what is told of it."""

from collections.abc import Callable
from typing import Any

import pytest

from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.ticks import DAY_SECONDS, Instant, Window, day_of
from slotkeeper.desk import search
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.desk.search import Meeting, Offers, Search, meeting_slots, service_slots
from tests.builders import STAFF, VISITOR, Setting, a_clinic, at, customer_actor

FIRST, LAST = at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z")
NINE, TEN = at("2026-11-24T09:00:00Z"), at("2026-11-24T10:00:00Z")


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def offers(clinic: Setting, actor: Any = STAFF, service_id: str = "visit", **others: Any) -> Offers:
    return service_slots(clinic.desk, actor, service_id, Search(**{"first": FIRST, "last": LAST} | others))


def meetings(clinic: Setting, *ids: str, first: Instant = FIRST, last: Instant = LAST, **others: Any) -> Offers:
    facts: dict[str, Any] = {"member_ids": ids or ("d0", "d1"), "minutes": 60}
    meeting = Meeting(**facts | others)
    return meeting_slots(clinic.desk, STAFF, meeting, Search(first=first, last=last))


def test_offers_say_how_long_they_are_and_where(clinic: Setting) -> None:
    clinic.service("visit", zone="Europe/London")

    assert (offers(clinic).seconds, offers(clinic).zone) == (1800, "Europe/London")
    assert (meetings(clinic).seconds, meetings(clinic).zone) == (3600, "Europe/Berlin")


def test_offers_are_those_of_the_span_that_is_asked(clinic: Setting) -> None:
    found = offers(clinic, first=NINE, last=TEN)

    assert found.starts == [NINE + minutes * 60 for minutes in (0, 15, 30, 45)]


@pytest.mark.parametrize(
    ("before", "after", "days"),
    [
        (0, 0, ("2026-11-24", 2)),
        (5, 0, ("2026-11-23", 3)),
        (1440, 0, ("2026-11-23", 3)),
        (1440, 1440, ("2026-11-23", 4)),
    ],
)
def test_the_days_that_are_looked_at_have_room_for_the_claims(
    clinic: Setting, before: int, after: int, days: tuple[str, int]
) -> None:
    clinic.service("visit", buffer_before_minutes=before, buffer_after_minutes=after)

    first, count = days
    assert offers(clinic).window == Window.of_days(day_of(at(f"{first}T00:00:00Z")), count)


@pytest.mark.parametrize("ask", [offers, meetings])
@pytest.mark.parametrize("last", [FIRST, Instant(FIRST - 1), Instant(FIRST + 92 * DAY_SECONDS + 1)])
def test_the_span_is_of_some_time_and_not_of_too_much(
    clinic: Setting, last: Instant, ask: Callable[..., Offers]
) -> None:
    with pytest.raises(Invalid) as caught:
        ask(clinic, last=last)

    assert caught.value.field == "to"
    assert ask(clinic, last=Instant(FIRST + 92 * DAY_SECONDS)).starts


@pytest.mark.parametrize(("others", "id"), [({"public": False}, "visit"), ({"active": False}, "visit"), ({}, "nail")])
def test_what_is_not_offered_to_visitors_is_not_there_for_them(
    clinic: Setting, others: dict[str, Any], id: str
) -> None:
    clinic.service("visit", **others)

    with pytest.raises(Missing) as caught:
        offers(clinic, VISITOR, id)

    assert (caught.value.kind, caught.value.id) == ("service", id)


def test_staff_are_shown_what_visitors_are_not(clinic: Setting) -> None:
    clinic.service("visit", public=False)

    assert offers(clinic).starts


def test_a_customers_credential_asks_for_that_customer(clinic: Setting) -> None:
    clinic.service("visit", customer_limit=1)
    clinic.book("2026-11-24T09:00:00Z", customer_id="ada")

    assert not offers(clinic, customer_actor("ada"), customer_id="bob").starts
    assert offers(clinic, customer_actor("bob"), customer_id="ada").starts
    assert not offers(clinic, customer_id="ada").starts


# A time for several.


@pytest.mark.parametrize(
    ("others", "field"),
    [
        ({"member_ids": ()}, "members"),
        ({"member_ids": ("d0", "d0")}, "needs"),
        ({"required": 0}, "required"),
        ({"required": 3}, "required"),
        ({"minutes": 61}, "durationMinutes"),
        ({"step_minutes": 7}, "stepMinutes"),
    ],
)
def test_a_meeting_that_makes_no_sense_is_told_where(clinic: Setting, others: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        meetings(clinic, **others)

    assert caught.value.field == field


def test_a_meeting_wants_all_unless_fewer_are_required(clinic: Setting) -> None:
    clinic.book("2026-11-24T09:00:00Z", resource_ids=("d0",))

    assert NINE not in meetings(clinic).starts
    assert NINE not in meetings(clinic, required=2).starts
    assert NINE in meetings(clinic, required=1).starts
    assert NINE in meetings(clinic, "d1", "d2").starts


def test_a_meeting_is_while_they_are_open_and_starts_by_the_step(clinic: Setting) -> None:
    found = meetings(clinic, step_minutes=60).starts

    assert found == [at("2026-11-24T08:00:00Z") + hour * 3600 for hour in range(8)]


def test_a_meeting_may_be_years_ahead_and_is_never_past(clinic: Setting) -> None:
    clinic.clock.now = NINE

    assert meetings(clinic).starts[0] == NINE
    assert meetings(clinic, first=at("2036-11-24T00:00:00Z"), last=at("2036-11-25T00:00:00Z")).starts


def test_a_meeting_is_looked_for_among_what_is_booked_by_now(clinic: Setting) -> None:
    assert NINE in meetings(clinic).starts

    clinic.book("2026-11-24T09:00:00Z", resource_ids=("d0",))

    assert NINE not in meetings(clinic).starts


def test_a_meeting_is_not_while_one_of_them_is_held(clinic: Setting) -> None:
    hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=NINE, resource_ids=("d0",), seconds=60))
    held = meetings(clinic).starts

    clinic.clock.forward(seconds=60)

    assert NINE not in held
    assert NINE in meetings(clinic).starts


def test_a_meeting_is_of_as_many_as_may_be_named(clinic: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_MEMBERS", 2)

    assert meetings(clinic, "d0", "d1").starts
    with pytest.raises(Invalid, match="name 1 to 2 members"):
        meetings(clinic, "d0", "d1", "d2")
