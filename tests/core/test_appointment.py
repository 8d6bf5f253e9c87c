"""An appointment's states and the events that its changes leave."""

from typing import Any, get_args

import msgspec
import pytest

from slotkeeper.core.appointment import (
    CLAIMING,
    TOLD,
    TRANSITIONS,
    Action,
    Appointment,
    Contact,
    Customer,
    Deed,
    Endpoint,
    Event,
    EventType,
    Status,
    acted,
    as_opened,
    attended,
    edited,
    moved,
    opened,
    reopened,
)
from slotkeeper.core.errors import WrongState
from slotkeeper.core.reminders import Message, message_id
from slotkeeper.core.ticks import Instant, parse_instant

START = parse_instant("2026-11-26T09:00:00Z")
END = Instant(START + 1800)
DEED = Deed(now=Instant(START - 90_000), by="key")


def appointment(status: Status = "booked", **others: Any) -> Appointment:
    facts: dict[str, Any] = {"id": "apt_1", "created": DEED.now, "resource_ids": ("d0",), "calendars": ("d0",)}
    return Appointment(status=status, start=START, end=END, **(facts | others))


def reminder(**others: Any) -> Message:
    facts: dict[str, Any] = {"id": "m", "kind": "reminder", "channel": "email", "due": Instant(START - 3600)}
    return Message(**(facts | others))


@pytest.mark.parametrize("action", get_args(Action))
@pytest.mark.parametrize("status", get_args(Status))
def test_an_action_is_done_from_its_states_and_refused_from_all_others(action: Action, status: Status) -> None:
    allowed, becomes = TRANSITIONS[action]

    if status in allowed:
        assert acted(appointment(status), action, DEED).status == becomes
    else:
        with pytest.raises(WrongState) as caught:
            acted(appointment(status), action, DEED)
        assert caught.value.facts == {"appointmentStatus": status, "allowedFrom": sorted(allowed)}


@pytest.mark.parametrize(
    ("action", "before", "after", "words"),
    [
        ("confirm", ["pending"], "booked", "confirmed"),
        ("decline", ["pending"], "declined", "declined"),
        ("expire", ["pending"], "expired", "let expire"),
        ("cancel", ["booked", "pending"], "cancelled", "cancelled"),
        ("checkIn", ["booked"], "checkedIn", "checked in"),
        ("complete", ["booked", "checkedIn"], "completed", "completed"),
        ("noShow", ["booked"], "noShow", "noted as a no-show"),
    ],
)
def test_what_each_action_leads_from_and_to(action: Action, before: list[Status], after: Status, words: str) -> None:
    with pytest.raises(WrongState, match=f"cannot be {words}$") as caught:
        acted(appointment("declined"), action, DEED)

    assert caught.value.facts["allowedFrom"] == before
    assert [acted(appointment(status), action, DEED).status for status in before] == [after] * len(before)


@pytest.mark.parametrize("kind", get_args(EventType))
def test_customers_are_told_of_what_changes_their_time_and_of_nothing_else(kind: EventType) -> None:
    told = kind in {"pending", "booked", "moved", "declined", "cancelled", "expired"}

    assert (kind in TOLD) is told


def test_statuses_actions_and_events_have_the_names_that_programs_know() -> None:
    """They stand in the API, in webhooks and in what is stored."""
    ends = ("checkedIn", "completed", "declined", "cancelled", "noShow", "expired")
    assert get_args(Status) == ("pending", "booked", *ends)
    assert get_args(Action) == ("confirm", "decline", "cancel", "checkIn", "complete", "noShow", "expire")
    assert get_args(EventType) == ("pending", "booked", "moved", "changed", "attending", *ends)


