"""Slots: the starts that all rules allow, as a computed offer that is never stored."""

from bisect import bisect_left
from collections.abc import Iterable

from slotkeeper.core.rules import Facts, allowed
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import TICK_SECONDS, Instant, Window, positions, tick_after


def slots(facts: Facts, first: Instant, last: Instant) -> list[Instant]:
    """The starts on offer in `first <= start < last`, ascending."""
    return instants(facts.window, offered(facts, first, last))


def offered(facts: Facts, first: Instant, last: Instant) -> int:
    """The same as ticks of the facts' window."""
    return allowed(facts) & facts.window.between(tick_after(first), tick_after(last))


def instants(window: Window, ticks: int) -> list[Instant]:
    """The ticks of the window as instants, ascending."""
    return [Instant((window.start + at) * TICK_SECONDS) for at in positions(ticks)]


def nearest(offers: list[Instant], asked: Instant, count: int) -> list[Instant]:
    """The `count` offers closest to what was asked, in the order of time; of two equally close the earlier."""
    after = bisect_left(offers, asked)
    around = offers[max(after - count, 0) : after + count]
    return sorted(sorted(around, key=lambda offer: (abs(offer - asked), offer))[:count])


def between(claims: Iterable[Claim], seconds: int, first: Instant, last: Instant) -> list[Instant]:
    """The starts in `first <= start < last` at which a span of so many seconds fits beside the claims and touches one
    of them: right after it or right before it. Ascending."""
    found = set[int]()
    free_from: int | None = None
    for claim in sorted(claims, key=lambda each: each.start):
        if free_from is None or claim.start - free_from >= seconds:
            found.update((claim.start - seconds,) if free_from is None else (free_from, claim.start - seconds))
        free_from = claim.end if free_from is None else max(free_from, claim.end)
    if free_from is not None:
        found.add(free_from)
    return [Instant(start) for start in sorted(found) if first <= start < last]
