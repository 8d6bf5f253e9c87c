"""The audit log: who changed or overrode what, when and why; written with the change itself."""

from collections.abc import Callable, Iterator

import msgspec

from slotkeeper.contracts import Put, Range, Store
from slotkeeper.core.actor import Actor
from slotkeeper.core.ticks import Instant
from slotkeeper.documents import audit_key, decoded, encoded
from slotkeeper.ledger import Draft


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One thing that a credential did; `what` is a verb such as `put`, `delete` or `override`."""

    id: str
    at: Instant
    by: str
    what: str
    target: str
    reason: str = ""


def record(
    draft: Draft,
    actor: Actor,
    now: Instant,
    new_id: Callable[[str], str],
    what: str,
    target: str,
    reason: str = "",
) -> None:
    """Add an entry to the draft. Raises `OnlyLooks` for a viewer."""
    actor.check_may_change()
    entry = Entry(id=new_id("aud"), at=now, by=actor.id, what=what, target=target, reason=reason)
    draft.put(Put(audit_key(actor.business, now, entry.id), encoded(entry)))


def entries(store: Store, business: str, since: Instant, until: Instant) -> Iterator[Entry]:
    """The entries of `since <= at < until`, oldest first."""
    first, last = audit_key(business, since, ""), audit_key(business, until, "")
    [docs] = store.read_ranges([Range(first.part, first.sort, last.sort)])
    return (decoded(doc, Entry) for doc in docs)
