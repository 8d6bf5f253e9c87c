"""What a thing of the catalogue must be before it is kept, and where it is told that it is not."""

from typing import Any

import pytest

from slotkeeper.core.appointment import Customer
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.service import Need, Pool, Resource
from slotkeeper.desk.checking import demand
from slotkeeper.documents import Template
from slotkeeper.ledger import Reading
from tests.builders import Setting, a_clinic, service
from tests.field.test_t19_reads import Counting

GONE = "nobody"


@pytest.fixture(scope="module")
def clinic() -> Setting:
    return a_clinic(doctors=20, rooms=28)


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        ("service", service(schedule_id=GONE), "scheduleId"),
        ("service", service(needs=[Need(any_of="doctors"), Need(all_of=("r0", GONE))]), "needs[1].allOf"),
        ("service", service(needs=[Need(all_of=("r0",)), Need(any_of=GONE)]), "needs[1].anyOf"),
        ("service", service(needs=[Need(any_of="doctors"), Need(all_of=("d0",))]), "needs"),
        ("service", service(duration_minutes=31), "durationMinutes"),
        ("pool", Pool(name="X", resource_ids=("d0", GONE)), "resourceIds"),
        ("pool", Pool(name="X", resource_ids=("d0", "d0")), "needs"),
        ("resource", Resource(name="X", zone="UTC", schedule_id=GONE), "scheduleId"),
        ("resource", Resource(name="X", zone="Mars/Base"), "zone"),
        ("customer", Customer(name="X", email="x"), "email"),
        ("customer", Customer(name="X", zone="Mars/Base"), "zone"),
        ("template", Template(kind="booked", subject="x", text="x", service_id=GONE), "serviceId"),
        ("template", Template(kind="booked", subject="x", text="{{"), "text"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(clinic: Setting, kind: Any, value: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        clinic.put(kind, "x", value)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("service", service(schedule_id="week", needs=[Need(any_of="rooms", count=20), Need(all_of=("d0",))])),
        ("resource", Resource(name="X", zone="UTC", schedule_id="week")),
        ("customer", Customer(name="X", email="x@example.com", zone="Europe/Berlin")),
        ("customer", Customer(name="X")),
        ("template", Template(kind="booked", subject="x", text="x", service_id="visit")),
    ],
)
def test_what_names_what_is_there_is_kept(clinic: Setting, kind: Any, value: Any) -> None:
    clinic.put(kind, "kept", value)


def test_no_more_are_needed_of_a_pool_than_it_has(clinic: Setting) -> None:
    clinic.put("pool", "pair", Pool(name="Pair", resource_ids=("d0", "d1")))
    clinic.service("two", needs=[Need(any_of="pair", count=2)])

    with pytest.raises(Invalid, match="3 are needed of a pool of 2") as caught:
        clinic.service("three", needs=[Need(any_of="pair", count=3)])

    assert caught.value.field == "needs"


@pytest.mark.parametrize(
    ("minutes", "buffers", "most", "days"),
    [
        (30, (0, 0), 47, 2),
        (1440, (0, 0), 47, 2),
        (1440, (5, 0), 31, 3),
        (5760, (0, 0), 19, 5),
        (1440, (0, 5), 31, 3),
        (1440, (720, 720), 31, 3),
        (10_080, (0, 0), 11, 8),
    ],
)
def test_a_service_needs_no_more_than_one_commit_can_claim(
    clinic: Setting, minutes: int, buffers: tuple[int, int], most: int, days: int
) -> None:
    """Change.LIMIT: 100 documents, and five of them are none of the sheets of each who serves, on each of its days."""
    everyone = [f"d{number}" for number in range(20)] + [f"r{number}" for number in range(28)]

    def put(count: int) -> None:
        needs = [Need(all_of=tuple(everyone[at : min(at + 20, count)])) for at in range(0, count, 20)]
        before, after = buffers
        clinic.service(
            "many",
            needs=needs,
            duration_minutes=minutes,
            buffer_before_minutes=before,
            buffer_after_minutes=after,
        )

    put(most)
    with pytest.raises(Invalid, match=f"no booking can claim {most + 1} staff and rooms over {days} days") as caught:
        put(most + 1)
    assert caught.value.field == "needs"


def test_a_pool_that_is_gone_is_missing_where_it_is_needed(clinic: Setting) -> None:
    with pytest.raises(Missing) as caught:
        clinic.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", GONE)

    assert (caught.value.kind, caught.value.id) == ("service", GONE)


@pytest.mark.parametrize("count", [1, 20])
def test_those_who_are_named_are_asked_for_together(clinic: Setting, count: int) -> None:
    store = Counting(clinic.store)

    demand(Reading(store), "clinic", "resource", [f"d{number}" for number in range(count)], "x")

    assert (store.asked["read"], store.things) == (1, count)
