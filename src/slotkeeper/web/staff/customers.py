"""Customers: finding them, and what is known of one, with their appointments.

Whoever booked by themselves is a customer too, though nobody has written anything about them yet: the latest
appointments tell of them.
"""

from typing import Any

import msgspec

from slotkeeper.core.appointment import Appointment, Contact, Customer
from slotkeeper.core.errors import Missing
from slotkeeper.core.names import in_order
from slotkeeper.core.ticks import DAY_SECONDS
from slotkeeper.desk import catalogue
from slotkeeper.documents import decoded
from slotkeeper.web.forms import DeclaredForm
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff import keeping, things
from slotkeeper.web.staff.fields import Filled, blank, written
from slotkeeper.web.staff.keeping import Kept
from slotkeeper.web.staff.kinds import CUSTOMERS
from slotkeeper.web.staff.lines import lists_of
from slotkeeper.web.staff.page import page, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import DoneQuery, FindQuery

PAGE = 50
LOOKED_AT = 1000
"""In how many of the latest appointments we look for customers of whom nobody has written anything."""

LOOKED_AHEAD = 30 * DAY_SECONDS
SHOWN = 100


class Known(msgspec.Struct, frozen=True):
    """A customer in the list. `is_described`: somebody has written about them."""

    id: str
    contact: Contact
    is_described: bool


def listed(call: Call[None, FindQuery]) -> Answer:
    """The customers by name, those only who fit what was typed."""
    query = call.query
    found = _fitting(_known(call), query.q)
    last = max(1, -(-len(found) // PAGE))
    number = min(query.page, last)
    return page(
        call,
        "customers",
        "customers",
        200,
        thing=CUSTOMERS,
        found=found[(number - 1) * PAGE : number * PAGE],
        count=len(found),
        typed=query.q,
        number=number,
        last=last,
        earlier=staff_path(call, "customers", q=query.q, page=str(number - 1)) if number > 1 else "",
        later=staff_path(call, "customers", q=query.q, page=str(number + 1)) if number < last else "",
        may_write=things.may_write(call, CUSTOMERS),
        done=things.said_of(query.done),
    )


def show(call: Call[None, DoneQuery]) -> Answer:
    """What is known of a customer, and their appointments, the latest first."""
    id = call.ids["id"]
    described = _described(call, id)
    booked = _appointments(call, id)
    if described is None and not booked:
        raise Missing("customer", id)
    contact: Contact = described.value if described else booked[0].contact
    profile, lists, speech, now = (
        catalogue.profile(call.desk, call.actor).value,
        lists_of(call),
        speech_of(call),
        call.desk.now(),
    )
    rows = [
        (
            staff_path(call, "appointments", each.id),
            speech.span(each.start, each.end, profile.zone),
            lists.name("service", each.service_id),
            each.status,
            each.start > now,
        )
        for each in booked
    ]
    return page(
        call,
        "customer_page",
        "customers",
        200,
        contact=contact,
        language=dict(lists.options("language")).get(contact.language, contact.language),
        notes=described.value.notes if described else "",
        coming=[row for row in reversed(rows) if row[4]],
        past=[row for row in rows if not row[4]],
        is_all=len(rows) < SHOWN,
        edit=staff_path(call, "customers", id, "edit"),
        may_write=things.may_write(call, CUSTOMERS),
        done=things.said_of(call.query.done),
    )


def edit(call: Call[None, DoneQuery]) -> Answer:
    """The form for a customer; what appointments tell stands in it, when nobody has written anything yet."""
    id = call.ids["id"]
    kept = _described(call, id)
    if kept is not None:
        return things.form_page(call, CUSTOMERS, Filled(written(CUSTOMERS.fields, kept.value), {}, {}), kept)
    booked = _appointments(call, id, 1)
    if not booked:
        raise Missing("customer", id)
    contact = booked[0].contact
    texts = {"name": contact.name, "email": contact.email, "phone": contact.phone, "language": contact.language,
             "zone": contact.zone}  # fmt: skip
    new = Kept(id, "0", Customer(name=contact.name or id))
    return things.form_page(call, CUSTOMERS, Filled(blank(CUSTOMERS.fields, **texts), {}, {}), new)


def change(call: Call[DeclaredForm, None]) -> Answer:
    """Keep what the form says of a customer, known before or not."""
    id = call.ids["id"]
    if _described(call, id) is None and not _appointments(call, id, 1):
        raise Missing("customer", id)
    return things.change(call, "customers", _described(call, id) or Kept(id, "0", Customer(name=id)))


def _described(call: Call[Any, Any], id: str) -> Kept | None:
    try:
        return keeping.one_of(call, CUSTOMERS, id)
    except Missing:
        return None


def _known(call: Call[Any, Any]) -> list[Known]:
    described = {
        item.id: Known(item.id, item.value, True) for item in catalogue.items(call.desk, call.actor, "customer")
    }
    last = f"{call.desk.now() + LOOKED_AHEAD:012d}"
    docs = call.desk.store.list("start", call.actor.business, last=last, limit=LOOKED_AT, reverse=True).docs
    for appointment in (decoded(doc, Appointment) for doc in docs):
        if appointment.customer_id and appointment.customer_id not in described:
            described[appointment.customer_id] = Known(appointment.customer_id, appointment.contact, False)
    return sorted(described.values(), key=lambda each: in_order(each.contact.name or each.contact.email or each.id))


def _fitting(known: list[Known], typed: str) -> list[Known]:
    wanted = typed.strip().casefold()
    digits = "".join(filter(str.isdigit, wanted)) if wanted and not any(map(str.isalpha, wanted)) else ""

    def fits(each: Known) -> bool:
        contact = each.contact
        is_number = bool(digits) and digits in "".join(filter(str.isdigit, contact.phone))
        return wanted in contact.name.casefold() or wanted in contact.email.casefold() or is_number

    return [each for each in known if fits(each)] if wanted else known


def _appointments(call: Call[Any, Any], id: str, limit: int = SHOWN) -> list[Appointment]:
    docs = call.desk.store.list("customer", f"{call.actor.business}/{id}", limit=limit, reverse=True).docs
    return [decoded(doc, Appointment) for doc in docs]
