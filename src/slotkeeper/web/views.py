"""What callers are shown of appointments, and how much of them each caller may see."""

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment, Contact, Status
from slotkeeper.core.reminders import Channel, Message, MessageState
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.documents import Hold

Time = Annotated[
    str, Meta(max_length=40, extra_json_schema={"format": "date-time", "examples": ["2026-12-01T09:30:00Z"]})
]
T = TypeVar("T")


class View(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """The base of what is shown. What does not apply is left out."""


class ListView(View, Generic[T], frozen=True, kw_only=True):
    """Some things, and the cursor to ask for more with; null when that was all."""

    items: list[T]
    next_cursor: str | None


class Span(View, frozen=True, kw_only=True):
    """A half-open span of time."""

    start_time: Time
    end_time: Time


class AppointmentView(View, frozen=True, kw_only=True):
    """An appointment. `customer` and `details` are shown to staff, to the customer, and to the key that booked it.
    `attendingTime` is when the customer said that they will come."""

    id: str
    status: Status
    start_time: Time
    end_time: Time
    zone: str
    service_id: str = ""
    resource_ids: tuple[str, ...] = ()
    customer_id: str = ""
    customer: Contact | None = None
    details: dict[str, Any] | None = None
    created_time: Time
    revision: int
    expires_time: Time | None = None
    attending_time: Time | None = None
    overrode: str = ""


class PublicView(View, frozen=True, kw_only=True):
    """An appointment as its visitor sees it: what they sent, and what became of it."""

    id: str
    status: Status
    start_time: Time
    end_time: Time
    zone: str
    service_id: str
    customer: Contact
    details: dict[str, Any]
    expires_time: Time | None = None


class HoldView(View, frozen=True, kw_only=True):
    """A slot that is kept for a while."""

    id: str
    service_id: str
    start_time: Time
    end_time: Time
    resource_ids: tuple[str, ...]
    expires_time: Time


class ReminderView(View, frozen=True, kw_only=True):
    """A reminder of an appointment, and what became of it."""

    id: str
    channel: Channel
    lead_minutes: int
    due_time: Time
    state: MessageState
    attempts: int


def appointment_view(actor: Actor, appointment: Appointment) -> AppointmentView:
    """The appointment as the actor may see it."""
    is_shown = _sees_people(actor, appointment)
    return AppointmentView(
        id=appointment.id,
        status=appointment.status,
        start_time=format_instant(appointment.start),
        end_time=format_instant(appointment.end),
        zone=appointment.zone,
        service_id=appointment.service_id,
        resource_ids=appointment.resource_ids,
        customer_id=appointment.customer_id if is_shown else "",
        customer=appointment.contact if is_shown and appointment.contact != _NOBODY else None,
        details=appointment.details if is_shown else None,
        created_time=format_instant(appointment.created),
        revision=appointment.revision,
        expires_time=time_or_none(appointment.expires),
        attending_time=time_or_none(appointment.attending),
        overrode=appointment.overrode if actor.is_staff else "",
    )


def public_view(appointment: Appointment) -> PublicView:
    """The appointment as the visitor who has just booked it may see it."""
    return PublicView(
        id=appointment.id,
        status=appointment.status,
        start_time=format_instant(appointment.start),
        end_time=format_instant(appointment.end),
        zone=appointment.zone,
        service_id=appointment.service_id,
        customer=appointment.contact,
        details=appointment.details,
        expires_time=time_or_none(appointment.expires),
    )


def hold_view(hold: Hold) -> HoldView:
    return HoldView(
        id=hold.id,
        service_id=hold.service_id,
        start_time=format_instant(hold.start),
        end_time=format_instant(hold.end),
        resource_ids=hold.resource_ids,
        expires_time=format_instant(hold.expires),
    )


def reminder_view(message: Message) -> ReminderView:
    return ReminderView(
        id=message.id,
        channel=message.channel,
        lead_minutes=message.lead_minutes,
        due_time=format_instant(message.due),
        state=message.state,
        attempts=message.attempts,
    )


def time_or_none(instant: Instant) -> str | None:
    """The instant as text; None for 0, which stands for none."""
    return format_instant(instant) if instant else None


_NOBODY = Contact()


def _sees_people(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor may see whom the appointment is for. A key sees what it booked itself."""
    if actor.is_staff or (actor.customer_id and actor.customer_id == appointment.customer_id):
        return True
    return any(event.by == actor.id for event in appointment.events[:1])
