"""What a letter says about itself: its id, whom it is from and for, and what programs are told."""

from dataclasses import dataclass

import msgspec
import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Letter
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.reminders import Channel, Message
from slotkeeper.core.service import Business
from slotkeeper.courier.telling import Catalogue, Gone, letter_for
from slotkeeper.desk.catalogue import put_on_shelf, put_profile
from slotkeeper.documents import Webhook
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
