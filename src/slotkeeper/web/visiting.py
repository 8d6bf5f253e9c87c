"""The routes to the pages for visitors. What draws them is loaded when the first one is asked for."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from slotkeeper.web.booking_form import BookingForm
from slotkeeper.web.routes import HTML, Answer, Call, Handler, Route

TOPIC = "Pages for visitors"

Step = Literal["home", "times", "form", "book", "booked"]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What an address may say. Anything else in it is passed over: links that are shared gain parameters on the way."""

    day: str = ""
    with_: Annotated[str, Meta(max_length=128)] = msgspec.field(default="", name="with")
    proof: str = ""


def _handler(step: Step) -> Handler:
    def handler(call: Call[Any, Any]) -> Answer:
        from slotkeeper.web import booking_page

        answer: Answer = getattr(booking_page, step)(call)
        return answer

    return handler


def _route(pattern: str, step: Step, summary: str, method: str = "GET") -> Route:
    is_form = method == "POST"
    return Route(
        method=method,
        pattern=pattern,
        handler=_handler(step),
        access="public",
        topic=TOPIC,
        summary=summary,
        answers={303: None} if is_form else {200: None},
        body=BookingForm if is_form else None,
        is_form=is_form,
        query=Look,
        media=HTML,
    )


@cache
def _style() -> bytes:
    return (files("slotkeeper.web") / "static" / "booking.css").read_bytes()


ROUTES: tuple[Route, ...] = (
    _route("/{business}", "home", "Show what can be booked"),
    _route("/{business}/{service}", "times", "Show the free times of a service"),
    _route("/{business}/{service}/{start}", "form", "Show the form for a time"),
    _route("/{business}/{service}/{start}", "book", "Book the time", "POST"),
    _route("/{business}/booked/{id}", "booked", "Show what was booked"),
    Route(
        method="GET",
        pattern="/booking.css",
        handler=lambda call: Answer(_style()),
        access="open",
        topic=TOPIC,
        summary="Show how the pages for visitors look",
        answers={200: None},
        media="text/css; charset=utf-8",
    ),
)
