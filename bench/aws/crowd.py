"""A flash crowd: 500 people go for one resource's day at the same moment. What it costs, and how long it takes.

The desk, the ledger, the store and its connection are the real ones; DynamoDB is simulated, and the time is virtual
(`bench.aws.simulated` says what is assumed). Each person is a function of their own and gives up when the day is full.

    python -m bench.aws.crowd [--people 500] [--seeds 1]
"""

import argparse
import statistics
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from bench.aws.cutting import CUTS, DAY, HOUR, Cut, CutStore
from bench.aws.patience import LookingConnection, hasty
from bench.aws.simulated import Bill, SimulatedConnection, SimulatedTable
from bench.aws.virtual import Time, World
from slotkeeper.contracts import Store
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.errors import Taken, Unreachable
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Resource, Service
from slotkeeper.core.ticks import Instant, day_of, parse_instant
from slotkeeper.desk import booking, catalogue
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Order
from slotkeeper.ledger import settle
from slotkeeper.stores.dynamodb import DynamoStore

OWNER = Actor(business="shop", id="owner", scopes=frozenset(SCOPES))
NOW, OPENS = parse_instant("2026-11-23T06:00:00Z"), parse_instant("2026-11-24T08:00:00Z")
HOURS, MINUTES = 8, 30
VISITS = (10, 30, 40, 90)
ARRIVAL_SECONDS = 0.05
AGAIN_SECONDS = 0.2, 1.0
"""How long it takes until somebody who was refused asks for another time."""
STACK_BYTES = 512 * 1024

Choose = Callable[[Time, Sequence[Instant]], Instant]


@dataclass(frozen=True, slots=True)
class Crowd:
    """What people want: `first` of all, and of the times that they are offered instead; without `then` nothing else."""

    name: str
    first: Choose
    then: Choose | None


def _the_first(world: Time, starts: Sequence[Instant]) -> Instant:
    return starts[0]


def _any(world: Time, starts: Sequence[Instant]) -> Instant:
    return world.chance.choice(starts)


