"""T19: how often the store is asked does not grow with the days that are looked at, nor with the resources."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest

from slotkeeper.contracts import Change, Doc, Key, ListName, Page, Range, Store
from slotkeeper.core.appointment import Customer
from slotkeeper.core.service import Need, Pool, Resource
from slotkeeper.core.ticks import DAY_SECONDS, Day, Instant, format_instant
from slotkeeper.desk import search
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import READ_AT_ONCE
from slotkeeper.documents import sheet_key
from slotkeeper.ledger import Reading
from tests.builders import STAFF, Setting, a_clinic, a_setting, at, hours

FIRST = "2026-11-24T00:00:00Z"
MANY = 1000


class Counting:
    """A `contracts.Store` that counts how often it is asked, and for how much, and lets another do the work."""

    def __init__(self, store: Store, *, knows_what_changed: bool = False) -> None:
        self._store = store
        self.knows_what_changed = knows_what_changed
        self.asked = Counter[str]()
        self.things = 0

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        self.asked["read"] += 1
        self.things += len(keys)
        return self._store.read(keys)

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        self.asked["read_ranges"] += 1
        self.things += len(ranges)
        return self._store.read_ranges(ranges)

    def stamps(self, parts: Sequence[str]) -> Sequence[int] | None:
        return self._store.stamps(parts) if self.knows_what_changed else None

    def list(self, name: ListName, part: str, **others: Any) -> Page:
        self.asked["list"] += 1
        return self._store.list(name, part, **others)

    def walk(self, prefix: str = "") -> Iterator[Doc]:
        self.asked["walk"] += 1
        return self._store.walk(prefix)

    def commit(self, change: Change) -> None:
        self._store.commit(change)

    def batch(self) -> AbstractContextManager[None]:
        return self._store.batch()

    def close(self) -> None:
        self._store.close()


def look(setting: Setting, days: int, service_id: str = "visit", first: int = 0) -> tuple[Counting, list[Instant]]:
    """Look for slots over so many days from the `first`-th on; returns what was counted, and the slots."""
    counting = Counting(setting.store)
    desk = Desk(counting, setting.clock, setting.desk.new_id)
    start = Instant(at(FIRST) + first * DAY_SECONDS)
    wanted = search.Search(first=start, last=Instant(start + days * DAY_SECONDS))
    return counting, search.service_slots(desk, STAFF, service_id, wanted).starts


def a_busy_clinic() -> Setting:
    """A clinic with a visit every other day of a quarter, which fills that day up."""
    clinic = a_clinic()
    clinic.service("few", day_limit=1, customer_limit=100, name="Few")
    clinic.put("customer", "ada", Customer(name="Ada"))
    for day in range(0, 90, 2):
        start = Instant(at("2026-11-24T09:00:00Z") + day * DAY_SECONDS)
        if clinic.slots(format_instant(start), format_instant(Instant(start + 1)), "few"):
            clinic.book(format_instant(start), "few", customer_id="ada")
    return clinic


def reads_do_not_grow(clinic: Setting) -> None:
    asked, found = {}, {}
    for days in (3, 14, 30, 60, 90):
        counting, found[days] = look(clinic, days)
        asked[days] = counting.asked.total()
    assert set(asked.values()) == {asked[3]}
    assert asked[3] <= 8
    assert len(found[90]) > len(found[30]) > len(found[3]) > 0


def test_no_longer_range_asks_the_store_more_often() -> None:
    """calcom/cal.diy#5277, #21103: slots took 3 to 25 seconds, for each day was looked up on its own."""
    reads_do_not_grow(a_busy_clinic())


@pytest.mark.parametrize("service_id", ["visit", "few", "exam"])
def test_no_longer_range_asks_for_more_parts_of_the_store(service_id: str) -> None:
    """calcom/cal.diy#23482: the same, with limits per day and per customer."""
    clinic = a_busy_clinic()

    wide = [look(clinic, days, service_id)[0].things for days in (14, 30, 90)]

    assert len(set(wide)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("service_id", ["visit", "few", "exam"])
def test_a_long_look_never_says_other_than_many_short_ones(service_id: str) -> None:
    """calcom/cal.diy#23482: what was read in another way was judged in another way."""
    clinic = a_busy_clinic()

    _, whole = look(clinic, 90, service_id)

    assert whole == [slot for day in range(90) for slot in look(clinic, 1, service_id, day)[1]]


def test_a_thousand_resources_take_as_few_questions_as_their_sheets_take_turns() -> None:
    """alextselegidis/easyappointments#627: availability took longer with each provider, up to a minute."""
    setting = a_setting()
    setting.put("schedule", "week", hours())
    ids = tuple(f"d{number}" for number in range(MANY))
    for id in ids:
        setting.put("resource", id, Resource(name=id, zone="Europe/Berlin", schedule_id="week"))
    setting.put("pool", "doctors", Pool(name="Doctors", resource_ids=ids))
    setting.service("visit")
    setting.service("one", needs=[Need(all_of=("d0",))])

    many, found = look(setting, 30)
    one, alone = look(setting, 30, "one")

    assert len(found) == 22 * 31
    assert found == alone
    assert many.asked.total() <= one.asked.total() + 1 + MANY // READ_AT_ONCE
    assert many.things <= 4 * MANY + 10


def test_who_looks_again_is_shown_what_has_changed_and_asks_for_nothing_else() -> None:
    """calcom/cal.diy#21103: every visitor's look read everything anew."""
    clinic = a_busy_clinic()
    counting = Counting(clinic.store, knows_what_changed=True)
    clinic.desk = Desk(counting, clinic.clock, clinic.desk.new_id)
    span = "2026-11-24T00:00:00Z", "2026-12-24T00:00:00Z"
    first = clinic.slots(*span)
    counting.asked.clear()
    counting.things = 0

    again = clinic.slots(*span)
    asked_again = counting.asked["read_ranges"]
    taken = [clinic.book(first[0]) for _ in range(3)]
    after = clinic.slots(*span)

    assert again == first
    assert asked_again == 0
    assert len({each.resource_ids for each in taken}) == 3
    assert first[0] not in after
    assert look(clinic, 30)[1] == [at(start) for start in after]


def _day_by_day(reading: Reading, business: str, calendars: Sequence[str], first: Day, count: int) -> list[list[Doc]]:
    days = [Day(first + number) for number in range(count)]
    found = [[reading.sheet_doc(sheet_key(business, calendar, day)) for day in days] for calendar in calendars]
    return [[doc for doc in docs if doc is not None] for docs in found]


def test_who_reads_day_by_day_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    clinic = a_busy_clinic()
    monkeypatch.setattr("slotkeeper.ledger.Reading.sheet_docs", _day_by_day)

    with pytest.raises(AssertionError):
        reads_do_not_grow(clinic)
