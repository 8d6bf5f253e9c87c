"""However many want the same times, no calendar is claimed twice: what is stored says so, asked in plain SQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench.proof.contended import BROKEN, BROKEN_SIZE, SIZES, on_sqlite
from bench.proof.sweep import swept, unkept
from slotkeeper.desk.changing import Move, Request, act, move
from slotkeeper.desk.holds import HoldOrder, hold
from slotkeeper.process import now
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at

TUESDAY, LATER, NIGHT = "2030-11-26T09:00:00Z", "2030-11-26T10:00:00Z", "2030-11-26T23:00:00Z"

OVERLAP = "claims that overlap an earlier one of their calendar"
BOTH_WANT = "appointments and holds that overlap an earlier one of their calendar"
UNCLAIMED = "days of appointments and holds without their claim"
UNWANTED = "claims without their appointment or hold"
TWICE = "claims that stand twice in one day of a calendar"


@pytest.mark.slow
def test_no_calendar_is_claimed_twice_however_many_want_it() -> None:
    outcome = on_sqlite(SIZES["quick"])

    assert outcome.wrong == {}
    assert outcome.told.statuses[409] > SIZES["quick"].attempts // 3
    assert outcome.told.standing


@pytest.mark.slow
def test_a_store_that_checks_and_then_inserts_leaves_overlaps() -> None:
    assert on_sqlite(BROKEN_SIZE, BROKEN).wrong.keys() & {OVERLAP, BOTH_WANT}


def a_used_clinic(clinic: Setting) -> Setting:
    """With an appointment of each kind that a sweep meets, among them one over midnight, and a hold."""
    setting = Setting(clinic.desk, clinic.clock, clinic.store)
    setting.clock.now = now()
    setting.service("visit", horizon_days=3660)
    setting.book(TUESDAY, resource_ids=("d0",))
    moved = setting.book(TUESDAY, resource_ids=("d1",))
    move(setting.desk, STAFF, Move(id=moved.id, start=at(LATER), resource_ids=("d0",)))
    gone = setting.book(LATER, resource_ids=("d2",))
    act(setting.desk, STAFF, "cancel", Request(id=gone.id))
    setting.book(NIGHT, "", end="2030-11-27T01:00:00Z", resource_ids=("r0", "r1"))
    setting.book(TUESDAY, "", end=LATER, customer_id="u1")
    hold(setting.desk, STAFF, HoldOrder(service_id="visit", start=at(TUESDAY), resource_ids=("d2",), seconds=600))
    return setting


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a clinic in which all is well."""
    path = tmp_path / "clinic.db"
    store = SqliteStore(path)
    a_used_clinic(a_clinic(store))
    store.close()
    return path


def test_the_sweep_has_nothing_to_say_where_all_is_well(path: Path) -> None:
    assert swept(path) == {}


SHEET = "part = 'clinic/sheet/d0' AND sort = '2030-11-26'"

TAMPERED = {
    "an appointment at another's time": (
        "UPDATE doc SET body = replace(body, '1921917600', '1921914600') "
        "WHERE sort = 'appointment' AND body LIKE '%\"moved\"%'",
        {BOTH_WANT, UNCLAIMED, UNWANTED},
    ),
    "a claim that grew": (
        f"UPDATE doc SET body = replace(body, ',1921915800,', ',1921918000,') WHERE {SHEET}",
        {OVERLAP, UNCLAIMED, UNWANTED},
    ),
    "a claim lost": (f"UPDATE doc SET body = '[]' WHERE {SHEET}", {UNCLAIMED}),
    "a day of a claim lost": ("DELETE FROM doc WHERE part = 'clinic/sheet/r1' AND sort = '2030-11-27'", {UNCLAIMED}),
    "an appointment lost": ("DELETE FROM doc WHERE sort = 'appointment' AND body LIKE '%customer/u1%'", {UNWANTED}),
    "a hold lost": ("DELETE FROM doc WHERE sort = 'hold'", {UNWANTED}),
    "cancelled, and still claimed": (
        'UPDATE doc SET body = replace(body, \'"status":"booked"\', \'"status":"cancelled"\') '
        "WHERE body LIKE '%customer/u1%'",
        {UNWANTED},
    ),
    "a claim entered twice": (
        f"UPDATE doc SET body = '[' || (body ->> '$' -> 0) || ',' || substr(body, 2) WHERE {SHEET}",
        {TWICE},
    ),
}


@pytest.mark.parametrize(("sql", "complaints"), TAMPERED.values(), ids=TAMPERED)
def test_the_sweep_sees(path: Path, sql: str, complaints: set[str]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE doc SET body = CAST(body AS TEXT)")
        assert connection.execute(sql).rowcount == 1

    assert swept(path).keys() == complaints


KEPT = """
SELECT body ->> '$.id', body ->> '$.status', body ->> '$.start' FROM (SELECT CAST(body AS TEXT) AS body FROM doc)
WHERE body LIKE '{"id"%customer/u1%'
"""


def test_what_does_not_stand_as_promised_is_counted(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        [(id, status, start)] = connection.execute(KEPT)

    assert unkept(path, "clinic", [(id, status, start)]) == 0
    for told in ((id, "cancelled", start), (id, status, start + 1), ("apt_0", status, start)):
        assert unkept(path, "clinic", [told]) == 1
