"""T07: nobody overbooks silently: it takes staff, a reason, a warning in the answer and an entry in the audit log."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.core.rules import Facts, Member
from slotkeeper.core.ticks import TICK_MINUTES, fits
from slotkeeper.desk import booking
from slotkeeper.desk.audit import entries
from slotkeeper.doctor import examine
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic, at
from tests.serving import Client, Reply, serving
from tests.web.asking import a_key

pytestmark = pytest.mark.slow

START, FREE = "2026-11-24T09:00:00Z", "2026-11-25T09:00:00Z"
REASON = "chest pain, squeezed in by Dr 0"


@pytest.fixture
def clinic(tmp_path: Path) -> Setting:
    return a_clinic(SqliteStore(tmp_path / "a.db"), doctors=1)


def post(port: int, key: str, start: str = START, **more: Any) -> Reply:
    with Client(port, key) as client:
        return client.post("/appointments", {"serviceId": "visit", "startTime": start, **more})


def audited(clinic: Setting) -> list[tuple[str, str]]:
    found = entries(clinic.store, "clinic", at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"))
    return [(entry.target, entry.reason) for entry in found if entry.what == "override"]


def only_staff_with_a_reason(clinic: Setting) -> None:
    """Neither staff without a reason nor a reason without staff is enough, and a refusal leaves nothing behind."""
    clinic.book(START)
    staff, booker = a_key(clinic, "read", "book", "staff"), a_key(clinic, "read", "book")
    with serving(clinic.clock, clinic.store) as [port]:
        refused = [
            post(port, staff),
            post(port, staff, override={}),
            post(port, staff, override={"reason": ""}),
            post(port, booker, override={"reason": REASON}),
        ]

    assert [reply.status for reply in refused] == [409, 422, 422, 403]
    assert audited(clinic) == []
    assert examine(clinic.store, clinic.clock.now).appointments == 1


def it_is_told_and_noted(clinic: Setting) -> None:
    clinic.book(START)
    with serving(clinic.clock, clinic.store) as [port]:
        made = post(port, a_key(clinic, "read", "book", "staff"), override={"reason": REASON})

    assert made.status == 201
    assert made.body["appointment"]["overrode"] == "taken"
    assert [warning.split(":")[0] for warning in made.body.get("warnings", [])] == ["taken"]
    assert audited(clinic) == [(made.body["appointmentId"], REASON)]
    found = examine(clinic.store, clinic.clock.now)
    assert (found.overrides, found.complaints) == (1, [])


def test_nobody_overbooks_without_scope_and_reason(clinic: Setting) -> None:
    """alextselegidis/easyappointments#1783: staff overbooked without being told."""
    only_staff_with_a_reason(clinic)


def test_no_overbooking_is_silent(clinic: Setting) -> None:
    """alextselegidis/easyappointments#1431: what overlapped could not be told from an error."""
    it_is_told_and_noted(clinic)


def test_a_reason_that_was_not_needed_is_no_override(clinic: Setting) -> None:
    """alextselegidis/easyappointments#1431: a free time needs none."""
    with serving(clinic.clock, clinic.store) as [port]:
        made = post(port, a_key(clinic, "read", "book", "staff"), FREE, override={"reason": REASON})

    assert made.status == 201
    assert "overrode" not in made.body["appointment"]
    assert "warnings" not in made.body
    assert audited(clinic) == []
    assert examine(clinic.store, clinic.clock.now).overrides == 0


def test_an_overlap_is_told_beside_the_rule_that_hid_it(clinic: Setting) -> None:
    """alextselegidis/easyappointments#1783: after hours, the second one squeezed in was told of the hours alone."""
    late = "2026-11-24T20:00:00Z"
    staff = a_key(clinic, "read", "book", "staff")
    with serving(clinic.clock, clinic.store) as [port]:
        first, second = (post(port, staff, late, override={"reason": REASON}) for _ in range(2))

    assert [warning.split(":")[0] for warning in first.body["warnings"]] == ["closed"]
    assert first.body["appointment"]["overrode"] == "closed"
    assert [warning.split(":")[0] for warning in second.body["warnings"]] == ["closed", "taken"]
    assert second.body["appointment"]["overrode"] == "taken"


def test_nobody_is_overbooked_while_another_is_free(tmp_path: Path) -> None:
    """alextselegidis/easyappointments#1431: the notice was overridden, and the first doctor had two patients."""
    clinic = a_clinic(SqliteStore(tmp_path / "b.db"), doctors=3)
    clinic.service("visit", notice_minutes=3000)
    clinic.service("now")
    clinic.book(START, "now", resource_ids=("d0",))
    with serving(clinic.clock, clinic.store) as [port]:
        made = post(port, a_key(clinic, "read", "book", "staff"), override={"reason": REASON})

    assert made.body["appointment"]["resourceIds"] == ["d1"]
    assert [warning.split(":")[0] for warning in made.body["warnings"]] == ["too-soon"]
    assert examine(clinic.store, clinic.clock.now).overrides == 0


def test_a_move_overrides_only_with_a_reason_too(clinic: Setting) -> None:
    """alextselegidis/easyappointments#1783: dragging one appointment over another overbooked as well."""
    clinic.book(START)
    other = clinic.book(FREE)
    staff, booker = a_key(clinic, "read", "book", "staff"), a_key(clinic, "read", "book")
    why = {"override": {"reason": REASON}}
    with serving(clinic.clock, clinic.store) as [port]:
        replies = [_move(port, key, other.id, more) for key, more in ((staff, {}), (booker, why), (staff, why))]

    assert [reply.status for reply in replies] == [409, 403, 200]
    assert audited(clinic) == [(other.id, REASON)]
    found = examine(clinic.store, clinic.clock.now)
    assert (found.overrides, found.complaints) == (1, [])


def _move(port: int, key: str, id: str, more: dict[str, Any]) -> Reply:
    with Client(port, key) as client:
        return client.post(f"/appointments/{id}/reschedule", {"startTime": START, **more})


def _able_though_busy(facts: Facts, member: Member) -> int:
    return fits(member.open, facts.service.duration_minutes // TICK_MINUTES)


def _without_a_word(*asked: Any) -> booking.Booked:
    return replace(_book(*asked), warnings=())


_book = booking.book

BROKEN: list[tuple[str, Any, Any]] = [
    ("slotkeeper.core.rules.able", _able_though_busy, only_staff_with_a_reason),
    ("slotkeeper.core.actor.Actor.is_staff", True, only_staff_with_a_reason),
    ("slotkeeper.desk.booking.record", lambda *_: None, it_is_told_and_noted),
    ("slotkeeper.desk.booking.book", _without_a_word, it_is_told_and_noted),
    ("slotkeeper.doctor._was_allowed", lambda *_: False, it_is_told_and_noted),
]


@pytest.mark.parametrize(("name", "broken", "check"), BROKEN, ids=[name.rsplit(".", 1)[1] for name, _, _ in BROKEN])
def test_a_silent_overbooking_is_caught(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch, name: str, broken: Any, check: Callable[[Setting], None]
) -> None:
    monkeypatch.setattr(name, broken)

    with pytest.raises(AssertionError):
        check(clinic)
