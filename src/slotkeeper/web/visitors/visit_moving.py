"""Moving one's own appointment: choose another day and time, say that it is meant, and it moves in one swap."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from slotkeeper.core.errors import Invalid, Missing, Outdated, Refused, Taken, TooLate, TooSoon, WrongState
from slotkeeper.core.slots import nearest
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant, parse_day, parse_instant
from slotkeeper.core.zones import local
from slotkeeper.desk import changing
from slotkeeper.desk.facts import groups_of
from slotkeeper.desk.refusing import ALTERNATIVES, DAYS_LOOKED_AHEAD
from slotkeeper.desk.room import Span, starts_to_move
from slotkeeper.desk.search import MAX_DAYS
from slotkeeper.ledger import Reading
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.visitors import wording
from slotkeeper.web.visitors.choice import DAYS, Day, Days, clock_change, day_start, people
from slotkeeper.web.visitors.visit import CHANGED, CLOSED, linked, shown
from slotkeeper.web.visitors.visit_page import Visit, go, page
from slotkeeper.web.visitors.visit_routes import VisitForm, VisitQuery

ANYONE = "anyone"
"""What stands in the address when it need not be with the one who serves now."""

_GONE = (N_("This time is not free"), N_("It was taken, or never was on offer. Your appointment stays as it is."))
_LOST: dict[type[Refused], tuple[str, str]] = {
    Taken: (N_("Somebody was faster"), N_("This time has just been taken. Your appointment stays as it is.")),
    TooSoon: (
        N_("It is too late for this time"),
        N_("It has passed, or starts too soon. Your appointment stays as it is."),
    ),
}


@linked
def times(call: Call[None, VisitQuery], it: Visit) -> Answer:
    """The days and times to which the appointment can go."""
    if not it.can_move:
        return shown(it)
    try:
        known = _people(it)
        person = _person(it, known)
        found = _weeks(it, person)
    except Missing:
        return shown(it, CLOSED)
    shown_starts = found.chosen.starts if found.chosen else []
    at = shown_starts[0] if shown_starts else it.desk.now()
    return page(
        it,
        "visit_times",
        found=found,
        people=known,
        person=person,
        anyone=ANYONE,
        zone_at=at,
        parts=wording.by_part_of_day(it.speech, shown_starts, it.zone),
        change=clock_change(found.chosen.date, it.zone) if found.chosen else None,
        is_elsewhere=not it.is_remote and wording.is_elsewhere(it.own_zone, it.zone, at),
        day_words=lambda day: wording.day_words(it.speech, day, found.today),
        months=wording.months(it.speech, found.days),
        amount=wording.amount,
        day_path=lambda day: it.path("move", day=day.isoformat(), **_with(it)),
        start_path=lambda start: _start_path(it, start),
    )


@linked
def ask_to_move(call: Call[None, VisitQuery], it: Visit) -> Answer:
    """Ask whether it is to be moved there."""
    start = _start(call)
    if not it.can_move:
        return shown(it)
    try:
        free = _around(it, start)
    except Missing:
        return shown(it, CLOSED)
    if start not in free:
        return _lost(it, _LOST[TooSoon] if start <= it.desk.now() else _GONE, nearest(free, start, ALTERNATIVES))
    end = Instant(start + it.appointment.end - it.appointment.start)
    day = local(start, it.zone).date().isoformat()
    return page(it, "visit_move", start=start, end=end, back=it.path("move", day=day, **_with(it)))


@linked
def move(call: Call[VisitForm, VisitQuery], it: Visit) -> Answer:
    """Move the appointment: the new time is won before the old one is given back."""
    start = _start(call)
    if it.service is None:
        return shown(it, CLOSED, 409)
    try:
        person = _person(it, _people(it))
        wanted = changing.Move(
            id=it.appointment.id,
            seen_revision=call.body.revision,
            request_key=call.body.once,
            start=start,
            resource_ids=(person,) if person else (),
        )
        changing.move(it.desk, it.actor, wanted)
    except Outdated:
        return shown(it, CHANGED, 409)
    except (WrongState, TooLate, Missing):
        return shown(it, CLOSED, 409)
    except Refused as refused:
        words = next((words for kind, words in _LOST.items() if isinstance(refused, kind)), _GONE)
        return _lost(it, words, nearest(_around(it, start), start, ALTERNATIVES))
    return go(it.path(done="moved"))


def _lost(it: Visit, words: tuple[str, str], near: Sequence[Instant]) -> Answer:
    title, text = (it.speech.say(each) for each in words)
    links = [(_start_path(it, start), it.moment(start)) for start in near]
    return page(it, "visit_lost", 409, heading=title, text=text, links=links, back=it.path("move", **_with(it)))


def _people(it: Visit) -> Mapping[str, str]:
    """Those among whom the customer may choose, their names by id. Where all of a group are needed there is no choice.

    Raises:
        Missing: the service, or a pool that it names, is gone.
    """
    reading = Reading(it.desk.store)
    if it.service is None:
        raise Missing("service", it.appointment.service_id)
    groups = [ids for ids, count in groups_of(reading, it.actor.business, it.service) if count < len(ids)]
    return people(reading, it.actor.business, groups)


def _person(it: Visit, known: Mapping[str, str]) -> str:
    """Whom it is to be with: who was asked for, else who serves now; empty when anyone will do."""
    asked = it.query.with_
    if asked in known or asked == ANYONE:
        return "" if asked == ANYONE else asked
    return next((id for id in it.appointment.resource_ids if id in known), "")


def _starts(it: Visit, person: str, span: Span) -> list[Instant]:
    """The free starts, without the one at which it is: nobody moves a thing to where it stands."""
    found = starts_to_move(it.desk, it.actor, it.appointment.id, span, (person,) if person else ())
    is_same = not person or person in it.appointment.resource_ids
    return [start for start in found if not (is_same and start == it.appointment.start)]


def _around(it: Visit, start: Instant) -> list[Instant]:
    first = max(Instant(start - DAY_SECONDS), it.desk.now())
    return _starts(it, _person(it, _people(it)), Span(first, Instant(first + DAYS_LOOKED_AHEAD * DAY_SECONDS)))


def _weeks(it: Visit, person: str) -> Days:
    """The two weeks of the day that was asked for, with what is free on each day: one search for all.

    Raises:
        Invalid: what was asked for is no date.
    """
    now, zone, asked = it.desk.now(), it.zone, it.query.day
    today = local(now, zone).date()
    last = today + timedelta(days=it.service.horizon_days if it.service else 0)
    monday = today - timedelta(days=today.weekday())
    if asked:
        parse_day(asked)
        monday += timedelta(days=(min(max(date.fromisoformat(asked), today), last) - monday).days // DAYS * DAYS)
    is_near = day_start(monday, zone) <= now
    start = now if is_near else day_start(monday, zone)
    starts = _starts(it, person, Span(start, Instant(start + MAX_DAYS * DAY_SECONDS)))
    edges = [bisect_left(starts, day_start(monday + timedelta(days=at), zone)) for at in range(DAYS + 1)]
    days = [Day(monday + timedelta(days=at), starts[edges[at] : edges[at + 1]]) for at in range(DAYS)]
    free = [day for day in days if day.starts]
    later = monday + timedelta(days=DAYS)
    return Days(
        today=today,
        days=days,
        chosen=next((day for day in free if day.date.isoformat() >= asked), free[0] if free else None),
        soonest=starts[0] if is_near and starts else None,
        next=starts[edges[-1]] if edges[-1] < len(starts) else None,
        earlier=max(monday - timedelta(days=DAYS), today) if monday > today else None,
        later=later if later <= last else None,
        searched_to=local(Instant(start + MAX_DAYS * DAY_SECONDS), zone).date(),
    )


def _with(it: Visit) -> dict[str, str]:
    return {"with": it.query.with_}


def _start_path(it: Visit, start: Instant) -> str:
    return it.path("move", format_instant(start), **_with(it))


def _start(call: Call[Any, VisitQuery]) -> Instant:
    try:
        return parse_instant(call.ids["start"])
    except Invalid:
        raise Missing("time", call.ids["start"]) from None
