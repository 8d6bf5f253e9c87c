"""The one route table: all that can be asked."""

from slotkeeper.web import (
    appointments,
    credentials,
    journal,
    pages,
    public,
    shelves,
    slots,
    state,
    things,
    visiting,
)
from slotkeeper.web.routes import Route

API: tuple[Route, ...] = (
    *appointments.ROUTES,
    *slots.ROUTES,
    *public.ROUTES,
    *things.ROUTES,
    *shelves.ROUTES,
    *journal.ROUTES,
    *credentials.ROUTES,
    *state.ROUTES,
)
ROUTES: tuple[Route, ...] = (*API, *pages.routes(API))
"""What programs ask, and the pages that tell of it: the OpenAPI document holds these."""

ALL: tuple[Route, ...] = (*ROUTES, *visiting.ROUTES)
"""All that can be asked, with the pages for visitors."""

RESERVED = (frozenset(route.pattern.split("/")[1] for route in ALL) - {"", "{business}"}) | {
    "login", "metrics", "staff", "static",
}  # fmt: skip
"""What no business can be called: a visitor who asked for its page would get another answer, now or later."""
