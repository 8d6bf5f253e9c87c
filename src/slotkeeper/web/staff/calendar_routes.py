"""The routes of the staff calendar, and what is sent to them. What answers is loaded when it is first asked for."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from slotkeeper.core.value import Id
from slotkeeper.web.appointments import Body, Members, OverrideBody, Reason
from slotkeeper.web.forms import MemberForm
from slotkeeper.web.routes import HTML, JSON, Route, later
from slotkeeper.web.staff.days import Days

TOPIC = "Pages for members"
STREAM = "text/event-stream"

Wall = Annotated[str, Meta(max_length=40)]
Notes = Annotated[str, Meta(max_length=2000)]
Deed = Literal["confirm", "checkIn", "complete", "noShow", "decline", "cancel", "reopen"]

_PAGE = "slotkeeper.web.staff.calendar"
_ONE = "slotkeeper.web.staff.appointments"
_ONES_PAGE = "slotkeeper.web.staff.appointment_pages"


class CalendarQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows is kept in its address, for its script alone to read."""


class DayQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A date, and of whom; today and of all, unless said otherwise."""

    date: Annotated[str, Meta(max_length=10)] = ""
    resource: Annotated[str, Meta(max_length=128)] = ""


class FreeQuery(Days, frozen=True, kw_only=True):
    """Where a visit of the service finds room."""

    service: Annotated[str, Meta(max_length=128)] = ""


class CustomerQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a name, of a mail address or of a number."""

    q: Annotated[str, Meta(max_length=200)] = ""


class MoveBody(Body, frozen=True, kw_only=True):
    """Another time on the wall clock, or others to serve. Without `end` the length stays. Those in `prefer` serve
    beside the others where they can. `offset` tells which of two equal wall times is meant."""

    revision: int
    start: Wall
    end: Wall = ""
    offset: Wall = ""
    resource_ids: Members = ()
    prefer: Members = ()
    override: OverrideBody | None = None


class DeedBody(Body, frozen=True, kw_only=True):
    """What is done, and why."""

    revision: int
    do: Deed
    reason: Reason = ""


class NotesBody(Body, frozen=True, kw_only=True):
    """Other notes."""

    revision: int
    notes: Notes


class NewBody(Body, frozen=True, kw_only=True):
    """A booking at a wall time, for a customer that is known or for one who is described."""

    service_id: Id
    start: Wall
    offset: Wall = ""
    resource_ids: Members = ()
    customer_id: Annotated[str, Meta(max_length=128)] = ""
    name: Annotated[str, Meta(max_length=200)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    notes: Notes = ""
    override: OverrideBody | None = None


class AppointmentForm(MemberForm, frozen=True, kw_only=True):
    """What is done with an appointment by a page without script."""

    do: Annotated[str, Meta(max_length=20)] = ""
    revision: Annotated[str, Meta(max_length=20)] = ""
    date: Annotated[str, Meta(max_length=10)] = ""
    time: Annotated[str, Meta(max_length=8)] = ""
    offset: Wall = ""
    minutes: Annotated[str, Meta(max_length=6)] = ""
    resource: Annotated[str, Meta(max_length=128)] = ""
    reason: Annotated[str, Meta(max_length=500)] = ""
    override: Annotated[str, Meta(max_length=500)] = ""
    notes: Notes = ""


class NewForm(MemberForm, frozen=True, kw_only=True):
    """A booking by a page without script."""

    service: Annotated[str, Meta(max_length=128)] = ""
    start: Wall = ""
    resource: Annotated[str, Meta(max_length=128)] = ""
    name: Annotated[str, Meta(max_length=200)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    notes: Notes = ""
    once: Annotated[str, Meta(max_length=80)] = ""


class NewQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be booked, as far as it has been chosen."""

    service: Annotated[str, Meta(max_length=128)] = ""
    date: Annotated[str, Meta(max_length=10)] = ""
    resource: Annotated[str, Meta(max_length=128)] = ""


def _asked(pattern: str, module: str, name: str, summary: str, media: str = JSON, **others: Any) -> Route:
    return Route(
        method="GET", pattern=f"/staff/{{business}}{pattern}", handler=later(module, name), access="staff",
        topic=TOPIC, summary=summary, answers={200: None}, media=media, by_session=True, **others,
    )  # fmt: skip


def _sent(pattern: str, name: str, summary: str, body: type[msgspec.Struct], **others: Any) -> Route:
    is_form = issubclass(body, MemberForm)
    return Route(
        method="POST", pattern=f"/staff/{{business}}{pattern}", handler=later(_ONES_PAGE if is_form else _ONE, name),
        access="staff", topic=TOPIC, summary=summary, body=body, is_form=is_form, refuses=not is_form, by_session=True,
        answers={303: None} if is_form else {200: None}, media=HTML if is_form else JSON, **others,
    )  # fmt: skip


ROUTES: tuple[Route, ...] = (
    _asked("", _PAGE, "show", "Show the calendar", HTML, query=CalendarQuery),
    _asked("/day", _PAGE, "day", "Show a day as a list", HTML, query=DayQuery),
    _asked("/calendar.json", _PAGE, "feed", "Tell what the calendar shows of some days", query=Days),
    _asked("/calendar/free", _PAGE, "free", "Tell where a visit of a service finds room", query=FreeQuery),
    _asked("/calendar/customers", _PAGE, "customers", "Find customers by name or mail address", query=CustomerQuery),
    _asked("/changes", _PAGE, "changes", "Tell the number of the last event"),
    _asked("/changes/stream", _PAGE, "stream", "Tell it whenever it grows", STREAM),
    _asked("/appointments/{id}", _ONES_PAGE, "show", "Show an appointment", HTML),
    _asked("/appointments/{id}/details", _ONE, "details", "Tell all about an appointment"),
    _asked("/appointments/{id}/free", _ONE, "free", "Tell where an appointment could go", query=Days),
    _asked("/new", _ONES_PAGE, "new", "Show the form to book", HTML, query=NewQuery),
    _sent("/new", "book_by_form", "Book by a form", NewForm, query=NewQuery),
    _sent("/appointments", "book", "Book", NewBody, is_repeatable=True),
    _sent("/appointments/{id}", "change", "Change an appointment by a form", AppointmentForm),
    _sent("/appointments/{id}/move", "move", "Move an appointment", MoveBody, is_repeatable=True),
    _sent("/appointments/{id}/deed", "act", "Take an appointment to another state", DeedBody, is_repeatable=True),
    _sent("/appointments/{id}/notes", "note", "Write other notes", NotesBody, is_repeatable=True),
)