def test_what_is_left_out_is_empty() -> None:
    never = Instant(0)
    who: dict[str, Any] = {"name": "", "email": "", "phone": "", "language": "", "zone": ""}
    times: dict[str, Any] = {"start": START, "end": END}
    made: dict[str, Any] = {"id": "apt_1", "status": "booked", "created": DEED.now} | times
    happened: dict[str, Any] = {"number": 1, "type": "booked", "at": DEED.now, "by": "key"} | times

    assert Contact() == Contact(**who)
    assert Customer(name="Ada") == Customer(**who | {"name": "Ada", "notes": ""})
    assert Endpoint("all") == Endpoint("all", (), "webhook")
    assert Deed(now=START, by="key") == Deed(now=START, by="key", reason="", warning="", request="")
    assert Event(**happened) == Event(
        **happened, resource_ids=(), was_start=never, expires=never, reason="", warning="", request=""
    )
    assert Appointment(**made) == Appointment(
        **made,
        buffer_before=0,
        buffer_after=0,
        service_id="",
        resource_ids=(),
        customer_id="",
        calendars=(),
        tallies=(),
        contact=Contact(),
        details={},
        zone="UTC",
        revision=1,
        sequence=0,
        expires=never,
        attending=never,
        overrode="",
        fingerprint="",
        first_details=None,
        first_contact=None,
        events=(),
        published=0,
        messages=(),
    )


@pytest.mark.parametrize(
    ("field", "longest"),
    [("name", "x" * 200), ("email", "x" * 254), ("phone", "1" * 40), ("zone", "Z" * 64), ("notes", "x" * 2000)],
)
def test_a_customers_facts_are_of_a_bounded_length(field: str, longest: str) -> None:
    assert getattr(msgspec.convert({"name": "Ada", field: longest}, Customer), field) == longest
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert({"name": "Ada", field: longest + "x"}, Customer)
    if field != "notes":
        with pytest.raises(msgspec.ValidationError, match=field):
            msgspec.convert({field: longest + "x"}, Contact)


@pytest.mark.parametrize(
    ("language", "is_one"), [("", True), ("de", True), ("de-AT", True), ("DE", False), ("d", False)]
)
def test_a_language_is_named_as_browsers_name_it(language: str, *, is_one: bool) -> None:
    if is_one:
        assert msgspec.convert({"language": language}, Contact).language == language
    else:
        with pytest.raises(msgspec.ValidationError, match="language"):
            msgspec.convert({"language": language}, Contact)


@pytest.mark.parametrize("status", ["declined", "cancelled", "noShow", "expired", "completed"])
def test_from_an_end_nothing_leads_on(status: Status) -> None:
    assert not any(status in allowed for allowed, _ in TRANSITIONS.values())


def test_the_first_event_tells_of_the_opening() -> None:
    booked, pending = opened(appointment(), DEED), opened(appointment("pending"), DEED)

    assert [event.type for event in booked.events] == ["booked"]
    assert [event.type for event in pending.events] == ["pending"]
    assert [message.kind for message in booked.messages] == ["booked"]


def test_each_change_leaves_one_event_with_its_number_and_the_old_start() -> None:
    first = opened(appointment(), DEED)
    second = moved(first, END, Instant(END + 1800), DEED, resource_ids=("d1",), calendars=("d1",))
    third = acted(second, "cancel", DEED)

    assert [(event.number, event.type) for event in third.events] == [(1, "booked"), (2, "moved"), (3, "cancelled")]
    assert [event.was_start for event in third.events] == [0, START, 0]
    assert (third.revision, third.sequence) == (3, 2)


def test_an_event_says_who_did_what_and_with_which_outcome() -> None:
    deed = Deed(now=Instant(90), by="key", reason="ill", warning="taken: the time is taken", request="digest")

    after = moved(appointment(expires=END), END, Instant(END + 60), deed, resource_ids=("d1",), calendars=("d1",))

    assert after.events == (
        Event(
            number=1,
            type="moved",
            at=Instant(90),
            by="key",
            start=END,
            end=Instant(END + 60),
            resource_ids=("d1",),
            was_start=START,
            expires=END,
            reason="ill",
            warning="taken: the time is taken",
            request="digest",
        ),
    )


