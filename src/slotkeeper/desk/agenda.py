"""Finding appointments: one by its id, or many by time, customer, resource, service and status."""

import msgspec

from slotkeeper.contracts import ListName
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment, Status
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.changing import find
from slotkeeper.desk.desk import Desk
from slotkeeper.documents import agenda_sort, decoded
from slotkeeper.ledger import Reading

PAGE, PAGES = 200, 10
"""One call looks at no more appointments than this for those that fit: an answer may be short and still go on."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Appointments that start in `first <= start < last` and fit what else is named."""

    first: Instant
    last: Instant
    customer_id: str = ""
    resource_id: str = ""
    service_id: str = ""
    statuses: frozenset[Status] = frozenset()

    def fits(self, appointment: Appointment) -> bool:
        return (
            self.resource_id in ("", *appointment.resource_ids)
            and self.service_id in ("", appointment.service_id)
            and self.customer_id in ("", appointment.customer_id)
            and (not self.statuses or appointment.status in self.statuses)
        )


class Listing(msgspec.Struct, frozen=True):
    """Some appointments, by start, and where to go on; None when that was all."""

    appointments: list[Appointment]
    after: str | None


def appointment(desk: Desk, actor: Actor, id: str) -> Appointment:
    """Raises `Missing` when there is none, or it is another customer's."""
    return find(Reading(desk.store), actor, id)


def appointments(desk: Desk, actor: Actor, wanted: Filter, *, limit: int, after: str | None = None) -> Listing:
    """Up to `limit` appointments that fit, by start. A customer's credential sees that customer's only, and one for a
    single appointment finds none: it knows which."""
    if actor.appointment_id:
        return Listing([], None)
    if actor.customer_id and wanted.customer_id not in ("", actor.customer_id):
        return Listing([], None)
    customer_id = actor.customer_id or wanted.customer_id
    name: ListName = "customer" if customer_id else "start"
    part = f"{actor.business}/{customer_id}" if customer_id else actor.business
    first, last = f"{wanted.first:012d}", f"{wanted.last:012d}"
    found: list[Appointment] = []
    for _ in range(PAGES):
        page = desk.store.list(name, part, first=first, last=last, after=after, limit=PAGE)
        for doc in page.docs:
            appointment = decoded(doc, Appointment)
            after = agenda_sort(appointment)
            if wanted.fits(appointment):
                found.append(appointment)
            if len(found) == limit:
                return Listing(found, after)
        if page.after is None:
            return Listing(found, None)
    return Listing(found, after)
