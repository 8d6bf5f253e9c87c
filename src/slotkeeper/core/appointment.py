"""An appointment, its states, and the events that its changes leave behind.

The appointment is one document: facts, messages owed and events stand together, so a change is whole or not at all.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from slotkeeper.core.errors import WrongState
from slotkeeper.core.reminders import Channel, Message, message_id, void
from slotkeeper.core.ticks import Instant
from slotkeeper.core.value import Name, Value

Status = Literal["pending", "booked", "checkedIn", "completed", "declined", "cancelled", "noShow", "expired"]
Action = Literal["confirm", "decline", "cancel", "checkIn", "complete", "noShow", "expire"]
EventType = Literal[
    "pending",
    "booked",
    "moved",
    "changed",
    "attending",
    "checkedIn",
    "completed",
    "declined",
    "cancelled",
    "noShow",
    "expired",
]

CLAIMING: frozenset[Status] = frozenset({"pending", "booked", "checkedIn", "completed"})
"""The states in which an appointment keeps its time."""

REMINDED: frozenset[Status] = frozenset({"booked"})
"""The states in which reminders are owed: a pending one is not promised yet."""

TRANSITIONS: dict[Action, tuple[frozenset[Status], Status]] = {
    "confirm": (frozenset({"pending"}), "booked"),
    "decline": (frozenset({"pending"}), "declined"),
    "expire": (frozenset({"pending"}), "expired"),
    "cancel": (frozenset({"pending", "booked"}), "cancelled"),
    "checkIn": (frozenset({"booked"}), "checkedIn"),
    "complete": (frozenset({"booked", "checkedIn"}), "completed"),
    "noShow": (frozenset({"booked"}), "noShow"),
}

REOPENED: frozenset[Status] = frozenset({"checkedIn", "completed", "noShow", "cancelled"})
"""The states that staff can take back, to `booked`."""

IN_WORDS: dict[Action, str] = {
    "confirm": "confirmed",
    "decline": "declined",
    "expire": "let expire",
    "cancel": "cancelled",
    "checkIn": "checked in",
    "complete": "completed",
    "noShow": "noted as a no-show",
}
"""What an action does, as in "it cannot be cancelled"."""

TOLD: frozenset[EventType] = frozenset({"pending", "booked", "moved", "declined", "cancelled", "expired"})
"""The events that the customer is told of by mail."""


class Contact(Value, frozen=True, kw_only=True):
    """How the customer is reached. `zone` and `language` are those that the customer reads in."""

    name: Annotated[str, Meta(max_length=200)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    language: Annotated[str, Meta(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?\Z")] = ""
    zone: Annotated[str, Meta(max_length=64)] = ""


class Customer(Contact, frozen=True, kw_only=True):
    """Who appointments are for. An appointment may name a customer that nobody has described."""

    name: Name
    notes: Annotated[str, Meta(max_length=2000)] = ""


class Event(Value, frozen=True, kw_only=True):
    """Something that happened to an appointment. `by` is the id of the key that did it, `warning` names the rules that
    were overridden for it, the gravest last: for each a line of its code, a colon and what it says."""

    number: int
    type: EventType
    at: Instant
    by: str
    start: Instant
    end: Instant
    resource_ids: tuple[str, ...] = ()
    was_start: Instant = Instant(0)
    expires: Instant = Instant(0)
    reason: str = ""
    warning: str = ""
    request: str = ""


class Appointment(Value, frozen=True, kw_only=True):
    """A customer's claim of time. `start` and `end` are the visit; the claims add the buffers on both sides.

    `calendars` are those that it claims: the resources, or the customer's own when there are none. `tallies` are the
    counting documents of its service's limits in which it stands. `revision` grows with each change that a reader
    could see, unlike the document's version, which grows also when a message is noted as sent. `attending` is when the
    customer said that they will come; a move and every end clear it, as it was said of another time. `idle_requests`
    are the last that asked for what was so already: they left no event, and done again later they would change
    something.
    """

    id: str
    status: Status
    start: Instant
    end: Instant
    buffer_before: int = 0
    buffer_after: int = 0
    service_id: str = ""
    resource_ids: tuple[str, ...] = ()
    customer_id: str = ""
    calendars: tuple[str, ...] = ()
    tallies: tuple[tuple[str, str], ...] = ()
    contact: Contact = Contact()
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    zone: str = "UTC"
    created: Instant
    revision: int = 1
    sequence: int = 0
    expires: Instant = Instant(0)
    attending: Instant = Instant(0)
    overrode: str = ""
    fingerprint: str = ""
    first_details: dict[str, Any] | None = None
    first_contact: Contact | None = None
    events: tuple[Event, ...] = ()
    idle_requests: tuple[str, ...] = ()
    published: int = 0
    messages: tuple[Message, ...] = ()

    @property
    def claim_start(self) -> Instant:
        return Instant(self.start - self.buffer_before)

    @property
    def claim_end(self) -> Instant:
        return Instant(self.end + self.buffer_after)

    @property
    def is_claiming(self) -> bool:
        return self.status in CLAIMING


class Endpoint(msgspec.Struct, frozen=True):
    """Where events are told to other programs: a webhook that wants these types (all when empty), or a home's topic."""

    id: str
    types: tuple[str, ...] = ()
    channel: Channel = "webhook"


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Who does something, when, why, against which rule, and by which request (the digest of its idempotency key)."""

    now: Instant
    by: str
    reason: str = ""
    warning: str = ""
    request: str = ""


def opened(appointment: Appointment, deed: Deed, endpoints: Iterable[Endpoint] = ()) -> Appointment:
    """A new appointment with its first event and the notices of it. Its reminders are the caller's to add."""
    kind: EventType = "pending" if appointment.status == "pending" else "booked"
    return _with_event(appointment, kind, deed, endpoints)


