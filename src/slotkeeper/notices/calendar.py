"""An appointment for the customer's own calendar: as a file of iCalendar (RFC 5545), and as links to web calendars.

Times are written in UTC. What libraries write as VTIMEZONE is read an hour off by some, and a calendar shows its
owner's own clock anyway; the place's clock is said in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.service import Business, Service, place_of
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.notices.languages import language_of, when_text, zone_shown
from slotkeeper.notices.plain import one_line

MEDIA = "text/calendar; charset=utf-8; method=PUBLISH"
PRODUCT = "-//Slotkeeper//Appointments//EN"
GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"
OFFICE = "https://outlook.office.com/calendar/0/deeplink/compose"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarLinks:
    """Addresses that open a web calendar with the appointment filled in; nothing is saved before its owner says so."""

    google: str
    outlook: str
    office: str


def calendar_file(
    business: Business,
    service: Service | None,
    appointment: Appointment,
    resources: Sequence[str],
    link: str,
    host: str,
) -> bytes:
    """The appointment as it is now, as a file of the type `MEDIA`. The same appointment has the same UID after a move
    and a higher SEQUENCE, so a calendar that reads the file again moves its entry.

    `resources` are the names of those who serve; `link` is where the customer can change it, or empty; `host` is that
    of our own address.
    """
    from icalendar import Calendar, Event, vCalAddress, vUri  # who asks for no file need not load it

    words = _Words.of(business, service, appointment, resources, link)
    event = Event()
    event.add("uid", f"{appointment.id}@{host}")
    event.add("dtstamp", _utc(appointment.events[-1].at if appointment.events else appointment.created))
    event.add("created", _utc(appointment.created))
    event.add("dtstart", _utc(appointment.start))
    event.add("dtend", _utc(appointment.end))
    event.add("sequence", appointment.sequence)
    event.add("status", _status(appointment))
    event.add("summary", words.title)
    event.add("description", words.text)
    if words.place:
        event.add("location", words.place)
    if link:
        event.add("url", vUri(link))
    if business.email:
        organizer = vCalAddress(f"mailto:{business.email}")
        organizer.params["CN"] = one_line(business.name).replace('"', "'")
        event.add("organizer", organizer)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def calendar_links(
    business: Business, service: Service | None, appointment: Appointment, resources: Sequence[str], link: str
) -> CalendarLinks:
    """The links for the appointment as it is now. They are plain addresses: nothing of ours is loaded from there."""
    words = _Words.of(business, service, appointment, resources, link)
    start, end = format_instant(appointment.start), format_instant(appointment.end)
    span = f"{start}/{end}".replace("-", "").replace(":", "")
    google = {"action": "TEMPLATE", "text": words.title, "dates": span, "details": words.text, "location": words.place}
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": words.title,
        "startdt": start,
        "enddt": end,
        "body": words.text,
        "location": words.place,
    }
    # Outlook shows the plus signs that stand for blanks in forms.
    return CalendarLinks(
        google=f"{GOOGLE}?{urlencode(google, quote_via=quote)}",
        outlook=f"{OUTLOOK}?{urlencode(outlook, quote_via=quote)}",
        office=f"{OFFICE}?{urlencode(outlook, quote_via=quote)}",
    )


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str
    place: str

    @classmethod
    def of(
        cls, business: Business, service: Service | None, appointment: Appointment, resources: Sequence[str], link: str
    ) -> "_Words":
        """What the entry says, in the customer's language."""
        language = language_of(appointment.contact.language, business.language)
        name = one_line(service.name) if service else language.visit
        zone = zone_shown(service, appointment.zone, appointment.contact.zone)
        lines = [
            f"{language.when}: {when_text(language, appointment.start, appointment.end, zone)}",
            _labelled(language.with_whom, ", ".join(one_line(each) for each in resources)),
            _labelled(language.manage, link),
        ]
        return cls(
            title=f"{name} - {one_line(business.name)}",
            text="\n".join(filter(None, lines)),
            place=one_line(place_of(business, service)),
        )


def _labelled(label: str, value: str) -> str:
    return f"{label}: {value}" if value else ""


def _status(appointment: Appointment) -> str:
    if not appointment.is_claiming:
        return "CANCELLED"
    return "TENTATIVE" if appointment.status == "pending" else "CONFIRMED"


def _utc(instant: Instant) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
