"""A move over many days rests on every sheet that it was judged by, and looks at no more days than it may take."""

from collections.abc import Callable, Sequence

import pytest

from slotkeeper.contracts import Doc, Range
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Invalid, Taken, WrongState
from slotkeeper.core.service import Need, Resource
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.desk import changing
from slotkeeper.desk.changing import MAX_EVENTS, Move, Request, act, edit, move
from slotkeeper.doctor import examine
from slotkeeper.ledger import Reading
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_setting, at, customer_actor

START = at("2026-11-27T09:00:00Z")


class LetsARivalIn(SqliteStore):
    """Lets somebody else act once, just after the sheets of many days were read as a range."""

    rival: Callable[[], object] | None = None

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        found = super().read_ranges(ranges)
        if self.rival is not None and any("/sheet/" in each.part for each in ranges):
            act, self.rival = self.rival, None
            act()
        return found


@pytest.fixture
def hall() -> Setting:
    setting = a_setting(LetsARivalIn(":memory:"))
    setting.put("resource", "hall", Resource(name="Hall", kind="room", zone="UTC"))
    setting.service("fair", needs=[Need(all_of=("hall",))], duration_minutes=60)
    return setting


def booked(hall: Setting, start: str = "2026-11-27T09:00:00Z") -> Appointment:
    return hall.book(start, "fair", customer_id="c1")


def days_later(days: int) -> Instant:
    return Instant(START + days * DAY_SECONDS)


@pytest.mark.parametrize("days", [3, 5, 7])
def test_a_rival_within_a_long_move_is_noticed(hall: Setting, days: int) -> None:
    mine = booked(hall)
    hall.store.rival = lambda: booked(hall, "2026-11-27T18:00:00Z")  # type: ignore[attr-defined]  # LetsARivalIn's

    with pytest.raises(Taken):
        move(hall.desk, STAFF, Move(id=mine.id, start=START, end=days_later(days)))

    assert examine(hall.store, hall.clock()).complaints == []


def test_whoever_decides_remembers_every_sheet_that_was_judged(hall: Setting) -> None:
    """Not even a span that no rule lets through today may be judged by sheets that the commit does not insist on."""
    booked(hall)
    day = START // DAY_SECONDS
    deciding = Reading(hall.store, is_deciding=True)
    deciding.sheets("clinic", ["hall"], day, 40)  # type: ignore[arg-type]  # a Day
    booked(hall, "2026-11-27T12:00:00Z")

    [key] = [doc.key for doc in hall.store.walk("clinic/sheet/hall")]
    assert deciding.version(key) == 1


@pytest.mark.parametrize("actor", [STAFF, customer_actor("c1")])
def test_no_move_is_longer_than_a_service_may_be_and_is_refused_at_once(hall: Setting, actor: object) -> None:
    mine = booked(hall)

    for days in (8, 31, 3650, 27_000):
        with pytest.raises(Invalid, match="7 days"):
            move(hall.desk, actor, Move(id=mine.id, start=START, end=days_later(days)))  # type: ignore[arg-type]


def test_an_appointment_that_was_changed_very_often_can_only_be_ended(
    hall: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = booked(hall)
    monkeypatch.setattr(changing, "MAX_EVENTS", 3)
    for number in (1, 2):
        edit(hall.desk, STAFF, Request(id=mine.id), {"number": number}, None)

    with pytest.raises(WrongState, match="3 times"):
        edit(hall.desk, STAFF, Request(id=mine.id), {"number": 3}, None)
    with pytest.raises(WrongState, match="3 times"):
        move(hall.desk, STAFF, Move(id=mine.id, start=days_later(1)))

    assert act(hall.desk, STAFF, "cancel", Request(id=mine.id)).status == "cancelled"
    assert MAX_EVENTS > 100
