"""API keys: tokens `sk_<prefix>_<secret>` of a business, with scopes."""

import msgspec

from slotkeeper.contracts import Put, Range
from slotkeeper.core.actor import SCOPES, Actor, Scope
from slotkeeper.core.errors import Invalid, Missing, SlotkeeperError
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.audit import record
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.tokens import hash_of, is_proved, new_token, prefix_of
from slotkeeper.documents import api_key_key, api_key_place, decoded, encoded
from slotkeeper.ledger import Draft, Reading, settle

KIND = "sk"


class Unauthenticated(SlotkeeperError):
    """There is no credential, or it is not good. Which of the two is not told."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What is kept of a key. With a `customer_id` it acts for that customer alone."""

    business: str
    name: str
    hash: str
    scopes: tuple[Scope, ...]
    customer_id: str = ""
    created: Instant
    revoked: Instant = Instant(0)


class Made(msgspec.Struct, frozen=True):
    """A new key: `secret` is shown this once. `id` is its public prefix."""

    id: str
    secret: str
    key: ApiKey


def create_key(desk: Desk, actor: Actor, name: str, scopes: tuple[Scope, ...], customer_id: str = "") -> Made:
    """Make a key.

    Raises:
        Invalid: no scope is named, or a customer's key would have more than `read` and `book`.
    """
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Invalid(f"name one or more of {', '.join(SCOPES)}", field="scopes")
    if customer_id and not set(scopes) <= {"read", "book"}:
        raise Invalid("a customer's key may only read and book", field="scopes")
    prefix, secret = new_token(KIND)
    key = ApiKey(
        business=actor.business,
        name=name,
        hash=hash_of(secret),
        scopes=tuple(sorted(set(scopes), key=SCOPES.index)),
        customer_id=customer_id,
        created=desk.now(),
    )

    def decide(reading: Reading, draft: Draft) -> Made:
        draft.put(Put(api_key_key(prefix), encoded(key)))
        draft.put(Put(api_key_place(actor.business, prefix), b"{}"))
        record(draft, actor, desk.now(), desk.new_id, "put", f"apiKey/{prefix}")
        return Made(prefix, secret, key)

    return settle(desk.store, decide)


def revoke_key(desk: Desk, actor: Actor, id: str) -> None:
    """Make a key useless from now on. Revoking it again changes nothing.

    Raises:
        Missing: the business has no such key.
    """

    def decide(reading: Reading, draft: Draft) -> None:
        key = reading.value(api_key_key(id), ApiKey)
        if key is None or key.business != actor.business:
            raise Missing("key", id)
        if not key.revoked:
            draft.put(Put(api_key_key(id), encoded(msgspec.structs.replace(key, revoked=desk.now()))))
            record(draft, actor, desk.now(), desk.new_id, "revoke", f"apiKey/{id}")

    settle(desk.store, decide)


def keys(desk: Desk, actor: Actor) -> list[tuple[str, ApiKey]]:
    """The business's keys by id, revoked ones too."""
    part = api_key_place(actor.business, "").part
    [places] = desk.store.read_ranges([Range(part, "", "\U0010ffff")])
    ids = [place.key.sort for place in places]
    docs = desk.store.read([api_key_key(id) for id in ids])
    return [(id, decoded(docs[api_key_key(id)], ApiKey)) for id in ids if api_key_key(id) in docs]


def authenticate(desk: Desk, secret: str) -> Actor:
    """Who the key stands for. An unknown prefix costs the same comparison as a known one.

    Raises:
        Unauthenticated: there is no such key, or it was revoked.
    """
    prefix = prefix_of(KIND, secret)
    kept, actor = _known(desk, prefix) if prefix else (None, None)
    if not is_proved(secret, kept) or actor is None:
        raise Unauthenticated("the API key is missing, unknown or revoked")
    return actor


def _known(desk: Desk, prefix: str) -> tuple[str | None, Actor | None]:
    """What proves the key, and who it stands for unless it was revoked."""
    found = api_key_key(prefix)

    def make(reading: Reading) -> tuple[str | None, Actor | None]:
        key = reading.value(found, ApiKey)
        if key is None or key.revoked:
            return None, None
        actor = Actor(business=key.business, id=prefix, scopes=frozenset(key.scopes), customer_id=key.customer_id)
        return key.hash, actor

    return desk.memory.made(Reading(desk.store), found, (found.part,), make)
