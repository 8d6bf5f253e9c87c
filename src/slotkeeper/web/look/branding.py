"""A business's logo: where it is, for whoever draws or loads it."""

from typing import Any

import msgspec

from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Missing
from slotkeeper.desk import catalogue
from slotkeeper.desk.desk import Desk
from slotkeeper.web.look.assets import ASKED_AGAIN, FOREVER, TOPIC
from slotkeeper.web.look.pictures import size_of
from slotkeeper.web.routes import Answer, Call, Route

LOGO_HEIGHT = 40
LOGO_WIDTHS = (20, 160)
"""How high a logo is shown, and how wide at least and at most, in pixels of CSS."""


class Picture(msgspec.Struct, frozen=True):
    """Where a logo is, and the room that it takes."""

    address: str
    width: int
    height: int


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Of which content the address is. Anything else in it is passed over."""

    v: str = ""


def logo_of(desk: Desk, actor: Actor, base: str) -> Picture | None:
    """The business's logo, if it has one."""
    try:
        found = catalogue.logo(desk, actor)
    except Missing:
        return None
    width, height = size_of(found.value.media, found.value.data) or (1, 1)
    least, most = LOGO_WIDTHS
    shown = min(max(round(LOGO_HEIGHT * width / height), least), most)
    return Picture(f"{base}/look/{actor.business}/logo?v={found.version}", shown, LOGO_HEIGHT)


def serve_logo(call: Call[Any, Any]) -> Answer:
    """The business's logo."""
    found = catalogue.logo(call.desk, call.actor)
    is_this = call.request.query == f"v={found.version}"
    headers = (("content-type", found.value.media), ("cache-control", FOREVER if is_this else ASKED_AGAIN))
    return Answer(found.value.data, tag=str(found.version), headers=headers)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/look/{business}/logo",
        handler=serve_logo,
        access="public",
        topic=TOPIC,
        summary="Show a business's logo",
        answers={200: None},
        query=Mark,
        media="image/png",
    ),
)
