"""The booking pages for visitors: choose a service, a time, say who you are, and book.

Each step is an address of its own, so that Back works; only the last one, a POST, changes anything. There is no cookie,
and no script is needed: the token in the form is all that a visit consists of. The script of the pages keeps a time
while the form is filled in.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from slotkeeper.core.appointment import Appointment, as_opened
from slotkeeper.core.errors import HoldGone, Invalid, KeyReused, Missing, Refused, TooSoon
from slotkeeper.core.service import Business
from slotkeeper.core.slots import nearest
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant, parse_instant
from slotkeeper.core.zones import local
from slotkeeper.desk import booking, catalogue, holds
from slotkeeper.desk.orders import Order, id_for
from slotkeeper.desk.refusing import ALTERNATIVES, DAYS_LOOKED_AHEAD
from slotkeeper.documents import appointment_key
from slotkeeper.ledger import Reading
from slotkeeper.linking import Links
from slotkeeper.web.look.drawing import path
from slotkeeper.web.problems import kind_of
from slotkeeper.web.routes import ID, Answer, Call
from slotkeeper.web.visitors import wording
from slotkeeper.web.visitors.choice import Asked, Offered, clock_change, days, offered, starts_of
from slotkeeper.web.visitors.form import LONGEST, contact_of, tidy
from slotkeeper.web.visitors.guest import Guest, guest_of, page
from slotkeeper.web.visitors.routes import BookingForm, Look
from slotkeeper.web.visitors.wording import GONE, LOST, Words

FEW_PEOPLE = 8
"""As many are shown side by side; of more, one is chosen from a list."""


class Step(msgspec.Struct, frozen=True):
    """Where a visitor is: who they are, which service they look at, and what they want of it."""

    call: Call[Any, Look]
    guest: Guest
    it: Offered
    asked: Asked

    @property
    def person(self) -> str:
        """The name of the person that is asked for; empty for nobody in particular."""
        return self.it.people.get(self.asked.person, "")

    @property
    def wish(self) -> dict[str, str]:
        return {"with": self.asked.person}

    def times_path(self, day: str = "") -> str:
        return self.guest.path(self.it.id, day=day, **self.wish)

    def start_path(self, start: Instant) -> str:
        return self.guest.path(self.it.id, format_instant(start), **self.wish)

    def page(self, template: str, status: int = 200, /, **facts: object) -> Answer:
        common = {"step": self, "it": self.it, "person": self.asked.person}
        return page(template, self.call, self.guest, self.it.business, status, **(common | facts))


def home(call: Call[None, Look]) -> Answer:
    """The business and what can be booked there."""
    business: Business = catalogue.profile(call.desk, call.actor).value
    guest = guest_of(call, business)
    items = catalogue.items(call.desk, call.actor, "service")
    services = [(guest.path(each.id), each.value) for each in items if each.value.public and each.value.active]
    return page("home", call, guest, business, services=services)


def times(call: Call[None, Look]) -> Answer:
    """Who, which day, and the times that are free."""
    step = _step(call)
    it, guest = step.it, step.guest
    found = days(call.desk, call.actor, it, step.asked)
    shown = found.chosen.starts if found.chosen else []
    at = shown[0] if shown else call.desk.now()
    return step.page(
        "times",
        found=found,
        at=at,
        parts=wording.by_part_of_day(guest.speech, shown, it.zone),
        change=clock_change(found.chosen.date, it.zone) if found.chosen else None,
        is_elsewhere=not it.service.remote and wording.is_elsewhere(guest.zone, it.zone, at),
        has_few=len(it.people) <= FEW_PEOPLE,
        date=lambda start: local(start, it.zone).date(),
        day_words=lambda day: wording.day_words(guest.speech, day, found.today),
        months=partial(wording.months, guest.speech),
        amount=wording.amount,
        initials=wording.initials,
        zone_options=wording.zone_options,
    )


def form(call: Call[None, Look]) -> Answer:
    """The form, for a time that is still free. Nothing is kept by looking: a hold for everyone who looks, or whose
    browser does in advance, would keep others from booking."""
    return _ask(_step(call), _start(call), None)


def book(call: Call[BookingForm, Look]) -> Answer:
    """Book what the form says, once however often it is sent, and lead to the page that shows it."""
    step, start = _step(call), _start(call)
    sent, wrong = tidy(call.body, step.guest.speech)
    if sent.show:
        _give_back(call, sent.hold)
        return _ask(step, start, sent)
    if wrong:
        return _form(step, start, sent, wrong)
    order = Order(
        start=start,
        service_id=step.it.id,
        resource_ids=(step.asked.person,) if step.asked.person else (),
        contact=contact_of(sent, step.guest),
        details={"notes": sent.notes} if sent.notes else {},
        hold_id=sent.hold,
        request_key=sent.once,
    )
    try:
        appointment = _booked(call, order)
    except Refused as refused:
        kind = kind_of(refused)
        return _lost(step, start, wording.words_of(refused), _alternatives(refused), sent, kind.status if kind else 409)
    return Answer(b"", 303, headers=(("location", _visit_path(step, appointment)),))


def _booked(call: Call[Any, Look], order: Order) -> Appointment:
    """The appointment: in the time that is held, or without the hold when that is gone.

    Raises:
        Refused: as of booking.
    """
    if order.hold_id:
        try:
            return booking.book(call.desk, call.actor, order).appointment
        except (HoldGone, KeyReused):
            _give_back(call, order.hold_id)
            order = replace(order, hold_id="")
    try:
        return booking.book(call.desk, call.actor, order).appointment
    except KeyReused:
        earlier = _sent_before(call, order)
        if earlier is None:
            raise
        return earlier


def _give_back(call: Call[Any, Look], hold_id: str) -> None:
    """Let go of a time that the visitor does not want any more."""
    if hold_id:
        with suppress(Missing):
            holds.release_hold(call.desk, call.actor, hold_id)


def _sent_before(call: Call[Any, Look], order: Order) -> Appointment | None:
    """What the same form has booked before, when nothing else is different than what kept the time: who comes back
    to a form and sends it again may hold nothing any more."""
    id = id_for("apt", call.actor, order.request_key, call.desk.new_id)
    found = Reading(call.desk.store).value(appointment_key(call.actor.business, id.value), Appointment)
    if found is None:
        return None
    first = as_opened(found)
    is_same = (first.service_id, first.start, first.contact, first.details) == (
        order.service_id,
        order.start,
        order.contact,
        order.details,
    )
    return found if is_same and set(order.resource_ids) <= set(first.resource_ids) else None


def _visit_path(step: Step, appointment: Appointment) -> str:
    """The page on which the visitor sees to the appointment from now on."""
    business = step.call.actor.business
    token = Links(step.call.desk.store).appointment_token(business, appointment)
    return path(step.guest.base, "visit", business, token, new="1", **step.guest.carried)


def _step(call: Call[Any, Look]) -> Step:
    """Where the visitor is. Raises `Missing` for a stranger among the people of the service."""
    business: Business = catalogue.profile(call.desk, call.actor).value
    guest, query = guest_of(call, business), call.query
    it = offered(call.desk, call.actor, call.ids["service"], guest.zone)
    if query.with_ and query.with_ not in it.people:
        raise Missing("resource", query.with_)
    hold = query.hold if ID.match(query.hold) else ""
    return Step(call, guest, it, Asked(person=query.with_, day=query.day, hold=hold))


def _start(call: Call[Any, Look]) -> Instant:
    try:
        return parse_instant(call.ids["start"])
    except Invalid:
        raise Missing("time", call.ids["start"]) from None


def _ask(step: Step, start: Instant, typed: BookingForm | None) -> Answer:
    """The form for the time, with what was typed for another one; or other times, when it is not free."""
    call = step.call
    now = call.desk.now()
    first = max(Instant(start - DAY_SECONDS), now)
    around = starts_of(call.desk, call.actor, step.it, step.asked, first, DAYS_LOOKED_AHEAD)
    if start not in around:
        words = LOST[TooSoon] if start <= now else GONE
        return _lost(step, start, words, nearest(around, start, ALTERNATIVES), typed, 409)
    once = call.desk.new_id("once")
    return _form(step, start, replace(typed, once=once, hold="") if typed else BookingForm(once=once))


def _form(step: Step, start: Instant, typed: BookingForm, wrong: dict[str, str] | None = None) -> Answer:
    it, guest = step.it, step.guest
    day = local(start, it.zone).date()
    return step.page(
        "form",
        422 if wrong else 200,
        at=start,
        start=format_instant(start),
        day=day,
        rows=wording.rows(guest, it, start, step.person),
        typed=typed,
        wrong=wrong or {},
        longest=LONGEST,
        holding=path(guest.base, "public", guest.business, "holds"),
        seconds=_kept_seconds(step.call, typed.hold),
        action=step.start_path(start),
        back=step.times_path(day.isoformat()),
    )


def _kept_seconds(call: Call[Any, Look], hold_id: str) -> int:
    """For how long the hold still keeps the time; 0 without one."""
    if not hold_id:
        return 0
    try:
        return holds.find_hold(call.desk, call.actor, hold_id).expires - call.desk.now()
    except Missing:
        return 0


def _lost(
    step: Step, start: Instant, words: Words, near: Sequence[Instant], typed: BookingForm | None, status: int
) -> Answer:
    """What stands in the way, and the nearest times. What was typed goes along to each of them."""
    say, speech, zone = step.guest.speech.say, step.guest.speech, step.it.zone
    title, text = words
    return step.page(
        "lost",
        status,
        at=start,
        title=say(title),
        text=say(text),
        near=[(step.start_path(each), speech.day(local(each, zone).date()), speech.time(each, zone)) for each in near],
        typed=typed,
        once=step.call.desk.new_id("once"),
        back=step.times_path(),
    )


def _alternatives(refused: Refused) -> list[Instant]:
    spans: Any = refused.facts.get("alternatives", ())
    return [parse_instant(span["startTime"]) for span in spans]
