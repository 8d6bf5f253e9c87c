"""Who looks at the pages on which visitors book: in which language, by which clock, and from within which page."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from slotkeeper.core.service import Business
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import local, zone_names
from slotkeeper.web.look.branding import logo_of
from slotkeeper.web.look.drawing import draw, path
from slotkeeper.web.look.languages import CODES, Speech, chosen, speech
from slotkeeper.web.look.styling import style_of
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.visitors.routes import Look


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor. `lang` is the language that was asked for, `zone` that of their own clock; both empty where unknown.
    `is_framed`: a page of somebody else's shows ours, so that ours need not say whose it is."""

    base: str
    business: str
    speech: Speech
    lang: str = ""
    zone: str = ""
    is_framed: bool = False

    @property
    def carried(self) -> dict[str, str]:
        """What every link says, so that it stays as it was chosen."""
        return {"lang": self.lang, "zone": self.zone, "embed": "1" if self.is_framed else ""}

    def path(self, *parts: str, **query: str) -> str:
        """An address of the business's pages."""
        return path(self.base, self.business, *parts, **{**self.carried, **query})


def guest_of(call: Call[Any, Look], business: Business) -> Guest:
    """Who asks. A language that we do not speak, or a zone that there is not, is passed over."""
    query, accepted = call.query, call.request.headers.get("accept-language", "")
    lang = query.lang.lower() if query.lang.lower() in CODES else ""
    return Guest(
        base=call.request.base,
        business=call.actor.business,
        speech=chosen(lang, accepted, business.language),
        lang=lang,
        zone=query.zone if query.zone in zone_names() else "",
        is_framed=bool(query.embed),
    )


def page(
    template: str, call: Call[Any, Look], guest: Guest, business: Business, status: int = 200, /, **facts: object
) -> Answer:
    """The page, with what all of them need."""
    style = style_of(business.accent)
    common = {
        "guest": guest,
        "business": business,
        "style": style.text,
        "logo": logo_of(call.desk, call.actor, guest.base),
        "home": guest.path(),
        "framed": guest.is_framed,
        "languages": _languages(call, guest),
        "asks_zone": call.request.method != "POST",
        "clock_minutes": _clock_minutes,
    }
    body = draw(f"visitors/{template}", guest.speech, guest.base, **(common | facts))
    return Answer(body, status, style=style.source)


def _clock_minutes(at: Instant, zone: str) -> int:
    """By how many minutes the zone's clock is ahead of UTC at that time."""
    return int((local(at, zone).utcoffset() or timedelta()).total_seconds()) // 60


def _languages(call: Call[Any, Look], guest: Guest) -> Sequence[tuple[str, str, str]]:
    """The languages by code, each with its own name and where the same page is in it."""
    query = call.query
    here = {**guest.carried, "with": query.with_, "day": query.day}
    parts = call.request.path[1:].split("/")
    return [(code, speech(code).name, path(guest.base, *parts, **{**here, "lang": code})) for code in CODES]
