"""Customers who book while things fail, and a searcher beside them: what they were told, and what of it was wrong.

Each time is wanted by two. Whoever is told 503 asks again with the same key, as a program that behaves does, until it
is decided who has the time.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from urllib.parse import urlencode

import msgspec

from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant
from tests.serving import PROBLEM, Client, Reply

CUSTOMERS = 6
QUARTER = 900
LATER = 503
LONGEST_PAUSE, SEARCH_PAUSE = 0.25, 0.02
PATIENCE_SECONDS = 20.0


class Wish(msgspec.Struct, frozen=True):
    """One customer's wish; `id` is their Idempotency-Key, and the name in their mail address."""

    id: str
    resource: str
    start: Instant


class Crowd:
    """What all of them were told. `complaints` says, each in a sentence, what nobody may ever be told."""

    def __init__(self, port: int, key: str, resources: Sequence[str], patience: float = PATIENCE_SECONDS) -> None:
        """`patience`: for how many seconds one asks on."""
        self.answers: Counter[int] = Counter()
        self.searches: Counter[int] = Counter()
        self.won: dict[tuple[str, Instant], Wish] = {}
        self.lost: set[tuple[str, Instant]] = set()
        self.appointments: dict[str, str] = {}
        self.complaints: list[str] = []
        self.slowest = self.slowest_search = 0.0
        self._port, self._key, self.patience = port, key, patience
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._first = Instant((int(time.time()) // DAY_SECONDS + 3) * DAY_SECONDS)
        self._wishes = self._all_wishes(resources)
        self._resources = resources
        self._threads: list[threading.Thread] = []

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them ask until the block ends; whoever waits for an answer then gets it still."""
        self._threads = [threading.Thread(target=self._book) for _ in range(CUSTOMERS)]
        self._threads.append(threading.Thread(target=self._search))
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()
            self.complaints += [
                f"{who} at {start}: refused as taken, and nobody has it" for who, start in self.lost - self.won.keys()
            ]

    def until(self, status: int, more: int, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until so many more were answered so; returns how many seconds the first of them took to come.

        Raises:
            TimeoutError: they were not.
        """
        began, before, first = time.monotonic(), self._told(status), 0.0
        while (since := self._told(status) - before) < more:
            took = time.monotonic() - began
            if since and not first:
                first = took
            if took > seconds or not self._threads_live():
                raise TimeoutError(f"{since} answers of {status} in {took:.1f} s, not {more}")
            time.sleep(0.005)
        return first or time.monotonic() - began

    def _told(self, status: int) -> int:
        return self.answers[status] + (self.searches[status] if status == LATER else 0)

    def _threads_live(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _all_wishes(self, resources: Sequence[str]) -> Iterator[Wish]:
        number = 0
        while True:
            start = Instant(self._first + number // len(resources) * QUARTER)
            resource = resources[number % len(resources)]
            yield Wish(f"a{number}", resource, start)
            yield Wish(f"b{number}", resource, start)
            number += 1

    def _book(self) -> None:
        with Client(self._port, self._key, PATIENCE_SECONDS) as client:
            while not self._stop.is_set():
                with self._lock:
                    wish = next(self._wishes)
                self._see_through(client, wish)

    def _see_through(self, client: Client, wish: Wish) -> None:
        """Ask until it is decided."""
        body = {
            "serviceId": "visit",
            "startTime": format_instant(wish.start),
            "resourceIds": [wish.resource],
            "customer": {"name": wish.id, "email": f"{wish.id}@example.com"},
        }
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                reply = client.post("/appointments", body, idempotency_key=wish.id)
            except (OSError, HTTPException) as error:
                self.complaints.append(f"{wish.id}: the connection broke: {error!r}")
                return
            self.slowest = max(self.slowest, time.monotonic() - began)
            if self._is_decided(wish, reply):
                return
            time.sleep(min(float(reply.headers.get("retry-after", 1)), LONGEST_PAUSE))
        self.complaints.append(f"{wish.id}: undecided after {self.patience:g} s")

    def _is_decided(self, wish: Wish, reply: Reply) -> bool:
        what = (wish.resource, wish.start)
        with self._lock:
            self.answers[reply.status] += 1
            if reply.status == 201:
                if self.won.setdefault(what, wish) != wish:
                    self.complaints.append(f"{what} was given to {self.won[what].id} and to {wish.id}")
                self.appointments[wish.id] = reply.body["appointmentId"]
            elif reply.status == 409 and reply.code == "taken":
                self.lost.add(what)
            elif wrong := what_is_wrong(reply):
                self.complaints.append(f"{wish.id}: {wrong}")
            else:
                return False
            return True

    def _search(self) -> None:
        """Look for times again and again: what somebody has been told is theirs must not be offered any more."""
        with Client(self._port, self._key, PATIENCE_SECONDS) as client:
            number = 0
            while not self._stop.is_set():
                resource = self._resources[number % len(self._resources)]
                taken = {start for who, start in list(self.won) if who == resource}
                began = time.monotonic()
                asked = {"serviceId": "visit", "resourceId": resource, "from": format_instant(self._first)}
                try:
                    reply = client.get(f"/slots?{urlencode(asked)}")
                except (OSError, HTTPException) as error:
                    self.complaints.append(f"a search: the connection broke: {error!r}")
                    return
                self.slowest_search = max(self.slowest_search, time.monotonic() - began)
                self._judge_search(resource, taken, reply)
                number += 1
                time.sleep(SEARCH_PAUSE)

    def _judge_search(self, resource: str, taken: set[Instant], reply: Reply) -> None:
        self.searches[reply.status] += 1
        if reply.status != 200:
            if wrong := what_is_wrong(reply):
                self.complaints.append(f"a search: {wrong}")
            return
        offered = {item["startTime"] for item in reply.body["items"]}
        for start in taken:
            if format_instant(start) in offered:
                self.complaints.append(f"{resource} at {format_instant(start)} was offered, and is taken")


def what_is_wrong(reply: Reply) -> str:
    """What is wrong with an answer that should say "later"; empty when it does."""
    if reply.status != LATER:
        return f"answered {reply.status} {reply.code}"
    if reply.media != PROBLEM or reply.code != "unreachable":
        return f"answered 503 {reply.code} as {reply.media}"
    if not reply.headers.get("retry-after", "").isdigit():
        return "answered 503 without Retry-After"
    return ""
