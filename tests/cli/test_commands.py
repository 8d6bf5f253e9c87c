"""The commands that book, show and describe."""

import msgspec
import pytest

from slotkeeper.cli.commands.catalogue import (
    HELP,
    LOOKS,
    SHAPES,
    options_of,
    read_needs,
    read_overrides,
    read_weekly,
)
from slotkeeper.core.errors import Invalid
from slotkeeper.courier.claiming import take_appointment
from slotkeeper.courier.noting import Outcome, note
from slotkeeper.courier.seen import Seen
from slotkeeper.desk.catalogue import KINDS
from slotkeeper.documents import appointment_key
from slotkeeper.senders.outbox import KEPT
from slotkeeper.stores.sqlite import SqliteStore
from tests.cli.command_line import Shell


def test_what_is_offered_is_booked_moved_and_cancelled(shell: Shell) -> None:
    shell.a_practice()
    [first, *_] = shell.json("slots", "visit", "--from", "2026-11-24", "--days", "1")
    assert first == {"startTime": "2026-11-24T08:00:00Z", "endTime": "2026-11-24T08:30:00Z"}

    made = shell.json("book", "visit", "2026-11-24 09:00", "--name", "Grace", "--resource", "ben", "--note", "Knee")
    moved = shell.json("move", made["id"], "2026-11-24 09:15")
    cancelled = shell.json("cancel", made["id"], "--reason", "ill")

    assert (made["status"], made["resourceIds"], made["details"]) == ("booked", ["ben"], {"description": "Knee"})
    assert (moved["startTime"], moved["resourceIds"]) == ("2026-11-24T08:15:00Z", ["ben"])
    assert cancelled["status"] == "cancelled"
    assert "cannot be cancelled" in shell.complaint("cancel", made["id"], code=1)


def test_a_booking_is_shown_on_the_clock_of_the_place(shell: Shell) -> None:
    shell.a_practice()

    text = shell("book", "visit", "2026-11-24 09:00", "--name", "Grace").stdout

    assert "Tue 2026-11-24 09:00 to 09:30 (Europe/Berlin)" in text
    assert "Grace" in text


def test_an_address_that_no_mail_can_reach_is_refused(shell: Shell) -> None:
    shell.a_practice()

    for words in (("book", "visit", "2026-11-24 09:00"), ("customers", "add", "grace", "--name", "Grace")):
        assert "this is not a mail address" in shell.complaint(*words, "--email", "grace", code=2)


def test_what_is_past_is_called_so(shell: Shell) -> None:
    shell.a_practice()

    assert "Refused: the start is in the past\n" in shell.complaint("book", "visit", "2026-11-20 09:00", code=1)


def test_the_same_key_books_once(shell: Shell) -> None:
    shell.a_practice()

    ids = {shell.json("book", "visit", "2026-11-24 09:00", "--once", "k")["id"] for _ in range(2)}

    assert len(ids) == 1
    assert "Booked before" in shell("book", "visit", "2026-11-24 09:00", "--once", "k").stdout


def test_staff_may_go_against_the_rules_with_a_reason(shell: Shell) -> None:
    shell.a_practice()

    result = shell("book", "visit", "2026-11-24 20:00", "--override", "an emergency")

    assert "Overridden: closed" in result.stderr


def test_a_pending_booking_is_confirmed_or_declined(shell: Shell) -> None:
    shell.a_practice()
    shell("services", "change", "visit", "--needs-confirmation", "--confirm-within-minutes", "60")
    text = shell("book", "visit", "2026-11-24 09:00").stdout
    assert "to be confirmed until Mon 2026-11-23 08:00" in text
    [first] = shell.json("agenda", "--day", "2026-11-24")
    second = shell.json("book", "visit", "2026-11-24 09:00")

    assert shell.json("confirm", first["id"])["status"] == "booked"
    assert shell.json("decline", second["id"])["status"] == "declined"


def test_a_span_of_time_needs_no_service(shell: Shell) -> None:
    shell.a_practice()

    made = shell.json("book", "2026-11-24 09:00", "--until", "2026-11-24 09:07", "--customer", "bob")

    assert made["endTime"] == "2026-11-24T08:07:00Z"
    assert "endTime" in shell.complaint("book", "2026-11-24 09:00", "--customer", "bob", code=2)
    assert "in quotes" in shell.complaint("book", "visit", "2026-11-24", "09:00", code=2)


