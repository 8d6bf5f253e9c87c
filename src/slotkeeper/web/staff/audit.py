"""The audit log, for people: who changed what, by name, from one date to another."""

from datetime import date, timedelta
from itertools import islice
from typing import Any

import msgspec

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import audit, catalogue, keys, members
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.look.languages import Speech
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.lines import lists_of
from slotkeeper.web.staff.page import page, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import RangeQuery
from slotkeeper.web.staff.walls import date_in, start_of, today

PAGE = 200
USUAL_DAYS, MOST_DAYS = 7, 92

DEEDS = {
    "put": N_("changed"),
    "delete": N_("removed"),
    "revoke": N_("revoked"),
    "override": N_("overrode a rule for"),
}
KINDS = {
    "service": N_("service"),
    "resource": N_("person or room"),
    "pool": N_("pool"),
    "schedule": N_("hours"),
    "customer": N_("customer"),
    "template": N_("template"),
    "reminderRules": N_("reminder"),
    "webhooks": N_("webhook"),
    "timeOff": N_("time off of"),
    "apiKey": N_("API key"),
    "member": N_("member"),
    "business": N_("the business"),
    "logo": N_("the logo"),
    "appointment": N_("an appointment"),
}


class Row(msgspec.Struct, frozen=True):
    """One thing that somebody did."""

    when: str
    who: str
    what: str
    name: str
    address: str
    reason: str


def show(call: Call[None, RangeQuery]) -> Answer:
    """What was done on some days, the latest first."""
    zone, speech = catalogue.profile(call.desk, call.actor).value.zone, speech_of(call)
    last_day, wrong = today(call.desk.now(), zone), ""
    first_day = last_day - timedelta(days=USUAL_DAYS - 1)
    try:
        first_day, last_day = _days(call.query, first_day, last_day)
    except Invalid:
        wrong = speech.say(N_("Choose two dates, the earlier one first, at most 92 days apart."))
    start, end = start_of(first_day, zone), start_of(last_day + timedelta(days=1), zone)
    found, after = _entries(call, start, end, call.query.after)
    names = _names(call)
    return page(
        call,
        "audit",
        "setup",
        422 if wrong else 200,
        part="audit",
        is_exact=True,
        rows=[_row(call, each, names, zone, speech) for each in found],
        first=first_day.isoformat(),
        last=last_day.isoformat(),
        wrong=wrong,
        action=staff_path(call, "setup", "audit"),
        later=staff_path(
            call, "setup", "audit", **{"from": first_day.isoformat()}, to=last_day.isoformat(), after=after
        ),
        is_more=bool(after),
    )


def _days(query: RangeQuery, first: date, last: date) -> tuple[date, date]:
    last = date_in(query.to, "to") if query.to else last
    first = date_in(query.from_, "from") if query.from_ else min(first, last)
    if not first <= last <= first + timedelta(days=MOST_DAYS):
        raise Invalid("the dates do not fit", field="to")
    return first, last


def _entries(call: Call[Any, Any], start: Instant, end: Instant, after: str) -> tuple[list[audit.Entry], str]:
    """The latest entries before `after`, and where to go on; empty when that was all."""
    everything = list(audit.entries(call.desk.store, call.actor.business, start, end))
    everything.reverse()
    older = (each for each in everything if not after or _sort(each) < after)
    found = list(islice(older, PAGE + 1))
    return found[:PAGE], _sort(found[PAGE - 1]) if len(found) > PAGE else ""


def _sort(entry: audit.Entry) -> str:
    return f"{entry.at:012d}/{entry.id}"


def _names(call: Call[Any, Any]) -> dict[str, str]:
    """The names of all that an entry may name, as it is named there."""
    lists, desk, actor = lists_of(call), call.desk, call.actor
    names = {
        f"{kind}/{id}": name for kind in ("service", "resource", "pool", "schedule") for id, name in lists.options(kind)
    }
    names |= {f"timeOff/{id}": name for id, name in lists.options("resource")}
    names |= {f"apiKey/{id}": key.name for id, key in keys.keys(desk, actor)}
    for item in members.members(desk, actor.business):
        names |= {f"member/{item.id}": item.value.name, item.id: item.value.name}
    names |= {f"customer/{item.id}": item.value.name for item in catalogue.items(desk, actor, "customer")}
    return names


def _row(call: Call[Any, Any], entry: audit.Entry, names: dict[str, str], zone: str, speech: Speech) -> Row:
    kind, _, id = entry.target.partition("/")
    target = f"timeOff/{id.partition('/')[0]}" if kind == "timeOff" else entry.target
    by = names.get(entry.by) or names.get(f"apiKey/{entry.by}") or ""
    who = by if entry.by in names else speech.say(N_("API key “%(name)s”")) % {"name": by} if by else entry.by
    deed = speech.say(DEEDS[entry.what]) if entry.what in DEEDS else entry.what
    said = speech.say(KINDS[kind]) if kind in KINDS else kind
    address = staff_path(call, "appointments", id) if kind == "appointment" else ""
    name = names.get(target, "" if kind in ("business", "logo", "appointment") else id)
    when = f"{speech.day(today(entry.at, zone), 'medium')}, {speech.time(entry.at, zone)}"
    return Row(when, who, f"{deed} {said}", name, address, entry.reason)
