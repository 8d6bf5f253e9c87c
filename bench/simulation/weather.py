"""What fails, and how often: each seed has a weather of its own, and foul spells end in calm ones.

In calm weather nothing fails, so what was lost in a foul spell must come right by itself, and within its time.
"""

import random
from typing import Literal

import msgspec

Fault = Literal["before", "after", "killed before", "killed after"]
"""Of a store's call: it failed, it was done and its answer lost, and whoever called was killed before or after it."""

Delivery = Literal[
    "taken", "slow", "later", "never", "lost answer", "stuck", "strange", "killed before", "killed after"
]
"""Of a letter: it arrived, at once or slowly; it was refused for now, or for good; it arrived, but its sender heard
nothing; nobody answered; the sender broke; and whoever sent was killed before or after it arrived."""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """How often a thing happens, of all the times that it could. `latency_seconds` is what a call takes on average,
    0 for no time at all."""

    before: float = 0.0
    after: float = 0.0
    killed: float = 0.0
    lost_request: float = 0.0
    lost_answer: float = 0.0
    slow: float = 0.0
    later: float = 0.0
    never: float = 0.0
    unheard: float = 0.0
    stuck: float = 0.0
    strange: float = 0.0
    latency_seconds: float = 0.0


CALM = Rates()

WORST = Rates(
    before=0.008,
    after=0.008,
    killed=0.001,
    lost_request=0.05,
    lost_answer=0.08,
    slow=0.2,
    later=0.2,
    never=0.02,
    unheard=0.1,
    stuck=0.03,
    strange=0.02,
    latency_seconds=0.05,
)


def some_of(worst: Rates, chance: random.Random) -> Rates:
    """A weather in which each thing happens often, seldom or never: what is rare shows only where the rest is still.
    Calls take their time in all weathers, for where they take none nobody ever comes in between."""
    drawn = {name: getattr(worst, name) * chance.choice((0.0, 0.1, 1.0)) for name in worst.__struct_fields__}
    return Rates(**drawn | {"latency_seconds": worst.latency_seconds * chance.choice((0.1, 1.0))})


def calm(foul: Rates) -> Rates:
    """The same with nothing that fails."""
    return Rates(latency_seconds=foul.latency_seconds)


class Weather:
    """The weather now. `is_foul` turns it on and off."""

    def __init__(self, chance: random.Random, foul: Rates, usual: Rates = CALM) -> None:
        self._chance = chance
        self._foul = foul
        self._usual = usual
        self.set(is_foul=False)

    def set(self, *, is_foul: bool) -> None:
        """Let a spell begin."""
        self.rates = rates = self._foul if is_foul else self._usual
        self._store_faults = rates.before + rates.after + 2 * rates.killed

    def latency(self) -> float:
        """How long a call takes, in seconds."""
        mean = self.rates.latency_seconds
        return self._chance.expovariate(1 / mean) if mean else 0.0

    def of_call(self, *, is_write: bool) -> Fault | None:
        """What befalls a call of the store. Only a write can be done and its answer lost."""
        if not self._store_faults:
            return None
        drawn = self._chance.random()
        if drawn >= self._store_faults:
            return None
        rates = self.rates
        if drawn < rates.before:
            return "before"
        if drawn < rates.before + rates.after:
            return "after" if is_write else None
        return "killed before" if drawn < rates.before + rates.after + rates.killed else "killed after"

    def of_letter(self) -> Delivery:
        """What befalls a letter."""
        rates = self.rates
        odds: tuple[tuple[float, Delivery], ...] = (
            (rates.slow, "slow"),
            (rates.later, "later"),
            (rates.never, "never"),
            (rates.unheard, "lost answer"),
            (rates.stuck, "stuck"),
            (rates.strange, "strange"),
            (rates.killed, "killed before"),
            (rates.killed, "killed after"),
        )
        drawn = self._chance.random()
        for odd, delivery in odds:
            if drawn < odd:
                return delivery
            drawn -= odd
        return "taken"

    def loses(self, odds: float) -> bool:
        """Whether something with such odds is lost."""
        return bool(odds) and self._chance.random() < odds
