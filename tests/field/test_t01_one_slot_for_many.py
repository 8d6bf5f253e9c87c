"""T01, T08: of many who ask for one time at once, exactly one gets it, with everything that it needs or nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slotkeeper.core.sheet import live
from slotkeeper.core.ticks import day_of
from slotkeeper.doctor import examine
from slotkeeper.documents import sheet_key, sheet_of
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic, at
from tests.field.broken import ChecksThenInserts, WritesOneByOne
from tests.serving import PROBLEM, Client, Reply, ask_at_once, serving, statuses
from tests.web.asking import a_key

pytestmark = pytest.mark.slow

START, LATER, END = "2026-11-24T09:00:00Z", "2026-11-24T09:15:00Z", "2026-11-24T09:30:00Z"
SERVERS, CLIENTS = 3, 24

VISIT = {"serviceId": "visit", "startTime": START}
EXAMS = [{"serviceId": "exam", "startTime": START, "resourceIds": [doctor]} for doctor in ("d0", "d1")]
"""With another doctor each, but in the one room."""


def booking(body: dict[str, Any]) -> Callable[[Client], Reply]:
    return lambda client: client.post("/appointments", body)


def one_wins(path: Path, kind: type[SqliteStore], clinic: Setting, bodies: list[dict[str, Any]]) -> None:
    """Many post at once to several servers on one file, at each server one of the bodies, and exactly one is booked."""
    with serving(clinic.clock, *(kind(path) for _ in range(SERVERS))) as ports:
        asks = [booking(bodies[number % SERVERS % len(bodies)]) for number in range(CLIENTS)]
        replies = ask_at_once(ports, a_key(clinic), asks)

    assert statuses(replies) == {201: 1, 409: CLIENTS - 1}
    refused = [reply for reply in replies if reply.status == 409]
    assert {reply.media for reply in refused} == {PROBLEM}
    assert {reply.code for reply in refused} == {"taken"}
    [won] = [reply.body["appointment"] for reply in replies if reply.status == 201]
    assert holders(clinic) == {who: [won["id"]] for who in won["resourceIds"]}
    found = examine(clinic.store, clinic.clock.now)
    assert found.is_clean
    assert (found.appointments, found.claims) == (1, len(won["resourceIds"]))


def holders(clinic: Setting) -> dict[str, list[str]]:
    """Who claims the day, by resource."""
    keys = {who: sheet_key("clinic", who, day_of(at(START))) for who in ("d0", "d1", "d2", "r0", "r1")}
    docs = clinic.store.read(list(keys.values()))
    claims = {who: live(sheet_of(docs.get(key)), clinic.clock.now) for who, key in keys.items()}
    return {who: [claim.owner for claim in found] for who, found in claims.items() if found}


def a_small_clinic(path: Path) -> Setting:
    """One doctor and one room."""
    return a_clinic(SqliteStore(path), doctors=1, rooms=1)


def test_no_two_of_many_parallel_requests_get_one_slot(tmp_path: Path) -> None:
    """calcom/cal.diy#13397: ten parallel POSTs made several bookings."""
    path = tmp_path / "a.db"
    one_wins(path, SqliteStore, a_small_clinic(path), [VISIT])


def test_who_checks_and_then_inserts_gives_one_slot_to_several(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    clinic = a_small_clinic(path)

    with pytest.raises(AssertionError):
        one_wins(path, ChecksThenInserts, clinic, [VISIT])


OVERLAPPING = [
    {"resourceIds": who, "startTime": start, "endTime": END}
    for who, start in ((["d0", "r0"], START), (["r0", "d1"], LATER), (["d1", "d0"], START))
]
"""Any two of these share a resource."""

SEVERAL = [pytest.param(EXAMS, id="service"), pytest.param(OVERLAPPING, id="free spans")]


@pytest.mark.parametrize("bodies", SEVERAL)
def test_no_two_of_many_parallel_requests_share_any_of_several_resources(
    tmp_path: Path, bodies: list[dict[str, Any]]
) -> None:
    """LibreBooking/librebooking#147: two people were both told "reserved"; the advice was to sleep a random time."""
    path = tmp_path / "a.db"
    one_wins(path, SqliteStore, a_clinic(SqliteStore(path), doctors=2, rooms=1), bodies)


@pytest.mark.parametrize("kind", [ChecksThenInserts, WritesOneByOne])
@pytest.mark.parametrize("bodies", SEVERAL)
def test_who_writes_without_looking_or_bit_by_bit_is_caught(
    tmp_path: Path, kind: type[SqliteStore], bodies: list[dict[str, Any]]
) -> None:
    path = tmp_path / "a.db"
    clinic = a_clinic(SqliteStore(path), doctors=2, rooms=1)

    with pytest.raises(AssertionError):
        one_wins(path, kind, clinic, bodies)
