"""Which messages an appointment owes, when each is due, and what became of it.

The messages stand in the appointment itself, so they are written with it or not at all.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from slotkeeper.core.ticks import Instant
from slotkeeper.core.value import Id, Value
from slotkeeper.core.zones import local

Channel = Literal["email", "webhook", "sms", "topic"]
"""How a message leaves: to the customer by mail or by text message, to a business's own programs, or to the topic on
which a home tells of every event."""

RuleChannel = Literal["email", "webhook", "sms"]
"""The channels that a business may be reminded by: a topic is told of what happened, not of what is to come."""

MessageState = Literal["waiting", "claimed", "sent", "void", "dead"]

OWED: frozenset[MessageState] = frozenset({"waiting", "claimed"})
"""The states of a message that is still to arrive."""

LEASE_SECONDS = 120
BACKOFF_SECONDS = (30, 60, 120, 300, 900, 1800, 3600, 7200)
"""The pauses before the second and each later try: about four hours in all, then the message is dead."""


class ReminderRule(Value, frozen=True, kw_only=True):
    """Remind that many minutes before the start. A rule of one service comes on top of those of all services.

    Until the first rule is added, reminders go out 24 hours and 1 hour before.
    """

    lead_minutes: Annotated[int, Meta(ge=5, le=525_600)]
    channel: RuleChannel = "email"
    service_id: Id | None = None
    active: bool = True


DEFAULT_RULES = (ReminderRule(lead_minutes=1440), ReminderRule(lead_minutes=60))


class Message(Value, frozen=True, kw_only=True):
    """One message owed. `kind` is `reminder` or the type of the event that it tells of.

    `id` is the same for every try. `about` is the start that a reminder speaks of; `due` is when to try next, and for a
    claimed one when another worker may take it over. `first_due` is when it was to go, from the first try on.
    """

    id: str
    kind: str
    channel: Channel
    due: Instant
    state: MessageState = "waiting"
    target: str = ""
    event: int = 0
    lead_minutes: int = 0
    about: Instant = Instant(0)
    first_due: Instant = Instant(0)
    attempts: int = 0
    note: str = ""

    @property
    def is_owed(self) -> bool:
        return self.state in OWED


class Quiet(Value, frozen=True, kw_only=True):
    """The wall-clock minutes of the day, in the place's zone, between which no reminder is sent; may span midnight."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        return (self.end - self.start) % 1440


def message_id(about: str) -> str:
    """An id that follows from what the message is about, so that it is the same after a crash."""
    return "msg_" + hashlib.sha256(about.encode()).hexdigest()[:32]


def reminders(
    subject: str, start: Instant, rules: Iterable[ReminderRule], now: Instant, quiet: Quiet | None, zone: str
) -> list[Message]:
    """The reminders owed for a start, by due time; `subject` names the appointment and how often it has moved.

    One whose time has passed already is not owed: it would be noise beside the confirmation. One that falls into quiet
    hours comes before them, or after them if that has passed.
    """
    owed = []
    for lead, channel in sorted({(rule.lead_minutes, rule.channel) for rule in rules if rule.active}, reverse=True):
        due = Instant(start - lead * 60)
        if due <= now:
            continue
        when = due if quiet is None else outside(quiet, due, now, zone)
        if when < start:
            name = message_id(f"{subject}/reminder/{lead}/{channel}")
            owed.append(Message(id=name, kind="reminder", channel=channel, due=when, lead_minutes=lead, about=start))
    return owed


def outside(quiet: Quiet, due: Instant, now: Instant, zone: str) -> Instant:
    """`due`, moved out of the quiet hours: to the minute before them, or to their end when that has passed."""
    earlier = _out_of(quiet, due, zone, -1)
    return earlier if earlier > now else _out_of(quiet, due, zone, 1)


def _out_of(quiet: Quiet, due: Instant, zone: str, way: Literal[-1, 1]) -> Instant:
    """The closest full minute outside the quiet hours, before or after; `due` itself when it is outside."""
    into = _minutes_into(quiet, due, zone)
    if into is None:
        return due
    at = Instant(due - due % 60)
    found = Instant(at + 60 * (quiet.minutes - into if way > 0 else -into - 1))
    if local(found, zone).utcoffset() == local(due, zone).utcoffset():
        return found
    # The clocks change on the way: minutes on the wall are not those that pass.
    while _minutes_into(quiet, at, zone) is not None:
        at = Instant(at + 60 * way)
    return at


def _minutes_into(quiet: Quiet, instant: Instant, zone: str) -> int | None:
    """How far the wall clock is into the quiet hours; None outside."""
    wall = local(instant, zone)
    into = (wall.hour * 60 + wall.minute - quiet.start) % 1440
    return into if into < quiet.minutes else None


def claimed(message: Message, now: Instant) -> Message:
    """The message in the hands of one worker, until its lease runs out."""
    due, first = Instant(now + LEASE_SECONDS), message.first_due or message.due
    return replace(message, state="claimed", attempts=message.attempts + 1, due=due, first_due=first)


def failed(message: Message, now: Instant, why: str, *, for_good: bool = False, wait_seconds: int = 0) -> Message:
    """The message after a try that failed: due again after a growing pause, and not before `wait_seconds` are over if
    the peer asked for that; or dead after the last one."""
    note = why[:500]
    if for_good or message.attempts > len(BACKOFF_SECONDS):
        return replace(message, state="dead", note=note)
    pause = max(BACKOFF_SECONDS[max(message.attempts, 1) - 1], wait_seconds)
    return replace(message, state="waiting", due=Instant(now + pause), note=note)


def void(messages: Iterable[Message], why: str) -> tuple[Message, ...]:
    """The messages, with every reminder that is still owed made void. Notices of what happened stay owed."""
    return tuple(
        replace(message, state="void", note=why) if message.kind == "reminder" and message.is_owed else message
        for message in messages
    )


def next_due(messages: Iterable[Message]) -> Instant | None:
    """When the first of the messages wants attention; None when nothing is owed."""
    return min([message.due for message in messages if message.state in OWED], default=None)
