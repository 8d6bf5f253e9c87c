"""Members, for owners: who may sign in here, and as what; inviting, changing and removing them."""

from typing import Any

from slotkeeper.core.actor import Forbidden
from slotkeeper.core.errors import InUse, Invalid, Missing, Outdated
from slotkeeper.desk import members
from slotkeeper.desk.catalogue import Item
from slotkeeper.desk.members import Member
from slotkeeper.linking import INVITED_DAYS, Links
from slotkeeper.web.forms import DeclaredForm, Typed, once
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.fields import Choice, Filled, Text, Tick, blank, read
from slotkeeper.web.staff.page import go, page, speech_of, staff_path, untold
from slotkeeper.web.staff.setup_routes import DoneQuery
from slotkeeper.web.staff.sharing import whole
from slotkeeper.web.staff.things import Form, said_of

ROLES = (
    ("owner", N_("Owner: may do everything, and let others in")),
    ("staff", N_("Staff: keeps the calendar and the customers")),
    ("viewer", N_("Read-only: sees all that staff see, and changes nothing")),
)
SHORT = {"owner": N_("Owner"), "staff": N_("Staff"), "viewer": N_("Read-only")}

_NAME = Text(name="name", label=N_("Name"), is_needed=True, auto="off")
_ROLE = Choice(name="role", label=N_("What they may do"), options=ROLES, is_needed=True)
INVITATION = (
    _NAME,
    Text(
        name="email", label=N_("Mail address"), kind="email", most=254, is_needed=True, hint=N_("They sign in with it.")
    ),
    _ROLE,
)
CHANGE = (
    _NAME,
    _ROLE,
    Tick(name="active", label=N_("May sign in"), hint=N_("Without this they are signed out at once.")),
)


def listed(call: Call[None, DoneQuery]) -> Answer:
    """The members, and a form to invite another."""
    return _list(call, Filled(blank(INVITATION, role="staff"), {}, {}))


def invite(call: Call[DeclaredForm, None]) -> Answer:
    """Add a member, and show the invitation once: whoever has it sets the password."""
    filled = read(INVITATION, call.body.typed, speech_of(call), ())
    if filled.wrong:
        return _list(call, filled)
    values = filled.values
    try:
        made = members.add(call.desk, call.actor, values["email"], values["name"], values["role"])
    except Invalid as error:
        filled.blame(error, INVITATION)
        return _list(call, filled)
    except InUse:
        filled.wrong["email"] = speech_of(call).say(N_("A member has this address already."))
        return _list(call, filled)
    return _with_invitation(call, made)


def show(call: Call[None, DoneQuery]) -> Answer:
    """A member, and what can be done about them."""
    found = members.member(call.desk, call.actor.business, call.ids["id"])
    return _one(call, found, Filled(_texts(found.value), {}, {}))


def change(call: Call[DeclaredForm, None]) -> Answer:
    """Give a member another name or role, or let them in no more."""
    filled = read(CHANGE, call.body.typed, speech_of(call))
    found = members.member(call.desk, call.actor.business, call.ids["id"])
    if filled.wrong:
        return _one(call, found, filled)
    try:
        members.change(call.desk, call.actor, found.id, **filled.values, seen_version=once(call.body.typed, "version"))
    except Outdated:
        now = members.member(call.desk, call.actor.business, found.id)
        return _one(call, now, filled, theirs=_texts(now.value), status=409)
    except Invalid as error:
        filled.blame(error, CHANGE)
        return _one(call, found, filled)
    except InUse:
        filled.wrong[""] = _last_owner(call)
        return _one(call, found, filled, status=409)
    return _after(call, found.id, "saved")


def invite_again(call: Call[DeclaredForm, None]) -> Answer:
    """Make a new invitation, also for one who has forgotten the password; show it once."""
    read((), call.body.typed, speech_of(call), ())
    return _with_invitation(call, members.member(call.desk, call.actor.business, call.ids["id"]))


def sign_out(call: Call[DeclaredForm, None]) -> Answer:
    """Sign a member out everywhere."""
    read((), call.body.typed, speech_of(call), ())
    members.sign_out(call.desk, call.actor.business, call.ids["id"])
    return _after(call, call.ids["id"], "signed-out")


def remove(call: Call[DeclaredForm, None]) -> Answer:
    """Take a member away, if an owner is left."""
    read((), call.body.typed, speech_of(call), ())
    try:
        members.remove(call.desk, call.actor, call.ids["id"])
    except Missing:
        pass  # somebody else was faster
    except InUse:
        found = members.member(call.desk, call.actor.business, call.ids["id"])
        return _one(call, found, Filled(_texts(found.value), {}, {"": _last_owner(call)}), status=409)
    return _after(call, "", "removed")


def _after(call: Call[Any, Any], id: str, done: str) -> Answer:
    """On to the member, or to all; out to the calendar for who has just ceased to be an owner."""
    try:
        own = members.member(call.desk, call.actor.business, call.actor.id).value
    except Missing:
        return go(staff_path(call))
    if not own.is_ruling:
        return go(staff_path(call))
    return go(staff_path(call, "setup", "members", *([id] if id else []), done=done))


def _last_owner(call: Call[Any, Any]) -> str:
    return speech_of(call).say(N_("Somebody must be an owner and able to sign in: make another member an owner first."))


def _texts(member: Member) -> Typed:
    return {"name": (member.name,), "role": (member.role,), "active": ("yes",) if member.active else ()}


def _with_invitation(call: Call[Any, Any], found: Item[Member]) -> Answer:
    if not found.value.active:
        raise Forbidden("admin", "a member who may not sign in cannot be invited")
    links, business = Links(call.desk.store), call.actor.business
    token = links.invitation_token(business, found.id, members.proof_of(found.value), call.desk.now())
    link = whole(call, "staff", business, "welcome", token)
    return untold(_one(call, found, Filled(_texts(found.value), {}, {}), invitation=link))


def _list(call: Call[Any, Any], filled: Filled) -> Answer:
    found = members.members(call.desk, call.actor.business)
    return page(
        call,
        "members",
        "setup",
        422 if filled.wrong else 200,
        part="members",
        is_exact=True,
        members=[(item.id, item.value, SHORT[item.value.role]) for item in found],
        fields=INVITATION,
        form=Form(INVITATION, filled),
        action=staff_path(call, "setup", "members"),
        done=said_of(getattr(call.query, "done", "")),
    )


def _one(
    call: Call[Any, Any],
    found: Item[Member],
    filled: Filled,
    *,
    theirs: Typed | None = None,
    invitation: str = "",
    status: int = 0,
) -> Answer:
    return page(
        call,
        "member",
        "setup",
        status or (422 if filled.wrong else 200),
        part="members",
        member=found.value,
        version=str(found.version),
        is_self=found.id == call.actor.id,
        fields=CHANGE,
        form=Form(CHANGE, filled, None, theirs),
        back=staff_path(call, "setup", "members"),
        action=staff_path(call, "setup", "members", found.id),
        invitation=invitation,
        days=INVITED_DAYS,
        done=said_of(getattr(call.query, "done", "")),
    )
