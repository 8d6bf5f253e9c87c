"""What the staff calendar shows of some days: appointments on the wall clock of the business, and who is there when.

How often the store is asked does not grow with the days: the catalogue comes in one reading of ranges, the appointments
in pages of a list.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from slotkeeper.contracts import Doc, Range
from slotkeeper.core.appointment import Contact, Customer, Status
from slotkeeper.core.hours import Schedule, open_ticks
from slotkeeper.core.names import in_order
from slotkeeper.core.service import Business, Pool, Resource, Service
from slotkeeper.core.ticks import (
    DAY_SECONDS,
    Instant,
    Tick,
    Window,
    day_of,
    format_instant,
    instant_of,
    tick_after,
    tick_at,
)
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import business_of
from slotkeeper.documents import (
    TimeOff,
    appointment_key,
    decoded,
    event_count_key,
    kind_key,
    kind_part,
    time_off_key,
)
from slotkeeper.ledger import Reading
from slotkeeper.web.staff.days import Days, stretch_of
from slotkeeper.web.staff.walls import offset_text, today, wall_text

PAGE = 1000
"""As many appointments are asked of the store at a time."""

_HIGHEST = "\U0010ffff"


class _Shown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The base of what the page's script is told. What does not apply is left out."""


class Line(_Shown, frozen=True, kw_only=True):
    """An appointment. `start` and `end` are wall times of the business; an `offset` stands there when the clock shows
    the start twice. `before` and `after` are minutes that its claim reaches further, `until` is when a request lapses.
    """

    id: str
    revision: int
    status: Status
    start: str
    end: str
    start_time: str
    end_time: str
    offset: str = ""
    service_id: str = ""
    service: str = ""
    resource_ids: tuple[str, ...] = ()
    customer_id: str = ""
    customer: str = ""
    before: int = 0
    after: int = 0
    overrode: str = ""
    is_attending: bool = False
    has_notes: bool = False
    until: str = ""


class Away(_Shown, frozen=True, kw_only=True):
    """Time off."""

    start: str
    end: str
    reason: str = ""


class Column(_Shown, frozen=True, kw_only=True):
    """Who or what can be busy, and when they are not there: outside their hours, and away."""

    id: str
    name: str
    kind: str
    closed: list[tuple[str, str]]
    away: list[Away] = []


class Offered(_Shown, frozen=True, kw_only=True):
    """A service that can be booked, and who could give it."""

    id: str
    name: str
    minutes: int
    step: int
    resource_ids: tuple[str, ...]
    is_confirmed: bool = False


class Feed(_Shown, frozen=True, kw_only=True, omit_defaults=False):
    """All that the calendar shows. `number` is that of the business's last event when it was put together."""

    zone: str
    today: str
    first: str
    last: str
    number: int
    resources: list[Column]
    services: list[Offered]
    appointments: list[Line]


class _Details(msgspec.Struct, frozen=True):
    notes: Any = None


