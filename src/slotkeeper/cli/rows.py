"""An appointment as one row of a file: what is written, what is read, and how cells are kept from being formulas."""

import csv
import io
import re
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta

from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Appointment, Contact, Status
from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import format_instant
from slotkeeper.core.value import Id
from slotkeeper.web.appointments import checked
from slotkeeper.web.bodies import Malformed, bounded, fitted, parse, safe_text
from slotkeeper.web.views import AppointmentView, appointment_view

COLUMNS = (
    "id",
    "status",
    "startTime",
    "endTime",
    "serviceId",
    "resourceIds",
    "customerId",
    "customerName",
    "customerEmail",
    "customerPhone",
    "customerLanguage",
    "customerZone",
    "details",
    "createdTime",
)
"""The columns that are written."""

OTHER_COLUMNS = ("externalId", "userId", "description", "location", "zone", "revision", "expiresTime", "overrode")
"""Columns that may also be read."""

CONTACT_COLUMNS = {
    "customerName": "name",
    "customerEmail": "email",
    "customerPhone": "phone",
    "customerLanguage": "language",
    "customerZone": "zone",
}

# OWASP, CSV injection: a cell that begins with one of these may be run as a formula. Quotes before it are ours.
_FORMULA = re.compile("'*[=+\\-@\t\r\n]")
_GUARDED = re.compile("'+[=+\\-@\t\r\n]")
_ANYONE = Actor(business="", id="", scopes=frozenset(SCOPES))


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An appointment to be read in. `id` or `externalId` is what a second reading is recognised by; `zone`,
    `revision`, `expiresTime` and `overrode` are written for people and not read."""

    id: Annotated[str, Meta(max_length=255)] = ""
    external_id: Annotated[str, Meta(max_length=255)] = ""
    status: Status | None = None
    start_time: Annotated[str, Meta(max_length=40)]
    end_time: Annotated[str, Meta(max_length=40)] | None = None
    service_id: Id | None = None
    resource_ids: Annotated[tuple[Id, ...], Meta(max_length=20)] = ()
    customer_id: Id | None = None
    user_id: Id | None = None
    customer: Contact = Contact()
    details: dict[str, Any] = {}
    created_time: Annotated[str, Meta(max_length=40)] | None = None
    zone: str = ""
    revision: int = 0
    expires_time: str | None = None
    overrode: str = ""


def row_of(appointment: Appointment) -> AppointmentView:
    """The appointment as staff see it in the API."""
    return appointment_view(_ANYONE, appointment)


def cells_of(appointment: Appointment) -> list[str]:
    """The appointment as guarded cells, one for each of `COLUMNS`."""
    contact = appointment.contact
    details = msgspec.json.encode(appointment.details).decode() if appointment.details else ""
    cells = [
        appointment.id,
        appointment.status,
        format_instant(appointment.start),
        format_instant(appointment.end),
        appointment.service_id,
        " ".join(appointment.resource_ids),
        appointment.customer_id,
        *(getattr(contact, field) for field in CONTACT_COLUMNS.values()),
        details,
        format_instant(appointment.created),
    ]
    return [guarded(cell) for cell in cells]


def line_of(cells: list[str]) -> bytes:
    """The cells as a line of CSV (RFC 4180)."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def guarded(cell: str) -> str:
    """The cell, with a quote before it when a spreadsheet could take it for a formula."""
    return "'" + cell if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell without the quote that `guarded` put before it."""
    return cell[1:] if _GUARDED.match(cell) else cell


def row_from_json(line: bytes) -> Row:
    """Raises `Invalid` for a line that is no row."""
    try:
        return _checked(_fitted(parse(line)))
    except Malformed as error:
        raise Invalid(error.message.replace("the body", "the line"), field=error.field) from error


def row_from_cells(columns: list[str], cells: list[str]) -> Row:
    """Raises `Invalid` for cells that are no row; an empty cell says nothing."""
    if len(cells) != len(columns):
        raise Invalid(f"there are {len(cells)} cells under {len(columns)} columns")
    given = {name: unguarded(cell) for name, cell in zip(columns, cells, strict=True) if cell}
    for name, cell in given.items():
        safe_text(cell, name, is_multi_line=name in ("details", "description", "location"))
    body: dict[str, Any] = {name: cell for name, cell in given.items() if name not in CONTACT_COLUMNS}
    body["customer"] = {field: given[name] for name, field in CONTACT_COLUMNS.items() if name in given}
    body["details"] = _details(body)
    if "resourceIds" in body:
        body["resourceIds"] = re.split(r"[\s;,|]+", body["resourceIds"].strip())
    return _checked(_fitted(body, is_text=True))


def check_columns(columns: list[str]) -> None:
    """Raises `Invalid` for a head that names what we do not know, or no start."""
    known = (*COLUMNS, *OTHER_COLUMNS)
    unknown = [name for name in columns if name not in known]
    if len(columns) == 1 and re.search(r"[;\t]", columns[0]):
        raise Invalid("the columns must have commas between them: write the file as CSV with commas")
    if unknown:
        raise Invalid(f"there is no column {unknown[0][:60]!r}; known are {', '.join(known)}")
    if "startTime" not in columns:
        raise Invalid("the first line must name the columns, among them startTime")
    if len(set(columns)) < len(columns):
        raise Invalid("a column is named twice")


def _details(body: dict[str, Any]) -> dict[str, Any]:
    """The details: a JSON object, to which description and location are added."""
    text = body.pop("details", "")
    try:
        details = parse(text.encode()) if text else {}
    except Malformed as error:
        raise Invalid(error.message.replace("the body", "the cell"), field="details") from None
    if not isinstance(details, dict):
        raise Invalid("details must be a JSON object", field="details")
    return details | {name: body.pop(name) for name in ("description", "location") if name in body}


def _fitted(body: Any, *, is_text: bool = False) -> Row:
    try:
        return fitted(body, Row, is_text=is_text)
    except Invalid as error:
        if error.field == "status":
            raise Invalid(f"a status is one of {', '.join(get_args(Status))}", field="status") from error
        raise


def _checked(row: Row) -> Row:
    if row.customer_id and row.user_id and row.customer_id != row.user_id:
        raise Invalid("userId is another name of customerId: use one of them", field="userId")
    bounded(row.details)
    checked(row.customer)
    return row
