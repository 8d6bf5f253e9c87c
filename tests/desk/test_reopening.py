"""Taking back what was done to an appointment by a slip of the hand."""

import pytest

from slotkeeper.core.actor import Forbidden
from slotkeeper.core.appointment import Action, Appointment
from slotkeeper.core.errors import CustomerFull, KeyReused, Outdated, Taken, WrongState
from slotkeeper.core.ticks import day_of
from slotkeeper.desk import booking, changing
from slotkeeper.desk.changing import Request
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.documents import sheet_key, sheet_of
from tests.builders import STAFF, Setting, a_clinic, at, contact, customer_actor, order

TUESDAY = "2026-11-24T09:00:00Z"
KEY = sheet_key("clinic", "d0", day_of(at(TUESDAY)))


def done(setting: Setting, appointment: Appointment, action: Action) -> Appointment:
    return changing.act(setting.desk, STAFF, action, Request(id=appointment.id))


def reopened(setting: Setting, appointment: Appointment, seen: str = "") -> Appointment:
    return changing.reopen(setting.desk, STAFF, Request(id=appointment.id, seen_revision=seen))


@pytest.mark.parametrize("action", ["checkIn", "complete", "noShow", "cancel"])
def test_what_was_done_last_can_be_taken_back(action: Action) -> None:
    setting = a_clinic(doctors=1)
    appointment = setting.book(TUESDAY, contact=contact())
    done(setting, appointment, action)

    again = reopened(setting, appointment)

    assert again.status == "booked"
    assert again.revision == 3
    assert [message.state for message in again.messages if message.kind == "reminder"][-2:] == ["waiting", "waiting"]
    with pytest.raises(Taken):
        setting.book(TUESDAY)


def test_a_cancelled_appointment_does_not_take_its_time_from_another() -> None:
    setting = a_clinic(doctors=1)
    appointment = setting.book(TUESDAY)
    done(setting, appointment, "cancel")
    rival = setting.book(TUESDAY)

    with pytest.raises(Taken) as refused:
        reopened(setting, appointment)

    assert refused.value.private["appointmentId"] == rival.id


def test_the_customer_is_told_of_it_only_where_they_were_told_otherwise() -> None:
    setting = a_clinic()
    came, cancelled = (setting.book(TUESDAY, contact=contact()) for _ in range(2))
    done(setting, came, "checkIn")
    done(setting, cancelled, "cancel")

    mails = [
        [message.kind for message in reopened(setting, each).messages if message.kind != "reminder"]
        for each in (came, cancelled)
    ]

    assert mails == [["booked"], ["booked", "cancelled", "booked"]]


def test_a_limit_counts_it_again() -> None:
    setting = a_clinic()
    setting.service("visit", day_limit=1)
    appointment = setting.book(TUESDAY)
    done(setting, appointment, "cancel")

    again = reopened(setting, appointment)

    assert len(again.tallies) == 1
    assert setting.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z") == []


def test_a_limit_by_customer_counts_it_again() -> None:
    setting = a_clinic()
    setting.service("visit", customer_limit=1)
    appointment = setting.book(TUESDAY, customer_id="ada")
    done(setting, appointment, "cancel")

    again = reopened(setting, appointment)

    assert again.tallies == appointment.tallies
    with pytest.raises(CustomerFull):
        setting.book("2026-11-24T11:00:00Z", customer_id="ada")


def test_the_history_of_what_is_reopened_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = a_clinic()
    appointment = done(setting, setting.book(TUESDAY), "cancel")
    monkeypatch.setattr(changing, "MAX_EVENTS", 2)

    with pytest.raises(WrongState, match="changed 2 times"):
        reopened(setting, appointment)


def test_only_what_was_done_last_is_taken_back() -> None:
    setting = a_clinic()
    appointment = done(setting, setting.book(TUESDAY), "cancel")
    changing.edit(setting.desk, STAFF, Request(id=appointment.id), {"notes": "called"}, None)

    with pytest.raises(WrongState):
        reopened(setting, appointment)


