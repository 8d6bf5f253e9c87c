"""The routes of slots and holds: looking for a time, and keeping one for a while."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.core.value import Id
from slotkeeper.desk import holds
from slotkeeper.desk.search import MAX_MEMBERS, Meeting, Offers, Search, meeting_slots, service_slots
from slotkeeper.web.appointments import Body, Members
from slotkeeper.web.bodies import instant
from slotkeeper.web.queries import moment
from slotkeeper.web.routes import Answer, Call, Route
from slotkeeper.web.spans import spans_json
from slotkeeper.web.views import HoldView, Span, Time, View, hold_view

TOPIC = "Slots and holds"
A_WEEK = 7 * DAY_SECONDS


class SlotQuery(Body, frozen=True, kw_only=True):
    """Slots of a service that start in `from <= start < to`: from now on, and for a week, unless said otherwise.

    A hold's own time counts as free.
    """

    service_id: Id
    from_: str = msgspec.field(default="", name="from")
    to: str = ""
    resource_id: Members = ()
    hold_id: Id | None = None


class SearchBody(Body, frozen=True, kw_only=True):
    """A time at which `required` of the members, or all of them, are open and free."""

    members: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MAX_MEMBERS)]
    required: Annotated[int, Meta(ge=1)] | Literal["all"] = "all"
    duration_minutes: Annotated[int, Meta(ge=5, le=10_080)]
    step_minutes: Annotated[int, Meta(ge=5, le=1440)] = 15
    from_: Time = msgspec.field(name="from")
    to: Time


class HoldBody(Body, frozen=True, kw_only=True):
    """A slot to be kept."""

    service_id: Id
    start_time: Time
    resource_ids: Members = ()
    seconds: Annotated[int, Meta(ge=1, le=holds.MAX_SECONDS)] = holds.DEFAULT_SECONDS


class SlotsView(View, frozen=True, kw_only=True):
    """Slots by start, and the zone of the place."""

    items: list[Span]
    next_cursor: str | None
    zone: str


def slots(call: Call[None, SlotQuery]) -> Answer:
    """The slots of a service."""
    query = call.query
    first = moment(query.from_, "from") if query.from_ else call.desk.now()
    search = Search(
        first=first,
        last=moment(query.to, "to") if query.to else Instant(first + A_WEEK),
        resource_ids=query.resource_id,
        ignoring=(query.hold_id,) if query.hold_id else (),
    )
    return Answer(_shown(service_slots(call.desk, call.actor, query.service_id, search)))


def search(call: Call[SearchBody, None]) -> Answer:
    """The times that suit enough of the members."""
    body = call.body
    meeting = Meeting(
        member_ids=body.members,
        required=None if body.required == "all" else body.required,
        minutes=body.duration_minutes,
        step_minutes=body.step_minutes,
    )
    span = Search(first=instant(body.from_, "from"), last=instant(body.to, "to"))
    return Answer(_shown(meeting_slots(call.desk, call.actor, meeting, span)))


def hold(call: Call[HoldBody, None]) -> Answer:
    """Keep a slot for a while."""
    body = call.body
    order = holds.HoldOrder(
        service_id=body.service_id,
        start=instant(body.start_time, "startTime"),
        resource_ids=body.resource_ids,
        seconds=body.seconds,
        request_key=call.request_key,
    )
    return Answer(hold_view(holds.hold(call.desk, call.actor, order)), 201)


def find_hold(call: Call[None, None]) -> Answer:
    """A hold that is live."""
    return Answer(hold_view(holds.find_hold(call.desk, call.actor, call.ids["id"])))


def release_hold(call: Call[None, None]) -> Answer:
    """Give the slot back."""
    holds.release_hold(call.desk, call.actor, call.ids["id"])
    return Answer(status=204)


class _Drawn(View, frozen=True, kw_only=True):
    """A `SlotsView` whose items are JSON already."""

    items: msgspec.Raw
    next_cursor: str | None
    zone: str


def _shown(offers: Offers) -> _Drawn:
    items = spans_json(offers.window, offers.ticks, offers.seconds)
    return _Drawn(items=msgspec.Raw(items), next_cursor=None, zone=offers.zone)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/slots",
        handler=slots,
        access="read",
        topic=TOPIC,
        summary="List the slots of a service",
        query=SlotQuery,
        answers={200: SlotsView},
    ),
    Route(
        method="POST",
        pattern="/slots/search",
        handler=search,
        access="read",
        topic=TOPIC,
        summary="Find times that suit several members",
        body=SearchBody,
        answers={200: SlotsView},
        example={
            "members": ["ada", "grace", "room-1"],
            "required": "all",
            "durationMinutes": 60,
            "from": "2026-12-01T00:00:00Z",
            "to": "2026-12-08T00:00:00Z",
        },
    ),
    Route(
        method="POST",
        pattern="/holds",
        handler=hold,
        access="book",
        topic=TOPIC,
        summary="Keep a slot for a while",
        body=HoldBody,
        answers={201: HoldView},
        is_repeatable=True,
        refuses=True,
        example={"serviceId": "checkup", "startTime": "2026-12-01T09:00:00Z", "seconds": 300},
    ),
    Route(
        method="GET",
        pattern="/holds/{id}",
        handler=find_hold,
        access="book",
        topic=TOPIC,
        summary="Show a hold",
        answers={200: HoldView},
    ),
    Route(
        method="DELETE",
        pattern="/holds/{id}",
        handler=release_hold,
        access="book",
        topic=TOPIC,
        summary="Give a held slot back",
        answers={204: None},
    ),
)
