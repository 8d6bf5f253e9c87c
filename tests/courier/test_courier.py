"""What one sweep does, and how it counts it."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields

import pytest

from slotkeeper.contracts import Doc, Key, Letter
from slotkeeper.core.appointment import Customer
from slotkeeper.core.errors import Undeliverable, Unreachable
from slotkeeper.courier.courier import SEND_SECONDS, Swept
from slotkeeper.courier.gathering import NOTED_AT_ONCE
from slotkeeper.courier.log import notifications
from slotkeeper.desk import holds
from slotkeeper.documents import appointment_key
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import Setting, a_clinic, at, contact
from tests.post import LetterBox, a_courier, sweep

START = "2026-11-26T09:00:00Z"


class CountingStore(SqliteStore):
    """A store that counts its batches, and the reads in which it was asked for customers."""

    batches, customer_reads = 0, 0

    @contextmanager
    def batch(self) -> Iterator[None]:
        self.batches += 1
        with super().batch():
            yield

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        self.customer_reads += any("/customer" in key.part for key in keys)
        return super().read(keys)


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def test_requests_that_nobody_confirmed_are_counted(clinic: Setting) -> None:
    clinic.service("visit", needs_confirmation=True, confirm_within_minutes=60)
    for _ in range(2):
        clinic.book(START)
    courier = a_courier(clinic)
    sweep(courier)

    clinic.clock.now = at("2026-11-23T07:00:00Z")
    swept = sweep(courier)

    assert (swept.expired, swept.published, swept.damaged) == (2, 2, 0)


def test_all_holds_that_are_over_are_counted(clinic: Setting) -> None:
    for _ in range(2):
        holds.hold(clinic.desk, clinic.actor, holds.HoldOrder(service_id="visit", start=at(START), seconds=300))
    clinic.book(START)
    clinic.clock.forward(seconds=300)

    assert sweep(a_courier(clinic)).holds == 2


def test_a_sweep_counts_all_that_it_passed_over_and_the_log_names_each(
    clinic: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    booked = [clinic.book(START) for _ in range(3)]
    assert isinstance(clinic.store, SqliteStore)
    clinic.store._writer.execute("UPDATE doc SET body = 'x' WHERE part LIKE 'clinic/appointment/%'")

    with caplog.at_level(logging.ERROR):
        swept = asyncio.run(a_courier(clinic).sweep(limit=2))

    assert (swept.seen, swept.damaged, swept.did_something) == (3, 3, False)
    assert all(each.id in caplog.text for each in booked)


def test_what_leaves_in_one_second_is_noted_in_one_batch_up_to_so_many() -> None:
    store = CountingStore(":memory:")
    clinic = a_clinic(store, doctors=NOTED_AT_ONCE + 3)
    for _ in range(NOTED_AT_ONCE + 3):
        clinic.book(START, contact=contact())
    noted, courier = list[int](), a_courier(clinic, box := LetterBox(), at_once=1)
    box.before = lambda letter: noted.append(len(notifications(store, "clinic", limit=100).notifications))
    store.batches = 0

    sweep(courier)

    assert noted == [0] * NOTED_AT_ONCE + [NOTED_AT_ONCE] * 3
    assert store.batches == 3  # one to claim all, one for so many, and one for the rest


def test_who_has_nothing_to_note_takes_the_file_from_nobody() -> None:
    store = CountingStore(":memory:")
    courier = a_courier(a_clinic(store))
    store.batches = 0

    courier._note([])

    assert store.batches == 0


def test_the_customers_of_a_sweep_are_read_in_one_go() -> None:
    store = CountingStore(":memory:")
    clinic = a_clinic(store)
    for name in ("ada", "bea", "cleo"):
        clinic.put("customer", name, Customer(name=name, email=f"{name}@example.com"))
        clinic.book(START, customer_id=name)
    box, store.customer_reads = LetterBox(), 0

    sweep(a_courier(clinic, box))

    assert sorted(letter.to for letter in box.letters) == ["ada@example.com", "bea@example.com", "cleo@example.com"]
    assert store.customer_reads == 1


def test_only_what_is_asked_for_and_due_is_attended_to(clinic: Setting) -> None:
    one, other = (clinic.book(START, contact=contact(email=f"{name}@example.com")) for name in ("one", "other"))
    courier, gone = a_courier(clinic, box := LetterBox()), appointment_key("clinic", "apt_gone")

    first = asyncio.run(courier.attend([appointment_key("clinic", one.id), gone]))
    again = asyncio.run(courier.attend([appointment_key("clinic", one.id)]))

    assert [letter.to for letter in box.letters] == ["one@example.com"]
    assert (first.seen, first.sent) == (1, 1)
    assert (again.seen, again.sent) == (1, 0)
    assert sweep(courier).sent == 1
    assert box.letters[-1].to == "other@example.com" == other.contact.email


DEEDS = {"holds", "expired", "published", "sent", "failed", "dead", "void"}


@pytest.mark.parametrize("count", [each.name for each in fields(Swept)])
def test_only_what_changed_something_counts_as_a_deed(count: str) -> None:
    assert Swept(**{count: 1}).did_something is (count in DEEDS)
    assert not Swept().did_something


@pytest.mark.parametrize("base_url", ["https://book.example", "https://book.example/", "https://example/MAX/"])
def test_links_have_one_slash_wherever_the_address_of_our_pages_ends(clinic: Setting, base_url: str) -> None:
    clinic.book(START, contact=contact())
    box = LetterBox()

    sweep(a_courier(clinic, box, base_url=base_url))

    assert f" {base_url.removesuffix('/')}/visit/clinic/" in box.letters[0].text.replace("\n", " ")


@pytest.mark.parametrize("base_url", ["", "https://book.example"])
def test_what_has_left_is_remembered_word_for_word_save_for_its_link(clinic: Setting, base_url: str) -> None:
    clinic.book(START, contact=contact())
    box = LetterBox()

    sweep(a_courier(clinic, box, base_url=base_url))

    [noted] = notifications(clinic.store, "clinic").notifications
    [letter] = box.letters
    assert noted.text == (letter.text.replace(letter.private, "...") if letter.private else letter.text)


def test_a_server_that_does_not_answer_is_left_before_the_claim_ends(clinic: Setting) -> None:
    class Silent(LetterBox):
        """It answers, when the loop's clock has gone on for longer than a try may take."""

        async def send(self, letter: Letter) -> str:
            loop = asyncio.get_running_loop()
            later = loop.time() + SEND_SECONDS
            loop.time = lambda: later  # type: ignore[method-assign] # nobody wants to wait
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return await super().send(letter)

    clinic.book(START, contact=contact())

    swept = sweep(a_courier(clinic, Silent()))

    [noted] = notifications(clinic.store, "clinic").notifications
    assert (swept.sent, swept.failed) == (0, 1)
    assert (noted.state, noted.answer) == ("waiting", f"no answer within {SEND_SECONDS} seconds")


