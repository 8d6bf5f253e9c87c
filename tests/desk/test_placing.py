"""Where a wish finds its place: who serves, who serves against the rules, and what is told when it finds none."""

from typing import Any

import pytest

from slotkeeper.contracts import Change
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Closed, CustomerFull, DayFull, Invalid, Missing, OffStep, Refused, Taken
from slotkeeper.core.service import Need, Pool, Resource
from slotkeeper.desk.booking import Booked, book
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.documents import kind_key
from tests.builders import STAFF, Setting, a_clinic, at, order

NINE, HALF, TEN = "2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z", "2026-11-24T10:00:00Z"
NIGHT, LATER = "2026-11-24T20:00:00Z", "2026-11-24T20:30:00Z"


@pytest.fixture
def clinic() -> Setting:
    return a_clinic(doctors=3)


def bare(clinic: Setting, start: str, end: str | None = None, **others: Any) -> Appointment:
    how = {"resource_ids": ("d0",)} | others
    return book(clinic.desk, STAFF, order(start, end, **how)).appointment


def overridden(clinic: Setting, start: str, **others: Any) -> Booked:
    return book(clinic.desk, STAFF, order(start, **{"service_id": "visit", "override": "urgent"} | others))


# By a service.


@pytest.mark.parametrize(
    ("limits", "start", "refused"),
    [
        ({"day_limit": 1}, TEN, DayFull),
        ({"customer_limit": 1}, TEN, CustomerFull),
        ({}, NIGHT, Closed),
        ({}, "2026-11-24T09:05:00Z", OffStep),
        ({}, "2026-11-24T09:15:01Z", OffStep),
    ],
)
def test_each_rule_is_asked(clinic: Setting, limits: dict[str, Any], start: str, refused: type[Refused]) -> None:
    clinic.service("visit", **limits)
    clinic.book(NINE, customer_id="ada")

    with pytest.raises(refused):
        clinic.book(start, customer_id="ada")
    clinic.book(HALF if not limits else "2026-11-25T09:00:00Z", customer_id="bob")


def test_a_limit_per_customer_wants_to_know_who_it_is_for(clinic: Setting) -> None:
    clinic.service("visit", customer_limit=1)

    with pytest.raises(Invalid) as caught:
        clinic.book(NINE)

    assert caught.value.field == "customerId"
    assert clinic.book(NINE, customer_id="ada").tallies == (("clinic/tally/visit", "customer/ada"),)


@pytest.mark.parametrize(("buffers", "start"), [((30, 0), HALF), ((0, 30), "2026-11-24T08:30:00Z")])
def test_the_buffers_need_room_too(buffers: tuple[int, int], start: str) -> None:
    clinic = a_clinic(doctors=1)
    clinic.service("clean", buffer_before_minutes=buffers[0], buffer_after_minutes=buffers[1])
    rival = clinic.book(NINE)

    with pytest.raises(Taken) as caught:
        clinic.book(start, "clean")

    assert caught.value.private["appointmentId"] == rival.id
    assert caught.value.facts["conflictingAppointment"] == {"startTime": NINE, "endTime": HALF}


@pytest.mark.parametrize(
    ("buffers", "start", "rival"),
    [
        ((60, 0), "2026-11-25T00:00:00Z", ("2026-11-24T23:00:00Z", "2026-11-24T23:30:00Z")),
        ((0, 60), "2026-11-24T23:30:00Z", ("2026-11-25T00:30:00Z", "2026-11-25T01:00:00Z")),
    ],
)
def test_a_buffer_reaches_into_another_day(
    clinic: Setting, buffers: tuple[int, int], start: str, rival: tuple[str, str]
) -> None:
    clinic.put("resource", "open", Resource(name="O", zone="UTC"))
    clinic.service(
        "clean", needs=[Need(all_of=("open",))], buffer_before_minutes=buffers[0], buffer_after_minutes=buffers[1]
    )
    bare(clinic, *rival, resource_ids=("open",))

    with pytest.raises(Taken):
        clinic.book(start, "clean")


