"""Where there is room: for each who could serve, the starts that the rules allow, so that a page can show them.

It asks the rules that a booking or a move is judged by, and decides nothing: that is done when it is booked or moved.
"""

import msgspec
from msgspec.structs import replace

from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Missing
from slotkeeper.core.rules import Facts, Member, Needed
from slotkeeper.core.service import Need, Service
from slotkeeper.core.slots import slots
from slotkeeper.core.ticks import TICK_MINUTES, TICK_SECONDS, Instant, Window, day_of, tick_at
from slotkeeper.desk import catalogue
from slotkeeper.desk.changing import find
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import Question, business_of, gather, needed, service_of
from slotkeeper.documents import kind_key
from slotkeeper.ledger import Reading

BARE_STEP_MINUTES = 15
"""A span without a service may start at any second; this many starts are enough to show where."""

EVER_DAYS = 366 * 200


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The starts of a visit of `seconds`: with whoever is free, and with each who could serve. `latest_end` is how late
    an appointment that is to be changed could end with those who serve it now; 0 where that is not known."""

    seconds: int
    anyone: list[Instant]
    by_resource: dict[str, list[Instant]]
    latest_end: Instant = Instant(0)


class Span(msgspec.Struct, frozen=True):
    """Starts in `first <= start < last`."""

    first: Instant
    last: Instant


def room_to_book(desk: Desk, actor: Actor, service_id: str, span: Span, customer_id: str = "") -> Room:
    """Where a visit of the service would find room. Raises `Missing` when there is no such service."""
    reading = Reading(desk.store)
    service = service_of(reading, actor.business, service_id)
    question = _question(desk, actor, service, span, customer_id)
    return _room(gather(desk, reading, question, service_id, service), span)


def room_to_move(desk: Desk, actor: Actor, id: str, span: Span) -> Room:
    """Where the appointment could go: its own claim is not in its way, and it stays as long as it is.

    Raises:
        Missing: there is no such appointment, or a pool of its service is gone.
    """
    reading = Reading(desk.store)
    appointment = find(reading, actor, id)
    service = None
    if appointment.service_id:
        service = reading.value(kind_key(actor.business, "service", appointment.service_id), Service)
    seconds = appointment.end - appointment.start
    if service is None or seconds % TICK_SECONDS:
        return _bare(desk, actor, reading, appointment, span)
    facts = _facts_to_move(desk, actor, reading, appointment, service, span)
    serving = [
        member
        for member in dict.fromkeys(member for need in facts.needs for member in need.members)
        if member.id in appointment.resource_ids
    ]
    return replace(_room(facts, span), latest_end=_latest_end(facts, serving, appointment))


def starts_to_move(desk: Desk, actor: Actor, id: str, span: Span, resource_ids: tuple[str, ...] = ()) -> list[Instant]:
    """The starts to which the appointment could go, ascending: with those who are named, or with whoever is free.

    Raises:
        Missing: there is no such appointment, or its service or a pool of that is gone. Invalid: who is named does not
            give the service.
    """
    reading = Reading(desk.store)
    appointment = find(reading, actor, id)
    service = reading.value(kind_key(actor.business, "service", appointment.service_id or "-"), Service)
    if service is None or (appointment.end - appointment.start) % TICK_SECONDS:
        raise Missing("service", appointment.service_id)
    facts = _facts_to_move(desk, actor, reading, appointment, service, span, resource_ids)
    return slots(facts, span.first, span.last)


def _facts_to_move(
    desk: Desk,
    actor: Actor,
    reading: Reading,
    appointment: Appointment,
    service: Service,
    span: Span,
    pinned: tuple[str, ...] = (),
) -> Facts:
    service = replace(service, duration_minutes=(appointment.end - appointment.start) // 60)
    question = _question(desk, actor, service, span, appointment.customer_id, (appointment.id,), pinned)
    return gather(desk, reading, question, appointment.service_id, service)


def _bare(desk: Desk, actor: Actor, reading: Reading, appointment: Appointment, span: Span) -> Room:
    """Room for a span without a service: beside what is claimed, whatever the hours say and however long ago."""
    ids = tuple(each.id for each in catalogue.items(desk, actor, "resource") if each.value.active)
    seconds = appointment.end - appointment.start
    service = Service(
        name="time",
        duration_minutes=max(-(-seconds // TICK_SECONDS), 1) * TICK_MINUTES,
        step_minutes=BARE_STEP_MINUTES,
        horizon_days=EVER_DAYS,
        needs=(Need(all_of=ids),),
    )
    question = _question(desk, actor, service, span, "", (appointment.id,))
    window = question.window
    [need] = needed(desk, reading, question, [(ids, 1)])
    members = tuple(Member(each.id, window.full, each.busy) for each in need.members)
    facts = Facts(
        window=window,
        now=Instant(0),
        service=service,
        zone=business_of(reading, actor.business).zone,
        needs=(Needed(members, 1),),
        service_open=window.full,
    )
    return _room(facts, span)


def _room(facts: Facts, span: Span) -> Room:
    by_resource: dict[str, list[Instant]] = {}
    for number, need in enumerate(facts.needs):
        for member in need.members:
            needs = (*facts.needs[:number], *_with(need, member), *facts.needs[number + 1 :])
            by_resource[member.id] = slots(replace(facts, needs=needs), span.first, span.last)
    return Room(
        seconds=facts.service.duration_minutes * 60,
        anyone=slots(facts, span.first, span.last),
        by_resource=by_resource,
    )


def _with(need: Needed, member: Member) -> tuple[Needed, ...]:
    """The need, met by this member and, where it needs more, by any others."""
    alone = Needed((member,), 1)
    if need.count == 1:
        return (alone,)
    return alone, Needed(tuple(each for each in need.members if each is not member), need.count - 1)


def _latest_end(facts: Facts, serving: list[Member], appointment: Appointment) -> Instant:
    """Until when all who serve are open, and free for the visit and the buffer after it."""
    window = facts.window
    if not serving or appointment.start % TICK_SECONDS or not window.bit(tick_at(appointment.start)):
        return Instant(0)
    at = tick_at(appointment.start) - window.start
    after = facts.service.buffer_after_minutes // TICK_MINUTES
    open_for = min(_run(member.open, at) for member in serving)
    free_for = min(_run(window.full & ~member.busy, at) for member in serving) - after
    return Instant(appointment.start + max(min(open_for, free_for), 0) * TICK_SECONDS)


def _run(bits: int, at: int) -> int:
    """How many bits are set in a row from `at` on."""
    rest = bits >> at
    return ((rest + 1) & ~rest).bit_length() - 1


def _question(
    desk: Desk,
    actor: Actor,
    service: Service,
    span: Span,
    customer_id: str,
    ignoring: tuple[str, ...] = (),
    pinned: tuple[str, ...] = (),
) -> Question:
    """Whole UTC days, wide enough for the claims of the first and the last start."""
    first = day_of(Instant(span.first - service.buffer_before_minutes * 60))
    last = day_of(Instant(span.last + (service.duration_minutes + service.buffer_after_minutes) * 60))
    return Question(
        business=actor.business,
        window=Window.of_days(first, last - first + 1),
        now=desk.now(),
        customer_id=customer_id,
        pinned=pinned,
        ignoring=ignoring,
    )
