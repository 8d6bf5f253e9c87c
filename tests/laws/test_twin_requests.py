"""The same request twice at once: whichever comes second finds what the first one made, and is never its own rival."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from slotkeeper.contracts import Doc, Key, Range
from slotkeeper.core.errors import KeyReused, Refused, Taken
from slotkeeper.desk.booking import book
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at, order

START = "2026-11-27T09:00:00Z"
AT_NIGHT = "2026-11-27T02:00:00Z"


class MeetsATwin(SqliteStore):
    """Lets somebody else act once, just before the first sheet is read: when the idempotency key was looked for."""

    twin: Callable[[], object] | None = None

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        self._meet(any("/sheet/" in key.part for key in keys))
        return super().read(keys)

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        self._meet(any("/sheet/" in each.part for each in ranges))
        return super().read_ranges(ranges)

    def _meet(self, is_sheet: bool) -> None:
        if is_sheet and self.twin is not None:
            act, self.twin = self.twin, None
            act()


@pytest.fixture
def clinic() -> Setting:
    return a_clinic(MeetsATwin(":memory:"), doctors=1)


def act_on(desk: Desk, kind: str, start: str = START, **others: Any) -> str:
    if kind == "book":
        return book(desk, STAFF, order(start, service_id="visit", request_key="twin", **others)).appointment.id
    return hold(desk, STAFF, HoldOrder(service_id="visit", start=at(start), request_key="twin", **others)).id


@pytest.mark.parametrize("kind", ["book", "hold"])
def test_a_request_that_meets_its_twin_is_answered_with_what_the_twin_made(clinic: Setting, kind: str) -> None:
    made: list[str] = []
    clinic.store.twin = lambda: made.append(act_on(clinic.desk, kind))  # type: ignore[attr-defined]  # MeetsATwin's

    assert [act_on(clinic.desk, kind)] == made


@pytest.mark.parametrize("kind", ["book", "hold"])
def test_a_request_that_meets_another_with_its_key_is_told_so(clinic: Setting, kind: str) -> None:
    other = "2026-11-27T09:15:00Z"
    clinic.store.twin = lambda: act_on(clinic.desk, kind, other)  # type: ignore[attr-defined]  # MeetsATwin's

    with pytest.raises(KeyReused):
        act_on(clinic.desk, kind)


@pytest.mark.parametrize("kind", ["book", "hold"])
def test_a_request_that_is_answered_among_others_knows_its_twin_of_another_process(tmp_path: Path, kind: str) -> None:
    theirs = a_clinic(SqliteStore(tmp_path / "a.db"), doctors=1)
    ours = Desk(SqliteStore(tmp_path / "a.db"), theirs.clock, theirs.desk.new_id)
    with pytest.raises(Refused):
        act_on(ours, kind, start=AT_NIGHT)  # it has looked for the key, and knows of nothing
    made = [act_on(theirs.desk, kind)]

    with ours.store.batch():
        assert [act_on(ours, kind)] == made


def test_a_rival_is_still_a_rival(clinic: Setting) -> None:
    clinic.store.twin = lambda: clinic.book(START)  # type: ignore[attr-defined]  # MeetsATwin's

    with pytest.raises(Taken):
        act_on(clinic.desk, "book")
