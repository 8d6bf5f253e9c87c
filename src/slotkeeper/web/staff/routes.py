"""All routes of the pages for members."""

from slotkeeper.web.routes import Route
from slotkeeper.web.staff import calendar_routes, insight_routes, setup_routes, signing_routes

ROUTES: tuple[Route, ...] = (
    *signing_routes.ROUTES,
    *calendar_routes.ROUTES,
    *setup_routes.ROUTES,
    *insight_routes.ROUTES,
)