def test_the_agenda_has_a_table_for_each_resource(shell: Shell) -> None:
    shell.a_practice()
    for resource, start in (("ada", "2026-11-24 09:00"), ("ben", "2026-11-25 10:00"), ("ben", "2026-11-25 11:00")):
        shell("book", "visit", start, "--resource", resource, "--name", f"Guest at {start[-5:]}")
    shell("book", "2026-11-24 12:00", "--until", "2026-11-24 13:00", "--customer", "bob")

    day = shell("agenda", "--day", "tomorrow").stdout
    week = shell("agenda", "--week").stdout

    assert "Dr Ada (ada), Tue 2026-11-24" in day
    assert "Guest at 09:00" in day
    assert "Without a resource" in day
    assert "Dr Ben" not in day
    assert "Tue 24 Nov" in week
    assert week.index("Dr Ada") < week.index("Dr Ben")
    assert len(shell.json("agenda", "--week", "--resource", "ben")) == 2


def test_the_agenda_shows_what_ended_only_when_asked(shell: Shell) -> None:
    shell.a_practice()
    made = shell.json("book", "visit", "2026-11-24 09:00")
    shell("cancel", made["id"])

    assert "No appointments on 2026-11-24" in shell("agenda", "--day", "2026-11-24").stdout
    assert "cancelled" in shell("agenda", "--day", "2026-11-24", "--all").stdout


@pytest.mark.parametrize("kind", LOOKS)
def test_each_kind_is_listed_empty_with_the_way_to_add_one(shell: Shell, kind: str) -> None:
    shell("init", "X", "--zone", "UTC")

    assert f"slotkeeper {kind}s add" in shell(f"{kind}s", "list").stdout
    assert shell.json(f"{kind}s", "list") == []


@pytest.mark.parametrize("kind", LOOKS)
def test_every_field_has_an_option_that_is_explained(kind: str) -> None:
    names = {each.encode_name for each in msgspec.structs.fields(KINDS[kind][0])}  # type: ignore[index] # the kinds of LOOKS are those

    assert names <= HELP.keys() | SHAPES.keys()
    assert {option.name for option in options_of(kind)} == names  # type: ignore[arg-type] # as above


def test_things_are_added_changed_shown_and_removed(shell: Shell) -> None:
    shell.a_practice()

    shell("services", "change", "visit", "--buffer-after-minutes", "10", "--no-public", "--day-limit", "8")
    assert shell.json("services", "show", "visit") == {
        "id": "visit",
        "name": "Visit",
        "durationMinutes": 30,
        "bufferAfterMinutes": 10,
        "needs": [{"anyOf": "doctors"}],
        "dayLimit": 8,
        "public": False,
    }
    assert "pool:doctors" in shell("services", "list").stdout
    assert "mon 09:00-17:00" in shell("schedules", "list").stdout
    assert "service/visit still refers" in shell.complaint("pools", "remove", "doctors", code=1)
    shell("services", "remove", "visit")
    shell("pools", "remove", "doctors")
    assert shell.json("pools", "list") == []


def test_what_has_a_short_way_to_be_written_is_shown_in_it(shell: Shell) -> None:
    shell.a_practice()
    shell("schedules", "change", "week", "--on", "2026-12-24 closed", "--on", "2026-12-31 09:00-12:00")

    week = shell("schedules", "show", "week").stdout
    assert "weekly     mon 09:00-17:00" in week
    assert "overrides  2026-12-24 closed" in week
    assert "           2026-12-31 09:00-12:00" in week
    assert "needs            pool:doctors" in shell("services", "show", "visit").stdout
    assert "resourceIds  ada, ben" in shell("pools", "show", "doctors").stdout


def test_a_new_things_help_says_what_holds_without_an_option(shell: Shell) -> None:
    assert "How far apart the starts are.  [default: 15]" in shell("services", "add", "--help").stdout
    assert "[default" not in shell("services", "change", "--help").stdout


