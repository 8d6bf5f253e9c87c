"""A plain model of booking: lists, loops and wall-clock comparisons, no bits and no sheets.

It is slow and obvious on purpose. It says what must happen, in the order in which the rules are documented.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60
TICK = 300


@dataclass
class Claimed:
    owner: str
    resource: str
    start: int
    end: int
    expires: int | None = None


@dataclass(frozen=True)
class Person:
    """A resource: its zone, and its hours as (weekday, opens, closes) in minutes; None: always open."""

    zone: str
    hours: tuple[tuple[int, int, int], ...] | None = None


@dataclass(frozen=True)
class Offer:
    """A service, its needs as (resource ids, how many of them)."""

    minutes: int
    needs: tuple[tuple[tuple[str, ...], int], ...]
    before: int = 0
    after: int = 0
    step: int = 15
    notice: int = 0
    horizon_days: int = 365
    day_limit: int | None = None
    customer_limit: int | None = None


@dataclass
class Model:
    zone: str
    people: dict[str, Person]
    offers: dict[str, Offer]
    now: int
    claims: list[Claimed] = field(default_factory=list)
    absences: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    visits: dict[str, tuple[str, str, int, int | None]] = field(default_factory=dict)
    """Who counts against limits: owner -> (offer, customer, start, expires)."""

    def live(self, ignoring: str = "") -> list[Claimed]:
        return [
            claim
            for claim in self.claims
            if claim.owner != ignoring and (claim.expires is None or claim.expires > self.now)
        ]

    def is_open(self, resource: str, start: int, end: int) -> bool:
        """Open for each tick of the span by the wall clock, and not away."""
        person = self.people[resource]
        return all(self._is_open_at(person, at) for at in range(start, end, TICK)) and not any(
            who == resource and begins < end and start < ends for who, begins, ends in self.absences.values()
        )

    def _is_open_at(self, person: Person, at: int) -> bool:
        if person.hours is None:
            return True
        wall = datetime.fromtimestamp(at, ZoneInfo(person.zone))
        minute = wall.hour * 60 + wall.minute
        yesterday = (wall.weekday() - 1) % 7
        return any(
            (day == wall.weekday() and opens <= minute < closes) or (day == yesterday and minute + 1440 < closes)
            for day, opens, closes in person.hours
        )

    def is_free(self, resource: str, start: int, end: int, ignoring: str = "") -> bool:
        return not any(
            claim.resource == resource and claim.start < end and start < claim.end for claim in self.live(ignoring)
        )

    def able(self, offer: Offer, resource: str, start: int, ignoring: str = "") -> bool:
        end = start + offer.minutes * MINUTE
        return self.is_open(resource, start, end) and self.is_free(
            resource, start - offer.before * MINUTE, end + offer.after * MINUTE, ignoring
        )

    def verdict(
        self,
        name: str,
        start: int,
        *,
        customer: str = "",
        pinned: Iterable[str] = (),
        ignoring: str = "",
        minutes: int | None = None,
    ) -> str:
        """The code of the first rule that says no; `ok` when none does."""
        offer = self.offers[name]
        if minutes is not None:
            offer = Offer(**{**offer.__dict__, "minutes": minutes})
        end = start + offer.minutes * MINUTE
        wall = datetime.fromtimestamp(start, ZoneInfo(self.zone))
        if start % TICK or (wall.hour * 60 + wall.minute) % offer.step:
            return "off-step"
        if start < self.now + offer.notice * MINUTE:
            return "too-soon"
        if start > self.now + timedelta(days=offer.horizon_days).total_seconds():
            return "too-far"
        if offer.day_limit is not None and self._on_day(name, wall.date(), ignoring) >= offer.day_limit:
            return "day-full"
        limit = offer.customer_limit
        if customer and limit is not None and self._of_customer(name, customer, ignoring) >= limit:
            return "customer-full"
        groups = narrowed(offer.needs, tuple(pinned))
        if not self._enough(groups, lambda who: self.is_open(who, start, end)):
            return "closed"
        if not self._enough(groups, lambda who: self.able(offer, who, start, ignoring)):
            return "taken"
        return "ok"

    def load(self, resource: str, start: int, ignoring: str = "") -> int:
        """The ticks claimed on the start's UTC day."""
        day = datetime.fromtimestamp(start, UTC).replace(hour=0, minute=0, second=0)
        first = int(day.timestamp())
        return sum(not self.is_free(resource, at, at + TICK, ignoring) for at in range(first, first + 86_400, TICK))

    def _enough(self, groups: list[tuple[tuple[str, ...], int]], good: Callable[[str], bool]) -> bool:
        return all(sum(good(who) for who in ids) >= count for ids, count in groups)

    def _counted(self, name: str, ignoring: str) -> list[tuple[str, int]]:
        return [
            (customer, start)
            for owner, (offer, customer, start, expires) in self.visits.items()
            if offer == name and owner != ignoring and (expires is None or expires > self.now)
        ]

    def _on_day(self, name: str, date: object, ignoring: str) -> int:
        zone = ZoneInfo(self.zone)
        counted = self._counted(name, ignoring)
        return sum(datetime.fromtimestamp(start, zone).date() == date for _, start in counted)

    def _of_customer(self, name: str, customer: str, ignoring: str) -> int:
        offer = self.offers[name]
        whole = (offer.minutes + offer.after) * MINUTE
        return sum(who == customer and start + whole > self.now for who, start in self._counted(name, ignoring))


def narrowed(
    needs: tuple[tuple[tuple[str, ...], int], ...], pinned: tuple[str, ...]
) -> list[tuple[tuple[str, ...], int]]:
    """The needs when some resources are insisted on."""
    groups: list[tuple[tuple[str, ...], int]] = []
    for ids, count in needs:
        named = [who for who in pinned if who in ids]
        groups += [((who,), 1) for who in named]
        if count > len(named):
            groups.append((tuple(who for who in ids if who not in named), count - len(named)))
    return groups
