"""The crowd once more with real threads, an emulator and its real time, beside the simulation of the same.

The emulator knows no conflicts of transactions and no throttling, and its latency is that of one process with many at
its door; so the simulation is given the latencies that were measured, and transactions that hold nothing. What is
compared is how often people have to commit, and how long it takes: the order of magnitude.

    python -m bench.aws.crowd_threads [--people 60]
"""

import argparse
import random
import secrets
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bench.aws.crowd import COLUMNS, CROWDS, OURS, Crowd, Outcome, furnish, gather, person, row, show, slots_of_the_day
from bench.aws.crowd import NOW as THEN
from bench.aws.cutting import DAY
from bench.aws.simulated import Bill, Latency
from bench.aws.units import an_emulator
from slotkeeper.desk.desk import Desk
from slotkeeper.stores.connection import Connection, Failed
from slotkeeper.stores.dynamodb import DynamoStore
from slotkeeper.stores.signing import Credentials
from tests.aws.emulator import REGION, Emulator
from tests.aws.tables import a_table

SEED = 1


class Here:
    """Real time, counted from now on."""

    def __init__(self) -> None:
        self.chance = random.Random(SEED)
        self._began = time.monotonic()

    @property
    def now(self) -> float:
        return time.monotonic() - self._began

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Timed(Connection):
    """Our connection, with a watch: how long calls took, and what became of the transactions among them."""

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self.bill = Bill()
        self.seconds: dict[bool, list[float]] = defaultdict(list)

    def call(self, operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """See `Connection.call`."""
        is_commit = operation == "TransactWriteItems"
        began, outcome = time.monotonic(), "done"
        try:
            return super().call(operation, payload)
        except Failed:
            outcome = "condition"
            raise
        finally:
            self.seconds[is_commit].append(time.monotonic() - began)
            if is_commit:
                self.bill.commits[outcome] += 1

    def latency(self, *, is_commit: bool) -> Latency:
        """What was seen."""
        seen = sorted(self.seconds[is_commit])
        return Latency(statistics.median(seen), max(seen[int(len(seen) * 0.99)], statistics.median(seen) * 1.01))


def for_real(crowd: Crowd, people: int, emulator: Emulator) -> tuple[Outcome, Timed]:
    """Let the crowd come in threads."""
    credentials = Credentials(emulator.key_id, emulator.secret)
    connection = Timed(credentials, REGION, endpoint=emulator.endpoint, try_seconds=20, budget_seconds=60)
    store = DynamoStore(connection, a_table(emulator), leaves_first_due=True)
    desk = Desk(store, lambda: THEN, lambda prefix: f"{prefix}_{secrets.token_hex(16)}")
    furnish(desk)
    connection.bill = Bill()
    connection.seconds.clear()
    world, outcome = Here(), Outcome(connection.bill)
    everyone = [
        threading.Thread(target=person(world, desk, crowd, slots_of_the_day(), outcome, f"c{number}"))
        for number in range(people)
    ]
    for one in everyone:
        one.start()
    for one in everyone:
        one.join()
    store.close()
    return outcome, connection


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=60)
    people = parser.parse_args().people
    rows = []
    with an_emulator() as emulator:
        for crowd in CROWDS:
            outcome, connection = for_real(crowd, people, emulator)
            call, commit = connection.latency(is_commit=False), connection.latency(is_commit=True)
            simulated = gather(crowd, DAY, OURS, people, SEED, call=call, transaction=commit, held=0.0)
            for name, each in (("threads, emulator", outcome), ("simulated", simulated)):
                shown = dict(zip(COLUMNS, row([each]), strict=True))
                rows.append([crowd.name, name, *(shown[column] for column in SHOWN)])
    show(f"{people} people at once", ("crowd", "how", *SHOWN), rows)


SHOWN = ("booked", "503", "commits a booking", "p50 s", "p99 s", "last s")


if __name__ == "__main__":
    main()
