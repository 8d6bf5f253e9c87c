"""The catalogue: each change is checked, counted as a version and noted; what is not there is told by its name."""

from collections.abc import Callable
from typing import Any

import pytest

from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Customer
from slotkeeper.core.errors import InUse, Invalid, Missing, Outdated
from slotkeeper.core.logo import Logo
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import Business, Need, Pool, Resource
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.desk import catalogue
from slotkeeper.desk.audit import entries
from slotkeeper.desk.catalogue import SHELVES, Item, mark_of
from slotkeeper.documents import CatalogueKind, Template, Webhook
from tests.builders import STAFF, Setting, a_clinic, at, hours, service
from tests.core.test_logo import JPEG, PNG

NOBODY = Actor(business="nobody", id="x", scopes=frozenset())
HOOK = Webhook(url="https://example.com/hook")
START, END = at("2026-11-24T09:00:00Z"), at("2026-11-24T12:00:00Z")


@pytest.fixture
def clinic() -> Setting:
    """A minute after everything was put there."""
    clinic = a_clinic(doctors=2)
    clinic.clock.forward(minutes=1)
    return clinic


def noted(clinic: Setting) -> list[tuple[str, str]]:
    found = entries(clinic.store, "clinic", clinic.clock.now, Instant(clinic.clock.now + 1))
    return sorted((each.what, each.target) for each in found)


def logo(data: bytes = PNG, media: Any = "image/png") -> Logo:
    return Logo(media=media, data=data + bytes(100))


# What is kept, its version, and what is noted of it.


def test_a_thing_is_kept_noted_and_taken_away(clinic: Setting) -> None:
    value = Resource(name="Dr X", zone="Europe/Berlin")

    first = catalogue.put(clinic.desk, STAFF, "resource", "x", value)
    second = catalogue.put(clinic.desk, STAFF, "resource", "x", value, "1")
    found = catalogue.item(clinic.desk, STAFF, "resource", "x")
    catalogue.remove(clinic.desk, STAFF, "resource", "x", "2")

    assert (first, second, found) == (Item("x", 1, value), Item("x", 2, value), second)
    assert noted(clinic) == [("delete", "resource/x"), ("put", "resource/x"), ("put", "resource/x")]
    assert [each.id for each in catalogue.items(clinic.desk, STAFF, "resource")] == ["d0", "d1", "r0", "r1"]


@pytest.mark.parametrize(
    ("kind", "value", "prefix"),
    [
        ("service", service(), "svc_"),
        ("resource", Resource(name="X", zone="UTC"), "res_"),
        ("pool", Pool(name="X", resource_ids=("d0",)), "pool_"),
        ("schedule", hours(), "sch_"),
        ("customer", Customer(name="Ada"), "cus_"),
        ("template", Template(kind="booked", subject="Hi", text="Hi"), "tpl_"),
    ],
)
def test_a_new_thing_gets_an_id_that_says_what_it_is(
    clinic: Setting, kind: CatalogueKind, value: Any, prefix: str
) -> None:
    made = catalogue.create(clinic.desk, STAFF, kind, value)

    assert made.id.startswith(prefix)
    assert catalogue.item(clinic.desk, STAFF, kind, made.id) == made == Item(made.id, 1, value)


def test_the_profile_is_kept_and_noted(clinic: Setting) -> None:
    value = Business(name="Praxis", zone="Europe/Vienna")

    put = catalogue.put_profile(clinic.desk, STAFF, value, "1")

    assert put == Item("clinic", 2, value) == catalogue.profile(clinic.desk, STAFF)
    assert noted(clinic) == [("put", "business")]


def test_a_logo_is_taken_away_by_whoever_does_not_say_which_they_have_seen(clinic: Setting) -> None:
    catalogue.put_logo(clinic.desk, STAFF, logo())

    catalogue.remove_logo(clinic.desk, STAFF)

    with pytest.raises(Missing):
        catalogue.logo(clinic.desk, STAFF)


