"""The overview of what there is to set up, and the way of a new business to its first booking."""

from typing import Any

import msgspec

from slotkeeper.courier.log import dead_letters
from slotkeeper.desk import catalogue, keys, members
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.lines import Lists, lists_of
from slotkeeper.web.staff.page import page, staff_path
from slotkeeper.web.staff.setup_routes import DoneQuery
from slotkeeper.web.staff.sharing import embedding, whole


class Step(msgspec.Struct, frozen=True):
    """What a new business does, why, where, and whether it is done."""

    title: str
    text: str
    label: str
    place: str
    is_done: bool


class Card(msgspec.Struct, frozen=True):
    """One part of what is set up; `count` is of the things in it."""

    place: str
    title: str
    text: str
    count: int | None = None


def show(call: Call[None, DoneQuery]) -> Answer:
    """The overview."""
    lists = lists_of(call)
    is_owner = "admin" in call.actor.scopes
    steps = _steps(lists)
    return page(
        call,
        "setup",
        "setup",
        200,
        part="",
        is_exact=True,
        steps=steps,
        is_new=not all(step.is_done for step in steps),
        now=next((number for number, step in enumerate(steps) if not step.is_done), len(steps)),
        groups=_groups(call, lists, is_owner=is_owner),
        is_owner=is_owner,
        booking_page=whole(call, call.actor.business),
        embedding=embedding(call),
        dead=len(dead_letters(call.desk.store, call.actor.business, limit=50).notifications) if is_owner else 0,
        dead_path=staff_path(call, "setup", "messages", which="dead"),
    )


def _steps(lists: Lists) -> list[Step]:
    return [
        Step(
            N_("Opening hours"),
            N_("When you are open in an ordinary week."),
            N_("Add hours"),
            "add/hours",
            bool(lists.schedule),
        ),
        Step(
            N_("Who can be booked"),
            N_("A person, a room, or both: they are never booked twice at the same time."),
            N_("Add a person or a room"),
            "add/resources",
            bool(lists.resource),
        ),
        Step(
            N_("What can be booked"),
            N_("A service: how long it takes, and who and what it needs."),
            N_("Add a service"),
            "add/services",
            bool(lists.service),
        ),
    ]


def _groups(call: Call[Any, Any], lists: Lists, *, is_owner: bool) -> list[tuple[str, list[Card]]]:
    desk, actor = call.desk, call.actor
    booking = [
        Card("business", N_("Business"), N_("Name, place, language, quiet hours, colour and logo.")),
        Card("services", N_("Services"), N_("What customers can book, and by which rules."), len(lists.service)),
        Card(
            "resources",
            N_("Staff and rooms"),
            N_("Who and what can be busy, and when they are away."),
            len(lists.resource),
        ),
        Card("pools", N_("Pools"), N_("Those of whom any one will do."), len(lists.pool)),
        Card("hours", N_("Hours"), N_("Weekly hours, and dates on which it is otherwise."), len(lists.schedule)),
    ]
    messages = [
        Card("reminders", N_("Reminders"), N_("When customers are reminded, and how."),
             len(catalogue.shelf(desk, actor, "reminderRules"))),
        Card("templates", N_("Message templates"), N_("Your own words in place of ours."),
             len(catalogue.items(desk, actor, "template"))),
        Card("messages", N_("What was sent"), N_("Every message, and what became of it.")),
    ]  # fmt: skip
    groups = [(N_("Booking"), booking), (N_("Messages"), messages)]
    if is_owner:
        good_keys = [key for _, key in keys.keys(desk, actor) if not key.revoked]
        access = [
            Card("members", N_("Members"), N_("Who may sign in here, and what they may do."),
                 len(members.members(desk, actor.business))),
            Card("keys", N_("API keys"), N_("For programs that book by themselves."), len(good_keys)),
            Card("webhooks", N_("Webhooks"), N_("Programs that are told of each booking."),
                 len(catalogue.shelf(desk, actor, "webhooks"))),
            Card("audit", N_("Audit log"), N_("Who changed what, and when.")),
        ]  # fmt: skip
        groups.append((N_("Access"), access))
    return groups
