"""What a business's pages look like: where its colour and its logo are, for whoever draws or loads them."""

from typing import Any

import msgspec

from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Missing
from slotkeeper.core.service import Business
from slotkeeper.desk import catalogue
from slotkeeper.desk.desk import Desk
from slotkeeper.web.look import theme
from slotkeeper.web.look.assets import ASKED_AGAIN, FOREVER, MEDIA, TOPIC
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


class Branding(msgspec.Struct, frozen=True):
    """Where the business's theme is, empty without one; and its logo, if it has one."""

    theme: str
    logo: Picture | None


def branding_of(desk: Desk, actor: Actor, base: str, business: Business) -> Branding:
    """What the pages of the business load."""
    return Branding(theme_address(base, actor.business, business), logo_of(desk, actor, base))


def theme_address(base: str, id: str, business: Business) -> str:
    """Where the business's theme is; empty without one."""
    return f"{base}/look/{id}/theme.css?v={theme.mark(business.accent)}" if business.accent else ""


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


def serve_theme(call: Call[Any, Any]) -> Answer:
    """The style sheet with the business's colour."""
    accent = catalogue.profile(call.desk, call.actor).value.accent
    if not accent:
        raise Missing("theme", call.actor.business)
    is_this = call.request.query == f"v={theme.mark(accent)}"
    return Answer(theme.style(accent), headers=(("cache-control", FOREVER if is_this else ASKED_AGAIN),))


def serve_logo(call: Call[Any, Any]) -> Answer:
    """The business's logo."""
    found = catalogue.logo(call.desk, call.actor)
    is_this = call.request.query == f"v={found.version}"
    headers = (("content-type", found.value.media), ("cache-control", FOREVER if is_this else ASKED_AGAIN))
    return Answer(found.value.data, tag=str(found.version), headers=headers)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/look/{business}/theme.css",
        handler=serve_theme,
        access="public",
        topic=TOPIC,
        summary="Show a business's colour",
        answers={200: None},
        query=Mark,
        media=MEDIA["css"],
    ),
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
