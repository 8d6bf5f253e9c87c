"""Changing an appointment: what each change leaves in it, what it claims after, and who may not."""

from collections.abc import Callable
from typing import Any

import pytest

from slotkeeper.core.actor import Actor, Forbidden
from slotkeeper.core.appointment import Action, Appointment
from slotkeeper.core.errors import (
    Invalid,
    KeyReused,
    Missing,
    OffStep,
    Outdated,
    Taken,
    TooLate,
    TooSoon,
    WrongState,
)
from slotkeeper.core.service import Resource
from slotkeeper.core.ticks import Instant, day_of
from slotkeeper.desk import booking, catalogue, changing
from slotkeeper.desk.audit import entries
from slotkeeper.desk.changing import Move, Request, act, edit, find, move, reopen
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.documents import sheet_key, sheet_of
from slotkeeper.ledger import Reading
from tests.builders import STAFF, Setting, a_clinic, at, contact, customer_actor, order

NINE, TEN, NIGHT = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z", "2026-11-24T20:00:00Z"
ADA = customer_actor("ada")


ELEVEN = "2026-11-24T11:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    """A minute after everything was put there."""
    clinic = a_clinic(doctors=2)
    clinic.clock.forward(minutes=1)
    return clinic


def go(clinic: Setting, id: str, start: str, actor: Actor = STAFF, end: str = "", **others: Any) -> Appointment:
    return move(clinic.desk, actor, Move(id=id, start=at(start), end=at(end) if end else None, **others))


def do(clinic: Setting, action: Action, id: str, actor: Actor = STAFF, **others: Any) -> Appointment:
    return act(clinic.desk, actor, action, Request(id=id, **others))


def bare(clinic: Setting, start: str, end: str, **others: Any) -> Appointment:
    return booking.book(clinic.desk, STAFF, order(start, end, **{"resource_ids": ("d0",)} | others)).appointment


def claims(clinic: Setting, calendar: str = "d0") -> list[tuple[str, Instant, Instant, Instant]]:
    key = sheet_key("clinic", calendar, day_of(at(NINE)))
    return [(each.owner, each.start, each.end, each.expires) for each in sheet_of(clinic.store.read([key]).get(key))]


# Moves.


def test_a_move_is_told_with_all_that_it_changes(clinic: Setting) -> None:
    clinic.service("visit", day_limit=9)
    before = clinic.book(NINE, customer_id="ada")
    clinic.clock.forward(minutes=1)

    after = go(clinic, before.id, "2026-11-25T10:00:00Z", reason="asked to")

    event = after.events[-1]
    assert (after.start, after.end) == (at("2026-11-25T10:00:00Z"), at("2026-11-25T10:30:00Z"))
    assert (after.resource_ids, after.calendars) == (("d0",), ("d0",))
    assert after.tallies == (("clinic/tally/visit", "day/2026-11-25"),)
    assert (after.revision, after.sequence, after.overrode, after.zone) == (2, 1, "", "Europe/Berlin")
    assert (event.type, event.at, event.by, event.was_start) == ("moved", clinic.clock.now, "staff", before.start)
    assert (event.reason, event.warning) == ("asked to", "")
    assert [each.about for each in after.messages if each.kind == "reminder" and each.state == "waiting"] == [
        after.start,
        after.start,
    ]
    assert claims(clinic) == []


def test_a_move_may_overlap_where_it_was(clinic: Setting) -> None:
    before = clinic.book(NINE, resource_ids=("d0",))

    after = go(clinic, before.id, "2026-11-24T09:15:00Z")

    assert after.resource_ids == ("d0",)
    assert claims(clinic) == [(after.id, after.start, after.end, 0)]


def test_who_serves_stays_where_they_can_and_gives_way_to_another_where_not(clinic: Setting) -> None:
    clinic.service("visit", day_limit=9)
    mine = clinic.book(NINE, resource_ids=("d1",))
    clinic.book("2026-11-24T11:00:00Z", resource_ids=("d1",))

    assert go(clinic, mine.id, TEN).resource_ids == ("d1",)
    moved = go(clinic, mine.id, "2026-11-24T11:00:00Z")
    assert (moved.resource_ids, moved.tallies) == (("d0",), mine.tallies)
    with pytest.raises(Taken):
        go(clinic, mine.id, "2026-11-24T11:00:00Z", resource_ids=("d1",))


def test_a_move_to_where_it_is_changes_nothing(clinic: Setting) -> None:
    before = clinic.book(NINE)

    assert go(clinic, before.id, NINE) == before
    assert go(clinic, before.id, NINE, end="2026-11-24T09:30:00Z", resource_ids=("d0",)) == before
    assert go(clinic, before.id, NINE, end="2026-11-24T09:35:00Z").revision == 2
    assert go(clinic, before.id, NINE, resource_ids=("d1",)).revision == 3


@pytest.mark.parametrize(
    ("end", "refused"),
    [
        (NINE, OffStep),
        ("2026-11-24T08:30:00Z", OffStep),
        ("2026-11-24T09:31:00Z", OffStep),
        ("2026-12-01T09:00:01Z", Invalid),
        ("2026-12-01T09:05:00Z", Invalid),
    ],
)
def test_a_visit_is_some_ticks_and_at_most_a_week_long(clinic: Setting, end: str, refused: type[Exception]) -> None:
    visit = clinic.book(NINE)

    with pytest.raises(refused) as caught:
        go(clinic, visit.id, NINE, end=end)

    assert not isinstance(caught.value, Invalid) or caught.value.field == "endTime"
    assert go(clinic, visit.id, NINE, end="2026-11-24T09:05:00Z").end == at("2026-11-24T09:05:00Z")


def test_a_span_without_a_service_moves_as_long_as_it_is(clinic: Setting) -> None:
    before = bare(clinic, NINE, "2026-11-24T09:17:00Z")
    bare(clinic, TEN, "2026-11-24T11:00:00Z")

    after = go(clinic, before.id, "2026-11-24T09:01:00Z")

    assert (after.end, after.resource_ids) == (at("2026-11-24T09:18:00Z"), ("d0",))
    with pytest.raises(Taken):
        go(clinic, before.id, TEN)
    assert go(clinic, before.id, TEN, resource_ids=("d1",)).resource_ids == ("d1",)


def test_a_move_against_the_rules_is_staffs_told_and_noted(clinic: Setting) -> None:
    visit = clinic.book(NINE, customer_id="ada")

    with pytest.raises(Forbidden) as caught:
        go(clinic, visit.id, NIGHT, ADA, override="urgent")
    after = go(clinic, visit.id, NIGHT, override="urgent")
    again = go(clinic, visit.id, TEN)

    assert caught.value.scope == "staff"
    assert (after.overrode, after.events[-1].reason) == ("closed", "urgent")
    assert after.events[-1].warning == "closed: not everyone who is needed is open then"
    found = entries(clinic.store, "clinic", clinic.clock.now, Instant(clinic.clock.now + 1))
    assert [(each.what, each.target, each.reason) for each in found] == [("override", visit.id, "urgent")]
    assert (again.overrode, again.events[-1].warning) == ("", "")


def test_a_move_against_several_rules_notes_each_of_them(clinic: Setting) -> None:
    first, second = (clinic.book(start, resource_ids=("d0",)) for start in (NINE, TEN))
    go(clinic, first.id, NIGHT, override="urgent")

    after = go(clinic, second.id, NIGHT, override="urgent", resource_ids=("d0",))

    assert after.events[-1].warning.splitlines() == [
        "closed: not everyone who is needed is open then",
        "taken: the time is taken",
    ]


def test_a_move_to_another_place_goes_by_the_clock_there(clinic: Setting) -> None:
    clinic.put("resource", "far", Resource(name="Dr Far", zone="America/New_York"))
    visit = bare(clinic, NINE, TEN)

    after = go(clinic, visit.id, NINE, resource_ids=("far",))

    assert (visit.zone, after.zone) == ("Europe/Berlin", "America/New_York")


def test_a_move_that_needs_no_override_notes_none(clinic: Setting) -> None:
    visit = clinic.book(NINE)

    after = go(clinic, visit.id, TEN, override="urgent")

    assert (after.overrode, after.events[-1].reason) == ("", "")
    assert list(entries(clinic.store, "clinic", clinic.clock.now, Instant(clinic.clock.now + 1))) == []


@pytest.mark.parametrize("gone", ["inactive", "removed"])
def test_a_visit_of_a_service_that_is_offered_no_more_can_still_be_moved(clinic: Setting, gone: str) -> None:
    visit = clinic.book(NINE)
    if gone == "inactive":
        clinic.service("visit", active=False)
    else:
        catalogue.remove(clinic.desk, STAFF, "service", "visit")

    assert go(clinic, visit.id, TEN).start == at(TEN)


# The customer's own changes.


@pytest.mark.parametrize("change", [lambda it, id: do(it, "cancel", id, ADA), lambda it, id: go(it, id, TEN, ADA)])
def test_customers_change_theirs_until_the_notice_begins(
    clinic: Setting, change: Callable[[Setting, str], object]
) -> None:
    clinic.service("visit", cancel_notice_minutes=60)
    mine, other = clinic.book(NINE, customer_id="ada"), clinic.book(NINE, customer_id="bob")
    clinic.clock.set("2026-11-24T08:00:01Z")

    with pytest.raises(TooLate, match="up to 60 minutes"):
        change(clinic, mine.id)
    with pytest.raises(Missing) as caught:
        change(clinic, other.id)
    assert (caught.value.kind, caught.value.id) == ("appointment", other.id)
    clinic.clock.set("2026-11-24T08:00:00Z")
    change(clinic, mine.id)


@pytest.mark.parametrize("change", [lambda it, id: do(it, "cancel", id), lambda it, id: go(it, id, TEN)])
def test_staff_change_theirs_whenever_they_like(clinic: Setting, change: Callable[[Setting, str], Appointment]) -> None:
    clinic.service("visit", cancel_notice_minutes=60)
    mine = clinic.book(NINE, customer_id="ada")
    clinic.clock.set("2026-11-24T08:59:59Z")

    assert change(clinic, mine.id).revision == 2


@pytest.mark.parametrize("action", ["confirm", "decline", "checkIn", "complete", "noShow"])
def test_what_only_staff_do(clinic: Setting, action: Action) -> None:
    mine = clinic.book(NINE, customer_id="ada")

    with pytest.raises(Forbidden) as caught:
        do(clinic, action, mine.id, ADA)

    assert caught.value.scope == "staff"
    with pytest.raises(Forbidden):
        reopen(clinic.desk, ADA, Request(id=mine.id))


def test_a_credential_for_one_appointment_sees_no_other(clinic: Setting) -> None:
    mine, other = clinic.book(NINE), clinic.book(NINE)
    link = Actor(business="clinic", id="link", scopes=frozenset({"read", "book"}), appointment_id=mine.id)

    with pytest.raises(Missing) as caught:
        do(clinic, "cancel", other.id, link)
    assert (caught.value.kind, caught.value.id) == ("appointment", other.id)
    assert do(clinic, "cancel", mine.id, link).status == "cancelled"


# What the actions leave behind.


@pytest.mark.parametrize(
    ("action", "status", "is_kept"),
    [
        ("cancel", "cancelled", False),
        ("noShow", "noShow", False),
        ("checkIn", "checkedIn", True),
        ("complete", "completed", True),
    ],
)
def test_its_time_is_kept_or_given_back(clinic: Setting, action: Action, status: str, is_kept: bool) -> None:
    visit = clinic.book(NINE)
    clinic.clock.forward(minutes=1)

    after = do(clinic, action, visit.id, reason="because")

    event = after.events[-1]
    assert (after.status, after.revision) == (status, 2)
    assert (event.type, event.at, event.by, event.reason) == (status, clinic.clock.now, "staff", "because")
    assert [owner for owner, *_ in claims(clinic)] == ([visit.id] if is_kept else [])


def asked(clinic: Setting, minutes: int | None = 60) -> Appointment:
    clinic.service("asked", needs_confirmation=True, confirm_within_minutes=minutes)
    return clinic.book(NINE, "asked")


@pytest.mark.parametrize("minutes", [60, None])
def test_what_is_confirmed_keeps_its_time_for_good_and_is_reminded_of(clinic: Setting, minutes: int | None) -> None:
    pending = asked(clinic, minutes)

    after = do(clinic, "confirm", pending.id)

    assert (after.status, after.expires) == ("booked", 0)
    assert claims(clinic) == [(after.id, after.start, after.end, 0)]
    assert [each.state for each in after.messages if each.kind == "reminder"] == ["waiting", "waiting"]


def test_what_is_confirmed_leaves_the_holds_beside_it(clinic: Setting) -> None:
    pending = asked(clinic)
    kept = hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(TEN), resource_ids=("d0",)))

    do(clinic, "confirm", pending.id)

    assert [owner for owner, *_ in claims(clinic)] == [pending.id, kept.id]


def test_what_is_declined_gives_its_time_back(clinic: Setting) -> None:
    pending = asked(clinic)

    assert do(clinic, "decline", pending.id).status == "declined"
    assert claims(clinic) == []


def test_what_waits_may_be_moved_and_waits_as_long_as_before(clinic: Setting) -> None:
    pending = asked(clinic)
    clinic.clock.forward(minutes=30)

    after = go(clinic, pending.id, TEN)

    assert (after.status, after.expires) == ("pending", pending.expires)
    assert claims(clinic) == [(after.id, after.start, after.end, pending.expires)]
    assert [each for each in after.messages if each.kind == "reminder"] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda it, id: do(it, "confirm", id),
        lambda it, id: do(it, "cancel", id),
        lambda it, id: go(it, id, TEN),
    ],
)
def test_nothing_is_done_to_what_has_expired(clinic: Setting, change: Callable[[Setting, str], object]) -> None:
    pending = asked(clinic)
    clinic.clock.forward(minutes=60)

    with pytest.raises(WrongState, match="has expired") as caught:
        change(clinic, pending.id)
    assert caught.value.facts == {"appointmentStatus": "expired"}
    clinic.clock.forward(seconds=-1)
    change(clinic, pending.id)


def test_what_another_has_swept_away_stays_so_when_the_clock_goes_back(clinic: Setting) -> None:
    pending = asked(clinic)
    clinic.clock.forward(minutes=60)
    clinic.book(NINE, resource_ids=("d0",))
    clinic.clock.forward(minutes=-30)

    with pytest.raises(WrongState, match="has expired"):
        do(clinic, "confirm", pending.id)


@pytest.mark.parametrize("action", ["cancel", "noShow", "checkIn", "complete"])
def test_what_is_over_does_not_move(clinic: Setting, action: Action) -> None:
    visit = clinic.book(NINE)
    do(clinic, action, visit.id)

    with pytest.raises(WrongState):
        go(clinic, visit.id, TEN)


# Edits.


def test_what_is_not_named_stays(clinic: Setting) -> None:
    visit = clinic.book(NINE, details={"a": 1}, contact=contact())
    clinic.clock.forward(minutes=1)

    first = edit(clinic.desk, STAFF, Request(id=visit.id, reason="typo"), {"b": 2}, None)
    second = edit(clinic.desk, STAFF, Request(id=visit.id), None, contact("Bo"))

    event = first.events[-1]
    assert (first.details, first.contact, first.revision) == ({"b": 2}, contact(), 2)
    assert (second.details, second.contact, second.revision) == ({"b": 2}, contact("Bo"), 3)
    assert (event.type, event.at, event.by, event.reason) == ("changed", clinic.clock.now, "staff", "typo")


# Who has seen what, and who asks again.

CHANGES: dict[str, Callable[[Setting, Request], Appointment]] = {
    "cancel": lambda it, request: act(it.desk, STAFF, "cancel", request),
    "checkIn": lambda it, request: act(it.desk, STAFF, "checkIn", request),
    "edit": lambda it, request: edit(it.desk, STAFF, request, {"a": 1}, None),
    "move": lambda it, request: move(
        it.desk,
        STAFF,
        Move(id=request.id, seen_revision=request.seen_revision, request_key=request.request_key, start=at(TEN)),
    ),
    "attend": lambda it, request: changing.attend(it.desk, STAFF, request),
}


@pytest.mark.parametrize("name", CHANGES)
def test_who_has_seen_another_revision_is_told_the_current_one(clinic: Setting, name: str) -> None:
    visit = clinic.book(NINE)

    with pytest.raises(Outdated) as caught:
        CHANGES[name](clinic, Request(id=visit.id, seen_revision="8"))

    assert (caught.value.asked, caught.value.current) == ("8", "1")
    assert CHANGES[name](clinic, Request(id=visit.id, seen_revision="1")).revision == 2


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_without_a_key_keeps_no_proof_of_one(clinic: Setting, name: str) -> None:
    assert CHANGES[name](clinic, Request(id=clinic.book(NINE).id)).events[-1].request == ""


@pytest.mark.parametrize("name", CHANGES)
def test_a_repeat_does_nothing_again_and_its_key_is_good_for_nothing_else(clinic: Setting, name: str) -> None:
    visit = clinic.book(NINE)
    request = Request(id=visit.id, seen_revision="1", request_key="a-key")

    first = CHANGES[name](clinic, request)

    assert CHANGES[name](clinic, request) == first
    assert first.revision == 2
    for other in CHANGES:
        if other != name:
            with pytest.raises(KeyReused):
                CHANGES[other](clinic, request)


@pytest.mark.parametrize(
    "other",
    [
        {"start": "2026-11-24T11:00:00Z"},
        {"end": "2026-11-24T11:00:00Z"},
        {"resource_ids": ("d1",)},
        {"override": "urgent"},
    ],
)
def test_a_key_of_a_move_is_of_all_that_it_says(clinic: Setting, other: dict[str, Any]) -> None:
    visit = clinic.book(NINE)
    go(clinic, visit.id, TEN, request_key="a-key")

    with pytest.raises(KeyReused):
        go(clinic, visit.id, **{"start": TEN, "request_key": "a-key"} | other)


def test_the_same_key_of_another_credential_or_appointment_is_another_key(clinic: Setting) -> None:
    mine, other = clinic.book(NINE, customer_id="ada"), clinic.book(NINE)

    for actor, id in ((STAFF, mine.id), (ADA, mine.id), (STAFF, other.id)):
        edit(clinic.desk, actor, Request(id=id, request_key="a-key"), {"by": actor.id}, None)

    assert find(Reading(clinic.store), STAFF, mine.id).revision == 3
    with pytest.raises(KeyReused):
        edit(clinic.desk, STAFF, Request(id=mine.id, request_key="a-key"), {"by": "another"}, None)


def test_a_lost_race_for_a_time_is_told_with_what_won(clinic: Setting) -> None:
    mine = clinic.book(NINE, resource_ids=("d0",))
    rivals = [clinic.book(TEN).id for _ in range(2)]

    with pytest.raises(Taken) as caught:
        go(clinic, mine.id, TEN)

    assert caught.value.private["appointmentId"] in rivals
    alternatives: Any = caught.value.facts["alternatives"]
    assert [each["startTime"] for each in alternatives] == [
        "2026-11-24T09:15:00Z",
        "2026-11-24T09:30:00Z",
        "2026-11-24T10:30:00Z",
    ]


def test_a_move_into_the_past_is_refused(clinic: Setting) -> None:
    mine = clinic.book(NINE)
    clinic.clock.set("2026-11-24T08:30:00Z")

    with pytest.raises(TooSoon):
        go(clinic, mine.id, "2026-11-24T08:15:00Z")


def test_time_without_a_service_is_given_back_until_the_last_second(clinic: Setting) -> None:
    mine = bare(clinic, NINE, TEN, customer_id="ada")
    clinic.clock.set("2026-11-24T08:59:59Z")

    assert do(clinic, "cancel", mine.id, ADA).status == "cancelled"


# Requests that find nothing to do.


def test_a_move_to_where_it_was_does_nothing_when_it_comes_again_later(clinic: Setting) -> None:
    visit = clinic.book(NINE)

    still = go(clinic, visit.id, NINE, request_key="slow")
    moved = go(clinic, visit.id, TEN)
    again = go(clinic, visit.id, NINE, request_key="slow")

    assert (still.start, still.revision, still.events) == (at(NINE), visit.revision, visit.events)
    assert (moved.start, again.start) == (at(TEN), at(TEN))
    assert again == moved
    with pytest.raises(KeyReused):
        go(clinic, visit.id, ELEVEN, request_key="slow")


def test_who_said_that_they_will_come_does_not_say_it_of_another_time(clinic: Setting) -> None:
    visit = clinic.book(NINE)
    said = changing.attend(clinic.desk, STAFF, Request(id=visit.id))

    assert changing.attend(clinic.desk, STAFF, Request(id=visit.id, request_key="slow")).attending == said.attending
    go(clinic, visit.id, TEN)

    assert not changing.attend(clinic.desk, STAFF, Request(id=visit.id, request_key="slow")).attending


def test_what_had_nothing_to_do_and_has_no_key_is_not_remembered(clinic: Setting) -> None:
    visit = clinic.book(NINE)

    assert go(clinic, visit.id, NINE) == visit
    assert find(Reading(clinic.store), STAFF, visit.id) == visit


def test_of_requests_that_had_nothing_to_do_the_last_are_remembered(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "IDLE_REQUESTS", 2)
    visit = clinic.book(NINE)
    for number in range(3):
        go(clinic, visit.id, NINE, request_key=f"key-{number}")
    go(clinic, visit.id, TEN)

    for number in (1, 2):
        assert go(clinic, visit.id, NINE, request_key=f"key-{number}").start == at(TEN)
    assert go(clinic, visit.id, NINE, request_key="key-0").start == at(NINE)