def test_who_has_least_to_do_serves(clinic: Setting) -> None:
    assert [clinic.book(start).resource_ids for start in (NINE, HALF, TEN, TEN)] == [("d0",), ("d1",), ("d2",), ("d0",)]


# Against the rules.


def test_of_those_who_could_serve_it_is_who_is_there_and_free_then_who_is_there(clinic: Setting) -> None:
    """`d0` is neither there nor free, `d1` is there, `d2` is free, `d3` is both."""
    clinic.put("resource", "d0", Resource(name="D", zone="Europe/London", schedule_id="week"))
    clinic.put("resource", "d2", Resource(name="D", zone="Europe/London", schedule_id="week"))
    clinic.put("resource", "d3", Resource(name="D", zone="Europe/Berlin", schedule_id="week"))
    clinic.put("pool", "doctors", Pool(name="Doctors", resource_ids=("d0", "d1", "d2", "d3")))
    clinic.service("visit", notice_minutes=2880)
    early = "2026-11-24T08:00:00Z"
    for id in ("d0", "d1"):
        bare(clinic, early, "2026-11-24T08:30:00Z", resource_ids=(id,))

    chosen = [overridden(clinic, early).appointment.resource_ids for _ in range(3)]

    assert chosen == [("d3",), ("d1",), ("d1",)]


def test_who_is_free_serves_where_nobody_is_there(clinic: Setting) -> None:
    bare(clinic, NIGHT, LATER)

    made = overridden(clinic, NIGHT)

    assert made.appointment.resource_ids == ("d1",)
    assert [each.partition(":")[0] for each in made.warnings] == ["closed"]
    assert made.appointment.overrode == "closed"


@pytest.mark.parametrize("gone", ["inactive", "removed"])
def test_who_serves_no_more_is_given_nothing_while_others_do(clinic: Setting, gone: str) -> None:
    """They are as closed as all others at night, and freer than these."""
    if gone == "inactive":
        clinic.put("resource", "d0", Resource(name="D", zone="Europe/Berlin", active=False))
    else:
        clinic.store.commit(Change({(key := kind_key("clinic", "resource", "d0")): 1}, deletes=[key]))
    for id in ("d1", "d2"):
        bare(clinic, NIGHT, LATER, resource_ids=(id,))

    assert overridden(clinic, NIGHT).appointment.resource_ids == ("d1",)


def test_each_need_is_met_by_as_many_as_it_wants(clinic: Setting) -> None:
    clinic.service("trio", needs=[Need(any_of="doctors", count=2), Need(any_of="rooms")])
    bare(clinic, NIGHT, LATER)

    made = overridden(clinic, NIGHT, service_id="trio").appointment

    assert made.resource_ids == ("d1", "d2", "r0")


def test_who_is_there_is_there_for_all_of_the_visit(clinic: Setting) -> None:
    """`d0` goes at four, by UTC, and the others an hour later."""
    clinic.put("pool", "doctors", Pool(name="Doctors", resource_ids=("d0", "d1")))
    clinic.put("resource", "d1", Resource(name="D", zone="Europe/London", schedule_id="week"))
    clinic.service("visit", notice_minutes=2880, duration_minutes=45)

    assert overridden(clinic, "2026-11-24T15:30:00Z").appointment.resource_ids == ("d1",)


@pytest.mark.parametrize(
    ("buffer", "rival"),
    [
        ("buffer_before_minutes", (NINE, HALF)),
        ("buffer_after_minutes", ("2026-11-24T10:10:00Z", "2026-11-24T10:30:00Z")),
    ],
)
def test_who_is_free_is_free_for_the_buffers_too(clinic: Setting, buffer: str, rival: tuple[str, str]) -> None:
    clinic.service("clean", **{buffer: 30})
    bare(clinic, *rival)

    assert overridden(clinic, "2026-11-24T09:35:00Z", service_id="clean").appointment.resource_ids == ("d1",)