def acted(appointment: Appointment, action: Action, deed: Deed, endpoints: Iterable[Endpoint] = ()) -> Appointment:
    """The appointment after the action.

    Raises:
        WrongState: its status does not allow the action.
    """
    allowed, becomes = TRANSITIONS[action]
    if appointment.status not in allowed:
        raise WrongState(
            f"an appointment that is {appointment.status} cannot be {IN_WORDS[action]}",
            facts={"appointmentStatus": appointment.status, "allowedFrom": sorted(allowed)},
        )
    messages = appointment.messages if becomes in REMINDED else void(appointment.messages, becomes)
    changed = replace(
        appointment,
        status=becomes,
        expires=Instant(0),
        revision=appointment.revision + 1,
        sequence=appointment.sequence + 1,
        messages=messages,
        tallies=appointment.tallies if becomes in CLAIMING else (),
        attending=appointment.attending if becomes in CLAIMING else Instant(0),
    )
    return _with_event(changed, becomes, deed, endpoints)


def check_movable(appointment: Appointment) -> None:
    """Raises `WrongState` unless it is pending or booked."""
    if appointment.status not in ("pending", "booked"):
        raise WrongState(
            f"an appointment that is {appointment.status} cannot be moved",
            facts={"appointmentStatus": appointment.status, "allowedFrom": ["booked", "pending"]},
        )


def moved(
    appointment: Appointment,
    start: Instant,
    end: Instant,
    deed: Deed,
    *,
    resource_ids: tuple[str, ...],
    calendars: tuple[str, ...],
    tallies: tuple[tuple[str, str], ...] = (),
    endpoints: Iterable[Endpoint] = (),
) -> Appointment:
    """The appointment at another time or with others. Its old reminders are void; new ones are the caller's to add.

    Raises:
        WrongState: it is neither pending nor booked.
    """
    check_movable(appointment)
    changed = replace(
        appointment,
        start=start,
        end=end,
        resource_ids=resource_ids,
        calendars=calendars,
        tallies=tallies,
        revision=appointment.revision + 1,
        sequence=appointment.sequence + 1,
        attending=Instant(0),
        messages=void(appointment.messages, "moved"),
    )
    return _with_event(changed, "moved", deed, endpoints, was_start=appointment.start)


