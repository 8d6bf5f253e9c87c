"""From an occasion to the words of a message: subject, text and HTML."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import jinja2
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from slotkeeper.core.appointment import Appointment, Contact, Event
from slotkeeper.core.service import Business, Service, place_of
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import local, zone_names
from slotkeeper.documents import Template
from slotkeeper.notices.languages import (
    Language,
    date_text,
    language_of,
    lead_text,
    offset_text,
    time_text,
    when_text,
    zone_shown,
)
from slotkeeper.notices.plain import one_line
from slotkeeper.notices.templates import chosen

MAX_CHARACTERS = 200_000
MAX_SUBJECT = 200
MAX_NAME = 80
OVER = frozenset({"cancelled", "declined", "expired"})

_DETAILS = "\ue000details\ue000"
_LINK = "\ue001"
_BUTTON = re.compile(rf"([^\n{_LINK}]{{1,100}}?)\s*[:\uff1a]?\s*{_LINK}")
_BLANK = re.compile(r"\n\s*\n")

_log = logging.getLogger(__name__)
_text = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,
)
_html = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What there is to tell: `event` for a notice of something that happened, None for a reminder.

    `resources` are the names of those who serve, `contact` the customer as far as known, `templates` the business's,
    `link` is where the customer can see and change the appointment, or empty.
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


@dataclass(frozen=True, slots=True)
class Words:
    """A message as it is read."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph of a page; a button leads to the occasion's link."""

    text: Markup
    is_button: bool = False


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
    subject, text = _packaged(language.code, occasion.kind)
    return _rendered(occasion, language, subject, text, "")


def _rendered(occasion: Occasion, language: Language, subject: str, text: str, html: str) -> Words:
    rows = _rows(occasion, language)
    names = _names(occasion, language, rows)
    title = str(names["service"]["name"])
    # What is plain for a reader of text must not be markup for a reader of HTML, so each is rendered on its own.
    head = one_line(_compiled(_text, subject).render(names | {"link": ""}))[:MAX_SUBJECT]
    marked = {"details": _DETAILS, "link": _LINK if occasion.link else ""}
    body = _compiled(_text, text).render(names | marked)[:MAX_CHARACTERS]
    before, _, after = body.partition(_DETAILS)
    block = "\n".join(f"{label}: {value}" for label, value in ((language.service, title), *rows))
    plain = _tidy(body.replace(_DETAILS, block, 1).replace(_DETAILS, "").replace(_LINK, occasion.link))
    card = {
        "language": language.code,
        "direction": language.direction,
        "edge": "right" if language.direction == "rtl" else "left",
        "link": occasion.link,
        "subject": head,
        "preview": rows[0][1],
        "before": _paragraphs(before, occasion.link),
        "after": _paragraphs(after.replace(_DETAILS, ""), occasion.link),
        "title": title,
        "rows": rows if _DETAILS in body else (),
        "crossed": "text-decoration:line-through;" if occasion.kind in OVER else "",
    }
    if html:
        lines = Markup("<br>").join(Markup("{}: {}").format(label, value) for label, value in rows)
        page = _compiled(_html, html).render(names | {"details": lines})
    else:
        page = _layout().render(card)
    return Words(head, plain, page[:MAX_CHARACTERS])


def _rows(occasion: Occasion, language: Language) -> tuple[tuple[str, str], ...]:
    """When, where and with whom. The place's time comes first where there is a place; the customer's own only where it
    differs."""
    when = when_text(language, occasion.start, occasion.end, occasion.zone)
    rows = [
        (language.when, when),
        (language.customer_time, _customer_time(occasion, language)),
        (language.where, _location(occasion)),
        (language.with_whom, ", ".join(one_line(name) for name in occasion.resources)),
    ]
    return tuple((label, value) for label, value in rows if value)


def _names(occasion: Occasion, language: Language, rows: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What `templates.NAMES` promises."""
    business, service, appointment = occasion.business, occasion.service, occasion.appointment
    event, zone = occasion.event, occasion.zone
    minutes = (occasion.end - occasion.start) // 60
    was = ""
    if event is not None and event.was_start and event.was_start != event.start:
        was = _moment(language, event.was_start, zone)
    reason = event.reason if event is not None and event.type in OVER else ""
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
            "minutes": minutes,
        },
        "appointment": {
            "id": appointment.id,
            "when": rows[0][1],
            "date": date_text(language, local(occasion.start, zone)),
            "time": time_text(occasion.start, zone),
            "zone": zone,
            "customerTime": _customer_time(occasion, language),
            "was": was,
            "expires": _moment(language, event.expires, zone) if event is not None and event.expires else "",
            "reason": one_line(reason),
        },
        "customer": {
            "name": _name(occasion.contact.name),
            "email": occasion.contact.email,
            "phone": occasion.contact.phone,
        },
        "resources": [one_line(name) for name in occasion.resources],
        "lead": lead_text(language, occasion.start - occasion.now),
        "notes": notes if isinstance(notes, str) else "",
        "location": _location(occasion),
        "link": occasion.link,
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


def _location(occasion: Occasion) -> str:
    return one_line(place_of(occasion.business, occasion.service))


def _moment(language: Language, instant: Instant, zone: str) -> str:
    wall = local(instant, zone)
    return f"{date_text(language, wall)}, {wall:%H:%M} ({zone}, {offset_text(wall)})"


def _name(name: str) -> str:
    """The customer's name for a greeting; none when it looks like an advertisement: anyone may book with another's
    mail address, and we must not carry a stranger's links there."""
    plain = one_line(name)
    return "" if len(plain) > MAX_NAME or "://" in plain or "www." in plain.lower() else plain


def _paragraphs(text: str, link: str) -> list[_Paragraph]:
    """The text's paragraphs. One that says no more than what the link is for becomes a button."""
    return [_paragraph(part.strip(), link) for part in _BLANK.split(text) if part.strip()]


def _paragraph(text: str, link: str) -> _Paragraph:
    button = _BUTTON.fullmatch(text)
    if button:
        return _Paragraph(escape(button[1]), is_button=True)
    anchor = Markup('<a href="{0}">{0}</a>').format(link)
    return _Paragraph(anchor.join(escape(part) for part in text.split(_LINK)))


def _tidy(text: str) -> str:
    return "\n\n".join(_BLANK.split(text.strip())) + "\n"


@lru_cache(maxsize=1024)
def _compiled(environment: ImmutableSandboxedEnvironment, source: str) -> jinja2.Template:
    return environment.from_string(source)


@cache
def _layout() -> jinja2.Template:
    return _html.from_string(_file("layout.html"))


@cache
def _packaged(language: str, kind: str) -> tuple[str, str]:
    """The subject and text of our own template; English where the language has none.

    Raises:
        KeyError: there is no such kind.
    """
    for code in (language, "en"):
        path = files("slotkeeper.notices") / "templates" / code / f"{kind}.txt"
        if path.is_file():
            subject, _, text = path.read_text("utf-8").partition("\n")
            return subject, text
    raise KeyError(kind)


def _file(name: str) -> str:
    return (files("slotkeeper.notices") / "templates" / name).read_text("utf-8")
