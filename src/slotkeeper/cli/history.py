"""Entering what was booked earlier or elsewhere: judged as of then, and nobody is told of what they know already."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from slotkeeper.cli.together import together
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Action, Appointment, Status
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.booking import Booked, book
from slotkeeper.desk.changing import Request, act, find
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Order
from slotkeeper.documents import appointment_put
from slotkeeper.ledger import Draft, Reading, settle

STEPS: Mapping[Status, tuple[Action, ...]] = {
    "pending": (),
    "booked": (),
    "checkedIn": ("checkIn",),
    "completed": ("complete",),
    "noShow": ("noShow",),
    "cancelled": ("cancel",),
    "declined": ("decline",),
    "expired": ("expire",),
}
"""How a booked appointment gets into each state. `declined` and `expired` start from a pending one."""

FREED: frozenset[Status] = frozenset({"noShow", "cancelled", "declined", "expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of a booking: when it was made, and what became of it (None: as booking leaves it)."""

    booked_at: Instant
    status: Status | None = None
    is_told: bool = False


def enter(desk: Desk, actor: Actor, order: Order, past: Past) -> Booked:
    """Book the order as of `past.booked_at` and bring it into its state, all of it or nothing.

    Messages of the booking itself are not owed unless `past.is_told`; reminders still to come are.

    Raises:
        As `booking.book` does.
    """
    return together(desk, lambda desk: _enter(desk, actor, order, past))


def _enter(desk: Desk, actor: Actor, order: Order, past: Past) -> Booked:
    if past.status in FREED:
        # It has freed its time long since, and somebody else may have it: entered beside that, and gone at once.
        order = replace(order, override="entered after it had ended")
    then = replace(desk, clock=lambda: past.booked_at)
    booked = book(then, actor, order)
    if booked.is_repeat:
        return booked
    appointment = booked.appointment
    later = replace(desk, clock=lambda: Instant(max(past.booked_at, min(desk.now(), appointment.end))))
    for action in _steps(appointment.status, past.status):
        when = then if appointment.status == "pending" else later
        appointment = act(when, actor, action, Request(id=appointment.id))
    if not past.is_told:
        appointment = _hush(desk, actor, appointment.id)
    return replace(booked, appointment=appointment)


def _steps(now: Status, wanted: Status | None) -> tuple[Action, ...]:
    if wanted is None or wanted == now:
        return ()
    if now != "pending":
        # One that needed no confirmation cannot have been declined, nor have waited for it in vain.
        return STEPS["cancelled" if wanted in ("declined", "expired") else wanted]
    return STEPS[wanted] if wanted in ("declined", "expired", "cancelled") else ("confirm", *STEPS[wanted])


def _hush(desk: Desk, actor: Actor, id: str) -> Appointment:
    """Leave of the appointment's messages only the reminders that are still to come."""

    def decide(reading: Reading, draft: Draft) -> Appointment:
        before = find(reading, actor, id)
        owed = tuple(each for each in before.messages if each.kind == "reminder" and each.due > desk.now())
        after = replace(before, messages=owed)
        if after != before:
            draft.put(appointment_put(actor.business, after))
        return after

    return settle(desk.store, decide)
