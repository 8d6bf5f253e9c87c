"""Templates of messages, as they will be read: with a customer and a time that are made up."""

import re
from datetime import timedelta
from typing import Any

from slotkeeper.core.appointment import Appointment, Contact, Event
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.service import Business, Service
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.desk import catalogue
from slotkeeper.documents import Template
from slotkeeper.notices.rendering import Occasion, Words, render
from slotkeeper.notices.templates import check_template
from slotkeeper.web.forms import DeclaredForm, once
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff import keeping
from slotkeeper.web.staff.fields import Filled, built, read, written
from slotkeeper.web.staff.keeping import Kept
from slotkeeper.web.staff.kinds import TEMPLATES
from slotkeeper.web.staff.lines import lists_of
from slotkeeper.web.staff.page import speech_of
from slotkeeper.web.staff.setup_routes import DoneQuery
from slotkeeper.web.staff.sharing import whole
from slotkeeper.web.staff.things import form_page
from slotkeeper.web.staff.walls import start_of, today

HOUR = 3600

_STYLE = re.compile(r"<style\b.*?</style\s*>", re.IGNORECASE | re.DOTALL)


def show(call: Call[None, DoneQuery]) -> Answer:
    """The form for a template, with a preview."""
    kept = keeping.one_of(call, TEMPLATES, call.ids["id"])
    filled = Filled(written(TEMPLATES.fields, kept.value), {}, {})
    return form_page(call, TEMPLATES, filled, kept, preview=_preview(call, kept.value))


def preview(call: Call[DeclaredForm, None]) -> Answer:
    """The form as it was filled in, with a preview of that; nothing is saved."""
    filled = read(TEMPLATES.fields, call.body.typed, speech_of(call), ("version", "of"))
    template = built(filled, TEMPLATES.fields, Template)
    shown = None
    if template is not None:
        try:
            check_template(template)
            shown = _preview(call, template)
        except Invalid as error:
            filled.blame(error, TEMPLATES.fields)
    return form_page(call, TEMPLATES, filled, _kept(call), preview=shown)


def _kept(call: Call[DeclaredForm, None]) -> Kept | None:
    """The template that is being changed, with the mark that its form had; None for a new one."""
    id = once(call.body.typed, "of")
    if not id:
        return None
    try:
        return Kept(id, once(call.body.typed, "version"), keeping.one_of(call, TEMPLATES, id).value)
    except Missing:
        return None


def _preview(call: Call[Any, Any], template: Template) -> Words:
    """The message that the template makes of an appointment in two days' time."""
    business: Business = catalogue.profile(call.desk, call.actor).value
    lists, now = lists_of(call), call.desk.now()
    services = {item.id: item.value for item in lists.service}
    id = template.service_id or next(iter(services), "")
    service: Service | None = services.get(id)
    start = Instant(start_of(today(now, business.zone) + timedelta(days=2), business.zone) + 10 * HOUR)
    end = Instant(start + (service.duration_minutes if service else 30) * 60)
    contact = Contact(
        name="Ada Lovelace", email="ada@example.com", phone="+44 20 7946 0000", language=template.language
    )
    appointment = Appointment(
        id="apt_preview", status="booked", start=start, end=end, service_id=id, contact=contact, zone=business.zone,
        created=now, details={"notes": "I come by bike"},
    )  # fmt: skip
    people = [item.value.name for item in lists.resource if item.value.kind == "staff"]
    event = Event(
        number=2, type="moved", at=now, by="", start=start, end=end, was_start=Instant(start - DAY_SECONDS),
        expires=Instant(now + HOUR), reason="",
    )  # fmt: skip
    occasion = Occasion(
        kind=template.kind,
        now=now,
        business=business,
        service=service,
        appointment=appointment,
        event=None if template.kind == "reminder" else event,
        contact=contact,
        resources=people[:1],
        templates=(template,),
        link=whole(call, "visit", call.actor.business, "example"),
    )
    words = render(occasion)
    # Many mail programs leave style sheets out, and so does our policy, which holds within the frame.
    return Words(words.subject, words.text, _STYLE.sub("", words.html))