def test_a_move_is_to_another_time_with_others() -> None:
    before = appointment(messages=(reminder(),), tallies=(("t", "1"),))

    after = moved(
        before, END, Instant(END + 60), DEED, resource_ids=("d1",), calendars=("d1", "r1"), tallies=(("t", "2"),)
    )

    assert (after.start, after.end, after.resource_ids) == (END, END + 60, ("d1",))
    assert (after.calendars, after.tallies) == (("d1", "r1"), (("t", "2"),))
    assert after.messages[0].note == "moved"


def test_an_edit_counts_as_a_revision_and_not_as_a_move() -> None:
    after = edited(appointment(revision=4, sequence=2), DEED, details={"a": 1}, contact=Contact(name="Ada"))

    assert (after.details, after.contact.name, after.revision, after.sequence) == ({"a": 1}, "Ada", 5, 2)


@pytest.mark.parametrize(("action", "is_kept"), [("checkIn", True), ("complete", True), ("cancel", False)])
def test_who_keeps_their_time_stays_in_its_tallies(action: Action, is_kept: bool) -> None:
    tallies = (("t", "1"),)

    assert acted(appointment(tallies=tallies), action, DEED).tallies == (tallies if is_kept else ())


def test_a_notice_is_known_by_what_it_tells_of_and_whom() -> None:
    after = opened(appointment(), DEED, [Endpoint("all")])

    mail, hook = after.messages
    assert (mail.id, mail.kind, mail.channel, mail.due, mail.event) == (
        message_id("apt_1/event/1/email/"),
        *("booked", "email", DEED.now, 1),
    )
    assert (hook.id, hook.target) == (message_id("apt_1/event/1/webhook/all"), "all")


def test_a_cancelled_one_claims_nothing_and_owes_no_reminder() -> None:
    cancelled = acted(appointment(messages=(reminder(),), tallies=(("t", "1"),)), "cancel", DEED)

    assert not cancelled.is_claiming
    assert cancelled.tallies == ()
    assert [message.state for message in cancelled.messages] == ["void", "waiting"]


def test_a_confirmed_one_never_expires_and_keeps_what_it_owes() -> None:
    booked = acted(appointment("pending", expires=START, messages=(reminder(),)), "confirm", DEED)

    assert booked.expires == 0
    assert booked.messages[0].state == "waiting"


def test_a_move_makes_the_old_reminders_void() -> None:
    after = moved(appointment(messages=(reminder(),)), END, END, DEED, resource_ids=(), calendars=())

    assert after.messages[0].state == "void"


@pytest.mark.parametrize("status", sorted(set(get_args(Status)) - {"booked", "pending"}))
def test_only_what_is_to_come_can_be_moved(status: Status) -> None:
    with pytest.raises(WrongState, match="cannot be moved") as caught:
        moved(appointment(status), END, END, DEED, resource_ids=(), calendars=())

    assert caught.value.facts == {"appointmentStatus": status, "allowedFrom": ["booked", "pending"]}


def test_the_claim_adds_the_buffers() -> None:
    wide = appointment(buffer_before=300, buffer_after=600)

    assert (wide.claim_start, wide.claim_end) == (START - 300, END + 600)


def test_all_who_hold_their_time_are_named() -> None:
    assert {status for status in get_args(Status) if appointment(status).is_claiming} == CLAIMING


def test_webhooks_hear_of_the_types_that_they_want() -> None:
    endpoints = [Endpoint("all"), Endpoint("moves", ("moved",)), Endpoint("bookings", ("booked",))]

    after = opened(appointment(), DEED, endpoints)

    assert [message.target for message in after.messages if message.channel == "webhook"] == ["all", "bookings"]


def test_an_edit_is_told_to_webhooks_and_not_to_the_customer() -> None:
    after = edited(appointment(), DEED, details={"a": 1}, contact=Contact(), endpoints=[Endpoint("all")])

    assert [(message.channel, message.kind) for message in after.messages] == [("webhook", "changed")]


