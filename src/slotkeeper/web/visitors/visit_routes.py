"""The routes of the pages that a link in a mail opens: one appointment, to see, move or cancel."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from slotkeeper.web.routes import HTML, Route, later
from slotkeeper.web.visitors.routes import TOPIC

LONGEST_REASON = 500

_HERE, _MOVING = "slotkeeper.web.visitors.visit", "slotkeeper.web.visitors.visit_moving"
_PATTERN = "/visit/{business}/{token}"


class VisitQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What an address may say: that it was just booked (`new`) or changed (`done`), and in which days and with whom to
    look for another time. `lang`, `zone` and `embed` are as on the booking pages. Anything else is passed over."""

    lang: Annotated[str, Meta(max_length=16)] = ""
    zone: Annotated[str, Meta(max_length=64)] = ""
    embed: Annotated[str, Meta(max_length=1)] = ""
    new: str = ""
    done: str = ""
    day: Annotated[str, Meta(max_length=10)] = ""
    with_: Annotated[str, Meta(max_length=128)] = msgspec.field(default="", name="with")


class VisitForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every form sends: `once` came with the page and makes sending it twice the same as once; `revision` is that
    of the appointment as the page showed it."""

    once: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{32,64}\Z")]
    revision: Annotated[str, Meta(pattern=r"^[0-9]{1,12}\Z")]


class CancelForm(VisitForm, frozen=True, kw_only=True):
    """Why it is cancelled, if the customer likes to say."""

    reason: str = ""


def _route(method: str, rest: str, module: str, name: str, summary: str, **others: Any) -> Route:
    return Route(
        method=method, pattern=_PATTERN + rest, handler=later(module, name), access="public", topic=TOPIC,
        summary=summary, query=VisitQuery, is_framed=True, is_form=method == "POST", media=HTML,
        answers={303: None} if method == "POST" else {200: None}, **others,
    )  # fmt: skip


ROUTES: tuple[Route, ...] = (
    _route("GET", "", _HERE, "show", "Show the appointment that the link opens"),
    _route("GET", "/calendar.ics", _HERE, "calendar", "Download the appointment for a calendar"),
    _route("POST", "/attend", _HERE, "attend", "Say that one will come", body=VisitForm),
    _route("GET", "/cancel", _HERE, "ask_to_cancel", "Ask whether to cancel"),
    _route("POST", "/cancel", _HERE, "cancel", "Cancel the appointment", body=CancelForm),
    _route("GET", "/move", _MOVING, "times", "Show the times to which the appointment can move"),
    _route("GET", "/move/{start}", _MOVING, "ask_to_move", "Ask whether to move it there"),
    _route("POST", "/move/{start}", _MOVING, "move", "Move the appointment", body=VisitForm),
)  # fmt: skip
