"""What one sweep does, and how it counts it."""

import logging
from dataclasses import fields

import pytest

from slotkeeper.contracts import Letter
from slotkeeper.courier.courier import Swept
from slotkeeper.courier.log import notifications
from tests.builders import Setting, a_clinic, at, contact
from tests.post import LetterBox, a_courier, sweep

START = "2026-11-26T09:00:00Z"


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


DEEDS = {"holds", "expired", "published", "sent", "failed", "dead", "void"}


@pytest.mark.parametrize("count", [each.name for each in fields(Swept)])
def test_only_what_changed_something_counts_as_a_deed(count: str) -> None:
    assert Swept(**{count: 1}).did_something is (count in DEEDS)
    assert not Swept().did_something


@pytest.mark.parametrize("base_url", ["https://book.example", "https://book.example/"])
def test_links_have_one_slash_wherever_the_address_of_our_pages_ends(clinic: Setting, base_url: str) -> None:
    clinic.book(START, contact=contact())
    box = LetterBox()

    sweep(a_courier(clinic, box, base_url=base_url))

    assert "https://book.example/visit/clinic/" in box.letters[0].text


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
