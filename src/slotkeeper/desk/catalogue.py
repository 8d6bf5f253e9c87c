"""The catalogue: services, resources, pools, schedules, customers, templates; reminder rules and webhooks; time off.

Every change is checked against what it refers to, and leaves an entry in the audit log.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Generic, Literal, TypeVar

import msgspec

from slotkeeper.contracts import Put, Range
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Customer
from slotkeeper.core.errors import InUse, Invalid, Missing, Outdated
from slotkeeper.core.hours import Schedule
from slotkeeper.core.hours import check as check_schedule
from slotkeeper.core.logo import Logo, check_logo
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import (
    Business,
    Pool,
    Resource,
    Service,
    check_apart,
    check_business,
)
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.desk.audit import record
from slotkeeper.desk.checking import (
    Check,
    check_customer,
    check_pool,
    check_resource,
    check_service,
    check_template,
    demand,
)
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import groups_of
from slotkeeper.documents import (
    CatalogueKind,
    Template,
    TimeOff,
    Webhook,
    business_key,
    decoded,
    encoded,
    kind_key,
    kind_part,
    logo_key,
    shelf_key,
    time_off_key,
)
from slotkeeper.ledger import Draft, Reading, settle

T = TypeVar("T", bound=msgspec.Struct)
Shelf = Literal["reminderRules", "webhooks"]

MAX_ON_SHELF = 100
MAX_TIME_OFF = 500
LONGEST_TIME_OFF_DAYS = 3660


class Item(msgspec.Struct, Generic[T], frozen=True):
    """One thing of the catalogue; `version` grows with each change."""

    id: str
    version: int
    value: T


KINDS: dict[CatalogueKind, tuple[type[msgspec.Struct], str, Check]] = {
    "service": (Service, "svc", check_service),
    "resource": (Resource, "res", check_resource),
    "pool": (Pool, "pool", check_pool),
    "schedule": (Schedule, "sch", lambda reading, business, schedule: check_schedule(schedule)),
    "customer": (Customer, "cus", check_customer),
    "template": (Template, "tpl", check_template),
}
"""For each kind its type, the prefix of its ids, and what is checked before it is kept."""

SHELVES: dict[Shelf, tuple[type[msgspec.Struct], str]] = {
    "reminderRules": (ReminderRule, "rem"),
    "webhooks": (Webhook, "whk"),
}


def items(desk: Desk, actor: Actor, kind: CatalogueKind) -> list[Item[Any]]:
    """All of a kind, by id."""
    [docs] = desk.store.read_ranges([Range(kind_part(actor.business, kind), "", "\U0010ffff")])
    return [Item(doc.key.sort, doc.version, decoded(doc, KINDS[kind][0])) for doc in docs]


def item(desk: Desk, actor: Actor, kind: CatalogueKind, id: str) -> Item[Any]:
    """Raises `Missing` when there is none."""
    doc = Reading(desk.store).doc(kind_key(actor.business, kind, id))
    if doc is None:
        raise Missing(kind, id)
    return Item(id, doc.version, decoded(doc, KINDS[kind][0]))


def create(desk: Desk, actor: Actor, kind: CatalogueKind, value: Any) -> Item[Any]:
    """Keep a new thing under a random id.

    Raises:
        Invalid: it contradicts itself or names what is not there.
    """
    return put(desk, actor, kind, desk.new_id(KINDS[kind][1]), value)


def put(desk: Desk, actor: Actor, kind: CatalogueKind, id: str, value: Any, seen_version: str = "") -> Item[Any]:
    """Keep a thing under an id of the caller's choice, in place of what is there.

    Raises:
        Invalid: it contradicts itself or names what is not there. Outdated: `seen_version` is not the current one.
        InUse: a service would need one resource twice.
    """

    def decide(reading: Reading, draft: Draft) -> Item[Any]:
        key = kind_key(actor.business, kind, id)
        _check_seen(seen_version, reading.version(key))
        KINDS[kind][2](reading, actor.business, value)
        if kind == "pool":
            _check_pool_fits(desk, reading, actor, id, value)
        draft.put(Put(key, encoded(value)))
        record(draft, actor, desk.now(), desk.new_id, "put", f"{kind}/{id}")
        return Item(id, reading.version(key) + 1, value)

    return settle(desk.store, decide)


def remove(desk: Desk, actor: Actor, kind: CatalogueKind, id: str, seen_version: str = "") -> None:
    """Take a thing away. What is past keeps its id.

    Raises:
        Missing: there is none. Outdated: as named. InUse: another thing of the catalogue refers to it.
    """

    def decide(reading: Reading, draft: Draft) -> None:
        key = kind_key(actor.business, kind, id)
        if reading.doc(key) is None:
            raise Missing(kind, id)
        _check_seen(seen_version, reading.version(key))
        user = next(_users(desk, actor, kind, id), None)
        if user is not None:
            raise InUse(f"{user} still refers to {kind} {id}: change that first", facts={"usedBy": user})
        draft.delete(key)
        record(draft, actor, desk.now(), desk.new_id, "delete", f"{kind}/{id}")

    settle(desk.store, decide)


def profile(desk: Desk, actor: Actor) -> Item[Business]:
    """The business itself."""
    doc = Reading(desk.store).doc(business_key(actor.business))
    if doc is None:
        raise Missing("business", actor.business)
    return Item(actor.business, doc.version, decoded(doc, Business))


def put_profile(desk: Desk, actor: Actor, value: Business, seen_version: str = "") -> Item[Business]:
    """Describe the business anew.

    Raises:
        Invalid, Outdated: as for `put`.
    """
    check_business(value)

    def decide(reading: Reading, draft: Draft) -> Item[Business]:
        key = business_key(actor.business)
        _check_seen(seen_version, reading.version(key))
        draft.put(Put(key, encoded(value)))
        record(draft, actor, desk.now(), desk.new_id, "put", "business")
        return Item(actor.business, reading.version(key) + 1, value)

    return settle(desk.store, decide)


def logo(desk: Desk, actor: Actor) -> Item[Logo]:
    """The business's logo, under the business's id. Raises `Missing` when it has none."""
    doc = Reading(desk.store).doc(logo_key(actor.business))
    if doc is None:
        raise Missing("logo", actor.business)
    return Item(actor.business, doc.version, decoded(doc, Logo))


def put_logo(desk: Desk, actor: Actor, value: Logo, seen_version: str = "") -> Item[Logo]:
    """Keep the business's logo, in place of the one that there is.

    Raises:
        Invalid: it is too large, or no picture of its type. Outdated: as for `put`.
    """
    check_logo(value)

    def decide(reading: Reading, draft: Draft) -> Item[Logo]:
        key = logo_key(actor.business)
        _check_seen(seen_version, reading.version(key))
        draft.put(Put(key, encoded(value)))
        record(draft, actor, desk.now(), desk.new_id, "put", "logo")
        return Item(actor.business, reading.version(key) + 1, value)

    return settle(desk.store, decide)


def remove_logo(desk: Desk, actor: Actor, seen_version: str = "") -> None:
    """Raises `Missing` when the business has no logo, `Outdated` as for `put`."""

    def decide(reading: Reading, draft: Draft) -> None:
        key = logo_key(actor.business)
        if reading.doc(key) is None:
            raise Missing("logo", actor.business)
        _check_seen(seen_version, reading.version(key))
        draft.delete(key)
        record(draft, actor, desk.now(), desk.new_id, "delete", "logo")

    settle(desk.store, decide)


def shelf(desk: Desk, actor: Actor, name: Shelf) -> dict[str, Any]:
    """All that stands on a shelf, by id."""
    return _shelf(Reading(desk.store), actor.business, name)


def mark_of(value: Any) -> str:
    """What tells a value on a shelf from another one under its id: single values have no version there."""
    return hashlib.sha256(encoded(value)).hexdigest()[:16]


def put_on_shelf(
    desk: Desk, actor: Actor, name: Shelf, id: str | None, value: Any, seen_mark: str = ""
) -> tuple[str, Any]:
    """Keep a value under `id`, or under a random one; returns the id and the value.

    Raises:
        Invalid: the shelf is full, or the value names a service that is not there. Outdated: `seen_mark` is not that
        of the current one.
    """
    new = id if id is not None else desk.new_id(SHELVES[name][1])

    def decide(reading: Reading, draft: Draft) -> tuple[str, Any]:
        stands = _shelf(reading, actor.business, name)
        _check_mark(seen_mark, stands.get(new))
        if isinstance(value, ReminderRule):
            demand(reading, actor.business, "service", [value.service_id], "serviceId")
        stands[new] = value
        if len(stands) > MAX_ON_SHELF:
            raise Invalid(f"there can be at most {MAX_ON_SHELF} {name}")
        _write_shelf(desk, draft, actor, name, stands, "put", new)
        return new, value

    return settle(desk.store, decide)


def remove_from_shelf(desk: Desk, actor: Actor, name: Shelf, id: str, seen_mark: str = "") -> None:
    """Raises `Missing` when there is none, `Outdated` when `seen_mark` is not that of the current one."""

    def decide(reading: Reading, draft: Draft) -> None:
        stands = _shelf(reading, actor.business, name)
        if id not in stands:
            raise Missing(name, id)
        _check_mark(seen_mark, stands.pop(id))
        _write_shelf(desk, draft, actor, name, stands, "delete", id)

    settle(desk.store, decide)


def time_off(desk: Desk, actor: Actor, resource_id: str) -> tuple[TimeOff, ...]:
    """When the resource is away, by start.

    Raises:
        Missing: there is no such resource.
    """
    return _time_off(Reading(desk.store), actor.business, resource_id)


def add_time_off(desk: Desk, actor: Actor, resource_id: str, start: Instant, end: Instant, reason: str = "") -> TimeOff:
    """Note that the resource is away. Appointments that it has then stay, until somebody moves them.

    Raises:
        Missing: there is no such resource. Invalid: the span is empty or too long, or there are too many.
    """
    if not start < end <= start + LONGEST_TIME_OFF_DAYS * DAY_SECONDS:
        raise Invalid("time off ends after it starts, at most ten years later", field="endTime")
    absence = TimeOff(id=desk.new_id("off"), start=start, end=end, reason=reason)

    def decide(reading: Reading, draft: Draft) -> TimeOff:
        stands = (*_time_off(reading, actor.business, resource_id), absence)
        if len(stands) > MAX_TIME_OFF:
            raise Invalid(f"a resource has at most {MAX_TIME_OFF} absences: remove past ones")
        _write_time_off(desk, draft, actor, resource_id, stands, "put", absence.id)
        return absence

    return settle(desk.store, decide)


def remove_time_off(desk: Desk, actor: Actor, resource_id: str, id: str) -> None:
    """Raises `Missing` when there is no such resource or absence."""

    def decide(reading: Reading, draft: Draft) -> None:
        stands = _time_off(reading, actor.business, resource_id)
        rest = tuple(absence for absence in stands if absence.id != id)
        if rest == stands:
            raise Missing("timeOff", id)
        _write_time_off(desk, draft, actor, resource_id, rest, "delete", id)

    settle(desk.store, decide)


def _check_seen(seen: str, version: int) -> None:
    if seen and seen != str(version):
        raise Outdated(seen, str(version))


def _check_pool_fits(desk: Desk, reading: Reading, actor: Actor, id: str, pool: Pool) -> None:
    """Raises `InUse` when a service that needs this pool would then need a resource twice, or more than there are."""
    for service in items(desk, actor, "service"):
        if not any(need.any_of == id for need in service.value.needs):
            continue
        groups = [
            (pool.resource_ids, need.count) if need.any_of == id else group
            for need, group in zip(service.value.needs, _by_need(reading, actor.business, service.value), strict=True)
        ]
        try:
            check_apart([ids for ids, _ in groups])
        except Invalid as error:
            raise InUse(f"service {service.id} needs this pool: {error.message}") from error
        if any(count > len(ids) for ids, count in groups):
            raise InUse(f"service {service.id} needs more of this pool than it would have")


def _by_need(reading: Reading, business: str, service: Service) -> list[tuple[tuple[str, ...], int]]:
    """One group for each need, those of `all_of` taken together."""
    return [
        (need.all_of, len(need.all_of))
        if need.any_of is None
        else groups_of(reading, business, msgspec.structs.replace(service, needs=(need,)))[0]
        for need in service.needs
    ]


def _users(desk: Desk, actor: Actor, kind: CatalogueKind, id: str) -> Iterator[str]:
    """What in the catalogue refers to the thing, as `kind/id`."""
    if kind == "schedule":
        for user_kind in ("resource", "service"):
            for each in items(desk, actor, user_kind):
                if each.value.schedule_id == id:
                    yield f"{user_kind}/{each.id}"
    if kind == "resource":
        for each in items(desk, actor, "pool"):
            if id in each.value.resource_ids:
                yield f"pool/{each.id}"
    if kind in ("resource", "pool"):
        for each in items(desk, actor, "service"):
            if any(id == need.any_of or id in need.all_of for need in each.value.needs):
                yield f"service/{each.id}"


def _check_mark(seen: str, value: Any) -> None:
    current = "0" if value is None else mark_of(value)
    if seen and seen != current:
        raise Outdated(seen, current)


def _shelf(reading: Reading, business: str, name: Shelf) -> dict[str, Any]:
    kind: Any = SHELVES[name][0]
    return reading.value(shelf_key(business, name), dict[str, kind]) or {}


def _write_shelf(
    desk: Desk, draft: Draft, actor: Actor, name: Shelf, stands: dict[str, Any], what: str, id: str
) -> None:
    draft.put(Put(shelf_key(actor.business, name), encoded(stands)))
    record(draft, actor, desk.now(), desk.new_id, what, f"{name}/{id}")


def _time_off(reading: Reading, business: str, resource_id: str) -> tuple[TimeOff, ...]:
    if reading.doc(kind_key(business, "resource", resource_id)) is None:
        raise Missing("resource", resource_id)
    return reading.value(time_off_key(business, resource_id), tuple[TimeOff, ...]) or ()


def _write_time_off(
    desk: Desk, draft: Draft, actor: Actor, resource_id: str, stands: tuple[TimeOff, ...], what: str, id: str
) -> None:
    body = encoded(sorted(stands, key=lambda absence: (absence.start, absence.id)))
    draft.put(Put(time_off_key(actor.business, resource_id), body))
    record(draft, actor, desk.now(), desk.new_id, what, f"timeOff/{resource_id}/{id}")
