"""The routes of appointments: booking, finding, changing and moving them."""

import re
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Action, Appointment, Contact, Status
from slotkeeper.core.errors import Invalid
from slotkeeper.core.service import mail_address, named_zone
from slotkeeper.core.ticks import Instant
from slotkeeper.core.value import Id
from slotkeeper.desk import agenda, booking, changing
from slotkeeper.desk.orders import NOBODY, Order
from slotkeeper.web.bodies import bounded, instant
from slotkeeper.web.http import Headers
from slotkeeper.web.queries import after_of, cursor_of, moment
from slotkeeper.web.routes import Answer, Call, Handler, Route
from slotkeeper.web.views import AppointmentView, ListView, ReminderView, Time, View, appointment_view, reminder_view

TOPIC = "Appointments"
REPLAYED: Headers = (("idempotency-replayed", "true"),)

_FIRST, _LAST = Instant(0), Instant(10**11)
_CURSOR = re.compile(r"[0-9]{12}/[A-Za-z0-9_.:@+-]{1,128}")

Reason = Annotated[str, Meta(max_length=500)]
Members = Annotated[tuple[Id, ...], Meta(max_length=20)]


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The base of what is sent."""


class OverrideBody(Body, frozen=True, kw_only=True):
    """Staff's reason for going against the rules; it is kept in the audit log."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class BookBody(Body, frozen=True, kw_only=True):
    """A booking of a service, or of a bare span of time. `userId` is another name of `customerId`."""

    start_time: Time
    end_time: Time | None = None
    service_id: Id | None = None
    resource_ids: Members = ()
    customer_id: Id | None = None
    user_id: Id | None = None
    customer: Contact | None = None
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    hold_id: Id | None = None
    override: OverrideBody | None = None


class EditBody(Body, frozen=True, kw_only=True):
    """New details, or another contact; what is left out stays as it is."""

    details: dict[str, Any] | None = None
    customer: Contact | None = None


class MoveBody(Body, frozen=True, kw_only=True):
    """Another time, or others to serve."""

    start_time: Time
    end_time: Time | None = None
    resource_ids: Members = ()
    override: OverrideBody | None = None


class ReasonBody(Body, frozen=True, kw_only=True):
    """Why, for the record."""

    reason: Reason = ""


class ListQuery(Body, frozen=True, kw_only=True):
    """Which appointments: those that start in `from <= start < to` and fit what else is named."""

    from_: str = msgspec.field(default="", name="from")
    to: str = ""
    status: tuple[Status, ...] = ()
    customer_id: Id | None = None
    user_id: Id | None = None
    resource_id: Id | None = None
    service_id: Id | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str = ""


class BookedView(View, frozen=True, kw_only=True):
    """The appointment that was made; `warnings` name the rules that it goes against, where staff wanted that."""

    appointment_id: str
    message: str
    appointment: AppointmentView
    warnings: tuple[str, ...] = ()


def book(call: Call[BookBody, None]) -> Answer:
    """Make an appointment."""
    booked = booking.book(call.desk, call.actor, _order(call))
    appointment = booked.appointment
    view = BookedView(
        appointment_id=appointment.id,
        message=told(appointment),
        appointment=appointment_view(call.actor, appointment),
        warnings=booked.warnings,
    )
    headers = (("location", f"/appointments/{appointment.id}"), *(REPLAYED if booked.is_repeat else ()))
    return Answer(view, 201, str(appointment.revision), headers)


def find(call: Call[None, None]) -> Answer:
    """One appointment."""
    return _shown(call.actor, agenda.appointment(call.desk, call.actor, call.ids["id"]))


def search(call: Call[None, ListQuery]) -> Answer:
    """The appointments that fit, by start."""
    query = call.query
    wanted = agenda.Filter(
        first=moment(query.from_, "from") if query.from_ else _FIRST,
        last=moment(query.to, "to") if query.to else _LAST,
        customer_id=_one_customer(query.customer_id, query.user_id),
        resource_id=query.resource_id or "",
        service_id=query.service_id or "",
        statuses=frozenset(query.status),
    )
    after = after_of(query.cursor, _CURSOR)
    listing = agenda.appointments(call.desk, call.actor, wanted, limit=query.limit, after=after)
    views = [appointment_view(call.actor, each) for each in listing.appointments]
    return Answer(ListView(items=views, next_cursor=cursor_of(listing.after)))


def edit(call: Call[EditBody, None]) -> Answer:
    """Change the details or the contact."""
    body = call.body
    if body.details is None and body.customer is None:
        raise Invalid("send details, customer or both")
    details = None if body.details is None else bounded(body.details)
    contact = None if body.customer is None else checked(body.customer)
    return _shown(call.actor, changing.edit(call.desk, call.actor, _request(call), details, contact))


def move(call: Call[MoveBody, None]) -> Answer:
    """Move the appointment: the old time is kept until the new one is won."""
    body = call.body
    wanted = changing.Move(
        id=call.ids["id"],
        seen_revision=call.seen,
        request_key=call.request_key,
        start=instant(body.start_time, "startTime"),
        end=None if body.end_time is None else instant(body.end_time, "endTime"),
        resource_ids=body.resource_ids,
        override=body.override.reason if body.override else "",
    )
    return _shown(call.actor, changing.move(call.desk, call.actor, wanted))


