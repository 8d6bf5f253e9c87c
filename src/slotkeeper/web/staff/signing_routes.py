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

_HERE = "slotkeeper.web.staff"


class SignInForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants in, and where to."""

    email: Annotated[str, Meta(max_length=254)] = ""
    password: Annotated[str, Meta(max_length=1000)] = ""
    remember: str = ""
    next: Annotated[str, Meta(max_length=2000)] = ""


class SignInQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go afterwards. Anything else in the address is passed over."""

    next: Annotated[str, Meta(max_length=2000)] = ""


class BackQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider sends back (RFC 6749 4.1.2, RFC 9207). Anything else in the address is passed over."""

    state: Annotated[str, Meta(max_length=200)] = ""
    code: Annotated[str, Meta(max_length=4000)] = ""
    iss: Annotated[str, Meta(max_length=2000)] = ""


def _route(method: str, pattern: str, name: str, summary: str, **others: Any) -> Route:
    answers = {303: None} if method == "POST" else {200: None}
    module, _, name = name.rpartition(".")
    return Route(
        method=method, pattern=pattern, handler=later(f"{_HERE}.{module or 'signing_in'}", name), topic=TOPIC,
        summary=summary, answers=answers,
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
        "GET", "/staff/{business}/oidc", "oidc.leave", "Lead to another place to sign in", access="public",
        query=SignInQuery, quota=SIGN_INS,
    ),
    _route(
        "GET", "/staff/{business}/oidc/back", "oidc.back", "Sign in by what another place says", access="public",
        query=BackQuery, quota=SIGN_INS,
    ),
    _route(
        "POST", "/staff/{business}/sign-out", "sign_out", "Sign out", access="read", by_session=True,
        is_own=True, body=MemberForm, is_form=True,
    ),
)  # fmt: skip
