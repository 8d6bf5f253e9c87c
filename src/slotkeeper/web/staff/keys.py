"""API keys: made, shown once, revoked."""

from typing import Any

from slotkeeper.core.actor import SCOPES
from slotkeeper.core.errors import Invalid
from slotkeeper.core.names import in_order
from slotkeeper.desk import catalogue, keys
from slotkeeper.web.forms import DeclaredForm
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.fields import Filled, Text, Ticks, blank, read
from slotkeeper.web.staff.page import go, page, speech_of, staff_path, untold
from slotkeeper.web.staff.setup_routes import DoneQuery
from slotkeeper.web.staff.things import Form, said_of
from slotkeeper.web.staff.walls import today

MEANINGS = (
    ("read", N_("See services, free times and what it booked itself")),
    ("book", N_("Book, move and cancel")),
    ("staff", N_("See and change all appointments, customers and time off")),
    ("admin", N_("Change everything that is set up, and make keys")),
)
FIELDS = (
    Text(name="name", label=N_("Name"), hint=N_("What it is for, such as Website."), is_needed=True),
    Ticks(name="scopes", label=N_("What it may do"), options=MEANINGS, is_needed=True),
)


def listed(call: Call[None, DoneQuery]) -> Answer:
    """The keys, good ones first, and a form for another."""
    return _page(call, Filled(blank(FIELDS, scopes=("read", "book")), {}, {}))


def create(call: Call[DeclaredForm, None]) -> Answer:
    """Make a key, and show it."""
    filled = read(FIELDS, call.body.typed, speech_of(call), ())
    if filled.wrong:
        return _page(call, filled)
    scopes = tuple(scope for scope in SCOPES if scope in filled.values["scopes"])
    try:
        made = keys.create_key(call.desk, call.actor, filled.values["name"], scopes)
    except Invalid as error:
        filled.blame(error, FIELDS)
        return _page(call, filled)
    return untold(_page(call, Filled(blank(FIELDS, scopes=("read", "book")), {}, {}), made.secret))


def revoke(call: Call[DeclaredForm, None]) -> Answer:
    """Make a key useless."""
    read((), call.body.typed, speech_of(call), ())
    keys.revoke_key(call.desk, call.actor, call.ids["id"])
    return go(staff_path(call, "setup", "keys", done="revoked"))


def _page(call: Call[Any, Any], filled: Filled, secret: str = "") -> Answer:
    zone, speech = catalogue.profile(call.desk, call.actor).value.zone, speech_of(call)
    shown = [
        {
            "name": key.name,
            "may": [speech.say(dict(MEANINGS)[scope]) for scope in key.scopes],
            "made": speech.day(today(key.created, zone), "medium"),
            "is_revoked": bool(key.revoked),
            "revoke": staff_path(call, "setup", "keys", id, "revoke"),
        }
        for id, key in keys.keys(call.desk, call.actor)
    ]
    return page(
        call,
        "keys",
        "setup",
        422 if filled.wrong else 200,
        part="keys",
        is_exact=True,
        keys=sorted(shown, key=lambda each: (each["is_revoked"], in_order(str(each["name"])))),
        fields=FIELDS,
        form=Form(FIELDS, filled),
        secret=secret,
        action=staff_path(call, "setup", "keys"),
        done=said_of(getattr(call.query, "done", "")),
    )
