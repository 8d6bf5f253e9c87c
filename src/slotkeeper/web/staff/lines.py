"""How the things that members look after are shown in one line each, and the words for what they may be."""

from typing import Any

import msgspec

from slotkeeper.core.hours import WEEKDAYS
from slotkeeper.core.names import in_order
from slotkeeper.desk import catalogue
from slotkeeper.desk.catalogue import Item
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.look.languages import CODES, Speech, speech
from slotkeeper.web.routes import Call

RESOURCE_KINDS = (("staff", N_("Person")), ("room", N_("Room")), ("equipment", N_("Equipment")))
CHANNELS = (("email", N_("Mail")), ("sms", N_("Text message")), ("webhook", N_("Webhook")))
OCCASIONS = (
    ("reminder", N_("Reminder")),
    ("booked", N_("Booked")),
    ("pending", N_("Waits for confirmation")),
    ("moved", N_("Moved")),
    ("cancelled", N_("Cancelled")),
    ("declined", N_("Declined")),
    ("expired", N_("Not confirmed in time")),
)
EVENTS = (
    ("pending", N_("Asked for")),
    ("booked", N_("Booked")),
    ("moved", N_("Moved")),
    ("changed", N_("Details changed")),
    ("attending", N_("Customer will come")),
    ("checkedIn", N_("Checked in")),
    ("completed", N_("Completed")),
    ("declined", N_("Declined")),
    ("cancelled", N_("Cancelled")),
    ("noShow", N_("No-show")),
    ("expired", N_("Not confirmed in time")),
)
DAY_NAMES = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip


class Lists(msgspec.Struct, frozen=True):
    """What forms choose from: the things of the catalogue, by name."""

    service: list[Item[Any]]
    resource: list[Item[Any]]
    pool: list[Item[Any]]
    schedule: list[Item[Any]]

    def options(self, source: str) -> list[tuple[str, str]]:
        """The ids and names of a kind."""
        if source == "language":
            return [(code, speech(code).name) for code in CODES]
        found: list[Item[Any]] = getattr(self, source)
        return [(item.id, item.value.name) for item in found]

    def name(self, source: str, id: str | None) -> str:
        """The thing's name; its id when it is gone."""
        return dict(self.options(source)).get(id or "", id or "")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A thing in a list: its name, what is worth knowing of it, and marks with their tones."""

    title: str
    facts: list[str]
    marks: list[tuple[str, str]] = []


def lists_of(call: Call[Any, Any]) -> Lists:
    """What the forms of a business choose from."""
    found = (catalogue.items(call.desk, call.actor, kind) for kind in ("service", "resource", "pool", "schedule"))
    return Lists(*(sorted(items, key=lambda item: in_order(item.value.name)) for items in found))


def _marks(value: Any, speech: Speech) -> list[tuple[str, str]]:
    return [] if value.active else [(speech.say(N_("Not in use")), "")]


def service_line(value: Any, lists: Lists, speech: Speech) -> Line:
    """A service: how long it is, and who and what it needs."""
    names = [lists.name("resource", id) for need in value.needs for id in need.all_of]
    for need in value.needs:
        if need.any_of:
            said = N_("any of %(pool)s") if need.count == 1 else N_("%(count)s of %(pool)s")
            names.append(speech.say(said) % {"pool": lists.name("pool", need.any_of), "count": need.count})
    marks = _marks(value, speech)
    marks += [(speech.say(N_("Hidden")), "")] if value.active and not value.public else []
    marks += [(speech.say(N_("Remote")), "ok")] if value.remote else []
    marks += [(speech.say(N_("You confirm")), "warn")] if value.needs_confirmation else []
    return Line(title=value.name, facts=[speech.length(value.duration_minutes), ", ".join(names)], marks=marks)


def resource_line(value: Any, lists: Lists, speech: Speech) -> Line:
    """Who or what can be busy: its kind, hours and zone."""
    hours = lists.name("schedule", value.schedule_id) if value.schedule_id else speech.say(N_("always open"))
    kind = speech.say(dict(RESOURCE_KINDS)[value.kind])
    return Line(title=value.name, facts=[kind, hours, value.zone], marks=_marks(value, speech))


def pool_line(value: Any, lists: Lists, speech: Speech) -> Line:
    """A pool: who belongs to it."""
    return Line(title=value.name, facts=[", ".join(lists.name("resource", id) for id in value.resource_ids)])


def schedule_line(value: Any, lists: Lists, speech: Speech) -> Line:
    """Hours, in words."""
    facts = week_in_words(value.weekly, speech)
    if value.overrides:
        dates = speech.say_count(
            "%(num)s date with other hours", "%(num)s dates with other hours", len(value.overrides)
        )
        facts.append(dates)
    return Line(title=value.name, facts=facts)


def week_in_words(weekly: Any, speech: Speech) -> list[str]:
    """Such as `Monday-Friday 09:00-17:00`: days with the same hours that follow one another are said as one."""
    runs: list[tuple[int, int, tuple[Any, ...]]] = []
    for number, day in enumerate(WEEKDAYS):
        hours = getattr(weekly, day)
        if runs and runs[-1][2] == hours:
            runs[-1] = (runs[-1][0], number, hours)
        else:
            runs.append((number, number, hours))
    said = []
    for first, last, hours in runs:
        if hours:
            names = "\u2013".join(speech.say(DAY_NAMES[number]) for number in dict.fromkeys((first, last)))
            times = ", ".join("\u2013".join((each.from_, each.to)) for each in hours)
            said.append(f"{names} {times}")
    return said or [speech.say(N_("never open"))]


def template_line(value: Any, lists: Lists, speech: Speech) -> Line:
    """A template: its subject, and for whom it is."""
    language = dict(lists.options("language")).get(value.language, value.language) or speech.say(N_("all languages"))
    service = lists.name("service", value.service_id) if value.service_id else speech.say(N_("all services"))
    return Line(title=speech.say(dict(OCCASIONS)[value.kind]), facts=[value.subject, language, service])


def rule_line(value: Any, lists: Lists, speech: Speech) -> Line:
    """A reminder: how long before, how, and for what."""
    service = lists.name("service", value.service_id) if value.service_id else speech.say(N_("all services"))
    title = speech.say(N_("%(length)s before")) % {"length": lead_in_words(value.lead_minutes, speech)}
    channel = speech.say(dict(CHANNELS)[value.channel])
    return Line(title=title, facts=[channel, service], marks=_marks(value, speech))


def lead_in_words(minutes: int, speech: Speech) -> str:
    """Such as `2 days` or `1 hour 30 minutes`."""
    if minutes % 1440 == 0 and minutes > 1440:
        return speech.say_count("%(num)s day", "%(num)s days", minutes // 1440)
    return speech.length(minutes)


def hook_line(value: Any, lists: Lists, speech: Speech) -> Line:
    """A webhook: what it is told of."""
    types = ", ".join(speech.say(dict(EVENTS)[each]) for each in value.types)
    return Line(title=value.url, facts=[types or speech.say(N_("all events"))], marks=_marks(value, speech))


def customer_line(value: Any, lists: Lists, speech: Speech) -> Line:
    """A customer: how they are reached."""
    return Line(title=value.name, facts=[value.email, value.phone])
