"""From what is stored to what the rules look at: who is needed, when they are open, and which days are full."""

from typing import Any

import pytest

from slotkeeper.contracts import Change
from slotkeeper.core.errors import Closed, CustomerFull, DayFull, Invalid, Missing
from slotkeeper.core.service import Need, Pool, Resource
from slotkeeper.core.ticks import DAY_SECONDS, Instant, Window, day_of, format_instant
from slotkeeper.desk import booking, catalogue, changing
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import Question, business_of, gather, groups_of, pinned_to, service_of
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.documents import kind_key
from slotkeeper.ledger import Reading
from tests.builders import STAFF, Setting, a_clinic, at, hours, order, service
from tests.field.test_t19_reads import Counting

TUESDAY, WEDNESDAY = "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


# Who is needed.


def test_each_need_is_a_group_of_its_own_in_their_order(clinic: Setting) -> None:
    needs = [Need(all_of=("r0", "r1")), Need(any_of="doctors", count=2), Need(all_of=("x",))]

    found = groups_of(Reading(clinic.store), "clinic", service(needs))

    assert found == [(("r0",), 1), (("r1",), 1), (("d0", "d1", "d2"), 2), (("x",), 1)]


def test_a_pool_that_is_gone_is_told(clinic: Setting) -> None:
    with pytest.raises(Missing) as caught:
        groups_of(Reading(clinic.store), "clinic", service([Need(any_of="nurses")]))

    assert (caught.value.kind, caught.value.id) == ("pool", "nurses")


@pytest.mark.parametrize(
    ("pinned", "narrowed"),
    [
        ((), [(("a", "b", "c"), 2), (("r", "s"), 1)]),
        (("b",), [(("b",), 1), (("a", "c"), 1), (("r", "s"), 1)]),
        (("c", "a"), [(("c",), 1), (("a",), 1), (("r", "s"), 1)]),
        (("s", "b"), [(("b",), 1), (("a", "c"), 1), (("s",), 1)]),
    ],
)
def test_who_is_insisted_on_serves_and_others_make_up_the_number(pinned: tuple[str, ...], narrowed: object) -> None:
    assert pinned_to([(("a", "b", "c"), 2), (("r", "s"), 1)], pinned) == narrowed


@pytest.mark.parametrize(
    ("pinned", "message"),
    [
        (("a", "r", "s"), "needs only 1 of r, s"),
        (("y", "a", "x"), "resource x does not give"),
    ],
)
def test_who_cannot_serve_is_not_insisted_on(pinned: tuple[str, ...], message: str) -> None:
    with pytest.raises(Invalid, match=message) as caught:
        pinned_to([(("a", "b", "c"), 2), (("r", "s"), 1)], pinned)

    assert caught.value.field == "resourceIds"


@pytest.mark.parametrize(("id", "active"), [("gone", True), ("visit", False)])
def test_a_service_that_is_not_offered_is_not_there(clinic: Setting, id: str, active: bool) -> None:
    clinic.service("visit", active=active)

    with pytest.raises(Missing) as caught:
        service_of(Reading(clinic.store), "clinic", id)

    assert (caught.value.kind, caught.value.id) == ("service", id)


def test_a_business_that_is_not_there_is_told(clinic: Setting) -> None:
    with pytest.raises(Missing) as caught:
        business_of(Reading(clinic.store), "salon")

    assert (caught.value.kind, caught.value.id) == ("business", "salon")


# When they are open.


@pytest.mark.parametrize(("zone", "first"), [("", "2026-11-24T10:00:00Z"), ("Europe/London", "2026-11-24T11:00:00Z")])
def test_the_hours_of_a_service_are_read_where_it_is_given(clinic: Setting, zone: str, first: str) -> None:
    """The doctors are open from eight to four, by UTC."""
    clinic.put("schedule", "late", hours("11:00", "12:00"))
    clinic.service("visit", schedule_id="late", zone=zone, step_minutes=30)

    assert clinic.slots(TUESDAY, WEDNESDAY) == [first, first.replace(":00:00Z", ":30:00Z")]


@pytest.mark.parametrize(
    ("others", "starts"),
    [
        ({"zone": "Europe/London"}, ["2026-11-24T09:00:00Z", "2026-11-24T16:00:00Z"]),
        ({"schedule_id": None}, ["2026-11-24T00:00:00Z", "2026-11-24T23:00:00Z"]),
        ({"active": False}, None),
    ],
)
def test_a_resource_is_open_by_its_own_hours_and_clock(
    clinic: Setting, others: dict[str, Any], starts: list[str] | None
) -> None:
    clinic.put("resource", "d0", Resource(**{"name": "D", "zone": "Europe/Berlin", "schedule_id": "week"} | others))
    clinic.service("visit", needs=[Need(all_of=("d0",))], duration_minutes=60, step_minutes=60)

    found = clinic.slots(TUESDAY, WEDNESDAY)

    assert ([found[0], found[-1]] if found else None) == starts


