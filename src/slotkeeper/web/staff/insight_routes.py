"""The routes of the page that shows how the business is doing, and of its figures as CSV."""

from typing import Annotated

import msgspec
from msgspec import Meta

from slotkeeper.web.routes import HTML, Route, later
from slotkeeper.web.staff.signing_routes import TOPIC

FIGURES = ("bookings", "utilisation", "outcomes", "lead-times", "reminders", "busy-hours")

_HERE = "slotkeeper.web.staff.insight"


class InsightQuery(msgspec.Struct, frozen=True, kw_only=True):
    """From one local date to another, both included; of one service or resource where they are named."""

    from_: Annotated[str, Meta(max_length=10)] = msgspec.field(default="", name="from")
    to: Annotated[str, Meta(max_length=10)] = ""
    service: Annotated[str, Meta(max_length=128)] = ""
    resource: Annotated[str, Meta(max_length=128)] = ""


def _route(rest: str, name: str, summary: str) -> Route:
    return Route(
        method="GET", pattern=f"/staff/{{business}}/insight{rest}", handler=later(_HERE, name), access="staff",
        topic=TOPIC, summary=summary, answers={200: None}, query=InsightQuery, media=HTML,
        by_session=True, takes_long=True,
    )  # fmt: skip


ROUTES: tuple[Route, ...] = (
    _route("", "show", "Show how the business is doing"),
    *(
        _route(f"/{figure}.csv", figure.replace("-", "_"), f"Download {figure.replace('-', ' ')} as CSV")
        for figure in FIGURES
    ),
)
