"""A page for members: what is on all of them, and how one leads to another."""

from typing import Any

from msgspec.structs import replace

from slotkeeper.desk import catalogue
from slotkeeper.web.http import Headers
from slotkeeper.web.look.drawing import draw, path
from slotkeeper.web.look.languages import Speech, chosen
from slotkeeper.web.routes import Answer, Call


def speech_of(call: Call[Any, Any]) -> Speech:
    """The language in which the member reads."""
    return chosen("", call.request.headers.get("accept-language", ""), "")


def page(call: Call[Any, Any], template: str, here: str = "", status: int = 200, /, **facts: object) -> Answer:
    """The page, with the way to the others around it. `here` is the part of the pages in which it stands."""
    session = call.member
    business = catalogue.profile(call.desk, call.actor).value
    common = {"session": session, "business": business, "here": here, "streams": call.streams, "home": staff_path(call)}
    body = draw(f"staff/{template}", speech_of(call), call.request.base, **(common | facts))
    return Answer(body, status)


def staff_path(call: Call[Any, Any], *parts: str, **query: str) -> str:
    """An address among the business's pages for members."""
    return path(call.request.base, "staff", call.ids["business"], *parts, **query)


def go(place: str, headers: Headers = ()) -> Answer:
    """Lead on to another page, after a form was sent (RFC 9110 15.4.4)."""
    return Answer(b"", 303, headers=(("location", place), *headers))


def untold(answer: Answer) -> Answer:
    """The answer, to be kept by nobody: it shows something once."""
    return replace(answer, headers=(*answer.headers, ("cache-control", "no-store")))
