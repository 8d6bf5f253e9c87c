"""A member's own account: name, password, and signing out elsewhere. Read-only members have one too."""

from collections.abc import Callable
from typing import Any

from slotkeeper.core.errors import Invalid
from slotkeeper.desk import members, passwords, sessions
from slotkeeper.desk.members import Member
from slotkeeper.web.auth import kept_cookie
from slotkeeper.web.forms import DeclaredForm
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call, Errand
from slotkeeper.web.staff.fields import Filled, Password, Text, blank, read
from slotkeeper.web.staff.members import SHORT
from slotkeeper.web.staff.page import go, page, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import DoneQuery
from slotkeeper.web.staff.things import Form, said_of

NAME = (Text(name="name", label=N_("Name"), is_needed=True, auto="name"),)
PASSWORD = (
    Password(name="old", label=N_("Password until now"), is_needed=True, auto="current-password"),
    Password(name="password", label=N_("New password"), is_needed=True, hint=N_("At least 10 characters.")),
)


def show(call: Call[None, DoneQuery]) -> Answer:
    """The account."""
    return _page(call)


def rename(call: Call[DeclaredForm, None]) -> Answer:
    """Choose another name."""
    filled = read(NAME, call.body.typed, speech_of(call), ())
    if filled.wrong:
        return _page(call, name=filled)
    members.rename(call.desk, call.actor.business, call.actor.id, filled.values["name"])
    return go(staff_path(call, "account", done="saved"))


def change_password(call: Call[DeclaredForm, None]) -> Answer | Errand:
    """Choose another password. The old one is asked for, so that an open screen is not enough; all other sessions of
    the member end, and this one is replaced."""
    filled = read(PASSWORD, call.body.typed, speech_of(call), ())
    own = _own(call)
    if filled.wrong:
        return _page(call, password=filled)
    call.attempt(f"{call.actor.business}/own/{own.email}")
    old, new = filled.values["old"], filled.values["password"]
    try:
        passwords.check_password(new, own.email, own.name)
    except Invalid as error:
        filled.blame(error, PASSWORD)
        return _page(call, password=filled)

    def run() -> str:
        """The new one's hash; empty when the old one is not right."""
        return passwords.hashed(new) if passwords.matches(own.password, old) else ""

    return Errand(run, _changing(call, filled, own))


def sign_out_elsewhere(call: Call[DeclaredForm, None]) -> Answer:
    """End all sessions of the member but this one, which is replaced."""
    read((), call.body.typed, speech_of(call), ())
    sessions.close_all(call.desk, call.actor.business, call.actor.id)
    return _go_on(call, "elsewhere")


def _changing(call: Call[DeclaredForm, None], filled: Filled, own: Member) -> Callable[[str], Answer]:
    def then(hashed: str) -> Answer:
        if not hashed:
            filled.wrong["old"] = speech_of(call).say(N_("This is not your password."))
            return _page(call, password=filled)
        members.set_password_hash(call.desk, call.actor, call.actor.id, hashed, members.proof_of(own))
        return _go_on(call, "password")

    return then


def _go_on(call: Call[Any, Any], done: str) -> Answer:
    """Back to the account, in a new session that lasts as long as the old one would have."""
    left = call.member.expires - call.desk.now()
    is_long = left > sessions.SHORT_SECONDS
    opened = sessions.open_session(call.desk, call.actor.business, call.actor.id, is_long)
    return go(staff_path(call, "account", done=done), kept_cookie(opened.token, left if is_long else None))


def _own(call: Call[Any, Any]) -> Member:
    return members.member(call.desk, call.actor.business, call.actor.id).value


def _page(call: Call[Any, Any], name: Filled | None = None, password: Filled | None = None) -> Answer:
    own = _own(call)
    is_wrong = bool((name and name.wrong) or (password and password.wrong))
    return page(
        call,
        "account",
        "account",
        422 if is_wrong else 200,
        own=own,
        role=SHORT[own.role],
        name_fields=NAME,
        name=Form(NAME, name or Filled({"name": (own.name,)}, {}, {})),
        password_fields=PASSWORD,
        password=Form(PASSWORD, password or Filled(blank(PASSWORD), {}, {})),
        action=staff_path(call, "account"),
        done=said_of(getattr(call.query, "done", "")),
    )