def _popular(world: Time, starts: Sequence[Instant]) -> Instant:
    """Zipf: the second hour is wanted half as often as the first, the third a third as often."""
    [hour] = world.chance.choices(range(HOURS), [1 / (rank + 1) for rank in range(HOURS)])
    return world.chance.choice([start for start in starts if (start - OPENS) // 3600 == hour])


CROWDS = (
    Crowd("the same slot", _the_first, None),
    Crowd("any slot, the next free one", _the_first, _the_first),
    Crowd("popular hours (Zipf)", _popular, _any),
)


@dataclass(slots=True)
class Outcome:
    """How a run went: answers by kind, and the seconds until each person had theirs."""

    bill: Bill
    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Way:
    """How we retry: by the ledger's own `settle` or another, over our connection or one that retries otherwise."""

    name: str
    settle: Callable[..., object] = settle
    connection: type[SimulatedConnection] = SimulatedConnection


OURS = Way("as it is")
HASTY, LOOKING = Way("hasty, as it was", hasty), Way("looking first", connection=LookingConnection)
CASES = ((DAY, HASTY), *((cut, OURS) for cut in CUTS), (DAY, LOOKING), (HOUR, LOOKING))


def slots_of_the_day() -> list[Instant]:
    """All that there is for the crowd."""
    return [Instant(OPENS + number * MINUTES * 60) for number in range(HOURS * 60 // MINUTES)]


def gather(crowd: Crowd, cut: Cut, way: Way, people: int, seed: int, **others: Any) -> Outcome:
    """Let the crowd come, and tell how it went; `others` are the simulated table's."""
    world = World(seed)
    desk, table = _a_shop(world, cut, way, **others)
    outcome = Outcome(table.bill)
    starts = slots_of_the_day()
    threading.stack_size(STACK_BYTES)
    for number in range(people):
        one = person(world, desk, crowd, starts, outcome, f"c{number}")
        world.start(one, world.chance.uniform(0, ARRIVAL_SECONDS))
    with world.governing(), mock.patch.object(booking, "settle", way.settle):
        world.run()
    return outcome


def quiet(cut: Cut, minutes: int) -> list[int]:
    """The write units of each booking while a day fills in no order and nobody comes at the same time."""
    world = World(1)
    desk, table = _a_shop(world, cut, OURS, minutes)
    starts = [Instant(OPENS + number * minutes * 60) for number in range(HOURS * 60 // minutes)]
    world.chance.shuffle(starts)
    used = []

    def fill() -> None:
        for start in starts:
            before = table.bill.units.total()
            booking.book(desk, OWNER, Order(start=start, service_id="visit", customer_id="ada"))
            used.append(table.bill.units.total() - before)

    world.start(fill)
    with world.governing():
        world.run()
    return used


def _a_shop(world: World, cut: Cut, way: Way, minutes: int = MINUTES, **others: Any) -> tuple[Desk, SimulatedTable]:
    """A shop in a simulated table, into which it cost nothing to put it."""
    table = SimulatedTable(world, physical=cut.physical, **others)
    whole = DynamoStore(way.connection(world, table), "crowd", leaves_first_due=True)
    store: Store = whole if cut is DAY else CutStore(whole, cut)
    desk = Desk(store, lambda: NOW, lambda prefix: f"{prefix}_{world.chance.getrandbits(128):032x}")
    furnish(desk, minutes)
    table.is_open = False
    return desk, table


def furnish(desk: Desk, minutes: int = MINUTES) -> None:
    """One resource that is open for eight hours, and visits of so many minutes."""
    week = Weekly(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (Opening(from_="09:00", to="17:00"),)))
    step = MINUTES if minutes % MINUTES == 0 else 5
    visit = Service(name="Visit", duration_minutes=minutes, step_minutes=step, needs=(Need(all_of=("r",)),))
    catalogue.put_profile(desk, OWNER, Business(name="Shop", zone="Europe/Berlin"))
    catalogue.put(desk, OWNER, "schedule", "week", Schedule(name="Week", weekly=week))
    catalogue.put(desk, OWNER, "resource", "r", Resource(name="R", zone="Europe/Berlin", schedule_id="week"))
    catalogue.put(desk, OWNER, "service", "visit", visit)


def person(
    world: Time, desk: Desk, crowd: Crowd, starts: Sequence[Instant], outcome: Outcome, name: str
) -> Callable[[], None]:
    def ask() -> None:
        began, start = world.now, crowd.first(world, starts)
        while True:
            try:
                booking.book(desk, OWNER, Order(start=start, service_id="visit", customer_id=name))
                outcome.answers["booked"] += 1
                break
            except Unreachable:
                outcome.answers["503"] += 1
                break
            except Taken as taken:
                offered: Any = taken.facts["alternatives"]
                times = [parse_instant(each["startTime"]) for each in offered]
                left = [each for each in times if day_of(each) == day_of(OPENS)]
                if crowd.then is None or not left:
                    outcome.answers["refused"] += 1
                    break
                start = crowd.then(world, left)
                world.sleep(world.chance.uniform(*AGAIN_SECONDS))
        outcome.seconds.append(world.now - began)

    return ask


def row(outcomes: Sequence[Outcome]) -> list[str]:
    """The medians of some runs."""

    def median(of: Callable[[Outcome], float], digits: int = 0) -> str:
        return f"{statistics.median(map(of, outcomes)):,.{digits}f}"

    def quantile(outcome: Outcome, share: float) -> float:
        return sorted(outcome.seconds)[min(int(len(outcome.seconds) * share), len(outcome.seconds) - 1)]

    return [
        median(lambda each: each.answers["booked"]),
        median(lambda each: each.answers["503"]),
        median(lambda each: each.bill.units["done"]),
        median(lambda each: each.bill.wasted),
        median(lambda each: each.bill.reads),
        median(lambda each: each.bill.commits.total() / max(each.answers["booked"], 1), 1),
        median(lambda each: quantile(each, 0.5), 2),
        median(lambda each: quantile(each, 0.99), 2),
        median(lambda each: max(each.seconds), 2),
    ]


COLUMNS = ("booked", "503", "units used", "wasted", "read", "commits a booking", "p50 s", "p99 s", "last s")


def show(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as Markdown."""
    print(f"\n**{title}**\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=1, help="medians of so many runs")
    wanted = parser.parse_args()
    seeds = range(1, wanted.seeds + 1)

    def filled() -> Iterable[list[str]]:
        for cut in CUTS:
            runs = [quiet(cut, minutes) for minutes in VISITS]
            yield [cut.name, *(f"{statistics.mean(used):.1f} ({min(used)} to {max(used)})" for used in runs)]

    def gathered(crowd: Crowd) -> Iterable[list[str]]:
        for cut, way in CASES:
            print(f"{crowd.name}: {cut.name}, {way.name}", file=sys.stderr)
            runs = [gather(crowd, cut, way, wanted.people, seed) for seed in seeds]
            yield [cut.name, way.name, *row(runs)]

    visits = [f"{minutes} min" for minutes in VISITS]
    show(
        f"Write units of a booking in quiet, while {HOURS} hours fill: mean (least to most)",
        ["span", *visits],
        filled(),
    )
    for crowd in CROWDS:
        slots = HOURS * 60 // MINUTES
        show(f"{wanted.people} at once for {slots} slots: {crowd.name}", ["span", "retries", *COLUMNS], gathered(crowd))


if __name__ == "__main__":
    main()
