"""Signing in by an OpenID provider: on the way there, and back with its answer.

What the answer must match is kept by the browser, in a cookie of its own that lasts ten minutes and is used once.
"""

import base64
import hmac
import logging
import re
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from slotkeeper.core.errors import Missing
from slotkeeper.desk import members, sessions
from slotkeeper.web.auth import kept_cookie
from slotkeeper.web.look.drawing import path
from slotkeeper.web.provider import Provider
from slotkeeper.web.routes import Answer, Call, Errand
from slotkeeper.web.staff.identity import NotProved, Places, Question, answered, asking, discover
from slotkeeper.web.staff.page import go, staff_path
from slotkeeper.web.staff.signing_in import ours, refusal
from slotkeeper.web.staff.signing_routes import BackQuery, SignInQuery

COOKIE = "__Host-slotkeeper-oidc"
LASTS_SECONDS = 600

_KEPT = re.compile(rf"(?:^|;)\s*{re.escape(COOKIE)}=([A-Za-z0-9_-]{{1,3000}})(?=\s*(?:;|$))")
_log = logging.getLogger(__name__)


def leave(call: Call[None, SignInQuery]) -> Errand:
    """Lead to the provider, with a question that only this browser can have answered."""
    provider = _provider(call)
    question = Question(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        next=ours(call, call.query.next),
    )

    def run() -> Places | None:
        try:
            return discover(provider)
        except NotProved as error:
            _log.warning("signing in by %s failed: %s", provider.issuer, error)
            return None

    def then(places: Places | None) -> Answer:
        if places is None:
            return refusal(call, is_unreachable=True)
        return go(asking(provider, places, question, _back(call, provider)), _kept(question))

    return Errand(run, then, is_patient=True)


def back(call: Call[None, BackQuery]) -> Answer | Errand:
    """Open a session for the member whom the provider has proved."""
    provider, query = _provider(call), call.query
    question = _question(call)
    is_ours = question is not None and hmac.compare_digest(query.state.encode(), question.state.encode())
    # RFC 9207 2.4: an answer that says that it is another provider's is not for us.
    if question is None or not is_ours or not query.code or query.iss not in ("", provider.issuer):
        return _refused(call)
    now, here = call.desk.now(), _back(call, provider)

    def run() -> str:
        """The member's mail address; empty when it is not proved."""
        try:
            return answered(provider, question, query.code, here, now)
        except NotProved as error:
            _log.warning("signing in by %s failed: %s", provider.issuer, error)
            return ""

    return Errand(run, _opening(call, question), is_patient=True)


def _opening(call: Call[Any, Any], question: Question) -> Callable[[str], Answer]:
    def then(mail: str) -> Answer:
        business = call.ids["business"]
        found = members.by_email(call.desk, business, mail) if mail else None
        if found is None or not found.value.active:
            return _refused(call)
        opened = sessions.open_session(call.desk, business, found.id, remember=False)
        place = staff_path(call, "signed-in", next=question.next)
        return Answer(b"", 303, headers=(("location", place), *kept_cookie(opened.token, None)))

    return then


def _provider(call: Call[Any, Any]) -> Provider:
    """Raises `Missing` where the settings name none."""
    if call.provider is None:
        raise Missing("provider", "")
    return call.provider


def _back(call: Call[Any, Any], provider: Provider) -> str:
    """Where the provider sends people: by the settings, and by nothing that the request says of itself."""
    return provider.origin + path("", "staff", call.ids["business"], "oidc", "back")


def _kept(question: Question) -> tuple[tuple[str, str], ...]:
    text = base64.urlsafe_b64encode(msgspec.json.encode(question)).rstrip(b"=").decode()
    return (("set-cookie", f"{COOKIE}={text}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={LASTS_SECONDS}"),)


def _question(call: Call[Any, Any]) -> Question | None:
    """What this browser has asked; None when it has asked nothing, or we cannot read it."""
    found = _KEPT.search(call.request.headers.get("cookie", ""))
    if found is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)), type=Question)
    except (ValueError, msgspec.MsgspecError):
        return None


def _refused(call: Call[Any, Any]) -> Answer:
    """Nobody is signed in, and the question cannot be answered again. Why is in the log."""
    shown = refusal(call)
    forgotten = ("set-cookie", f"{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
    return Answer(shown.value, shown.status, headers=(*shown.headers, forgotten))
