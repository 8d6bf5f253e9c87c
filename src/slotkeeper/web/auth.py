"""Who asks: the key in the request's headers, the member whose session its cookie names, or the public."""

import hmac
import re
from collections.abc import Callable, Mapping

from slotkeeper.core.actor import Actor, Scope
from slotkeeper.core.errors import Invalid, SlotkeeperError
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import Unauthenticated, authenticate
from slotkeeper.desk.sessions import Session, session_of
from slotkeeper.web.http import SAFE, Headers, Request

Who = Callable[[Request], Actor]
"""Who sent a request. Raises `Unauthenticated` when that is not known."""

PUBLIC_SCOPES: frozenset[Scope] = frozenset({"read", "book"})
PUBLIC_KEY_LENGTH = 16

COOKIE = "__Host-slotkeeper"
"""RFC 6265bis 4.1.3.2: a browser takes a cookie of such a name only when it is Secure, for this host alone, and for
all of it. No other host, and nobody on the way, can put one there."""

CSRF_HEADER = "x-csrf-token"

_COOKIE = re.compile(rf"(?:^|;)\s*{re.escape(COOKIE)}=([A-Za-z0-9_]{{1,200}})(?=\s*(?:;|$))")
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_REQUEST_KEY = re.compile(r'"([\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]{1,64})"')


def by_key(desk: Desk) -> Who:
    """Who asks, by the key in the headers of the request."""
    return lambda request: actor_of(desk, request.headers)


def actor_of(desk: Desk, headers: Mapping[str, str]) -> Actor:
    """Who the key in `Authorization: Bearer` or `X-API-Key` stands for.

    Raises:
        Unauthenticated: there is none, or it is not good.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        return authenticate(desk, _ascii(headers.get("x-api-key", "")))
    bearer = _BEARER.fullmatch(authorization)
    return authenticate(desk, _ascii(bearer[1]) if bearer else "")


class Forged(SlotkeeperError):
    """The request does not show that it comes from a page of ours: load the page again, and send it from there."""


def session_token(headers: Mapping[str, str]) -> str:
    """The session's token in the cookie; empty when there is none."""
    found = _COOKIE.search(headers.get("cookie", ""))
    return found[1] if found else ""


def member_session(desk: Desk, request: Request, business: str) -> Session:
    """The session that the cookie names, if it is one of a member of the business.

    Raises:
        Unauthenticated: nobody is signed in there.
    """
    session = session_of(desk, session_token(request.headers))
    if session.actor.business != business:
        raise Unauthenticated("you are signed in to another business")
    return session


def check_origin(request: Request, session: Session, body: object) -> None:
    """Refuse what another page made a member's browser send. Pages of ours carry the session's token, in a field of
    their forms or in a header, and no other page can read it.

    Raises:
        Forged: the token is missing or wrong, or the browser says that another site asks.
    """
    if request.method in SAFE:
        return
    check_site(request)
    sent = request.headers.get(CSRF_HEADER) or str(getattr(body, "csrf", ""))
    if not hmac.compare_digest(sent.encode(), session.csrf.encode()):
        raise Forged("this does not come from a page of ours, or from one that is too old: load the page again")


def check_site(request: Request) -> None:
    """Refuse what another site's page made a browser send, where nobody is signed in yet and there is no token.

    Raises:
        Forged: the browser says that another site asks (Fetch Metadata Request Headers, Sec-Fetch-Site).
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forged("this does not come from a page of ours: load the page again, and send it from there")


def kept_cookie(token: str, seconds: int | None) -> Headers:
    """The header by which a browser keeps the session: for so long, or until it is closed."""
    age = "" if seconds is None else f"; Max-Age={seconds}"
    return (("set-cookie", f"{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"),)


FORGOTTEN_COOKIE: Headers = (("set-cookie", f"{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"),)
"""The header by which a browser forgets the session."""


def visitor(business: str) -> Actor:
    """Anyone, at the public door of a business."""
    return Actor(business=business, id="public", scopes=PUBLIC_SCOPES, is_public=True)


def request_key(headers: Mapping[str, str], actor: Actor) -> str:
    """The `Idempotency-Key`, without the quotes that it may have; empty when there is none.

    Raises:
        Invalid: it is not 1 to 255 visible ASCII characters, or one of the public's that another could guess.
    """
    sent = headers.get("idempotency-key")
    if sent is None:
        return ""
    form = _REQUEST_KEY.fullmatch(sent)
    if form is None:
        raise Invalid("an Idempotency-Key has 1 to 255 visible ASCII characters", field="Idempotency-Key")
    key = form[1] or form[2]
    # All visitors are one actor: who could guess another's key could be given that one's hold.
    if actor.is_public and len(key) < PUBLIC_KEY_LENGTH:
        raise Invalid(
            f"without an API key, an Idempotency-Key has at least {PUBLIC_KEY_LENGTH} random characters",
            field="Idempotency-Key",
        )
    return key


def seen_revision(headers: Mapping[str, str]) -> str:
    """The revision in `If-Match`; `0` for `If-None-Match: *`, empty when any will do.

    Raises:
        Invalid: it is not a single entity tag.
    """
    sent = headers.get("if-match")
    if sent is None:
        return "0" if headers.get("if-none-match") == "*" else ""
    if sent == "*":
        return ""
    form = _TAG.fullmatch(sent)
    if form is None:
        raise Invalid('If-Match takes one entity tag as it came in ETag, such as "3"', field="If-Match")
    return form[1]


def is_unchanged(headers: Mapping[str, str], tag: str) -> bool:
    """Whether `If-None-Match` names the tag: then the caller has this answer already."""
    sent = headers.get("if-none-match")
    return sent is not None and (sent == "*" or tag in (form[1] for form in _TAG.finditer(sent)))


def _ascii(secret: str) -> str:
    """The key; an empty one in place of what cannot be a key, and could not even be hashed."""
    return secret if secret.isascii() else ""
