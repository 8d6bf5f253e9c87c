"""The pages about one appointment: all that can be done with it by plain forms, without script."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args

from msgspec.structs import replace

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Invalid, Outdated, Refused, WrongState
from slotkeeper.core.names import in_order
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import agenda, booking, changing, room
from slotkeeper.desk.orders import Order
from slotkeeper.web.bodies import MULTI_LINE, without_unsafe
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff import feed as feeds
from slotkeeper.web.staff.appointments import contact_of, details_of, done, moved, noted, remember, walled, zone_of
from slotkeeper.web.staff.calendar import STATUS_MARKS, STATUS_WORDS
from slotkeeper.web.staff.calendar_routes import AppointmentForm, Deed, NewForm, NewQuery
from slotkeeper.web.staff.days import Days, stretch_of
from slotkeeper.web.staff.page import go, page, speech_of, staff_path
from slotkeeper.web.staff.walls import instant_at, today, wall_text

NOTHING: Mapping[str, str] = MappingProxyType({})


def show(call: Call[None, None]) -> Answer:
    """The appointment as a page, with a form for all that can be done with it."""
    return _page(call, agenda.appointment(call.desk, call.actor, call.ids["id"]))


def change(call: Call[AppointmentForm, None]) -> Answer:
    """Do what the form says, and lead back to the appointment."""
    found = agenda.appointment(call.desk, call.actor, call.ids["id"])
    form, zone = _tidy(call.body), zone_of(call)
    request = changing.Request(id=found.id, seen_revision=form.revision, reason=form.reason)
    try:
        if form.do == "move":
            moved(call, _move_of(form, found, zone), _others(call, found, form.resource))
        elif form.do == "notes":
            noted(call, request, form.notes)
        elif form.do in get_args(Deed):
            done(call, form.do, request)
        else:
            return _page(call, found, 422, form, wrong={"do": "Choose what is to be done"})
    except WrongState as refused:  # no rule that could be overridden, and no other time would do
        return _page(call, found, 409, form, wrong={"do": refused.message})
    except Refused as refused:
        return _page(call, found, 409, form, refused=walled(call, refused, zone))
    except Invalid as invalid:
        return _page(call, found, 422, form, wrong={invalid.field: invalid.message})
    except Outdated:
        now = agenda.appointment(call.desk, call.actor, found.id)
        return _page(call, now, 412, form, is_outdated=True)
    return go(staff_path(call, "appointments", found.id))


def new(call: Call[None, NewQuery]) -> Answer:
    """The form to book: service and day, then a time and who it is for."""
    return _new(call, call.query, NewForm(once=call.desk.new_id("once")))


def book_by_form(call: Call[NewForm, NewQuery]) -> Answer:
    """Book what the form says, once however often it is sent, and lead to the appointment."""
    form, zone = _tidy(call.body), zone_of(call)
    query = replace(call.query, service=form.service or call.query.service, resource=form.resource)
    try:
        made = booking.book(call.desk, call.actor, _order(form, zone)).appointment
        remember(call, made)
    except Refused as refused:
        return _new(call, query, form, 409, refused=walled(call, refused, zone))
    except Invalid as invalid:
        return _new(call, query, form, 422, wrong={invalid.field: invalid.message})
    return go(staff_path(call, "appointments", made.id))


def _order(form: NewForm, zone: str) -> Order:
    if not form.start:
        raise Invalid("choose a time", field="start")
    return Order(
        start=instant_at(form.start, zone, "start"),
        service_id=form.service,
        resource_ids=(form.resource,) if form.resource else (),
        contact=contact_of(form.name, form.email, form.phone, is_known=False),
        details={"notes": form.notes} if form.notes else {},
        request_key=form.once,
    )


def _move_of(form: AppointmentForm, found: Appointment, zone: str) -> changing.Move:
    start = instant_at(f"{form.date}T{form.time[:5]}", zone, "time", form.offset)
    if form.minutes and not form.minutes.isdecimal():
        raise Invalid("write how many minutes it takes", field="minutes")
    return changing.Move(
        id=found.id,
        seen_revision=form.revision,
        start=start,
        end=Instant(start + int(form.minutes) * 60) if form.minutes else None,
        resource_ids=(form.resource,) if form.resource else (),
        override=form.override,
    )


def _others(call: Call[Any, Any], found: Appointment, resource: str) -> tuple[str, ...]:
    """Those who serve it and could go on beside the one who is named: all of another kind."""
    known = feeds.catalogue_of(call.desk, call.actor.business).resources
    if not resource or resource in found.resource_ids or resource not in known:
        return tuple(id for id in found.resource_ids if resource and id != resource)
    kind = known[resource].kind
    return tuple(id for id in found.resource_ids if id in known and known[id].kind != kind)


def _page(
    call: Call[Any, Any],
    found: Appointment,
    status: int = 200,
    form: AppointmentForm | None = None,
    *,
    refused: Refused | None = None,
    wrong: Mapping[str, str] = NOTHING,
    is_outdated: bool = False,
) -> Answer:
    about = details_of(call, found)
    line: feeds.Line = about["appointment"]
    zone = zone_of(call)
    sent = form or AppointmentForm(date=line.start[:10], time=line.start[11:], offset=line.offset)
    known = feeds.catalogue_of(call.desk, call.actor.business)
    return page(
        call,
        "appointment",
        "calendar",
        status,
        line=line,
        about=about,
        sent=sent,
        refused=refused,
        rival=_rival(refused),
        wrong=wrong,
        is_outdated=is_outdated,
        words=STATUS_WORDS,
        marks=STATUS_MARKS,
        when=speech_of(call).span(found.start, found.end, zone),
        zone_name=speech_of(call).zone(zone, found.start),
        minutes=(found.end - found.start) // 60,
        resources=sorted(
            ((id, each.name) for id, each in known.resources.items() if each.active),
            key=lambda pair: in_order(pair[1]),
        ),
        action=staff_path(call, "appointments", found.id),
        back=staff_path(call, "day", date=line.start[:10]),
    )


def _rival(refused: Refused | None) -> dict[str, Any]:
    rival: Any = refused.facts.get("conflictingAppointment", {}) if refused else {}
    return rival | refused.private if refused and rival else {}


def _new(
    call: Call[Any, Any],
    query: NewQuery,
    form: NewForm,
    status: int = 200,
    *,
    refused: Refused | None = None,
    wrong: Mapping[str, str] = NOTHING,
) -> Answer:
    zone = zone_of(call)
    known = feeds.catalogue_of(call.desk, call.actor.business)
    offered = feeds.services_of(known)
    service = next((each for each in offered if each.id == query.service), None)
    date = query.date or today(call.desk.now(), zone).isoformat()
    starts: list[str] = []
    if service is not None:
        days = stretch_of(Days(from_=date), zone, call.desk.now())
        found = room.room_to_book(call.desk, call.actor, service.id, room.Span(days.start, days.end))
        of = found.by_resource.get(query.resource, []) if query.resource else found.anyone
        starts = list(dict.fromkeys(wall_text(start, zone) for start in of))
    return page(
        call,
        "new",
        "calendar",
        status,
        offered=offered,
        service=service,
        date=date,
        query=query,
        starts=starts,
        sent=form,
        refused=refused,
        rival=_rival(refused),
        wrong=wrong,
        resources=[(id, known.resources[id].name) for id in (service.resource_ids if service else ())],
        action=staff_path(call, "new"),
        back=staff_path(call, "day", date=date),
    )


def _tidy(form: Any) -> Any:
    """The form without blanks around and unsafe characters in what was typed."""
    texts = {name: getattr(form, name) for name in form.__struct_fields__}
    return type(form)(
        **{name: without_unsafe(text, is_multi_line=name in MULTI_LINE).strip() for name, text in texts.items()}
    )
