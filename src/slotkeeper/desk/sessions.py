"""Sessions: a member's sign-in, told by a random token that a cookie carries.

A session ends by itself, when it is closed, and when the member is made inactive, is removed or gets another password.
What the member may do is looked up each time, so another role holds at once.
"""

import hashlib

import msgspec

from slotkeeper.contracts import Put, Range
from slotkeeper.core.actor import Actor
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.core.value import Value
from slotkeeper.desk import members
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import Unauthenticated
from slotkeeper.desk.members import ROLES, Member, Role
from slotkeeper.desk.tokens import hash_of, is_proved, new_token, prefix_of
from slotkeeper.documents import encoded, member_key, session_key, session_place
from slotkeeper.ledger import Draft, Reading, settle

KIND = "ss"
SHORT_SECONDS = 12 * 3600
LONG_SECONDS = 30 * DAY_SECONDS
SWEPT_AT_ONCE = 20

_NOBODY = "nobody is signed in, or no longer"


class Kept(Value, frozen=True, kw_only=True):
    """What is kept of a session. It is void when the member's `since` is another by now."""

    business: str
    member_id: str
    hash: str
    since: Instant
    expires: Instant


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The member as the pages greet them."""

    name: str
    email: str
    role: Role


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A good session. `csrf` is what our own pages send with each change, so that no other site can."""

    id: str
    actor: Actor
    member: Person
    csrf: str
    expires: Instant


class Opened(msgspec.Struct, frozen=True):
    """A new session. `token` goes into the cookie, and nowhere else."""

    token: str
    session: Session


def open_session(desk: Desk, business: str, member_id: str, remember: bool, since: Instant | None = None) -> Opened:
    """Sign a member in whose password, or whatever proves them, was found good: for 12 hours, or for 30 days where the
    browser is to remember it. `since` is the member's when that was looked at: proving takes a while.

    Raises:
        Unauthenticated: there is no such member, or an inactive one, or one who has another password since.
    """
    prefix, token = new_token(KIND)
    now = desk.now()
    expires = Instant(now + (LONG_SECONDS if remember else SHORT_SECONDS))

    def decide(reading: Reading, draft: Draft) -> Opened:
        member = _active(reading, business, member_id)
        if since not in (None, member.since):
            raise Unauthenticated(_NOBODY)
        kept = Kept(business=business, member_id=member_id, hash=hash_of(token), since=member.since, expires=expires)
        draft.put(Put(session_key(prefix), encoded(kept), until=expires))
        draft.put(Put(session_place(business, member_id, expires, prefix), b"{}", until=expires))
        _sweep(desk, draft, business, member_id, now)
        return Opened(token, _session(prefix, token, kept, member))

    return settle(desk.store, decide)


def session_of(desk: Desk, token: str) -> Session:
    """The session that the token stands for.

    Raises:
        Unauthenticated: it is unknown, closed or over, or its member is gone, inactive, or has another password since.
    """
    reading = Reading(desk.store)
    prefix = prefix_of(KIND, token)
    kept = reading.value(session_key(prefix), Kept) if prefix else None
    is_good = is_proved(token, kept.hash if kept else None)
    if prefix is None or kept is None or not is_good or kept.expires <= desk.now():
        raise Unauthenticated(_NOBODY)
    member = _active(reading, kept.business, kept.member_id)
    if member.since != kept.since:
        raise Unauthenticated(_NOBODY)
    return _session(prefix, token, kept, member)


def close_session(desk: Desk, token: str) -> None:
    """Make the token useless from now on; one that is of no use already stays so."""
    prefix = prefix_of(KIND, token)
    if prefix is None:
        return

    def decide(reading: Reading, draft: Draft) -> None:
        kept = reading.value(session_key(prefix), Kept)
        if kept is not None and is_proved(token, kept.hash):
            draft.delete(session_key(prefix))
            draft.delete(session_place(kept.business, kept.member_id, kept.expires, prefix))

    settle(desk.store, decide)


def close_all(desk: Desk, business: str, member_id: str) -> None:
    """Sign the member out everywhere.

    Raises:
        Missing: there is no such member.
    """
    members.sign_out(desk, business, member_id)


def _active(reading: Reading, business: str, member_id: str) -> Member:
    member = reading.value(member_key(business, member_id), Member)
    if member is None or not member.active:
        raise Unauthenticated(_NOBODY)
    return member


def _session(prefix: str, token: str, kept: Kept, member: Member) -> Session:
    is_viewer = member.role == "viewer"
    scopes = ROLES[member.role]
    return Session(
        id=prefix,
        actor=Actor(business=kept.business, id=kept.member_id, scopes=scopes, is_viewer=is_viewer),
        member=Person(name=member.name, email=member.email, role=member.role),
        csrf=hashlib.sha256(f"csrf {token}".encode()).hexdigest(),
        expires=kept.expires,
    )


def _sweep(desk: Desk, draft: Draft, business: str, member_id: str, now: Instant) -> None:
    """Take away what is left of the member's sessions that are over: not every store forgets by itself."""
    part = session_place(business, member_id, now, "").part
    [docs] = desk.store.read_ranges([Range(part, "", f"{now:012d}/\U0010ffff")])
    for doc in docs[:SWEPT_AT_ONCE]:
        draft.delete(doc.key)
        draft.delete(session_key(doc.key.sort.partition("/")[2]))