class Kept(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the calendar reads of a stored appointment: to leave its events and messages alone is most of the speed."""

    id: str
    status: Status
    start: Instant
    end: Instant
    buffer_before: int = 0
    buffer_after: int = 0
    service_id: str = ""
    resource_ids: tuple[str, ...] = ()
    customer_id: str = ""
    contact: Contact = Contact()
    details: _Details = _Details()
    revision: int = 1
    expires: Instant = Instant(0)
    attending: Instant = Instant(0)
    overrode: str = ""


class Catalogue(msgspec.Struct, frozen=True):
    """What the business has, by id."""

    resources: dict[str, Resource]
    services: dict[str, Service]
    pools: dict[str, Pool]
    schedules: dict[str, Schedule]
    away: dict[str, tuple[TimeOff, ...]]


def feed(desk: Desk, business: str, days: Days) -> tuple[Feed, str]:
    """The calendar of these days, and a mark that stays the same for as long as nothing that it shows has changed.

    Raises:
        Invalid: they are none, or more than 35.
    """
    reading = Reading(desk.store)
    profile = business_of(reading, business)
    asked = stretch_of(days, profile.zone, desk.now())
    start, end = asked.start, asked.end
    number = number_of(reading, business)
    known = catalogue_of(desk, business)
    kept = _appointments(desk, reading, business, list(known.resources), start, end)
    names = _names(desk, business, kept)
    busy = {id for each in kept for id in each.resource_ids}
    shown = Feed(
        zone=profile.zone,
        today=today(desk.now(), profile.zone).isoformat(),
        first=asked.first.isoformat(),
        last=asked.last.isoformat(),
        number=0,
        resources=_columns(known, busy, profile, start, end),
        services=services_of(known),
        appointments=[line(each, known.services, names, profile.zone) for each in kept],
    )
    mark = hashlib.sha256(msgspec.json.encode(shown)).hexdigest()[:24]
    return msgspec.structs.replace(shown, number=number), mark


def number_of(reading: Reading, business: str) -> int:
    """The number of the business's last event; it grows with everything that happens to an appointment."""
    return reading.value(event_count_key(business), int) or 0


def catalogue_of(desk: Desk, business: str) -> Catalogue:
    """The catalogue, in one question to the store."""
    parts = [kind_part(business, kind) for kind in ("resource", "service", "pool", "schedule")]
    parts.append(time_off_key(business, "").part)
    found = desk.store.read_ranges([Range(part, "", _HIGHEST) for part in parts])
    resources, services, pools, schedules, away = found
    return Catalogue(
        {doc.key.sort: decoded(doc, Resource) for doc in resources},
        {doc.key.sort: decoded(doc, Service) for doc in services},
        {doc.key.sort: decoded(doc, Pool) for doc in pools},
        {doc.key.sort: decoded(doc, Schedule) for doc in schedules},
        {doc.key.sort: decoded(doc, tuple[TimeOff, ...]) for doc in away},
    )


def line(each: Kept, services: dict[str, Service], names: dict[str, str], zone: str) -> Line:
    """The appointment as the calendar shows it."""
    service = services.get(each.service_id)
    return Line(
        id=each.id,
        revision=each.revision,
        status=each.status,
        start=wall_text(each.start, zone),
        end=wall_text(each.end, zone),
        start_time=format_instant(each.start),
        end_time=format_instant(each.end),
        offset=offset_text(each.start, zone),
        service_id=each.service_id,
        service=service.name if service else "",
        resource_ids=each.resource_ids,
        customer_id=each.customer_id,
        customer=each.contact.name or names.get(each.customer_id, "") or each.contact.email,
        before=each.buffer_before // 60,
        after=each.buffer_after // 60,
        overrode=each.overrode,
        is_attending=bool(each.attending),
        has_notes=bool(each.details.notes),
        until=wall_text(each.expires, zone) if each.expires else "",
    )


def one(desk: Desk, business: str, id: str, services: dict[str, Service], zone: str) -> Line:
    """One appointment as the calendar shows it, where it is known to be there."""
    doc = desk.store.read([appointment_key(business, id)])[appointment_key(business, id)]
    kept = decoded(doc, Kept)
    return line(kept, services, _names(desk, business, [kept]), zone)


def _appointments(
    desk: Desk, reading: Reading, business: str, resource_ids: Sequence[str], start: Instant, end: Instant
) -> list[Kept]:
    """Those that overlap the span, by start: those that start in it or a day before, and longer ones, which are found
    by their claims on the span's first days."""
    since = Instant(start - DAY_SECONDS)
    kept = [decoded(doc, Kept) for doc in _listed(desk, business, since, end)]
    found = {each.id for each in kept}
    sheets = reading.sheets(business, resource_ids, day_of(start), 1)
    longer = {
        claim.owner
        for days in sheets
        for sheet in days
        for claim in sheet
        if claim.start < since and claim.end > start and claim.owner not in found
    }
    if longer:
        docs = desk.store.read([appointment_key(business, id) for id in sorted(longer)])
        kept += [decoded(doc, Kept) for doc in docs.values()]
    return sorted((each for each in kept if each.end > start), key=lambda each: (each.start, each.id))


def _listed(desk: Desk, business: str, since: Instant, end: Instant) -> Iterator[Doc]:
    after = None
    while True:
        page = desk.store.list("start", business, first=f"{since:012d}", last=f"{end:012d}", after=after, limit=PAGE)
        yield from page.docs
        if page.after is None:
            return
        after = page.after


def _names(desk: Desk, business: str, kept: Iterable[Kept]) -> dict[str, str]:
    """The names of the customers whose appointments do not say them, by id."""
    ids = sorted({each.customer_id for each in kept if each.customer_id and not each.contact.name})
    if not ids:
        return {}
    docs = desk.store.read([kind_key(business, "customer", id) for id in ids])
    return {key.sort: decoded(doc, Customer).name for key, doc in docs.items()}


_ORDER: dict[str, int] = {"staff": 0, "room": 1, "equipment": 2}


def _columns(known: Catalogue, busy: set[str], profile: Business, start: Instant, end: Instant) -> list[Column]:
    """Those that are active, and those that have appointments all the same: people first, then rooms, by name."""
    shown = [(id, each) for id, each in known.resources.items() if each.active or id in busy]
    shown.sort(key=lambda pair: (_ORDER[pair[1].kind], in_order(pair[1].name), pair[0]))
    window = Window(tick_at(start), tick_after(end) - tick_at(start))
    return [
        Column(
            id=id,
            name=resource.name,
            kind=resource.kind,
            closed=_closed(known, resource, profile.zone, window),
            away=[
                Away(
                    start=wall_text(each.start, profile.zone), end=wall_text(each.end, profile.zone), reason=each.reason
                )
                for each in known.away.get(id, ())
                if each.start < end and each.end > start
            ],
        )
        for id, resource in shown
    ]


def _closed(known: Catalogue, resource: Resource, zone: str, window: Window) -> list[tuple[str, str]]:
    """The spans outside the hours, on the business's wall clock."""
    if not resource.active:
        return [_walls(window.start, window.end, zone)]
    if resource.schedule_id is None:
        return []
    schedule = known.schedules.get(resource.schedule_id)
    closed = window.full & ~(open_ticks(schedule, resource.zone, window) if schedule else 0)
    return [_walls(Tick(window.start + first), Tick(window.start + last), zone) for first, last in _runs(closed)]


def _walls(first: Tick, last: Tick, zone: str) -> tuple[str, str]:
    return wall_text(instant_of(first), zone), wall_text(instant_of(last), zone)


def _runs(bits: int) -> Iterator[tuple[int, int]]:
    """Each stretch of set bits, from its first to the one after its last."""
    at = 0
    while bits:
        skipped = (bits & -bits).bit_length() - 1
        bits >>= skipped
        length = ((bits + 1) & ~bits).bit_length() - 1
        bits >>= length
        at += skipped
        yield at, at + length
        at += length


def services_of(known: Catalogue) -> list[Offered]:
    offered = [(id, each) for id, each in known.services.items() if each.active]
    offered.sort(key=lambda pair: (in_order(pair[1].name), pair[0]))
    return [
        Offered(
            id=id,
            name=service.name,
            minutes=service.duration_minutes,
            step=service.step_minutes,
            resource_ids=_could_serve(known, service),
            is_confirmed=service.needs_confirmation,
        )
        for id, service in offered
    ]


def _could_serve(known: Catalogue, service: Service) -> tuple[str, ...]:
    ids: list[str] = []
    for need in service.needs:
        pool = known.pools.get(need.any_of) if need.any_of else None
        ids += need.all_of if need.any_of is None else pool.resource_ids if pool else ()
    return tuple(dict.fromkeys(ids))