def test_what_needs_no_reason_is_noted_without_one(clinic: Setting) -> None:
    clinic.put("pool", "one", Pool(name="One", resource_ids=("d0",)))

    noted = list(entries(clinic.store, "clinic", clinic.clock.now, Instant(clinic.clock.now + 1)))

    assert {each.reason for each in noted} == {""}


def test_the_logo_is_kept_noted_and_taken_away(clinic: Setting) -> None:
    first = catalogue.put_logo(clinic.desk, STAFF, logo())
    second = catalogue.put_logo(clinic.desk, STAFF, logo(JPEG, "image/jpeg"), "1")
    found = catalogue.logo(clinic.desk, STAFF)
    catalogue.remove_logo(clinic.desk, STAFF, "2")

    assert first == Item("clinic", 1, logo())
    assert second == Item("clinic", 2, logo(JPEG, "image/jpeg")) == found
    assert noted(clinic) == [("delete", "logo"), ("put", "logo"), ("put", "logo")]
    with pytest.raises(Missing):
        catalogue.logo(clinic.desk, STAFF)


@pytest.mark.parametrize("name", SHELVES)
def test_what_stands_on_a_shelf_is_kept_noted_and_taken_away(clinic: Setting, name: catalogue.Shelf) -> None:
    value: Any = HOOK if name == "webhooks" else ReminderRule(lead_minutes=60)

    fresh, _ = catalogue.put_on_shelf(clinic.desk, STAFF, name, None, value)
    named = catalogue.put_on_shelf(clinic.desk, STAFF, name, "a", value, "0")
    both = catalogue.shelf(clinic.desk, STAFF, name)
    catalogue.remove_from_shelf(clinic.desk, STAFF, name, "a", mark_of(value))

    assert fresh.startswith("whk_" if name == "webhooks" else "rem_")
    assert named == ("a", value)
    assert both == {fresh: value, "a": value}
    assert catalogue.shelf(clinic.desk, STAFF, name) == {fresh: value}
    assert noted(clinic) == sorted([("put", f"{name}/{fresh}"), ("put", f"{name}/a"), ("delete", f"{name}/a")])


def test_an_absence_is_kept_noted_and_taken_away(clinic: Setting) -> None:
    late = catalogue.add_time_off(clinic.desk, STAFF, "d0", END, Instant(END + 1))
    early = catalogue.add_time_off(clinic.desk, STAFF, "d0", START, END, "ill")
    both = catalogue.time_off(clinic.desk, STAFF, "d0")
    catalogue.remove_time_off(clinic.desk, STAFF, "d0", late.id)

    assert (early.start, early.end, early.reason, late.reason) == (START, END, "ill", "")
    assert early.id.startswith("off_")
    assert both == (early, late)
    assert catalogue.time_off(clinic.desk, STAFF, "d0") == (early,)
    assert catalogue.time_off(clinic.desk, STAFF, "d1") == ()
    places = [f"timeOff/d0/{each.id}" for each in (late, early)]
    assert noted(clinic) == sorted([("put", places[0]), ("put", places[1]), ("delete", places[0])])


# What is told of what is not there, or of another version.

GONE: dict[str, tuple[Callable[[Setting], object], str, str]] = {
    "item": (lambda it: catalogue.item(it.desk, STAFF, "pool", "x"), "pool", "x"),
    "remove": (lambda it: catalogue.remove(it.desk, STAFF, "pool", "x"), "pool", "x"),
    "profile": (lambda it: catalogue.profile(it.desk, NOBODY), "business", "nobody"),
    "logo": (lambda it: catalogue.logo(it.desk, STAFF), "logo", "clinic"),
    "remove_logo": (lambda it: catalogue.remove_logo(it.desk, STAFF), "logo", "clinic"),
    "shelf": (lambda it: catalogue.remove_from_shelf(it.desk, STAFF, "webhooks", "x"), "webhooks", "x"),
    "time_off": (lambda it: catalogue.time_off(it.desk, STAFF, "x"), "resource", "x"),
    "add_time_off": (lambda it: catalogue.add_time_off(it.desk, STAFF, "x", START, END), "resource", "x"),
    "remove_time_off": (lambda it: catalogue.remove_time_off(it.desk, STAFF, "d0", "x"), "timeOff", "x"),
}


