"""Booking: from an order to an appointment that holds its time.

The straight path: find its place (the rules judge the start and choose who serves), then write the claims and the
appointment, with its reminders and its event, in one commit; when something changed meanwhile, decide again.
"""

import msgspec
from msgspec.structs import replace

from slotkeeper.core.actor import Actor, Forbidden
from slotkeeper.core.appointment import Appointment, Deed, as_opened, opened
from slotkeeper.core.errors import HoldGone, Invalid, KeyReused, Missing, Refused
from slotkeeper.core.service import Service
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.audit import record
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import service_of
from slotkeeper.desk.orders import Id, Order, customer_of, fingerprint, id_for
from slotkeeper.desk.placing import Placed, Wish, place_by_service, place_freely
from slotkeeper.desk.planning import terms_keys, terms_of, with_reminders
from slotkeeper.documents import Hold, appointment_key, hold_key, kind_key
from slotkeeper.ledger import Draft, Reading, enter, let_go, settle


class Booked(msgspec.Struct, frozen=True):
    """An appointment made, or found because the same request came before; `warnings` name the rules overridden."""

    appointment: Appointment
    is_repeat: bool = False
    warnings: tuple[str, ...] = ()


def book(desk: Desk, actor: Actor, order: Order) -> Booked:
    """Make the appointment, all of it or nothing.

    Raises:
        Invalid: the order makes no sense. Missing: its service, a pool or a resource is not there.
        Refused: a rule says no; alternatives and the rival's times are among its facts.
        HoldGone: the hold named is not there any more. KeyReused: the idempotency key came with another order.
        Unreachable: nothing is known; ask again. OnlyLooks: a viewer asks.
    """
    actor.check_may_change()
    if order.override and not actor.is_staff:
        raise Forbidden("staff")
    id = id_for("apt", actor, order.request_key, desk.new_id)
    customer_id = customer_of(actor, order.customer_id, order.contact)
    if customer_id != order.customer_id:
        order = replace(order, customer_id=customer_id)
    try:
        return settle(desk.store, lambda reading, draft: _book(desk, actor, order, id, reading, draft))
    except Refused:
        # The same request, sent twice at once, may have won meanwhile: its own claim is no rival.
        earlier = _earlier(Reading(desk.store), actor.business, id)
        if earlier is None:
            raise
        return _repeated(earlier, fingerprint(order))


def _book(desk: Desk, actor: Actor, order: Order, id: Id, reading: Reading, draft: Draft) -> Booked:
    business, now = actor.business, desk.now()
    _fetch(desk, reading, business, order, id)
    proof = fingerprint(order) if id.is_repeatable else ""
    earlier = _earlier(reading, business, id)
    if earlier is not None:
        return _repeated(earlier, proof)
    service = _service(reading, actor, order) if order.service_id else None
    placed = _place(desk, reading, business, order, service, now)
    fresh = _appointment(id.value, order, service, placed, now, proof)
    deed = Deed(
        now=now, by=actor.id, reason=order.override if placed.overridden else "", warning="\n".join(placed.warnings)
    )
    terms = terms_of(desk, reading, business)
    appointment = with_reminders(terms, opened(fresh, deed, terms.endpoints), now)
    if order.hold_id:
        _use_up(reading, draft, business, order.hold_id)
    enter(draft, business, appointment, now)
    if not placed.overridden:
        return Booked(appointment)
    record(draft, actor, now, desk.new_id, "override", appointment.id, order.override)
    return Booked(appointment, warnings=placed.warnings)


def _fetch(desk: Desk, reading: Reading, business: str, order: Order, id: Id) -> None:
    """Read what every booking reads in one question to the store; where the terms are known already, without them."""
    own = [kind_key(business, "service", order.service_id)] if order.service_id else []
    if id.is_repeatable:
        own.append(appointment_key(business, id.value))
    reading.fetch(own if desk.memory.is_of_use(reading) else [*terms_keys(business), *own])


def _earlier(reading: Reading, business: str, id: Id) -> Appointment | None:
    """What an earlier request with the same idempotency key has made."""
    return reading.value(appointment_key(business, id.value), Appointment) if id.is_repeatable else None


def _repeated(earlier: Appointment, proof: str) -> Booked:
    if earlier.fingerprint != proof:
        raise KeyReused("this Idempotency-Key came before with another request: use a new key")
    return Booked(as_opened(earlier), is_repeat=True, warnings=tuple(earlier.events[0].warning.splitlines()))


def _service(reading: Reading, actor: Actor, order: Order) -> Service:
    service = service_of(reading, actor.business, order.service_id)
    if actor.is_public and not service.public:
        raise Missing("service", order.service_id)
    return service


def _place(desk: Desk, reading: Reading, business: str, order: Order, service: Service | None, now: Instant) -> Placed:
    hold = _hold(reading, business, order, now) if order.hold_id else None
    end = order.end
    if service is not None:
        end = Instant(order.start + service.duration_minutes * 60)
        if order.end not in (None, end):
            raise Invalid(f"the service takes {service.duration_minutes} minutes: leave endTime out", field="endTime")
    if end is None:
        raise Invalid("without a serviceId an endTime is needed", field="endTime")
    wish = Wish(
        start=order.start,
        end=end,
        customer_id=order.customer_id,
        resource_ids=hold.resource_ids if hold else order.resource_ids,
        ignoring=(hold.id,) if hold else (),
        is_override=bool(order.override),
    )
    if service is None:
        return place_freely(reading, business, wish, now)
    return place_by_service(desk, reading, business, order.service_id, service, wish, now)


def _hold(reading: Reading, business: str, order: Order, now: Instant) -> Hold:
    """Raises `HoldGone` unless the hold is live and for this service, time and, where named, these resources."""
    hold = reading.value(hold_key(business, order.hold_id), Hold)
    if hold is None or hold.expires <= now:
        raise HoldGone("the hold has expired or was used: look for slots again")
    if (hold.service_id, hold.start) != (order.service_id, order.start):
        raise HoldGone("the hold is for another service or time")
    if not set(order.resource_ids) <= set(hold.resource_ids):
        raise HoldGone("the hold is for other resources")
    return hold


def _use_up(reading: Reading, draft: Draft, business: str, hold_id: str) -> None:
    """Take the hold and its claims away: the appointment's own take their place in the same commit."""
    hold = reading.value(hold_key(business, hold_id), Hold)
    if hold is not None:
        let_go(draft, business, hold)


def _appointment(
    id: str, order: Order, service: Service | None, placed: Placed, now: Instant, proof: str
) -> Appointment:
    is_pending = service is not None and service.needs_confirmation
    minutes = service.confirm_within_minutes if service is not None and is_pending else None
    return Appointment(
        id=id,
        status="pending" if is_pending else "booked",
        start=placed.start,
        end=placed.end,
        buffer_before=placed.buffer_before,
        buffer_after=placed.buffer_after,
        service_id=order.service_id,
        resource_ids=placed.resource_ids,
        customer_id=order.customer_id,
        calendars=placed.calendars,
        tallies=placed.tallies,
        contact=order.contact,
        details=order.details,
        zone=placed.zone,
        created=now,
        expires=Instant(now + minutes * 60) if minutes else Instant(0),
        overrode=placed.overrode,
        fingerprint=proof,
    )
