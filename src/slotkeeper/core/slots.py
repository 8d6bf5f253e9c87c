"""Slots: the starts that all rules allow, as a computed offer that is never stored."""

from bisect import bisect_left

from slotkeeper.core.rules import Facts, allowed
from slotkeeper.core.ticks import TICK_SECONDS, Instant, positions, tick_after


def slots(facts: Facts, first: Instant, last: Instant) -> list[Instant]:
    """The starts on offer in `first <= start < last`, ascending."""
    window = facts.window
    asked = window.between(tick_after(first), tick_after(last))
    return [Instant((window.start + at) * TICK_SECONDS) for at in positions(allowed(facts) & asked)]


def nearest(offers: list[Instant], asked: Instant, count: int) -> list[Instant]:
    """The `count` offers closest to what was asked, in the order of time; of two equally close the earlier."""
    after = bisect_left(offers, asked)
    around = offers[max(after - count, 0) : after + count]
    return sorted(sorted(around, key=lambda offer: (abs(offer - asked), offer))[:count])