def edited(
    appointment: Appointment,
    deed: Deed,
    *,
    details: dict[str, Any],
    contact: Contact,
    endpoints: Iterable[Endpoint] = (),
) -> Appointment:
    """The appointment with other details or another contact; its time stays."""
    was_edited = appointment.first_contact is not None
    changed = replace(
        appointment,
        details=details,
        contact=contact,
        revision=appointment.revision + 1,
        first_details=appointment.first_details if was_edited else appointment.details,
        first_contact=appointment.first_contact if was_edited else appointment.contact,
    )
    return _with_event(changed, "changed", deed, endpoints)


def attended(appointment: Appointment, deed: Deed, endpoints: Iterable[Endpoint] = ()) -> Appointment:
    """The appointment of a customer who has said that they will come. Saying it again changes nothing.

    Raises:
        WrongState: it is not booked.
    """
    if appointment.status != "booked":
        raise WrongState(
            f"nobody can say that they come to an appointment that is {appointment.status}",
            facts={"appointmentStatus": appointment.status, "allowedFrom": ["booked"]},
        )
    if appointment.attending:
        return appointment
    changed = replace(appointment, attending=deed.now, revision=appointment.revision + 1)
    return _with_event(changed, "attending", deed, endpoints)


def reopened(appointment: Appointment, deed: Deed, endpoints: Iterable[Endpoint] = ()) -> Appointment:
    """The appointment, booked again after a slip of the hand. Only what was done last can be taken back. The customer
    is told where they had been told otherwise. Claims, tallies and reminders are the caller's to add.

    Raises:
        WrongState: it is none of checked in, completed, a no-show and cancelled, or has changed otherwise since.
    """
    if appointment.status not in REOPENED or appointment.events[-1].type != appointment.status:
        raise WrongState(
            f"an appointment that is {appointment.status} cannot be reopened",
            facts={"appointmentStatus": appointment.status, "allowedFrom": sorted(REOPENED)},
        )
    changed = replace(
        appointment, status="booked", revision=appointment.revision + 1, sequence=appointment.sequence + 1
    )
    return _with_event(changed, "booked", deed, endpoints, is_told=appointment.status in TOLD)


def as_opened(appointment: Appointment) -> Appointment:
    """The appointment as it was right after it was opened, for answering a repeated request as the first time."""
    first = appointment.events[0]
    return replace(
        appointment,
        status="pending" if first.type == "pending" else "booked",
        start=first.start,
        end=first.end,
        resource_ids=first.resource_ids,
        revision=1,
        sequence=0,
        expires=first.expires,
        attending=Instant(0),
        overrode=first.warning.rpartition("\n")[2].partition(":")[0],
        details=appointment.details if appointment.first_details is None else appointment.first_details,
        contact=appointment.contact if appointment.first_contact is None else appointment.first_contact,
    )


def _with_event(
    appointment: Appointment,
    type: EventType,
    deed: Deed,
    endpoints: Iterable[Endpoint],
    *,
    was_start: Instant = Instant(0),
    is_told: bool = True,
) -> Appointment:
    event = Event(
        number=len(appointment.events) + 1,
        type=type,
        at=deed.now,
        by=deed.by,
        start=appointment.start,
        end=appointment.end,
        resource_ids=appointment.resource_ids,
        was_start=was_start,
        expires=appointment.expires,
        reason=deed.reason,
        warning=deed.warning,
        request=deed.request,
    )
    notices = [_notice(appointment.id, event, "email")] if type in TOLD and is_told else []
    notices += [_notice(appointment.id, event, end.channel, end.id) for end in endpoints if _wants(end, type)]
    return replace(appointment, events=(*appointment.events, event), messages=(*appointment.messages, *notices))


def _wants(endpoint: Endpoint, type: EventType) -> bool:
    return not endpoint.types or type in endpoint.types


def _notice(appointment_id: str, event: Event, channel: Channel, target: str = "") -> Message:
    name = message_id(f"{appointment_id}/event/{event.number}/{channel}/{target}")
    return Message(id=name, kind=event.type, channel=channel, due=event.at, event=event.number, target=target)
