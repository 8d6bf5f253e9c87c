"""The kinds of things that members look after: the form of each, its line in a list, and what is said of it."""

from collections.abc import Callable
from typing import Any

import msgspec

from slotkeeper.core.actor import Scope
from slotkeeper.core.hours import WEEKDAYS
from slotkeeper.desk import catalogue
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.look.languages import Speech
from slotkeeper.web.staff.fields import (
    Choice,
    Field,
    Needs,
    Number,
    Section,
    Span,
    Text,
    Tick,
    Ticks,
    Week,
    Zone,
)
from slotkeeper.web.staff.lines import (
    CHANNELS,
    EVENTS,
    OCCASIONS,
    RESOURCE_KINDS,
    Line,
    Lists,
    customer_line,
    hook_line,
    pool_line,
    resource_line,
    rule_line,
    schedule_line,
    service_line,
    template_line,
)

MINUTES, DAYS = N_("minutes"), N_("days")


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a kind. `empty` stands in place of a list with nothing in it."""

    many: str
    lead: str
    add: str
    empty: tuple[str, str]
    removal: str


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of thing. `place` is its part of the address, `kept` are the fields that its form leaves alone."""

    kind: Any
    place: str
    value: type[msgspec.Struct]
    writing: Scope
    sections: tuple[Section, ...]
    words: Words
    line: Callable[[Any, Lists, Speech], Line]
    kept: tuple[str, ...] = ()
    first: Callable[[Lists, str], dict[str, Any]] = lambda lists, zone: {}
    template: str = "thing"

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(field for section in self.sections for field in section.fields)

    @property
    def is_on_shelf(self) -> bool:
        return self.kind in catalogue.SHELVES


SERVICES = Thing(
    kind="service",
    place="services",
    value=catalogue.KINDS["service"][0],
    writing="admin",
    line=service_line,
    words=Words(
        many=N_("Services"),
        lead=N_("What customers can book."),
        add=N_("Add a service"),
        empty=(N_("No services yet"), N_("A service has a length, and says who and what it needs.")),
        removal=N_("Nobody can book it any more. Appointments that are booked stay."),
    ),
    sections=(
        Section(
            N_("What it is"),
            (
                Text(name="name", label=N_("Name"), is_needed=True),
                Text(name="description", label=N_("Description"), hint=N_("Shown on the booking page."), lines=3,
                     most=2000),
                Tick(name="remote", label=N_("It is given by phone or video"),
                     hint=N_("Visitors then see its times on their own clocks.")),
                Text(name="location", label=N_("Place"), hint=N_("If it is not that of the business."), lines=2,
                     most=2000),
            ),
        ),
        Section(
            N_("How long"),
            (
                Number(name="durationMinutes", label=N_("Length"), unit=MINUTES, least=5, most=10_080, step=5,
                       is_needed=True),
                Number(name="bufferBeforeMinutes", label=N_("Kept free before"), unit=MINUTES, most=1440, step=5),
                Number(name="bufferAfterMinutes", label=N_("Kept free after"), unit=MINUTES, most=1440, step=5),
                Number(name="stepMinutes", label=N_("Offer a start every"), unit=MINUTES, least=5, most=1440, step=5,
                       is_needed=True),
            ),
        ),
        Section(
            N_("Who and what it needs"),
            (Needs(name="needs", label=N_("Needs")),),
            N_("All that is chosen here must be free at the same time."),
        ),
        Section(
            N_("When it can be booked"),
            (
                Span(name="noticeMinutes", label=N_("At the latest, before it starts")),
                Number(name="horizonDays", label=N_("At the earliest, before it starts"), unit=DAYS, least=1, most=3660,
                       is_needed=True),
                Span(name="cancelNoticeMinutes", label=N_("Customers can move or cancel until, before it starts")),
                Choice(name="scheduleId", label=N_("Only within these hours"), source="schedule",
                       none=N_("Whenever those who are needed are open")),
                Text(name="zone", label=N_("Time zone"), hint=N_("If it is not that of the business."), most=64),
                Number(name="dayLimit", label=N_("At most on one day"), least=1, most=1000,
                       hint=N_("Empty: as many as there is room for.")),
                Number(name="customerLimit", label=N_("At most open at once for one customer"), least=1, most=1000),
            ),
        ),
        Section(
            N_("Confirmation"),
            (
                Tick(name="needsConfirmation", label=N_("A member confirms each booking")),
                Span(name="confirmWithinMinutes", label=N_("Within"), least=5,
                     hint=N_("After that, the time is free again. Only with confirmation.")),
            ),
        ),
        Section(
            N_("Where it appears"),
            (
                Tick(name="public", label=N_("Visitors see it on the booking page")),
                Tick(name="active", label=N_("It is in use")),
            ),
        ),
    ),
    first=lambda lists, zone: {
        "durationMinutes": 30,
        "bufferBeforeMinutes": 0,
        "bufferAfterMinutes": 0,
        "stepMinutes": 15,
        "horizonDays": 365,
        "noticeMinutes": 0,
        "cancelNoticeMinutes": 0,
        "public": True,
        "active": True,
        "needs": [{"allOf": [lists.resource[0].id]}] if len(lists.resource) == 1 else [],
    },
)  # fmt: skip

