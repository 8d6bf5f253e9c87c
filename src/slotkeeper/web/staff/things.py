"""The pages on which members look after things of one kind: the list, the form for a new one, and that for each.

All kinds share them; what is particular to one is declared in `kinds.py`.
"""

from typing import Any

from msgspec.structs import replace

from slotkeeper.core.errors import InUse, Invalid, Missing, Outdated
from slotkeeper.core.names import in_order
from slotkeeper.core.zones import zone_names
from slotkeeper.desk import catalogue
from slotkeeper.documents import Webhook
from slotkeeper.notices.templates import NAMES
from slotkeeper.web.forms import DeclaredForm, Typed, once
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.shelves import check_address
from slotkeeper.web.staff import keeping
from slotkeeper.web.staff.fields import Field, Filled, blank, built, read, written
from slotkeeper.web.staff.keeping import Kept
from slotkeeper.web.staff.kinds import THINGS, Thing
from slotkeeper.web.staff.lines import Lists, lists_of
from slotkeeper.web.staff.page import go, page, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import DoneQuery

DONE = {
    "added": N_("It is added."),
    "saved": N_("Your changes are saved."),
    "removed": N_("It is removed."),
    "sent": N_("It will be sent again in a moment."),
    "revoked": N_("The key is of no use any more."),
    "signed-out": N_("They are signed out everywhere."),
    "elsewhere": N_("You are signed out everywhere else."),
    "password": N_("Your password is changed. You are signed out everywhere else."),
}
"""What is said after something was done, by its word in the address."""


def listed(call: Call[None, DoneQuery], place: str) -> Answer:
    """All things of the kind, by name."""
    thing, lists, speech = THINGS[place], lists_of(call), speech_of(call)
    everything = keeping.all_of(call, thing)
    if thing.kind == "reminderRules":
        everything.sort(key=lambda kept: -kept.value.lead_minutes)
    lines = [(kept.id, thing.line(kept.value, lists, speech)) for kept in everything]
    if thing.kind != "reminderRules":
        lines.sort(key=lambda each: in_order(each[1].title))
    facts = {"thing": thing, "lines": lines, "may_write": may_write(call, thing), "done": said_of(call.query.done)}
    return page(call, "things", "setup", 200, part=place, next_step=next_step(call), **facts)


def add(call: Call[None, DoneQuery], place: str) -> Answer:
    """The form for a new thing."""
    thing, lists = THINGS[place], lists_of(call)
    zone = catalogue.profile(call.desk, call.actor).value.zone
    return form_page(call, thing, Filled(blank(thing.fields, **thing.first(lists, zone)), {}, {}), lists=lists)


def create(call: Call[DeclaredForm, None], place: str) -> Answer:
    """Keep a new thing."""
    thing = THINGS[place]
    filled, value = taken(call, thing)
    if value is not None:
        try:
            keeping.add(call, thing, value)
        except Invalid as error:
            filled.blame(error, thing.fields)
        else:
            return go(thing_path(call, thing, done="added"))
    return form_page(call, thing, filled)


def show(call: Call[None, DoneQuery], place: str) -> Answer:
    """The form for a thing."""
    thing = THINGS[place]
    kept = keeping.one_of(call, thing, call.ids["id"])
    return form_page(call, thing, Filled(written(thing.fields, kept.value), {}, {}), kept)


def change(call: Call[DeclaredForm, None], place: str, before: Kept | None = None) -> Answer:
    """Keep the thing as the form says."""
    thing = THINGS[place]
    kept = before or keeping.one_of(call, thing, call.ids["id"])
    filled, value = taken(call, thing, kept)
    if value is None:
        return form_page(call, thing, filled, Kept(kept.id, once(call.body.typed, "version"), kept.value))
    try:
        if isinstance(value, Webhook):
            check_address(value.url, is_http_allowed=call.takes_http_hooks)
        keeping.change(call, thing, kept.id, value, once(call.body.typed, "version"))
    except Outdated:
        return outdated(call, thing, filled, keeping.one_of(call, thing, kept.id))
    except Invalid as error:
        filled.blame(error, thing.fields)
    except InUse as error:
        filled.wrong[""] = in_words(call, error)
    else:
        return go(thing_path(call, thing, done="saved"))
    return form_page(call, thing, filled, Kept(kept.id, once(call.body.typed, "version"), kept.value))


