"""API keys: made once, shown once, kept as hashes.

A key is `sk_<prefix>_<secret>`: the prefix finds the document, the SHA-256 of the whole key proves it. The secret has
160 random bits, so a fast hash is enough: there is nothing to guess.
"""

import hashlib
import hmac
import re
import secrets

import msgspec

from slotkeeper.contracts import Put, Range
from slotkeeper.core.actor import SCOPES, Actor, Scope
from slotkeeper.core.errors import Invalid, Missing, SlotkeeperError
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.audit import record
from slotkeeper.desk.desk import Desk
from slotkeeper.documents import api_key_key, api_key_place, decoded, encoded
from slotkeeper.ledger import Draft, Reading, settle

_FORM = re.compile(r"sk_([a-z2-7]{12})_[a-z2-7]{32}\Z")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NO_HASH = hashlib.sha256(b"no key has this hash").hexdigest()


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
    prefix, rest = _letters(12), _letters(32)
    secret = f"sk_{prefix}_{rest}"
    key = ApiKey(
        business=actor.business,
        name=name,
        hash=_hash(secret),
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
    form = _FORM.match(secret)
    key = Reading(desk.store).value(api_key_key(form[1]), ApiKey) if form else None
    is_good = hmac.compare_digest(_hash(secret), key.hash if key else _NO_HASH)
    if form is None or key is None or not is_good or key.revoked:
        raise Unauthenticated("the API key is missing, unknown or revoked")
    return Actor(business=key.business, id=form[1], scopes=frozenset(key.scopes), customer_id=key.customer_id)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _letters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))
