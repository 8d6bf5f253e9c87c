"""Pages for people, drawn from the templates: whatever is put into them is escaped."""

from functools import cache, partial
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from slotkeeper.core.errors import SlotkeeperError
from slotkeeper.web.http import Headers, Request, Response
from slotkeeper.web.look import assets
from slotkeeper.web.look.languages import Speech, chosen
from slotkeeper.web.problems import TABLE, Unexpected, headers_of, kind_of
from slotkeeper.web.routes import HTML

LONGEST_WAY_BACK = 1500


def N_(message: str) -> str:  # noqa: N802 - the name by which gettext's tools know it
    """Mark a message that is said later, in the reader's language."""
    return message


APOLOGIES: dict[int, tuple[str, str]] = {
    403: (
        N_("You may not do that"),
        N_("Your role does not allow this, or the page was open for too long: go back and load it again."),
    ),
    404: (
        N_("There is nothing here"),
        N_(
            "The address may be mistyped, or what it showed is no longer offered. Ask whoever gave it to you for "
            "another."
        ),
    ),
    405: (N_("That does not work here"), N_("This address only shows a page. Go back and try again from there.")),
    413: (N_("That was too much"), N_("What you sent is larger than this page takes. Go back and write less.")),
    429: (
        N_("One moment, please"),
        N_(
            "Many requests came from your network within a short time. Nothing was booked by this one. Wait a minute, "
            "then load this page again."
        ),
    ),
    500: (N_("Something went wrong here"), N_("It is our fault, and we have noted it. Please try again later.")),
    503: (
        N_("We cannot answer right now"),
        N_(
            "Nothing was booked, and nothing is lost. Wait a few seconds, then load this page again: it books once, "
            "however often it is sent."
        ),
    ),
}
"""What is said to people, by status; the sentence for whatever else is about addresses and forms that do not fit."""

_ELSE = (
    N_("That did not work"),
    N_("Something in the address or in the form does not fit. Go back, and try again from there."),
)


def draw(template: str, speech: Speech, base: str, /, **facts: object) -> bytes:
    """The page that the template makes of the facts, in a language. `base` is what all its links begin with."""
    environment = _environment(speech)
    common = {"speech": speech, "base": base, "asset": partial(assets.address, base)}
    return environment.get_template(f"{template}.html").render(common | facts).encode()


def path(base: str, *parts: str, **query: str) -> str:
    """An address of ours; parameters that are empty are left out."""
    address = base + "/".join(["", *(quote(part, safe=":@") for part in parts)])
    given = {name: text for name, text in query.items() if text}
    return f"{address}?{urlencode(given)}" if given else address


def apology(error: SlotkeeperError, request: Request, headers: Headers) -> Response:
    """The page that tells a person of an error. It is the same for everything that is not there."""
    kind = kind_of(error) or TABLE[Unexpected]
    speech = chosen("", request.headers.get("accept-language", ""), "")
    title, text = (speech.say(each) for each in APOLOGIES.get(kind.status, _ELSE))
    body = draw("apology", speech, request.base, title=title, text=text)
    own = (("content-type", HTML), ("cache-control", "no-store"))
    return Response(kind.status, (*own, *headers_of(error), *headers), body)


def ask_to_sign_in(request: Request, headers: Headers) -> Response:
    """The way to the page for signing in, and from there back to where the member wanted to go."""
    business = request.path.split("/")[2]
    wanted = request.path if request.method == "GET" else ""
    wanted += f"?{request.query}" if wanted and request.query else ""
    place = path(request.base, "staff", business, "sign-in", next=wanted if len(wanted) <= LONGEST_WAY_BACK else "")
    return Response(303, (("location", place), ("cache-control", "no-store"), *headers), b"")


@cache
def _environment(speech: Speech) -> Environment:
    environment = Environment(
        loader=PackageLoader("slotkeeper.web"),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(speech.words, newstyle=True)  # type: ignore[attr-defined] # the extension's
    environment.policies["ext.i18n.trimmed"] = True
    return environment
