"""What is checked before a thing of the catalogue is kept: that it makes sense, and that what it names is there."""

from collections.abc import Callable, Iterable
from typing import Any

from slotkeeper.contracts import Change
from slotkeeper.core import service as core
from slotkeeper.core.appointment import Customer
from slotkeeper.core.errors import Invalid
from slotkeeper.core.hours import DAY_MINUTES
from slotkeeper.core.service import Pool, Resource, Service
from slotkeeper.desk.facts import groups_of
from slotkeeper.documents import CatalogueKind, Template, kind_key
from slotkeeper.ledger import Reading

Check = Callable[[Reading, str, Any], None]

BESIDE_SHEETS = 5
"""What a booking may write beside sheets: itself, two tallies, the hold that it uses up, an entry in the audit log."""


def check_pool(reading: Reading, business: str, pool: Pool) -> None:
    core.check_apart([pool.resource_ids])
    demand(reading, business, "resource", pool.resource_ids, "resourceIds")


def check_resource(reading: Reading, business: str, resource: Resource) -> None:
    core.named_zone(resource.zone, "zone")
    demand(reading, business, "schedule", [resource.schedule_id], "scheduleId")


def check_service(reading: Reading, business: str, service: Service) -> None:
    core.check_service(service)
    demand(reading, business, "schedule", [service.schedule_id], "scheduleId")
    for number, need in enumerate(service.needs):
        demand(reading, business, "resource", need.all_of, f"needs[{number}].allOf")
        demand(reading, business, "pool", [need.any_of], f"needs[{number}].anyOf")
    groups = groups_of(reading, business, service)
    core.check_apart([ids for ids, _ in groups])
    for ids, count in groups:
        if count > len(ids):
            raise Invalid(f"{count} are needed of a pool of {len(ids)}", field="needs")
    _check_commit(service, sum(count for _, count in groups))


def _check_commit(service: Service, needed: int) -> None:
    """Raises `Invalid` when a booking would touch more sheets than one commit may: it would be offered and refused."""
    minutes = service.buffer_before_minutes + service.duration_minutes + service.buffer_after_minutes
    days = -(-minutes // DAY_MINUTES) + 1
    if needed * days > Change.LIMIT - BESIDE_SHEETS:
        raise Invalid(
            f"no booking can claim {needed} staff and rooms over {days} days: need fewer of them, or for less time",
            field="needs",
        )


def check_customer(reading: Reading, business: str, customer: Customer) -> None:
    core.mail_address(customer.email, "email")
    if customer.zone:
        core.named_zone(customer.zone, "zone")


def check_template(reading: Reading, business: str, template: Template) -> None:
    from slotkeeper.notices import templates  # Jinja2 is loaded by those who write templates only

    templates.check_template(template)
    demand(reading, business, "service", [template.service_id or None], "serviceId")


def demand(reading: Reading, business: str, kind: CatalogueKind, ids: Iterable[str | None], field: str) -> None:
    """Raises `Invalid` at `field` for the first id that names nothing."""
    keys = [kind_key(business, kind, id) for id in ids if id is not None]
    reading.fetch(keys)
    for key in keys:
        if reading.doc(key) is None:
            raise Invalid(f"there is no {kind} {key.sort!r}", field=field)
