"""T13: the file for the customer's calendar says the same instant as the mail, over every change of clocks."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.core.appointment import Appointment, Contact
from slotkeeper.core.service import Business, Service
from slotkeeper.core.ticks import Instant
from slotkeeper.notices.calendar import calendar_file, calendar_links
from tests.builders import at, service

LINK = "https://book.example.com/visit/clinic/1f.apt_1.s-_"
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata", "UTC")
CHANGES = {
    "Europe/Berlin": ("2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"),
    "America/New_York": ("2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"),
    "Australia/Lord_Howe": ("2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"),
    "Africa/Casablanca": ("2026-02-15T02:00:00Z", "2026-03-22T02:00:00Z"),
}

Write = Callable[[Appointment, Business], bytes]


def ours(appointment: Appointment, business: Business) -> bytes:
    return calendar_file(business, service(), appointment, ("Dr Brandt",), LINK, "book.example.com")


def an_appointment(start: Instant, zone: str, minutes: int = 30, **others: Any) -> Appointment:
    facts: dict[str, Any] = {"id": "apt_1", "status": "booked", "created": Instant(start - 86_400)} | others
    return Appointment(start=start, end=Instant(start + minutes * 60), zone=zone, **facts)


def around_changes() -> Iterator[tuple[Instant, str]]:
    """Starts from two hours before to two hours after each change of clocks, and noon of a day in each half-year."""
    for zone, changes in CHANGES.items():
        for change in changes:
            yield from ((Instant(at(change) + minutes * 60), zone) for minutes in range(-120, 121, 15))
    for zone in ZONES:
        yield from ((at(f"2026-{month:02}-01T12:00:00Z"), zone) for month in (1, 7))


def read_by_vobject(file: bytes) -> tuple[int, int]:
    entry = vobject.readOne(file.decode()).vevent
    return int(entry.dtstart.value.timestamp()), int(entry.dtend.value.timestamp())


def read_by_icalendar(file: bytes) -> tuple[int, int]:
    calendar = icalendar.Calendar.from_ical(file)
    assert isinstance(calendar, icalendar.Calendar)
    [entry] = calendar.events
    assert isinstance(entry.start, datetime)
    assert isinstance(entry.end, datetime)
    return int(entry.start.timestamp()), int(entry.end.timestamp())


def every_reader_sees_the_instants(write: Write) -> None:
    for start, zone in around_changes():
        appointment = an_appointment(start, zone, minutes=45)
        file = write(appointment, Business(name="Clinic", zone=zone))
        assert read_by_vobject(file) == read_by_icalendar(file) == (appointment.start, appointment.end), (start, zone)


def test_every_reader_sees_the_instants_of_the_appointment() -> None:
    every_reader_sees_the_instants(ours)


def _with_times(appointment: Appointment, business: Business, text: Callable[[datetime], str]) -> bytes:
    lines = ours(appointment, business).decode().split("\r\n")
    for name, instant in (("DTSTART", appointment.start), ("DTEND", appointment.end)):
        local = datetime.fromtimestamp(instant, ZoneInfo(appointment.zone))
        lines = [f"{name}:{text(local)}" if line.startswith(f"{name}:") else line for line in lines]
    return "\r\n".join(lines).encode()


def wall_time_taken_for_utc(appointment: Appointment, business: Business) -> bytes:
    """A broken one: an hour out (easyappointments#962)."""
    return _with_times(appointment, business, lambda local: f"{local:%Y%m%dT%H%M%SZ}")


def winter_all_year(appointment: Appointment, business: Business) -> bytes:
    """A broken one: an hour out in summer, as with a VTIMEZONE without daylight saving (easyappointments#1314)."""

    def text(local: datetime) -> str:
        off = timedelta() if local.dst() is None else local.dst() or timedelta()
        return f"{local.astimezone(UTC) + off:%Y%m%dT%H%M%SZ}"

    return _with_times(appointment, business, text)


def floating(appointment: Appointment, business: Business) -> bytes:
    """A broken one: whoever reads it takes its own zone."""
    return _with_times(appointment, business, lambda local: f"{local:%Y%m%dT%H%M%S}")


@pytest.mark.parametrize("broken", [wall_time_taken_for_utc, winter_all_year, floating])
def test_files_that_are_an_hour_out_are_caught(broken: Write) -> None:
    with pytest.raises(AssertionError):
        every_reader_sees_the_instants(broken)


@pytest.mark.parametrize("pick", ["google", "outlook", "office"])
def test_links_to_web_calendars_say_the_same_instants(pick: str) -> None:
    for start, zone in around_changes():
        appointment = an_appointment(start, zone)
        links = calendar_links(Business(name="A & B", zone=zone), service(), appointment, (), LINK)
        address = urlsplit(getattr(links, pick))
        query = parse_qs(address.query, strict_parsing=False)
        first, last = query["dates"][0].split("/") if pick == "google" else (query["startdt"][0], query["enddt"][0])

        assert address.scheme == "https"
        assert "+" not in address.query
        read = [int(datetime.fromisoformat(each).timestamp()) for each in (first, last)]
        assert read == [appointment.start, appointment.end]
        assert (query.get("text") or query["subject"])[0] == "Visit - A & B"
        assert LINK in (query.get("details") or query["body"])[0]


def test_it_says_where_with_whom_and_how_to_change_it_in_the_customers_language() -> None:
    start = at("2026-11-24T08:30:00Z")
    appointment = an_appointment(start, "Europe/Berlin", contact=Contact(language="de"))
    business = Business(name="Praxis", zone="Europe/Berlin", location="Hauptstr. 1, Berlin", email="p@praxis.example")

    entry = vobject.readOne(ours(appointment, business).decode()).vevent

    assert entry.summary.value == "Visit - Praxis"
    assert entry.location.value == "Hauptstr. 1, Berlin"
    assert entry.url.value == LINK
    assert entry.organizer.value == "mailto:p@praxis.example"
    assert entry.description.value == (
        "Wann: Dienstag, 24. November 2026, 09:30-10:00 (Europe/Berlin, UTC+1)\n"
        f"Bei: Dr Brandt\nAnsehen, verschieben oder absagen: {LINK}"
    )


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cn", "Co")), min_size=1, max_size=60)


@given(name=NAMES, place=NAMES, person=NAMES)
def test_no_name_writes_lines_of_its_own(name: str, place: str, person: str) -> None:
    """RFC 5545 3.3.11: texts are escaped and lines are folded, whatever they say."""
    business = Business(name=f"{name}\r\nATTENDEE:mailto:eve@example.com", location=place, email="a@b.example")
    remote: Service = service(name=f"{name}\nBEGIN:VALARM")
    file = calendar_file(business, remote, an_appointment(at("2026-11-24T08:30:00Z"), "UTC"), (person,), LINK, "h")

    calendar = icalendar.Calendar.from_ical(file)
    assert isinstance(calendar, icalendar.Calendar)
    [entry] = calendar.events
    assert not entry.subcomponents
    assert "ATTENDEE" not in entry
    assert str(entry["DESCRIPTION"]).endswith(LINK)
    assert all(len(line) <= 75 for line in file.split(b"\r\n"))
    assert vobject.readOne(file.decode()).vevent.uid.value == "apt_1@h"
