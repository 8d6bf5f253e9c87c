"""How a business is doing over some days: bookings, use of its resources, no-shows, lead times, reminders, busy hours.

The appointments are read in pages of the list that goes by start, and counted as they come: nothing else is asked of
the store but the catalogue, however many there are.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from math import ceil

import msgspec

from slotkeeper.contracts import Range
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import CLAIMING, Status
from slotkeeper.core.errors import Invalid
from slotkeeper.core.hours import Schedule, open_ticks
from slotkeeper.core.names import in_order
from slotkeeper.core.reminders import LEASE_SECONDS, MessageState
from slotkeeper.core.service import Resource, ResourceKind, Service
from slotkeeper.core.ticks import (
    DAY_SECONDS,
    DAY_TICKS,
    TICK_MINUTES,
    TICK_SECONDS,
    Instant,
    Window,
    tick_after,
    tick_at,
)
from slotkeeper.core.zones import local, zone
from slotkeeper.desk import placing
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import business_of
from slotkeeper.documents import CatalogueKind, TimeOff, decoded, kind_part, time_off_key
from slotkeeper.ledger import Reading

MAX_DAYS = 92
PAGE = 1000
LATE_SECONDS = 60
"""A reminder that is taken up later than this after it was due is late."""

LONGEST_DAYS = placing.MAX_DAYS
"""As long as an appointment may be: so far before the first day one is looked for that reaches into it."""

LEAD_HOURS = (1, 24, 72, 168, 336, 672)
"""The ends of the stretches in which lead times are counted; what is longer comes last."""

_HIGHEST = "\U0010ffff"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """From one local date to another, both included; of one service or resource where they are named."""

    first: date
    last: date
    service_id: str = ""
    resource_id: str = ""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A resource's time in minutes: how long it was open and not away, how much of that was booked, and how much was
    booked besides. Buffers do not count, nor what was cancelled or missed; a minute that was booked twice counts once.
    """

    id: str
    name: str
    kind: ResourceKind
    open_minutes: int
    booked_minutes: int
    outside_minutes: int

    @property
    def share(self) -> float:
        return self.booked_minutes / self.open_minutes if self.open_minutes else 0.0


class Outcome(msgspec.Struct, kw_only=True):
    """What became of the appointments of a service. `came`: they are over, and nobody has said that they were missed;
    `to_come`: they are not over yet; `turned_down`: declined, or not confirmed in time."""

    service_id: str
    came: int = 0
    missed: int = 0
    cancelled: int = 0
    turned_down: int = 0
    to_come: int = 0

    @property
    def total(self) -> int:
        return self.came + self.missed + self.cancelled + self.turned_down + self.to_come

    @property
    def missed_share(self) -> float:
        """Of those that were to take place and are over."""
        return self.missed / (self.came + self.missed) if self.missed else 0.0

    @property
    def cancelled_share(self) -> float:
        """Of all that were not turned down."""
        return self.cancelled / (self.total - self.turned_down) if self.cancelled else 0.0


class Punctuality(msgspec.Struct, frozen=True, kw_only=True):
    """The reminders. `sent` counts also the `late` ones; `failed` were given up; `overdue` should have gone by now and
    have not. The seconds are from when one was due to when the try began that succeeded: how long the post then took
    is not known here."""

    sent: int
    late: int
    failed: int
    overdue: int
    p50_seconds: int
    p99_seconds: int


class Insight(msgspec.Struct, frozen=True, kw_only=True):
    """All figures. `bookings` counts the appointments that begin on a date, by service and status; `busy` has for each
    weekday, Monday first, and hour of the place's clock how many begin then and were not called off."""

    asked: Asked
    zone: str
    services: Mapping[str, str]
    resources: Mapping[str, str]
    bookings: Mapping[tuple[date, str, Status], int]
    loads: Sequence[Load]
    outcomes: Sequence[Outcome]
    leads: Sequence[int]
    median_lead_minutes: int
    punctuality: Punctuality
    busy: Sequence[Sequence[int]]

    @property
    def total(self) -> int:
        return sum(self.bookings.values())

    @property
    def dates(self) -> list[date]:
        return [self.asked.first + timedelta(days=at) for at in range((self.asked.last - self.asked.first).days + 1)]


