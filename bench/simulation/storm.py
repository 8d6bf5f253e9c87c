"""A storm: a few dense days of a small clinic in foul weather, with calm spells in which all must come right again."""

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.simulation.broken import GOOD, Build
from bench.simulation.claims import Wrong
from bench.simulation.people import CUSTOMER_DEEDS, STAFF_DEEDS, People
from bench.simulation.process import Courying, Door, Functions, House, Process, Stage
from bench.simulation.steps import Gate
from bench.simulation.town import BUSINESS, furnish
from bench.simulation.truth import Truth
from bench.simulation.weather import WORST, Weather, calm, some_of
from bench.simulation.world import World
from slotkeeper.contracts import Store
from slotkeeper.core.ticks import parse_instant
from slotkeeper.web.http import Request, Response

BEGAN = parse_instant("2026-10-23T06:00:00Z")
"""Two days before the clocks go back in Berlin."""

DAY = 86_400
DAYS = 1
SPELL_SECONDS = 3 * 3600
CALM_SECONDS = 3600
AFTER_SECONDS = 1.5 * DAY
FURNISHED_SECONDS = 300
LONGEST_SLEEP = 120.0
"""A worker looks again after so long, if nobody wakes it; it is woken by its own process alone."""

CUSTOMERS, STAFF, FUNCTIONS = 8, 2, 6

SHAPES = (
    "a house in memory",
    "a house on a file",
    "two houses on a file",
    "functions in memory",
    "functions on a file",
)
"""How the service runs: as the embedded home, as two processes on one file, or as functions that share a store."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run went. Without `wrong` every promise held at every step."""

    seed: int
    shape: str
    steps: int
    digest: str
    wrong: str = ""
    story: tuple[str, ...] = ()
    counts: Mapping[str, int] = msgspec.field(default_factory=dict)
    lateness: Mapping[int, int] = msgspec.field(default_factory=dict)


def storm(seed: int, days: float = DAYS, build: Build = GOOD) -> Outcome:
    """Let a storm rage for so many days of its own time; the same seed gives the same storm."""
    world = World(seed, BEGAN)
    with tempfile.TemporaryDirectory() as folder, silence(), build.built():
        shape = shape_of(seed)
        foul = some_of(WORST, world.chance)
        weather = Weather(world.chance, foul, calm(foul))
        truth = Truth(world, BUSINESS)
        stage = _stage(world, weather, truth, shape, Path(folder), build)
        return _Storm(stage, shape, days * DAY).run()


def shape_of(seed: int) -> str:
    """How the service runs with that seed."""
    return SHAPES[seed % len(SHAPES)]


class _Storm:
    """One storm, from beginning to end."""

    def __init__(self, stage: Stage, shape: str, seconds: float) -> None:
        self.stage = stage
        self.shape = shape
        self.seconds = seconds
        self.processes: list[Process] = []

    def run(self) -> Outcome:
        world, wrong = self.stage.world, ""
        try:
            with world.governing():
                self._rage()
        except Wrong as error:
            wrong = str(error)
        except Exception as error:  # noqa: BLE001 - whatever breaks is what was looked for, and is told with its story
            wrong = f"{type(error).__name__}: {error}"
        finally:
            world.close()
            for process in self.processes:
                process.stop()
        counts = {"kills": sum(process.kills for process in self.processes)}
        if hasattr(self, "people"):
            counts |= dict(sorted(self.people.outcomes.items()))
        return outcome(self.stage, self.shape, wrong, counts)

    def _rage(self) -> None:
        world = self.stage.world
        world.start("furnisher", self._furnish)
        world.run(FURNISHED_SECONDS)
        door = self._open()
        self.people = People(world, self.stage.truth, door, self.seconds)
        for number in range(CUSTOMERS):
            self.people.live(f"customer {number}", CUSTOMER_DEEDS, is_staff=False)
        for number in range(STAFF):
            self.people.live(f"staff {number}", STAFF_DEEDS, is_staff=True)
        world.start("weather", self._change_weather)
        world.start("auditor", self._audit)
        world.run(self.seconds)
        self.stage.weather.set(is_foul=False)
        world.run(self.seconds + AFTER_SECONDS)
        self.stage.truth.check_over()
        self._sweep()

    def _furnish(self) -> None:
        process = Process("furnisher", self.stage)
        process.is_dead = False
        store = process.opened()
        furnish(process.desk(store))
        store.close()

    def _open(self) -> Door:
        """Start the processes; gives the door to them."""
        stage, door = self.stage, _Doors(self.stage.world)
        if "functions" in self.shape:
            functions = Functions(stage, FUNCTIONS)
            self.processes += [*functions.processes, Courying("courier a", stage), Courying("courier b", stage)]
            door.doors.append(functions)
        else:
            houses = [House(f"house {name}", stage) for name in ("ab" if "two" in self.shape else "a")]
            self.processes += houses
            door.doors += houses
        for process in self.processes:
            process.start()
        return door

    def _change_weather(self) -> None:
        """Foul and calm spells in turn; at the end of a calm one everything is looked at."""
        world, weather = self.stage.world, self.stage.weather
        while world.now < self.seconds:
            weather.set(is_foul=True)
            world.sleep(world.chance.uniform(0.5, 1.5) * SPELL_SECONDS)
            weather.set(is_foul=False)
            world.sleep(CALM_SECONDS)
            self._sweep()

    def _audit(self) -> None:
        while True:
            self.stage.world.sleep(60)
            self.stage.truth.check_due()

    def _sweep(self) -> None:
        store = self.stage.open_store()
        try:
            self.stage.truth.sweep(store)
        except Wrong as wrong:
            self.stage.world.fail(wrong)
        finally:
            store.close()


def outcome(stage: Stage, shape: str, wrong: str, counts: Mapping[str, int]) -> Outcome:
    """How a run went, as its stage knows it."""
    world, messages = stage.world, stage.truth.messages
    letters = {"letters": messages.arrived, "letters twice": messages.twice, "given up": messages.given_up}
    return Outcome(
        seed=world.seed,
        shape=shape,
        steps=world.steps,
        digest=world.digest,
        wrong=wrong,
        story=tuple(world.story()) if wrong else (),
        counts={"commits": stage.truth.commits, **letters, **counts},
        lateness=dict(messages.lateness),
    )


class _Doors:
    """Several doors: each request goes to one of them."""

    def __init__(self, world: World) -> None:
        self.doors: list[Door] = []
        self._world = world

    def ask_all(self, requests: Sequence[Request]) -> list[Response | None]:
        return self._world.chance.choice(self.doors).ask_all(requests)


def _stage(world: World, weather: Weather, truth: Truth, shape: str, folder: Path, build: Build) -> Stage:
    at_once = world.chance.choice((1, 32))
    if "memory" in shape:
        kept = build.memory()
        return Stage(
            world=world,
            weather=weather,
            truth=truth,
            open_store=lambda: kept,
            courier=build.courier,
            at_once=at_once,
            longest_sleep=LONGEST_SLEEP,
        )

    def open_file() -> Store:
        store = build.on_file(folder / "storm.db", wait_seconds=0)
        # Processes are killed here, and the power stays: what the system has taken is kept, and no disk is waited for.
        store._writer.execute("PRAGMA synchronous = OFF")
        return store

    file = None if shape == "a house on a file" else Gate(world)
    return Stage(
        world=world,
        weather=weather,
        truth=truth,
        open_store=open_file,
        file=file,
        courier=build.courier,
        at_once=at_once,
        longest_sleep=LONGEST_SLEEP,
    )


@contextmanager
def silence() -> Iterator[None]:
    """Without logs: what is simulated to fail is told by thousands."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
