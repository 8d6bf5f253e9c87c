"""Messages: what was sent and what was not, and the second chance of one that was given up."""

import re
from typing import Any

from slotkeeper.core.errors import Invalid, WrongState
from slotkeeper.core.service import Business
from slotkeeper.courier import log
from slotkeeper.courier.log import Notification
from slotkeeper.desk import catalogue
from slotkeeper.senders.outbox import KEPT
from slotkeeper.web.forms import DeclaredForm
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.queries import after_of, cursor_of
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.fields import read
from slotkeeper.web.staff.lines import CHANNELS, EVENTS, OCCASIONS
from slotkeeper.web.staff.page import go, page, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import DoneQuery, MessagesQuery
from slotkeeper.web.staff.things import said_of

PAGE = 50
STATES = {
    "sent": (N_("Sent"), "ok"),
    "waiting": (N_("Will be tried again"), "warn"),
    "dead": (N_("Given up"), "bad"),
    "claimed": (N_("On its way"), ""),
}
UNSENT = (N_("Not sent: it is in the outbox"), "warn")
"""What stays here because nothing is set up to send it is no message that anybody has got."""

KINDS = dict(EVENTS) | dict(OCCASIONS)
WAYS = dict(CHANNELS) | {"topic": N_("Topic")}

_CURSOR = re.compile(r"[0-9]{12}/[A-Za-z0-9_.:@+-]{1,128}")


def listed(call: Call[None, MessagesQuery]) -> Answer:
    """The messages as they were last tried, the latest first; or those only that were given up."""
    is_dead = call.query.which == "dead"
    try:
        after = after_of(call.query.after, _CURSOR)
    except Invalid:
        after = None
    found = (log.dead_letters if is_dead else log.notifications)(call.desk.store, call.actor.business, after, PAGE)
    go_on, zone = cursor_of(found.after) or "", _zone(call)
    return page(
        call,
        "messages",
        "setup",
        200,
        part="messages",
        is_exact=True,
        is_dead=is_dead,
        rows=[_row(call, each, zone) for each in found.notifications],
        all_path=staff_path(call, "setup", "messages"),
        dead_path=staff_path(call, "setup", "messages", which="dead"),
        later=staff_path(call, "setup", "messages", which="dead" if is_dead else "", after=go_on) if go_on else "",
        done=said_of(call.query.done),
    )


def show(call: Call[None, DoneQuery]) -> Answer:
    """One message, with what it said."""
    return _page(call)


def send_again(call: Call[DeclaredForm, None]) -> Answer:
    """Give a message that was given up all its tries again."""
    read((), call.body.typed, speech_of(call), ())
    try:
        log.replay(call.desk.store, call.actor.business, call.ids["id"], call.desk.now())
    except WrongState as error:
        return _page(call, error.message[:1].upper() + error.message[1:])
    return go(staff_path(call, "setup", "messages", call.ids["id"], done="sent"))


def _page(call: Call[Any, Any], wrong: str = "") -> Answer:
    found = log.notification(call.desk.store, call.actor.business, call.ids["id"])
    return page(
        call,
        "message",
        "setup",
        409 if wrong else 200,
        part="messages",
        message=found,
        row=_row(call, found, _zone(call)),
        wrong=wrong,
        back=staff_path(call, "setup", "messages"),
        again=staff_path(call, "setup", "messages", found.id, "again") if "admin" in call.actor.scopes else "",
        appointment=staff_path(call, "appointments", found.appointment_id),
        done=said_of(getattr(call.query, "done", "")),
    )


def _zone(call: Call[Any, Any]) -> str:
    profile: Business = catalogue.profile(call.desk, call.actor).value
    return profile.zone


def _row(call: Call[Any, Any], found: Notification, zone: str) -> dict[str, str]:
    speech = speech_of(call)
    state, tone = UNSENT if found.answer == KEPT else STATES[found.state]
    return {
        "id": found.id,
        "address": staff_path(call, "setup", "messages", found.id),
        "kind": speech.say(KINDS.get(found.kind, found.kind)),
        "way": speech.say(WAYS[found.channel]),
        "when": speech.moment(found.at, zone),
        "next": speech.moment(found.due, zone) if found.due and found.state == "waiting" else "",
        "state": speech.say(state),
        "tone": tone,
        "to": found.to,
        "subject": found.subject,
        "answer": found.answer,
    }
