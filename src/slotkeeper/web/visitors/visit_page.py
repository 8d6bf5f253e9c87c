"""One appointment as its link shows it: who opened it, in which state it is, and in which words that is said."""

from datetime import date
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.service import Business, Resource, Service, place_of
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import local, zone_names
from slotkeeper.desk.agenda import appointment as appointment_of
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import business_of
from slotkeeper.documents import kind_key
from slotkeeper.ledger import Reading
from slotkeeper.linking import Links
from slotkeeper.web.look.branding import logo_of
from slotkeeper.web.look.drawing import N_, draw, path
from slotkeeper.web.look.languages import CODES, Speech, chosen, speech
from slotkeeper.web.look.styling import style_of
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.visitors.visit_routes import VisitQuery

State = Literal[
    "pending", "lapsed", "booked", "attending", "begun", "over", "checkedIn", "completed", "declined", "cancelled",
    "noShow",
]  # fmt: skip
"""What the page tells of: the appointment's status, and what the clock and the customer have made of it."""

TITLES: dict[State, str] = {
    "pending": N_("We have your request"),
    "lapsed": N_("Your request was not answered in time"),
    "booked": N_("Your appointment"),
    "attending": N_("We are expecting you"),
    "begun": N_("Your appointment has begun"),
    "over": N_("This appointment is over"),
    "checkedIn": N_("You have arrived"),
    "completed": N_("Thank you for your visit"),
    "declined": N_("Your request was declined"),
    "cancelled": N_("Your appointment is cancelled"),
    "noShow": N_("We missed you"),
}

OPEN: frozenset[State] = frozenset({"pending", "booked", "attending"})
"""The states in which the customer can still change it, as far as the service lets them."""

LINK = "link"
"""Who has done what was done by a link, among an appointment's events."""

HIDDEN = (("cache-control", "no-store"), ("x-robots-tag", "noindex, nofollow"))
"""The address is a credential: nobody keeps a copy of the page, and no search engine finds it."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What the link opens. `actor` may see and change this one appointment, `names` are those who serve."""

    call: Call[Any, VisitQuery]
    actor: Actor
    appointment: Appointment
    business: Business
    service: Service | None
    names: tuple[str, ...]
    speech: Speech

    @property
    def desk(self) -> Desk:
        return self.call.desk

    @property
    def base(self) -> str:
        return self.call.request.base

    @property
    def query(self) -> VisitQuery:
        return self.call.query

    @property
    def state(self) -> State:
        it, now = self.appointment, self.desk.now()
        if it.status == "expired" or (it.status == "pending" and (it.start <= now or 0 < it.expires <= now)):
            return "lapsed"
        if it.status != "booked":
            return it.status
        if it.start <= now:
            return "over" if it.end <= now else "begun"
        return "attending" if it.attending else "booked"

    @property
    def is_remote(self) -> bool:
        return self.service is not None and self.service.remote

    @property
    def zone(self) -> str:
        """The zone in which times are shown first: the place's, or the customer's own where there is no place."""
        return (self.own_zone if self.is_remote else "") or self.appointment.zone

    @property
    def own_zone(self) -> str:
        """The zone of the customer's own clock; empty where that is unknown."""
        asked = self.query.zone
        return asked if asked in zone_names() else self.appointment.contact.zone

    @property
    def deadline(self) -> Instant:
        """Until when the customer may move or cancel it: as long as it is a request, until it begins."""
        minutes = self.service.cancel_notice_minutes if self.service and self.appointment.status == "booked" else 0
        return Instant(self.appointment.start - minutes * 60)

    @property
    def is_open(self) -> bool:
        """Whether the customer can still move or cancel it."""
        return self.state in OPEN and self.desk.now() <= self.deadline

    @property
    def can_move(self) -> bool:
        """An appointment without a service has no rules by which another time could be offered."""
        return self.is_open and self.service is not None

    @property
    def carried(self) -> dict[str, str]:
        """What every link says, so that it stays as it was chosen."""
        return {"lang": self.query.lang, "zone": self.query.zone, "embed": self.query.embed}

    def path(self, *parts: str, **query: str) -> str:
        """An address below the link."""
        return path(
            self.base, "visit", self.actor.business, self.call.ids["token"], *parts, **{**self.carried, **query}
        )

    def booking_path(self) -> str:
        """Where the same can be booked again, or what else there is."""
        it = self.service
        again = (self.appointment.service_id,) if it is not None and it.public and it.active else ()
        return path(self.base, self.actor.business, *again, **self.carried)

    def moment(self, instant: Instant) -> str:
        return self.speech.moment(instant, self.zone)

    def date(self, instant: Instant) -> date:
        return local(instant, self.zone).date()


