"""Changing an appointment: move, cancel and the other actions, and edits that leave its time alone."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from slotkeeper.core.actor import Actor, Forbidden
from slotkeeper.core.appointment import (
    Action,
    Appointment,
    Contact,
    Deed,
    acted,
    attended,
    check_movable,
    edited,
    moved,
    reopened,
)
from slotkeeper.core.errors import Invalid, KeyReused, Missing, OffStep, Outdated, Refused, Taken, TooLate, WrongState
from slotkeeper.core.service import Service
from slotkeeper.core.ticks import DAY_SECONDS, TICK_SECONDS, Instant
from slotkeeper.desk.audit import record
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import digest, fingerprint
from slotkeeper.desk.placing import Placed, Wish, place_by_service, place_freely, tallies_of
from slotkeeper.desk.planning import terms_of, with_reminders
from slotkeeper.desk.refusing import explained, rival
from slotkeeper.documents import appointment_key, appointment_put, kind_key
from slotkeeper.ledger import Draft, Reading, claim_keys, enter, leave, settle

MAX_SECONDS = 7 * DAY_SECONDS
"""As long as a service may be. A longer visit would have to look at as many days before anybody could refuse it."""

MAX_EVENTS = 200
"""So often an appointment can be changed. It keeps what happened to it, and must stay small enough to be ended."""

IDLE_REQUESTS = 20
"""So many requests that had nothing to do are remembered. A copy of one comes within minutes, or never."""

BY_CUSTOMERS: frozenset[Action] = frozenset({"cancel"})
"""The actions that need no staff."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with every change: the appointment, the revision the caller has seen (`If-Match`), the idempotency
    key, and the reason to go against the rules or to be noted."""

    id: str
    seen_revision: str = ""
    request_key: str = ""
    reason: str = ""


class Move(Request, frozen=True, kw_only=True):
    """Another time, or others to serve. Without `end` the length stays, without `resource_ids` those who serve stay
    when they can; with `override` a reason of staff's to go against the rules."""

    start: Instant
    end: Instant | None = None
    resource_ids: tuple[str, ...] = ()
    override: str = ""


Decide = Callable[[Reading, Draft, Appointment, Deed], Appointment]


def find(reading: Reading, actor: Actor, id: str) -> Appointment:
    """Raises `Missing` when there is no such appointment, or it is not the credential's to see."""
    found = reading.value(appointment_key(actor.business, id), Appointment)
    if found is None or (actor.customer_id and found.customer_id != actor.customer_id):
        raise Missing("appointment", id)
    if actor.appointment_id not in ("", id):
        raise Missing("appointment", id)
    return found


def act(desk: Desk, actor: Actor, action: Action, request: Request) -> Appointment:
    """Confirm, decline, cancel, check in, complete or mark as a no-show.

    Raises:
        Missing, Outdated, WrongState: as named. Forbidden: only staff may. TooLate: the service's policy.
    """
    if action not in BY_CUSTOMERS and not actor.is_staff:
        raise Forbidden("staff")

    def decide(reading: Reading, draft: Draft, before: Appointment, deed: Deed) -> Appointment:
        business = actor.business
        _check_not_over(reading, business, before, deed.now)
        if action == "cancel" and not actor.is_staff:
            _check_notice(reading, business, before, deed.now)
        terms = terms_of(desk, reading, business)
        after = acted(before, action, deed, terms.endpoints)
        if not after.is_claiming:
            leave(draft, business, before)
            draft.put(appointment_put(business, after))
            return after
        if action == "confirm":
            after = with_reminders(terms, after, deed.now)
        if before.expires:
            enter(draft, business, after, deed.now)
        else:
            draft.put(appointment_put(business, after))
        return after

    return _change(desk, actor, request, decide, (action, request.id, request.reason))


