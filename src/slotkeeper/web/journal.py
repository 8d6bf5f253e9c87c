"""The routes that tell what happened: notifications, dead letters, events and the audit log."""

import re
from itertools import islice
from typing import Annotated

import msgspec
from msgspec import Meta

from slotkeeper.core.appointment import EventType
from slotkeeper.core.errors import Invalid
from slotkeeper.core.reminders import Channel
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant
from slotkeeper.courier import log
from slotkeeper.desk import audit
from slotkeeper.web.appointments import Body
from slotkeeper.web.queries import after_of, cursor_of, moment
from slotkeeper.web.routes import Answer, Call, Route
from slotkeeper.web.views import ListView, Time, View, time_or_none

TOPIC = "What happened"
AUDIT_PAGE = 1000
MAX_AUDIT_DAYS = 92
A_MONTH = 30 * DAY_SECONDS
_CURSOR = re.compile(r"[0-9]{12}/[A-Za-z0-9_.:@+-]{1,128}")
_LAST_EVENT = 10**12 - 1

Limit = Annotated[int, Meta(ge=1, le=200)]


class PageQuery(Body, frozen=True, kw_only=True):
    """A stretch of a list."""

    limit: Limit = 50
    cursor: str = ""


class EventQuery(Body, frozen=True, kw_only=True):
    """The events with numbers above `after`, in their order."""

    after: Annotated[int, Meta(ge=0, le=_LAST_EVENT)] = 0
    limit: Limit = 100


class AuditQuery(Body, frozen=True, kw_only=True):
    """What was done in `from <= time < to`, oldest first: in the 30 days before `to`, and until now, unless said
    otherwise."""

    from_: str = msgspec.field(default="", name="from")
    to: str = ""
    cursor: str = ""


class NotificationView(View, frozen=True, kw_only=True):
    """A message as it was last tried. `waiting`: the try failed, another comes at `dueTime`; `dead`: none does."""

    id: str
    appointment_id: str
    kind: str
    channel: Channel
    state: str
    time: Time
    to: str
    subject: str
    text: str
    attempts: int
    answer: str = ""
    due_time: Time | None = None
    lead_minutes: int = 0


class EventView(View, frozen=True, kw_only=True):
    """Something that happened to an appointment, in the business's one sequence. `by` is a key's id."""

    number: int
    type: EventType
    time: Time
    by: str
    appointment_id: str
    revision: int
    start_time: Time
    end_time: Time
    was_start_time: Time | None = None
    service_id: str = ""
    customer_id: str = ""
    resource_ids: tuple[str, ...] = ()
    reason: str = ""


class EntryView(View, frozen=True, kw_only=True):
    """What a key did in the catalogue, or against the rules."""

    id: str
    time: Time
    by: str
    what: str
    target: str
    reason: str = ""


class EventsView(View, frozen=True, kw_only=True):
    """Events, and the number to ask for more after; null when that was all."""

    items: list[EventView]
    next_cursor: str | None


def notifications(call: Call[None, PageQuery]) -> Answer:
    """The messages as they were last tried, latest first."""
    query = call.query
    after = after_of(query.cursor, _CURSOR)
    return _logged(log.notifications(call.desk.store, call.actor.business, after, query.limit))


def dead_letters(call: Call[None, PageQuery]) -> Answer:
    """The messages that are given up, latest first."""
    query = call.query
    after = after_of(query.cursor, _CURSOR)
    return _logged(log.dead_letters(call.desk.store, call.actor.business, after, query.limit))


def replay(call: Call[None, None]) -> Answer:
    """Send a message that was given up again."""
    owed = log.replay(call.desk.store, call.actor.business, call.ids["id"], call.desk.now())
    return Answer(_notification(owed))


def events(call: Call[None, EventQuery]) -> Answer:
    """The events after a number."""
    query = call.query
    found = log.events(call.desk.store, call.actor.business, query.after, query.limit)
    after = str(found[-1].number) if len(found) == query.limit else None
    return Answer(EventsView(items=[_event(each) for each in found], next_cursor=after))


def listed(call: Call[None, AuditQuery]) -> Answer:
    """The entries of the audit log, oldest first."""
    query = call.query
    until = moment(query.to, "to") if query.to else Instant(call.desk.now() + 1)
    since = moment(query.from_, "from") if query.from_ else Instant(until - A_MONTH)
    if not since < until <= since + MAX_AUDIT_DAYS * DAY_SECONDS:
        raise Invalid(f"to must be after from, at most {MAX_AUDIT_DAYS} days", field="to")
    after = after_of(query.cursor, _CURSOR)
    if after is not None:
        since = max(since, Instant(int(after[:12])))
    entries = audit.entries(call.desk.store, call.actor.business, since, until)
    found = list(islice((each for each in entries if _sort(each) > (after or "")), AUDIT_PAGE))
    go_on = cursor_of(_sort(found[-1])) if len(found) == AUDIT_PAGE else None
    return Answer(ListView(items=[_entry(each) for each in found], next_cursor=go_on))


def _sort(entry: audit.Entry) -> str:
    return f"{entry.at:012d}/{entry.id}"


def _logged(logged: log.Logged) -> Answer:
    views = [_notification(each) for each in logged.notifications]
    return Answer(ListView(items=views, next_cursor=cursor_of(logged.after)))


def _notification(notification: log.Notification) -> NotificationView:
    return NotificationView(
        id=notification.id,
        appointment_id=notification.appointment_id,
        kind=notification.kind,
        channel=notification.channel,
        state=notification.state,
        time=format_instant(notification.at),
        to=notification.to,
        subject=notification.subject,
        text=notification.text,
        attempts=notification.attempts,
        answer=notification.answer,
        due_time=time_or_none(notification.due),
        lead_minutes=notification.lead_minutes,
    )


def _event(event: log.Published) -> EventView:
    return EventView(
        number=event.number,
        type=event.type,
        time=format_instant(event.at),
        by=event.by,
        appointment_id=event.appointment_id,
        revision=event.revision,
        start_time=format_instant(event.start),
        end_time=format_instant(event.end),
        was_start_time=time_or_none(event.was_start),
        service_id=event.service_id,
        customer_id=event.customer_id,
        resource_ids=event.resource_ids,
        reason=event.reason,
    )


def _entry(entry: audit.Entry) -> EntryView:
    return EntryView(
        id=entry.id,
        time=format_instant(entry.at),
        by=entry.by,
        what=entry.what,
        target=entry.target,
        reason=entry.reason,
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/notifications",
        handler=notifications,
        access="staff",
        topic=TOPIC,
        summary="List the messages as they were last tried, latest first",
        query=PageQuery,
        answers={200: ListView[NotificationView]},
    ),
    Route(
        method="GET",
        pattern="/deadLetters",
        handler=dead_letters,
        access="admin",
        topic=TOPIC,
        summary="List the messages that are given up, latest first",
        query=PageQuery,
        answers={200: ListView[NotificationView]},
    ),
    Route(
        method="POST",
        pattern="/deadLetters/{id}/replay",
        handler=replay,
        access="admin",
        topic=TOPIC,
        summary="Send a message that was given up again",
        answers={200: NotificationView},
        refuses=True,
    ),
    Route(
        method="GET",
        pattern="/events",
        handler=events,
        access="staff",
        topic=TOPIC,
        summary="List what happened to appointments after an event's number",
        query=EventQuery,
        answers={200: EventsView},
    ),
    Route(
        method="GET",
        pattern="/audit",
        handler=listed,
        access="admin",
        topic=TOPIC,
        summary="List who changed or overrode what",
        query=AuditQuery,
        answers={200: ListView[EntryView]},
    ),
)
