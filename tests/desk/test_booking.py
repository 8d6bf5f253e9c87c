"""What a booking keeps, what it claims beside its time, and what it says of an order that makes no sense."""

from typing import Any

import pytest

from slotkeeper.core.actor import Forbidden
from slotkeeper.core.appointment import Appointment, Event
from slotkeeper.core.errors import HoldGone, Invalid, KeyReused, Missing, Taken
from slotkeeper.core.ticks import Instant, day_of
from slotkeeper.desk.booking import Booked, book
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.holds import HoldOrder, find_hold, hold
from slotkeeper.documents import sheet_key, sheet_of
from tests.builders import STAFF, VISITOR, Setting, a_clinic, at, contact, customer_actor, order
from tests.field.test_t19_reads import Counting

START, END, LATER = "2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z", "2026-11-24T10:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    return a_clinic(doctors=1)


def booked(clinic: Setting, start: str = START, end: str | None = None, **others: Any) -> Booked:
    return book(clinic.desk, STAFF, order(start, end, **{"service_id": "visit"} | others))


def claimed(clinic: Setting, calendar: str = "d0") -> list[tuple[str, Instant, Instant, Instant]]:
    key = sheet_key("clinic", calendar, day_of(at(START)))
    return [(each.owner, each.start, each.end, each.expires) for each in sheet_of(clinic.store.read([key]).get(key))]


def test_an_appointment_keeps_all_that_was_ordered(clinic: Setting) -> None:
    clinic.service("visit", buffer_before_minutes=10, buffer_after_minutes=15, day_limit=9, zone="Europe/London")

    made = booked(clinic, customer_id="ada", contact=contact(), details={"notes": "x"}).appointment

    assert made == Appointment(
        id=made.id,
        status="booked",
        start=at(START),
        end=at(END),
        buffer_before=600,
        buffer_after=900,
        service_id="visit",
        resource_ids=("d0",),
        customer_id="ada",
        calendars=("d0",),
        tallies=(("clinic/tally/visit", "day/2026-11-24"),),
        contact=contact(),
        details={"notes": "x"},
        zone="Europe/London",
        created=clinic.clock.now,
        events=(
            Event(
                number=1,
                type="booked",
                at=clinic.clock.now,
                by="staff",
                start=at(START),
                end=at(END),
                resource_ids=("d0",),
            ),
        ),
        messages=made.messages,
    )
    assert [each.kind for each in made.messages] == ["booked", "reminder", "reminder"]


def test_a_booking_claims_its_buffers_too(clinic: Setting) -> None:
    clinic.service("visit", buffer_before_minutes=10, buffer_after_minutes=15)

    id = booked(clinic).appointment.id

    assert claimed(clinic) == [(id, at("2026-11-24T08:50:00Z"), at("2026-11-24T09:45:00Z"), 0)]
    assert clinic.slots("2026-11-24T08:00:00Z", "2026-11-24T10:15:00Z") == [
        "2026-11-24T08:00:00Z",
        "2026-11-24T10:00:00Z",
    ]


@pytest.mark.parametrize(("minutes", "seconds"), [(None, 0), (30, 1800)])
def test_what_waits_to_be_confirmed_keeps_its_time_for_so_long(
    clinic: Setting, minutes: int | None, seconds: int
) -> None:
    clinic.service("visit", needs_confirmation=True, confirm_within_minutes=minutes)

    made = booked(clinic).appointment

    expires = clinic.clock.now + seconds if seconds else 0
    assert (made.status, made.expires, made.events[0].type) == ("pending", expires, "pending")
    assert claimed(clinic) == [(made.id, made.start, made.end, expires)]
    assert "reminder" not in [each.kind for each in made.messages]


@pytest.mark.parametrize("key", ["", "a-key"])
def test_the_id_says_that_it_is_an_appointment(clinic: Setting, key: str) -> None:
    assert booked(clinic, request_key=key).appointment.id.startswith("apt_")


def test_a_repeat_finds_what_was_made_and_the_warnings_of_then(clinic: Setting) -> None:
    booked(clinic)
    how = {"request_key": "a-key", "override": "urgent"}
    first = booked(clinic, **how)

    again = booked(clinic, **how)

    assert first.warnings == ("taken: the time is taken",)
    assert again == Booked(first.appointment, is_repeat=True, warnings=first.warnings)
    assert (first.appointment.events[0].reason, first.appointment.overrode) == ("urgent", "taken")


def test_a_key_is_not_good_for_another_order(clinic: Setting) -> None:
    booked(clinic, request_key="a-key")

    with pytest.raises(KeyReused):
        booked(clinic, LATER, request_key="a-key")


def test_the_same_key_of_another_credential_is_another_key(clinic: Setting) -> None:
    mine = book(clinic.desk, customer_actor("ada"), order(START, service_id="visit", request_key="k")).appointment
    other = book(clinic.desk, customer_actor("bob"), order(LATER, service_id="visit", request_key="k")).appointment

    assert mine.id != other.id
    assert (mine.customer_id, other.customer_id) == ("ada", "bob")


def test_who_has_lost_the_time_to_another_is_refused_also_with_a_key(clinic: Setting) -> None:
    booked(clinic)

    with pytest.raises(Taken):
        booked(clinic, request_key="a-key")


