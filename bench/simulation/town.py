"""The business of the simulations: what it offers, who serves, and the keys of its customers and staff."""

import string
from collections.abc import Sequence
from dataclasses import dataclass

from slotkeeper.contracts import Put
from slotkeeper.core.actor import SCOPES, Actor, Scope
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.desk import catalogue
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import KIND, ApiKey
from slotkeeper.desk.tokens import hash_of
from slotkeeper.documents import Webhook, api_key_key, encoded, link_secret_key, shelf_key
from slotkeeper.ledger import Draft, Reading, settle

BUSINESS, ZONE = "clinic", "Europe/Berlin"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OWNER = Actor(business=BUSINESS, id="owner", scopes=frozenset(SCOPES))


@dataclass(frozen=True, slots=True)
class Offer:
    """A service as customers know it: for whom they ask, and how long anyone who serves is busy."""

    id: str
    pool: str
    minutes: int
    before: int = 0
    after: int = 0


OFFERS = (
    Offer("visit", "doctors", 30),
    Offer("exam", "doctors", 45, before=5, after=10),
    Offer("consult", "doctors", 30),
    Offer("scan", "machines", 15),
)
"""An exam needs a room too, a consult has to be confirmed, and of scans there are only so many a day and customer."""

POOLS = {"doctors": ("d0", "d1", "d2", "d3", "d4"), "rooms": ("r0", "r1"), "machines": ("m0", "m1")}


def token_of(name: str) -> str:
    """The API key of that name; it is no secret."""
    return f"{KIND}_{name:a<12}_{name:a<32}"


CUSTOMERS, STAFF = token_of("customers"), token_of("staff")


def furnish(desk: Desk) -> None:
    """Describe the clinic: open around the clock in Berlin, with a webhook that hears of everything."""
    _put_basics(desk)
    for pool, ids in POOLS.items():
        put_pool(desk, pool, ids)
    rooms = Need(any_of="rooms")
    for offer in OFFERS:
        is_exam, is_consult, is_scan = (offer.id == name for name in ("exam", "consult", "scan"))
        service = Service(
            name=offer.id.title(),
            duration_minutes=offer.minutes,
            buffer_before_minutes=offer.before,
            buffer_after_minutes=offer.after,
            needs=(Need(any_of=offer.pool), *([rooms] if is_exam else [])),
            needs_confirmation=is_consult,
            confirm_within_minutes=60 if is_consult else None,
            day_limit=40 if is_scan else None,
            customer_limit=6 if is_scan else None,
        )
        catalogue.put(desk, OWNER, "service", offer.id, service)
    hooks = {"all": Webhook(url="https://hooks.example/all")}
    _write(desk, Put(shelf_key(BUSINESS, "webhooks"), encoded(hooks)))


def furnish_practices(desk: Desk, practices: int, people: int) -> None:
    """Describe a chain of practices: service `v0` is that of practice 0, with any of its people, and so on."""
    _put_basics(desk)
    for number in range(practices):
        put_pool(desk, f"p{number}", [f"p{number}d{each}" for each in range(people)])
        service = Service(name=f"Visit {number}", duration_minutes=30, needs=(Need(any_of=f"p{number}"),))
        catalogue.put(desk, OWNER, "service", f"v{number}", service)


def put_pool(desk: Desk, pool: str, ids: Sequence[str]) -> None:
    """Add people or things, and the pool of them."""
    for id in ids:
        catalogue.put(desk, OWNER, "resource", id, Resource(name=id, zone=ZONE, schedule_id="open"))
    catalogue.put(desk, OWNER, "pool", pool, Pool(name=pool, resource_ids=tuple(ids)))


def _put_basics(desk: Desk) -> None:
    catalogue.put_profile(desk, OWNER, Business(name="Clinic", zone=ZONE))
    always = (Opening(from_="00:00", to="24:00"),)
    catalogue.put(desk, OWNER, "schedule", "open", Schedule(name="Open", weekly=Weekly(**dict.fromkeys(DAYS, always))))
    _write(desk, Put(link_secret_key(BUSINESS), encoded(string.ascii_letters.encode()[:32])))
    _put_key(desk, CUSTOMERS, ("read", "book"))
    _put_key(desk, STAFF, ("read", "book", "staff"))


def _put_key(desk: Desk, token: str, scopes: tuple[Scope, ...]) -> None:
    prefix = token.split("_")[1]
    key = ApiKey(business=BUSINESS, name=prefix, hash=hash_of(token), scopes=scopes, created=desk.now())
    _write(desk, Put(api_key_key(prefix), encoded(key)))


def _write(desk: Desk, put: Put) -> None:
    def decide(reading: Reading, draft: Draft) -> None:
        draft.put(put)

    settle(desk.store, decide)