def remove(call: Call[DeclaredForm, None], place: str) -> Answer:
    """Take the thing away."""
    thing = THINGS[place]
    read((), call.body.typed, speech_of(call))
    try:
        keeping.remove(call, thing, call.ids["id"], once(call.body.typed, "version"))
    except Missing:
        pass  # somebody else was faster: it is gone, as it should be
    except (InUse, Outdated) as error:
        kept = keeping.one_of(call, thing, call.ids["id"])
        filled = Filled(written(thing.fields, kept.value), {}, {})
        if isinstance(error, Outdated):
            return outdated(call, thing, filled, kept)
        filled.wrong[""] = in_words(call, error)
        return form_page(call, thing, filled, kept, status=409)
    return go(thing_path(call, thing, done="removed"))


def taken(call: Call[DeclaredForm, Any], thing: Thing, kept: Kept | None = None, **others: Any) -> tuple[Filled, Any]:
    """What was sent, and the value that it describes; None when something is wrong. What the form leaves alone is as
    before."""
    filled = read(thing.fields, call.body.typed, speech_of(call))
    value = built(filled, thing.fields, thing.value)
    if value is not None:
        before = {name: getattr(kept.value, name) for name in thing.kept} if kept else {}
        value = replace(value, **before, **others)
    return filled, value


def form_page(
    call: Call[Any, Any],
    thing: Thing,
    filled: Filled,
    kept: Kept | None = None,
    *,
    lists: Lists | None = None,
    theirs: Typed | None = None,
    status: int = 0,
    **extras: object,
) -> Answer:
    """The form, for a new thing or for one that is there."""
    speech, lists = speech_of(call), lists or lists_of(call)
    title = thing.line(kept.value, lists, speech).title if kept else speech.say(thing.words.add)
    facts = {
        "thing": thing,
        "title": title,
        "kept": kept,
        "form": Form(thing.fields, filled, lists, theirs),
        "may_write": may_write(call, thing),
        "action": thing_path(call, thing, kept.id) if kept else staff_path(call, "setup", "add", thing.place),
        "remove_action": thing_path(call, thing, kept.id, is_removal=True) if kept else "",
        "back": thing_path(call, thing),
        "preview": None,
        "names": known_names() if thing.kind == "template" else (),
        "secret": "",
        "done": said_of(getattr(call.query, "done", "")),
    }
    status = status or (422 if filled.wrong else 200)
    here = "customers" if thing.kind == "customer" else "setup"
    return page(call, thing.template, here, status, part=thing.place, **(facts | extras))