def test_adding_what_is_there_and_changing_nothing_are_refused(shell: Shell) -> None:
    shell.a_practice()

    assert "slotkeeper resources change ada" in shell.complaint("resources", "add", "ada", "--name", "X", code=1)
    assert "say what is to be changed" in shell.complaint("resources", "change", "ada", code=2)
    assert "there is no resource 'eve'" in shell.complaint("resources", "show", "eve", code=1)
    assert "an id has" in shell.complaint("resources", "add", "a b", "--name", "X", code=2)
    assert "durationMinutes: " in shell.complaint("services", "change", "visit", "--minutes", "7", code=2)


def test_the_short_ways_of_writing() -> None:
    assert read_needs(("ada", "a,b", "pool:x", "2xpool:y")) == [
        {"allOf": ["ada"]},
        {"allOf": ["a", "b"]},
        {"anyOf": "x", "count": 1},
        {"anyOf": "y", "count": 2},
    ]
    assert read_weekly(("sat-mon 10:00-12:00", "mon 13:00-14:00")) == {
        "sat": [{"from": "10:00", "to": "12:00"}],
        "sun": [{"from": "10:00", "to": "12:00"}],
        "mon": [{"from": "10:00", "to": "12:00"}, {"from": "13:00", "to": "14:00"}],
    }
    assert read_overrides(("2026-12-24 closed", "2026-12-31 09:00-12:00, 13:00-14:00")) == [
        {"date": "2026-12-24", "hours": []},
        {"date": "2026-12-31", "hours": [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "14:00"}]},
    ]
    for read, text in ((read_needs, "a b"), (read_weekly, "day 9-17"), (read_overrides, "xmas closed")):
        with pytest.raises(Invalid, match="write "):
            read((text,))


def a_dead_letter(shell: Shell) -> str:
    """The id of a message that was given up."""
    made = shell.json("book", "visit", "2026-11-25 09:00", "--name", "Grace", "--email", "grace@example.com")
    store, now = SqliteStore("slotkeeper.db"), shell.clock()
    [job, *_] = take_appointment(Seen(store), appointment_key("practice", made["id"]), now).jobs
    note(Seen(store), [Outcome(job, "dead", "550 no such user")], now)
    store.close()
    return job.message.id


def test_dead_letters_are_listed_and_replayed(shell: Shell) -> None:
    shell.a_practice()
    assert "no dead letters" in shell("dead-letters", "list").stdout
    id = a_dead_letter(shell)

    assert "550 no such user" in shell("dead-letters", "list").stdout
    assert [each["id"] for each in shell.json("dead-letters", "list")] == [id]
    assert "dead" in shell("outbox", id).stdout
    shell("dead-letters", "replay", id)
    assert shell.json("dead-letters", "list") == []
    assert [each["state"] for each in shell.json("outbox")] == ["waiting"]


def test_all_dead_letters_are_replayed_at_once_and_those_of_no_use_are_told_of(shell: Shell) -> None:
    shell.a_practice()
    a_dead_letter(shell)

    assert "1 messages are owed again" in shell("dead-letters", "replay", "--all").stdout
    assert "0 messages are owed again" in shell("dead-letters", "replay", "--all").stdout
    assert "name one ID, or say --all" in shell.complaint("dead-letters", "replay", code=2)
    assert "slotkeeper dead-letters list" in shell.complaint("dead-letters", "replay", "msg_0", code=1)


def test_what_only_the_outbox_took_is_not_called_sent(shell: Shell) -> None:
    shell.a_practice()
    shell("book", "visit", "2026-11-25 09:00", "--email", "grace@example.com")
    store = SqliteStore("slotkeeper.db")
    [doc] = store.list("start", "practice", limit=9).docs
    [job, *_] = take_appointment(Seen(store), doc.key, shell.clock()).jobs
    note(Seen(store), [Outcome(job, "sent", KEPT)], shell.clock())
    store.close()

    assert "State    kept: kept in the outbox" in shell("outbox", job.message.id).stdout
    assert "sent" not in shell("outbox").stdout


def test_an_empty_outbox_says_so(shell: Shell) -> None:
    shell.a_practice()

    assert "No message has been sent yet" in shell("outbox").stdout
    assert shell.json("outbox") == []
