"""The rules of booking: each is a function from facts to the set of starts that it allows.

A set of starts is an int: bit i stands for the tick `window.start + i`. Slots are the intersection of all rules,
and a refusal is the first rule that lacks the asked start, so what is offered can be booked and the reverse.
"""

from collections.abc import Callable
from functools import reduce
from operator import and_

import msgspec

from slotkeeper.core.errors import Closed, CustomerFull, DayFull, OffStep, Refused, Taken, TooFar, TooSoon
from slotkeeper.core.hours import step_ticks
from slotkeeper.core.service import Service
from slotkeeper.core.ticks import (
    DAY_SECONDS,
    DAY_TICKS,
    TICK_MINUTES,
    Instant,
    Tick,
    Window,
    at_least,
    fits,
    tick_after,
    tick_at,
)


class Member(msgspec.Struct, frozen=True):
    """A resource seen over the window: the ticks in which it is open, and those that are claimed. `starts` are those
    at which it is open for the whole visit, where somebody has found them out already."""

    id: str
    open: int
    busy: int
    starts: int | None = None


class Needed(msgspec.Struct, frozen=True):
    """`count` of these members, at the same time. The order settles who is taken among the equally loaded."""

    members: tuple[Member, ...]
    count: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the rules look at. The window has room for the claim on both sides of every start that is asked.

    `open_starts` is what `while_open` allows, where somebody has found it out already.
    """

    window: Window
    now: Instant
    service: Service
    zone: str
    needs: tuple[Needed, ...]
    service_open: int
    full_days: int = 0
    customer_is_full: bool = False
    open_starts: int | None = None


Rule = Callable[[Facts], int]


def on_step(facts: Facts) -> int:
    """Starts on the grid of the service, counted from local midnight."""
    return step_ticks(facts.zone, facts.service.step_minutes, facts.window)


def with_notice(facts: Facts) -> int:
    """Starts that are not in the past and leave the minimum notice."""
    first = tick_after(Instant(facts.now + facts.service.notice_minutes * 60))
    return _from(facts.window, first)


def within_horizon(facts: Facts) -> int:
    """Starts no further ahead than the horizon."""
    last = tick_at(Instant(facts.now + facts.service.horizon_days * DAY_SECONDS))
    return facts.window.full & ~_from(facts.window, Tick(last + 1))


def on_days_with_room(facts: Facts) -> int:
    """Starts on local days that have not reached the service's limit."""
    return facts.window.full & ~facts.full_days


def by_customer_with_room(facts: Facts) -> int:
    """Every start, or none for a customer who has reached the service's limit."""
    return 0 if facts.customer_is_full else facts.window.full


def while_open(facts: Facts) -> int:
    """Starts at which the service and enough of those needed are open for the visit. Buffers may reach outside."""
    if facts.open_starts is not None:
        return facts.open_starts
    length = facts.service.duration_minutes // TICK_MINUTES
    enough = (at_least(need.count, [_open(member, length) for member in need.members]) for need in facts.needs)
    return reduce(and_, enough, fits(facts.service_open, length))


def while_free(facts: Facts) -> int:
    """Starts at which enough of those needed are open for the visit, and free for it and for its buffers."""
    asked = while_open(facts)
    return reduce(and_, (_free(facts, need, asked) for need in facts.needs))


def _free(facts: Facts, need: Needed, asked: int) -> int:
    """The starts at which enough of the need's members could serve. Where any one will do, no more are looked at when
    they could serve at all that is asked: of a thousand a few are enough."""
    if need.count > 1:
        return at_least(need.count, [able(facts, member) for member in need.members])
    starts = 0
    for member in need.members:
        starts |= able(facts, member)
        if not asked & ~starts:
            break
    return starts


def able(facts: Facts, member: Member) -> int:
    """The starts at which this one member could serve."""
    service = facts.service
    length = service.duration_minutes // TICK_MINUTES
    before = service.buffer_before_minutes // TICK_MINUTES
    whole = before + length + service.buffer_after_minutes // TICK_MINUTES
    starts = _open(member, length)
    if not member.busy:
        return starts
    free = facts.window.full & ~member.busy
    return starts & (fits(free, whole) << before)


RULES: tuple[tuple[Rule, type[Refused], str], ...] = (
    (on_step, OffStep, "the service starts every {step} minutes, counted from midnight in {zone}"),
    (with_notice, TooSoon, "the start is in the past{notice}"),
    (within_horizon, TooFar, "the start lies more than {horizon} days ahead"),
    (on_days_with_room, DayFull, "the service takes no more appointments on that day"),
    (by_customer_with_room, CustomerFull, "the customer has as many appointments as the service allows"),
    (while_open, Closed, "not everyone who is needed is open then"),
    (while_free, Taken, "the time is taken"),
)


def allowed(facts: Facts) -> int:
    """The starts that every rule allows."""
    return reduce(and_, (rule(facts) for rule, _, _ in RULES))


def refusal(facts: Facts, start: Tick) -> Refused | None:
    """Why the service may not start then: the first rule that says no, or None."""
    at = facts.window.bit(start)
    for rule, refused, message in RULES:
        if not rule(facts) & at:
            return refused(_told(message, facts))
    return None


def chosen(facts: Facts, start: Tick) -> tuple[str, ...]:
    """Who serves at an allowed start: for each need the least loaded, in the order of the needs.

    Load is the ticks claimed on the start's UTC day; among equals the first in the need's own order is taken, so the
    same facts give the same answer. Raises `Taken` when one resource would have to be in two places.
    """
    at = facts.window.bit(start)
    day = ((1 << DAY_TICKS) - 1) << ((start - facts.window.start) // DAY_TICKS * DAY_TICKS)
    taken: list[str] = []
    for need in facts.needs:
        could = [member for member in need.members if member.id not in taken and able(facts, member) & at]
        if len(could) < need.count:
            raise Taken("the time is taken")
        could.sort(key=lambda member: (member.busy & day).bit_count())
        taken += [member.id for member in could[: need.count]]
    return tuple(taken)


def _open(member: Member, length: int) -> int:
    """The starts at which the member is open for so many ticks."""
    return fits(member.open, length) if member.starts is None else member.starts


def _from(window: Window, first: Tick) -> int:
    """The window's ticks from `first` on."""
    skipped = min(max(first - window.start, 0), window.length)
    return window.full >> skipped << skipped


def _told(message: str, facts: Facts) -> str:
    service = facts.service
    return message.format(
        step=service.step_minutes,
        zone=facts.zone,
        notice=f" or within the notice of {service.notice_minutes} minutes" if service.notice_minutes else "",
        horizon=service.horizon_days,
    )