class Form:
    """A form as templates draw it. `theirs` is what somebody else has saved meanwhile."""

    def __init__(
        self, fields: tuple[Field, ...], filled: Filled, lists: Lists | None = None, theirs: Typed | None = None
    ) -> None:
        self.fields = fields
        self.typed = filled.typed
        self.wrong = filled.wrong
        self.lists = lists
        self.theirs = theirs

    def complaints(self) -> list[tuple[str, str, str]]:
        """What is wrong, in the order of the fields: the field's name, its label and the complaint."""
        found = [(each.name, each.label, self.wrong[each.name]) for each in self.fields if each.name in self.wrong]
        return ([("", "", self.wrong[""])] if "" in self.wrong else []) + found

    def text(self, name: str) -> str:
        """What stands in an input of which there is one."""
        return next(iter(self.typed.get(name, ())), "")

    def options(self, field: Any) -> list[tuple[str, str]]:
        """What can be chosen: what is chosen already, also when it is gone; of several the chosen ones first."""
        known = list(field.options) if field.options or self.lists is None else self.lists.options(field.source)
        chosen = [id for id in self.typed.get(field.name, ()) if id]
        if field.shape == "ticks" and field.source:
            return [
                *((id, dict(known).get(id, id)) for id in chosen),
                *(each for each in known if each[0] not in chosen),
            ]
        # Of the form's own words there are no others: what was typed in their place is no word of ours.
        return known if field.options else known + [(id, id) for id in chosen if id not in dict(known)]

    def people(self, field: Any) -> list[tuple[str, str]]:
        """All who can be needed, also those who are needed and gone."""
        known = self.lists.options("resource") if self.lists else []
        return known + [(id, id) for id in self.typed[field.name] if id not in dict(known)]

    def zones(self) -> list[str]:
        """The time zones to choose from: those of places, without old names."""
        return sorted(name for name in zone_names() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/")))

    def pools(self, field: Any) -> list[tuple[str, str, str]]:
        """Each pool with its name, and how many of it are needed."""
        counts = dict(zip(self.typed[f"{field.name}.pool"], self.typed[f"{field.name}.count"], strict=False))
        known = self.lists.options("pool") if self.lists else []
        return [(id, name, counts.get(id, "0")) for id, name in known]

    def rows(self, day: str, least: int) -> list[tuple[str, str]]:
        """The openings of a day, and room for more."""
        rows = list(zip(self.typed[f"{day}.from"], self.typed[f"{day}.to"], strict=False))
        filled = [row for row in rows if any(row)]
        return filled + [("", "")] * max(least - len(filled), 0 if len(filled) >= 12 else 1)

    def now_there(self, field: Field) -> str:
        """What somebody else has saved in this field meanwhile; empty when that is no other than what was typed."""
        if self.theirs is None:
            return ""
        mine, other = ({name: each.get(name, ()) for name in field.inputs} for each in (self.typed, self.theirs))
        if mine == other:
            return ""
        texts = [text for part in other.values() for text in part if text]
        names = dict(self.options(field)) if hasattr(field, "options") else {}
        if field.shape == "needs" and self.lists is not None:
            names = dict(self.lists.options("resource") + self.lists.options("pool"))
        return ", ".join(names.get(text, text) for text in texts) or "\u2013"


def outdated(call: Call[Any, Any], thing: Thing, filled: Filled, kept: Kept) -> Answer:
    """The form with what was typed, beside what somebody else has saved meanwhile; to be saved over it, or not."""
    return form_page(call, thing, filled, kept, theirs=written(thing.fields, kept.value), status=409)


def in_words(call: Call[Any, Any], error: InUse) -> str:
    """Why something cannot be changed or removed, with the name of what is in the way."""
    user = str(error.facts.get("usedBy", ""))
    kind, _, id = user.partition("/")
    if not id:
        return error.message[:1].upper() + error.message[1:]
    name = lists_of(call).name(kind, id)
    return speech_of(call).say(N_("“%(name)s” still needs it: change that first.")) % {"name": name}


def may_write(call: Call[Any, Any], thing: Thing) -> bool:
    """Whether the member may change things of this kind."""
    return thing.writing in call.actor.scopes and not call.actor.is_viewer


def thing_path(call: Call[Any, Any], thing: Thing, id: str = "", *, is_removal: bool = False, done: str = "") -> str:
    """Where all of the kind are, or the form of one."""
    home = ("customers",) if thing.kind == "customer" else ("setup", thing.place)
    if not id:
        return staff_path(call, *home, done=done)
    last = ("remove",) if is_removal else ("edit",) if thing.kind == "customer" else ()
    return staff_path(call, *home, id, *last, done=done)


def known_names() -> list[str]:
    """What a template may name, in braces."""
    whole = [f"{name}.{part}" for name, parts in NAMES.items() for part in sorted(parts)]
    return ["{{ " + name + " }}" for name in [*whole, *(name for name, parts in NAMES.items() if not parts)]]


def said_of(done: str) -> str:
    """What is said after something was done; nothing of what we did not do."""
    return DONE.get(done, "")


def next_step(call: Call[Any, Any]) -> tuple[str, str] | None:
    """What a new business does next, and where; None once customers can book."""
    lists = lists_of(call)
    if lists.service:
        return None
    if not lists.resource:
        label, place = N_("Next: who can be booked"), "resources"
    else:
        label, place = N_("Next: what can be booked"), "services"
    return label, staff_path(call, "setup", "add", place)
