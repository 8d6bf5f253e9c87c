"""From a claimed message to a letter: what is known is gathered, and said by mail or to a program."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

import msgspec

from slotkeeper.contracts import Key, Letter, Range, Store
from slotkeeper.core.appointment import Appointment, Contact, Customer, Event, Status
from slotkeeper.core.reminders import Message
from slotkeeper.core.service import Business, Resource, Service
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.documents import (
    CatalogueKind,
    Template,
    Webhook,
    business_key,
    decoded,
    kind_key,
    kind_part,
    shelf_key,
)
from slotkeeper.ledger import Reading
from slotkeeper.linking import Links
from slotkeeper.notices.rendering import Occasion, Words

Render = Callable[[Occasion], Words]

UNNAMED = Business(name="Slotkeeper")
_HIGHEST = "\U0010ffff"
_STATUSES = frozenset(get_args(Status))


class Gone(Exception):
    """There is nobody any more to tell."""


LINKED = frozenset({"booked", "pending", "moved", "reminder"})
"""The kinds of messages that have a link: those that tell of an appointment that is to come."""


class Catalogue:
    """The business's slow-changing documents, each read once, and its links: it lives for one sweep."""

    def __init__(self, store: Store, base_url: str = "") -> None:
        self._store = store
        self._base_url = base_url
        self._links = Links(store)
        self._reading = Reading(store)
        self._businesses: dict[str, Business] = {}
        self._found: dict[tuple[str, str, str], Any] = {}
        self._templates: dict[str, tuple[Template, ...]] = {}

    def fetch(self, keys: Iterable[Key]) -> None:
        """Read what will be asked for, in one go."""
        self._reading.fetch(keys)

    def business(self, business: str) -> Business:
        if business not in self._businesses:
            self._businesses[business] = self._reading.value(business_key(business), Business) or UNNAMED
        return self._businesses[business]

    def customer(self, business: str, id: str) -> Customer | None:
        found: Customer | None = self._value(business, "customer", id, Customer)
        return found

    def service(self, business: str, id: str) -> Service | None:
        found: Service | None = self._value(business, "service", id, Service)
        return found

    def names(self, business: str, resource_ids: tuple[str, ...]) -> tuple[str, ...]:
        """The names of the staff and rooms among the resources; equipment is nobody's concern."""
        found = [self._value(business, "resource", id, Resource) for id in resource_ids]
        return tuple(each.name for each in found if each is not None and each.kind != "equipment")

    def webhook(self, business: str, id: str) -> Webhook | None:
        hooks = self._reading.value(shelf_key(business, "webhooks"), dict[str, Webhook]) or {}
        hook = hooks.get(id)
        return hook if hook is not None and hook.active else None

    def token(self, business: str, appointment: Appointment, kind: str) -> str:
        """What opens the appointment to whom it is told; empty where nothing is to be opened.

        Raises:
            Unreachable: it cannot be signed.
        """
        if not self._base_url or kind not in LINKED:
            return ""
        return self._links.appointment_token(business, appointment)

    def link(self, business: str, token: str) -> str:
        """Where the token leads; empty for none."""
        return f"{self._base_url}/visit/{business}/{token}" if token else ""

    def templates(self, business: str) -> tuple[Template, ...]:
        if business not in self._templates:
            kind: CatalogueKind = "template"
            [docs] = self._store.read_ranges([Range(kind_part(business, kind), "", _HIGHEST)])
            self._templates[business] = tuple(decoded(doc, Template) for doc in docs)
        return self._templates[business]

    def _value(self, business: str, kind: CatalogueKind, id: str, form: Any) -> Any:
        name = (business, kind, id)
        if name not in self._found:
            self._found[name] = self._reading.value(kind_key(business, kind, id), form) if id else None
        return self._found[name]


