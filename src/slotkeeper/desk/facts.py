"""From stored documents to the facts that the rules look at."""

from collections.abc import Collection, Sequence
from functools import reduce
from itertools import chain
from operator import or_

import msgspec
from msgspec.structs import replace

from slotkeeper.contracts import Doc, Key
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.hours import Schedule, local_dates, open_ticks
from slotkeeper.core.rules import Facts, Member, Needed, while_open
from slotkeeper.core.service import Business, Pool, Resource, Service
from slotkeeper.core.sheet import Drawn, busy, live, together
from slotkeeper.core.ticks import TICK_MINUTES, Instant, Window, fits
from slotkeeper.desk.desk import Desk
from slotkeeper.documents import (
    CatalogueKind,
    TimeOff,
    appointment_key,
    business_key,
    catalogue_parts,
    customer_tally_key,
    day_tally_key,
    drawn_of,
    kind_key,
    sheet_of,
    sheet_part,
    time_off_key,
)
from slotkeeper.ledger import Reading

READ_AT_ONCE = 16
"""How many calendars are read together by who draws many: a month of a busy one takes 200 kilobytes."""


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


class Calendars(msgspec.Struct, frozen=True):
    """Those that are asked about, in the order of their ids, with the parts where their sheets are."""

    ids: tuple[str, ...]
    parts: tuple[str, ...]


class Frame(msgspec.Struct, frozen=True):
    """What staff have set: who could serve when, claims aside. `needs` are members without claims."""

    zone: str
    service_open: int
    needs: tuple[Needed, ...]
    open_starts: int
    calendars: Calendars


def gather(desk: Desk, reading: Reading, question: Question, service_id: str, service: Service) -> Facts:
    """The facts about a stored service."""
    frame = _frame(desk, reading, question, service_id, service)
    return Facts(
        window=question.window,
        now=question.now,
        service=service,
        zone=frame.zone,
        needs=_with_claims(desk, reading, question, frame.needs, frame.calendars),
        service_open=frame.service_open,
        full_days=_full_days(reading, question, service_id, service, frame.zone),
        customer_is_full=_customer_is_full(reading, question, service_id, service),
        open_starts=frame.open_starts,
    )


def needed(desk: Desk, reading: Reading, question: Question, groups: Sequence[Group]) -> tuple[Needed, ...]:
    """The groups' resources as they are over the window."""
    needs = _open_members(reading, question, groups)
    return _with_claims(desk, reading, question, needs, _calendars(question.business, needs))


def _frame(desk: Desk, reading: Reading, question: Question, service_id: str, service: Service) -> Frame:
    def make(reading: Reading) -> Frame:
        business = business_of(reading, question.business)
        groups = pinned_to(groups_of(reading, question.business, service), question.pinned)
        zone = zone_of(service, business)
        length = service.duration_minutes // TICK_MINUTES
        needs = tuple(
            Needed(tuple(replace(each, starts=fits(each.open, length)) for each in need.members), need.count)
            for need in _open_members(reading, question, groups)
        )
        service_open = _hours(reading, question.business, service.schedule_id, zone, question.window)
        facts = Facts(
            window=question.window, now=question.now, service=service, zone=zone, needs=needs, service_open=service_open
        )
        return Frame(zone, service_open, needs, while_open(facts), _calendars(question.business, needs))

    name = ("frame", question.business, service_id, service, question.pinned, question.window)
    return desk.memory.made(reading, name, catalogue_parts(question.business), make)


def _open_members(reading: Reading, question: Question, groups: Sequence[Group]) -> tuple[Needed, ...]:
    """The groups' resources and when they are open, time off taken out; claims are not looked at."""
    business = question.business
    ids = list(dict.fromkeys(id for members, _ in groups for id in members))
    keys = [kind_key(business, "resource", id) for id in ids]
    reading.fetch([*keys, *(time_off_key(business, id) for id in ids)])
    resources = [reading.value(key, Resource) for key in keys]
    reading.fetch(_schedule_keys(business, [resource.schedule_id for resource in resources if resource]))
    members = {id: _member(reading, question, id, each) for id, each in zip(ids, resources, strict=True)}
    return tuple(Needed(tuple(members[id] for id in group), count) for group, count in groups)


