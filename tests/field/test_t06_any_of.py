"""T06: "any provider" never gives one provider to two customers, and spreads the work."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slotkeeper.core.rules import Facts
from slotkeeper.core.ticks import Instant, Tick, format_instant
from slotkeeper.doctor import examine
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic, at
from tests.field.broken import ChecksThenInserts
from tests.serving import Client, Reply, ask_at_once, serving, statuses
from tests.web.asking import a_key

pytestmark = pytest.mark.slow

DOCTORS = 6
STARTS = [f"2026-11-24T{hour:02}:00:00Z" for hour in range(9, 13)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def clinic(path: Path) -> Setting:
    return a_clinic(SqliteStore(path), doctors=DOCTORS)


def each_on_another(clinic: Setting, path: Path, kind: type[SqliteStore]) -> None:
    """At each start one customer more than there are doctors asks for any of them, all at once."""
    key = a_key(clinic)
    with serving(clinic.clock, kind(path), kind(path)) as ports:
        for start in STARTS:
            replies = ask_at_once(ports, key, [asking(start)] * (DOCTORS + 1))

            assert statuses(replies) == {201: DOCTORS, 409: 1}
            busy = [who for reply in replies if reply.status == 201 for who in reply.body["appointment"]["resourceIds"]]
            assert sorted(busy) == [f"d{number}" for number in range(DOCTORS)]
    found = examine(clinic.store, clinic.clock.now)
    assert (found.is_clean, found.claims) == (True, DOCTORS * len(STARTS))


def asking(start: str) -> Callable[[Client], Reply]:
    return lambda client: client.post("/appointments", {"serviceId": "visit", "startTime": start})


def work_is_spread(clinic: Setting) -> None:
    """Twice as many visits as doctors, none at the same time as another."""
    first = at("2026-11-24T08:00:00Z")
    starts = [format_instant(Instant(first + number * 1800)) for number in range(2 * DOCTORS)]
    served = Counter(clinic.book(start).resource_ids[0] for start in starts)

    assert served == {f"d{number}": 2 for number in range(DOCTORS)}


def test_no_provider_is_given_to_two_customers_who_take_any(clinic: Setting, path: Path) -> None:
    """alextselegidis/easyappointments#845: "any provider" double-booked about 40 times a week."""
    each_on_another(clinic, path, SqliteStore)


def test_no_provider_has_all_the_work_while_others_are_idle(clinic: Setting) -> None:
    """alextselegidis/easyappointments#982: "any provider" always took the same one."""
    work_is_spread(clinic)


def test_the_same_facts_never_give_another_provider() -> None:
    """alextselegidis/easyappointments#982: nobody could say who would be taken."""
    runs = [[a_clinic(doctors=DOCTORS).book(start).resource_ids for start in STARTS] for _ in range(2)]

    assert runs[0] == runs[1]


def _whoever_comes_first(facts: Facts, start: Tick) -> tuple[str, ...]:
    """Takes the first ones, free or not, however loaded."""
    return tuple(member.id for need in facts.needs for member in need.members[: need.count])


CHECKS: list[Any] = [
    pytest.param(lambda clinic, path: each_on_another(clinic, path, SqliteStore), id="at once"),
    pytest.param(lambda clinic, path: work_is_spread(clinic), id="one by one"),
]


@pytest.mark.parametrize("check", CHECKS)
def test_a_pick_that_ignores_load_is_caught(
    clinic: Setting, path: Path, monkeypatch: pytest.MonkeyPatch, check: Callable[[Setting, Path], None]
) -> None:
    monkeypatch.setattr("slotkeeper.desk.placing.chosen", _whoever_comes_first)

    with pytest.raises(AssertionError):
        check(clinic, path)


def test_who_checks_and_then_inserts_is_caught(clinic: Setting, path: Path) -> None:
    with pytest.raises(AssertionError):
        each_on_another(clinic, path, ChecksThenInserts)
