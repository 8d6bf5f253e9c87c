"""The routes that need no key: what a business offers to everyone, and booking it."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from slotkeeper.core.appointment import Contact
from slotkeeper.core.service import Business, Service
from slotkeeper.core.value import Id
from slotkeeper.desk import booking, catalogue
from slotkeeper.desk.orders import Order
from slotkeeper.web import slots
from slotkeeper.web.appointments import REPLAYED, Body, Members, checked, told
from slotkeeper.web.bodies import bounded, instant
from slotkeeper.web.routes import Answer, Call, Route
from slotkeeper.web.views import HoldView, ListView, PublicView, Time, View, public_view

TOPIC = "Without a key"


class Visitor(Body, frozen=True, kw_only=True):
    """Who books."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    phone: Annotated[str, Meta(max_length=40)] = ""
    language: Annotated[str, Meta(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?\Z")] = ""
    zone: Annotated[str, Meta(max_length=64)] = ""


class PublicBookBody(Body, frozen=True, kw_only=True):
    """A booking by a visitor."""

    service_id: Id
    start_time: Time
    customer: Visitor
    resource_ids: Members = ()
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    hold_id: Id | None = None


class PublicBusiness(View, frozen=True, kw_only=True):
    """A business as everyone may see it."""

    id: str
    name: str
    zone: str
    language: str
    location: str


class PublicService(View, frozen=True, kw_only=True):
    """A service as everyone may see it."""

    id: str
    name: str
    description: str
    duration_minutes: int
    needs_confirmation: bool
    cancel_notice_minutes: int
    location: str
    zone: str


class PublicBookedView(View, frozen=True, kw_only=True):
    """The appointment that was made."""

    appointment_id: str
    message: str
    appointment: PublicView


def business(call: Call[None, None]) -> Answer:
    """The business."""
    item = catalogue.profile(call.desk, call.actor)
    value: Business = item.value
    view = PublicBusiness(
        id=item.id, name=value.name, zone=value.zone, language=value.language, location=value.location
    )
    return Answer(view, tag=str(item.version))


def services(call: Call[None, None]) -> Answer:
    """The services that everyone may book."""
    profile = catalogue.profile(call.desk, call.actor).value
    items = catalogue.items(call.desk, call.actor, "service")
    views = [_service(each.id, each.value, profile) for each in items if each.value.public and each.value.active]
    return Answer(ListView(items=views, next_cursor=None))


def book(call: Call[PublicBookBody, None]) -> Answer:
    """Book a service."""
    body = call.body
    who = body.customer
    order = Order(
        start=instant(body.start_time, "startTime"),
        service_id=body.service_id,
        resource_ids=body.resource_ids,
        contact=checked(Contact(name=who.name, email=who.email, phone=who.phone, language=who.language, zone=who.zone)),
        details=bounded(body.details),
        hold_id=body.hold_id or "",
        request_key=call.request_key,
    )
    booked = booking.book(call.desk, call.actor, order)
    view = PublicBookedView(
        appointment_id=booked.appointment.id,
        message=told(booked.appointment),
        appointment=public_view(booked.appointment),
    )
    return Answer(view, 201, headers=REPLAYED if booked.is_repeat else ())


def _service(id: str, service: Service, business: Business) -> PublicService:
    return PublicService(
        id=id,
        name=service.name,
        description=service.description,
        duration_minutes=service.duration_minutes,
        needs_confirmation=service.needs_confirmation,
        cancel_notice_minutes=service.cancel_notice_minutes,
        location=service.location or business.location,
        zone=service.zone or business.zone,
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/public/{business}",
        handler=business,
        access="public",
        topic=TOPIC,
        summary="Show a business",
        answers={200: PublicBusiness},
    ),
    Route(
        method="GET",
        pattern="/public/{business}/services",
        handler=services,
        access="public",
        topic=TOPIC,
        summary="List the services that everyone may book",
        answers={200: ListView[PublicService]},
    ),
    Route(
        method="GET",
        pattern="/public/{business}/slots",
        handler=slots.slots,
        access="public",
        topic=TOPIC,
        summary="List the slots of a service",
        query=slots.SlotQuery,
        answers={200: slots.SlotsView},
    ),
    Route(
        method="POST",
        pattern="/public/{business}/holds",
        handler=slots.hold,
        access="public",
        topic=TOPIC,
        summary="Keep a slot while the form is filled in",
        body=slots.HoldBody,
        answers={201: HoldView},
        is_repeatable=True,
        refuses=True,
        example={"serviceId": "checkup", "startTime": "2026-12-01T09:00:00Z"},
    ),
    Route(
        method="DELETE",
        pattern="/public/{business}/holds/{id}",
        handler=slots.release_hold,
        access="public",
        topic=TOPIC,
        summary="Give a held slot back",
        answers={204: None},
    ),
    Route(
        method="POST",
        pattern="/public/{business}/appointments",
        handler=book,
        access="public",
        topic=TOPIC,
        summary="Book a service",
        body=PublicBookBody,
        answers={201: PublicBookedView},
        is_repeatable=True,
        refuses=True,
        example={
            "serviceId": "checkup",
            "startTime": "2026-12-01T09:00:00Z",
            "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
        },
    ),
)
