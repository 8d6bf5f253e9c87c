"""What became of messages and what happened to appointments, for reading; and the second chance of a dead message."""

from typing import Literal

from msgspec.structs import replace

from slotkeeper.contracts import ListName, Place, Put, Range, Store
from slotkeeper.core.appointment import REMINDED, Appointment, EventType
from slotkeeper.core.errors import Missing, WrongState
from slotkeeper.core.reminders import Channel, Message
from slotkeeper.core.ticks import Instant
from slotkeeper.core.value import Value
from slotkeeper.documents import (
    appointment_key,
    appointment_put,
    decoded,
    encoded,
    event_key,
    notification_key,
)
from slotkeeper.ledger import Draft, Reading, settle

NotificationState = Literal["sent", "waiting", "dead"]

MAX_PAGE = 500
MAX_TEXT = 20_000

TOO_LATE = "the appointment began before it could be sent"


class Notification(Value, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A message as it was last tried. `waiting`: the try failed, another comes at `due`; `dead`: none does.

    `answer` is what the peer said or why it failed. Long texts are stored cut. HTML is not kept: it says the same once
    more in four times as many bytes. Logs from before have it, and are read all the same.
    """

    id: str
    appointment_id: str
    kind: str
    channel: Channel
    state: NotificationState
    at: Instant
    to: str = ""
    subject: str = ""
    text: str = ""
    attempts: int = 0
    answer: str = ""
    due: Instant = Instant(0)
    lead_minutes: int = 0


class Published(Value, frozen=True, kw_only=True):
    """An event in the business's one sequence, `number`; `revision` is its number among its appointment's events."""

    number: int
    appointment_id: str
    revision: int
    type: EventType
    at: Instant
    by: str
    start: Instant
    end: Instant
    service_id: str = ""
    customer_id: str = ""
    resource_ids: tuple[str, ...] = ()
    was_start: Instant = Instant(0)
    reason: str = ""


class Logged(Value, frozen=True, kw_only=True):
    """A stretch of notifications, and where to go on: None when it ends here."""

    notifications: tuple[Notification, ...]
    after: str | None


def notifications(store: Store, business: str, after: str | None = None, limit: int = 50) -> Logged:
    """The business's messages as they were last tried, latest first."""
    return _listed(store, "log", business, after, limit)


def dead_letters(store: Store, business: str, after: str | None = None, limit: int = 50) -> Logged:
    """The messages that are given up, latest first."""
    return _listed(store, "dead", business, after, limit)


def notification(store: Store, business: str, id: str) -> Notification:
    """Raises `Missing` when no such message was ever tried."""
    found = Reading(store).value(notification_key(business, id), Notification)
    if found is None:
        raise Missing("notification", id)
    return found


def events(store: Store, business: str, after: int = 0, limit: int = 100) -> list[Published]:
    """The events with the numbers `after + 1` to `after + limit`, as far as there are such."""
    last = after + min(limit, MAX_PAGE)
    first, final = event_key(business, after + 1), event_key(business, last)
    [docs] = store.read_ranges([Range(first.part, first.sort, final.sort)])
    return [decoded(doc, Published) for doc in docs]


def replay(store: Store, business: str, id: str, now: Instant) -> Notification:
    """Owe a dead message again, with all its tries, from now on or from when it was due first; returns it as it stands
    then.

    Raises:
        Missing: no such message was ever tried. WrongState: it is not dead, or its reminder would come too late.
    """

    def decide(reading: Reading, draft: Draft) -> Notification:
        before = reading.value(notification_key(business, id), Notification)
        if before is None:
            raise Missing("notification", id)
        appointment = reading.value(appointment_key(business, before.appointment_id), Appointment)
        message = message_of(appointment, id)
        if appointment is None or message is None:
            raise Missing("notification", id)
        if message.state != "dead":
            raise WrongState(f"the message is {message.state}: only a dead one is sent again")
        if message.kind == "reminder" and (why := no_longer(appointment, message, now)):
            raise WrongState(f"the reminder is of no use any more: {why}")
        due = max(now, message.first_due)
        owed = replace(message, state="waiting", attempts=0, due=due, first_due=Instant(0), note="")
        after = replace(before, state="waiting", attempts=0, due=due, answer="", at=now)
        draft.put(appointment_put(business, with_message(appointment, owed)))
        draft.put(notification_put(business, after))
        return after

    return settle(store, decide)


def message_of(appointment: Appointment | None, id: str) -> Message | None:
    """The appointment's message with that id."""
    messages = appointment.messages if appointment else ()
    return next((message for message in messages if message.id == id), None)


def with_message(appointment: Appointment, message: Message) -> Appointment:
    """The appointment with the message in the place of the one with its id."""
    messages = tuple(message if each.id == message.id else each for each in appointment.messages)
    return replace(appointment, messages=messages)


def no_longer(appointment: Appointment, message: Message, now: Instant) -> str:
    """Why a reminder must not be sent; empty when it may."""
    if message.about != appointment.start:
        return "the appointment was moved"
    if appointment.status not in REMINDED:
        return f"the appointment is {appointment.status}"
    if appointment.start <= now:
        return TOO_LATE
    return ""


def notification_put(business: str, notification: Notification) -> Put:
    """The notification with its places: in the log, and among the dead when it is."""
    place = Place(business, f"{notification.at:012d}/{notification.id}")
    places: dict[ListName, Place] = {"log": place}
    if notification.state == "dead":
        places["dead"] = place
    return Put(notification_key(business, notification.id), encoded(notification), places)


def _listed(store: Store, name: ListName, business: str, after: str | None, limit: int) -> Logged:
    page = store.list(name, business, after=after, limit=min(limit, MAX_PAGE), reverse=True)
    found = [decoded(doc, Notification) for doc in page.docs]
    return Logged(notifications=tuple(found), after=page.after)
