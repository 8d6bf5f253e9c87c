"""The routes to the pages on which visitors book. What draws them is loaded when the first one is asked for."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from slotkeeper.web.routes import HTML, Route, later

TOPIC = "Pages for visitors"

Step = Literal["home", "times", "form", "book"]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What an address may say. Anything else in it is passed over: links that are shared gain parameters on the way.

    `lang`, `zone` and `embed` are carried on by every link: the language that was asked for, the zone of the visitor's
    clock, and that a page of somebody else's shows ours. `hold` is the visitor's own hold, whose time counts as free.
    """

    day: str = ""
    with_: Annotated[str, Meta(max_length=128)] = msgspec.field(default="", name="with")
    lang: str = ""
    zone: str = ""
    embed: str = ""
    hold: str = ""


class BookingForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent, as it was typed. `once` came with the empty form, and makes sending it twice book once; `hold` is
    what keeps the time, if something does; `show`: the form is to be shown for this time, and nothing booked."""

    name: str = ""
    email: str = ""
    phone: str = ""
    notes: str = ""
    once: str = ""
    hold: str = ""
    show: str = ""


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
    Route(
        method="GET",
        pattern="/embed.js",
        handler=later("slotkeeper.web.visitors.embedding", "script"),
        access="open",
        topic=TOPIC,
        summary="Show the script that puts the booking pages into a page of somebody else's",
        answers={200: None},
        media="text/javascript; charset=utf-8",
    ),
)
