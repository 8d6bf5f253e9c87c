"""T09: each appointment is one entry of the customer's calendar, and stays that one when it moves."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import icalendar
import msgspec
import pytest
import vobject

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.service import Business, Service
from slotkeeper.desk.changing import Move, Request, act, attend, edit, move
from slotkeeper.notices.calendar import calendar_file
from tests.builders import STAFF, Setting, a_clinic, at, service

HOST = "book.example.com"
BUSINESS = Business(name="Clinic", zone="Europe/Berlin", email="desk@clinic.example")
SERVICE: Service = service()
START = "2026-11-26T09:00:00Z"

Write = Callable[[Appointment], bytes]


def ours(appointment: Appointment) -> bytes:
    return calendar_file(BUSINESS, SERVICE, appointment, ("Dr 0",), f"https://{HOST}/visit/clinic/t", HOST)


def one_uid_for_all(appointment: Appointment) -> bytes:
    """A broken one: the next booking overwrites it (thunderbird/appointment#529)."""
    return ours(msgspec.structs.replace(appointment, id="booking"))


def a_uid_of_its_time(appointment: Appointment) -> bytes:
    """A broken one: after a move there are two."""
    return ours(msgspec.structs.replace(appointment, id=f"{appointment.id}-{appointment.start}"))


def never_in_sequence(appointment: Appointment) -> bytes:
    """A broken one: a calendar that has the entry takes the move for old news."""
    return ours(msgspec.structs.replace(appointment, sequence=0))


def always_confirmed(appointment: Appointment) -> bytes:
    """A broken one: what is cancelled stays in the calendar."""
    return ours(msgspec.structs.replace(appointment, status="booked"))


class Calendar:
    """A customer's calendar: it keeps one entry for each UID, and takes a newer one only."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}

    def take(self, file: bytes) -> None:
        entry = vobject.readOne(file.decode()).vevent
        again = icalendar.Calendar.from_ical(file)
        assert isinstance(again, icalendar.Calendar)
        [other] = again.events
        assert (entry.uid.value, int(entry.sequence.value)) == (other["UID"], other["SEQUENCE"])
        known = self.entries.get(entry.uid.value)
        if known is None or int(entry.sequence.value) > int(known.sequence.value):
            self.entries[entry.uid.value] = entry

    @property
    def shown(self) -> list[tuple[int, str]]:
        return sorted((int(entry.dtstart.value.timestamp()), entry.status.value) for entry in self.entries.values())


def a_life(clinic: Setting) -> Iterable[Appointment]:
    """Two bookings at one time, of which one is moved and confirmed, and the other cancelled."""
    one, other = clinic.book(START), clinic.book(START)
    yield from (one, other)
    yield move(clinic.desk, STAFF, Move(id=one.id, start=at("2026-11-27T10:00:00Z")))
    yield attend(clinic.desk, STAFF, Request(id=one.id))
    yield edit(clinic.desk, STAFF, Request(id=one.id), {"notes": "knee"}, None)
    yield act(clinic.desk, STAFF, "cancel", Request(id=other.id))


def the_calendar_shows_what_is(write: Write) -> None:
    calendar = Calendar()
    for appointment in a_life(a_clinic()):
        calendar.take(write(appointment))

    assert calendar.shown == [
        (at(START), "CANCELLED"),
        (at("2026-11-27T10:00:00Z"), "CONFIRMED"),
    ]


def test_a_calendar_that_reads_each_file_shows_what_is() -> None:
    the_calendar_shows_what_is(ours)


@pytest.mark.parametrize("broken", [one_uid_for_all, a_uid_of_its_time, never_in_sequence, always_confirmed])
def test_broken_files_are_caught(broken: Write) -> None:
    with pytest.raises(AssertionError):
        the_calendar_shows_what_is(broken)


def test_the_uid_is_the_same_and_the_sequence_grows_with_each_move() -> None:
    clinic = a_clinic()
    times = [START, "2026-11-26T12:00:00Z", "2026-11-27T10:00:00Z", "2026-11-26T09:00:00Z"]
    life = [clinic.book(times[0])]
    life += [move(clinic.desk, STAFF, Move(id=life[0].id, start=at(time))) for time in times[1:]]

    entries = [vobject.readOne(ours(each).decode()).vevent for each in life]

    assert {entry.uid.value for entry in entries} == {f"{life[0].id}@{HOST}"}
    sequences = [int(entry.sequence.value) for entry in entries]
    assert all(before < after for before, after in pairwise(sequences))


def test_what_waits_to_be_confirmed_is_tentative() -> None:
    clinic = a_clinic()
    clinic.service("asked", needs_confirmation=True)

    assert b"\r\nSTATUS:TENTATIVE\r\n" in ours(clinic.book(START, "asked"))
