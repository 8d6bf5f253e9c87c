"""Messages owed: when each is due, and what becomes of it."""

import re

import pytest

from slotkeeper.core.reminders import (
    BACKOFF_SECONDS,
    DEFAULT_RULES,
    LEASE_SECONDS,
    Message,
    Quiet,
    ReminderRule,
    claimed,
    failed,
    message_id,
    next_due,
    outside,
    reminders,
    void,
)
from slotkeeper.core.ticks import Instant, format_instant, parse_instant

START = parse_instant("2026-11-26T09:00:00Z")
NIGHT = Quiet(start=21 * 60, end=8 * 60)


def due(now: str, rules: tuple[ReminderRule, ...] = DEFAULT_RULES, quiet: Quiet | None = None) -> list[str]:
    owed = reminders("apt/0", START, rules, parse_instant(now), quiet, "UTC")
    return [format_instant(message.due)[5:16] for message in owed]


def moved(text: str, quiet: Quiet, now: str = "2026-01-01T00:00:00Z", zone: str = "UTC") -> str:
    return format_instant(outside(quiet, parse_instant(text), parse_instant(now), zone))


def message(**others: object) -> Message:
    facts: dict[str, object] = {"id": "msg_1", "kind": "reminder", "channel": "email", "due": START} | others
    return Message(**facts)  # type: ignore[arg-type]  # a builder


def test_a_day_and_an_hour_before_are_the_default() -> None:
    assert due("2026-11-20T00:00:00Z") == ["11-25T09:00", "11-26T08:00"]


def test_a_reminder_whose_time_has_passed_is_not_owed() -> None:
    assert due("2026-11-25T09:00:00Z") == ["11-26T08:00"]
    assert due("2026-11-26T08:30:00Z") == []


def test_an_inactive_rule_owes_nothing_and_equal_rules_owe_once() -> None:
    rules = (
        ReminderRule(lead_minutes=60),
        ReminderRule(lead_minutes=60, service_id="x"),
        ReminderRule(lead_minutes=30, active=False),
    )

    assert due("2026-11-20T00:00:00Z", rules) == ["11-26T08:00"]


def test_a_reminder_in_quiet_hours_comes_before_them() -> None:
    assert moved("2026-11-26T07:30:00Z", NIGHT) == "2026-11-25T20:59:00Z"
    assert moved("2026-11-25T23:30:00Z", NIGHT) == "2026-11-25T20:59:00Z"
    assert moved("2026-11-25T20:59:59Z", NIGHT) == "2026-11-25T20:59:59Z"
    assert moved("2026-11-26T08:00:00Z", NIGHT) == "2026-11-26T08:00:00Z"


def test_a_reminder_whose_quiet_hours_have_begun_comes_after_them() -> None:
    assert moved("2026-11-26T07:30:00Z", NIGHT, now="2026-11-25T22:00:00Z") == "2026-11-26T08:00:00Z"
    assert moved("2026-11-26T07:30:00Z", NIGHT, now="2026-11-25T20:59:00Z") == "2026-11-26T08:00:00Z"


def test_a_reminder_for_a_start_within_a_minute_is_moved_to_full_minutes() -> None:
    assert moved("2026-11-26T07:30:40Z", NIGHT) == "2026-11-25T20:59:00Z"
    assert moved("2026-11-26T07:30:40Z", NIGHT, now="2026-11-25T22:00:00Z") == "2026-11-26T08:00:00Z"


def test_quiet_hours_go_by_the_wall_clock_also_when_it_changes() -> None:
    # In Berlin the clocks go back on 25 October 2026 at 01:00Z: 21:00 is 19:00Z before, 08:00 is 07:00Z after.
    berlin = "Europe/Berlin"
    assert moved("2026-10-25T05:30:00Z", NIGHT, zone=berlin) == "2026-10-24T18:59:00Z"
    assert moved("2026-10-25T05:30:00Z", NIGHT, "2026-10-24T20:00:00Z", berlin) == "2026-10-25T07:00:00Z"


def test_no_reminder_is_moved_an_hour_too_far_when_quiet_hours_are_short_of_one() -> None:
    night = Quiet(start=22 * 60, end=7 * 60)

    # In Berlin on 29 March 2026 the clock leaps from 2 to 3: a night of eight hours.
    before = moved("2026-03-29T01:30:00Z", night, zone="Europe/Berlin")
    after = moved("2026-03-28T23:31:00Z", night, now="2026-03-28T22:00:00Z", zone="Europe/Berlin")

    assert before == "2026-03-28T20:59:00Z"
    assert after == "2026-03-29T05:00:00Z"


def test_a_reminder_that_quiet_hours_would_push_past_the_start_is_not_owed() -> None:
    rules = (ReminderRule(lead_minutes=60),)
    all_morning = Quiet(start=6 * 60, end=12 * 60)

    assert due("2026-11-26T07:00:00Z", rules, all_morning) == []
    assert due("2026-11-26T07:00:00Z", rules, Quiet(start=6 * 60, end=9 * 60)) == []


def test_an_id_follows_from_what_it_is_about() -> None:
    assert message_id("apt_1/0/reminder/60") == message_id("apt_1/0/reminder/60")
    assert message_id("apt_1/0/reminder/60") != message_id("apt_1/1/reminder/60")
    assert re.fullmatch("msg_[0-9a-f]{32}", message_id("apt_1/0/reminder/60"))


def test_a_claimed_message_comes_back_when_its_lease_runs_out() -> None:
    held = claimed(message(), START)

    assert (held.state, held.attempts, held.due) == ("claimed", 1, START + LEASE_SECONDS)
    assert next_due([held]) == START + LEASE_SECONDS


def test_a_message_remembers_when_it_was_to_go_at_first() -> None:
    again = claimed(failed(claimed(message(), START), START, "no answer"), Instant(START + 30))

    assert (again.first_due, again.attempts) == (START, 2)


def test_the_pauses_grow_and_the_last_failure_is_death() -> None:
    owed = message()
    pauses = []
    while owed.state != "dead":
        owed = failed(claimed(owed, START), START, "no answer")
        pauses.append(owed.due - START)

    assert tuple(pauses[:-1]) == BACKOFF_SECONDS
    assert owed.note == "no answer"
    assert next_due([owed]) is None


def test_a_message_that_failed_waits_and_tells_why_at_no_great_length() -> None:
    after = failed(claimed(message(), START), START, "x" * 501)

    assert (after.state, after.note) == ("waiting", "x" * 500)


def test_a_refusal_for_good_is_death_at_once() -> None:
    after = failed(claimed(message(), START), START, "no such mailbox", for_good=True)

    assert (after.state, after.note) == ("dead", "no such mailbox")


def test_only_reminders_that_are_still_owed_become_void() -> None:
    messages = (message(), message(state="sent"), message(state="claimed"), message(kind="booked"))

    after = void(messages, "cancelled")

    assert [each.state for each in after] == ["void", "sent", "void", "waiting"]


@pytest.mark.parametrize("state", ["sent", "void", "dead"])
def test_what_is_settled_is_not_due(state: str) -> None:
    assert next_due([message(state=state), message(due=Instant(START + 5))]) == START + 5
