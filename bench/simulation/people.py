"""Customers and staff: what each of them does is drawn from the seed, and each holds the service to its answers."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from bench.simulation.caller import Answer, Caller
from bench.simulation.claims import Wrong
from bench.simulation.owed import LEADS_MINUTES
from bench.simulation.process import Door
from bench.simulation.town import BUSINESS, OFFERS, POOLS, Offer
from bench.simulation.truth import Truth
from bench.simulation.world import World
from slotkeeper.core.ticks import Instant, format_instant, parse_instant

HOUR = 3600
GRID = 1800
MARK_SECONDS = 600
"""People act at the same moments, so that they meet."""


class People:
    """What all people of a run share."""

    def __init__(self, world: World, truth: Truth, door: Door, ends: float) -> None:
        self.world = world
        self.truth = truth
        self.door = door
        self.ends = ends
        self.visits: list[str] = []
        self.outcomes: dict[str, int] = {}
        self._numbers = count(1)

    def ticket(self) -> str:
        return f"ticket-{next(self._numbers)}"

    def note(self, outcome: str) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def live(self, name: str, deeds: Sequence[Callable[["Person"], None]], *, is_staff: bool) -> None:
        """Have somebody do some of the deeds at every mark, until the end."""
        person = Person(self, name, Caller(self.world, self.door, is_staff=is_staff))

        def live() -> None:
            while self.world.now < self.ends:
                self.world.sleep(MARK_SECONDS - self.world.now % MARK_SECONDS)
                for _ in range(self.world.chance.choice((0, 0, 1, 1, 2, 4))):
                    self.world.chance.choice(deeds)(person)

        self.world.start(name, live)


class Person:
    """One of them."""

    def __init__(self, people: People, name: str, caller: Caller) -> None:
        self.people = people
        self.name = name
        self.caller = caller
        self.truth = people.truth
        self.chance = people.world.chance

    def book(self) -> None:
        """Book a time that others want too."""
        body = self._wish()
        self._booked(body, self._order(body))

    def book_twice(self) -> None:
        """Send one request twice at the same moment: both must be told of the same appointment, if of any. One may be
        refused and the other not, when the time becomes free in between."""
        body, ticket = self._wish(), self.people.ticket()
        sent = body | {"details": {"ticket": ticket}}
        answers: list[Answer | None] = []

        def ask() -> None:
            answers.append(self.caller.insist("POST", "/appointments", sent, ticket=ticket))
            if len(answers) == 2:
                is_refused = all(answer is not None and answer[0] != 201 for answer in answers)
                for answer in answers:
                    if is_refused or answer is None or answer[0] == 201:
                        self._booked(body, (ticket, answer))

        self.people.world.start(f"{self.name} twin", ask)
        ask()

    def book_freely(self) -> None:
        """Book a bare span of time, on the customer's own calendar."""
        start = self._a_start()
        end = start + self.chance.choice((10, 30, 50)) * 60
        times = {"startTime": format_instant(Instant(start)), "endTime": format_instant(Instant(end))}
        customer = f"c{self.chance.randrange(3)}"
        body = times | {"userId": customer, "customer": {"email": f"{customer}@example.com"}}
        self._booked(body, self._order(body))

    def hold(self) -> None:
        """Keep a time; then book it, give it back, or forget it."""
        body = self._wish()
        asked = {"serviceId": body["serviceId"], "startTime": body["startTime"], "seconds": 300}
        answer = self.caller.insist("POST", "/holds", asked, ticket=self.people.ticket())
        self._noted("hold", answer)
        if answer is None or answer[0] != 201:
            return
        self.people.world.sleep(self.chance.choice((0, 1, 60, 299, 300, 301)))
        what = self.chance.choice(("book", "book", "release", "forget"))
        if what == "book":
            held = body | {"holdId": answer[1]["id"]}
            self._booked(held, self._order(held))
        if what == "release":
            self.caller.insist("DELETE", f"/holds/{answer[1]['id']}", ticket=self.people.ticket())

    def move(self) -> None:
        """Move an appointment to a time that others want too."""
        start = self._a_start()
        body = {"startTime": format_instant(Instant(start))}
        answer = self._change("reschedule", body)
        if answer is not None and answer[0] == 200:
            self.truth.check_happened(answer[1]["id"], answer[1]["revision"], start=start)

    def cancel(self) -> None:
        self._act("cancel", "cancelled")

    def back_out(self) -> None:
        """Cancel an appointment in the very minute in which a reminder of it is due."""
        minute = self.people.world.clock() // 60 * 60
        starts = {minute + lead * 60 for lead in LEADS_MINUTES}
        visits = self.truth.visits.by_id.values()
        due = [visit.id for visit in visits if visit.start in starts and visit.status == "booked"]
        if due:
            self._act("cancel", "cancelled", id=self.chance.choice(due))

    def attend(self) -> None:
        self._change("attend")

    def edit(self) -> None:
        """Change the details of an appointment; what names its request stays."""
        id = self._an_id()
        if id:
            details = {"ticket": self.truth.visits.by_id[id].ticket, "colour": self.chance.choice(("red", "blue"))}
            path = f"/appointments/{id}"
            self._noted("edit", self.caller.insist("PATCH", path, {"details": details}, ticket=self.people.ticket()))

    def confirm(self) -> None:
        self._act("confirm", "booked", only="pending")

    def decline(self) -> None:
        self._act("decline", "declined", only="pending")

    def check_in(self) -> None:
        self._act("checkIn", "checkedIn")

    def complete(self) -> None:
        self._act("complete", "completed")

    def override(self) -> None:
        """Book against the rules, with a reason."""
        body = self._wish() | {"override": {"reason": "an emergency"}}
        self._booked(body, self._order(body))

    def go_away(self) -> None:
        """Enter time off for somebody."""
        who = self.chance.choice(POOLS["doctors"])
        start = self._a_start()
        span = {"startTime": format_instant(Instant(start)), "endTime": format_instant(Instant(start + HOUR))}
        path = f"/resources/{who}/timeOff"
        self._noted("time off", self.caller.insist("POST", path, span, ticket=self.people.ticket()))

    def look(self) -> None:
        """Ask for slots: what is offered must be free, if nothing was written meanwhile."""
        offer = self._an_offer()
        today = self.people.world.clock() // GRID * GRID
        span = f"from={format_instant(Instant(today))}&to={format_instant(Instant(today + 12 * HOUR))}"
        seen = self.truth.commits
        answer = self.caller.ask("GET", f"/slots?serviceId={offer.id}&{span}")
        self._noted("look", answer)
        if answer is None or self.truth.commits != seen:
            return
        now = self.people.world.clock()
        for slot in answer[1]["items"]:
            start = parse_instant(slot["startTime"])
            first, end = start - offer.before * 60, start + (offer.minutes + offer.after) * 60
            parts = [f"{BUSINESS}/sheet/{id}" for id in POOLS[offer.pool]]
            if not any(self.truth.claims.is_free(part, first, end, now) for part in parts):
                raise Wrong(f"{offer.id} was offered at {slot['startTime']}, when nobody is free")

    def _wish(self) -> dict[str, Any]:
        """A booking that somebody could want."""
        customer = f"c{self.chance.randrange(12)}"
        return {
            "serviceId": self._an_offer().id,
            "startTime": format_instant(Instant(self._a_start())),
            "customerId": customer,
            "customer": {"name": customer, "email": f"{customer}@example.com"},
        }

    def _order(self, body: dict[str, Any], ticket: str = "", sent: Any = None) -> tuple[str, Answer | None]:
        ticket = ticket or self.people.ticket()
        sent = sent or body | {"details": {"ticket": ticket}}
        return ticket, self.caller.insist("POST", "/appointments", sent, ticket=ticket)

    def _booked(self, body: dict[str, Any], known: tuple[str, Answer | None]) -> None:
        ticket, answer = known
        self._noted("book", answer)
        if answer is None:
            return
        if answer[0] != 201:
            self.truth.check_refused(ticket)
            return
        id = answer[1]["appointmentId"]
        if answer[1]["appointment"]["startTime"] != body["startTime"]:
            raise Wrong(f"{ticket} asked for {body['startTime']}, and was told of another time")
        self.truth.acknowledged(ticket, id, parse_instant(body["startTime"]))
        self.people.visits.append(id)

    def _act(self, action: str, becomes: str, *, only: str = "booked", id: str = "") -> None:
        answer = self._change(action, id=id or self._an_id(only))
        if answer is not None and answer[0] == 200 and answer[1]["status"] == becomes:
            self.truth.check_happened(answer[1]["id"], answer[1]["revision"], type=becomes)

    def _change(self, action: str, body: object = None, *, id: str = "") -> Answer | None:
        id = id or self._an_id()
        if not id:
            return None
        answer = self.caller.insist("POST", f"/appointments/{id}/{action}", body, ticket=self.people.ticket())
        self._noted(action, answer)
        return answer

    def _an_id(self, status: str = "") -> str:
        """One of the appointments made last, mostly of that status; empty when there is none."""
        last = self.people.visits[-12:]
        by_id = self.truth.visits.by_id
        fit = [id for id in last if not status or by_id[id].status == status]
        return self.chance.choice(fit or last) if last else ""

    def _an_offer(self) -> Offer:
        return self.chance.choice(OFFERS)

    def _a_start(self) -> int:
        """A time within the next four hours, or seldom within 30: the popular ones are wanted by many."""
        halves = self.chance.randrange(1, 9 if self.chance.random() < 0.85 else 60)
        return self.people.world.clock() // GRID * GRID + halves * GRID

    def _noted(self, deed: str, answer: Answer | None) -> None:
        outcome = "unknown" if answer is None else "done" if answer[0] < 300 else "refused"
        self.people.note(f"{deed} {outcome}")


CUSTOMER_DEEDS: tuple[Callable[[Person], None], ...] = (
    *[Person.book] * 6,
    *[Person.move] * 4,
    *[Person.hold] * 2,
    *[Person.cancel] * 2,
    *[Person.back_out] * 3,
    Person.book_twice,
    Person.book_freely,
    Person.edit,
    Person.attend,
    Person.look,
)
STAFF_DEEDS: tuple[Callable[[Person], None], ...] = (
    *[Person.confirm] * 4,
    *[Person.move] * 2,
    Person.decline,
    Person.check_in,
    Person.complete,
    Person.cancel,
    Person.override,
    Person.go_away,
    Person.look,
)