RESOURCES = Thing(
    kind="resource",
    place="resources",
    template="resource",
    value=catalogue.KINDS["resource"][0],
    writing="admin",
    line=resource_line,
    words=Words(
        many=N_("Staff and rooms"),
        lead=N_("Who and what can be busy: people, rooms, equipment. Nobody is ever booked twice at the same time."),
        add=N_("Add a person or a room"),
        empty=(N_("Nobody here yet"), N_("Begin with the person whom customers come to see, perhaps with yourself.")),
        removal=N_("It can no longer be needed by a service. Appointments that are booked stay."),
    ),
    sections=(
        Section(
            "",
            (
                Text(name="name", label=N_("Name"), is_needed=True),
                Choice(name="kind", label=N_("What it is"), options=RESOURCE_KINDS, is_needed=True),
                Choice(name="scheduleId", label=N_("Hours"), source="schedule", none=N_("Always open")),
                Zone(name="zone", label=N_("Time zone"), hint=N_("The hours are read on its clocks."), is_needed=True),
                Tick(name="active", label=N_("It is in use")),
            ),
        ),
    ),
    first=lambda lists, zone: {
        "kind": "staff",
        "zone": zone,
        "active": True,
        "scheduleId": lists.schedule[0].id if lists.schedule else None,
    },
)  # fmt: skip

POOLS = Thing(
    kind="pool",
    place="pools",
    value=catalogue.KINDS["pool"][0],
    writing="admin",
    line=pool_line,
    words=Words(
        many=N_("Pools"),
        lead=N_("Staff or rooms of which any one will do: the one with the fewest appointments is taken."),
        add=N_("Add a pool"),
        empty=(
            N_("No pools yet"),
            N_("You need one as soon as a service can be given by more than one person, or in more than one room."),
        ),
        removal=N_("It can no longer be needed by a service."),
    ),
    sections=(
        Section(
            "",
            (
                Text(name="name", label=N_("Name"), is_needed=True),
                Ticks(name="resourceIds", label=N_("Who belongs to it"), source="resource", is_needed=True),
            ),
        ),
    ),
)

SCHEDULES = Thing(
    kind="schedule",
    place="hours",
    template="hours",
    value=catalogue.KINDS["schedule"][0],
    writing="admin",
    line=schedule_line,
    kept=("overrides",),
    words=Words(
        many=N_("Hours"),
        lead=N_("When people and rooms are open, week by week, and the dates on which it is otherwise."),
        add=N_("Add hours"),
        empty=(N_("No hours yet"), N_("Without hours, everybody is open around the clock.")),
        removal=N_("Hours can be removed only while nobody keeps them."),
    ),
    sections=(
        Section(
            "",
            (
                Text(name="name", label=N_("Name"), is_needed=True, hint=N_("Such as Weekdays, or Summer.")),
                Week(name="weekly", label=N_("Hours of the week"),
                     hint=N_("A row that is empty is passed over. When the end is not after the start, it is on the "
                             "next day.")),
            ),
        ),
    ),
    first=lambda lists, zone: {
        "name": "",
        "weekly": {day: [{"from": "09:00", "to": "17:00"}] for day in WEEKDAYS[:5]},
    },
)  # fmt: skip