def act(action: Action, call: Call[ReasonBody, None]) -> Answer:
    """Take the appointment to another state."""
    return _shown(call.actor, changing.act(call.desk, call.actor, action, _request(call, call.body.reason)))


def attend(call: Call[ReasonBody, None]) -> Answer:
    """Note that the customer has said that they will come."""
    return _shown(call.actor, changing.attend(call.desk, call.actor, _request(call, call.body.reason)))


def reminders(call: Call[None, None]) -> Answer:
    """The appointment's reminders, by when they are due."""
    appointment = agenda.appointment(call.desk, call.actor, call.ids["id"])
    owed = sorted((each for each in appointment.messages if each.kind == "reminder"), key=lambda each: each.due)
    return Answer(ListView(items=[reminder_view(each) for each in owed], next_cursor=None))


def told(appointment: Appointment) -> str:
    """What the customer is told of a booking."""
    if appointment.status == "pending":
        return "Appointment requested: it waits for confirmation"
    return "Appointment booked"


def checked(contact: Contact) -> Contact:
    """The contact. Raises `Invalid` for a mail address or a zone that is none."""
    mail_address(contact.email, "customer.email")
    if contact.zone:
        named_zone(contact.zone, "customer.zone")
    return contact


def _order(call: Call[BookBody, None]) -> Order:
    body = call.body
    return Order(
        start=instant(body.start_time, "startTime"),
        end=None if body.end_time is None else instant(body.end_time, "endTime"),
        service_id=body.service_id or "",
        resource_ids=body.resource_ids,
        customer_id=_one_customer(body.customer_id, body.user_id),
        contact=NOBODY if body.customer is None else checked(body.customer),
        details=bounded(body.details) if body.details else {},
        hold_id=body.hold_id or "",
        override=body.override.reason if body.override else "",
        request_key=call.request_key,
    )


def _one_customer(customer_id: str | None, user_id: str | None) -> str:
    if customer_id and user_id and customer_id != user_id:
        raise Invalid("userId is another name of customerId: send one of them", field="userId")
    return customer_id or user_id or ""


def _request(call: Call[Any, Any], reason: str = "") -> changing.Request:
    return changing.Request(id=call.ids["id"], seen_revision=call.seen, request_key=call.request_key, reason=reason)


def _shown(actor: Actor, appointment: Appointment) -> Answer:
    return Answer(appointment_view(actor, appointment), tag=str(appointment.revision))


def _action(name: Action, summary: str, access: Any = "staff") -> Route:
    return _deed(name, partial(act, name), summary, access)


def _deed(name: str, handler: Handler, summary: str, access: Any) -> Route:
    return Route(
        method="POST",
        pattern=f"/appointments/{{id}}/{name}",
        handler=handler,
        access=access,
        topic=TOPIC,
        summary=summary,
        body=ReasonBody,
        is_body_optional=True,
        answers={200: AppointmentView},
        is_repeatable=True,
        is_conditional=True,
        refuses=True,
        example={"reason": "asked for by phone"},
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        pattern="/appointments",
        handler=book,
        access="book",
        topic=TOPIC,
        summary="Book a service, or a bare span of time",
        body=BookBody,
        answers={201: BookedView},
        is_repeatable=True,
        refuses=True,
        example={
            "userId": "user-17",
            "startTime": "2026-12-01T09:00:00Z",
            "endTime": "2026-12-01T09:30:00Z",
            "details": {"description": "Annual check-up", "location": "Room 2"},
        },
    ),
    Route(
        method="GET",
        pattern="/appointments",
        handler=search,
        access="read",
        topic=TOPIC,
        summary="List appointments by start",
        query=ListQuery,
        answers={200: ListView[AppointmentView]},
    ),
    Route(
        method="GET",
        pattern="/appointments/{id}",
        handler=find,
        access="read",
        topic=TOPIC,
        summary="Show an appointment",
        answers={200: AppointmentView},
    ),
    Route(
        method="PATCH",
        pattern="/appointments/{id}",
        handler=edit,
        access="book",
        topic=TOPIC,
        summary="Change the details or the contact of an appointment",
        body=EditBody,
        answers={200: AppointmentView},
        is_repeatable=True,
        is_conditional=True,
        example={"details": {"description": "Annual check-up, bring the blue card"}},
    ),
    Route(
        method="POST",
        pattern="/appointments/{id}/reschedule",
        handler=move,
        access="book",
        topic=TOPIC,
        summary="Move an appointment in one swap",
        body=MoveBody,
        answers={200: AppointmentView},
        is_repeatable=True,
        is_conditional=True,
        refuses=True,
        example={"startTime": "2026-12-02T09:00:00Z"},
    ),
    _action("cancel", "Cancel an appointment", access="book"),
    _deed("attend", attend, "Note that the customer will come", "book"),
    _action("confirm", "Confirm an appointment that was requested"),
    _action("decline", "Decline an appointment that was requested"),
    _action("checkIn", "Note that the customer has come"),
    _action("complete", "Note that the visit is over"),
    _action("noShow", "Note that the customer did not come"),
    Route(
        method="GET",
        pattern="/appointments/{id}/reminders",
        handler=reminders,
        access="read",
        topic=TOPIC,
        summary="List an appointment's reminders and what became of them",
        answers={200: ListView[ReminderView]},
    ),
)
