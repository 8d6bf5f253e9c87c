"""Members: the people who sign in to the staff pages of a business, and what their roles let them do.

There is always an active owner, once there is any member. Who the active owners are stands in a document of its own,
so that of two owners who take the role from each other at the same moment one is told to look again.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from slotkeeper.contracts import Put, Range
from slotkeeper.core.actor import Actor, Scope
from slotkeeper.core.errors import InUse, Invalid, Missing, Outdated
from slotkeeper.core.names import in_order
from slotkeeper.core.service import mail_address
from slotkeeper.core.ticks import Instant
from slotkeeper.core.value import Name, Value
from slotkeeper.desk.audit import record
from slotkeeper.desk.catalogue import Item
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import digest
from slotkeeper.documents import decoded, encoded, member_key, owners_key
from slotkeeper.ledger import Draft, Reading, settle

Role = Literal["owner", "staff", "viewer"]

ROLES: dict[Role, frozenset[Scope]] = {
    "owner": frozenset({"read", "book", "staff", "admin"}),
    "staff": frozenset({"read", "book", "staff"}),
    "viewer": frozenset({"read", "staff"}),
}
"""What each role may do. A viewer may look at all that staff may, and change nothing."""

MAX_EMAIL, MAX_NAME = 254, 200


class Member(Value, frozen=True, kw_only=True):
    """Someone who signs in. `password` is an argon2id hash, empty until one is set; sessions that were opened under an
    earlier `since` are void."""

    email: Annotated[str, Meta(max_length=MAX_EMAIL)]
    name: Name
    role: Role
    password: str = ""
    created: Instant
    since: Instant
    active: bool = True

    @property
    def is_ruling(self) -> bool:
        """Whether this is one of the active owners."""
        return self.active and self.role == "owner"


def id_of(business: str, email: str) -> str:
    """The id that a member with this address has, whether there is one or not."""
    return f"mem_{digest(business, email.strip().lower())}"


def members(desk: Desk, business: str) -> list[Item[Member]]:
    """All of them, by name."""
    [docs] = desk.store.read_ranges([Range(member_key(business, "").part, "", "\U0010ffff")])
    found = [Item(doc.key.sort, doc.version, decoded(doc, Member)) for doc in docs]
    return sorted(found, key=lambda item: (in_order(item.value.name), item.id))


def member(desk: Desk, business: str, id: str) -> Item[Member]:
    """Raises `Missing` when there is none."""
    return _item(Reading(desk.store), business, id)


def by_email(desk: Desk, business: str, email: str) -> Item[Member] | None:
    """The member with this address, in letters of either case; None when there is none."""
    try:
        return member(desk, business, id_of(business, email))
    except Missing:
        return None


def add(desk: Desk, actor: Actor, email: str, name: str, role: Role) -> Item[Member]:
    """Add a member, without a password yet.

    Raises:
        Invalid: the address or the name is none. InUse: the address is a member's, or the first member is no owner.
        Forbidden: only owners may.
    """
    now = desk.now()
    return keep(desk, actor, Member(email=email.strip(), name=name.strip(), role=role, created=now, since=now))


def change(
    desk: Desk,
    actor: Actor,
    id: str,
    *,
    name: str | None = None,
    role: Role | None = None,
    active: bool | None = None,
    seen_version: str = "",
) -> Item[Member]:
    """Change what is named; what is None stays. Sessions see it at once; whoever is made inactive is signed out.

    Raises:
        Missing: there is no such member. Invalid: the name is none. InUse: it is the last active owner.
        Outdated: `seen_version` is not the current one. Forbidden: only owners may.
    """
    actor.need("admin")

    def changed(before: Member) -> Member:
        after = replace(
            before,
            name=before.name if name is None else name.strip(),
            role=before.role if role is None else role,
            active=before.active if active is None else active,
        )
        _check(after.email, after.name)
        return after if after.active else _later(desk, after)

    return _changed(desk, actor, id, changed, seen_version)


def rename(desk: Desk, business: str, id: str, name: str) -> Item[Member]:
    """Let a member choose another name for themselves, whatever their role.

    Raises:
        Missing: there is no such member. Invalid: the name is none.
    """
    _check_name(name.strip())
    return _changed(desk, themselves(business, id), id, lambda before: replace(before, name=name.strip()))


def set_password_hash(desk: Desk, actor: Actor, id: str, hashed: str, proof: str | None = None) -> Item[Member]:
    """Keep a password's hash, and sign the member out everywhere. Members may do so for themselves, whatever their
    role; owners for everybody. With a `proof` only while it is the member's: so an invitation works once.

    Raises:
        Missing: there is no such member, or the proof is another's or an earlier one's. Forbidden: as said.
    """
    if actor.id != id:
        actor.need("admin")

    def changed(before: Member) -> Member:
        if proof is not None and (proof != proof_of(before) or not before.active):
            raise Missing("link", "")
        return _later(desk, replace(before, password=hashed))

    # A viewer, who may change nothing else, was let through for their own.
    return _changed(desk, replace(actor, is_viewer=False), id, changed)


def sign_out(desk: Desk, business: str, id: str) -> None:
    """Make all sessions of the member void.

    Raises:
        Missing: there is no such member.
    """
    _changed(desk, themselves(business, id), id, lambda before: _later(desk, before))


def remove(desk: Desk, actor: Actor, id: str) -> None:
    """Take a member away.

    Raises:
        Missing: there is none. InUse: it is the last active owner. Forbidden: only owners may.
    """
    actor.need("admin")

    def decide(reading: Reading, draft: Draft) -> None:
        _item(reading, actor.business, id)
        _write_owners(reading, draft, actor.business, id, is_ruling=False)
        draft.delete(member_key(actor.business, id))
        record(draft, actor, desk.now(), desk.new_id, "delete", f"member/{id}")

    settle(desk.store, decide)


def themselves(business: str, id: str) -> Actor:
    """A member as the one who sets their own first password: they may do nothing else."""
    return Actor(business=business, id=id, scopes=frozenset())


def proof_of(member: Member) -> str:
    """What an invitation is made with: it changes as soon as a password is set."""
    return digest(member.password, str(member.since))[:16]


def keep(desk: Desk, actor: Actor, value: Member) -> Item[Member]:
    """Keep a member as they are, as when a business moves here.

    Raises:
        Invalid: the address or the name is none. InUse: the address is a member's, or the first member is no owner.
        Forbidden: only owners may.
    """
    actor.need("admin")
    _check(value.email, value.name)
    id = id_of(actor.business, value.email)

    def decide(reading: Reading, draft: Draft) -> Item[Member]:
        if reading.doc(member_key(actor.business, id)) is not None:
            raise InUse(f"{value.email} is the address of a member already")
        return _write(desk, reading, draft, actor, id, value)

    return settle(desk.store, decide)


def _changed(
    desk: Desk, actor: Actor, id: str, change: Callable[[Member], Member], seen_version: str = ""
) -> Item[Member]:
    def decide(reading: Reading, draft: Draft) -> Item[Member]:
        before = _item(reading, actor.business, id)
        if seen_version and seen_version != str(before.version):
            raise Outdated(seen_version, str(before.version))
        after = change(before.value)
        if after == before.value:
            return before
        return _write(desk, reading, draft, actor, id, after)

    return settle(desk.store, decide)


def _later(desk: Desk, member: Member) -> Member:
    """The member without the sessions that were opened until now, also when this second has seen a change already."""
    return replace(member, since=Instant(max(desk.now(), member.since + 1)))


def _item(reading: Reading, business: str, id: str) -> Item[Member]:
    doc = reading.doc(member_key(business, id))
    if doc is None:
        raise Missing("member", id)
    return Item(id, doc.version, decoded(doc, Member))


def _write(desk: Desk, reading: Reading, draft: Draft, actor: Actor, id: str, value: Member) -> Item[Member]:
    key = member_key(actor.business, id)
    _write_owners(reading, draft, actor.business, id, is_ruling=value.is_ruling)
    draft.put(Put(key, encoded(value)))
    record(draft, actor, desk.now(), desk.new_id, "put", f"member/{id}")
    return Item(id, reading.version(key) + 1, value)


def _write_owners(reading: Reading, draft: Draft, business: str, id: str, *, is_ruling: bool) -> None:
    """Note who rules. Raises `InUse` when nobody would."""
    key = owners_key(business)
    before = reading.value(key, tuple[str, ...]) or ()
    after = tuple(sorted({*before, id} if is_ruling else {*before} - {id}))
    if not after:
        raise InUse(
            "there must be an active owner: make somebody else an owner first"
            if before
            else "the first member is an owner: somebody must be able to let others in"
        )
    if after != before:
        draft.put(Put(key, encoded(after)))


def _check(email: str, name: str) -> None:
    if not email:
        raise Invalid("a member has a mail address", field="email")
    mail_address(email, "email")
    _check_name(name)


def _check_name(name: str) -> None:
    if not 0 < len(name) <= MAX_NAME:
        raise Invalid(f"a member has a name of 1 to {MAX_NAME} characters", field="name")
