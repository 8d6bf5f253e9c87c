"""All routes of the pages for members."""

from slotkeeper.web.routes import Route
from slotkeeper.web.staff import signing_routes

ROUTES: tuple[Route, ...] = (*signing_routes.ROUTES,)