def _member(reading: Reading, question: Question, id: str, resource: Resource | None) -> Member:
    """A resource that is gone or inactive is simply never open."""
    if resource is None or not resource.active:
        return Member(id, 0, 0)
    window = question.window
    hours = _hours(reading, question.business, resource.schedule_id, resource.zone, window)
    away = reading.value(time_off_key(question.business, id), tuple[TimeOff, ...]) or ()
    for absence in away:
        hours &= ~window.mask(absence.start, absence.end)
    return Member(id, hours, 0)


def _calendars(business: str, needs: Sequence[Needed]) -> Calendars:
    ids = tuple(dict.fromkeys(member.id for need in needs for member in need.members))
    return Calendars(ids, tuple(sheet_part(business, id) for id in ids))


def _with_claims(
    desk: Desk, reading: Reading, question: Question, needs: Sequence[Needed], calendars: Calendars
) -> tuple[Needed, ...]:
    """The members, busy with what is claimed of them."""
    claimed = dict(zip(calendars.ids, _busy(desk, reading, question, calendars), strict=True))
    return tuple(
        Needed(tuple([Member(each.id, each.open, claimed[each.id], each.starts) for each in need.members]), need.count)
        for need in needs
    )


def _busy(desk: Desk, reading: Reading, question: Question, calendars: Calendars) -> list[int]:
    """The claimed ticks of each calendar. What a commit may rest on is read from its sheets; who only looks is shown
    what was drawn from them before, where they have not changed."""
    window, now, ignoring = question.window, question.now, question.ignoring
    if reading.is_deciding and ignoring:
        return [_busy_but(docs, question) for docs in _sheet_docs(reading, question, calendars.ids)]
    if reading.is_deciding:
        return [
            reduce(or_, [drawn_of(doc).busy(window, now) for doc in docs], 0)
            for docs in _sheet_docs(reading, question, calendars.ids)
        ]
    found = [
        each.busy(window, now, ignoring) if each.passing else each.ticks
        for each in _drawn(desk, reading, question, calendars)
    ]
    for at in _standing_in(reading, question, calendars.ids):
        [docs] = _sheet_docs(reading, question, [calendars.ids[at]])
        found[at] = _busy_but(docs, question)
    return found


def _drawn(desk: Desk, reading: Reading, question: Question, calendars: Calendars) -> Sequence[Drawn]:
    """The sheets of each calendar, drawn into the window."""
    window = question.window

    def make(reading: Reading, changed: Sequence[int]) -> Sequence[Drawn]:
        ids = [calendars.ids[at] for at in changed]
        # Some at a time: the drawings are small, and the sheets of many calendars and months are not.
        some = (ids[first : first + READ_AT_ONCE] for first in range(0, len(ids), READ_AT_ONCE))
        found = chain.from_iterable(_sheet_docs(reading, question, each) for each in some)
        return [together([drawn_of(doc) for doc in docs]).over(window) for docs in found]

    return desk.memory.each(reading, (calendars, window), calendars.parts, make)


def _sheet_docs(reading: Reading, question: Question, ids: Sequence[str]) -> Sequence[Sequence[Doc]]:
    days = question.window.days()
    return reading.sheet_docs(question.business, ids, days[0], len(days))


def _busy_but(docs: Sequence[Doc], question: Question) -> int:
    """The ticks that these sheets claim, without the claims that do not count."""
    return busy(map(sheet_of, docs), question.window, question.now, question.ignoring)


def _standing_in(reading: Reading, question: Question, ids: Sequence[str]) -> list[int]:
    """The places among `ids` of the calendars in which an appointment stands whose claims do not count. A claim that
    expires, such as a hold's, is passed over without that."""
    keys = [appointment_key(question.business, id) for id in question.ignoring]
    reading.fetch(keys)
    known = [reading.value(key, Appointment) for key in keys]
    calendars = {calendar for each in known if each is not None for calendar in each.calendars}
    return [at for at, id in enumerate(ids) if id in calendars]


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
