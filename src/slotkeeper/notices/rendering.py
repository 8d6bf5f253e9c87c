"""From an occasion to the words of a message: subject, text and HTML."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from jinja2 import TemplateError
from markupsafe import Markup

from slotkeeper.core.appointment import Appointment, Contact, Event
from slotkeeper.core.service import Business, Service, place_of
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import local, zone_names
from slotkeeper.documents import Template
from slotkeeper.notices.languages import (
    Language,
    date_text,
    day_text,
    language_of,
    lead_text,
    offset_text,
    time_text,
    when_text,
    zone_shown,
)
from slotkeeper.notices.layout import BLANK_LINES, DETAILS, LINK, laid_out
from slotkeeper.notices.plain import one_line
from slotkeeper.notices.printing import packaged, printed, printed_html
from slotkeeper.notices.templates import chosen

MAX_CHARACTERS = 200_000
MAX_SUBJECT = 200
MAX_NAME = 80
OVER = frozenset({"cancelled", "declined", "expired"})

_log = logging.getLogger(__name__)


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to tell: `event` for a notice of something that happened, None for a reminder.

    `resources` are the names of those who serve, `contact` the customer as far as known, `templates` the business's,
    `link` is where the customer can see and change the appointment, or empty. `has_page`: HTML is wanted too.
    """

    kind: str
    now: Instant
    business: Business
    service: Service | None
    appointment: Appointment
    event: Event | None
    contact: Contact
    resources: Sequence[str] = ()
    templates: Sequence[Template] = ()
    link: str = ""
    has_page: bool = True

    @property
    def start(self) -> Instant:
        return self.event.start if self.event else self.appointment.start

    @property
    def end(self) -> Instant:
        return self.event.end if self.event else self.appointment.end

    @property
    def zone(self) -> str:
        """The zone that comes first: the place's, or the customer's for a remote service."""
        return zone_shown(self.service, self.appointment.zone, self.contact.zone)


class Words(msgspec.Struct, frozen=True):
    """A message as it is read; `html` is empty where none is wanted."""

    subject: str
    text: str
    html: str = ""


def render(occasion: Occasion) -> Words:
    """The words for the occasion, in the customer's language where we or the business speak it.

    A template of the business that fails is passed over: the customer is told in our own words then.
    """
    wanted = (occasion.contact.language, occasion.business.language)
    own = chosen(occasion.templates, occasion.kind, occasion.appointment.service_id, wanted)
    if own is not None:
        try:
            return _rendered(occasion, language_of(own.language, *wanted), own.subject, own.text, own.html)
        except (TemplateError, TypeError, ValueError, RecursionError, SyntaxError) as error:
            _log.warning("a template for %s failed and was passed over: %s", occasion.kind, error)
    language = language_of(*wanted)
    return _rendered(occasion, language, *packaged(language.code, occasion.kind), "")


def _rendered(occasion: Occasion, language: Language, subject: str, text: str, html: str) -> Words:
    names = _names(occasion, language)
    rows = _rows(names, language)
    title = str(names["service"]["name"])
    # What is plain for a reader of text must not be markup for a reader of HTML, so each is rendered on its own.
    head = one_line(printed(subject, names))[:MAX_SUBJECT]
    body = printed(text, names | {"details": DETAILS, "link": LINK if occasion.link else ""})[:MAX_CHARACTERS]
    block = "\n".join(f"{label}: {value}" for label, value in ((language.service, title), *rows))
    plain = _tidy(body.replace(DETAILS, block, 1).replace(DETAILS, "").replace(LINK, occasion.link))
    if not occasion.has_page:
        return Words(head, plain)
    if html:
        lines = Markup("<br>").join(Markup("{}: {}").format(label, value) for label, value in rows)
        page = printed_html(html, names | {"details": lines, "link": occasion.link})
    else:
        page = laid_out(body, head, title, rows, language, occasion.link, is_over=occasion.kind in OVER)
    return Words(head, plain, page[:MAX_CHARACTERS])


def _rows(names: Mapping[str, Any], language: Language) -> tuple[tuple[str, str], ...]:
    """When, where and with whom. The place's time comes first where there is a place; the customer's own only where it
    differs."""
    rows = (
        (language.when, names["appointment"]["when"]),
        (language.customer_time, names["appointment"]["customerTime"]),
        (language.where, names["location"]),
        (language.with_whom, ", ".join(names["resources"])),
    )
    return tuple(row for row in rows if row[1])


def _names(occasion: Occasion, language: Language) -> dict[str, Any]:
    """What `templates.NAMES` promises. A subject has neither link nor details, so these are empty."""
    business, service, appointment = occasion.business, occasion.service, occasion.appointment
    event, start, end, zone = occasion.event, occasion.start, occasion.end, occasion.zone
    was_moved = event is not None and event.was_start and event.was_start != event.start
    notes = appointment.details.get("notes", "")
    return {
        "business": {
            "name": one_line(business.name),
            "location": one_line(business.location),
            "email": business.email,
            "zone": business.zone,
        },
        "service": {
            "name": one_line(service.name) if service else language.visit,
            "description": service.description if service else "",
            "minutes": (end - start) // 60,
        },
        "appointment": {
            "id": appointment.id,
            "when": when_text(language, start, end, zone),
            "date": day_text(language, start, zone),
            "time": time_text(start, zone),
            "zone": zone,
            "customerTime": _customer_time(occasion, language),
            "was": _moment(language, event.was_start, zone) if event is not None and was_moved else "",
            "expires": _moment(language, event.expires, zone) if event is not None and event.expires else "",
            "reason": one_line(event.reason) if event is not None and event.type in OVER else "",
        },
        "customer": {
            "name": _name(occasion.contact.name),
            "email": occasion.contact.email,
            "phone": occasion.contact.phone,
        },
        "resources": [one_line(name) for name in occasion.resources],
        "lead": lead_text(language, start - occasion.now),
        "notes": notes if isinstance(notes, str) else "",
        "location": one_line(place_of(business, service)),
        "link": "",
        "details": "",
    }


def _customer_time(occasion: Occasion, language: Language) -> str:
    """The customer's own wall clock; empty when it is not known or shows the same."""
    zone = occasion.contact.zone
    if zone not in zone_names() or zone == occasion.zone:
        return ""
    there = [local(instant, zone).utcoffset() for instant in (occasion.start, occasion.end)]
    here = [local(instant, occasion.zone).utcoffset() for instant in (occasion.start, occasion.end)]
    return "" if there == here else when_text(language, occasion.start, occasion.end, zone)


def _moment(language: Language, instant: Instant, zone: str) -> str:
    wall = local(instant, zone)
    return f"{date_text(language, wall)}, {wall:%H:%M} ({zone}, {offset_text(wall)})"


def _name(name: str) -> str:
    """The customer's name for a greeting; none when it looks like an advertisement: anyone may book with another's
    mail address, and we must not carry a stranger's links there."""
    plain = one_line(name)
    return "" if len(plain) > MAX_NAME or "://" in plain or "www." in plain.lower() else plain


def _tidy(text: str) -> str:
    return "\n\n".join(BLANK_LINES.split(text.strip())) + "\n"