@pytest.mark.parametrize("what", GONE)
def test_what_is_not_there_is_told_by_its_name(clinic: Setting, what: str) -> None:
    ask, kind, id = GONE[what]

    with pytest.raises(Missing) as caught:
        ask(clinic)

    assert (caught.value.kind, caught.value.id) == (kind, id)


OLD: dict[str, Callable[[Setting], object]] = {
    "put": lambda it: catalogue.put(it.desk, STAFF, "service", "visit", service(), "8"),
    "remove": lambda it: catalogue.remove(it.desk, STAFF, "service", "visit", "8"),
    "put_profile": lambda it: catalogue.put_profile(it.desk, STAFF, Business(name="X"), "8"),
    "put_logo": lambda it: catalogue.put_logo(it.desk, STAFF, logo(), "8"),
    "remove_logo": lambda it: catalogue.remove_logo(it.desk, STAFF, "8"),
}


@pytest.mark.parametrize("what", OLD)
def test_who_has_seen_another_version_is_told_the_current_one_and_changes_nothing(clinic: Setting, what: str) -> None:
    catalogue.put_logo(clinic.desk, STAFF, logo())
    before = noted(clinic)

    with pytest.raises(Outdated) as caught:
        OLD[what](clinic)

    assert (caught.value.asked, caught.value.current) == ("8", "1")
    assert noted(clinic) == before


def test_a_version_of_what_is_not_there_is_zero(clinic: Setting) -> None:
    with pytest.raises(Outdated) as caught:
        catalogue.put(clinic.desk, STAFF, "service", "new", service(), "1")

    assert caught.value.current == "0"
    assert catalogue.put(clinic.desk, STAFF, "service", "new", service(), "0").version == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda it: catalogue.put_on_shelf(it.desk, STAFF, "webhooks", "a", HOOK, "0"),
        lambda it: catalogue.remove_from_shelf(it.desk, STAFF, "webhooks", "a", "0"),
    ],
)
def test_who_has_seen_another_value_on_a_shelf_is_told_the_mark_of_the_current_one(
    clinic: Setting, change: Callable[[Setting], object]
) -> None:
    catalogue.put_on_shelf(clinic.desk, STAFF, "webhooks", "a", HOOK)

    with pytest.raises(Outdated) as caught:
        change(clinic)

    assert (caught.value.asked, caught.value.current) == ("0", mark_of(HOOK))


# What refers to what.


@pytest.mark.parametrize(
    ("kind", "id", "user"),
    [
        ("schedule", "week", "resource/d0"),
        ("schedule", "evening", "service/late"),
        ("resource", "d0", "pool/doctors"),
        ("resource", "r1", "service/wash"),
        ("pool", "doctors", "service/exam"),
    ],
)
def test_what_another_thing_refers_to_stays(clinic: Setting, kind: CatalogueKind, id: str, user: str) -> None:
    clinic.put("schedule", "evening", hours("18:00", "20:00"))
    clinic.service("late", schedule_id="evening")
    clinic.put("pool", "rooms", Pool(name="Rooms", resource_ids=("r0",)))
    clinic.service("wash", needs=[Need(any_of="doctors"), Need(all_of=("r1",))])

    with pytest.raises(InUse, match=f"{user} still refers to {kind} {id}") as caught:
        catalogue.remove(clinic.desk, STAFF, kind, id)

    assert caught.value.facts == {"usedBy": user}
    assert id in [each.id for each in catalogue.items(clinic.desk, STAFF, kind)]


def test_a_pool_keeps_as_many_as_its_services_need(clinic: Setting) -> None:
    clinic.service("pair", needs=[Need(all_of=("r0",)), Need(any_of="doctors", count=2)])

    with pytest.raises(InUse, match="service pair needs more of this pool"):
        clinic.put("pool", "doctors", Pool(name="Doctors", resource_ids=("d0",)))
    with pytest.raises(InUse, match="service exam needs this pool: resource r0"):
        clinic.put("pool", "doctors", Pool(name="Doctors", resource_ids=("d0", "d1", "r0")))
    clinic.put("pool", "doctors", Pool(name="Doctors", resource_ids=("d1", "d0")))


