"""From stored documents to the facts that the rules look at."""

from collections.abc import Collection, Sequence

import msgspec

from slotkeeper.contracts import Key
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.hours import Schedule, local_dates, open_ticks
from slotkeeper.core.rules import Facts, Member, Needed
from slotkeeper.core.service import Business, Pool, Resource, Service
from slotkeeper.core.sheet import Sheet, busy, live
from slotkeeper.core.ticks import Instant, Window
from slotkeeper.documents import (
    CatalogueKind,
    TimeOff,
    business_key,
    customer_tally_key,
    day_tally_key,
    kind_key,
    time_off_key,
)
from slotkeeper.ledger import Reading


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a service: over which window, by whom, and whose claims do not count.

    `pinned` are resources that the customer insists on; for the needs that could be met by them only they are asked.
    """

    business: str
    window: Window
    now: Instant
    customer_id: str = ""
    pinned: tuple[str, ...] = ()
    ignoring: tuple[str, ...] = ()


Group = tuple[tuple[str, ...], int]
"""Resource ids of which a number is needed."""


def business_of(reading: Reading, business: str) -> Business:
    """Raises `Missing` when there is no such business."""
    found = reading.value(business_key(business), Business)
    if found is None:
        raise Missing("business", business)
    return found


def service_of(reading: Reading, business: str, id: str) -> Service:
    """Raises `Missing` when there is no such service, or it is no longer offered."""
    found = reading.value(kind_key(business, "service", id), Service)
    if found is None or not found.active:
        raise Missing("service", id)
    return found


def zone_of(service: Service, business: Business) -> str:
    """The zone of the place where the service is given."""
    return service.zone or business.zone


def groups_of(reading: Reading, business: str, service: Service) -> list[Group]:
    """Who the service needs: for each need the resources that could serve, and how many of them.

    Raises:
        Missing: a need names a pool that is not there.
    """
    reading.fetch(kind_key(business, "pool", need.any_of) for need in service.needs if need.any_of)
    groups: list[Group] = []
    for need in service.needs:
        if need.any_of is None:
            groups += [((id,), 1) for id in need.all_of]
            continue
        pool = reading.value(kind_key(business, "pool", need.any_of), Pool)
        if pool is None:
            raise Missing("pool", need.any_of)
        groups.append((pool.resource_ids, need.count))
    return groups


def pinned_to(groups: Sequence[Group], pinned: tuple[str, ...]) -> list[Group]:
    """The groups, narrowed to the resources that are insisted on where these suffice.

    Raises:
        Invalid: one of them cannot serve, or more are named than are needed.
    """
    if not pinned:
        return list(groups)
    narrowed: list[Group] = []
    for ids, count in groups:
        named = tuple(id for id in pinned if id in ids)
        if len(named) > count:
            raise Invalid(f"the service needs only {count} of {', '.join(named)}", field="resourceIds")
        narrowed += [((id,), 1) for id in named]
        if count > len(named):
            narrowed.append((tuple(id for id in ids if id not in named), count - len(named)))
    strangers = [id for id in pinned if not any(id in ids for ids, _ in groups)]
    if strangers:
        raise Invalid(f"resource {min(strangers)} does not give this service", field="resourceIds")
    return narrowed


def gather(reading: Reading, question: Question, service_id: str, service: Service) -> Facts:
    """The facts about a stored service."""
    business = business_of(reading, question.business)
    groups = pinned_to(groups_of(reading, question.business, service), question.pinned)
    zone = zone_of(service, business)
    return Facts(
        window=question.window,
        now=question.now,
        service=service,
        zone=zone,
        needs=needed(reading, question, groups),
        service_open=_hours(reading, question.business, service.schedule_id, zone, question.window),
        full_days=_full_days(reading, question, service_id, service, zone),
        customer_is_full=_customer_is_full(reading, question, service_id, service),
    )


def needed(reading: Reading, question: Question, groups: Sequence[Group]) -> tuple[Needed, ...]:
    """The groups' resources as they are over the window."""
    ids = list(dict.fromkeys(id for members, _ in groups for id in members))
    members = dict(zip(ids, _members(reading, question, ids), strict=True))
    return tuple(Needed(tuple(members[id] for id in group), count) for group, count in groups)


def _members(reading: Reading, question: Question, ids: Sequence[str]) -> list[Member]:
    business, window = question.business, question.window
    keys = [kind_key(business, "resource", id) for id in ids]
    reading.fetch([*keys, *(time_off_key(business, id) for id in ids)])
    resources = [reading.value(key, Resource) for key in keys]
    reading.fetch(_schedule_keys(business, [resource.schedule_id for resource in resources if resource]))
    days = window.days()
    sheets = reading.sheets(business, ids, days[0], len(days))
    return [
        _member(reading, question, id, resource, claims)
        for id, resource, claims in zip(ids, resources, sheets, strict=True)
    ]


def _member(reading: Reading, question: Question, id: str, resource: Resource | None, sheets: list[Sheet]) -> Member:
    """A resource that is gone or inactive is simply never open."""
    if resource is None or not resource.active:
        return Member(id, 0, 0)
    window = question.window
    hours = _hours(reading, question.business, resource.schedule_id, resource.zone, window)
    away = reading.value(time_off_key(question.business, id), tuple[TimeOff, ...]) or ()
    for absence in away:
        hours &= ~window.mask(absence.start, absence.end)
    return Member(id, hours, busy(sheets, window, question.now, question.ignoring))


def _hours(reading: Reading, business: str, schedule_id: str | None, zone: str, window: Window) -> int:
    """The open ticks of a schedule; without one it is always open, with one that is gone never."""
    if schedule_id is None:
        return window.full
    schedule = reading.value(kind_key(business, "schedule", schedule_id), Schedule)
    return 0 if schedule is None else open_ticks(schedule, zone, window)


def _schedule_keys(business: str, ids: Collection[str | None]) -> list[Key]:
    kind: CatalogueKind = "schedule"
    return [kind_key(business, kind, id) for id in ids if id is not None]


def _full_days(reading: Reading, question: Question, service_id: str, service: Service, zone: str) -> int:
    if service.day_limit is None:
        return 0
    dates = local_dates(zone, question.window)
    keys = [day_tally_key(question.business, service_id, date) for date, _ in dates]
    if reading.forgets(len(question.window.days())):
        sheets = reading.stretch(keys[0].part, [key.sort for key in keys])
    else:
        reading.fetch(keys)
        sheets = [reading.sheet(key) for key in keys]
    full = 0
    for sheet, (_, ticks) in zip(sheets, dates, strict=True):
        if len(live(sheet, question.now, question.ignoring)) >= service.day_limit:
            full |= ticks
    return full


def _customer_is_full(reading: Reading, question: Question, service_id: str, service: Service) -> bool:
    """Only appointments that have not ended count."""
    if service.customer_limit is None or not question.customer_id:
        return False
    sheet = reading.sheet(customer_tally_key(question.business, service_id, question.customer_id))
    claims = live(sheet, question.now, question.ignoring)
    return sum(claim.end > question.now for claim in claims) >= service.customer_limit
