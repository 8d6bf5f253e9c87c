"""Promise 1 under fire: four processes on one file, 32 clients for one slot, and one of them gets it, every time."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from slotkeeper.core.service import Need, Resource
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.doctor import examine
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_setting, at
from tests.serving import Client, at_once, serving_processes
from tests.web.asking import a_key

PROCESSES, CLIENTS, ROUNDS = 4, 32, 200
NOW, FIRST = "2026-11-23T06:00:00Z", "2026-11-24T00:00:00Z"

CHECKS_THEN_INSERTS = """
import slotkeeper.embedded.app
from bench.proof.careless import ChecksThenInserts
slotkeeper.embedded.app.SqliteStore = ChecksThenInserts
"""
"""The reviewed design: it looks whether the slot is free, and writes later whatever has happened since."""


def a_room(path: Path) -> Setting:
    """A room that is open around the clock, and half-hours of it."""
    setting = a_setting(SqliteStore(path), NOW)
    setting.put("resource", "room", Resource(name="Room", kind="room", zone="Europe/Berlin"))
    setting.service("visit", needs=[Need(all_of=("room",))], step_minutes=30)
    return setting


def race(setting: Setting, path: Path, rounds: int, code: str = "") -> None:
    """Each round all clients want the same half-hour at once."""
    key = a_key(setting, "read", "book")
    starts = [format_instant(Instant(at(FIRST) + number * 1800)) for number in range(rounds)]
    with serving_processes(path, PROCESSES, now=NOW, code=code) as ports:
        clients = [Client(ports[number % PROCESSES], key) for number in range(CLIENTS)]
        answers = at_once([_racing(client, starts) for client in clients])

    won = [Counter(answer[number] for answer in answers) for number in range(rounds)]
    assert won == [{201: 1, 409: CLIENTS - 1}] * rounds
    found = examine(setting.store, setting.clock.now)
    assert found.is_clean
    assert found.appointments == rounds


def _racing(client: Client, starts: list[str]) -> Callable[[Callable[[], object]], list[int]]:
    def run(ready: Callable[[], object]) -> list[int]:
        with client:
            return [_ask(client, start, ready) for start in starts]

    return run


def _ask(client: Client, start: str, ready: Callable[[], object]) -> int:
    ready()
    return client.post("/appointments", {"serviceId": "visit", "startTime": start}).status


@pytest.mark.slow
def test_one_of_32_clients_at_4_processes_gets_the_slot_every_time(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    race(a_room(path), path, ROUNDS)


@pytest.mark.slow
def test_who_checks_and_then_inserts_is_caught(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    setting = a_room(path)

    with pytest.raises(AssertionError):
        race(setting, path, 20, CHECKS_THEN_INSERTS)
