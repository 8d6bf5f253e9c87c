"""One appointment on the pages for members: shown, moved, taken to another state, booked.

A page with script sends JSON and shows the calendar anew; one without sends a form and is led back to the appointment.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from msgspec.structs import replace

from slotkeeper.core.appointment import REOPENED, TRANSITIONS, Appointment, Contact, Customer, Event
from slotkeeper.core.errors import Invalid, Missing, Refused
from slotkeeper.core.service import Business, mail_address
from slotkeeper.core.ticks import Instant, format_instant, parse_instant
from slotkeeper.desk import agenda, booking, catalogue, changing, members, room
from slotkeeper.desk.orders import Order
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff import feed as feeds
from slotkeeper.web.staff.calendar import asked, told
from slotkeeper.web.staff.calendar_routes import (
    Deed,
    DeedBody,
    MoveBody,
    NewBody,
    NotesBody,
)
from slotkeeper.web.staff.days import Days
from slotkeeper.web.staff.walls import instant_after, instant_at, offset_text, wall_text

EVENT_WORDS = {
    "pending": "Requested",
    "booked": "Booked",
    "moved": "Moved",
    "changed": "Changed",
    "attending": "Customer says they will come",
    "checkedIn": "Checked in",
    "completed": "Completed",
    "declined": "Declined",
    "cancelled": "Cancelled",
    "noShow": "Marked as no-show",
    "expired": "Lapsed",
}
_NOT_EXPECTED = {"public": "Online booking", "system": "Slotkeeper"}


def details(call: Call[None, None]) -> Answer:
    """All about an appointment."""
    found = agenda.appointment(call.desk, call.actor, call.ids["id"])
    return Answer(details_of(call, found), tag=str(found.revision))


def free(call: Call[None, Days]) -> Answer:
    """Where the appointment could go."""
    zone, days = asked(call, call.query)
    found = room.room_to_move(call.desk, call.actor, call.ids["id"], room.Span(days.start, days.end))
    return Answer(told(found, zone))


def move(call: Call[MoveBody, None]) -> Answer:
    """Move it, with those who are named and those who are preferred; or else with the former and whoever is free."""
    body, zone = call.body, zone_of(call)
    start = instant_at(body.start, zone, "start", body.offset)
    wanted = changing.Move(
        id=call.ids["id"],
        seen_revision=str(body.revision),
        request_key=call.request_key,
        start=start,
        end=instant_after(start, body.end, zone, "end") if body.end else None,
        resource_ids=body.resource_ids,
        override=body.override.reason if body.override else "",
    )
    return _changed(call, zone, lambda: moved(call, wanted, body.prefer))


def act(call: Call[DeedBody, None]) -> Answer:
    """Take it to another state."""
    request = changing.Request(
        id=call.ids["id"],
        seen_revision=str(call.body.revision),
        request_key=call.request_key,
        reason=call.body.reason,
    )
    return _changed(call, zone_of(call), lambda: done(call, call.body.do, request))


def note(call: Call[NotesBody, None]) -> Answer:
    """Write other notes."""
    request = changing.Request(id=call.ids["id"], seen_revision=str(call.body.revision), request_key=call.request_key)
    return _changed(call, zone_of(call), lambda: noted(call, request, call.body.notes))


def book(call: Call[NewBody, None]) -> Answer:
    """Book, and remember who it is for."""
    body, zone = call.body, zone_of(call)
    contact = contact_of(body.name, body.email, body.phone, is_known=bool(body.customer_id))
    order = Order(
        start=instant_at(body.start, zone, "start", body.offset),
        service_id=body.service_id,
        resource_ids=body.resource_ids,
        customer_id=body.customer_id,
        contact=contact,
        details={"notes": body.notes} if body.notes else {},
        override=body.override.reason if body.override else "",
        request_key=call.request_key,
    )

    def do() -> Appointment:
        made = booking.book(call.desk, call.actor, order).appointment
        remember(call, made)
        return made

    return _changed(call, zone, do)


def remember(call: Call[Any, Any], made: Appointment) -> None:
    """Keep the customer of a booking, where they have a mail address to know them by, and are not kept yet."""
    contact = made.contact
    if not contact.name or not contact.email:
        return
    try:
        catalogue.item(call.desk, call.actor, "customer", made.customer_id)
    except Missing:
        new = Customer(name=contact.name, email=contact.email, phone=contact.phone)
        catalogue.put(call.desk, call.actor, "customer", made.customer_id, new)


def _changed(call: Call[Any, Any], zone: str, do: Callable[[], Appointment]) -> Answer:
    """The appointment as the calendar shows it after the change; of a refusal also the wall times."""
    try:
        after = do()
    except Refused as refused:
        raise walled(call, refused, zone) from None
    services = _services(call, after)
    shown = feeds.one(call.desk, call.actor.business, after.id, services, zone)
    return Answer({"appointment": shown}, tag=str(after.revision))


def moved(call: Call[Any, Any], wanted: changing.Move, prefer: tuple[str, ...]) -> Appointment:
    if prefer:
        together = replace(wanted, resource_ids=tuple(dict.fromkeys((*wanted.resource_ids, *prefer))))
        try:
            return changing.move(call.desk, call.actor, together)
        except (Refused, Invalid):
            if wanted.override:
                raise
    return changing.move(call.desk, call.actor, wanted)


def done(call: Call[Any, Any], deed: Any, request: changing.Request) -> Appointment:
    if deed == "reopen":
        return changing.reopen(call.desk, call.actor, request)
    return changing.act(call.desk, call.actor, deed, request)


def noted(call: Call[Any, Any], request: changing.Request, notes: str) -> Appointment:
    before = agenda.appointment(call.desk, call.actor, request.id)
    others = {name: value for name, value in before.details.items() if name != "notes"}
    request = replace(request, seen_revision=request.seen_revision or str(before.revision))
    return changing.edit(call.desk, call.actor, request, others | ({"notes": notes} if notes else {}), None)


def contact_of(name: str, email: str, phone: str, *, is_known: bool) -> Contact:
    """Who it is for. Raises `Invalid` at the field that is wrong."""
    if is_known:
        return Contact()
    name, email, phone = name.strip(), email.strip(), phone.strip()
    if not name:
        raise Invalid("say who it is for", field="name")
    mail_address(email, "email")
    return Contact(name=name, email=email, phone=phone)


def walled(call: Call[Any, Any], refused: Refused, zone: str) -> Refused:
    """The refusal, with its times also as the business's wall clock shows them, and whose time it is for staff."""
    alternatives: Any = refused.facts.get("alternatives")
    if alternatives:
        refused.facts["alternatives"] = [each | _on_wall(each, zone) for each in alternatives]
    rival: Any = refused.facts.get("conflictingAppointment")
    if rival:
        refused.facts["conflictingAppointment"] = rival | _on_wall(rival, zone)
    if "appointmentId" in refused.private:
        id = str(refused.private["appointmentId"])
        other = agenda.appointment(call.desk, call.actor, id)
        shown = feeds.one(call.desk, call.actor.business, id, _services(call, other), zone)
        refused.private |= {"customer": shown.customer, "service": shown.service}
    return refused


