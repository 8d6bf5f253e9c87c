"""Signing in and out: a password opens a session, which a cookie names."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from slotkeeper.core.errors import Missing
from slotkeeper.desk import catalogue, members, passwords, sessions
from slotkeeper.desk.catalogue import Item
from slotkeeper.desk.keys import Unauthenticated
from slotkeeper.desk.members import Member
from slotkeeper.web.auth import FORGOTTEN_COOKIE, check_site, kept_cookie, member_session, session_token
from slotkeeper.web.forms import MemberForm
from slotkeeper.web.look.drawing import draw
from slotkeeper.web.routes import ID, Answer, Call, Errand
from slotkeeper.web.staff.page import go, speech_of, staff_path
from slotkeeper.web.staff.signing_routes import SignInForm, SignInQuery


def which(call: Call[None, None]) -> Answer:
    """Ask which business is wanted, or lead to the one that was named."""
    wanted = parse_qs(call.request.query).get("business", [""])[0].strip()
    if ID.match(wanted):
        known = Call(call.desk, call.actor, {"business": wanted}, None, None, request=call.request)
        return go(staff_path(known))
    return Answer(draw("staff/which", speech_of(call), call.request.base))


def form(call: Call[None, SignInQuery]) -> Answer:
    """The form to sign in."""
    return _form(call, call.query.next)


def signed_in(call: Call[None, SignInQuery]) -> Answer:
    """Lead on to where the member wanted to go; or say that the browser has not kept the cookie."""
    try:
        member_session(call.desk, call.request, call.ids["business"])
    except Unauthenticated:
        return _form(call, call.query.next, was_kept=False)
    wanted = ours(call, call.query.next)
    return go(call.request.base + wanted if wanted else staff_path(call))


def sign_in(call: Call[SignInForm, SignInQuery]) -> Errand:
    """Open a session for who knows the password. What an unknown address costs is the same."""
    check_site(call.request)
    sent, business = call.body, call.ids["business"]
    email = sent.email.strip().lower()
    call.attempt(f"{business}/{email}")
    found = members.by_email(call.desk, business, email)
    kept = found.value.password if found and found.value.active else ""
    return Errand(partial(passwords.matches, kept, sent.password), _opening(call, found))


def sign_out(call: Call[MemberForm, None]) -> Answer:
    """End the session."""
    sessions.close_session(call.desk, session_token(call.request.headers))
    return go(staff_path(call, "sign-in"), (*FORGOTTEN_COOKIE, ("clear-site-data", '"cache"')))


def _opening(call: Call[SignInForm, SignInQuery], found: Item[Member] | None) -> Callable[[bool], Answer]:
    def then(is_right: bool) -> Answer:
        sent = call.body
        if not is_right or found is None:
            return _form(call, sent.next or call.query.next, sent.email, is_wrong=True)
        since, business = found.value.since, call.ids["business"]
        opened = sessions.open_session(call.desk, business, found.id, bool(sent.remember), since)
        seconds = opened.session.expires - call.desk.now() if sent.remember else None
        place = staff_path(call, "signed-in", next=ours(call, sent.next or call.query.next))
        return go(place, kept_cookie(opened.token, seconds))

    return then


def refusal(call: Call[Any, Any], *, is_unreachable: bool = False) -> Answer:
    """The form, after a provider did not prove that a member is there."""
    return _form(call, "", provider_failed="unreachable" if is_unreachable else "refused")


def ours(call: Call[Any, Any], place: str) -> str:
    """Where the member wanted to go, if that is one of the business's pages; else nowhere in particular: nobody is sent
    elsewhere from here."""
    home = f"/staff/{call.ids['business']}"
    is_ours = place == home or place.startswith((f"{home}/", f"{home}?"))
    is_plain = "\\" not in place and "//" not in place and ".." not in place and place.isprintable()
    return place if is_ours and is_plain and place.isascii() else ""


def _form(
    call: Call[Any, Any],
    wanted: str,
    email: str = "",
    *,
    is_wrong: bool = False,
    was_kept: bool = True,
    provider_failed: str = "",
) -> Answer:
    try:
        business = catalogue.profile(call.desk, call.actor).value
    except Missing:
        business = None
    facts: dict[str, object] = {
        "business": business,
        "wanted": wanted,
        "email": email,
        "is_wrong": is_wrong,
        "was_kept": was_kept,
    }
    facts |= {"provider_failed": provider_failed, "provider": call.provider.name if call.provider else ""}
    facts["leave"] = staff_path(call, "oidc", next=ours(call, wanted))
    action = staff_path(call, "sign-in")
    body = draw("staff/sign_in", speech_of(call), call.request.base, action=action, **facts)
    return Answer(body, 422 if is_wrong or provider_failed else 200)
