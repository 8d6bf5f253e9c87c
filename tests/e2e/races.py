"""Many clients that want the same slot at the same moment, round after round."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant, parse_instant
from tests.e2e.journeys import Home
from tests.serving import Reply

ALLOWED = frozenset({201, 409, 429, 503})
YEAR_2031 = 1_924_992_000


def race(home: Home, clients: int, starts: Sequence[str], resource_id: str) -> list[Counter[int]]:
    """Let all clients book the resource for each start at once; returns the statuses of each round."""
    gate = threading.Barrier(clients)
    rounds = [Counter[int]() for _ in starts]
    lock = threading.Lock()
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            for counts, start in zip(rounds, starts, strict=True):
                gate.wait(120)
                reply = book(home, start, resource_id, f"{resource_id}-{number}")
                with lock:
                    counts[reply.status] += 1
        except BaseException as failure:  # noqa: BLE001 - raised again in the test's own thread
            failures.append(failure)
            gate.abort()

    _together(run, clients)
    if failures:
        raise failures[0]
    return rounds


def book(home: Home, start: str, resource_id: str, customer_id: str, key: str = "") -> Reply:
    """Ask once for half an hour of the resource's time."""
    end = format_instant(Instant(parse_instant(start) + 1800))
    order = {"customerId": customer_id, "resourceIds": [resource_id], "startTime": start, "endTime": end}
    return home.ask("POST", "/appointments", order, idempotency_key=key)


def half_hours(first: int, count: int) -> list[str]:
    """`count` starts half an hour apart, from that many days ahead of 2031 on: nobody else books there."""
    begin = YEAR_2031 + first * DAY_SECONDS
    return [format_instant(Instant(begin + number * 1800)) for number in range(count)]


def _together(run: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