def test_a_resource_that_is_gone_is_never_open(clinic: Setting) -> None:
    clinic.put("pool", "one", Pool(name="One", resource_ids=("d0",)))
    clinic.service("visit", needs=[Need(any_of="one")])
    key = kind_key("clinic", "resource", "d0")
    clinic.store.commit(Change({key: 1}, deletes=[key]))

    assert clinic.slots(TUESDAY, WEDNESDAY) == []


def test_whose_schedule_is_gone_is_never_open(clinic: Setting) -> None:
    key = kind_key("clinic", "schedule", "week")
    clinic.store.commit(Change({key: 1}, deletes=[key]))
    clinic.service("visit", duration_minutes=5)

    assert clinic.slots(TUESDAY, WEDNESDAY) == []
    with pytest.raises(Closed):
        clinic.book(TUESDAY)


def test_who_is_away_is_not_open(clinic: Setting) -> None:
    for start, end in (("09:00", "10:00"), ("11:00", "17:00")):
        span = at(f"2026-11-24T{start}:00Z"), at(f"2026-11-24T{end}:00Z")
        catalogue.add_time_off(clinic.desk, STAFF, "d0", *span)
    clinic.service("visit", step_minutes=30)

    assert clinic.slots(TUESDAY, WEDNESDAY, resource_ids=("d0",)) == [
        "2026-11-24T08:00:00Z",
        "2026-11-24T08:30:00Z",
        "2026-11-24T10:00:00Z",
        "2026-11-24T10:30:00Z",
    ]


# What is claimed.


def test_a_claim_that_expires_is_in_the_way_until_then(clinic: Setting) -> None:
    clinic = a_clinic(doctors=1)
    start = "2026-11-24T09:00:00Z"
    hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(start), seconds=60))

    assert start not in clinic.slots(TUESDAY, WEDNESDAY)
    clinic.clock.forward(seconds=59)
    assert start not in clinic.slots(TUESDAY, WEDNESDAY)
    clinic.clock.forward(seconds=1)
    assert start in clinic.slots(TUESDAY, WEDNESDAY)


@pytest.mark.parametrize("kind", ["hold", "appointment"])
def test_what_is_to_be_passed_over_is_in_nobodys_way_and_all_else_is(kind: str) -> None:
    clinic = a_clinic(doctors=1)
    mine, other = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"
    clinic.book(other)
    if kind == "hold":
        id = hold(clinic.desk, STAFF, HoldOrder(service_id="visit", start=at(mine))).id
    else:
        id = clinic.book(mine).id

    found = clinic.slots(TUESDAY, WEDNESDAY, ignoring=(id,))

    assert mine in found
    assert other not in found
    assert mine not in clinic.slots(TUESDAY, WEDNESDAY)


# Which days are full, and who has enough.


@pytest.mark.parametrize("days", [2, 4, 30])
def test_each_day_that_has_reached_the_limit_is_full(clinic: Setting, days: int) -> None:
    """Whether the days are read one by one, as a range, or without being remembered."""
    clinic.service("visit", day_limit=1)
    clinic.service("other")
    for start, id in (("2026-11-24", "visit"), ("2026-11-25", "visit"), ("2026-11-26", "other")):
        clinic.book(f"{start}T09:00:00Z", id)

    found = {start[:10] for start in clinic.slots(TUESDAY, format_instant(Instant(at(TUESDAY) + days * DAY_SECONDS)))}

    assert not found & {"2026-11-24", "2026-11-25"}
    assert days == 2 or {"2026-11-26", "2026-11-27"} <= found


def test_a_day_is_full_at_its_limit_and_not_before(clinic: Setting) -> None:
    clinic.service("visit", day_limit=2)
    first = clinic.book("2026-11-24T09:00:00Z")
    assert clinic.slots(TUESDAY, WEDNESDAY)

    clinic.book("2026-11-24T09:00:00Z")

    assert clinic.slots(TUESDAY, WEDNESDAY) == []
    assert clinic.slots(TUESDAY, WEDNESDAY, ignoring=(first.id,))
    changing.act(clinic.desk, STAFF, "cancel", changing.Request(id=first.id))
    assert clinic.slots(TUESDAY, WEDNESDAY)


