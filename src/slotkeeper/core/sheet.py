"""Who claims one calendar on one day, and whether a new claim fits beside the others.

A calendar is a resource's, or a customer's own when an appointment names no resource. A claim that passes midnight
stands whole in the sheet of each UTC day that it touches, so each day can be judged alone.
"""

from bisect import insort
from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from operator import or_

import msgspec

from slotkeeper.core.ticks import TICK_SECONDS, Instant, Tick, Window, ones, tick_after, tick_at

NEVER = 0


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """A half-open span of seconds, buffers included, that `owner` (an appointment or a hold) keeps for itself.

    From `expires` on (seconds; 0: never) it counts for nothing, whether or not it has been swept away.
    """

    owner: str
    start: Instant
    end: Instant
    expires: Instant = Instant(NEVER)

    def is_live(self, now: Instant) -> bool:
        return self.expires == NEVER or self.expires > now

    def overlaps(self, start: Instant, end: Instant) -> bool:
        return self.start < end and start < self.end


Sheet = tuple[Claim, ...]
"""The claims of one calendar on one day, by start."""


def live(sheet: Sheet, now: Instant, ignoring: Collection[str] = ()) -> list[Claim]:
    """The claims that still count, save those of the owners to be ignored."""
    return [claim for claim in sheet if claim.is_live(now) and claim.owner not in ignoring]


class Drawn(msgspec.Struct, frozen=True):
    """One or more sheets as they can be looked at again and again, whenever that is: the ticks that are claimed for
    good, counted from `first` on, and the claims that expire."""

    first: Tick
    ticks: int
    passing: tuple[Claim, ...] = ()

    def over(self, window: Window) -> "Drawn":
        """The same, counted from the window's start, and cut to it."""
        return Drawn(window.start, self._within(window), self.passing)

    def busy(self, window: Window, now: Instant, ignoring: Collection[str] = ()) -> int:
        """The window's ticks that any live claim touches. `ignoring` are owners of claims that expire."""
        ticks = self._within(window)
        for claim in self.passing:
            if claim.is_live(now) and claim.owner not in ignoring:
                ticks |= window.mask(claim.start, claim.end)
        return ticks

    def _within(self, window: Window) -> int:
        """The window's ticks that are claimed for good."""
        ahead = self.first - window.start
        ticks = self.ticks << ahead if ahead >= 0 else self.ticks >> -ahead
        return ticks & window.full

    def with_claim(self, claim: Claim) -> "Drawn":
        """The same with one claim more."""
        if claim.expires:
            return Drawn(self.first, self.ticks, (*self.passing, claim))
        start, end = tick_at(claim.start), tick_after(claim.end)
        if not self.ticks:
            return Drawn(start, ones(end - start), self.passing)
        first = min(start, self.first)
        return Drawn(first, self.ticks << self.first - first | ones(end - start) << start - first, self.passing)


BLANK = Drawn(Tick(0), 0)


def drawn(sheet: Sheet) -> Drawn:
    """The sheet, drawn."""
    passing = tuple(claim for claim in sheet if claim.expires)
    solid = [claim for claim in sheet if not claim.expires] if passing else sheet
    if not solid:
        return Drawn(Tick(0), 0, passing)
    first, ticks = tick_at(solid[0].start), 0
    for claim in solid:
        ticks |= (1 << -(-claim.end // TICK_SECONDS) - first) - (1 << claim.start // TICK_SECONDS - first)
    return Drawn(first, ticks, passing)


def together(drawings: Sequence[Drawn]) -> Drawn:
    """What any of them shows."""
    shown = [each for each in drawings if each.ticks]
    first = min((each.first for each in shown), default=Tick(0))
    ticks = reduce(or_, [each.ticks << each.first - first for each in shown], 0)
    return Drawn(first, ticks, tuple(claim for each in drawings for claim in each.passing))


def busy(sheets: Iterable[Sheet], window: Window, now: Instant, ignoring: Collection[str] = ()) -> int:
    """The window's ticks that any live claim touches.

    A search looks at tens of thousands of claims, so this is written out where `live` and `Window.mask` would do.
    """
    ticks, base, length = 0, window.start, window.length
    for sheet in sheets:
        for claim in sheet:
            if (claim.expires and claim.expires <= now) or claim.owner in ignoring:
                continue
            first = max(claim.start // TICK_SECONDS - base, 0)
            last = min(-(-claim.end // TICK_SECONDS) - base, length)
            if first < last:
                ticks |= ((1 << last - first) - 1) << first
    return ticks


def clash(
    sheets: Iterable[Sheet], start: Instant, end: Instant, now: Instant, ignoring: Collection[str] = ()
) -> Claim | None:
    """The first live claim that overlaps the span to the second; None when the span is free."""
    found = (claim for sheet in sheets for claim in live(sheet, now, ignoring) if claim.overlaps(start, end))
    return min(found, key=lambda claim: (claim.start, claim.owner), default=None)


def added(sheet: Sheet, claim: Claim, now: Instant) -> Sheet:
    """The sheet with the claim, in place of any that its owner has there, and without what has expired.

    It judges nothing: see `clash`.
    """
    owner = claim.owner
    kept = [each for each in sheet if each.owner != owner and (not each.expires or each.expires > now)]
    insort(kept, claim, key=lambda each: (each.start, each.owner))
    return tuple(kept)


def removed(sheet: Sheet, owner: str) -> Sheet:
    """The sheet without the owner's claims."""
    return tuple(claim for claim in sheet if claim.owner != owner)