def move(desk: Desk, actor: Actor, move: Move) -> Appointment:
    """Move the appointment in one swap: the old time is kept until the new one is won. It may overlap itself.

    A move to where it is changes nothing, and nobody is told of it.

    Raises:
        Missing, Outdated, WrongState: as named. Refused: the first rule that lacks the new start, with alternatives.
        TooLate: the service's policy no longer lets the customer move it. Forbidden: only staff may override.
    """
    if move.override and not actor.is_staff:
        raise Forbidden("staff")

    def decide(reading: Reading, draft: Draft, before: Appointment, deed: Deed) -> Appointment:
        business = actor.business
        _check_not_over(reading, business, before, deed.now)
        check_movable(before)
        _check_not_changed_too_often(before)
        if not actor.is_staff:
            _check_notice(reading, business, before, deed.now)
        placed = _new_place(desk, reading, business, before, move, deed.now)
        if _is_where(placed, before):
            return before
        if placed.overridden:
            deed = replace(deed, reason=move.override, warning="\n".join(placed.warnings))
        terms = terms_of(desk, reading, business)
        after = moved(
            before,
            placed.start,
            placed.end,
            deed,
            resource_ids=placed.resource_ids,
            calendars=placed.calendars,
            tallies=placed.tallies,
            endpoints=terms.endpoints,
        )
        after = replace(after, overrode=placed.overrode, zone=placed.zone)
        after = with_reminders(terms, after, deed.now)
        leave(draft, business, before)
        enter(draft, business, after, deed.now)
        if placed.overridden:
            record(draft, actor, deed.now, desk.new_id, "override", after.id, move.override)
        return after

    wanted = ("move", move.id, move.start, move.end, move.resource_ids, move.override)
    return _change(desk, actor, move, decide, wanted)


def edit(
    desk: Desk, actor: Actor, request: Request, details: dict[str, Any] | None, contact: Contact | None
) -> Appointment:
    """Change the details or the contact; what is None stays.

    Raises:
        Missing, Outdated: as named.
    """

    def decide(reading: Reading, draft: Draft, before: Appointment, deed: Deed) -> Appointment:
        _check_not_changed_too_often(before)
        after = edited(
            before,
            deed,
            details=before.details if details is None else details,
            contact=before.contact if contact is None else contact,
            endpoints=terms_of(desk, reading, actor.business).endpoints,
        )
        draft.put(appointment_put(actor.business, after))
        return after

    return _change(desk, actor, request, decide, ("edit", request.id, details, contact))


def attend(desk: Desk, actor: Actor, request: Request) -> Appointment:
    """Note that the customer will come. Saying it again changes nothing.

    Raises:
        Missing, Outdated: as named. WrongState: it is not booked. TooLate: it has begun.
    """

    def decide(reading: Reading, draft: Draft, before: Appointment, deed: Deed) -> Appointment:
        after = attended(before, deed, terms_of(desk, reading, actor.business).endpoints)
        if after is before:
            return before
        if before.start <= deed.now:
            raise TooLate("the appointment has begun already")
        _check_not_changed_too_often(before)
        draft.put(appointment_put(actor.business, after))
        return after

    return _change(desk, actor, request, decide, ("attend", request.id))


def reopen(desk: Desk, actor: Actor, request: Request) -> Appointment:
    """Book again what was cancelled, checked in, completed or noted as a no-show by a slip of the hand. Of the rules
    only one is asked: that its time is still free.

    Raises:
        Missing, Outdated, WrongState: as named. Forbidden: only staff may. Taken: the time is another's by now.
    """
    if not actor.is_staff:
        raise Forbidden("staff")

    def decide(reading: Reading, draft: Draft, before: Appointment, deed: Deed) -> Appointment:
        business = actor.business
        _check_not_changed_too_often(before)
        terms = terms_of(desk, reading, business)
        after = with_reminders(terms, reopened(before, deed, terms.endpoints), deed.now)
        if before.is_claiming:
            draft.put(appointment_put(business, after))
            return after
        claim = rival(reading, business, after.calendars, after.claim_start, after.claim_end, deed.now, ())
        if claim is not None:
            raise explained(reading, business, Taken("the time is taken by now"), claim)
        after = replace(after, tallies=_tallies(reading, business, after))
        enter(draft, business, after, deed.now)
        return after

    return _change(desk, actor, request, decide, ("reopen", request.id, request.reason))


def _tallies(reading: Reading, business: str, appointment: Appointment) -> tuple[tuple[str, str], ...]:
    service = _service(reading, business, appointment)
    if service is None:
        return ()
    wish = Wish(start=appointment.start, end=appointment.end, customer_id=appointment.customer_id)
    return tallies_of(business, appointment.service_id, service, wish, appointment.zone)