@pytest.mark.parametrize(
    ("start", "others", "field"),
    [
        (START, {"end": LATER}, "endTime"),
        (START, {"service_id": "", "resource_ids": ("d0",)}, "endTime"),
        (START, {"resource_ids": ("r0",)}, "resourceIds"),
    ],
)
def test_an_order_that_makes_no_sense_is_told_where(
    clinic: Setting, start: str, others: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        booked(clinic, start, **others)

    assert caught.value.field == field


def test_a_key_of_one_customer_books_for_nobody_else(clinic: Setting) -> None:
    with pytest.raises(Invalid) as caught:
        book(clinic.desk, customer_actor("ada"), order(START, service_id="visit", customer_id="bob"))

    assert caught.value.field == "customerId"


def test_the_end_may_be_named_where_it_is_right(clinic: Setting) -> None:
    assert booked(clinic, end=END).appointment.end == at(END)


@pytest.mark.parametrize(("others", "id"), [({"public": False}, "visit"), ({"active": False}, "visit"), ({}, "nail")])
def test_what_is_not_offered_to_visitors_is_not_there_for_them(
    clinic: Setting, others: dict[str, Any], id: str
) -> None:
    clinic.service("visit", **others)

    with pytest.raises(Missing) as caught:
        book(clinic.desk, VISITOR, order(START, service_id=id))

    assert (caught.value.kind, caught.value.id) == ("service", id)


def test_only_staff_go_against_the_rules(clinic: Setting) -> None:
    with pytest.raises(Forbidden) as caught:
        book(clinic.desk, VISITOR, order(START, service_id="visit", override="urgent"))

    assert caught.value.scope == "staff"


def held(clinic: Setting) -> str:
    return hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(START))).id


def test_a_booking_uses_its_hold_up(clinic: Setting) -> None:
    id = held(clinic)

    made = booked(clinic, hold_id=id).appointment

    assert claimed(clinic) == [(made.id, made.start, made.end, 0)]
    with pytest.raises(Missing):
        find_hold(clinic.desk, STAFF, id)


def test_a_hold_keeps_those_whom_it_was_given(clinic: Setting) -> None:
    clinic = a_clinic(doctors=2)
    id = hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(START), resource_ids=("d1",))).id

    assert booked(clinic, hold_id=id).appointment.resource_ids == ("d1",)


@pytest.mark.parametrize(
    ("start", "others"),
    [(LATER, {}), (START, {"service_id": "exam"}), (START, {"resource_ids": ("r0",)}), (START, {"hold_id": "hld_x"})],
)
def test_a_hold_is_good_for_its_own_visit_alone(clinic: Setting, start: str, others: dict[str, Any]) -> None:
    id = held(clinic)

    with pytest.raises(HoldGone):
        booked(clinic, start, **{"hold_id": id} | others)

    assert find_hold(clinic.desk, STAFF, id).id == id


@pytest.mark.parametrize(("seconds", "is_good"), [(299, True), (300, False)])
def test_a_hold_is_good_until_it_expires(clinic: Setting, seconds: int, is_good: bool) -> None:
    id = held(clinic)
    clinic.clock.forward(seconds=seconds)

    try:
        booked(clinic, hold_id=id)
    except HoldGone:
        assert not is_good
    else:
        assert is_good


def test_a_rule_that_is_overridden_is_told_with_the_clash_that_comes_of_it(clinic: Setting) -> None:
    """The buffer before a visit is claimed too, whichever rule is overridden first."""
    clinic.service("late", buffer_before_minutes=30)
    booked(clinic, "2026-11-24T19:30:00Z", "2026-11-24T20:00:00Z", service_id="", resource_ids=("d0",))

    made = booked(clinic, "2026-11-24T20:00:00Z", service_id="late", override="urgent")
    alone = booked(clinic, "2026-11-24T21:30:00Z", service_id="late", override="urgent")

    assert [each.partition(":")[0] for each in made.warnings] == ["closed", "taken"]
    assert made.appointment.overrode == "taken"
    assert made.appointment.events[0].warning == "\n".join(made.warnings)
    assert alone.warnings == ("closed: not everyone who is needed is open then",)


def test_a_reason_to_go_against_the_rules_is_noted_only_where_one_was_in_the_way(clinic: Setting) -> None:
    made = booked(clinic, override="urgent")

    assert (made.warnings, made.appointment.overrode, made.appointment.events[0].reason) == ((), "", "")


def test_a_booking_sweeps_away_what_has_expired_and_nothing_else(clinic: Setting) -> None:
    held(clinic)
    kept = hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(LATER), seconds=301)).id
    clinic.clock.forward(seconds=300)

    id = booked(clinic).appointment.id

    assert [owner for owner, *_ in claimed(clinic)] == [id, kept]


def test_who_the_hold_keeps_may_be_named(clinic: Setting) -> None:
    id = hold(clinic.desk, STAFF, HoldOrder(service_id="exam", start=at(START))).id

    made = booked(clinic, service_id="exam", hold_id=id, resource_ids=("r0", "d0")).appointment

    assert made.resource_ids == ("d0", "r0")


@pytest.mark.parametrize(
    ("how", "knows_what_changed", "questions", "keys"),
    [
        ({}, True, 8, 11),
        ({"request_key": "a-key"}, True, 7, 11),
        ({"end": END, "service_id": "", "resource_ids": ("d0",)}, True, 4, 6),
        ({}, False, 6, 10),
        ({"request_key": "a-key"}, False, 5, 10),
    ],
)
def test_a_booking_asks_for_what_it_needs_together(
    clinic: Setting, how: dict[str, Any], knows_what_changed: bool, questions: int, keys: int
) -> None:
    """The store of one machine knows what has changed; on AWS all is asked for anew, and fewer questions cost less."""
    store = Counting(clinic.store, knows_what_changed=knows_what_changed)
    clinic.desk = Desk(store, clinic.clock, clinic.desk.new_id)

    booked(clinic, **how)

    assert (store.asked.total(), store.things) == (questions, keys)
