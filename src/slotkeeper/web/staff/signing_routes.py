"""The routes of signing in and out."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from slotkeeper.web.forms import MemberForm
from slotkeeper.web.limits import Quota
from slotkeeper.web.routes import HTML, Route, later

TOPIC = "Pages for members"
SIGN_INS = Quota("sign-in", 30, 600)
"""How often one address may try to sign in."""

_HERE = "slotkeeper.web.staff.signing_in"


class SignInForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants in, and where to."""

    email: Annotated[str, Meta(max_length=254)] = ""
    password: Annotated[str, Meta(max_length=1000)] = ""
    remember: str = ""
    next: Annotated[str, Meta(max_length=2000)] = ""


class SignInQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go afterwards. Anything else in the address is passed over."""

    next: Annotated[str, Meta(max_length=2000)] = ""


def _route(method: str, pattern: str, name: str, summary: str, **others: Any) -> Route:
    answers = {303: None} if method == "POST" else {200: None}
    return Route(
        method=method, pattern=pattern, handler=later(_HERE, name), topic=TOPIC, summary=summary, answers=answers,
        media=HTML, **others,
    )  # fmt: skip


ROUTES: tuple[Route, ...] = (
    _route("GET", "/staff", "which", "Ask which business's pages are wanted", access="open"),
    _route(
        "GET", "/staff/{business}/sign-in", "form", "Show the form to sign in", access="public", query=SignInQuery
    ),
    _route(
        "POST", "/staff/{business}/sign-in", "sign_in", "Sign in", access="public", quota=SIGN_INS,
        body=SignInForm, is_form=True, query=SignInQuery,
    ),
    _route(
        "GET", "/staff/{business}/signed-in", "signed_in", "Lead on, once signed in", access="public", query=SignInQuery
    ),
    _route(
        "POST", "/staff/{business}/sign-out", "sign_out", "Sign out", access="read", by_session=True,
        is_own=True, body=MemberForm, is_form=True,
    ),
)  # fmt: skip