TEMPLATES = Thing(
    kind="template",
    place="templates",
    template="template",
    value=catalogue.KINDS["template"][0],
    writing="admin",
    line=template_line,
    words=Words(
        many=N_("Message templates"),
        lead=N_("Your own words in place of ours, for one kind of message, in one language or in all."),
        add=N_("Add a template"),
        empty=(N_("We use our own words"), N_("They are complete, in five languages. Change what you like.")),
        removal=N_("Customers then read our own words again."),
    ),
    sections=(
        Section(
            N_("When it is used"),
            (
                Choice(name="kind", label=N_("Message"), options=OCCASIONS, is_needed=True),
                Choice(name="language", label=N_("Language"), source="language", none=N_("All languages")),
                Choice(name="serviceId", label=N_("Service"), source="service", none=N_("All services")),
            ),
        ),
        Section(
            N_("What it says"),
            (
                Text(name="subject", label=N_("Subject"), most=300, is_needed=True, is_code=True),
                Text(name="text", label=N_("Text"), lines=10, most=20_000, is_needed=True, is_code=True),
                Text(name="html", label=N_("HTML"), lines=6, most=100_000, is_code=True,
                     hint=N_("Empty: the text is set in our own layout.")),
            ),
        ),
    ),
    first=lambda lists, zone: {
        "kind": "reminder",
        "subject": "{{ service.name }}: {{ appointment.when }}",
        "text": "Hello {{ customer.name }},\n\nwe look forward to seeing you {{ lead }}.\n\n{{ details }}\n\n"
        "{{ business.name }}",
    },
)  # fmt: skip

RULES = Thing(
    kind="reminderRules",
    place="reminders",
    value=catalogue.SHELVES["reminderRules"][0],
    writing="admin",
    line=rule_line,
    words=Words(
        many=N_("Reminders"),
        lead=N_("When customers are reminded. A rule of one service comes on top of those of all services."),
        add=N_("Add a reminder"),
        empty=(
            N_("The usual reminders"),
            N_("Until you add the first one, customers are reminded by mail 24 hours and 1 hour before."),
        ),
        removal=N_("Reminders that were planned by it for appointments that are booked already still go out."),
    ),
    sections=(
        Section(
            "",
            (
                Span(name="leadMinutes", label=N_("How long before"), least=5, is_needed=True),
                Choice(name="channel", label=N_("By"), options=CHANNELS, is_needed=True,
                       hint=N_("Text messages are sent only where the server can send them.")),
                Choice(name="serviceId", label=N_("Service"), source="service", none=N_("All services")),
                Tick(name="active", label=N_("It is in use")),
            ),
        ),
    ),
    first=lambda lists, zone: {"leadMinutes": 1440, "channel": "email", "active": True},
)  # fmt: skip

HOOKS = Thing(
    kind="webhooks",
    place="webhooks",
    template="webhook",
    value=catalogue.SHELVES["webhooks"][0],
    writing="admin",
    line=hook_line,
    kept=("secret",),
    words=Words(
        many=N_("Webhooks"),
        lead=N_("Addresses of other programs that are told what happens, by signed messages (Standard Webhooks)."),
        add=N_("Add a webhook"),
        empty=(N_("No webhooks yet"), N_("Other programs can be told of each booking as it happens.")),
        removal=N_("The program is told of nothing more."),
    ),
    sections=(
        Section(
            "",
            (
                Text(name="url", label=N_("Address"), kind="url", most=2000, is_needed=True, is_code=True,
                     hint=N_("It begins with https://")),
                Ticks(name="types", label=N_("What it is told of"), options=EVENTS,
                      hint=N_("Nothing chosen: of everything.")),
                Tick(name="active", label=N_("It is in use")),
            ),
        ),
    ),
    first=lambda lists, zone: {"active": True},
)  # fmt: skip

CUSTOMERS = Thing(
    kind="customer",
    place="customers",
    template="customer",
    value=catalogue.KINDS["customer"][0],
    writing="staff",
    line=customer_line,
    words=Words(
        many=N_("Customers"),
        lead="",
        add=N_("Add a customer"),
        empty=(N_("No customers yet"), N_("Whoever books appears here by themselves.")),
        removal=N_("What you wrote about them is gone. Their appointments stay."),
    ),
    sections=(
        Section(
            "",
            (
                Text(name="name", label=N_("Name"), is_needed=True),
                Text(name="email", label=N_("Mail address"), kind="email", most=254),
                Text(name="phone", label=N_("Phone"), kind="tel", most=40),
                Choice(name="language", label=N_("Language"), source="language", none=N_("That of the business")),
                Text(name="zone", label=N_("Time zone"), most=64, hint=N_("If they live elsewhere.")),
                Text(name="notes", label=N_("Notes"), lines=4, most=2000, hint=N_("Only members see them.")),
            ),
        ),
    ),
)

THINGS = {each.place: each for each in (SERVICES, RESOURCES, POOLS, SCHEDULES, TEMPLATES, RULES, HOOKS, CUSTOMERS)}
"""All kinds, by their part of the address."""
