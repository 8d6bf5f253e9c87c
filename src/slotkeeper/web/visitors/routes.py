"""The routes to the pages for visitors. What draws them is loaded when the first one is asked for."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from slotkeeper.web.routes import HTML, Route, later
from slotkeeper.web.visitors.form import BookingForm

TOPIC = "Pages for visitors"

Step = Literal["home", "times", "form", "book", "booked"]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What an address may say. Anything else in it is passed over: links that are shared gain parameters on the way."""

    day: str = ""
    with_: Annotated[str, Meta(max_length=128)] = msgspec.field(default="", name="with")
    proof: str = ""


def _route(pattern: str, step: Step, summary: str, method: str = "GET") -> Route:
    is_form = method == "POST"
    return Route(
        method=method,
        pattern=pattern,
        handler=later("slotkeeper.web.visitors.booking", step),
        access="public",
        topic=TOPIC,
        summary=summary,
        answers={303: None} if is_form else {200: None},
        body=BookingForm if is_form else None,
        is_form=is_form,
        query=Look,
        is_framed=True,
        media=HTML,
    )


ROUTES: tuple[Route, ...] = (
    _route("/{business}", "home", "Show what can be booked"),
    _route("/{business}/{service}", "times", "Show the free times of a service"),
    _route("/{business}/{service}/{start}", "form", "Show the form for a time"),
    _route("/{business}/{service}/{start}", "book", "Book the time", "POST"),
    _route("/{business}/booked/{id}", "booked", "Show what was booked"),
)
