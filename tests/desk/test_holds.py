"""Holds: what one keeps, for how long, for whom, and what it says when it is not there."""

from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.core.actor import OnlyLooks
from slotkeeper.core.errors import Invalid, KeyReused, Missing, Taken
from slotkeeper.core.ticks import Instant, day_of
from slotkeeper.desk.holds import HoldOrder, find_hold, hold, release_hold
from slotkeeper.documents import Hold, sheet_key, sheet_of
from tests.builders import STAFF, VISITOR, Setting, a_clinic, at, customer_actor

NINE, TEN = at("2026-11-24T09:00:00Z"), at("2026-11-24T10:00:00Z")
ADA, BOB = customer_actor("ada"), customer_actor("bob")


@pytest.fixture
def clinic() -> Setting:
    return a_clinic(doctors=1)


def held(clinic: Setting, actor: Any = STAFF, **others: Any) -> Hold:
    facts: dict[str, Any] = {"service_id": "visit", "start": NINE}
    return hold(clinic.desk, actor, HoldOrder(**facts | others))


def claimed(clinic: Setting) -> list[tuple[str, Instant, Instant, Instant]]:
    key = sheet_key("clinic", "d0", day_of(NINE))
    return [(each.owner, each.start, each.end, each.expires) for each in sheet_of(clinic.store.read([key]).get(key))]


def test_a_hold_keeps_all_that_was_ordered_and_claims_the_buffers_too(clinic: Setting) -> None:
    clinic.service("visit", buffer_before_minutes=10, buffer_after_minutes=15, day_limit=3, customer_limit=1)

    made = held(clinic, seconds=60)

    now = clinic.clock.now
    assert made == Hold(
        id=made.id,
        service_id="visit",
        start=NINE,
        end=Instant(NINE + 1800),
        resource_ids=("d0",),
        expires=Instant(now + 60),
        by="staff",
        fingerprint=made.fingerprint,
        tallies=(("clinic/tally/visit", "day/2026-11-24"),),
        claim_start=Instant(NINE - 600),
        claim_end=Instant(NINE + 2700),
    )
    assert find_hold(clinic.desk, STAFF, made.id) == made
    assert claimed(clinic) == [(made.id, made.claim_start, made.claim_end, made.expires)]


def test_a_hold_counts_against_the_limit_of_a_day(clinic: Setting) -> None:
    clinic.service("visit", day_limit=1)
    held(clinic)

    assert clinic.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z") == []


@pytest.mark.parametrize("key", ["", "a-key"])
def test_the_id_says_that_it_is_a_hold(clinic: Setting, key: str) -> None:
    assert held(clinic, request_key=key).id.startswith("hld_")


def test_it_lasts_five_minutes_unless_it_is_said(clinic: Setting) -> None:
    assert held(clinic).expires == clinic.clock.now + 300


@pytest.mark.parametrize("seconds", [0, -1, 1801])
def test_it_lasts_a_second_to_half_an_hour(clinic: Setting, seconds: int) -> None:
    with pytest.raises(Invalid) as caught:
        held(clinic, seconds=seconds)

    assert caught.value.field == "seconds"
    assert held(clinic, seconds=1).expires == clinic.clock.now + 1
    assert held(clinic, start=TEN, seconds=1800).expires == clinic.clock.now + 1800


def test_it_is_there_until_the_second_in_which_it_expires(clinic: Setting) -> None:
    id = held(clinic, seconds=60).id
    clinic.clock.forward(seconds=59)
    assert find_hold(clinic.desk, STAFF, id).id == id
    clinic.clock.forward(seconds=1)

    for ask in (find_hold, release_hold):
        with pytest.raises(Missing) as caught:
            ask(clinic.desk, STAFF, id)
        assert (caught.value.kind, caught.value.id) == ("hold", id)


def test_a_hold_that_is_given_back_leaves_nothing_behind(clinic: Setting) -> None:
    id = held(clinic).id

    release_hold(clinic.desk, STAFF, id)

    assert claimed(clinic) == []
    with pytest.raises(Missing):
        find_hold(clinic.desk, STAFF, id)


def test_a_customer_finds_their_own_hold_alone(clinic: Setting) -> None:
    id = held(clinic, ADA).id

    assert find_hold(clinic.desk, ADA, id).by == ADA.id
    assert find_hold(clinic.desk, STAFF, id).by == ADA.id
    with pytest.raises(Missing):
        find_hold(clinic.desk, BOB, id)
    with pytest.raises(Missing):
        release_hold(clinic.desk, BOB, id)
    release_hold(clinic.desk, ADA, id)


def test_a_repeat_finds_the_same_hold_while_it_lasts(clinic: Setting) -> None:
    first = held(clinic, request_key="a-key")
    clinic.clock.forward(seconds=299)

    assert held(clinic, request_key="a-key") == first
    with pytest.raises(KeyReused):
        held(clinic, request_key="a-key", start=TEN)


def test_a_repeat_makes_it_anew_from_the_second_in_which_it_expires(clinic: Setting) -> None:
    first = held(clinic, request_key="a-key")
    clinic.clock.forward(seconds=300)

    again = held(clinic, request_key="a-key")

    assert (again.id, again.expires) == (first.id, first.expires + 300)
    assert claimed(clinic) == [(again.id, again.start, again.end, again.expires)]


def test_without_a_key_each_is_another(clinic: Setting) -> None:
    held(clinic)

    with pytest.raises(Taken):
        held(clinic)


def test_who_has_lost_the_time_to_another_is_refused_also_with_a_key(clinic: Setting) -> None:
    held(clinic)

    with pytest.raises(Taken):
        held(clinic, request_key="a-key")


@pytest.mark.parametrize(("others", "id"), [({"public": False}, "visit"), ({"active": False}, "visit"), ({}, "nail")])
def test_what_is_not_offered_to_visitors_is_not_kept_for_them(clinic: Setting, others: dict[str, Any], id: str) -> None:
    clinic.service("visit", **others)

    with pytest.raises(Missing) as caught:
        held(clinic, VISITOR, service_id=id)

    assert (caught.value.kind, caught.value.id) == ("service", id)


def test_those_who_are_insisted_on_are_kept() -> None:
    assert held(a_clinic(doctors=2), resource_ids=("d1",)).resource_ids == ("d1",)


def test_a_viewer_keeps_nothing_and_gives_nothing_back(clinic: Setting) -> None:
    viewer = replace(STAFF, is_viewer=True)
    id = held(clinic).id

    with pytest.raises(OnlyLooks):
        held(clinic, viewer, start=TEN)
    with pytest.raises(OnlyLooks):
        release_hold(clinic.desk, viewer, id)
    assert find_hold(clinic.desk, viewer, id).id == id
