"""Taking what is due: expired holds go, pending appointments expire, events are published, messages are claimed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from slotkeeper.contracts import Key, Put, Store
from slotkeeper.core.appointment import Appointment, Deed, Endpoint, Event, acted
from slotkeeper.core.reminders import Message, claimed, message_id
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.log import Published
from slotkeeper.courier.seen import Seen
from slotkeeper.documents import (
    Hold,
    Webhook,
    attention,
    business_of,
    encoded,
    event_count_key,
    event_key,
    shelf_key,
)
from slotkeeper.ledger import Draft, Reading, leave, let_go, settle

BY_COURIER = "courier"
PUBLISHED_AT_ONCE = 40
"""A commit may touch 100 documents (`Change.LIMIT`); the rest is published by the next one."""


@dataclass(frozen=True, slots=True)
class Job:
    """A message in our hands: `message` is as it was claimed, so it tells whether it still is."""

    business: str
    appointment_id: str
    customer_id: str
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was done and claimed for one document that was due."""

    holds: int = 0
    expired: int = 0
    published: int = 0
    jobs: tuple[Job, ...] = ()


def take_hold(store: Store, key: Key, now: Instant) -> Taken:
    """Let the hold go if it has expired."""

    def decide(reading: Reading, draft: Draft) -> Taken:
        hold = reading.value(key, Hold)
        if hold is None or hold.expires > now:
            return Taken()
        let_go(draft, business_of(key), hold)
        return Taken(holds=1)

    return settle(store, decide)


def take_appointment(seen: Seen, key: Key, now: Instant) -> Taken:
    """Publish the appointment's events and claim those of its messages that are due."""

    def change(reading: Reading, draft: Draft, before: Appointment) -> tuple[Appointment, Taken]:
        due = attention(before)
        if due is None or due > now:
            return before, Taken()
        business = business_of(key)
        after = published(reading, draft, business, before)
        messages = tuple(_claims(reading, business, after.messages, now))
        fresh = [each for each in messages if each.state == "claimed" and each not in before.messages]
        jobs = tuple(Job(business, before.id, before.customer_id, each) for each in fresh)
        after = replace(after, messages=messages)
        return after, Taken(published=after.published - before.published, jobs=jobs)

    return seen.rewrite(key, change) or Taken()


def expire(seen: Seen, key: Key, now: Instant, standing: Sequence[Endpoint] = ()) -> Taken:
    """Let a pending appointment go that nobody confirmed in time; its event is published by the next step, and told to
    the webhooks and the `standing` endpoints.

    A step of its own, because together both could touch more documents than one commit may.
    """

    def change(reading: Reading, draft: Draft, before: Appointment) -> tuple[Appointment, Taken]:
        if not is_expired(before, now):
            return before, Taken()
        business = business_of(key)
        hooks = webhooks(reading, business).items()
        endpoints = [*(Endpoint(id, hook.types) for id, hook in hooks), *standing]
        leave(draft, business, before)
        return acted(before, "expire", Deed(now=now, by=BY_COURIER), endpoints), Taken(expired=1)

    return seen.rewrite(key, change) or Taken()


def is_expired(appointment: Appointment, now: Instant) -> bool:
    return appointment.status == "pending" and 0 < appointment.expires <= now


def webhooks(reading: Reading, business: str) -> dict[str, Webhook]:
    """The active webhooks of the business, by id."""
    shelf = reading.value(shelf_key(business, "webhooks"), dict[str, Webhook]) or {}
    return {id: hook for id, hook in shelf.items() if hook.active}


def published(reading: Reading, draft: Draft, business: str, appointment: Appointment) -> Appointment:
    """The appointment with its next events published. The counter is in the same commit: no number is left out, and
    none is given twice, however many couriers run."""
    fresh = appointment.events[appointment.published :][:PUBLISHED_AT_ONCE]
    if not fresh:
        return appointment
    count_key = event_count_key(business)
    count = reading.value(count_key, int) or 0
    for number, event in enumerate(fresh, count + 1):
        draft.put(Put(event_key(business, number), encoded(_entry(number, appointment, event))))
    draft.put(Put(count_key, encoded(count + len(fresh))))
    return replace(appointment, published=appointment.published + len(fresh))


def _entry(number: int, appointment: Appointment, event: Event) -> Published:
    return Published(
        number=number,
        appointment_id=appointment.id,
        revision=event.number,
        type=event.type,
        at=event.at,
        by=event.by,
        start=event.start,
        end=event.end,
        service_id=appointment.service_id,
        customer_id=appointment.customer_id,
        resource_ids=event.resource_ids,
        was_start=event.was_start,
        reason=event.reason,
    )


def _claims(reading: Reading, business: str, messages: Iterable[Message], now: Instant) -> Iterable[Message]:
    """The messages, those that are due claimed. One whose lease ran out is due again."""
    for message in messages:
        if not message.is_owed or message.due > now:
            yield message
        elif message.channel == "webhook" and not message.target:
            yield from _for_each_endpoint(reading, business, message, now)
        else:
            yield claimed(message, now)


def _for_each_endpoint(reading: Reading, business: str, message: Message, now: Instant) -> list[Message]:
    """A reminder by webhook, as one message for each endpoint that wants all there is: each must arrive by itself."""
    targets = [id for id, hook in webhooks(reading, business).items() if not hook.types]
    if not targets:
        return [replace(message, state="void", note="no webhook takes reminders")]
    each = (replace(message, id=message_id(f"{message.id}/{id}"), target=id) for id in targets)
    return [claimed(one, now) for one in each]