def letter_for(
    catalogue: Catalogue,
    render: Render,
    business: str,
    appointment: Appointment,
    message: Message,
    now: Instant,
    *,
    has_page: bool = True,
) -> Letter:
    """The message as it leaves now; by mail with HTML, if it `has_page`.

    Raises:
        Gone: its webhook was removed.
    """
    event = next((each for each in appointment.events if message.event and each.number == message.event), None)
    if message.channel in ("webhook", "topic"):
        body = msgspec.json.encode(payload(business, appointment, message, event, now)).decode()
        return _to_programs(catalogue, business, message, body)
    profile = catalogue.business(business)
    contact = contact_of(appointment.contact, catalogue.customer(business, appointment.customer_id))
    token = catalogue.token(business, appointment, message.kind)
    link = catalogue.link(business, token)
    serving = event.resource_ids if event is not None else appointment.resource_ids
    occasion = Occasion(
        kind=message.kind,
        now=now,
        business=profile,
        service=catalogue.service(business, appointment.service_id),
        appointment=appointment,
        event=event,
        contact=contact,
        resources=catalogue.names(business, serving),
        templates=catalogue.templates(business),
        link=link,
        has_page=has_page and message.channel == "email",
    )
    words = render(occasion)
    if message.channel == "sms":
        text = " ".join(filter(None, [f"{profile.name}: {words.subject}", link]))
        return Letter(message.id, "sms", contact.phone, words.subject, text, private=token)
    headers = {"Reply-To": profile.email} if profile.email else {}
    return Letter(
        message.id,
        "email",
        contact.email,
        words.subject,
        words.text,
        words.html,
        sender=profile.name,
        headers=headers,
        private=token,
    )


def _to_programs(catalogue: Catalogue, business: str, message: Message, body: str) -> Letter:
    """The letter to a webhook, or to the home's topic, where the business stands in place of an address."""
    if message.channel == "topic":
        return Letter(message.id, "topic", business, _type_of(message), body)
    hook = catalogue.webhook(business, message.target)
    if hook is None:
        raise Gone("the webhook was removed")
    return Letter(message.id, "webhook", hook.url, message.kind, body, secret=hook.secret)


def contact_of(own: Contact, customer: Customer | None) -> Contact:
    """How the customer is reached: as the appointment says, and where it says nothing, as the customer's entry does."""
    if customer is None:
        return own
    fields = ("name", "email", "phone", "language", "zone")
    return Contact(**{field: getattr(own, field) or getattr(customer, field) for field in fields})


def payload(
    business: str, appointment: Appointment, message: Message, event: Event | None, now: Instant
) -> Mapping[str, object]:
    """What a webhook is told (Standard Webhooks: `type`, `timestamp`, `data`): the appointment as the event left it,
    even when it has changed again since."""
    source: Appointment | Event = appointment if event is None else event
    data: dict[str, object] = {
        "business": business,
        "appointmentId": appointment.id,
        "status": appointment.status if event is None else status_after(appointment, event),
        "startTime": format_instant(source.start),
        "endTime": format_instant(source.end),
        "zone": appointment.zone,
        "serviceId": appointment.service_id,
        "resourceIds": source.resource_ids,
        "customerId": appointment.customer_id,
        "contact": appointment.contact,
        "details": appointment.details,
    }
    if event is None:
        data["leadMinutes"] = message.lead_minutes
    else:
        data |= {"revision": event.number, "by": event.by, "reason": event.reason}
        if event.was_start:
            data["wasStartTime"] = format_instant(event.was_start)
    at = now if event is None else event.at
    return {"type": _type_of(message), "timestamp": format_instant(at), "data": data}


def _type_of(message: Message) -> str:
    return f"appointment.{message.kind}"


def status_after(appointment: Appointment, event: Event) -> str:
    """The appointment's status once the event had happened; a move or an edit leaves it as it was."""
    named = [each.type for each in appointment.events[: event.number] if each.type in _STATUSES]
    return named[-1] if named else appointment.status
