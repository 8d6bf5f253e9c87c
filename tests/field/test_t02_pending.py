"""T02: a request that waits for confirmation keeps its time, and of two for one time only one is ever confirmed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import WrongState
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.changing import Request, act
from slotkeeper.doctor import examine
from slotkeeper.documents import appointment_key, appointment_put, decoded
from slotkeeper.ledger import Draft
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic
from tests.field.broken import ChecksThenInserts
from tests.serving import Client, Reply, ask_at_once, serving, statuses
from tests.web.asking import a_key

pytestmark = pytest.mark.slow

START = "2026-11-24T09:00:00Z"
CLIENTS = 12


def a_clinic_that_confirms(path: Path) -> Setting:
    """One doctor, whose visits are confirmed within the hour or not at all."""
    clinic = a_clinic(SqliteStore(path), doctors=1)
    clinic.service("visit", needs_confirmation=True, confirm_within_minutes=60)
    return clinic


def doing(action: str, id: str) -> Callable[[Client], Reply]:
    return lambda client: client.post(f"/appointments/{id}/{action}")


def stored(clinic: Setting, id: str) -> Appointment:
    key = appointment_key("clinic", id)
    return decoded(clinic.store.read([key])[key], Appointment)


def one_request_is_taken(clinic: Setting, path: Path) -> None:
    with serving(clinic.clock, SqliteStore(path), SqliteStore(path)) as ports:
        body = {"serviceId": "visit", "startTime": START}
        asks: list[Callable[[Client], Reply]] = [lambda client: client.post("/appointments", body)] * CLIENTS
        replies = ask_at_once(ports, a_key(clinic), asks)

    assert statuses(replies) == {201: 1, 409: CLIENTS - 1}
    assert {reply.body["appointment"]["status"] for reply in replies if reply.status == 201} == {"pending"}
    assert START not in clinic.slots(START, "2026-11-24T10:00:00Z")
    assert examine(clinic.store, clinic.clock.now).is_clean


def only_the_later_is_confirmed(clinic: Setting, path: Path) -> None:
    """The first request was not confirmed in time, and is not swept up yet; a second one has its time."""
    first = clinic.book(START)
    clinic.clock.forward(hours=1)
    second = clinic.book(START)
    with serving(clinic.clock, SqliteStore(path), SqliteStore(path)) as ports:
        asks = [doing("confirm", each.id) for _ in range(CLIENTS // 2) for each in (first, second)]
        replies = ask_at_once(ports, a_key(clinic), asks)

    assert {reply.status for reply in replies[0::2]} == {409}
    assert statuses(replies[1::2]) == {200: 1, 409: CLIENTS // 2 - 1}
    assert stored(clinic, second.id).status == "booked"
    found = examine(clinic.store, clinic.clock.now)
    assert (found.is_clean, found.overrides) == (True, 0)


def one_answer_is_final(clinic: Setting, path: Path, kind: type[SqliteStore]) -> None:
    """One says yes and another says no, at the same moment."""
    pending = clinic.book(START)
    with serving(clinic.clock, kind(path), kind(path)) as ports:
        asks = [doing(action, pending.id) for _ in range(CLIENTS // 2) for action in ("decline", "confirm")]
        replies = ask_at_once(ports, a_key(clinic), asks)

    assert statuses(replies) == {200: 1, 409: CLIENTS - 1}
    [status] = [reply.body["status"] for reply in replies if reply.status == 200]
    left = stored(clinic, pending.id)
    assert [event.type for event in left.events] == ["pending", status]
    assert (START in clinic.slots(START, "2026-11-24T10:00:00Z")) == (status == "declined")
    assert examine(clinic.store, clinic.clock.now).is_clean


def test_a_time_that_is_asked_for_is_never_promised_to_another(tmp_path: Path) -> None:
    """calcom/cal.diy#29958: two pending requests for one time were both taken, and both confirmed."""
    path = tmp_path / "a.db"
    one_request_is_taken(a_clinic_that_confirms(path), path)


def test_a_request_that_ran_out_is_never_confirmed_over_its_successor(tmp_path: Path) -> None:
    """calcom/cal.diy#29968: overlapping pending requests could all be confirmed."""
    path = tmp_path / "a.db"
    only_the_later_is_confirmed(a_clinic_that_confirms(path), path)


def test_a_clock_that_is_set_back_confirms_no_request_over_its_successor() -> None:
    """calcom/cal.diy#29968, on a machine whose clock was fast: the first had run out, and the second has its time."""
    clinic = a_clinic(doctors=1)
    clinic.service("visit", needs_confirmation=True, confirm_within_minutes=60)
    first = clinic.book(START)
    clinic.clock.forward(hours=1)
    second = clinic.book(START)
    clinic.clock.forward(seconds=-1)

    with pytest.raises(WrongState, match="expired"):
        act(clinic.desk, clinic.actor, "confirm", Request(id=first.id))
    act(clinic.desk, clinic.actor, "confirm", Request(id=second.id))
    clinic.clock.forward(seconds=1)

    assert examine(clinic.store, clinic.clock.now).is_clean


def test_a_request_is_never_both_confirmed_and_declined(tmp_path: Path) -> None:
    """calcom/cal.diy#29968, by two members of staff."""
    path = tmp_path / "a.db"
    one_answer_is_final(a_clinic_that_confirms(path), path, SqliteStore)


def _claims_nothing(draft: Draft, business: str, appointment: Appointment, now: Instant) -> None:
    draft.put(appointment_put(business, appointment))


BROKEN: list[tuple[str, Any, Callable[[Setting, Path], None]]] = [
    ("slotkeeper.desk.booking.enter", _claims_nothing, one_request_is_taken),
    ("slotkeeper.desk.changing._check_not_over", lambda *_: None, only_the_later_is_confirmed),
]


@pytest.mark.parametrize(("name", "broken", "check"), BROKEN, ids=["pending is free", "confirms what ran out"])
def test_who_confirms_without_looking_is_caught(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    broken: Any,
    check: Callable[[Setting, Path], None],
) -> None:
    path = tmp_path / "a.db"
    clinic = a_clinic_that_confirms(path)
    monkeypatch.setattr(name, broken)

    with pytest.raises(AssertionError):
        check(clinic, path)


def test_who_checks_and_then_writes_both_confirms_and_declines(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    clinic = a_clinic_that_confirms(path)

    with pytest.raises(AssertionError):
        one_answer_is_final(clinic, path, ChecksThenInserts)
