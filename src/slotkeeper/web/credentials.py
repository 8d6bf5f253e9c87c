"""The routes of API keys: making, listing and revoking them."""

from typing import Annotated

from msgspec import Meta

from slotkeeper.core.actor import Scope
from slotkeeper.core.ticks import format_instant
from slotkeeper.core.value import Id, Name
from slotkeeper.desk import keys
from slotkeeper.web.appointments import Body
from slotkeeper.web.routes import Answer, Call, Route
from slotkeeper.web.views import ListView, Time, View, time_or_none

TOPIC = "API keys"


class KeyBody(Body, frozen=True, kw_only=True):
    """A key to be made. With a `customerId` it acts for that customer alone, and may only read and book."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=4)]
    customer_id: Id | None = None


class KeyView(View, frozen=True, kw_only=True):
    """A key. `secret` is the key itself: it is shown once, when it is made."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    customer_id: str = ""
    created_time: Time
    revoked_time: Time | None = None
    secret: str = ""


def create(call: Call[KeyBody, None]) -> Answer:
    """Make a key."""
    body = call.body
    made = keys.create_key(call.desk, call.actor, body.name, body.scopes, body.customer_id or "")
    return Answer(_shown(made.id, made.key, made.secret), 201)


def listed(call: Call[None, None]) -> Answer:
    """The keys, revoked ones too."""
    found = keys.keys(call.desk, call.actor)
    return Answer(ListView(items=[_shown(id, key) for id, key in found], next_cursor=None))


def revoke(call: Call[None, None]) -> Answer:
    """Make a key useless."""
    keys.revoke_key(call.desk, call.actor, call.ids["id"])
    return Answer(status=204)


def _shown(id: str, key: keys.ApiKey, secret: str = "") -> KeyView:
    return KeyView(
        id=id,
        name=key.name,
        scopes=key.scopes,
        customer_id=key.customer_id,
        created_time=format_instant(key.created),
        revoked_time=time_or_none(key.revoked),
        secret=secret,
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/keys",
        handler=listed,
        access="admin",
        topic=TOPIC,
        summary="List the API keys",
        answers={200: ListView[KeyView]},
    ),
    Route(
        method="POST",
        pattern="/keys",
        handler=create,
        access="admin",
        topic=TOPIC,
        summary="Make an API key; it is shown this once",
        body=KeyBody,
        answers={201: KeyView},
        example={"name": "website", "scopes": ["read", "book"]},
    ),
    Route(
        method="DELETE",
        pattern="/keys/{id}",
        handler=revoke,
        access="admin",
        topic=TOPIC,
        summary="Revoke an API key",
        answers={204: None},
    ),
)
