"""How the peer books: one statement, so one trip to PostgreSQL, one transaction and one sync to disk."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from bench.peers.catalogue import Refused, Resource, Service

ATTEMPTS = 5

BOOK = """
WITH made AS (
    INSERT INTO appointment (id, business_id, service_id, customer_id, starts, ends, contact, details, created)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9)
), claimed AS (
    INSERT INTO claim (appointment_id, resource_number, span) VALUES ($1, $10, tstzrange($11, $12))
), owed AS (
    INSERT INTO message (appointment_id, kind, channel, due, lead_minutes)
    SELECT $1, * FROM unnest($13::text[], $14::text[], $15::timestamptz[], $16::int[])
), told AS (
    INSERT INTO event (business_id, appointment_id, type, at, by) VALUES ($2, $1, 'booked', $9, $17)
)
INSERT INTO idempotency_key (api_key_id, key, fingerprint, appointment_id)
SELECT $17::bigint, $18::text, $19::bytea, $1 WHERE $18 IS NOT NULL
"""

EARLIER = """
SELECT fingerprint, appointment.*, resource.id AS resource_id
FROM idempotency_key JOIN appointment ON appointment.id = appointment_id JOIN claim USING (appointment_id)
JOIN resource ON resource.number = resource_number
WHERE api_key_id = $1 AND key = $2
"""

FREE = """
SELECT number FROM unnest($1::int[]) WITH ORDINALITY AS asked (number, position)
WHERE NOT EXISTS (SELECT FROM claim WHERE resource_number = number AND span && tstzrange($2, $3))
ORDER BY (SELECT count(*) FROM claim WHERE resource_number = number AND span && $4), position LIMIT 1
"""

RIVAL = """
SELECT starts, ends, appointment_id FROM claim JOIN appointment ON appointment.id = appointment_id
WHERE resource_number = ANY ($1) AND span && tstzrange($2, $3) ORDER BY starts LIMIT 1
"""


class KeyReused(Exception):
    """The idempotency key came before with another request."""


class Taken(Refused):
    """The time is taken, by the `rival` if it is still there."""

    def __init__(self, rival: Any) -> None:
        super().__init__("taken", "the time is taken")
        self.rival = rival


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Whose key it is, and what it may."""

    id: int
    business: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for; `request` is the body as it came, `request_key` the idempotency key."""

    start: datetime
    wanted: list[str]
    customer_id: str | None
    contact: str | None
    details: dict[str, Any]
    request: bytes
    request_key: str | None


@dataclass(frozen=True, slots=True)
class Booked:
    """An appointment that was made, or was there already."""

    id: uuid.UUID
    start: datetime
    end: datetime
    resource_id: str
    created: datetime
    is_repeat: bool = False


async def book(pool: Any, key: ApiKey, service: Service, order: Order) -> Booked:
    """Make the appointment.

    Raises:
        Refused: a rule says no, or the time is taken. KeyReused: as it says. KeyError: as `Service.open_at`.
    """
    now = datetime.now(UTC)
    service.check(order.start, now)
    could = service.open_at(order.start, order.wanted)
    for _ in range(ATTEMPTS):
        resource = could[0] if len(could) == 1 else await _free(pool, service, could, order.start)
        try:
            return await _insert(pool, key, service, resource, order, now)
        except asyncpg.UniqueViolationError:
            return await _earlier(pool, key, order)
        except asyncpg.ExclusionViolationError:
            # The same request may have won meanwhile. Else, where others could serve, one of them is asked.
            if order.request_key and await pool.fetchrow(EARLIER, key.id, order.request_key):
                return await _earlier(pool, key, order)
            if len(could) == 1:
                break
        except asyncpg.DeadlockDetectedError:
            continue  # two that insert overlapping ranges at once wait for one another, until one is told
    raise await _taken(pool, service, could, order.start)


async def _insert(pool: Any, key: ApiKey, service: Service, resource: Resource, order: Order, now: datetime) -> Booked:
    id, start, end = uuid.uuid4(), order.start, order.start + service.duration
    owed = [("booked", "email", now, 0)]
    for lead, channel in service.reminders:
        if (due := start - timedelta(minutes=lead)) > now:
            owed.append(("reminder", channel, due, lead))
    await pool.execute(
        BOOK,
        id,
        key.business,
        service.id,
        order.customer_id,
        start,
        end,
        order.contact,
        json.dumps(order.details),
        now,
        resource.number,
        start - service.before,
        end + service.after,
        *map(list, zip(*owed, strict=True)),
        key.id,
        order.request_key,
        hashlib.sha256(order.request).digest(),
    )
    return Booked(id, start, end, resource.id, now)


async def _earlier(pool: Any, key: ApiKey, order: Order) -> Booked:
    row = await pool.fetchrow(EARLIER, key.id, order.request_key)
    if row["fingerprint"] != hashlib.sha256(order.request).digest():
        raise KeyReused("this Idempotency-Key came before with another request")
    return Booked(row["id"], row["starts"], row["ends"], row["resource_id"], row["created"], is_repeat=True)


async def _free(pool: Any, service: Service, could: list[Resource], start: datetime) -> Resource:
    """The least loaded of those who are free; raises `Taken` when nobody is."""
    midnight = start.astimezone(UTC).replace(hour=0, minute=0)
    number = await pool.fetchval(
        FREE,
        [each.number for each in could],
        start - service.before,
        start + service.duration + service.after,
        asyncpg.Range(midnight, midnight + timedelta(days=1)),
    )
    if number is None:
        raise await _taken(pool, service, could, start)
    return next(each for each in could if each.number == number)


async def _taken(pool: Any, service: Service, could: list[Resource], start: datetime) -> Taken:
    numbers = [each.number for each in could]
    span = start - service.before, start + service.duration + service.after
    return Taken(await pool.fetchrow(RIVAL, numbers, *span))
