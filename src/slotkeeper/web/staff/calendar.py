"""The staff calendar: the page that a receptionist keeps open all day, and what its script asks for."""

from datetime import date, timedelta
from typing import Any

from slotkeeper.core.appointment import Status
from slotkeeper.core.names import in_order
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import catalogue, room
from slotkeeper.ledger import Reading
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff import feed as feeds
from slotkeeper.web.staff.calendar_routes import CalendarQuery, CustomerQuery, DayQuery, FreeQuery
from slotkeeper.web.staff.days import Days, Stretch, stretch_of
from slotkeeper.web.staff.page import page, speech_of, staff_path
from slotkeeper.web.staff.walls import date_in, today, wall_text

MAX_FOUND = 8

STATUS_WORDS: dict[Status, str] = {
    "pending": "Requested",
    "booked": "Booked",
    "checkedIn": "Checked in",
    "completed": "Completed",
    "noShow": "No-show",
    "cancelled": "Cancelled",
    "declined": "Declined",
    "expired": "Lapsed",
}
STATUS_MARKS: dict[Status, str] = {
    "pending": "?",
    "booked": "",
    "checkedIn": "✓",
    "completed": "✓✓",
    "noShow": "✕",
    "cancelled": "✕",
    "declined": "✕",
    "expired": "✕",
}
"""What stands before a name, so that nobody has to tell the statuses by their colours."""


def show(call: Call[None, CalendarQuery]) -> Answer:
    """The calendar. Its script asks for what stands in it."""
    profile = catalogue.profile(call.desk, call.actor).value
    now = call.desk.now()
    date = today(now, profile.zone)
    return page(
        call,
        "calendar",
        "calendar",
        200,
        zone=profile.zone,
        zone_name=speech_of(call).zone(profile.zone, now),
        today=date,
        day=date.isoformat(),
        home=staff_path(call),
        words=STATUS_WORDS,
        marks=STATUS_MARKS,
    )


def feed(call: Call[None, Days]) -> Answer:
    """What stands in the calendar on some days."""
    shown, mark = feeds.feed(call.desk, call.actor.business, call.query)
    return Answer(shown, tag=mark)


def changes(call: Call[None, None]) -> Answer:
    """The number of the last event. Whoever has seen it has seen all."""
    number = feeds.number_of(Reading(call.desk.store), call.actor.business)
    return Answer({"number": number}, tag=f"n{number}")


def stream(call: Call[None, None]) -> Answer:
    """The same as an event of a stream (HTML standard, 9.2.6)."""
    number = feeds.number_of(Reading(call.desk.store), call.actor.business)
    return Answer(f"data: {number}\n\n".encode())


def free(call: Call[None, FreeQuery]) -> Answer:
    """Where a visit of a service finds room."""
    zone, days = asked(call, call.query)
    found = room.room_to_book(call.desk, call.actor, call.query.service, room.Span(days.start, days.end))
    return Answer(told(found, zone))


def customers(call: Call[None, CustomerQuery]) -> Answer:
    """Customers whose name, mail address or number has what was typed in it, those whose name begins with it first."""
    typed = call.query.q.strip().casefold()
    found = catalogue.items(call.desk, call.actor, "customer") if typed else []
    fitting = [
        each
        for each in found
        if typed in each.value.name.casefold()
        or typed in each.value.email.casefold()
        or (typed.isdigit() and typed in "".join(filter(str.isdigit, each.value.phone)))
    ]
    fitting.sort(key=lambda each: (not each.value.name.casefold().startswith(typed), in_order(each.value.name)))
    return Answer(
        [
            {"id": each.id, "name": each.value.name, "email": each.value.email, "phone": each.value.phone}
            for each in fitting[:MAX_FOUND]
        ]
    )


def day(call: Call[None, DayQuery]) -> Answer:
    """A day as a list: without script, and for small phones."""
    profile = catalogue.profile(call.desk, call.actor).value
    chosen = date_in(call.query.date, "date") if call.query.date else today(call.desk.now(), profile.zone)
    days = Days(from_=chosen.isoformat(), to=(chosen + timedelta(days=1)).isoformat())
    shown, _ = feeds.feed(call.desk, call.actor.business, days)
    wanted = call.query.resource
    lines = [each for each in shown.appointments if wanted in ("", *each.resource_ids)]
    return page(
        call,
        "day",
        "calendar",
        200,
        chosen=chosen,
        lines=lines,
        names={each.id: each.name for each in shown.resources},
        resources=shown.resources,
        wanted=wanted,
        words=STATUS_WORDS,
        marks=STATUS_MARKS,
        zone=profile.zone,
        at=lambda each: staff_path(call, "appointments", each.id),
        on=lambda number: staff_path(call, "day", date=_later(chosen, number).isoformat(), resource=wanted),
        home=staff_path(call),
        action=staff_path(call, "day"),
        new=staff_path(call, "new", date=chosen.isoformat(), resource=wanted),
        title=speech_of(call).day(chosen),
    )


def asked(call: Call[Any, Any], days: Days) -> tuple[str, Stretch]:
    """The business's zone, and the days in it."""
    zone: str = catalogue.profile(call.desk, call.actor).value.zone
    return zone, stretch_of(days, zone, call.desk.now())


def told(found: room.Room, zone: str) -> dict[str, Any]:
    """Where there is room, in wall times; those that the clock shows twice stand there once."""
    return {
        "minutes": found.seconds // 60,
        "anyone": _walls(found.anyone, zone),
        "resources": {id: _walls(starts, zone) for id, starts in found.by_resource.items()},
        "latestEnd": wall_text(found.latest_end, zone) if found.latest_end else "",
    }


def _walls(starts: list[Instant], zone: str) -> list[str]:
    return list(dict.fromkeys(wall_text(start, zone) for start in starts))


def _later(chosen: date, number: int) -> date:
    return chosen + timedelta(days=number)
