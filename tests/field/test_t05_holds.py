"""T05: a hold keeps its slot from everyone but its owner, is used once, and ends by itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.orders import Order
from slotkeeper.desk.search import Search
from slotkeeper.doctor import examine
from slotkeeper.documents import Hold, hold_key
from slotkeeper.ledger import Reading
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic
from tests.field.broken import ChecksThenInserts
from tests.serving import Client, Reply, ask_at_once, serving, statuses
from tests.web.asking import a_key

pytestmark = pytest.mark.slow

START, END = "2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z"
RANGE = "from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z"
CLIENTS = 12
WANTED = {"serviceId": "visit", "startTime": START, "seconds": 300}

Check = Callable[[Setting, Path, type[SqliteStore]], None]


def one_holds(clinic: Setting, path: Path, kind: type[SqliteStore]) -> None:
    with serving(clinic.clock, kind(path), kind(path)) as ports:
        asks: list[Callable[[Client], Reply]] = [lambda client: client.post("/holds", WANTED)] * CLIENTS
        replies = ask_at_once(ports, a_key(clinic), asks)

    assert statuses(replies) == {201: 1, 409: CLIENTS - 1}
    assert {reply.code for reply in replies if reply.status == 409} == {"taken"}
    found = examine(clinic.store, clinic.clock.now)
    assert (found.is_clean, found.claims) == (True, 1)


def one_uses_it(clinic: Setting, path: Path, kind: type[SqliteStore]) -> None:
    key = a_key(clinic)
    with serving(clinic.clock, kind(path), kind(path)) as ports:
        with Client(ports[0], key) as owner:
            held = owner.post("/holds", WANTED).body["id"]
            walk_in = owner.post("/appointments", {"serviceId": "visit", "startTime": START})
        body = {"serviceId": "visit", "startTime": START, "holdId": held}
        asks: list[Callable[[Client], Reply]] = [lambda client: client.post("/appointments", body)] * CLIENTS
        replies = ask_at_once(ports, key, asks)

    assert (walk_in.status, walk_in.code) == (409, "taken")
    assert statuses(replies) == {201: 1, 409: CLIENTS - 1}
    assert {reply.code for reply in replies if reply.status == 409} <= {"hold-gone", "taken"}
    found = examine(clinic.store, clinic.clock.now)
    assert (found.is_clean, found.appointments, found.claims) == (True, 1, 1)


def its_owner_sees_the_slot(clinic: Setting, path: Path, kind: type[SqliteStore]) -> None:
    with serving(clinic.clock, kind(path)) as [port], Client(port, a_key(clinic)) as client:
        held = client.post("/holds", WANTED).body["id"]
        others, own = (
            [slot["startTime"] for slot in client.get(f"/slots?serviceId=visit&{RANGE}{more}").body["items"]]
            for more in ("", f"&holdId={held}")
        )

    assert START not in others
    assert START in own
    assert set(own) - set(others) == {"2026-11-24T08:45:00Z", START, "2026-11-24T09:15:00Z"}


def it_ends_by_itself(clinic: Setting, path: Path, kind: type[SqliteStore]) -> None:
    """Nobody sweeps: no courier runs."""
    body = {"serviceId": "visit", "startTime": START}
    with serving(clinic.clock, kind(path)) as [port], Client(port, a_key(clinic)) as client:
        held = client.post("/holds", WANTED).body["id"]
        clinic.clock.forward(seconds=299)
        early = client.post("/appointments", body)
        offered_early = clinic.slots(START, END)
        clinic.clock.forward(seconds=1)
        offered_late = clinic.slots(START, END)
        late_owner = client.post("/appointments", {**body, "holdId": held})
        other = client.post("/appointments", body)
        gone = client.get(f"/holds/{held}")

    assert (early.status, offered_early) == (409, [])
    assert START in offered_late
    assert (late_owner.status, late_owner.code) == (409, "hold-gone")
    assert (other.status, gone.status) == (201, 404)
    assert examine(clinic.store, clinic.clock.now).is_clean


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def clinic(path: Path) -> Setting:
    return a_clinic(SqliteStore(path), doctors=1)


def test_no_two_hold_one_slot(clinic: Setting, path: Path) -> None:
    """calcom/cal.diy PR 23988: a reserved slot could be reserved again."""
    one_holds(clinic, path, SqliteStore)


def test_no_hold_is_used_twice(clinic: Setting, path: Path) -> None:
    """calcom/cal.diy PR 18935: several bookings went through on one reservation."""
    one_uses_it(clinic, path, SqliteStore)


def test_no_hold_hides_the_slot_from_its_owner(clinic: Setting, path: Path) -> None:
    """calcom/cal.diy#20064: one's own reservation made the slot disappear."""
    its_owner_sees_the_slot(clinic, path, SqliteStore)


def test_no_hold_outlives_its_time_though_nobody_sweeps(clinic: Setting, path: Path) -> None:
    """calcom/cal.diy PR 23988: what expired stayed in the way, or was booked with."""
    it_ends_by_itself(clinic, path, SqliteStore)


@pytest.mark.parametrize("check", [one_holds, one_uses_it])
def test_who_checks_and_then_inserts_is_caught(clinic: Setting, path: Path, check: Check) -> None:
    with pytest.raises(AssertionError):
        check(clinic, path, ChecksThenInserts)


def _claims_for_ever(claim: Claim, now: Instant) -> bool:
    return True


def _takes_any_hold(reading: Reading, business: str, order: Order, now: Instant) -> Hold:
    found = reading.value(hold_key(business, order.hold_id), Hold)
    assert found is not None
    return found


def _ignores_nobody(**asked: Any) -> Any:
    return Search(**{**asked, "ignoring": ()})


BROKEN: list[tuple[str, Any, Check]] = [
    ("slotkeeper.core.sheet.Claim.is_live", _claims_for_ever, it_ends_by_itself),
    ("slotkeeper.desk.booking._hold", _takes_any_hold, it_ends_by_itself),
    ("slotkeeper.desk.booking._use_up", lambda *_: None, one_uses_it),
    ("slotkeeper.web.slots.Search", _ignores_nobody, its_owner_sees_the_slot),
]


@pytest.mark.parametrize(("name", "broken", "check"), BROKEN, ids=[name.rsplit(".", 1)[1] for name, _, _ in BROKEN])
def test_a_hold_that_does_not_hold_is_caught(
    clinic: Setting, path: Path, monkeypatch: pytest.MonkeyPatch, name: str, broken: Any, check: Check
) -> None:
    monkeypatch.setattr(name, broken)

    with pytest.raises(AssertionError):
        check(clinic, path, SqliteStore)
