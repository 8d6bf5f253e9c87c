"""Pages for people, drawn from the templates: whatever is put into them is escaped."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from slotkeeper.core.errors import SlotkeeperError
from slotkeeper.web.http import Headers, Response
from slotkeeper.web.problems import TABLE, Unexpected, headers_of, kind_of
from slotkeeper.web.routes import HTML

APOLOGIES: dict[int, tuple[str, str]] = {
    404: (
        "There is nothing here",
        "The address may be mistyped, or what it showed is no longer offered. Ask whoever gave it to you for another.",
    ),
    405: ("That does not work here", "This address only shows a page. Go back and try again from there."),
    413: ("That was too much", "What you sent is larger than this page takes. Go back and write less."),
    429: (
        "One moment, please",
        "Many requests came from your network within a short time. Nothing was booked by this one. Wait a minute, then "
        "load this page again.",
    ),
    500: ("Something went wrong here", "It is our fault, and we have noted it. Please try again later."),
    503: (
        "We cannot answer right now",
        "Nothing was booked, and nothing is lost. Wait a few seconds, then load this page again: it books once, "
        "however often it is sent.",
    ),
}
"""What is said to people, by status; the sentence for whatever else is about addresses and forms that do not fit."""

_ELSE = (
    "That did not work",
    "Something in the address or in the form does not fit. Go back, and try again from there.",
)


def draw(template: str, /, **facts: object) -> bytes:
    """The page that the template makes of the facts."""
    return _environment().get_template(f"booking/{template}.html").render(facts).encode()


def apology(error: SlotkeeperError, headers: Headers) -> Response:
    """The page that tells a person of an error. It is the same for everything that is not there."""
    kind = kind_of(error) or TABLE[Unexpected]
    title, text = APOLOGIES.get(kind.status, _ELSE)
    body = draw("apology", title=title, text=text)
    own = (("content-type", HTML), ("cache-control", "no-store"))
    return Response(kind.status, (*own, *headers_of(error), *headers), body)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("slotkeeper.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