class _Note(msgspec.Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What is read of a message."""

    kind: str
    due: Instant
    state: MessageState = "waiting"
    first_due: Instant = Instant(0)


class _Kept(msgspec.Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What is read of an appointment: to leave the rest alone is most of the speed."""

    status: Status
    start: Instant
    end: Instant
    service_id: str = ""
    resource_ids: tuple[str, ...] = ()
    created: Instant
    expires: Instant = Instant(0)
    messages: tuple[_Note, ...] = ()


class _Catalogue(msgspec.Struct, frozen=True):
    services: dict[str, Service]
    resources: dict[str, Resource]
    schedules: dict[str, Schedule]
    away: dict[str, tuple[TimeOff, ...]]


def insight(desk: Desk, actor: Actor, asked: Asked) -> Insight:
    """The figures of the days.

    Raises:
        Invalid: they are none, or more than 92. Missing: there is no such business.
    """
    if not asked.first <= asked.last < asked.first + timedelta(days=MAX_DAYS):
        raise Invalid(f"ask for 1 to {MAX_DAYS} days", field="to")
    reading, now = Reading(desk.store), desk.now()
    profile = business_of(reading, actor.business)
    known = _catalogue(desk, actor.business)
    start, end = _start_of(asked.first, profile.zone), _start_of(asked.last + timedelta(days=1), profile.zone)
    count = _Count(asked, start, end, profile.zone, now)
    for kept in _appointments(desk, actor.business, Instant(start - LONGEST_DAYS * DAY_SECONDS), end):
        count.add(kept)
    return Insight(
        asked=asked,
        zone=profile.zone,
        services={id: each.name for id, each in known.services.items()},
        resources={id: each.name for id, each in known.resources.items()},
        bookings=count.bookings,
        loads=[
            _load(id, each, known, count)
            for id, each in sorted(known.resources.items(), key=lambda pair: (in_order(pair[1].name), pair[0]))
            if asked.resource_id in ("", id) and (each.active or id in count.booked)
        ],
        outcomes=[count.outcomes[id] for id in sorted(count.outcomes)],
        leads=count.lead_counts(),
        median_lead_minutes=_at(sorted(count.leads), 0.5) // 60,
        punctuality=count.punctuality(),
        busy=count.busy,
    )


class _Count:
    """The figures in the making."""

    def __init__(self, asked: Asked, start: Instant, end: Instant, zone_name: str, now: Instant) -> None:
        self.asked, self.start, self.end, self.now = asked, start, end, now
        self.zone = zone_name
        self.window = Window(tick_at(start), tick_after(end) - tick_at(start))
        self.bookings: Counter[tuple[date, str, Status]] = Counter()
        self.outcomes: dict[str, Outcome] = {}
        self.leads: list[int] = []
        self.busy = [[0] * 24 for _ in range(7)]
        self.booked: dict[str, dict[int, int]] = {}
        self.delays: list[int] = []
        self.failed = self.overdue = 0

    def add(self, it: _Kept) -> None:
        asked = self.asked
        if asked.service_id not in ("", it.service_id) or asked.resource_id not in ("", *it.resource_ids):
            return
        status = "expired" if it.status == "pending" and 0 < it.expires <= self.now else it.status
        if status in CLAIMING:
            for id in it.resource_ids:
                self._book(id, it)
        if it.start < self.start:
            return
        wall = local(it.start, self.zone)
        self.bookings[wall.date(), it.service_id, status] += 1
        self.leads.append(max(it.start - it.created, 0))
        if status in CLAIMING:
            self.busy[wall.weekday()][wall.hour] += 1
        self._come_to(it, status)
        for note in it.messages:
            if note.kind == "reminder":
                self._remind(note)

    def lead_counts(self) -> list[int]:
        counts = [0] * (len(LEAD_HOURS) + 1)
        for lead in self.leads:
            counts[sum(lead >= hours * 3600 for hours in LEAD_HOURS)] += 1
        return counts

    def punctuality(self) -> Punctuality:
        delays = sorted(self.delays)
        return Punctuality(
            sent=len(delays),
            late=sum(delay > LATE_SECONDS for delay in delays),
            failed=self.failed,
            overdue=self.overdue,
            p50_seconds=_at(delays, 0.5),
            p99_seconds=_at(delays, 0.99),
        )

    def _book(self, id: str, it: _Kept) -> None:
        """Note the ticks of the visit, in stretches of a day: one number for a whole range would be slow to change."""
        first = max(it.start // TICK_SECONDS - self.window.start, 0)
        last = min(-(-it.end // TICK_SECONDS) - self.window.start, self.window.length)
        days = self.booked.setdefault(id, {})
        while first < last:
            day, at = divmod(first, DAY_TICKS)
            length = min(last - first, DAY_TICKS - at)
            days[day] = days.get(day, 0) | ((1 << length) - 1) << at
            first += length

    def _come_to(self, it: _Kept, status: Status) -> None:
        outcome = self.outcomes.setdefault(it.service_id, Outcome(service_id=it.service_id))
        if status in ("declined", "expired"):
            outcome.turned_down += 1
        elif status == "cancelled":
            outcome.cancelled += 1
        elif status == "noShow":
            outcome.missed += 1
        elif status == "completed" or (status != "pending" and it.end <= self.now):
            outcome.came += 1
        else:
            outcome.to_come += 1

    def _remind(self, note: _Note) -> None:
        if note.state == "sent":
            # A claim is for as long as a lease, and what was sent keeps the end of the claim under which it was.
            self.delays.append(max(note.due - LEASE_SECONDS - note.first_due, 0) if note.first_due else 0)
        elif note.state == "dead":
            self.failed += 1
        elif note.state in ("waiting", "claimed") and (note.first_due or note.due) <= self.now - LATE_SECONDS:
            self.overdue += 1


def _load(id: str, resource: Resource, known: _Catalogue, count: _Count) -> Load:
    window = count.window
    hours = window.full if resource.schedule_id is None else 0
    if resource.schedule_id in known.schedules:
        hours = open_ticks(known.schedules[resource.schedule_id], resource.zone, window)
    for absence in known.away.get(id, ()):
        hours &= ~window.mask(absence.start, absence.end)
    booked = sum(bits << day * DAY_TICKS for day, bits in count.booked.get(id, {}).items())
    return Load(
        id=id,
        name=resource.name,
        kind=resource.kind,
        open_minutes=hours.bit_count() * TICK_MINUTES,
        booked_minutes=(booked & hours).bit_count() * TICK_MINUTES,
        outside_minutes=(booked & ~hours).bit_count() * TICK_MINUTES,
    )


def _catalogue(desk: Desk, business: str) -> _Catalogue:
    """The catalogue, in one question to the store."""
    kinds: tuple[CatalogueKind, ...] = ("service", "resource", "schedule")
    parts = [*(kind_part(business, kind) for kind in kinds), time_off_key(business, "").part]
    services, resources, schedules, away = desk.store.read_ranges([Range(part, "", _HIGHEST) for part in parts])
    return _Catalogue(
        {doc.key.sort: decoded(doc, Service) for doc in services},
        {doc.key.sort: decoded(doc, Resource) for doc in resources},
        {doc.key.sort: decoded(doc, Schedule) for doc in schedules},
        {doc.key.sort: decoded(doc, tuple[TimeOff, ...]) for doc in away},
    )


def _appointments(desk: Desk, business: str, since: Instant, end: Instant) -> Iterator[_Kept]:
    after = None
    while True:
        page = desk.store.list("start", business, first=f"{since:012d}", last=f"{end:012d}", after=after, limit=PAGE)
        for doc in page.docs:
            yield decoded(doc, _Kept)
        if page.after is None:
            return
        after = page.after


def _at(ascending: Sequence[int], share: float) -> int:
    """The least of the numbers that so large a share of them does not exceed; 0 of none."""
    return ascending[max(ceil(len(ascending) * share) - 1, 0)] if ascending else 0


def _start_of(day: date, zone_name: str) -> Instant:
    return Instant(int(datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)).timestamp()))