def _on_wall(span: Mapping[str, str], zone: str) -> dict[str, str]:
    start, end = parse_instant(span["startTime"]), parse_instant(span["endTime"])
    return {"start": wall_text(start, zone), "end": wall_text(end, zone), "offset": offset_text(start, zone)}


def zone_of(call: Call[Any, Any]) -> str:
    business: Business = catalogue.profile(call.desk, call.actor).value
    return business.zone


def _services(call: Call[Any, Any], appointment: Appointment) -> dict[str, Any]:
    """The appointment's service by its id, if it is still there."""
    try:
        item = catalogue.item(call.desk, call.actor, "service", appointment.service_id)
    except Missing:
        return {}
    return {item.id: item.value}


def details_of(call: Call[Any, Any], found: Appointment) -> dict[str, Any]:
    zone = zone_of(call)
    known = feeds.catalogue_of(call.desk, call.actor.business)
    shown = feeds.one(call.desk, call.actor.business, found.id, known.services, zone)
    others = {name: _said(value) for name, value in found.details.items() if name != "notes"}
    contact = found.contact
    if found.customer_id and contact == Contact():
        contact = _customer(call, found.customer_id)
    return {
        "appointment": shown,
        "with": [known.resources[id].name if id in known.resources else id for id in found.resource_ids],
        "email": contact.email,
        "phone": contact.phone,
        "notes": _said(found.details.get("notes", "")),
        "details": others,
        "deeds": deeds_of(found, call.desk.now()) if not call.actor.is_viewer else [],
        "isMovable": found.status in ("pending", "booked") and not call.actor.is_viewer,
        "history": _history(call, found, zone),
    }


def deeds_of(found: Appointment, now: Instant) -> list[str]:
    """What can be done with it, in the order of a day at the desk."""
    deeds = [deed for deed in get_args(Deed) if deed != "reopen" and found.status in TRANSITIONS[deed][0]]
    if found.status == "pending" and found.expires and found.expires <= now:
        return []
    if found.status in REOPENED and found.events[-1].type == found.status:
        deeds.append("reopen")
    return deeds


def _customer(call: Call[Any, Any], id: str) -> Contact:
    try:
        found: Contact = catalogue.item(call.desk, call.actor, "customer", id).value
    except Missing:
        return Contact()
    return found


def _history(call: Call[Any, Any], found: Appointment, zone: str) -> list[dict[str, str]]:
    """What happened to it, latest first: what, when, by whom, why, and against which rule."""
    names = {item.id: item.value.name for item in members.members(call.desk, call.actor.business)}
    return [
        {
            "what": _happened(event, zone),
            "at": wall_text(event.at, zone).replace("T", " "),
            "time": format_instant(event.at),
            "by": names.get(event.by) or _NOT_EXPECTED.get(event.by, event.by),
            "reason": event.reason,
            "warning": "; ".join(each.partition(": ")[2] for each in event.warning.splitlines()),
        }
        for event in reversed(found.events)
    ]


def _happened(event: Event, zone: str) -> str:
    word = EVENT_WORDS[event.type]
    if event.type != "moved":
        return word
    return f"{word} from {wall_text(event.was_start, zone)} to {wall_text(event.start, zone)}".replace("T", " ")


def _said(value: object) -> str:
    return value if isinstance(value, str) else str(value)
