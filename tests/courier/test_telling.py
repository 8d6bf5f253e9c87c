"""What a letter says about itself: its id, whom it is from and for, and what programs are told."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Change, Letter
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.reminders import Channel, Message
from slotkeeper.core.service import Business, Resource
from slotkeeper.courier.telling import Catalogue, Gone, letter_for, payload, status_after
from slotkeeper.desk import agenda, catalogue
from slotkeeper.desk.catalogue import put_on_shelf, put_profile
from slotkeeper.desk.changing import Request, act, edit
from slotkeeper.documents import Template, Webhook, kind_key
from slotkeeper.notices.rendering import render
from tests.builders import STAFF, Setting, a_clinic, contact

START = "2026-11-26T09:00:00Z"


@dataclass
class Teller:
    """A clinic with an appointment, and a letter about it by each channel."""

    clinic: Setting
    appointment: Appointment

    def letter(self, channel: Channel, target: str = "") -> Letter:
        message = replace(self.booked, channel=channel, target=target)
        return letter_for(
            Catalogue(self.clinic.store), render, "clinic", self.appointment, message, self.clinic.clock.now
        )

    @property
    def booked(self) -> Message:
        return next(each for each in self.appointment.messages if each.kind == "booked")


@pytest.fixture
def teller() -> Teller:
    clinic = a_clinic()
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://all.example/h", secret="whsec_MfKQ9r8G"))
    return Teller(clinic, clinic.book(START, contact=contact(phone="+49301234567")))


@pytest.mark.parametrize(
    ("channel", "target", "to"),
    [
        ("email", "", "ada@example.com"),
        ("sms", "", "+49301234567"),
        ("webhook", "all", "https://all.example/h"),
        ("topic", "", "clinic"),
    ],
)
def test_each_letter_has_its_messages_id_and_its_readers_address(
    teller: Teller, channel: Channel, target: str, to: str
) -> None:
    letter = teller.letter(channel, target)

    assert (letter.id, letter.channel, letter.to) == (teller.booked.id, channel, to)


def test_programs_are_told_of_which_business_and_appointment(teller: Teller) -> None:
    for letter in (teller.letter("webhook", "all"), teller.letter("topic")):
        told = msgspec.json.decode(letter.text)

        assert (told["type"], told["timestamp"]) == ("appointment.booked", "2026-11-23T06:00:00Z")
        assert (told["data"]["business"], told["data"]["appointmentId"]) == ("clinic", teller.appointment.id)


def test_programs_are_told_all_of_an_event_as_it_was_when_it_happened(teller: Teller) -> None:
    booked, clinic = teller.appointment, teller.clinic
    clinic.clock.forward(minutes=5)
    teller.appointment = edit(
        clinic.desk, STAFF, Request(id=booked.id, reason="asked to"), {"notes": "left knee"}, None
    )
    message = replace(teller.booked, channel="topic", kind="edited", event=2)
    clinic.clock.forward(minutes=5)

    told = payload("clinic", teller.appointment, message, teller.appointment.events[1], clinic.clock.now)

    assert told == {
        "type": "appointment.edited",
        "timestamp": "2026-11-23T06:05:00Z",
        "data": {
            "business": "clinic",
            "appointmentId": booked.id,
            "status": "booked",
            "startTime": START,
            "endTime": "2026-11-26T09:30:00Z",
            "zone": "Europe/Berlin",
            "serviceId": "visit",
            "resourceIds": ("d0",),
            "customerId": booked.customer_id,
            "contact": booked.contact,
            "details": {"notes": "left knee"},
            "revision": 2,
            "by": "staff",
            "reason": "asked to",
        },
    }


def test_programs_are_told_of_a_reminder_how_long_before_it_is(teller: Teller) -> None:
    reminder = next(each for each in teller.appointment.messages if each.kind == "reminder")

    told: Any = payload("clinic", teller.appointment, reminder, None, teller.clinic.clock.now)

    assert (told["type"], told["timestamp"]) == ("appointment.reminder", "2026-11-23T06:00:00Z")
    assert told["data"]["leadMinutes"] == reminder.lead_minutes


def test_the_status_after_an_event_is_that_which_it_led_to(teller: Teller) -> None:
    act(teller.clinic.desk, STAFF, "cancel", Request(id=teller.appointment.id))
    cancelled = agenda.appointment(teller.clinic.desk, STAFF, teller.appointment.id)

    assert [status_after(cancelled, event) for event in cancelled.events] == ["booked", "cancelled"]


def test_a_mail_has_a_page_of_its_own_and_a_link_where_our_pages_have_an_address(teller: Teller) -> None:
    letter = teller.letter("email")

    assert "<html" in letter.html
    assert Catalogue(teller.clinic.store).token("clinic", teller.appointment, "booked") == ""


def test_the_status_after_an_event_that_names_none_is_that_of_now(teller: Teller) -> None:
    moved = replace(teller.appointment.events[0], type="moved")

    assert status_after(replace(teller.appointment, events=(moved,)), moved) == "booked"


def test_a_mail_names_the_people_and_rooms_of_the_event_and_no_equipment(teller: Teller) -> None:
    teller.clinic.put("resource", "lamp", Resource(name="Lamp", kind="equipment", zone="Europe/Berlin"))
    teller.clinic.put("resource", "gone", Resource(name="Gone", kind="room", zone="Europe/Berlin"))
    teller.clinic.store.commit(Change({(key := kind_key("clinic", "resource", "gone")): 1}, deletes=[key]))
    [event] = teller.appointment.events
    serving = replace(event, resource_ids=("d1", "lamp", "r0", "gone"))
    teller.appointment = replace(teller.appointment, events=(serving,), resource_ids=("d2",))

    letter = teller.letter("email")

    assert "With: Dr 1, Room 0" in letter.text
    assert "Dr 2" not in letter.text


@pytest.mark.parametrize("id", ["0", "welcome"])
def test_a_mail_says_what_the_business_says_in_place_of_our_words(teller: Teller, id: str) -> None:
    other = replace(STAFF, business="salon")
    for actor, name, subject in ((STAFF, id, "Welcome"), (other, "x", "Not for the clinic")):
        catalogue.put(
            teller.clinic.desk, actor, "template", name, Template(kind="booked", subject=subject, text="Hello")
        )

    assert teller.letter("email").subject == "Welcome"


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_letter_tells_which_part_of_it_is_its_readers_alone(teller: Teller, channel: Channel) -> None:
    known = Catalogue(teller.clinic.store, "https://book.example")
    message = replace(teller.booked, channel=channel)

    letter = letter_for(known, render, "clinic", teller.appointment, message, teller.clinic.clock.now)

    assert letter.private == known.token("clinic", teller.appointment, "booked")
    assert f"https://book.example/visit/clinic/{letter.private}" in letter.text


@pytest.mark.parametrize(("email", "headers"), [("desk@clinic.example", {"Reply-To": "desk@clinic.example"}), ("", {})])
def test_an_answer_to_a_mail_goes_to_the_business_where_it_has_an_address(
    teller: Teller, email: str, headers: dict[str, str]
) -> None:
    put_profile(teller.clinic.desk, STAFF, Business(name="Clinic", zone="Europe/Berlin", email=email))

    letter = teller.letter("email")

    assert (letter.headers, letter.sender) == (headers, "Clinic")


def test_a_webhook_that_was_switched_off_while_its_message_waited_is_told_nothing(teller: Teller) -> None:
    put_on_shelf(teller.clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://all.example/h", active=False))

    with pytest.raises(Gone):
        teller.letter("webhook", "all")
    with pytest.raises(Gone):
        teller.letter("webhook", "another")
