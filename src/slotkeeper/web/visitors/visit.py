"""The page that a link in a mail opens: see the appointment, say that one will come, cancel it, put it in a calendar.

Mail scanners follow links, so looking changes nothing: every change is a form that was sent. The token in the address
is the only credential, and it reaches this one appointment.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from slotkeeper.core.errors import Outdated, TooLate, WrongState
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import changing
from slotkeeper.linking import Expired
from slotkeeper.notices.calendar import MEDIA, calendar_file, calendar_links
from slotkeeper.web.bodies import without_unsafe
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.visitors.visit_page import HIDDEN, LINK, Visit, faded, go, opened, page
from slotkeeper.web.visitors.visit_routes import LONGEST_REASON, CancelForm, VisitForm, VisitQuery

Handler = Callable[[Call[Any, VisitQuery]], Answer]

CHANGED = N_("It has changed while you looked. Nothing was done: here it is as it is now.")
CLOSED = N_("This can no longer be changed here. Nothing was done: here it is as it is now.")


def linked(handler: Callable[[Call[Any, VisitQuery], Visit], Answer]) -> Handler:
    """The handler, given what the link opens; a link whose time is over is told so."""

    @wraps(handler)
    def opening(call: Call[Any, VisitQuery]) -> Answer:
        try:
            it = opened(call)
        except Expired:
            return faded(call)
        return handler(call, it)

    return opening


@linked
def show(call: Call[None, VisitQuery], it: Visit) -> Answer:
    """The appointment as it is now, and what can be done with it."""
    return shown(it)


@linked
def calendar(call: Call[None, VisitQuery], it: Visit) -> Answer:
    """The appointment as a file for a calendar."""
    link = f"{_origin(call)}{it.path()}"
    host = _host(call).partition(":")[0]
    file = calendar_file(it.business, it.service, it.appointment, it.names, link, host)
    named = 'attachment; filename="appointment.ics"'
    return Answer(file, headers=(("content-type", MEDIA), ("content-disposition", named), *HIDDEN))


@linked
def attend(call: Call[VisitForm, VisitQuery], it: Visit) -> Answer:
    """Note that the customer will come."""
    try:
        changing.attend(it.desk, it.actor, request(it, call.body))
    except Outdated:
        return shown(opened(call), CHANGED, 409)
    except (WrongState, TooLate):
        return shown(opened(call), CLOSED, 409)
    return go(it.path(done="attending"))


@linked
def ask_to_cancel(call: Call[None, VisitQuery], it: Visit) -> Answer:
    """Ask whether it is really to be cancelled."""
    if not it.is_open:
        return shown(it)
    return page(it, "visit_cancel", longest=LONGEST_REASON)


@linked
def cancel(call: Call[CancelForm, VisitQuery], it: Visit) -> Answer:
    """Cancel the appointment."""
    reason = without_unsafe(call.body.reason, is_multi_line=True).strip()[:LONGEST_REASON]
    try:
        changing.act(it.desk, it.actor, "cancel", request(it, call.body, reason))
    except Outdated:
        return shown(opened(call), CHANGED, 409)
    except (WrongState, TooLate):
        return shown(opened(call), CLOSED, 409)
    return go(it.path(done="cancelled"))


def request(it: Visit, form: VisitForm, reason: str = "") -> changing.Request:
    """The change that a form asks for: once, and of the appointment as its sender saw it."""
    return changing.Request(id=it.appointment.id, seen_revision=form.revision, request_key=form.once, reason=reason)


def shown(it: Visit, warning: str = "", status: int = 200) -> Answer:
    """The page of the appointment; with a warning when something else was asked for."""
    last = it.appointment.events[-1]
    # The links to web calendars do not have our link in them: their makers need not be able to cancel.
    return page(
        it,
        "visit",
        status,
        warning=it.speech.say(warning) if warning else "",
        is_new=bool(it.query.new),
        just_moved=it.query.done == "moved" and last.type == "moved",
        own_doing=last.by == LINK,
        reason="" if last.by == LINK else last.reason,
        links=calendar_links(it.business, it.service, it.appointment, it.names, ""),
        notice_hours=_notice(it),
    )


def _notice(it: Visit) -> str:
    """How long before the start changes end, in words; empty when they may be made until then."""
    seconds = Instant(it.appointment.start - it.deadline)
    return it.speech.length(seconds // 60) if seconds else ""


def _host(call: Call[Any, VisitQuery]) -> str:
    return call.request.headers.get("host", "localhost")


def _origin(call: Call[Any, VisitQuery]) -> str:
    host = _host(call)
    is_here = host.partition(":")[0] in ("localhost", "127.0.0.1")
    return f"{'http' if is_here else 'https'}://{host}"
