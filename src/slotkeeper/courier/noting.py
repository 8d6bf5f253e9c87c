"""Noting what became of a claimed message: in its appointment, and as a notification, in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from slotkeeper.contracts import Letter
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.reminders import Message, failed
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.claiming import Job
from slotkeeper.courier.log import (
    MAX_TEXT,
    Notification,
    NotificationState,
    message_of,
    notification_put,
    with_message,
)
from slotkeeper.courier.seen import Seen
from slotkeeper.documents import appointment_key, notification_key
from slotkeeper.ledger import Draft, Reading

MAX_ANSWER = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job. `void`: it must not be sent any more; `untried`: its turn did not come in time.
    `wait_seconds`: the peer wants, or ought, to be left alone for so long."""

    job: Job
    result: Literal["sent", "failed", "dead", "void", "untried"]
    answer: str = ""
    letter: Letter | None = None
    wait_seconds: int = 0


def note(seen: Seen, outcomes: Sequence[Outcome], now: Instant) -> None:
    """Write down what became of the messages of one appointment."""
    job = outcomes[0].job
    business, id = job.business, job.appointment_id
    # A message that was tried once has no notification yet, unless it was dead and was sent again.
    new = {notification_key(business, each.job.message.id): None for each in outcomes if each.job.message.attempts == 1}

    def change(reading: Reading, draft: Draft, before: Appointment) -> tuple[Appointment, None]:
        after = before
        for outcome in outcomes:
            message = noted(message_of(after, outcome.job.message.id), outcome, now)
            if message is None:
                continue
            after = with_message(after, message)
            if _is_remembered(message, outcome):
                draft.put(notification_put(business, _notification(id, message, outcome, now)))
        return after, None

    seen.rewrite(appointment_key(business, id), change, new)


def _is_remembered(message: Message, outcome: Outcome) -> bool:
    """Whether people may look it up. What the topic was told needs no second entry: it is the events' own feed."""
    is_told = message.channel == "topic" and outcome.result == "sent"
    return outcome.result not in ("void", "untried") and not is_told


def noted(message: Message | None, outcome: Outcome, now: Instant) -> Message | None:
    """The message as the outcome leaves it; None when there is nothing to change.

    What was sent was sent, whatever happened to the appointment meanwhile. Anything else counts only while the claim
    is ours: after a cancellation, or in another worker's hands, it is nobody's business any more.
    """
    if message is None or message.state == "sent":
        return None
    if outcome.result == "sent":
        return replace(message, state="sent", note=outcome.answer[:MAX_ANSWER])
    if not is_ours(message, outcome.job):
        return None
    match outcome.result:
        case "failed":
            return failed(message, now, outcome.answer, wait_seconds=outcome.wait_seconds)
        case "dead":
            return failed(message, now, outcome.answer, for_good=True)
        case "void":
            return replace(message, state="void", note=outcome.answer)
        case "untried":
            return replace(
                message, state="waiting", attempts=message.attempts - 1, due=Instant(now + outcome.wait_seconds)
            )


def is_ours(message: Message, job: Job) -> bool:
    """Whether the claim is still the one that was made for the job."""
    claim = job.message
    return (message.state, message.attempts, message.due) == ("claimed", claim.attempts, claim.due)


def _notification(appointment_id: str, message: Message, outcome: Outcome, now: Instant) -> Notification:
    letter = outcome.letter
    state: NotificationState = "sent" if message.state == "sent" else "dead" if message.state == "dead" else "waiting"
    return Notification(
        id=message.id,
        appointment_id=appointment_id,
        kind=message.kind,
        channel=message.channel,
        state=state,
        at=now,
        to=letter.to if letter else "",
        subject=letter.subject if letter else "",
        text=letter.text[:MAX_TEXT] if letter else "",
        attempts=message.attempts,
        answer=outcome.answer[:MAX_ANSWER],
        due=message.due if state == "waiting" else Instant(0),
        lead_minutes=message.lead_minutes,
    )
