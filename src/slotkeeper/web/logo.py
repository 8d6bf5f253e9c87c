"""The routes of the business's logo."""

from slotkeeper.core.logo import Logo
from slotkeeper.desk import catalogue
from slotkeeper.web.routes import Answer, Call, Route
from slotkeeper.web.things import view_type

TOPIC = "Business"

LogoView = view_type(Logo)

_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG of one pixel."""


def find(call: Call[None, None]) -> Answer:
    """The logo."""
    return _answer(catalogue.logo(call.desk, call.actor))


def put(call: Call[Logo, None]) -> Answer:
    """The logo, in place of the one that there is."""
    return _answer(catalogue.put_logo(call.desk, call.actor, call.body, call.seen))


def remove(call: Call[None, None]) -> Answer:
    """Take the logo away."""
    catalogue.remove_logo(call.desk, call.actor, call.seen)
    return Answer(status=204)


def _answer(item: catalogue.Item[Logo]) -> Answer:
    return Answer(LogoView(id=item.id, media=item.value.media, data=item.value.data), tag=str(item.version))


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/business/logo",
        handler=find,
        access="read",
        topic=TOPIC,
        summary="Show the business's logo",
        answers={200: LogoView},
    ),
    Route(
        method="PUT",
        pattern="/business/logo",
        handler=put,
        access="admin",
        topic=TOPIC,
        summary="Give the business a logo: PNG, JPEG or WebP of at most 40 KB, in base64",
        body=Logo,
        answers={200: LogoView},
        is_conditional=True,
        example={"media": "image/png", "data": _DOT},
    ),
    Route(
        method="DELETE",
        pattern="/business/logo",
        handler=remove,
        access="admin",
        topic=TOPIC,
        summary="Remove the business's logo",
        answers={204: None},
        is_conditional=True,
    ),
)
