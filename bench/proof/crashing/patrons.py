"""Customers who book, move and cancel over HTTP, and remember what they were told: the judges of a server that dies.

What was asked and not answered may have been done or not. It is asked again, with the same idempotency key, when a
server is there again: what had been done must be found done, not refused.
"""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.ticks import Instant, format_instant, parse_instant
from tests.serving import Client, Reply

GONE = (OSError, HTTPException)


@dataclass(frozen=True, slots=True)
class Visit:
    """An appointment as its customer knows it."""

    start: Instant
    status: str = "booked"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked: for a new visit under the name of `customer`, or to have `visit_id` changed; `wanted` is what it
    will be then."""

    customer: str
    wanted: Visit
    path: str
    body: Mapping[str, object]
    visit_id: str = ""


@dataclass(slots=True)
class Patron:
    """One of them, with one thing to ask at a time. `starts` are the times that they like. `unheard` are the numbers of
    what was asked and not answered before the server died, `done` those of them that were done all the same."""

    name: str
    starts: Sequence[Instant]
    chance: random.Random
    visits: dict[str, Visit] = field(default_factory=dict)
    whose: dict[str, str] = field(default_factory=dict)
    open: Ask | None = None
    asked: int = 0
    acknowledged: int = 0
    unheard: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def live(self, port: int, key: str, heard: Callable[[], object]) -> None:
        """Ask until the server is gone; `heard` is called with each answer."""
        try:
            with Client(port, key) as client:
                while not self.wrong:
                    self.open = self.open or self._next()
                    ask = self.open
                    reply = client.post(ask.path, ask.body, idempotency_key=f"{self.name}-{self.asked}")
                    self._hear(ask, reply)
                    heard()
        except GONE:
            return

    def _next(self) -> Ask:
        """What they want next: a new visit, or another time for one they have, or none."""
        self.asked += 1
        start = self.chance.choice(self.starts)
        standing = [id for id, visit in self.visits.items() if visit.status == "booked"]
        if not standing or self.chance.random() < 0.6:
            customer = f"{self.name}-{self.asked}"
            who = {"name": "Ada", "email": f"{customer}@example.com"}
            body = {"serviceId": "visit", "startTime": format_instant(start), "customerId": customer, "customer": who}
            return Ask(customer, Visit(start), "/appointments", body)
        id = self.chance.choice(standing)
        if self.chance.random() < 0.6:
            body = {"startTime": format_instant(start)}
            return Ask(self.whose[id], Visit(start), f"/appointments/{id}/reschedule", body, id)
        cancelled = Visit(self.visits[id].start, "cancelled")
        return Ask(self.whose[id], cancelled, f"/appointments/{id}/cancel", {}, id)

    def _hear(self, ask: Ask, reply: Reply) -> None:
        self.open = None
        if reply.status in (200, 201):
            seen = reply.body if ask.visit_id else reply.body["appointment"]
            if Visit(parse_instant(seen["startTime"]), seen["status"]) != ask.wanted:
                self.wrong.append(f"{ask.path} was answered with {seen}")
            self.visits[seen["id"]] = ask.wanted
            self.whose[seen["id"]] = ask.customer
            self.acknowledged += 1
        elif reply.status not in (409, 422) or self.asked in self.done:
            self.wrong.append(f"{ask.path} was answered with {reply}")

    def complaints(self, found: Mapping[str, Appointment]) -> list[str]:
        """What they have to complain of, seeing all appointments there are, when the server is dead."""
        wrong, mine = list(self.wrong), dict(self.visits)
        if self.open is not None:
            self.unheard.add(self.asked)
            mine |= self._done_unheard(self.open, found)
        for id, visit in mine.items():
            if _seen(found.get(id)) != visit:
                wrong.append(f"{self.name} was told that {id} is {visit}, and it is {found.get(id)}")
        theirs = {id for id, each in found.items() if each.customer_id.startswith(f"{self.name}-")}
        return wrong + [f"{self.name} has never asked for {id}" for id in theirs - mine.keys()]

    def _done_unheard(self, ask: Ask, found: Mapping[str, Appointment]) -> dict[str, Visit]:
        """The visit that was asked for, when that was done though nobody said so."""
        for id, appointment in found.items():
            is_it = id == ask.visit_id if ask.visit_id else appointment.customer_id == ask.customer
            if is_it and _seen(appointment) == ask.wanted:
                self.done.add(self.asked)
                return {id: ask.wanted}
        return {}


def _seen(appointment: Appointment | None) -> Visit | None:
    return None if appointment is None else Visit(appointment.start, appointment.status)


def ask_all(patrons: Sequence[Patron], port: int, key: str, heard: Callable[[], object]) -> list[threading.Thread]:
    """Let them all ask at the same time, each in a thread that ends with the server."""
    threads = [threading.Thread(target=patron.live, args=(port, key, heard), daemon=True) for patron in patrons]
    for thread in threads:
        thread.start()
    return threads
