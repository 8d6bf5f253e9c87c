"""The dates on which a schedule has other hours than in an ordinary week."""

from typing import Any

from msgspec.structs import replace

from slotkeeper.core.errors import Invalid, Outdated
from slotkeeper.core.hours import Opening, Override, Schedule
from slotkeeper.core.zones import local
from slotkeeper.desk import catalogue
from slotkeeper.desk.catalogue import Item
from slotkeeper.web.bodies import fitted
from slotkeeper.web.forms import DeclaredForm, Typed, once
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.fields import Date, Field, Filled, blank, openings, read
from slotkeeper.web.staff.page import go, page, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import DoneQuery
from slotkeeper.web.staff.things import Form, said_of
from slotkeeper.web.staff.walls import date_in

TRIES = 5


class Openings(Field, frozen=True, kw_only=True):
    """The openings of one date."""

    @property
    def inputs(self) -> dict[str, bool]:
        return {"hours.from": True, "hours.to": True}

    def write(self, value: Any) -> Typed:
        return {"hours.from": (), "hours.to": ()}

    def read(self, typed: Typed) -> list[dict[str, str]]:
        return openings(typed, "hours", "hours")


FIELDS = (
    Date(name="date", label=N_("Date"), is_needed=True),
    Openings(name="hours", label=N_("Hours")),
)


def show(call: Call[None, DoneQuery]) -> Answer:
    """The dates with other hours, those to come first, and a form for another one."""
    return _page(call, Filled(blank(FIELDS), {}, {}))


def add(call: Call[DeclaredForm, None]) -> Answer:
    """Give a date other hours, in place of those that it had."""
    filled = read(FIELDS, call.body.typed, speech_of(call), ())
    if not filled.wrong:
        try:
            override = fitted({"date": filled.values["date"], "hours": filled.values["hours"]}, Override)
            _change(call, override.date, override)
        except Invalid as error:
            message = error.message[:1].upper() + error.message[1:]
            filled.wrong["date" if error.field.endswith(".date") else "hours"] = message
        else:
            return go(_path(call, done="added"))
    return _page(call, filled)


def remove(call: Call[DeclaredForm, None]) -> Answer:
    """Let a date have the hours of an ordinary week again."""
    read((), call.body.typed, speech_of(call), ("date",))
    _change(call, once(call.body.typed, "date"), None)
    return go(_path(call, done="removed"))


def _change(call: Call[Any, Any], date: str, override: Override | None) -> None:
    """Give the date these hours, or those of an ordinary week, whatever else is changed meanwhile."""
    for last in (*[False] * (TRIES - 1), True):
        kept: Item[Schedule] = catalogue.item(call.desk, call.actor, "schedule", call.ids["id"])
        others = [each for each in kept.value.overrides if each.date != date]
        dated = sorted([*others, override] if override else others, key=lambda each: each.date)
        changed = replace(kept.value, overrides=tuple(dated))
        try:
            catalogue.put(call.desk, call.actor, "schedule", kept.id, changed, str(kept.version))
        except Outdated:
            if last:
                raise
        else:
            return


def _page(call: Call[Any, Any], filled: Filled) -> Answer:
    kept: Item[Schedule] = catalogue.item(call.desk, call.actor, "schedule", call.ids["id"])
    speech = speech_of(call)
    zone = catalogue.profile(call.desk, call.actor).value.zone
    today = local(call.desk.now(), zone).date().isoformat()
    dates = [
        (each.date, speech.day(date_in(each.date, "date"), "full"), _said(each.hours)) for each in kept.value.overrides
    ]
    return page(
        call,
        "hours_dates",
        "setup",
        422 if filled.wrong else 200,
        part="hours",
        title=kept.value.name,
        back=staff_path(call, "setup", "hours", kept.id),
        action=_path(call),
        coming=[each for each in dates if each[0] >= today],
        past=[each for each in reversed(dates) if each[0] < today],
        form=Form(FIELDS, filled),
        may_write="admin" in call.actor.scopes,
        done=said_of(getattr(call.query, "done", "")),
    )


def _said(hours: tuple[Opening, ...]) -> str:
    return ", ".join("\u2013".join((each.from_, each.to)) for each in hours)


def _path(call: Call[Any, Any], done: str = "") -> str:
    return staff_path(call, "setup", "hours", call.ids["id"], "dates", done=done)
