"""Slots: the starts that all rules allow, as a computed offer that is never stored."""

from slotkeeper.core.rules import Facts, allowed
from slotkeeper.core.ticks import Instant, Tick, instant_of, positions


def slots(facts: Facts, first: Instant, last: Instant) -> list[Instant]:
    """The starts on offer in `first <= start < last`, ascending."""
    start = facts.window.start
    starts = (instant_of(Tick(start + at)) for at in positions(allowed(facts)))
    return [instant for instant in starts if first <= instant < last]


def nearest(offers: list[Instant], asked: Instant, count: int) -> list[Instant]:
    """The `count` offers closest to what was asked, in the order of time; of two equally close the earlier."""
    return sorted(sorted(offers, key=lambda offer: (abs(offer - asked), offer))[:count])
