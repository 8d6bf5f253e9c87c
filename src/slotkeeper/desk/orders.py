"""What is asked for when time is booked, and what a repeated request is recognised by."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Contact
from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import Instant
from slotkeeper.documents import encoded

NOBODY = Contact()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A booking asked for: of a service at `start`, or of a bare span of time when no service is named.

    `override` is staff's reason for going against the rules; `request_key` the caller's idempotency key.
    """

    start: Instant
    end: Instant | None = None
    service_id: str = ""
    resource_ids: tuple[str, ...] = ()
    customer_id: str = ""
    contact: Contact = NOBODY
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    hold_id: str = ""
    override: str = ""
    request_key: str = ""


class Id(msgspec.Struct, frozen=True):
    """The id that a new document gets; `is_repeatable` when it follows from the caller's idempotency key."""

    value: str
    is_repeatable: bool


def id_for(prefix: str, actor: Actor, request_key: str, new_id: Callable[[str], str]) -> Id:
    """An id that is the same for the same credential and idempotency key, so that a repeat finds the first answer
    without another document; random without a key."""
    if not request_key:
        return Id(new_id(prefix), False)
    return Id(f"{prefix}_{digest(actor.business, actor.id, prefix, request_key)}", True)


def digest(*parts: str) -> str:
    """128 bits of SHA-256 over the parts, in hex."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def fingerprint(order: object) -> str:
    """What a repeated request must have in common with the first one: everything."""
    return hashlib.sha256(encoded(order)).hexdigest()[:32]


def customer_of(actor: Actor, customer_id: str, contact: Contact) -> str:
    """Whose appointment it will be: the customer named, the one whom the credential stands for, or one that follows
    from the mail address; empty for a walk-in.

    Raises:
        Invalid: the credential stands for another customer.
    """
    if actor.customer_id:
        if customer_id not in ("", actor.customer_id):
            raise Invalid("this key acts for one customer only: leave customerId out", field="customerId")
        return actor.customer_id
    if customer_id or not contact.email:
        return customer_id
    return f"cus_{digest(actor.business, contact.email.strip().lower())}"
