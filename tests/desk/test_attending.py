"""That a customer will come: said once, of one time, and forgotten when that time is off."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.core.appointment import Appointment, acted, moved
from slotkeeper.core.errors import Missing, Outdated, TooLate, WrongState
from slotkeeper.desk import changing
from slotkeeper.desk.catalogue import put_on_shelf
from slotkeeper.desk.changing import MAX_EVENTS, Move, Request, act, attend, edit, move
from slotkeeper.documents import Webhook
from slotkeeper.web.views import appointment_view
from tests.builders import STAFF, Setting, a_clinic, at, contact, customer_actor
from tests.post import LetterBox, a_courier, work

START, OTHER = "2026-11-26T09:00:00Z", "2026-11-27T10:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def said(clinic: Setting, **others: Any) -> Appointment:
    booked = clinic.book(START, **others)
    clinic.clock.now = at("2026-11-25T09:00:00Z")
    return attend(clinic.desk, STAFF, Request(id=booked.id))


def test_it_is_noted_when_and_by_whom_and_shown(clinic: Setting) -> None:
    after = said(clinic)

    assert after.attending == at("2026-11-25T09:00:00Z")
    assert (after.revision, after.events[-1].type, after.events[-1].by) == (2, "attending", "staff")
    assert appointment_view(STAFF, after).attending_time == "2026-11-25T09:00:00Z"
    assert appointment_view(STAFF, clinic.book(START)).attending_time is None


def test_saying_it_again_changes_nothing(clinic: Setting) -> None:
    first = said(clinic)
    clinic.clock.now = at("2026-11-25T10:00:00Z")

    assert attend(clinic.desk, STAFF, Request(id=first.id)) == first
    assert attend(clinic.desk, STAFF, Request(id=first.id, request_key="a-key")) == first


def test_programs_are_told_and_the_customer_is_not(clinic: Setting) -> None:
    box = LetterBox()
    put_on_shelf(clinic.desk, STAFF, "webhooks", "hook", Webhook(url="https://example.com/hook", types=("attending",)))
    said(clinic, contact=contact())

    work(a_courier(clinic, box), clinic, "2026-11-25T09:30:00Z")

    told = [letter.subject for letter in box.letters if letter.channel == "webhook"]
    mailed = [letter.subject.partition(":")[0] for letter in box.letters if letter.channel == "email"]
    assert told == ["attending"]
    assert sorted(mailed) == ["Booked", "Reminder"]


def test_customers_say_it_of_their_own_appointments_alone(clinic: Setting) -> None:
    booked = clinic.book(START, customer_id="ada")

    with pytest.raises(Missing):
        attend(clinic.desk, customer_actor("bob"), Request(id=booked.id))
    assert attend(clinic.desk, customer_actor("ada"), Request(id=booked.id)).attending


@pytest.mark.parametrize("action", ["cancel", "checkIn", "complete", "noShow"])
def test_only_of_what_is_booked(clinic: Setting, action: Any) -> None:
    booked = clinic.book(START)
    act(clinic.desk, STAFF, action, Request(id=booked.id))

    with pytest.raises(WrongState):
        attend(clinic.desk, STAFF, Request(id=booked.id))


def test_not_of_what_waits_to_be_confirmed_nor_when_it_has_begun(clinic: Setting) -> None:
    clinic.service("asked", needs_confirmation=True)
    pending, booked = clinic.book(START, "asked"), clinic.book(START)

    with pytest.raises(WrongState):
        attend(clinic.desk, STAFF, Request(id=pending.id))
    clinic.clock.now = at(START)
    with pytest.raises(TooLate):
        attend(clinic.desk, STAFF, Request(id=booked.id))


def test_who_has_seen_an_older_revision_looks_again(clinic: Setting) -> None:
    booked = clinic.book(START)
    edit(clinic.desk, STAFF, Request(id=booked.id), {"notes": "x"}, None)

    with pytest.raises(Outdated):
        attend(clinic.desk, STAFF, Request(id=booked.id, seen_revision="1"))


def test_the_history_of_an_appointment_stays_bounded(clinic: Setting) -> None:
    booked = clinic.book(START)
    for number in range(MAX_EVENTS - 1):
        edit(clinic.desk, STAFF, Request(id=booked.id), {"notes": str(number)}, None)

    with pytest.raises(WrongState, match="changed 200 times"):
        attend(clinic.desk, STAFF, Request(id=booked.id))


# What was said of one time is not said of another.


def keeps_it_over_a_move(appointment: Appointment, *facts: Any, **others: Any) -> Appointment:
    """A broken one: staff would count on somebody who knows of another time."""
    return replace(moved(appointment, *facts, **others), attending=appointment.attending)


def keeps_it_over_an_end(appointment: Appointment, *facts: Any, **others: Any) -> Appointment:
    """A broken one: what is cancelled is expected still."""
    return replace(acted(appointment, *facts, **others), attending=appointment.attending)


AFTER: dict[str, Callable[[Setting, str], Appointment]] = {
    "moved": lambda clinic, id: move(clinic.desk, STAFF, Move(id=id, start=at(OTHER))),
    "to others": lambda clinic, id: move(clinic.desk, STAFF, Move(id=id, start=at(START), resource_ids=("d2",))),
    "cancelled": lambda clinic, id: act(clinic.desk, STAFF, "cancel", Request(id=id)),
    "no show": lambda clinic, id: act(clinic.desk, STAFF, "noShow", Request(id=id)),
}


def check_that_it_is_forgotten(how: str) -> None:
    clinic = a_clinic()
    before = said(clinic)
    assert before.attending

    assert not AFTER[how](clinic, before.id).attending


@pytest.mark.parametrize("how", AFTER)
def test_it_is_forgotten_when_the_time_is_off(how: str) -> None:
    check_that_it_is_forgotten(how)


@pytest.mark.parametrize(
    ("name", "broken", "how"),
    [
        ("moved", keeps_it_over_a_move, "moved"),
        ("moved", keeps_it_over_a_move, "to others"),
        ("acted", keeps_it_over_an_end, "cancelled"),
        ("acted", keeps_it_over_an_end, "no show"),
    ],
)
def test_a_desk_that_keeps_it_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: Callable[..., Appointment], how: str
) -> None:
    monkeypatch.setattr(changing, name, broken)

    with pytest.raises(AssertionError):
        check_that_it_is_forgotten(how)


def test_it_stays_over_an_edit_and_a_move_to_where_it_is(clinic: Setting) -> None:
    before = said(clinic)

    edit(clinic.desk, STAFF, Request(id=before.id), {"notes": "x"}, None)
    after = move(clinic.desk, STAFF, Move(id=before.id, start=at(START)))

    assert after.attending == before.attending


def test_after_a_move_it_can_be_said_anew(clinic: Setting) -> None:
    before = said(clinic)
    move(clinic.desk, STAFF, Move(id=before.id, start=at(OTHER)))

    after = attend(clinic.desk, STAFF, Request(id=before.id))

    assert [event.type for event in after.events] == ["booked", "attending", "moved", "attending"]