def test_nothing_is_taken_back_that_was_not_done() -> None:
    setting = a_clinic()

    with pytest.raises(WrongState):
        reopened(setting, setting.book(TUESDAY))


def test_customers_cannot_take_it_back() -> None:
    setting = a_clinic()
    mine = customer_actor("ada")
    appointment = booking.book(setting.desk, mine, order(TUESDAY, service_id="visit")).appointment
    changing.act(setting.desk, mine, "cancel", Request(id=appointment.id))

    with pytest.raises(Forbidden) as caught:
        changing.reopen(setting.desk, mine, Request(id=appointment.id))
    assert caught.value.scope == "staff"


def test_whoever_has_not_seen_the_last_change_takes_nothing_back() -> None:
    setting = a_clinic()
    appointment = done(setting, setting.book(TUESDAY), "cancel")

    with pytest.raises(Outdated):
        reopened(setting, appointment, seen="1")


def test_a_move_against_the_rules_says_so_in_the_history() -> None:
    setting = a_clinic(doctors=1)
    appointment = setting.book(TUESDAY)
    setting.book("2026-11-24T10:00:00Z")
    move = changing.Move(id=appointment.id, start=at("2026-11-24T10:00:00Z"), override="urgent")

    event = changing.move(setting.desk, STAFF, move).events[-1]

    assert (event.reason, event.warning) == ("urgent", "taken: the time is taken")


def test_what_is_kept_beside_its_time_stays_kept() -> None:
    setting = a_clinic(doctors=1)
    appointment = done(setting, setting.book(TUESDAY), "cancel")
    gone, kept = (
        hold(setting.desk, STAFF, HoldOrder(service_id="visit", start=at(start), seconds=seconds))
        for start, seconds in (("2026-11-24T10:00:00Z", 60), ("2026-11-24T11:00:00Z", 120))
    )
    setting.clock.forward(seconds=60)

    reopened(setting, appointment)

    sheet = sheet_of(setting.store.read([KEY])[KEY])
    assert [each.owner for each in sheet] == [appointment.id, kept.id]
    assert gone.expires == setting.clock.now


def test_a_hold_of_its_time_is_in_the_way_until_it_expires() -> None:
    setting = a_clinic(doctors=1)
    appointment = done(setting, setting.book(TUESDAY), "cancel")
    hold(setting.desk, STAFF, HoldOrder(service_id="visit", start=at(TUESDAY), seconds=60))

    with pytest.raises(Taken) as refused:
        reopened(setting, appointment)
    setting.clock.forward(seconds=60)

    assert refused.value.facts["conflictingAppointment"] == {"startTime": TUESDAY, "endTime": "2026-11-24T09:30:00Z"}
    assert reopened(setting, appointment).status == "booked"


def test_its_buffers_are_in_the_way_too() -> None:
    setting = a_clinic(doctors=1)
    setting.service("clean", buffer_before_minutes=15, buffer_after_minutes=15)
    appointment = done(setting, setting.book(TUESDAY, "clean"), "cancel")
    before = setting.book("2026-11-24T08:30:00Z")

    with pytest.raises(Taken):
        reopened(setting, appointment)
    done(setting, before, "cancel")
    setting.book("2026-11-24T09:30:00Z")
    with pytest.raises(Taken):
        reopened(setting, appointment)


def test_what_is_reopened_says_who_did_it_why_and_when() -> None:
    setting = a_clinic()
    appointment = done(setting, setting.book(TUESDAY), "cancel")
    setting.clock.forward(minutes=1)
    request = Request(id=appointment.id, reason="wrong one", request_key="a-key")

    again = changing.reopen(setting.desk, STAFF, request)

    event = again.events[-1]
    assert (event.type, event.at, event.by, event.reason) == ("booked", setting.clock.now, "staff", "wrong one")
    assert changing.reopen(setting.desk, STAFF, request) == again
    with pytest.raises(KeyReused):
        changing.reopen(setting.desk, STAFF, Request(id=appointment.id, reason="another", request_key="a-key"))
