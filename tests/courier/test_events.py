"""Events are published exactly once and without a gap, and each is told to those who want it."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from slotkeeper.contracts import Change, Stale
from slotkeeper.courier.log import events
from slotkeeper.desk import agenda, holds
from slotkeeper.desk.catalogue import put_on_shelf, remove_from_shelf
from slotkeeper.desk.changing import Move, Request, act, edit, move
from slotkeeper.doctor import examine
from slotkeeper.documents import Webhook
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at, contact
from tests.post import LetterBox, a_courier, caught, sweep, work

START = "2026-11-26T09:00:00Z"


class OvertakenStore(SqliteStore):
    """A store in which somebody else is quicker, once: `meanwhile` happens between a decision and its commit. Like
    DynamoDB it makes no more of a batch than its commits."""

    meanwhile: Callable[[], object] | None = None

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield

    def commit(self, change: Change) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            other = threading.Thread(target=meanwhile)
            other.start()
            other.join()
        super().commit(change)


class BlindStore(OvertakenStore):
    """A broken one: it overwrites what others have written since."""

    def commit(self, change: Change) -> None:
        try:
            super().commit(change)
        except Stale as stale:
            now = {key: 0 if doc is None else doc.version for key, doc in stale.docs.items()}
            super().commit(Change({**change.expects, **now}, change.puts, change.deletes))


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def test_each_change_makes_one_event_in_order(clinic: Setting) -> None:
    courier = a_courier(clinic, LetterBox())
    appointment = clinic.book(START, contact=contact())
    move(clinic.desk, STAFF, Move(id=appointment.id, start=at("2026-11-27T10:00:00Z")))
    edit(clinic.desk, STAFF, Request(id=appointment.id), {"notes": "left knee"}, None)
    act(clinic.desk, STAFF, "cancel", Request(id=appointment.id, reason="ill"))

    sweep(courier)
    sweep(courier)

    told = events(clinic.store, "clinic")
    assert [(each.number, each.type, each.revision) for each in told] == [
        (1, "booked", 1),
        (2, "moved", 2),
        (3, "changed", 3),
        (4, "cancelled", 4),
    ]
    assert told[1].was_start == at(START)
    assert told[3].reason == "ill"
    assert events(clinic.store, "clinic", after=2, limit=1) == [told[2]]


def test_two_couriers_publish_each_event_once_and_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    clinic = a_clinic(SqliteStore(path), doctors=60)
    ids = {clinic.book(START, contact=contact()).id for _ in range(60)}
    ready = threading.Barrier(2)

    def run() -> None:
        courier = a_courier(Setting(clinic.desk, clinic.clock, SqliteStore(path)))
        ready.wait()
        for _ in range(60):
            asyncio.run(courier.sweep(limit=1))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    told = events(clinic.store, "clinic", limit=500)
    assert [each.number for each in told] == list(range(1, 61))
    assert {each.appointment_id for each in told} == ids


@pytest.mark.parametrize("kind", [OvertakenStore, BlindStore])
def test_a_courier_that_is_overtaken_publishes_nothing_twice(tmp_path: Path, kind: type[OvertakenStore]) -> None:
    clinic = a_clinic(SqliteStore(tmp_path / "a.db"))
    slow = kind(tmp_path / "a.db")
    ids = [clinic.book(START).id for _ in range(2)]

    slow.meanwhile = lambda: sweep(a_courier(clinic))
    asyncio.run(a_courier(Setting(clinic.desk, clinic.clock, slow)).sweep(limit=1))
    ids.append(clinic.book(START).id)
    sweep(a_courier(clinic))

    told = events(clinic.store, "clinic")
    with caught(kind, BlindStore):
        assert [each.number for each in told] == [1, 2, 3]
        assert sorted(each.appointment_id for each in told) == sorted(ids)


def test_each_webhook_is_told_once_of_each_event_it_wants(clinic: Setting) -> None:
    box = LetterBox()
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://all.example/h", secret="whsec_MfKQ9r8G"))
    put_on_shelf(clinic.desk, STAFF, "webhooks", "few", Webhook(url="https://few.example/h", types=("moved",)))
    put_on_shelf(clinic.desk, STAFF, "webhooks", "off", Webhook(url="https://off.example/h", active=False))
    appointment = clinic.book(START)
    move(clinic.desk, STAFF, Move(id=appointment.id, start=at("2026-11-27T10:00:00Z")))
    act(clinic.desk, STAFF, "cancel", Request(id=appointment.id))

    work(a_courier(clinic, box), clinic, "2026-11-30T00:00:00Z")

    hooks = [letter for letter in box.letters if letter.channel == "webhook"]
    assert Counter((letter.to, letter.subject) for letter in hooks) == Counter(
        {
            ("https://all.example/h", "booked"): 1,
            ("https://all.example/h", "moved"): 1,
            ("https://all.example/h", "cancelled"): 1,
            ("https://few.example/h", "moved"): 1,
        }
    )
    assert {letter.secret for letter in hooks if "all" in letter.to} == {"whsec_MfKQ9r8G"}


def test_a_webhook_hears_of_the_appointment_as_the_event_left_it(clinic: Setting) -> None:
    """T20: the webhook of a move told wrong times, or was missing."""
    box = LetterBox()
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://all.example/h"))
    appointment = clinic.book(START)
    move(clinic.desk, STAFF, Move(id=appointment.id, start=at("2026-11-27T10:00:00Z")))
    act(clinic.desk, STAFF, "cancel", Request(id=appointment.id))

    sweep(a_courier(clinic, box))

    bodies = {letter.subject: msgspec.json.decode(letter.text) for letter in box.letters if letter.channel == "webhook"}
    assert bodies["booked"]["type"] == "appointment.booked"
    facts = ("status", "startTime", "wasStartTime", "revision")
    assert {kind: [body["data"].get(fact) for fact in facts] for kind, body in bodies.items()} == {
        "booked": ["booked", "2026-11-26T09:00:00Z", None, 1],
        "moved": ["booked", "2026-11-27T10:00:00Z", "2026-11-26T09:00:00Z", 2],
        "cancelled": ["cancelled", "2026-11-27T10:00:00Z", None, 3],
    }


def test_a_webhook_that_was_removed_is_told_nothing_more(clinic: Setting) -> None:
    box = LetterBox()
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://all.example/h"))
    booked = clinic.book(START)
    remove_from_shelf(clinic.desk, STAFF, "webhooks", "all")

    swept = sweep(a_courier(clinic, box))

    assert swept.void == 1
    notes = {each.channel: each.note for each in agenda.appointment(clinic.desk, STAFF, booked.id).messages}
    assert notes["webhook"] == "the webhook was removed"
    assert not [letter for letter in box.letters if letter.channel == "webhook"]


def test_notices_go_out_though_the_appointment_is_over(clinic: Setting) -> None:
    box = LetterBox()
    appointment = clinic.book(START, contact=contact())
    act(clinic.desk, STAFF, "cancel", Request(id=appointment.id))

    sweep(a_courier(clinic, box))

    assert [subject.split(":")[0] for subject in sorted(box.subjects)] == ["Booked", "Cancelled"]


def test_many_events_of_one_appointment_are_published_bit_by_bit(clinic: Setting) -> None:
    appointment = clinic.book(START)
    for number in range(120):
        edit(clinic.desk, STAFF, Request(id=appointment.id), {"notes": str(number)}, None)
    courier = a_courier(clinic)

    published = [sweep(courier).published for _ in range(5)]

    assert published == [40, 40, 40, 1, 0]
    assert [each.number for each in events(clinic.store, "clinic", limit=500)] == list(range(1, 122))


def test_a_pending_appointment_that_nobody_confirms_frees_its_time_and_the_customer_is_told(clinic: Setting) -> None:
    box = LetterBox()
    clinic.service("visit", needs_confirmation=True, confirm_within_minutes=60)
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://all.example/h", types=("expired",)))
    pending = [clinic.book(START, contact=contact()) for _ in range(3)]
    assert START not in clinic.slots(START, "2026-11-26T09:30:00Z")

    times = work(a_courier(clinic, box), clinic, "2026-11-23T08:00:00Z")

    assert times[-1] == at("2026-11-23T07:00:00Z")
    assert START in clinic.slots(START, "2026-11-26T09:30:00Z")
    kinds = Counter(letter.subject.split(":")[0] for letter in box.letters)
    assert kinds == {"Requested": 3, "Not confirmed in time": 3, "expired": 3}
    types = Counter(each.type for each in events(clinic.store, "clinic"))
    assert types == {"pending": 3, "expired": 3}
    assert len(pending) == 3
    assert examine(clinic.store, clinic.clock.now).is_clean


def test_a_confirmed_appointment_does_not_expire(clinic: Setting) -> None:
    clinic.service("visit", needs_confirmation=True, confirm_within_minutes=60)
    pending = clinic.book(START, contact=contact())
    act(clinic.desk, STAFF, "confirm", Request(id=pending.id))

    work(a_courier(clinic), clinic, "2026-11-23T12:00:00Z")

    assert [each.type for each in events(clinic.store, "clinic")] == ["pending", "booked"]


def test_a_hold_goes_when_it_expires_and_not_before(clinic: Setting) -> None:
    held = holds.hold(clinic.desk, STAFF, holds.HoldOrder(service_id="visit", start=at(START), seconds=300))
    courier = a_courier(clinic)

    assert courier.next_due() == held.expires
    clinic.clock.forward(seconds=299)
    early = sweep(courier)
    clinic.clock.forward(seconds=1)
    late = sweep(courier)

    assert (early.holds, late.holds, courier.next_due()) == (0, 1, None)
    documents = [doc.key.part for doc in clinic.store.walk() if "/hold/" in doc.key.part]
    assert documents == []
    assert examine(clinic.store, clinic.clock.now).claims == 0
