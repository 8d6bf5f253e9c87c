"""An invitation: whoever has its link sets the member's password, once. Looking at it changes nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any

from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.desk import catalogue, members, passwords, sessions
from slotkeeper.desk.catalogue import Item
from slotkeeper.desk.members import Member
from slotkeeper.linking import Links
from slotkeeper.web.auth import check_site, kept_cookie
from slotkeeper.web.forms import DeclaredForm
from slotkeeper.web.look.drawing import N_, draw
from slotkeeper.web.routes import Answer, Call, Errand
from slotkeeper.web.staff.fields import Filled, Password, blank, read
from slotkeeper.web.staff.page import go, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import DoneQuery
from slotkeeper.web.staff.things import Form

FIELDS = (Password(name="password", label=N_("Your password"), is_needed=True, hint=N_("At least 10 characters.")),)


def show(call: Call[None, DoneQuery]) -> Answer:
    """Who is invited, and the form for a password."""
    found, _ = _invited(call)
    return _page(call, found, Filled(blank(FIELDS), {}, {}))


def accept(call: Call[DeclaredForm, None]) -> Answer | Errand:
    """Set the password, and sign the member in."""
    check_site(call.request)
    found, proof = _invited(call)
    filled = read(FIELDS, call.body.typed, speech_of(call), ())
    if filled.wrong:
        return _page(call, found, filled)
    password = filled.values["password"]
    try:
        passwords.check_password(password, found.value.email, found.value.name)
    except Invalid as error:
        filled.blame(error, FIELDS)
        return _page(call, found, filled)
    return Errand(partial(passwords.hashed, password), _opening(call, found, proof))


def _opening(call: Call[Any, Any], found: Item[Member], proof: str) -> Callable[[str], Answer]:
    def then(hashed: str) -> Answer:
        business = call.ids["business"]
        members.set_password_hash(call.desk, members.themselves(business, found.id), found.id, hashed, proof)
        opened = sessions.open_session(call.desk, business, found.id, remember=False)
        return go(staff_path(call, "signed-in"), kept_cookie(opened.token, None))

    return then


def _invited(call: Call[Any, Any]) -> tuple[Item[Member], str]:
    """Who is invited, and the proof in the invitation. Raises `Missing` when it is no good, or no longer."""
    business = call.ids["business"]
    id, proof = Links(call.desk.store).invited(business, call.ids["token"], call.desk.now())
    found = members.member(call.desk, business, id)
    if proof != members.proof_of(found.value) or not found.value.active:
        raise Missing("link", "")
    return found, proof


def _page(call: Call[Any, Any], found: Item[Member], filled: Filled) -> Answer:
    business = catalogue.profile(call.desk, call.actor).value
    facts = {"business": business, "member": found.value, "fields": FIELDS, "form": Form(FIELDS, filled)}
    action = staff_path(call, "welcome", call.ids["token"])
    body = draw("staff/welcome", speech_of(call), call.request.base, action=action, **facts)
    return Answer(body, 422 if filled.wrong else 200, headers=(("cache-control", "no-store"),))
