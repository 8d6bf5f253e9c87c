"""Looking for slots: of a service, or for several members at once."""

import msgspec

from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.rules import Facts
from slotkeeper.core.service import Need, Service, check_apart, check_service
from slotkeeper.core.slots import instants, offered
from slotkeeper.core.ticks import DAY_SECONDS, Instant, Window, day_of
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import Question, business_of, gather, needed, service_of, zone_of
from slotkeeper.ledger import Reading

MAX_DAYS = 92
MAX_MEMBERS = 5000


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Slots that start in `first <= start < last`. With `resource_ids` only those that these resources can serve."""

    first: Instant
    last: Instant
    resource_ids: tuple[str, ...] = ()
    customer_id: str = ""
    ignoring: tuple[str, ...] = ()


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """A time for `required` of the members, or for all of them when it is None."""

    member_ids: tuple[str, ...]
    required: int | None = None
    minutes: int
    step_minutes: int = 15


class Offers(msgspec.Struct, frozen=True):
    """The starts on offer as ticks of a window of whole days, each `seconds` long, and the zone of the place."""

    window: Window
    ticks: int
    seconds: int
    zone: str

    @property
    def starts(self) -> list[Instant]:
        """The starts, ascending."""
        return instants(self.window, self.ticks)


def service_slots(desk: Desk, actor: Actor, service_id: str, search: Search) -> Offers:
    """The slots of a service, by exactly the rules that a booking is judged by.

    Raises:
        Missing: no such service, or one of its pools is gone. Invalid: the range is empty or longer than 92 days.
    """
    reading, now = Reading(desk.store), desk.now()
    service = service_of(reading, actor.business, service_id)
    if actor.is_public and not service.public:
        raise Missing("service", service_id)
    facts = gather(desk, reading, _question(actor, service, search, now), service_id, service)
    return _offers(facts, search)


def meeting_slots(desk: Desk, actor: Actor, meeting: Meeting, search: Search) -> Offers:
    """The times at which enough of the members are open and free.

    Raises:
        Invalid: the members, their number or the range make no sense.
    """
    reading, now = Reading(desk.store), desk.now()
    count = len(meeting.member_ids) if meeting.required is None else meeting.required
    if not 1 <= len(meeting.member_ids) <= MAX_MEMBERS:
        raise Invalid(f"name 1 to {MAX_MEMBERS} members", field="members")
    check_apart([meeting.member_ids])
    if not 1 <= count <= len(meeting.member_ids):
        raise Invalid(f'required must be 1 to {len(meeting.member_ids)}, or "all"', field="required")
    service = Service(
        name="meeting",
        duration_minutes=meeting.minutes,
        step_minutes=meeting.step_minutes,
        horizon_days=3660,
        needs=(Need(all_of=meeting.member_ids),),
    )
    check_service(service)
    question = _question(actor, service, search, now)
    business = business_of(reading, actor.business)
    facts = Facts(
        window=question.window,
        now=now,
        service=service,
        zone=zone_of(service, business),
        needs=needed(desk, reading, question, [(meeting.member_ids, count)]),
        service_open=question.window.full,
    )
    return _offers(facts, search)


def _offers(facts: Facts, search: Search) -> Offers:
    ticks = offered(facts, search.first, search.last)
    return Offers(facts.window, ticks, facts.service.duration_minutes * 60, facts.zone)


def _question(actor: Actor, service: Service, search: Search, now: Instant) -> Question:
    """The search as a question over whole UTC days, wide enough for the claims of its first and last start."""
    if not search.first < search.last:
        raise Invalid("to must be after from", field="to")
    if search.last - search.first > MAX_DAYS * DAY_SECONDS:
        raise Invalid(f"ask for at most {MAX_DAYS} days at a time", field="to")
    whole = service.duration_minutes + service.buffer_after_minutes
    first = day_of(Instant(search.first - service.buffer_before_minutes * 60))
    last = day_of(Instant(search.last + whole * 60))
    return Question(
        business=actor.business,
        window=Window.of_days(first, last - first + 1),
        now=now,
        customer_id=actor.customer_id or search.customer_id,
        pinned=search.resource_ids,
        ignoring=search.ignoring,
    )