def _change(desk: Desk, actor: Actor, request: Request, decide: Decide, wanted: object) -> Appointment:
    """Read the appointment, check what the caller has seen of it, and let `decide` draft the change. A request whose
    idempotency key has left an event in it is answered without doing anything again, and so is one that had nothing to
    do; `wanted` is what makes it the same request.

    Raises:
        KeyReused: the key came with another request about this appointment. OnlyLooks: a viewer asks.
    """
    actor.check_may_change()
    key = digest(actor.business, actor.id, request.request_key) if request.request_key else ""
    proof = f"{key}/{fingerprint(wanted)}" if key else ""

    def whole(reading: Reading, draft: Draft) -> Appointment:
        before = find(reading, actor, request.id)
        if key and _is_repeat(before, key, proof):
            return before
        if request.seen_revision and request.seen_revision != str(before.revision):
            raise Outdated(request.seen_revision, str(before.revision))
        deed = Deed(now=desk.now(), by=actor.id, reason=request.reason, request=proof)
        after = decide(reading, draft, before, deed)
        if key and after is before:
            requests = (*before.idle_requests, proof)[-IDLE_REQUESTS:]
            draft.put(appointment_put(actor.business, replace(before, idle_requests=requests)))
        return after

    return settle(desk.store, whole)


def _is_repeat(appointment: Appointment, key: str, proof: str) -> bool:
    """Whether the request was done before. Raises `KeyReused` when another came with its key."""
    requests = (*(event.request for event in appointment.events), *appointment.idle_requests)
    earlier = {request for request in requests if request.partition("/")[0] == key}
    if earlier and not earlier & {proof, key}:
        raise KeyReused("this Idempotency-Key came before with another request: use a new key")
    return bool(earlier)


def _check_not_over(reading: Reading, business: str, appointment: Appointment, now: Instant) -> None:
    """Raises `WrongState` for a pending one whose time to be confirmed has passed, also before it is swept up.

    Should the clock have been set back since, what tells is that another booking has swept its claim away: the time
    may be that one's now.
    """
    if not appointment.expires:
        return
    keys = claim_keys(business, appointment)
    reading.fetch(keys)
    is_claimed = all(any(claim.owner == appointment.id for claim in reading.sheet(key)) for key in keys)
    if appointment.expires <= now or not is_claimed:
        raise WrongState("the appointment has expired", facts={"appointmentStatus": "expired"})


def _check_not_changed_too_often(appointment: Appointment) -> None:
    if len(appointment.events) >= MAX_EVENTS:
        raise WrongState(f"the appointment was changed {MAX_EVENTS} times: cancel it and book anew")


def _check_notice(reading: Reading, business: str, appointment: Appointment, now: Instant) -> None:
    service = _service(reading, business, appointment)
    minutes = service.cancel_notice_minutes if service else 0
    if appointment.status == "booked" and appointment.start - now < minutes * 60:
        raise TooLate(f"customers may change or cancel up to {minutes} minutes before the start: call the business")


def _service(reading: Reading, business: str, appointment: Appointment) -> Service | None:
    """The service as it is now, also when it is no longer offered; None when it is gone."""
    if not appointment.service_id:
        return None
    return reading.value(kind_key(business, "service", appointment.service_id), Service)


def _is_where(placed: Placed, appointment: Appointment) -> bool:
    here = (appointment.start, appointment.end, appointment.resource_ids)
    return not placed.overridden and (placed.start, placed.end, placed.resource_ids) == here


def _new_place(desk: Desk, reading: Reading, business: str, before: Appointment, move: Move, now: Instant) -> Placed:
    end = move.end or Instant(move.start + before.end - before.start)
    wish = Wish(
        start=move.start,
        end=end,
        customer_id=before.customer_id,
        resource_ids=move.resource_ids or before.resource_ids,
        ignoring=(before.id,),
        is_override=bool(move.override),
    )
    service = _service(reading, business, before)
    if service is None:
        return place_freely(reading, business, wish, now)
    service = _as_long_as(service, Instant(end - move.start))
    try:
        return place_by_service(desk, reading, business, before.service_id, service, wish, now)
    except (Refused, Invalid):
        # Invalid: one of those who serve does not give this service any more.
        if move.resource_ids:
            raise
    anyone = Wish(start=wish.start, end=end, customer_id=wish.customer_id, ignoring=wish.ignoring)
    return place_by_service(desk, reading, business, before.service_id, service, anyone, now)


def _as_long_as(service: Service, seconds: Instant) -> Service:
    """The service with another length; an appointment may be made longer or shorter than usual.

    Raises:
        OffStep: the length is not a positive number of ticks. Invalid: it is longer than any service may be.
    """
    if seconds > MAX_SECONDS:
        raise Invalid("an appointment of a service lasts at most 7 days: make several", field="endTime")
    if seconds <= 0 or seconds % TICK_SECONDS:
        raise OffStep(f"a visit of {seconds} seconds is not a positive multiple of 5 minutes")
    return replace(service, duration_minutes=seconds // 60)
