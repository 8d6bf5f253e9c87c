"""The booking pages for visitors: choose a service, a time, say who you are, and see what was booked.

Each step is an address of its own, so that Back works; only the last one, a POST, changes anything. There is no script
and no cookie: the token in the form is all that a visit consists of.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from slotkeeper.core.errors import CustomerFull, Invalid, KeyReused, Missing, Refused, Taken, TooSoon
from slotkeeper.core.service import Business, Service
from slotkeeper.core.slots import nearest
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant, parse_instant
from slotkeeper.core.zones import local
from slotkeeper.desk import agenda, booking, catalogue
from slotkeeper.desk.orders import Order, id_for
from slotkeeper.desk.refusing import ALTERNATIVES, DAYS_LOOKED_AHEAD
from slotkeeper.ledger import Reading
from slotkeeper.notices.languages import LANGUAGES, date_text, when_text
from slotkeeper.web.problems import kind_of
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.visitors.choice import Offered, by_part_of_day, clock_text, days, offered, people, starts_of
from slotkeeper.web.visitors.form import LONGEST, BookingForm, contact_of, tidy
from slotkeeper.web.visitors.routes import Look

_WORDS = LANGUAGES["en"]
"""The language of the pages, and so of the dates on them."""

_GONE = ("This time cannot be booked", "It is not free any more, or never was. Nothing was booked.")
_LOST: dict[type[Refused], tuple[str, str]] = {
    Taken: ("Somebody was faster", "This time has just been taken. Nothing was booked for you."),
    TooSoon: ("It is too late for this time", "It has passed, or starts too soon to be booked. Nothing was booked."),
    CustomerFull: (
        "You have booked this already",
        "There are as many open appointments under your mail address as this service allows. Nothing more was booked.",
    ),
    KeyReused: (
        "This form was sent before",
        "It was sent before with something else in it, and that booking stands: look into your mail. "
        "To book another time, start again.",
    ),
}
"""What is said of a refusal, where more can be said than that the time is gone."""


Wrong = Mapping[str, str]
NOTHING: Wrong = MappingProxyType({})


def home(call: Call[None, Look]) -> Answer:
    """The business and what can be booked there."""
    business: Business = catalogue.profile(call.desk, call.actor).value
    items = catalogue.items(call.desk, call.actor, "service")
    services = [(_path(call, each.id), each.value) for each in items if each.value.public and each.value.active]
    return _page("home", call, business, services=services)


def times(call: Call[None, Look]) -> Answer:
    """Who, which day, and the times that are free."""
    it, person = _chosen(call)
    found = days(call.desk, call.actor, it, person, call.query.day)
    return _page(
        "times",
        call,
        it.business,
        it=it,
        person=person,
        found=found,
        parts=by_part_of_day(found.chosen.starts, it.zone) if found.chosen else [],
        day_path=lambda date: _path(call, it.id, day=date.isoformat(), **_with(person)),
        start_path=lambda start: _start_path(call, it, person, start),
        anyone=_path(call, it.id),
        full=lambda start: _full(start, it.zone),
        date=lambda start: local(start, it.zone).date(),
    )


def form(call: Call[None, Look]) -> Answer:
    """The form, for a time that is still free. Nothing is kept by looking: a hold for everyone who looks, or whose
    browser does in advance, would keep others from booking."""
    it, person = _chosen(call)
    start = _start(call)
    now = call.desk.now()
    around = starts_of(call.desk, call.actor, it, person, max(Instant(start - DAY_SECONDS), now), DAYS_LOOKED_AHEAD)
    if start not in around:
        words = _LOST[TooSoon] if start <= now else _GONE
        return _lost(call, it, person, words, nearest(around, start, ALTERNATIVES))
    return _form(call, it, person, start, BookingForm(once=call.desk.new_id("once")))


def book(call: Call[BookingForm, Look]) -> Answer:
    """Book what the form says, once however often it is sent, and lead to the page that shows it."""
    it, person = _chosen(call)
    start = _start(call)
    sent, wrong = tidy(call.body)
    if wrong:
        return _form(call, it, person, start, sent, wrong)
    order = Order(
        start=start,
        service_id=it.id,
        resource_ids=(person,) if person else (),
        contact=contact_of(sent),
        details={"notes": sent.notes} if sent.notes else {},
        request_key=sent.once,
    )
    try:
        appointment = booking.book(call.desk, call.actor, order).appointment
    except Refused as refused:
        words = next((words for kind, words in _LOST.items() if isinstance(refused, kind)), _GONE)
        kind = kind_of(refused)
        return _lost(call, it, person, words, _alternatives(refused), kind.status if kind else 409)
    return Answer(b"", 303, headers=(("location", _path(call, "booked", appointment.id, proof=sent.once)),))


def booked(call: Call[None, Look]) -> Answer:
    """What was booked.

    The proof is the token of the form. The appointment's id follows from it by SHA-256 and not the other way round, so
    that only who sent the form can ask, and no key of ours is needed. The page names no customer.
    """
    id, proof = call.ids["id"], call.query.proof
    if not proof or id_for("apt", call.actor, proof, call.desk.new_id).value != id:
        raise Missing("appointment", id)
    appointment = agenda.appointment(call.desk, call.actor, id)
    business: Business = catalogue.profile(call.desk, call.actor).value
    service: Service = catalogue.item(call.desk, call.actor, "service", appointment.service_id).value
    named = people(Reading(call.desk.store), call.actor.business, [appointment.resource_ids])
    return _page(
        "booked",
        call,
        business,
        appointment=appointment,
        facts=_facts(
            business, service, appointment.zone, appointment.start, ", ".join(named.values()), appointment.end
        ),
        until=_full(appointment.expires, appointment.zone) if appointment.expires else "",
    )


def _chosen(call: Call[Any, Look]) -> tuple[Offered, str]:
    """The service, and the person that is asked for, or nobody in particular. Raises `Missing` for a stranger."""
    it, person = offered(call.desk, call.actor, call.ids["service"]), call.query.with_
    if person and person not in it.people:
        raise Missing("resource", person)
    return it, person


def _start(call: Call[Any, Look]) -> Instant:
    try:
        return parse_instant(call.ids["start"])
    except Invalid:
        raise Missing("time", call.ids["start"]) from None


def _form(
    call: Call[Any, Look], it: Offered, person: str, start: Instant, typed: BookingForm, wrong: Wrong = NOTHING
) -> Answer:
    place_and_time = _facts(it.business, it.service, it.zone, start, it.people.get(person, ""))
    facts = {"it": it, "facts": place_and_time, "typed": typed, "wrong": wrong, "longest": LONGEST}
    back = _path(call, it.id, day=local(start, it.zone).date().isoformat(), **_with(person))
    return _page("form", call, it.business, 422 if wrong else 200, back=back, **facts)


def _lost(
    call: Call[Any, Look],
    it: Offered,
    person: str,
    words: tuple[str, str],
    near: Sequence[Instant],
    status: int = 409,
) -> Answer:
    links = [(_start_path(call, it, person, start), _full(start, it.zone)) for start in near]
    title, text = words
    back = _path(call, it.id, **_with(person))
    return _page("lost", call, it.business, status, it=it, title=title, text=text, links=links, back=back)


def _alternatives(refused: Refused) -> list[Instant]:
    spans: Any = refused.facts.get("alternatives", ())
    return [parse_instant(span["startTime"]) for span in spans]


def _facts(
    business: Business, service: Service, zone: str, start: Instant, person: str, end: Instant | None = None
) -> dict[str, str]:
    """What is booked, in rows of a word and what it is."""
    end = Instant(start + service.duration_minutes * 60) if end is None else end
    rows = {
        "What": service.name,
        "When": when_text(_WORDS, start, end, zone),
        "With": person,
        "Where": service.location or business.location,
    }
    return {word: text for word, text in rows.items() if text}


def _full(start: Instant, zone: str) -> str:
    """Such as `Tuesday 24 November 2026, 09:30`."""
    wall = local(start, zone)
    return f"{date_text(_WORDS, wall)}, {clock_text(wall)}"


def _with(person: str) -> dict[str, str]:
    return {"with": person} if person else {}


def _start_path(call: Call[Any, Look], it: Offered, person: str, start: Instant) -> str:
    return _path(call, it.id, format_instant(start), **_with(person))


def _path(call: Call[Any, Look], *parts: str, **query: str) -> str:
    path = call.request.base + "/".join(["", *(quote(part, safe=":@") for part in (call.actor.business, *parts))])
    return f"{path}?{urlencode(query)}" if query else path


def _page(template: str, call: Call[Any, Look], business: Business, status: int = 200, /, **facts: object) -> Answer:
    # Imported here: who never shows a page need not load Jinja2.
    from slotkeeper.web.look.branding import theme_address
    from slotkeeper.web.look.drawing import draw
    from slotkeeper.web.look.languages import chosen

    base, sent = call.request.base, call.request.headers
    speech = chosen("", sent.get("accept-language", ""), business.language)
    look = {"theme": theme_address(base, call.actor.business, business), "logo": ""}
    return Answer(
        draw(f"visitors/{template}", speech, base, business=business, home=_path(call), **look, **facts), status
    )
