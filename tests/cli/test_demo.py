"""The demonstration: a clinic with people, rooms, services and two weeks of appointments, the same each time."""

import itertools
from collections import Counter

import pytest

from slotkeeper.cli import demo
from slotkeeper.contracts import Store
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import DAY_SECONDS, format_instant
from slotkeeper.desk import members
from slotkeeper.desk.passwords import matches
from slotkeeper.doctor import examine
from slotkeeper.documents import decoded
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import MONDAY, a_setting
from tests.cli.command_line import Shell

pytestmark = pytest.mark.slow

SOME_DAYS = ["2026-11-26T20:00:00Z", "2026-03-08T12:00:00Z", "2026-11-01T09:30:00Z", "2027-01-01T00:00:00Z"]
"""A Thursday at noon, the days on which the clocks change, and a turn of the year."""


def made(now: str, store: Store | None = None) -> tuple[Store, list[Appointment]]:
    setting = a_setting(store, now)
    demo.make(setting.desk)
    page = setting.store.list("start", demo.BUSINESS, limit=5000)
    return setting.store, [decoded(doc, Appointment) for doc in page.docs]


def test_it_has_six_staff_three_rooms_and_five_services(shell: Shell) -> None:
    shell("demo")

    kinds = Counter(each.get("kind", "staff") for each in shell.json("resources", "list"))
    assert kinds == {"staff": 6, "room": 3}
    assert len(shell.json("services", "list")) == 5
    assert len(shell.json("customers", "list")) == demo.CUSTOMERS
    assert all(each["email"].endswith("@example.com") for each in shell.json("customers", "list"))
    assert sum(bool(each.get("needsConfirmation")) for each in shell.json("services", "list")) == 1


@pytest.mark.parametrize("now", SOME_DAYS)
def test_its_two_weeks_are_lively_whatever_day_it_is(now: str) -> None:
    store, found = made(now)

    states = Counter(each.status for each in found)
    at = a_setting(now=now).clock()
    assert 150 <= len(found) <= 320
    assert states["pending"] == 1
    assert states["cancelled"] >= 5
    assert states["completed"] >= 50
    assert states["booked"] >= 50
    assert all(abs(each.start - at) < 9 * DAY_SECONDS for each in found)
    assert all((each.end <= at) == (each.status in ("completed", "noShow")) for each in found if each.is_claiming)
    assert examine(store, at).is_clean


def test_it_is_the_same_each_time() -> None:
    first, second = (
        [(format_instant(each.start), each.service_id, each.customer_id, each.status) for each in made(MONDAY)[1]]
        for _ in range(2)
    )

    assert first == second


def test_nobody_is_told_of_made_up_appointments() -> None:
    _, found = made(MONDAY)

    assert {message.kind for each in found for message in each.messages} == {"reminder"}
    assert all(message.due > a_setting().clock() for each in found for message in each.messages)


def test_it_is_made_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    store, calls = SqliteStore(":memory:"), itertools.count()
    commit = store.commit

    def failing(change: object) -> None:
        if next(calls) == 200:
            raise Unreachable("the disk is full")
        commit(change)  # type: ignore[arg-type] # handed through

    setting = a_setting(store)
    monkeypatch.setattr(store, "commit", failing)
    with pytest.raises(Unreachable):
        demo.make(setting.desk)

    assert not list(store.walk(demo.BUSINESS))


def test_a_second_call_changes_nothing_but_makes_a_key(shell: Shell) -> None:
    first = shell("demo").stdout
    before = shell("export", "-", "--all", "--format", "jsonl").stdout
    second = shell("demo").stdout

    assert "appointments made" in first
    assert "It was here already" in second
    assert shell("export", "-", "--all", "--format", "jsonl").stdout == before
    assert len(shell.json("keys", "list")) == 2


def test_its_members_get_a_password_each_time_which_is_told_and_kept_nowhere(shell: Shell) -> None:
    passwords = [
        next(line for line in shell("demo").stdout.splitlines() if "Password:" in line).split()[2] for _ in range(2)
    ]

    assert passwords[0] != passwords[1]
    store = SqliteStore(shell.folder / "slotkeeper.db")
    found = {item.value.email: item.value for item in members.members(a_setting(store).desk, demo.BUSINESS)}
    store.close()
    assert {email: member.role for email, member in found.items()} == {
        email: role for email, (_, role) in demo.MEMBERS.items()
    }
    assert sorted(member.role for member in found.values()) == ["owner", "viewer"]
    for member in found.values():
        assert [matches(member.password, each) for each in passwords] == [False, True]


def test_it_says_where_to_look_and_gives_a_key_to_paste(shell: Shell) -> None:
    text = shell("demo", "--port", "8123").stdout

    assert "http://127.0.0.1:8123/docs" in text
    assert "http://127.0.0.1:8123/public/riverside/services" in text
    assert "http://127.0.0.1:8123/staff/riverside" in text
    assert "curl -H 'Authorization: Bearer sk_" in text.splitlines()[-1]
