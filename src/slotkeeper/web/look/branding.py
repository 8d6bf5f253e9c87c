"""What a business's pages look like: where its colour and its logo are, for whoever draws or loads them."""

from typing import Any

from slotkeeper.core.errors import Missing
from slotkeeper.core.service import Business
from slotkeeper.desk import catalogue
from slotkeeper.web.look import theme
from slotkeeper.web.look.assets import ASKED_AGAIN, FOREVER, MEDIA, TOPIC
from slotkeeper.web.routes import Answer, Call, Route


def theme_address(base: str, id: str, business: Business) -> str:
    """Where the business's theme is; empty without one."""
    return f"{base}/look/{id}/theme.css?v={theme.mark(business.accent)}" if business.accent else ""


def serve_theme(call: Call[Any, Any]) -> Answer:
    """The style sheet with the business's colour."""
    accent = catalogue.profile(call.desk, call.actor).value.accent
    if not accent:
        raise Missing("theme", call.actor.business)
    is_this = call.request.query == f"v={theme.mark(accent)}"
    return Answer(theme.style(accent), headers=(("cache-control", FOREVER if is_this else ASKED_AGAIN),))


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/look/{business}/theme.css",
        handler=serve_theme,
        access="public",
        topic=TOPIC,
        summary="Show a business's colour",
        answers={200: None},
        media=MEDIA["css"],
    ),
)