def test_a_pool_keeps_clear_of_everybody_whom_its_services_need_besides(clinic: Setting) -> None:
    clinic.put("pool", "helpers", Pool(name="Helpers", resource_ids=("d0",)))
    clinic.service("team", needs=[Need(all_of=("r0", "r1")), Need(any_of="helpers")])

    with pytest.raises(InUse, match="service team needs this pool: resource r1"):
        clinic.put("pool", "helpers", Pool(name="Helpers", resource_ids=("d0", "r1")))


def test_all_of_a_kind_are_listed_whatever_their_ids_begin_with_each_with_its_version(clinic: Setting) -> None:
    for id in ("0", "Z", "~"):
        clinic.put("schedule", id, hours())
    clinic.put("schedule", "Z", hours())

    listed = catalogue.items(clinic.desk, STAFF, "schedule")

    assert [(each.id, each.version) for each in listed] == [("0", 1), ("Z", 2), ("week", 1), ("~", 1)]
    assert listed == [catalogue.item(clinic.desk, STAFF, "schedule", each.id) for each in listed]


# What is refused, and where.


@pytest.mark.parametrize(
    ("start", "end"), [(START, START), (END, START), (START, Instant(START + 3660 * DAY_SECONDS + 1))]
)
def test_an_absence_has_an_end_within_ten_years(clinic: Setting, start: Instant, end: Instant) -> None:
    with pytest.raises(Invalid) as caught:
        catalogue.add_time_off(clinic.desk, STAFF, "d0", start, end)

    assert caught.value.field == "endTime"
    catalogue.add_time_off(clinic.desk, STAFF, "d0", START, Instant(START + 3660 * DAY_SECONDS))


def test_a_reminder_rule_names_a_service_that_is_there(clinic: Setting) -> None:
    with pytest.raises(Invalid) as caught:
        catalogue.put_on_shelf(
            clinic.desk, STAFF, "reminderRules", None, ReminderRule(lead_minutes=60, service_id="nail")
        )

    assert caught.value.field == "serviceId"


def test_a_shelf_and_a_list_of_absences_have_an_end(clinic: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MAX_ON_SHELF", 1)
    monkeypatch.setattr(catalogue, "MAX_TIME_OFF", 1)
    catalogue.put_on_shelf(clinic.desk, STAFF, "webhooks", "a", HOOK)
    catalogue.add_time_off(clinic.desk, STAFF, "d0", START, END)

    with pytest.raises(Invalid, match="at most 1 webhooks"):
        catalogue.put_on_shelf(clinic.desk, STAFF, "webhooks", "b", HOOK)
    with pytest.raises(Invalid, match="at most 1 absences"):
        catalogue.add_time_off(clinic.desk, STAFF, "d0", START, END)
    catalogue.put_on_shelf(clinic.desk, STAFF, "webhooks", "a", HOOK)


def test_each_service_of_a_pool_is_asked_and_no_other(clinic: Setting) -> None:
    """The first by its id does not need it, the last needs nothing else."""
    clinic.service("a", needs=[Need(any_of="doctors")])
    clinic.put("pool", "washers", Pool(name="Washers", resource_ids=("r0", "r1")))
    clinic.service("wash", needs=[Need(any_of="washers", count=2)])

    with pytest.raises(InUse, match="service wash needs more of this pool"):
        clinic.put("pool", "washers", Pool(name="Washers", resource_ids=("r0",)))
    clinic.put("pool", "washers", Pool(name="Washers", resource_ids=("r1", "d0")))


@pytest.mark.parametrize(
    ("others", "field"),
    [({"zone": "Mars/Base"}, "zone"), ({"email": "x"}, "email"), ({"quiet_from": "21:00"}, "quietFrom")],
)
def test_a_profile_that_makes_no_sense_is_told_where(clinic: Setting, others: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        catalogue.put_profile(clinic.desk, STAFF, Business(**{"name": "X"} | others))

    assert caught.value.field == field
    assert noted(clinic) == []
