"""A year of a chain of practices at 3,500 bookings a day, where little fails: an hour a week, and a kill now and then.

What is over for two days is judged for the last time and taken out of the store, so that a year fits into memory.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from bench.simulation.broken import GOOD, Build
from bench.simulation.caller import UNKNOWN, request
from bench.simulation.claims import Wrong
from bench.simulation.memory import MemoryStore
from bench.simulation.process import House, Process, Stage
from bench.simulation.storm import Outcome, outcome, silence
from bench.simulation.town import BUSINESS, CUSTOMERS, furnish_practices
from bench.simulation.truth import Truth
from bench.simulation.weather import Rates, Weather
from bench.simulation.world import World
from slotkeeper.core.ticks import Day, Instant, day_key, day_of, format_instant, parse_instant

BEGAN = parse_instant("2026-01-05T00:00:00Z")
DAYS_OF_A_YEAR, PER_DAY = 365, 3500
PRACTICES, PEOPLE = 60, 4
DAY, HOUR, HALF = 86_400, 3600, 1800
OPENS, SLOTS = 7 * HOUR, 22
"""Visits begin from seven on, each half hour; with 240 people there is room for 5,280 a day."""

ASKING_FROM, ASKING_HOURS, MARK_SECONDS = 6 * HOUR, 15, 300
"""People ask from six on, and always a few at the same moment."""

LEAD_DAYS, MOST_LEAD_DAYS = 4, 14
MOVED, CANCELLED, AGAINST = 0.06, 0.08, 0.01
"""Of all bookings so many are moved and cancelled; so many are asked for where nobody is free."""

KEPT_DAYS = 2
LONGEST_SLEEP = 900.0

USUAL = Rates(before=1e-5, after=1e-5, killed=1e-6, lost_answer=1e-3, slow=1e-3, later=2e-3, unheard=5e-4, stuck=1e-5)
FOUL = Rates(
    before=1e-3,
    after=1e-3,
    killed=5e-5,
    lost_request=0.02,
    lost_answer=0.05,
    slow=0.02,
    later=0.3,
    unheard=0.02,
    strange=1e-3,
)


class Wish(msgspec.Struct, frozen=True):
    """What somebody asks for: `id` is the appointment to be changed, empty for a new one."""

    ticket: str
    what: str
    start: int = 0
    practice: int = 0
    id: str = ""


def year(
    seed: int,
    days: int = DAYS_OF_A_YEAR,
    *,
    per_day: int = PER_DAY,
    build: Build = GOOD,
    progress: Callable[[int], object] = print,
) -> Outcome:
    """Let so many days pass; `progress` is told of each."""
    world = World(seed, BEGAN)
    with silence(), build.built():
        weather = Weather(world.chance, FOUL, USUAL)
        store = MemoryStore()
        stage = Stage(
            world=world,
            weather=weather,
            truth=Truth(world, BUSINESS),
            open_store=lambda: store,
            courier=build.courier,
            longest_sleep=LONGEST_SLEEP,
        )
        return _Year(stage, store, days, per_day, progress).run()


class _Year:
    def __init__(
        self, stage: Stage, store: MemoryStore, days: int, per_day: int, progress: Callable[[int], object]
    ) -> None:
        self.stage = stage
        self.world = stage.world
        self.truth = stage.truth
        self.store = store
        self.days = days
        self.per_day = per_day
        self.progress = progress
        self.house = House("house", stage)
        self.counts: dict[str, int] = defaultdict(int)
        self._made_today = 0
        self._tickets = 0
        self._again: list[Wish] = []
        self._taken: dict[tuple[int, int], int] = defaultdict(int)
        self._by_day: dict[int, list[str]] = defaultdict(list)
        self._open: list[str] = []
        self._practice: dict[str, int] = {}

    def run(self) -> Outcome:
        wrong = ""
        try:
            with self.world.governing():
                self._pass()
        except Wrong as error:
            wrong = str(error)
        finally:
            self.world.close()
            self.house.stop()
        return outcome(self.stage, "a house in memory", wrong, {"kills": self.house.kills, **self.counts})

    def _pass(self) -> None:
        self.world.start("furnisher", self._furnish)
        self.world.run(60)
        self.house.start()
        self.world.start("public", self._ask)
        self.world.start("weather", self._change_weather)
        self.world.start("auditor", self._audit)
        self.world.run(self.days * DAY)
        self.stage.weather.set(is_foul=False)
        self.world.run((self.days + MOST_LEAD_DAYS + 1) * DAY)
        self.truth.check_over()
        self.truth.sweep(self.store)

    def _furnish(self) -> None:
        process = Process("furnisher", self.stage)
        furnish_practices(process.desk(process.opened()), PRACTICES, PEOPLE)

    def _ask(self) -> None:
        for day in range(self.days):
            self._made_today = 0
            marks = ASKING_HOURS * HOUR // MARK_SECONDS
            for mark in range(marks):
                self.world.sleep(day * DAY + ASKING_FROM + mark * MARK_SECONDS - self.world.now)
                wanted = -(-(self.per_day - self._made_today) // (marks - mark))
                self._ask_together(wanted)
            self.world.sleep((day + 1) * DAY - self.world.now)
            self._let_go(day)
            self.progress(day + 1)

    def _ask_together(self, bookings: int) -> None:
        """Some ask at the same moment; who got no answer asks again with the next."""
        chance = self.world.chance
        wishes, self._again = self._again, []
        wishes += [self._booking() for _ in range(bookings)]
        for what, share in (("moved", MOVED), ("cancelled", CANCELLED)):
            wishes += [self._change(what) for _ in range(bookings) if self._open and chance.random() < share]
        answers = self.house.ask_all([_request(wish) for wish in wishes])
        for wish, answer in zip(wishes, answers, strict=True):
            if answer is None or answer.status in UNKNOWN:
                self.counts["asked again"] += 1
                self._again.append(wish)
            else:
                self._judge(wish, answer.status, msgspec.json.decode(answer.body))

    def _judge(self, wish: Wish, status: int, said: Any) -> None:
        if status >= 500:
            raise Wrong(f"{wish} was answered with {status}")
        self.counts[f"{wish.what} {'done' if status < 300 else 'refused'}"] += 1
        if status >= 300:
            if not wish.id:
                self.truth.check_refused(wish.ticket)
            return
        if wish.what == "booked":
            self._booked(wish, said["appointmentId"])
            return
        facts = {"start": wish.start} if wish.what == "moved" else {"type": wish.what}
        self.truth.check_happened(wish.id, said["revision"], **facts)
        if wish.what == "moved":
            self._by_day[day_of(Instant(wish.start))].append(wish.id)
            self._taken[wish.practice, wish.start] += 1

    def _booked(self, wish: Wish, id: str) -> None:
        self.truth.acknowledged(wish.ticket, id, wish.start)
        self._made_today += 1
        self._taken[wish.practice, wish.start] += 1
        self._by_day[day_of(Instant(wish.start))].append(id)
        self._open.append(id)
        self._practice[id] = wish.practice

    def _booking(self) -> Wish:
        self._tickets += 1
        practice = self.world.chance.randrange(PRACTICES)
        return Wish(f"ticket-{self._tickets}", "booked", self._a_start(practice), practice)

    def _change(self, what: str) -> Wish:
        """A change of some appointment that is still to come, which is not changed again."""
        self._tickets += 1
        at = self.world.chance.randrange(len(self._open))
        self._open[at], self._open[-1] = self._open[-1], self._open[at]
        id = self._open.pop()
        practice = self._practice[id]
        return Wish(f"ticket-{self._tickets}", what, self._a_start(practice) if what == "moved" else 0, practice, id)

    def _a_start(self, practice: int) -> int:
        """Mostly a time at which somebody is free."""
        chance, today = self.world.chance, int(self.world.now) // DAY
        is_against = chance.random() < AGAINST
        start = 0
        for _ in range(8):
            lead = min(1 + int(chance.expovariate(1 / LEAD_DAYS)), MOST_LEAD_DAYS)
            start = BEGAN + (today + lead) * DAY + OPENS + chance.randrange(SLOTS) * HALF
            if is_against or self._taken[practice, start] < PEOPLE:
                break
        return start

    def _let_go(self, day: int) -> None:
        """What is over goes."""
        last = day_of(Instant(BEGAN + day * DAY)) - KEPT_DAYS
        over = [
            visit
            for id in self._by_day.pop(last, ())
            if (visit := self.truth.visits.by_id.get(id)) is not None and day_of(Instant(visit.start)) <= last
        ]
        gone = {visit.id for visit in over}
        self.store.forget(self.truth.let_go({visit.id: visit for visit in over}.values(), day_key(Day(last + 1))))
        self._open = [id for id in self._open if id not in gone]
        for id in gone:
            del self._practice[id]
        ends = BEGAN + day * DAY
        self._taken = defaultdict(int, {key: count for key, count in self._taken.items() if key[1] > ends})

    def _change_weather(self) -> None:
        """An hour of every week is foul."""
        while True:
            self.world.sleep(self.world.chance.uniform(0.5, 1.5) * 7 * DAY)
            self.stage.weather.set(is_foul=True)
            self.world.sleep(HOUR)
            self.stage.weather.set(is_foul=False)

    def _audit(self) -> None:
        while True:
            self.world.sleep(MARK_SECONDS)
            self.truth.check_due()


def _request(wish: Wish) -> Any:
    start = format_instant(Instant(wish.start))
    if wish.what == "booked":
        customer = f"c{wish.ticket}"
        body = {
            "serviceId": f"v{wish.practice}",
            "startTime": start,
            "customer": {"name": "Ada Lovelace", "email": f"{customer}@example.com"},
            "details": {"ticket": wish.ticket},
        }
        return request(CUSTOMERS, "POST", "/appointments", body, wish.ticket)
    if wish.what == "moved":
        return request(CUSTOMERS, "POST", f"/appointments/{wish.id}/reschedule", {"startTime": start}, wish.ticket)
    return request(CUSTOMERS, "POST", f"/appointments/{wish.id}/cancel", None, wish.ticket)
