"""The one route table: all that can be asked."""

from slotkeeper.web import (
    appointments,
    credentials,
    journal,
    logo,
    pages,
    public,
    shelves,
    slots,
    state,
    things,
)
from slotkeeper.web.look import assets, branding
from slotkeeper.web.routes import Route
from slotkeeper.web.staff import routes as staff
from slotkeeper.web.visitors import routes as visitors
from slotkeeper.web.visitors import visit_routes

API: tuple[Route, ...] = (
    *appointments.ROUTES,
    *slots.ROUTES,
    *public.ROUTES,
    *things.ROUTES,
    *logo.ROUTES,
    *shelves.ROUTES,
    *journal.ROUTES,
    *credentials.ROUTES,
    *state.ROUTES,
)
ROUTES: tuple[Route, ...] = (*API, *pages.routes(API))
"""What programs ask, and the pages that tell of it: the OpenAPI document holds these."""

PAGES: tuple[Route, ...] = (*assets.ROUTES, *branding.ROUTES, *staff.ROUTES, *visitors.ROUTES, *visit_routes.ROUTES)
"""What people ask by their browsers: the pages for visitors and for members, and what these load."""

ALL: tuple[Route, ...] = (*ROUTES, *PAGES)
"""All that can be asked."""

RESERVED = (frozenset(route.pattern.split("/")[1] for route in ALL) - {"", "{business}"}) | {
    "login", "look", "metrics", "staff", "static", "visit",
}  # fmt: skip
"""What no business can be called: a visitor who asked for its page would get another answer, now or later."""
