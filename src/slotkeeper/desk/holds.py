"""Holds: a claim that keeps a slot while somebody fills in a form, and expires by itself."""

import msgspec
from msgspec.structs import replace

from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Invalid, KeyReused, Missing, Refused
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import service_of
from slotkeeper.desk.orders import Id, fingerprint, id_for
from slotkeeper.desk.placing import Wish, place_by_service
from slotkeeper.documents import Hold, hold_key, hold_put
from slotkeeper.ledger import Draft, Reading, hold_keys, let_go, settle

DEFAULT_SECONDS = 300
MAX_SECONDS = 1800


class HoldOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A slot to be kept for `seconds`."""

    service_id: str
    start: Instant
    resource_ids: tuple[str, ...] = ()
    seconds: int = DEFAULT_SECONDS
    request_key: str = ""


def hold(desk: Desk, actor: Actor, order: HoldOrder) -> Hold:
    """Keep a slot. A repeat with the same idempotency key finds the same hold.

    Raises:
        Invalid, Missing, Refused, Unreachable: as for booking. KeyReused: the key came with another order.
        OnlyLooks: a viewer asks.
    """
    actor.check_may_change()
    if not 1 <= order.seconds <= MAX_SECONDS:
        raise Invalid(f"a hold lasts 1 to {MAX_SECONDS} seconds", field="seconds")
    id = id_for("hld", actor, order.request_key, desk.new_id)
    try:
        return settle(desk.store, lambda reading, draft: _hold(desk, actor, order, id, reading, draft))
    except Refused:
        # As in booking: the same request, sent twice at once, may have won meanwhile.
        earlier = _earlier(Reading(desk.store), actor.business, id, desk.now())
        if earlier is None:
            raise
        return _repeated(earlier, fingerprint(order))


def find_hold(desk: Desk, actor: Actor, id: str) -> Hold:
    """Raises `Missing` when there is none that is live."""
    return _live(Reading(desk.store), actor, id, desk.now())


def release_hold(desk: Desk, actor: Actor, id: str) -> None:
    """Give the slot back at once.

    Raises:
        Missing: there is no such live hold. OnlyLooks: a viewer asks.
    """
    actor.check_may_change()

    def decide(reading: Reading, draft: Draft) -> None:
        held = _live(reading, actor, id, desk.now())
        let_go(draft, actor.business, held)

    settle(desk.store, decide)


def _live(reading: Reading, actor: Actor, id: str, now: Instant) -> Hold:
    held = reading.value(hold_key(actor.business, id), Hold)
    if held is None or held.expires <= now or (actor.customer_id and held.by != actor.id):
        raise Missing("hold", id)
    return held


def _earlier(reading: Reading, business: str, id: Id, now: Instant) -> Hold | None:
    """The live hold that an earlier request with the same idempotency key has made."""
    held = reading.value(hold_key(business, id.value), Hold) if id.is_repeatable else None
    return held if held is not None and held.expires > now else None


def _repeated(earlier: Hold, proof: str) -> Hold:
    if earlier.fingerprint != proof:
        raise KeyReused("this Idempotency-Key came before with another request: use a new key")
    return earlier


def _hold(desk: Desk, actor: Actor, order: HoldOrder, id: Id, reading: Reading, draft: Draft) -> Hold:
    business, now = actor.business, desk.now()
    proof = fingerprint(order)
    earlier = _earlier(reading, business, id, now)
    if earlier is not None:
        return _repeated(earlier, proof)
    service = service_of(reading, business, order.service_id)
    if actor.is_public and not service.public:
        raise Missing("service", order.service_id)
    wish = Wish(
        start=order.start,
        end=Instant(order.start + service.duration_minutes * 60),
        resource_ids=order.resource_ids,
    )
    # The limit per customer is judged when the hold becomes an appointment: only then is the customer known.
    placed = place_by_service(
        desk, reading, business, order.service_id, replace(service, customer_limit=None), wish, now
    )
    held = Hold(
        id=id.value,
        service_id=order.service_id,
        start=placed.start,
        end=placed.end,
        resource_ids=placed.resource_ids,
        expires=Instant(now + order.seconds),
        by=actor.id,
        fingerprint=proof,
        tallies=placed.tallies,
        claim_start=Instant(placed.start - placed.buffer_before),
        claim_end=Instant(placed.end + placed.buffer_after),
    )
    claim = Claim(held.id, held.claim_start, held.claim_end, held.expires)
    draft.claim(hold_keys(business, held), claim, now)
    draft.put(hold_put(business, held))
    return held
