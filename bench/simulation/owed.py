"""Which messages are owed, when each must have come, and which arrived: an independent account of promise 6."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from bench.simulation.claims import Wrong

LEADS_MINUTES = (1440, 60)
"""A day and an hour before the start, unless a business says otherwise."""

WINDOW_SECONDS = 300
"""So late a message may come when nothing has failed: a few letters that get no answer may go before it."""

LEASE_SECONDS = 120
PAUSES_SECONDS = (30, 60, 120, 300, 900, 1800, 3600, 7200)
RACE_SECONDS = 1.0
"""A cancellation cannot call back what is on its way. This is longer than it takes from the last look to the letter."""


class Message:
    """One message: what it says, and what became of it."""

    __slots__ = (
        "about",
        "arrivals",
        "attempts",
        "closed",
        "due",
        "excused",
        "id",
        "is_refused",
        "is_unheard",
        "kind",
        "last_arrival",
        "state",
        "visit",
    )

    def __init__(self, visit: str, said: Mapping[str, Any]) -> None:
        self.id: str = said["id"]
        self.visit = visit
        self.kind: str = said["kind"]
        self.about: int = said.get("about", 0)
        self.due: int = said["due"]
        self.state = "waiting"
        self.excused = 0.0
        self.closed: float | None = None
        self.arrivals = 0
        self.last_arrival = 0.0
        self.attempts = 0
        self.is_refused = self.is_unheard = False


class Messages:
    """Every message that is owed. `trouble` is told when a courier may have lost its way."""

    def __init__(self) -> None:
        self.known: dict[str, Message] = {}
        self.lateness: Counter[int] = Counter()
        self.arrived = self.twice = self.given_up = 0
        self._deadlines: list[tuple[float, str]] = []
        self._trouble = -1.0

    def trouble(self, now: float) -> None:
        """Something failed, or somebody was killed: leases may have to run out, and letters may come again."""
        self._trouble = now

    def written(self, visit: str, said: Iterable[Mapping[str, Any]], now: float) -> list[Message]:
        """Take note of a visit's messages as they stand; gives those that are new. Raises `Wrong`."""
        fresh = []
        for each in said:
            message = self.known.get(each["id"])
            if message is None:
                message = self.known[each["id"]] = Message(visit, each)
                heapq.heappush(self._deadlines, (message.due + WINDOW_SECONDS, message.id))
                fresh.append(message)
            message.attempts = each.get("attempts", 0)
            state = each.get("state", "waiting")
            if state != message.state:
                self._turned(message, state, now)
        return fresh

    def arrive(self, id: str, now: float) -> None:
        """A letter is at its reader's. Raises `Wrong` when it should not be."""
        message = self.known.get(id)
        if message is None:
            raise Wrong(f"a letter {id} arrived that nobody owes")
        if message.closed is not None and message.closed < now - RACE_SECONDS:
            raise Wrong(f"{message.kind} {id} was sent {now - message.closed:.0f} s after it was {message.state}")
        if message.state == "sent":
            raise Wrong(f"{message.kind} {id} came again after it was noted as sent")
        if message.arrivals and not message.is_unheard and self._trouble < message.last_arrival:
            raise Wrong(f"{message.kind} {id} came twice, and nothing had failed")
        self.arrived += not message.arrivals
        self.twice += bool(message.arrivals)
        if message.kind == "reminder" and not message.arrivals:
            self.lateness[int(now - message.due)] += 1
        message.arrivals += 1
        message.last_arrival = now

    def fail(self, id: str, now: float, *, for_good: bool = False, is_unheard: bool = False) -> None:
        """The courier was told that a letter did not arrive; `is_unheard`: it did. It must come again after a pause."""
        message = self.known[id]
        message.is_refused |= for_good
        message.is_unheard |= is_unheard
        pause = PAUSES_SECONDS[min(message.attempts, len(PAUSES_SECONDS)) - 1]
        message.excused = max(message.excused, now + pause)

    def check_due(self, now: float) -> None:
        """Raises `Wrong` when something has not come in time."""
        while self._deadlines and self._deadlines[0][0] < now:
            _, id = heapq.heappop(self._deadlines)
            message = self.known.get(id)
            if message is None or message.arrivals or message.closed is not None:
                continue
            until = max(message.due, message.excused, self._trouble + LEASE_SECONDS) + WINDOW_SECONDS
            if until < now:
                raise Wrong(f"{message.kind} {id} of {message.visit} was due {now - message.due:.0f} s ago and lost")
            heapq.heappush(self._deadlines, (until, id))

    def check_done(self, ids: Iterable[str]) -> None:
        """Raises `Wrong` unless each of the messages has come or is closed."""
        for id in ids:
            message = self.known[id]
            if not message.arrivals and message.closed is None:
                raise Wrong(f"{message.kind} {id} of {message.visit} never came")

    def forget(self, ids: Iterable[str]) -> None:
        """Drop messages of visits that are over."""
        for id in ids:
            self.known.pop(id, None)

    def _turned(self, message: Message, state: str, now: float) -> None:
        if message.state == "sent":
            raise Wrong(f"{message.kind} {message.id} was noted as sent, and is {state} now")
        if state == "sent" and not message.arrivals:
            raise Wrong(f"{message.kind} {message.id} is noted as sent, and never arrived")
        if state == "dead":
            self._gave_up(message, now)
        if state in ("void", "dead"):
            message.closed = now
        message.state = state

    def _gave_up(self, message: Message, now: float) -> None:
        is_tired = message.attempts > len(PAUSES_SECONDS)
        is_too_late = message.kind == "reminder" and message.about <= now
        if not (message.is_refused or is_tired or is_too_late):
            raise Wrong(f"{message.kind} {message.id} was given up after {message.attempts} tries")
        self.given_up += 1
