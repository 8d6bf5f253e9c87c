"""Finding the place of a wish: the rules judge its start, and those who serve are chosen.

Booking, holding and moving all pass through here, so they cannot disagree.
"""

from functools import partial

import msgspec

from slotkeeper.contracts import Key
from slotkeeper.core.errors import Invalid, Missing, OffStep, Refused, Taken
from slotkeeper.core.rules import Facts, Member, chosen, refusal
from slotkeeper.core.service import Resource, Service
from slotkeeper.core.ticks import DAY_SECONDS, TICK_SECONDS, Instant, Window, day_of, fits, tick_at
from slotkeeper.core.zones import local
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import Question, business_of, gather
from slotkeeper.desk.refusing import explained, rival, with_alternatives, with_gaps
from slotkeeper.documents import customer_tally_key, day_tally_key, kind_key
from slotkeeper.ledger import Reading

MAX_DAYS = 31


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A time that somebody wants. `ignoring` are the ids whose claims give way: one's own hold, one's old time."""

    start: Instant
    end: Instant
    customer_id: str = ""
    resource_ids: tuple[str, ...] = ()
    ignoring: tuple[str, ...] = ()
    is_override: bool = False


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the wish finds its place: who serves, what will be claimed, and the rules that had to be overridden, one
    that lets it overlap another claim last."""

    start: Instant
    end: Instant
    buffer_before: int = 0
    buffer_after: int = 0
    resource_ids: tuple[str, ...] = ()
    calendars: tuple[str, ...]
    tallies: tuple[tuple[str, str], ...] = ()
    zone: str
    overridden: tuple[Refused, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{each.code}: {each.message}" for each in self.overridden)

    @property
    def overrode(self) -> str:
        """The code of the gravest rule that was overridden; empty when none was."""
        return self.overridden[-1].code if self.overridden else ""


def place_by_service(
    desk: Desk, reading: Reading, business: str, service_id: str, service: Service, wish: Wish, now: Instant
) -> Placed:
    """The place of a visit of the service.

    Raises:
        Refused: the first rule that says no, with alternatives; `Taken` also with the rival's times.
        Missing, Invalid: a pool or resource is not there or does not give this service.
    """
    before, after = service.buffer_before_minutes * 60, service.buffer_after_minutes * 60
    window = _around(Instant(wish.start - before), Instant(wish.end + after))

    def facts_over(reading: Reading, window: Window) -> Facts:
        question = Question(
            business=business,
            window=window,
            now=now,
            customer_id=wish.customer_id,
            pinned=wish.resource_ids,
            ignoring=wish.ignoring,
        )
        return gather(desk, reading, question, service_id, service)

    if service.customer_limit is not None and not wish.customer_id:
        raise Invalid("the service has a limit per customer: say who it is for", field="customerId")
    facts = facts_over(reading, window)
    refused = _judged(facts, wish.start)
    if refused is not None and not wish.is_override:
        if isinstance(refused, Taken):
            refused = _with_rival(reading, business, facts, wish, now, refused)
        raise with_alternatives(refused, wish.start, partial(facts_over, reading.looking()))
    overridden: tuple[Refused, ...] = ()
    if refused is None:
        who = chosen(facts, tick_at(wish.start))
    else:
        span = Instant(wish.start - before), Instant(wish.end + after)
        who = _anyone(reading, business, facts, wish, span, now)
        is_taken = rival(reading, business, who, *span, now, wish.ignoring) is not None
        is_told = isinstance(refused, Taken) or not is_taken
        overridden = (refused,) if is_told else (refused, Taken("the time is taken"))
    return Placed(
        start=wish.start,
        end=wish.end,
        buffer_before=before,
        buffer_after=after,
        resource_ids=who,
        calendars=who,
        tallies=tallies_of(business, service_id, service, wish, facts.zone),
        zone=facts.zone,
        overridden=overridden,
    )


def place_freely(reading: Reading, business: str, wish: Wish, now: Instant) -> Placed:
    """The place of a bare span of time: judged to the second against the calendars of the resources that are named,
    or against the customer's own when there are none.

    Raises:
        Invalid: neither is named, or the span is empty or longer than 31 days. Missing: a resource is not there.
        Taken: it overlaps a live claim; alternatives and the rival's times are among its facts.
    """
    if wish.end <= wish.start:
        raise Invalid("endTime must be after startTime", field="endTime")
    if wish.end - wish.start > MAX_DAYS * DAY_SECONDS:
        raise Invalid(f"an appointment lasts at most {MAX_DAYS} days: make several", field="endTime")
    if not wish.resource_ids and not wish.customer_id:
        raise Invalid("name a serviceId, resourceIds or a customerId", field="customerId")
    if len(set(wish.resource_ids)) < len(wish.resource_ids):
        raise Invalid("a resource is named twice", field="resourceIds")
    keys = [kind_key(business, "resource", id) for id in wish.resource_ids]
    reading.fetch(keys)
    zones = [_resource(reading, key).zone for key in keys]
    calendars = wish.resource_ids or (f"customer/{wish.customer_id}",)
    claim = rival(reading, business, calendars, wish.start, wish.end, now, wish.ignoring)
    refused = None
    if claim is not None:
        refused = explained(reading, business, Taken("the time is taken"), claim)
        if not wish.is_override:
            seconds = wish.end - wish.start
            raise with_gaps(reading, business, refused, calendars, wish.start, seconds, now, wish.ignoring)
    return Placed(
        start=wish.start,
        end=wish.end,
        resource_ids=wish.resource_ids,
        calendars=calendars,
        zone=zones[0] if zones else business_of(reading, business).zone,
        overridden=() if refused is None else (refused,),
    )


def _judged(facts: Facts, start: Instant) -> Refused | None:
    if start % TICK_SECONDS:
        return OffStep(f"the service starts every {facts.service.step_minutes} minutes, on the full minute")
    return refusal(facts, tick_at(start))


def _around(start: Instant, end: Instant) -> Window:
    first, last = day_of(start), day_of(Instant(end - 1))
    return Window.of_days(first, last - first + 1)


def _resource(reading: Reading, key: Key) -> Resource:
    found = reading.value(key, Resource)
    if found is None or not found.active:
        raise Missing("resource", key.sort)
    return found


def _with_rival(reading: Reading, business: str, facts: Facts, wish: Wish, now: Instant, refused: Refused) -> Refused:
    """The refusal, with the times of one claim that stands in the way of those who are needed."""
    start = Instant(wish.start - facts.service.buffer_before_minutes * 60)
    end = Instant(wish.end + facts.service.buffer_after_minutes * 60)
    who = dict.fromkeys(member.id for need in facts.needs for member in need.members)
    return explained(reading, business, refused, rival(reading, business, who, start, end, now, wish.ignoring))


def _anyone(
    reading: Reading, business: str, facts: Facts, wish: Wish, span: tuple[Instant, Instant], now: Instant
) -> tuple[str, ...]:
    """Who serves when the rules are overridden: those who are named, then for each need those who are there and free,
    those who are there, and those who are free, in its order; who serves no more comes last. `span` is the claim."""
    keys = {member.id: kind_key(business, "resource", member.id) for need in facts.needs for member in need.members}
    reading.fetch(keys.values())
    serving = {id for id, key in keys.items() if (found := reading.value(key, Resource)) is not None and found.active}
    at = facts.window.bit(tick_at(wish.start))
    length = -(-(wish.end - wish.start) // TICK_SECONDS)

    def last(member: Member) -> tuple[bool, bool, bool]:
        is_open = bool(fits(member.open, length) & at)
        is_free = rival(reading, business, [member.id], *span, now, wish.ignoring) is None
        return member.id not in serving, not is_open, not is_free

    return tuple(member.id for need in facts.needs for member in sorted(need.members, key=last)[: need.count])


def tallies_of(business: str, service_id: str, service: Service, wish: Wish, zone: str) -> tuple[tuple[str, str], ...]:
    """The counting documents of the service's limits in which the wish would stand."""
    tallies: list[Key] = []
    if service.day_limit is not None:
        tallies.append(day_tally_key(business, service_id, local(wish.start, zone).date().isoformat()))
    if service.customer_limit is not None:
        tallies.append(customer_tally_key(business, service_id, wish.customer_id))
    return tuple((key.part, key.sort) for key in tallies)
