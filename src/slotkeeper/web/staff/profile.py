"""The business itself: its name and place, how it speaks, when it is quiet, and what its pages look like."""

import base64
from contextlib import suppress
from typing import Any

from slotkeeper.core.errors import Invalid, Missing, Outdated
from slotkeeper.core.logo import MAX_BYTES, Logo
from slotkeeper.core.service import Business
from slotkeeper.desk import catalogue
from slotkeeper.web.bodies import fitted
from slotkeeper.web.forms import DeclaredForm, Typed, once
from slotkeeper.web.look import theme
from slotkeeper.web.look.drawing import N_, path
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.fields import Choice, Clock, Colour, Filled, Section, Text, Zone, built, read, written
from slotkeeper.web.staff.lines import lists_of
from slotkeeper.web.staff.page import go, page, speech_of, staff_path
from slotkeeper.web.staff.setup_routes import ColourQuery, DoneQuery
from slotkeeper.web.staff.things import Form, said_of

OURS = "#0b6e5f"

SECTIONS = (
    Section(
        N_("Name and place"),
        (
            Text(name="name", label=N_("Name"), is_needed=True, auto="organization"),
            Text(name="location", label=N_("Place"), lines=3, most=2000, hint=N_("Stands in all messages.")),
            Text(name="email", label=N_("Mail address"), kind="email", most=254, auto="email",
                 hint=N_("Where answers of customers go.")),
        ),
    ),
    Section(
        N_("Time and language"),
        (
            Zone(name="zone", label=N_("Time zone"), is_needed=True, hint=N_("That of your place.")),
            Choice(name="language", label=N_("Language"), source="language",
                   hint=N_("For customers of whom we do not know another.")),
            Clock(name="quietFrom", label=N_("No reminders from")),
            Clock(name="quietTo", label=N_("No reminders until")),
        ),
    ),
    Section(
        N_("Look"),
        (
            Colour(name="accent", label=N_("Colour"), ours=OURS,
                   hint=N_("It is made darker or lighter until everybody can read what is written in it.")),
        ),
    ),
)  # fmt: skip
FIELDS = tuple(field for section in SECTIONS for field in section.fields)


def show(call: Call[None, DoneQuery]) -> Answer:
    """The form for the business, with its logo."""
    kept = catalogue.profile(call.desk, call.actor)
    return _page(call, Filled(written(FIELDS, kept.value), {}, {}), str(kept.version))


def change(call: Call[DeclaredForm, None]) -> Answer:
    """Describe the business as the form says."""
    filled = read(FIELDS, call.body.typed, speech_of(call))
    version = once(call.body.typed, "version")
    value = built(filled, FIELDS, Business)
    if value is not None:
        try:
            catalogue.put_profile(call.desk, call.actor, value, version)
        except Outdated:
            now = catalogue.profile(call.desk, call.actor)
            return _page(call, filled, str(now.version), written(FIELDS, now.value), status=409)
        except Invalid as error:
            filled.blame(error, FIELDS)
        else:
            return go(staff_path(call, "setup", "business", done="saved"))
    return _page(call, filled, version)


def shades(call: Call[None, ColourQuery]) -> Answer:
    """What a colour becomes, on light and on dark ground."""
    return Answer({name: _shades(call.query.accent, name) for name in ("light", "dark")})


def put_logo(call: Call[DeclaredForm, None]) -> Answer:
    """Keep the logo that the page's script has read from a file."""
    read((), call.body.typed, speech_of(call), ("media", "data"))
    media, text = once(call.body.typed, "media"), once(call.body.typed, "data")
    try:
        data = base64.b64decode(text, validate=True)
        catalogue.put_logo(call.desk, call.actor, fitted({"media": media, "data": data}, Logo))
    except (Invalid, ValueError):  # what is not ASCII is no `binascii.Error`, only a ValueError
        kept = catalogue.profile(call.desk, call.actor)
        said = speech_of(call).say(N_("A logo is a PNG, JPEG or WebP picture of at most 40 KB: make it smaller."))
        return _page(call, Filled(written(FIELDS, kept.value), {}, {"": said}), str(kept.version))
    return go(staff_path(call, "setup", "business", done="saved"))


def remove_logo(call: Call[DeclaredForm, None]) -> Answer:
    """Take the logo away."""
    read((), call.body.typed, speech_of(call), ())
    with suppress(Missing):  # it is gone already
        catalogue.remove_logo(call.desk, call.actor)
    return go(staff_path(call, "setup", "business", done="removed"))


def _page(call: Call[Any, Any], filled: Filled, version: str, theirs: Typed | None = None, status: int = 0) -> Answer:
    form = Form(FIELDS, filled, lists_of(call), theirs)
    accent = form.text("accent")
    status = status or (422 if filled.wrong else 200)
    return page(
        call,
        "profile",
        "setup",
        status,
        part="business",
        sections=SECTIONS,
        form=form,
        version=version,
        may_write="admin" in call.actor.scopes,
        shades={name: _shades(accent if theme_can(accent) else OURS, name) for name in ("light", "dark")},
        logo=_logo_path(call),
        most=MAX_BYTES,
        done=said_of(getattr(call.query, "done", "")),
    )


def theme_can(accent: str) -> bool:
    """Whether this is a colour from which shades can be made."""
    return (
        len(accent) == len(OURS) and accent[0] == "#" and all(each in "0123456789abcdefABCDEF" for each in accent[1:])
    )


def _shades(accent: str, ground: str) -> dict[str, str]:
    found = theme.shades(accent, is_dark=ground == "dark")
    return {"accent": found.accent, "onAccent": found.on_accent, "tint": found.tint}


def _logo_path(call: Call[Any, Any]) -> str:
    """Where the logo is; empty without one."""
    try:
        kept = catalogue.logo(call.desk, call.actor)
    except Missing:
        return ""
    return path(call.request.base, "look", call.actor.business, "logo", v=str(kept.version))