def test_a_hold_is_in_the_way_while_it_lasts_and_no_longer(clinic: Setting) -> None:
    for _ in range(2):
        hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(NINE), seconds=60))
    bare(clinic, NINE, HALF, resource_ids=("d2",))

    during = overridden(clinic, NINE)
    clinic.clock.forward(seconds=60)
    after = overridden(clinic, NINE, resource_ids=("d1",))

    assert during.warnings == ("taken: the time is taken",)
    assert (after.appointment.resource_ids, after.warnings) == (("d1",), ())


def test_a_clash_is_told_once(clinic: Setting) -> None:
    clinic = a_clinic(doctors=1)
    clinic.book(NINE)

    assert overridden(clinic, NINE).warnings == ("taken: the time is taken",)
    assert overridden(clinic, TEN).warnings == ()


# A bare span of time.


@pytest.mark.parametrize(
    ("start", "end", "others", "field"),
    [
        (NINE, NINE, {}, "endTime"),
        (HALF, NINE, {}, "endTime"),
        (NINE, "2026-12-25T09:00:01Z", {}, "endTime"),
        (NINE, HALF, {"resource_ids": ()}, "customerId"),
        (NINE, HALF, {"resource_ids": ("d0", "d0")}, "resourceIds"),
    ],
)
def test_a_span_that_makes_no_sense_is_told_where(
    clinic: Setting, start: str, end: str, others: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        bare(clinic, start, end, **others)

    assert caught.value.field == field


def test_a_span_may_be_a_second_or_31_days(clinic: Setting) -> None:
    bare(clinic, NINE, "2026-11-24T09:00:01Z")
    bare(clinic, "2026-11-24T09:00:01Z", "2026-12-25T09:00:01Z")


@pytest.mark.parametrize("active", [True, False])
def test_a_span_is_of_resources_that_are_there(clinic: Setting, active: bool) -> None:
    clinic.put("resource", "old", Resource(name="Old", zone="UTC", active=active))

    with pytest.raises(Missing) as caught:
        bare(clinic, NINE, HALF, resource_ids=("old", "gone"))

    assert (caught.value.kind, caught.value.id) == ("resource", "gone" if active else "old")


@pytest.mark.parametrize(
    ("others", "calendars", "zone"),
    [
        ({"resource_ids": ("london", "d0")}, ("london", "d0"), "Europe/London"),
        ({"resource_ids": (), "customer_id": "ada"}, ("customer/ada",), "Europe/Berlin"),
        ({"customer_id": "ada"}, ("d0",), "Europe/Berlin"),
    ],
)
def test_a_span_is_claimed_of_those_who_are_named_or_of_the_customer(
    clinic: Setting, others: dict[str, Any], calendars: tuple[str, ...], zone: str
) -> None:
    clinic.put("resource", "london", Resource(name="L", zone="Europe/London"))

    made = bare(clinic, NINE, HALF, **others)

    assert (made.start, made.end, made.calendars, made.zone) == (at(NINE), at(HALF), calendars, zone)
    assert made.resource_ids == others.get("resource_ids", ("d0",))
    assert (made.tallies, made.overrode) == ((), "")
    with pytest.raises(Taken):
        bare(clinic, NINE, HALF, **others)


def test_a_span_may_lie_on_another_when_staff_say_why(clinic: Setting) -> None:
    bare(clinic, NINE, HALF)

    made = book(clinic.desk, STAFF, order(NINE, HALF, resource_ids=("d0",), override="urgent"))
    free = book(clinic.desk, STAFF, order(HALF, TEN, resource_ids=("d0",), override="urgent"))

    assert (made.appointment.overrode, made.warnings) == ("taken", ("taken: the time is taken",))
    assert (free.appointment.overrode, free.warnings) == ("", ())
