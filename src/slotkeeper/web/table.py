"""The one route table: all that can be asked."""

from slotkeeper.web import appointments, credentials, journal, pages, public, shelves, slots, state, things
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