@pytest.mark.parametrize(
    "error",
    [TimeoutError(), Undeliverable("550"), Unreachable("421"), ConnectionResetError("gone"), KeyError("port")],
    ids=lambda error: type(error).__name__,
)
def test_what_could_not_be_sent_is_told_in_the_log_however_it_failed(clinic: Setting, error: Exception) -> None:
    def fail(letter: Letter) -> None:
        raise error

    clinic.book(START, contact=contact())

    sweep(a_courier(clinic, LetterBox(fail)))

    [noted] = notifications(clinic.store, "clinic").notifications
    assert (noted.to, noted.subject.partition(":")[0], "Ada" in noted.text) == ("ada@example.com", "Booked", True)
    assert noted.answer


@pytest.mark.parametrize(("error", "count"), [(Unreachable("421"), "failed"), (Undeliverable("550"), "dead")])
def test_a_reminder_that_failed_is_counted_as_such_whether_it_is_tried_again_or_not(
    clinic: Setting, error: Exception, count: str
) -> None:
    def fail(letter: Letter) -> None:
        raise error

    clinic.book(START, contact=contact())
    sweep(a_courier(clinic, LetterBox()))
    clinic.clock.set("2026-11-25T09:00:00Z")

    swept = sweep(a_courier(clinic, LetterBox(fail)))

    assert (swept.reminders, swept.reminders_failed, swept.reminders_sent, getattr(swept, count)) == (1, 1, 0, 1)


def test_a_connection_that_breaks_is_a_failure_as_any_and_no_fault_of_ours(
    clinic: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(letter: Letter) -> None:
        raise ConnectionResetError("the peer hung up")

    clinic.book(START, contact=contact())
    with caplog.at_level(logging.ERROR):
        swept = sweep(a_courier(clinic, LetterBox(broken)))

    [noted] = notifications(clinic.store, "clinic").notifications
    assert (swept.failed, noted.state, noted.answer) == (1, "waiting", "the peer hung up")
    assert not caplog.records


def test_a_fault_of_a_sender_is_logged_and_its_kind_noted(clinic: Setting, caplog: pytest.LogCaptureFixture) -> None:
    def trips(letter: Letter) -> None:
        raise KeyError("port")

    clinic.book(START, contact=contact())
    with caplog.at_level(logging.ERROR):
        sweep(a_courier(clinic, LetterBox(trips)))

    [noted] = notifications(clinic.store, "clinic").notifications
    assert noted.answer == "KeyError: 'port'"
    assert len(caplog.records) == 1
