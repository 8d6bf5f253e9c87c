"""Who asks: the key in the request's headers, or the public for one business."""

import re
from collections.abc import Callable, Mapping

from slotkeeper.core.actor import Actor, Scope
from slotkeeper.core.errors import Invalid
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import authenticate
from slotkeeper.web.http import Request

Who = Callable[[Request], Actor]
"""Who sent a request. Raises `Unauthenticated` when that is not known."""

PUBLIC_SCOPES: frozenset[Scope] = frozenset({"read", "book"})
PUBLIC_KEY_LENGTH = 16

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