def test_a_day_is_the_places_own() -> None:
    """By Auckland's clock half past midday is tomorrow already."""
    clinic = a_clinic()
    clinic.put("resource", "d0", Resource(name="D", zone="UTC"))
    clinic.service("visit", needs=[Need(all_of=("d0",))], day_limit=1, zone="Pacific/Auckland", step_minutes=60)
    clinic.book("2026-11-24T12:00:00Z")

    found = clinic.slots(TUESDAY, "2026-11-26T00:00:00Z")

    assert found[0] == "2026-11-24T00:00:00Z"
    assert "2026-11-24T10:00:00Z" in found
    assert [each for each in found if "2026-11-24T11:00:00Z" <= each < "2026-11-25T11:00:00Z"] == []
    assert "2026-11-25T11:00:00Z" in found


def test_a_customer_has_enough_while_that_many_are_to_come(clinic: Setting) -> None:
    clinic.service("visit", customer_limit=1)
    clinic.book("2026-11-24T09:00:00Z", customer_id="ada")

    def is_offered(customer_id: str) -> bool:
        return bool(clinic.slots(TUESDAY, WEDNESDAY, customer_id=customer_id))

    assert not is_offered("ada")
    assert is_offered("bob")
    assert is_offered("")
    clinic.clock.set("2026-11-24T09:29:59Z")
    assert not is_offered("ada")
    clinic.clock.set("2026-11-24T09:30:00Z")
    assert is_offered("ada")


def test_the_facts_say_over_what_and_of_what_they_are(clinic: Setting) -> None:
    visit = service(zone="Europe/London")
    window = Window.of_days(day_of(at(TUESDAY)), 1)
    question = Question(business="clinic", window=window, now=clinic.clock.now)

    facts = gather(clinic.desk, Reading(clinic.store), question, "visit", visit)

    assert (facts.window, facts.now, facts.service, facts.zone) == (window, clinic.clock.now, visit, "Europe/London")
    assert (facts.full_days, facts.customer_is_full, facts.service_open) == (0, False, window.full)
    assert [[each.id for each in need.members] for need in facts.needs] == [["d0", "d1", "d2"]]


def test_a_booking_is_judged_by_the_same_facts(clinic: Setting) -> None:
    clinic.service("visit", day_limit=1, customer_limit=1)
    clinic.book("2026-11-24T09:00:00Z", customer_id="ada")

    for start, customer_id, refused in (
        ("2026-11-24T10:00:00Z", "bob", DayFull),
        ("2026-11-25T10:00:00Z", "ada", CustomerFull),
    ):
        with pytest.raises(refused):
            booking.book(clinic.desk, STAFF, order(start, service_id="visit", customer_id=customer_id))


def test_who_is_gone_or_inactive_stays_who_they_are_and_is_never_open(clinic: Setting) -> None:
    clinic.put("resource", "d0", Resource(name="D", zone="UTC", active=False))
    visit = service([Need(all_of=("d0", "gone", "d1"))])
    question = Question(business="clinic", window=Window.of_days(day_of(at(TUESDAY)), 1), now=clinic.clock.now)

    facts = gather(clinic.desk, Reading(clinic.store), question, "visit", visit)

    members = [member for need in facts.needs for member in need.members]
    assert [(each.id, bool(each.open), each.busy) for each in members] == [
        ("d0", False, 0),
        ("gone", False, 0),
        ("d1", True, 0),
    ]


def test_what_is_known_of_one_day_or_doctor_is_taken_for_no_others(clinic: Setting) -> None:
    clinic.book("2026-11-24T09:00:00Z", resource_ids=("d0",))

    def is_free(day: int, id: str) -> bool:
        start = f"2026-11-{day}T09:00:00Z"
        return start in clinic.slots(start, f"2026-11-{day}T10:00:00Z", resource_ids=(id,))

    assert [is_free(*each) for each in ((24, "d0"), (25, "d0"), (24, "d1"), (24, "d0"))] == [False, True, True, False]


@pytest.mark.parametrize("doctors", [1, 12])
def test_those_who_are_needed_are_asked_for_together(doctors: int) -> None:
    clinic = a_clinic(doctors=doctors)
    store = Counting(clinic.store)
    question = Question(business="clinic", window=Window.of_days(day_of(at(TUESDAY)), 1), now=clinic.clock.now)
    both = service([Need(any_of="doctors"), Need(any_of="rooms")])

    gather(Desk(store, clinic.clock, clinic.desk.new_id), Reading(store), question, "visit", both)

    assert (store.asked["read"], store.things) == (5, 10 + 3 * doctors)
