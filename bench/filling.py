"""Files with as many appointments as one likes, in the image of one that was really booked.

The shop is that of the reference day, full from its first day on: every quarter of an hour of every resource. Nothing
is judged, since nothing could be in the way, but all is written by the store's own commits, in large batches. The ids
stand in order where real ones are random, which makes writing them quick; they cover the same range as real ones, so
whoever books afterwards meets them all over the file.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from bench import day
from bench.slots import OWNER
from slotkeeper.contracts import Change, Key, Put
from slotkeeper.core.appointment import Appointment, Contact
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import DAY_SECONDS, Instant, day_of
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.log import Notification, Published, events, notification_put, notifications
from slotkeeper.desk import agenda, booking
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Order
from slotkeeper.documents import appointment_put, encoded, event_count_key, event_key, sheet_key
from slotkeeper.embedded.app import Plan, build
from slotkeeper.process import new_id, now
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.stores.sqlite import SqliteStore

SLOT_SECONDS = day.MINUTES * 60
ROWS = DAY_SECONDS // SLOT_SECONDS
DAY_APPOINTMENTS = ROWS * day.RESOURCES
HORIZON_DAYS = 3660
ID_BITS = 128

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A booked appointment and what it has left elsewhere: its event and its confirmation, once they are out."""

    appointment: Appointment
    event: Published | None = None
    notification: Notification | None = None


def first_day() -> Instant:
    """The midnight from which on the shop is full: no reminder is due before the day after tomorrow."""
    return Instant((now() // DAY_SECONDS + 3) * DAY_SECONDS)


def after(count: int) -> int:
    """How many days ahead the first day lies on which nothing is booked, for a shop that holds so many."""
    return 3 + -(-count // DAY_APPOINTMENTS)


def filled(path: Path, count: int, *, is_delivered: bool, progress: Progress = lambda done: None) -> str:
    """Make a file with so many appointments; returns a key.

    `is_delivered`: as the courier leaves them, with their events published and their confirmations sent; else as a
    booking does. `progress` hears of appointments done.
    """
    key = day.furnish(path, horizon_days=HORIZON_DAYS)
    pattern = _pattern(is_delivered)
    house = build(Plan(database=path, delivers=False))
    done = 0
    for first in range(0, count, DAY_APPOINTMENTS):
        numbers = range(first, min(first + DAY_APPOINTMENTS, count))
        made = [_copied(pattern, number, count) for number in numbers]
        with house.store.batch():
            puts = _puts(made)
            while some := list(islice(puts, Change.LIMIT)):
                house.store.commit(Change({put.key: 0 for put in some}, some))
        done += len(made)
        progress(done)
    if is_delivered:
        count_put = Put(event_count_key(OWNER.business), encoded(count))
        house.store.commit(Change({count_put.key: 0}, [count_put]))
    house.close()
    return key


def _pattern(is_delivered: bool) -> Pattern:
    """What a booking leaves behind, from a store in memory."""
    store = SqliteStore(":memory:")
    desk = Desk(store, now, new_id)
    day.stock(desk, HORIZON_DAYS)
    contact = Contact(name="Ada Lovelace", email="ada@example.com")
    order = Order(start=first_day(), service_id="visit", resource_ids=("r0",), contact=contact, request_key="the first")
    appointment = booking.book(desk, OWNER, order).appointment
    if not is_delivered:
        return Pattern(appointment)
    with asyncio.Runner() as runner:
        runner.run(Courier(store, now, {}, OutboxSender()).sweep())
    appointment = agenda.appointment(desk, OWNER, appointment.id)
    [event] = events(store, OWNER.business)
    [notification] = notifications(store, OWNER.business).notifications
    return Pattern(appointment, event, notification)


def _copied(pattern: Pattern, number: int, count: int) -> Pattern:
    """The pattern for the appointment of that number, of so many: at its own time, and for its own customer."""
    digits = f"{(number << ID_BITS) // count:032x}"
    id, customer = f"apt_{digits}", f"cus_{digits}"
    resources = (f"r{number % day.RESOURCES}",)
    old = pattern.appointment
    later = number // day.RESOURCES * SLOT_SECONDS
    start, end = Instant(old.start + later), Instant(old.end + later)
    ids = {each.id: f"msg_{digits[:-1]}{place}" for place, each in enumerate(old.messages)}
    appointment = replace(
        old,
        id=id,
        start=start,
        end=end,
        resource_ids=resources,
        calendars=resources,
        customer_id=customer,
        contact=replace(old.contact, email=f"c{number}@example.com"),
        events=tuple(replace(each, start=start, end=end, resource_ids=resources) for each in old.events),
        messages=tuple(
            replace(each, id=ids[each.id], due=Instant(each.due + later), about=Instant(each.about + later))
            if each.kind == "reminder"
            else replace(each, id=ids[each.id])
            for each in old.messages
        ),
    )
    if pattern.event is None or pattern.notification is None:
        return Pattern(appointment)
    whose = {"appointment_id": id, "customer_id": customer, "resource_ids": resources}
    event = replace(pattern.event, number=number + 1, start=start, end=end, **whose)
    notification = replace(pattern.notification, id=ids[pattern.notification.id], appointment_id=id)
    return Pattern(appointment, event, notification)


def _puts(made: Iterable[Pattern]) -> Iterator[Put]:
    """The documents of a day's appointments, and the sheets in which they have their claims."""
    business, sheets = OWNER.business, dict[Key, list[Claim]]()
    for each in made:
        appointment = each.appointment
        claim = Claim(appointment.id, appointment.claim_start, appointment.claim_end)
        sheets.setdefault(sheet_key(business, appointment.calendars[0], day_of(appointment.start)), []).append(claim)
        yield appointment_put(business, appointment)
        if each.event is not None and each.notification is not None:
            yield Put(event_key(business, each.event.number), encoded(each.event))
            yield notification_put(business, each.notification)
    for key, claims in sheets.items():
        yield Put(key, encoded(tuple(claims)))
