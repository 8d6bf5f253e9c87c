"""What a visitor may choose of a service: who gives it, the day, and the time."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Missing
from slotkeeper.core.service import Business, Resource, Service, place_of
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


class Offered(msgspec.Struct, frozen=True):
    """A service as a visitor sees it; `people` are those among whom one may choose, their names by id.

    `zone` is the one in which its times are shown: the place's, or the visitor's own where there is no place.
    """

    business: Business
    service: Service
    id: str
    zone: str
    place: str
    people: Mapping[str, str]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a service: with whom, empty for anyone; from which day on, empty for the first free one; and
    the visitor's own hold, whose time counts as free."""

    person: str = ""
    day: str = ""
    hold: str = ""


class Day(msgspec.Struct, frozen=True):
    """A day of the two weeks and the starts that are free on it."""

    date: date
    starts: Sequence[Instant]


class Days(msgspec.Struct, frozen=True):
    """The two weeks, the free day chosen among them (None when there is none), and where else to look.

    `soonest` is the first start of all that are free; it is not known when the weeks lie far ahead. `next` is the first
    start after these weeks. `earlier` and `later` are days of the weeks before and after, where there are such.
    """

    today: date
    days: Sequence[Day]
    chosen: Day | None
    soonest: Instant | None
    next: Instant | None
    earlier: date | None
    later: date | None
    searched_to: date


def offered(desk: Desk, actor: Actor, id: str, own_zone: str = "") -> Offered:
    """The service, to a visitor whose clock is in `own_zone`. Raises `Missing` when there is none that visitors may
    book."""
    reading = Reading(desk.store)
    business, service = business_of(reading, actor.business), service_of(reading, actor.business, id)
    if not service.public:
        raise Missing("service", id)
    shown = own_zone if own_zone and service.remote else zone_of(service, business)
    # Where all of a group are needed there is nothing to choose.
    groups = [ids for ids, count in groups_of(reading, actor.business, service) if count < len(ids)]
    return Offered(business, service, id, shown, place_of(business, service), people(reading, actor.business, groups))


def people(reading: Reading, business: str, groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """Those of the groups' resources that are people at work, their names by id."""
    ids = list(dict.fromkeys(id for ids in groups for id in ids))
    reading.fetch(kind_key(business, "resource", id) for id in ids)
    found = {id: reading.value(kind_key(business, "resource", id), Resource) for id in ids}
    return {id: each.name for id, each in found.items() if each and each.kind == "staff" and each.active}


def days(desk: Desk, actor: Actor, it: Offered, asked: Asked) -> Days:
    """The two weeks around the day asked, or those of the first free day, with what is free on each day: one search for
    all. The day chosen is the first free one from that asked on.

    Raises:
        Invalid: the day asked is no date.
    """
    now = desk.now()
    today = local(now, it.zone).date()
    horizon = today + timedelta(days=it.service.horizon_days)
    first = _monday(today, horizon, asked.day)
    is_near = day_start(first + timedelta(days=DAYS), it.zone) <= now + MAX_DAYS * DAY_SECONDS
    start = now if is_near else day_start(first, it.zone)
    starts = starts_of(desk, actor, it, asked, start, MAX_DAYS)
    if starts and not asked.day:
        first = _monday(today, horizon, local(starts[0], it.zone).date().isoformat())
    edges = [bisect_left(starts, day_start(first + timedelta(days=at), it.zone)) for at in range(DAYS + 1)]
    found = [Day(first + timedelta(days=at), starts[edges[at] : edges[at + 1]]) for at in range(DAYS)]
    free = [day for day in found if day.starts]
    return Days(
        today=today,
        days=found,
        chosen=next((day for day in free if day.date.isoformat() >= asked.day), free[0] if free else None),
        soonest=starts[0] if is_near and starts else None,
        next=starts[edges[-1]] if edges[-1] < len(starts) else None,
        earlier=max(first - timedelta(days=DAYS), today) if first > today else None,
        later=_later(first, horizon),
        searched_to=local(Instant(start + MAX_DAYS * DAY_SECONDS), it.zone).date(),
    )


def starts_of(desk: Desk, actor: Actor, it: Offered, asked: Asked, first: Instant, days: int) -> list[Instant]:
    """The free starts of `days` days from `first` on, ascending; of those that the person can give, if one is named."""
    search = Search(
        first=first,
        last=Instant(first + days * DAY_SECONDS),
        resource_ids=(asked.person,) if asked.person else (),
        ignoring=(asked.hold,) if asked.hold else (),
    )
    return service_slots(desk, actor, it.id, search).starts


def clock_change(day: date, zone_name: str) -> tuple[str, str] | None:
    """The offsets from UTC at the day's beginning and at its end, such as `UTC+2` and `UTC+1`, when they differ."""
    first, last = (local(day_start(each, zone_name), zone_name) for each in (day, day + timedelta(days=1)))
    return None if first.utcoffset() == last.utcoffset() else (offset_text(first), offset_text(last))


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
