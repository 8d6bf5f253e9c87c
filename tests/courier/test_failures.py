"""What fails is tried again, what fails for good is kept for a person to look at, and can be sent again."""

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from slotkeeper.contracts import Letter
from slotkeeper.core.appointment import Contact, Customer
from slotkeeper.core.errors import Invalid, Missing, Undeliverable, Unreachable, WrongState
from slotkeeper.core.reminders import BACKOFF_SECONDS
from slotkeeper.courier.log import Notification, dead_letters, notification, notifications, replay
from slotkeeper.desk.changing import Move, Request, act, move
from slotkeeper.notices.rendering import Occasion, Words
from slotkeeper.notices.rendering import render as our_words
from slotkeeper.senders.outbox import KEPT
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at, contact
from tests.post import LetterBox, MailServer, a_courier, sweep, work

START = "2026-11-26T09:00:00Z"


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def mail_sender(clinic: Setting, server: MailServer) -> SmtpSender:
    settings = SmtpSettings(host="127.0.0.1", port=server.port, sender="desk@clinic.example", security="none")
    return SmtpSender(settings, clinic.clock)


def logged(clinic: Setting) -> list[Notification]:
    return list(notifications(clinic.store, "clinic").notifications)


def test_a_mail_server_that_is_down_for_an_hour_loses_no_mail(clinic: Setting) -> None:
    server = MailServer()
    courier = a_courier(clinic, mail_sender(clinic, server))
    booked = clinic.clock.now
    appointment = clinic.book(START, contact=contact())

    work(courier, clinic, "2026-11-23T07:00:00Z")
    [waiting] = logged(clinic)
    with server.running():
        work(courier, clinic, "2026-11-23T10:00:00Z")

    assert (waiting.state, waiting.due > booked) == ("waiting", True)
    assert "mail server" in waiting.answer
    [mail] = server.mails
    assert mail["Message-ID"] == f"<{appointment.messages[0].id}@clinic.example>"
    [sent] = logged(clinic)
    assert (sent.state, sent.answer, sent.due) == ("sent", "250 taken", 0)


def test_the_pauses_between_tries_grow_and_end(clinic: Setting) -> None:
    times: list[int] = []

    def fail(letter: Letter) -> None:
        times.append(clinic.clock.now)
        raise Unreachable("no connection")

    clinic.book(START, contact=contact())
    work(a_courier(clinic, LetterBox(fail)), clinic, "2026-11-24T00:00:00Z")

    assert [late - early for early, late in pairwise(times)] == list(BACKOFF_SECONDS)
    [dead] = dead_letters(clinic.store, "clinic").notifications
    assert (dead.state, dead.attempts, dead.answer) == ("dead", len(BACKOFF_SECONDS) + 1, "no connection")


@pytest.mark.parametrize(("wanted", "pause"), [(1, 30), (600, 600)])
def test_who_asks_to_be_left_alone_is(clinic: Setting, wanted: int, pause: int) -> None:
    times: list[int] = []

    def later(letter: Letter) -> None:
        times.append(clinic.clock.now)
        raise Unreachable("429", retry_after=wanted)

    clinic.book(START, contact=contact())
    work(a_courier(clinic, LetterBox(later)), clinic, "2026-11-23T06:30:00Z")

    assert times[1] - times[0] == pause


def test_a_refused_recipient_is_a_dead_letter_that_can_be_sent_again(clinic: Setting) -> None:
    server = MailServer()
    server.refusals["ada@example.com"] = "550 5.1.1 no such user"
    clinic.book(START, contact=contact())
    with server.running():
        courier = a_courier(clinic, mail_sender(clinic, server))
        swept = sweep(courier)
        [dead] = dead_letters(clinic.store, "clinic").notifications
        server.refusals.clear()
        owed = replay(clinic.store, "clinic", dead.id, clinic.clock.now)
        none_left = dead_letters(clinic.store, "clinic").notifications
        sweep(courier)

    assert swept.dead == 1
    assert (dead.state, dead.attempts, dead.answer) == ("dead", 1, "550 5.1.1 no such user")
    assert (owed.state, none_left) == ("waiting", ())
    assert [mail["Message-ID"] for mail in server.mails] == [f"<{dead.id}@clinic.example>"]
    assert notification(clinic.store, "clinic", dead.id).state == "sent"


def test_one_refused_recipient_keeps_no_other_from_being_told(clinic: Setting) -> None:
    server = MailServer()
    server.refusals["gone@example.com"] = "550 5.1.1 no such user"
    for name in ("one", "gone", "two"):
        clinic.book(START, contact=contact(email=f"{name}@example.com"))

    with server.running():
        swept = sweep(a_courier(clinic, mail_sender(clinic, server)))

    assert (swept.sent, swept.dead) == (2, 1)
    assert sorted(server.recipients) == ["one@example.com", "two@example.com"]


def test_only_a_dead_message_is_sent_again(clinic: Setting) -> None:
    clinic.book(START, contact=contact())
    sweep(a_courier(clinic, LetterBox()))
    [sent] = logged(clinic)

    with pytest.raises(WrongState, match="sent"):
        replay(clinic.store, "clinic", sent.id, clinic.clock.now)
    with pytest.raises(Missing):
        replay(clinic.store, "clinic", "msg_nothing", clinic.clock.now)
    with pytest.raises(Missing):
        replay(clinic.store, "other", sent.id, clinic.clock.now)


