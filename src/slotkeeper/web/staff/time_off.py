"""When somebody is away: the list, and a form whose times are read on the wall clock of where they are."""

from datetime import timedelta
from typing import Any

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.service import Resource
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import local
from slotkeeper.desk import away, catalogue
from slotkeeper.desk.catalogue import Item
from slotkeeper.web.forms import DeclaredForm, once
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.fields import Clock, Date, Filled, Text, blank, read
from slotkeeper.web.staff.page import go, page, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import DoneQuery
from slotkeeper.web.staff.things import Form, said_of
from slotkeeper.web.staff.walls import date_in, instant_at, start_of

FIELDS = (
    Date(name="from", label=N_("From"), is_needed=True),
    Clock(name="fromTime", label=N_("At"), hint=N_("Empty: all day.")),
    Date(name="to", label=N_("To"), is_needed=True),
    Clock(name="toTime", label=N_("Until"), hint=N_("Empty: all day.")),
    Text(name="reason", label=N_("Reason"), most=500, hint=N_("Only members see it.")),
)


def show(call: Call[None, DoneQuery]) -> Answer:
    """When the resource is away, and what is booked with it then."""
    today = local(call.desk.now(), _resource(call).value.zone).date().isoformat()
    return _page(call, Filled(blank(FIELDS, **{"from": today, "to": today}), {}, {}))


def add(call: Call[DeclaredForm, None]) -> Answer:
    """Note that the resource is away. Appointments that it has then stay: the page tells of them."""
    filled = read(FIELDS, call.body.typed, speech_of(call), ())
    if not filled.wrong:
        try:
            start, end = _span(filled.values, _resource(call).value.zone)
            catalogue.add_time_off(call.desk, call.actor, call.ids["id"], start, end, filled.values["reason"])
        except Invalid as error:
            field = {"startTime": "from", "endTime": "to"}.get(error.field, error.field)
            filled.blame(Invalid(error.message, field=field), FIELDS)
        else:
            return go(_path(call, done="added"))
    return _page(call, filled)


def remove(call: Call[DeclaredForm, None]) -> Answer:
    """The resource is not away then after all."""
    read((), call.body.typed, speech_of(call), ("absence",))
    try:
        catalogue.remove_time_off(call.desk, call.actor, call.ids["id"], once(call.body.typed, "absence"))
    except Missing:
        _resource(call)  # it is gone already, unless the resource itself is
    return go(_path(call, done="removed"))


def _span(values: dict[str, Any], zone: str) -> tuple[Instant, Instant]:
    """From when to when, on the wall clock of the zone. Of an hour that comes twice it is the first at the start, and
    the last at the end: better away too long than booked while away."""
    if values["fromTime"]:
        start = instant_at(f"{values['from']}T{values['fromTime']}", zone, "from")
    else:
        start = start_of(date_in(values["from"], "from"), zone)
    if not values["toTime"]:
        return start, start_of(date_in(values["to"], "to") + timedelta(days=1), zone)
    end = instant_at(f"{values['to']}T{values['toTime']}", zone, "to")
    return start, Instant(int(local(end, zone).replace(fold=1).timestamp()))


def _page(call: Call[Any, Any], filled: Filled) -> Answer:
    kept = _resource(call)
    zone, now, speech = kept.value.zone, call.desk.now(), speech_of(call)
    absences = catalogue.time_off(call.desk, call.actor, kept.id)
    coming = [each for each in absences if each.end > now]
    return page(
        call,
        "time_off",
        "setup",
        422 if filled.wrong else 200,
        part="resources",
        title=kept.value.name,
        zone=zone,
        zone_name=speech.zone(zone, now),
        back=staff_path(call, "setup", "resources", kept.id),
        action=_path(call),
        coming=[
            (absence, speech.span(absence.start, absence.end, zone), _shown(call, booked, zone))
            for absence, booked in zip(coming, away.clashes(call.desk, call.actor, kept.id, coming), strict=True)
        ],
        past=[(each, speech.span(each.start, each.end, zone)) for each in reversed(absences) if each.end <= now],
        form=Form(FIELDS, filled),
        may_write="staff" in call.actor.scopes and not call.actor.is_viewer,
        done=said_of(getattr(call.query, "done", "")),
    )


def _shown(call: Call[Any, Any], booked: list[Appointment], zone: str) -> list[tuple[str, str]]:
    """Where each appointment is, and what it is in words."""
    speech = speech_of(call)
    return [
        (staff_path(call, "appointments", each.id), f"{speech.moment(each.start, zone)} {each.contact.name}".strip())
        for each in booked
    ]


def _resource(call: Call[Any, Any]) -> Item[Resource]:
    return catalogue.item(call.desk, call.actor, "resource", call.ids["id"])


def _path(call: Call[Any, Any], done: str = "") -> str:
    return staff_path(call, "setup", "resources", call.ids["id"], "time-off", done=done)