def opened(call: Call[Any, VisitQuery]) -> Visit:
    """What the link opens.

    Raises:
        Missing: it is forged, or opens nothing that is there. Expired: its time is over.
    """
    desk, business_id, token = call.desk, call.actor.business, call.ids["token"]
    id = Links(desk.store).appointment_of(business_id, token, desk.now())
    actor = replace(call.actor, id=LINK, appointment_id=id)
    appointment = appointment_of(desk, actor, id)
    reading = Reading(desk.store)
    keys = [kind_key(business_id, "resource", each) for each in appointment.resource_ids]
    service_key = kind_key(business_id, "service", appointment.service_id) if appointment.service_id else None
    reading.fetch([*keys, *([service_key] if service_key else [])])
    resources = [reading.value(key, Resource) for key in keys]
    business = business_of(reading, business_id)
    return Visit(
        call=call,
        actor=actor,
        appointment=appointment,
        business=business,
        service=reading.value(service_key, Service) if service_key else None,
        names=tuple(each.name for each in resources if each is not None and each.kind != "equipment"),
        speech=_speech(call, appointment.contact.language, business),
    )


def page(it: Visit, template: str, status: int = 200, /, **facts: object) -> Answer:
    """A page about the appointment. `once` is for whatever form is on it."""
    look = _look(it.call, it.business)
    own = {"it": it, "rows": rows(it), "once": it.desk.new_id("once"), "title": it.speech.say(TITLES[it.state])}
    body = draw(f"visitors/{template}", it.speech, it.base, **(look | own | facts))
    return Answer(body, status, headers=HIDDEN, style=style_of(it.business.accent).source)


def faded(call: Call[Any, VisitQuery]) -> Answer:
    """The page for a link whose time is over: it says so to whoever has one that was good, and nothing of what it
    opened."""
    business = business_of(Reading(call.desk.store), call.actor.business)
    body = draw("visitors/visit_faded", _speech(call, "", business), call.request.base, **_look(call, business))
    return Answer(body, 410, headers=HIDDEN, style=style_of(business.accent).source)


def go(place: str) -> Answer:
    """Lead on after a form was sent (RFC 9110 15.4.4)."""
    return Answer(b"", 303, headers=(("location", place), *HIDDEN))


def rows(it: Visit) -> list[tuple[str, str, str]]:
    """What is known of the appointment: a word, what it is, and what should be known beside it."""
    say, words, here = it.speech.say, it.speech, it.appointment
    found = [
        (say("What"), it.service.name if it.service else say("Appointment"), words.length(length_of(here))),
        (say("When"), words.span(here.start, here.end, it.zone), words.zone(it.zone, here.start)),
    ]
    other = here.zone if it.is_remote else it.own_zone
    if other and not _is_alike(here.start, other, it.zone):
        word = say("At the place") if it.is_remote else say("Your clock shows")
        found.append((word, words.span(here.start, here.end, other), words.zone(other, here.start)))
    found.append((say("With"), ", ".join(it.names), ""))
    found.append((say("Where"), place_of(it.business, it.service), ""))
    return [row for row in found if row[1]]


def length_of(appointment: Appointment) -> int:
    """How long it takes, in minutes."""
    return (appointment.end - appointment.start) // 60


def _look(call: Call[Any, VisitQuery], business: Business) -> dict[str, object]:
    """What is around every page."""
    base, query = call.request.base, call.query
    carried = {"lang": query.lang, "zone": query.zone, "embed": query.embed}
    parts = ["visit", call.actor.business, call.ids["token"]]
    if call.request.method != "POST":
        parts = call.request.path[1:].split("/")
        carried |= {"day": query.day, "with": query.with_}
    return {
        "style": style_of(business.accent).text,
        "logo": logo_of(call.desk, call.actor, base),
        "home": path(base, call.actor.business, lang=query.lang, zone=query.zone, embed=query.embed),
        "business": business,
        "framed": bool(query.embed),
        "languages": [(code, speech(code).name, path(base, *parts, **{**carried, "lang": code})) for code in CODES],
        "asks_zone": False,
    }


def _is_alike(instant: Instant, one: str, other: str) -> bool:
    """Whether the clocks of both zones show the same then."""
    return local(instant, one).utcoffset() == local(instant, other).utcoffset()


def _speech(call: Call[Any, VisitQuery], usual: str, business: Business) -> Speech:
    """The language that was asked for, else the customer's, else what their browser likes."""
    asked = call.query.lang if call.query.lang.lower().partition("-")[0] in CODES else usual
    return chosen(asked, call.request.headers.get("accept-language", ""), business.language)