def test_a_dead_reminder_of_a_moved_or_ended_appointment_is_not_sent_again(clinic: Setting) -> None:
    def refuse(letter: Letter) -> None:
        raise Undeliverable("no such user")

    moves, ends = clinic.book(START, contact=contact()), clinic.book(START, contact=contact())
    work(a_courier(clinic, LetterBox(refuse)), clinic, "2026-11-25T10:00:00Z")
    dead = [each for each in dead_letters(clinic.store, "clinic").notifications if each.kind == "reminder"]
    move(clinic.desk, STAFF, Move(id=moves.id, start=at("2026-11-27T10:00:00Z")))
    act(clinic.desk, STAFF, "cancel", Request(id=ends.id))

    assert len(dead) == 2
    for each in dead:
        with pytest.raises(WrongState, match=r"moved|cancelled"):
            replay(clinic.store, "clinic", each.id, clinic.clock.now)


def test_a_sender_that_trips_over_one_letter_delivers_the_others(clinic: Setting) -> None:
    def trip(letter: Letter) -> None:
        if letter.to == "odd@example.com":
            raise LookupError("a bug")

    box = LetterBox(trip)
    for name in ("one", "odd", "two"):
        clinic.book(START, contact=contact(email=f"{name}@example.com"))

    swept = sweep(a_courier(clinic, box))

    assert (swept.sent, swept.failed) == (2, 1)
    assert [each.answer for each in logged(clinic) if each.state == "waiting"] == ["LookupError: a bug"]


def test_without_a_sender_or_an_address_the_outbox_keeps_it(clinic: Setting) -> None:
    box = LetterBox()
    clinic.book(START)

    sweep(a_courier(clinic, box))
    clinic.book(START, contact=contact())
    sweep(a_courier(clinic))

    assert not box.letters
    assert [(each.state, each.answer) for each in logged(clinic)] == [("sent", KEPT)] * 2
    assert {each.to for each in logged(clinic)} == {"", "ada@example.com"}


def test_a_customer_is_reached_where_the_appointment_names_no_address(clinic: Setting) -> None:
    box = LetterBox()
    clinic.put("customer", "cus_1", Customer(name="Bea", email="bea@example.com", language="de"))
    clinic.book(START, customer_id="cus_1", contact=Contact(name="B."))

    sweep(a_courier(clinic, box))

    [letter] = box.letters
    assert (letter.to, "Guten Tag B.," in letter.text) == ("bea@example.com", True)


def test_the_log_is_read_page_by_page_latest_first(clinic: Setting) -> None:
    for minute in range(3):
        clinic.book(START, contact=contact(email=f"{minute}@example.com"))
        sweep(a_courier(clinic))
        clinic.clock.forward(minutes=1)

    first = notifications(clinic.store, "clinic", limit=2)
    rest = notifications(clinic.store, "clinic", after=first.after, limit=2)

    assert [each.to[0] for each in first.notifications] == ["2", "1"]
    assert ([each.to[0] for each in rest.notifications], rest.after) == (["0"], None)
    assert notifications(clinic.store, "other").notifications == ()


def test_dead_letters_are_read_page_by_page_too(clinic: Setting) -> None:
    def refuse(letter: Letter) -> None:
        raise Undeliverable("550 no such user")

    for number in range(3):
        clinic.book(START, contact=contact(email=f"{number}@example.com"))
        sweep(a_courier(clinic, LetterBox(refuse)))
        clinic.clock.forward(minutes=1)

    first = dead_letters(clinic.store, "clinic", limit=2)
    rest = dead_letters(clinic.store, "clinic", after=first.after, limit=2)

    assert [each.to[0] for each in (*first.notifications, *rest.notifications)] == ["2", "1", "0"]


@pytest.mark.parametrize("error", [Invalid("unknown name 'custmer'"), msgspec.DecodeError("not a template")])
def test_what_cannot_be_put_into_words_is_tried_again_and_keeps_no_other_back(
    clinic: Setting, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    box = LetterBox()
    odd, _ = (clinic.book(START, contact=contact(email=f"{name}@example.com")) for name in ("odd", "even"))

    def render(occasion: Occasion) -> Words:
        if occasion.appointment.id == odd.id:
            raise error
        return our_words(occasion)

    swept = sweep(a_courier(clinic, box, render=render))

    assert (swept.sent, swept.failed) == (1, 1)
    assert [letter.to for letter in box.letters] == ["even@example.com"]
    assert [each.answer for each in logged(clinic) if each.state == "waiting"] == [str(error)]
    assert odd.messages[0].id in caplog.text


def test_a_long_message_is_stored_cut(tmp_path: Path) -> None:
    clinic = a_clinic(SqliteStore(tmp_path / "a.db"))
    clinic.book(START, contact=contact())

    sweep(a_courier(clinic, render=lambda occasion: Words("s", "t" * 100_000, "h" * 100_000)))

    [kept] = logged(clinic)
    assert len(kept.text) == 20_000