def test_a_customer_says_once_that_they_will_come() -> None:
    later = Deed(now=Instant(DEED.now + 60), by="visitor")

    after = attended(appointment(), DEED, [Endpoint("all")])
    again = attended(after, later, [Endpoint("all")])

    assert (after.attending, after.revision, after.sequence) == (DEED.now, 2, 0)
    assert [event.type for event in after.events] == ["attending"]
    assert [(message.channel, message.kind) for message in after.messages] == [("webhook", "attending")]
    assert again is after


@pytest.mark.parametrize("status", sorted(set(get_args(Status)) - {"booked"}))
def test_nobody_says_that_they_come_to_what_is_not_booked(status: Status) -> None:
    with pytest.raises(WrongState, match="nobody can say") as caught:
        attended(appointment(status), DEED)

    assert caught.value.facts == {"appointmentStatus": status, "allowedFrom": ["booked"]}


@pytest.mark.parametrize(
    ("action", "is_kept"), [("cancel", False), ("noShow", False), ("checkIn", True), ("complete", True)]
)
def test_an_end_clears_that_they_will_come(action: Action, is_kept: bool) -> None:
    after = acted(appointment(attending=DEED.now), action, DEED)

    assert after.attending == (DEED.now if is_kept else 0)


def test_a_move_clears_that_they_will_come() -> None:
    after = moved(appointment(attending=DEED.now), END, END, DEED, resource_ids=(), calendars=())

    assert after.attending == 0


@pytest.mark.parametrize(("action", "is_told"), [("checkIn", False), ("noShow", False), ("cancel", True)])
def test_what_was_done_last_can_be_taken_back(action: Action, is_told: bool) -> None:
    done = acted(appointment(contact=Contact(email="ada@example.com")), action, DEED)

    after = reopened(done, DEED)

    assert (after.status, after.revision, after.sequence) == ("booked", done.revision + 1, done.sequence + 1)
    assert [event.type for event in after.events] == [done.status, "booked"]
    assert ("booked" in {message.kind for message in after.messages}) is is_told


def test_what_has_changed_since_or_goes_on_cannot_be_reopened() -> None:
    ended = edited(acted(appointment(), "noShow", DEED), DEED, details={"a": 1}, contact=Contact())

    for each in (appointment(), appointment("pending"), ended):
        with pytest.raises(WrongState, match="cannot be reopened") as caught:
            reopened(each, DEED)
        allowed = ["cancelled", "checkedIn", "completed", "noShow"]
        assert caught.value.facts == {"appointmentStatus": each.status, "allowedFrom": allowed}


def test_a_repeat_is_answered_as_the_first_time() -> None:
    first = opened(appointment("pending", expires=START, details={"a": 1}, contact=Contact(name="Ada")), DEED)
    later = edited(first, DEED, details={"a": 2}, contact=Contact(name="Bob"))
    later = edited(later, DEED, details={"a": 3}, contact=Contact(name="Cy"))
    later = moved(later, END, Instant(END + 60), DEED, resource_ids=("d1",), calendars=("d1",))
    later = attended(acted(later, "confirm", DEED), DEED)

    again = as_opened(later)

    shown = (
        "status",
        "start",
        "end",
        "resource_ids",
        "details",
        "contact",
        "revision",
        "expires",
        "sequence",
        "attending",
    )
    assert [getattr(again, name) for name in shown] == [getattr(first, name) for name in shown]
    assert as_opened(first) == first


def test_a_repeat_of_a_booking_against_the_rules_names_the_gravest_of_them() -> None:
    deed = Deed(now=DEED.now, by="key", warning="too-soon: it is late\ntaken: it is so: taken")
    first = opened(appointment(), deed)

    again = as_opened(acted(first, "checkIn", DEED))

    assert (again.status, again.overrode) == ("booked", "taken")
    assert as_opened(opened(appointment(), DEED)).overrode == ""
