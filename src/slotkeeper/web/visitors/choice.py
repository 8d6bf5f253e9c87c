"""What a visitor may choose of a service: who gives it, the day, and the time."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Missing
from slotkeeper.core.service import Business, Resource, Service
from slotkeeper.core.ticks import DAY_SECONDS, Instant, parse_day
from slotkeeper.core.zones import local, zone
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import business_of, groups_of, service_of, zone_of
from slotkeeper.desk.search import MAX_DAYS, Search, service_slots
from slotkeeper.documents import kind_key
from slotkeeper.ledger import Reading
from slotkeeper.notices.languages import offset_text

DAYS = 14
"""The days shown at once: two weeks from a Monday."""

_NOON, _EVENING = 12, 18
_PARTS = ("Morning", "Afternoon", "Evening")


class Offered(msgspec.Struct, frozen=True):
    """A service as a visitor sees it; `people` are those among whom one may choose, their names by id."""

    business: Business
    service: Service
    id: str
    zone: str
    place: str
    people: Mapping[str, str]


class Day(msgspec.Struct, frozen=True):
    """A day of the two weeks and the starts that are free on it."""

    date: date
    starts: Sequence[Instant]


class Days(msgspec.Struct, frozen=True):
    """The two weeks, the free day chosen among them (None when there is none), and where else to look.

    `soonest` is the first start of all that are free; it is not known when the weeks lie far ahead. `next` is the first
    start after these weeks. `earlier` and `later` are days of the weeks before and after, where there are such.
    """

    days: Sequence[Day]
    chosen: Day | None
    soonest: Instant | None
    next: Instant | None
    earlier: date | None
    later: date | None
    searched_to: date


def offered(desk: Desk, actor: Actor, id: str) -> Offered:
    """The service. Raises `Missing` when there is none that visitors may book."""
    reading = Reading(desk.store)
    business, service = business_of(reading, actor.business), service_of(reading, actor.business, id)
    if not service.public:
        raise Missing("service", id)
    place = service.location or business.location
    # Where all of a group are needed there is nothing to choose.
    groups = [ids for ids, count in groups_of(reading, actor.business, service) if count < len(ids)]
    return Offered(business, service, id, zone_of(service, business), place, people(reading, actor.business, groups))


def people(reading: Reading, business: str, groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """Those of the groups' resources that are people at work, their names by id."""
    ids = list(dict.fromkeys(id for ids in groups for id in ids))
    reading.fetch(kind_key(business, "resource", id) for id in ids)
    found = {id: reading.value(kind_key(business, "resource", id), Resource) for id in ids}
    return {id: each.name for id, each in found.items() if each and each.kind == "staff" and each.active}


def days(desk: Desk, actor: Actor, it: Offered, person: str, asked: str) -> Days:
    """The two weeks around the day asked, or from now on, with what is free on each day: one search for all. The day
    chosen is the first free one from that asked on.

    Raises:
        Invalid: the day asked is no date.
    """
    now = desk.now()
    today = local(now, it.zone).date()
    first = _monday(today, today + timedelta(days=it.service.horizon_days), asked)
    is_near = day_start(first + timedelta(days=DAYS), it.zone) <= now + MAX_DAYS * DAY_SECONDS
    start = now if is_near else day_start(first, it.zone)
    starts = starts_of(desk, actor, it, person, start, MAX_DAYS)
    edges = [bisect_left(starts, day_start(first + timedelta(days=at), it.zone)) for at in range(DAYS + 1)]
    found = [Day(first + timedelta(days=at), starts[edges[at] : edges[at + 1]]) for at in range(DAYS)]
    free = [day for day in found if day.starts]
    return Days(
        days=found,
        chosen=next((day for day in free if day.date.isoformat() >= asked), free[0] if free else None),
        soonest=starts[0] if is_near and starts else None,
        next=starts[edges[-1]] if edges[-1] < len(starts) else None,
        earlier=max(first - timedelta(days=DAYS), today) if first > today else None,
        later=_later(first, today + timedelta(days=it.service.horizon_days)),
        searched_to=local(Instant(start + MAX_DAYS * DAY_SECONDS), it.zone).date(),
    )


def starts_of(desk: Desk, actor: Actor, it: Offered, person: str, first: Instant, days: int) -> list[Instant]:
    """The free starts of `days` days from `first` on, ascending; of those that the person can give, if one is named."""
    last = Instant(first + days * DAY_SECONDS)
    search = Search(first=first, last=last, resource_ids=(person,) if person else ())
    return service_slots(desk, actor, it.id, search).starts


def by_part_of_day(starts: Sequence[Instant], zone_name: str) -> list[tuple[str, list[tuple[Instant, str]]]]:
    """The starts with their labels, under Morning, Afternoon and Evening; without those that have none."""
    parts: dict[str, list[tuple[Instant, str]]] = {name: [] for name in _PARTS}
    for start in starts:
        wall = local(start, zone_name)
        parts[_PARTS[(wall.hour >= _NOON) + (wall.hour >= _EVENING)]].append((start, clock_text(wall)))
    return [(name, labelled) for name, labelled in parts.items() if labelled]


def clock_text(wall: datetime) -> str:
    """Such as `09:30`; with the offset when the clocks go back and show that time twice."""
    is_twice = wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()
    return f"{wall:%H:%M} {offset_text(wall)}" if is_twice else f"{wall:%H:%M}"


def day_start(day: date, zone_name: str) -> Instant:
    """The first instant that the zone's calendar shows as that date."""
    return Instant(int(datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)).timestamp()))


def _monday(today: date, last: date, asked: str) -> date:
    """The Monday from which the two weeks of the day asked are counted; those of `today` when it lies before, those of
    `last` when it lies behind."""
    monday = today - timedelta(days=today.weekday())
    if not asked:
        return monday
    parse_day(asked)
    day = min(max(date.fromisoformat(asked), today), last)
    return monday + timedelta(days=(day - monday).days // DAYS * DAYS)


def _later(first: date, last: date) -> date | None:
    later = first + timedelta(days=DAYS)
    return later if later <= last else None
