"""The routes of the catalogue: the business, its services, resources, pools, schedules, customers and templates."""

from collections.abc import Iterator
from typing import Any

import msgspec

from slotkeeper.core.actor import Scope
from slotkeeper.core.service import Business
from slotkeeper.desk import catalogue
from slotkeeper.documents import CatalogueKind
from slotkeeper.web.routes import Answer, Call, Route
from slotkeeper.web.views import ListView


def view_type(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The type in which a thing of the catalogue is shown: its id, then all its fields, none left out."""
    fields = [("id", str), *((each.name, each.type) for each in msgspec.structs.fields(kind))]
    shown: type[msgspec.Struct] = msgspec.defstruct(
        f"{kind.__name__}View",
        fields,
        frozen=True,
        kw_only=True,
        rename="camel",
        forbid_unknown_fields=True,
        namespace={"__doc__": kind.__doc__},
        module=__name__,
    )
    return shown


BusinessView = view_type(Business)


class Collection(msgspec.Struct, frozen=True):
    """The routes of one kind of thing."""

    kind: CatalogueKind
    name: str
    value: type[msgspec.Struct]
    view: type[msgspec.Struct]
    reading: Scope
    writing: Scope

    def list(self, call: Call[None, None]) -> Answer:
        """All of them, by id."""
        items = catalogue.items(call.desk, call.actor, self.kind)
        return Answer(ListView(items=[self._shown(item) for item in items], next_cursor=None))

    def find(self, call: Call[None, None]) -> Answer:
        """One of them."""
        return self._answer(catalogue.item(call.desk, call.actor, self.kind, call.ids["id"]))

    def create(self, call: Call[Any, None]) -> Answer:
        """A new one, under a random id."""
        item = catalogue.create(call.desk, call.actor, self.kind, call.body)
        return self._answer(item, 201, (("location", f"/{self.name}/{item.id}"),))

    def put(self, call: Call[Any, None]) -> Answer:
        """One under an id of the caller's choice, in place of what is there."""
        item = catalogue.put(call.desk, call.actor, self.kind, call.ids["id"], call.body, call.seen)
        return self._answer(item, 201 if item.version == 1 else 200)

    def remove(self, call: Call[None, None]) -> Answer:
        """Take one away."""
        catalogue.remove(call.desk, call.actor, self.kind, call.ids["id"], call.seen)
        return Answer(status=204)

    def routes(self) -> Iterator[Route]:
        """The five routes."""
        one, many = self.kind, self.name
        here, there = f"/{many}", f"/{many}/{{id}}"
        shown, body = {200: self.view}, self.value
        common: dict[str, Any] = {"topic": many.capitalize()}
        yield Route(
            method="GET", pattern=here, handler=self.list, access=self.reading, summary=f"List the {many}",
            answers={200: ListView[self.view]}, **common,  # type: ignore[name-defined] # made at run time
        )  # fmt: skip
        yield Route(
            method="POST", pattern=here, handler=self.create, access=self.writing, summary=f"Add a {one}",
            body=body, answers={201: self.view}, example=EXAMPLES.get(one), **common,
        )  # fmt: skip
        yield Route(
            method="GET", pattern=there, handler=self.find, access=self.reading, summary=f"Show a {one}",
            answers=shown, **common,
        )  # fmt: skip
        yield Route(
            method="PUT", pattern=there, handler=self.put, access=self.writing, summary=f"Add or replace a {one}",
            body=body, answers=shown | {201: self.view}, is_conditional=True, refuses=True,
            example=EXAMPLES.get(one), **common,
        )  # fmt: skip
        yield Route(
            method="DELETE", pattern=there, handler=self.remove, access=self.writing, summary=f"Remove a {one}",
            answers={204: None}, is_conditional=True, refuses=True, **common,
        )  # fmt: skip

    def _answer(self, item: catalogue.Item[Any], status: int = 200, headers: Any = ()) -> Answer:
        return Answer(self._shown(item), status, str(item.version), headers)

    def _shown(self, item: catalogue.Item[Any]) -> msgspec.Struct:
        return self.view(id=item.id, **_members(item.value))


def business(call: Call[None, None]) -> Answer:
    """The business."""
    return _business_answer(catalogue.profile(call.desk, call.actor))


def put_business(call: Call[Business, None]) -> Answer:
    """The business, described anew."""
    return _business_answer(catalogue.put_profile(call.desk, call.actor, call.body, call.seen))


def _business_answer(item: catalogue.Item[Business]) -> Answer:
    return Answer(BusinessView(id=item.id, **_members(item.value)), tag=str(item.version))


def _members(value: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


EXAMPLES: dict[str, dict[str, Any]] = {
    "service": {
        "name": "Check-up",
        "durationMinutes": 30,
        "bufferAfterMinutes": 10,
        "noticeMinutes": 60,
        "needs": [{"anyOf": "doctors"}, {"allOf": ["room-1"]}],
    },
    "resource": {"name": "Dr Ada", "kind": "staff", "zone": "Europe/Berlin", "scheduleId": "weekdays"},
    "pool": {"name": "Doctors", "resourceIds": ["ada", "grace"]},
    "schedule": {
        "name": "Weekdays",
        "weekly": {"mon": [{"from": "09:00", "to": "12:30"}, {"from": "13:30", "to": "17:00"}]},
        "overrides": [{"date": "2026-12-24", "hours": []}],
    },
    "customer": {"name": "Ada Lovelace", "email": "ada@example.com", "language": "en", "zone": "Europe/London"},
    "template": {"kind": "reminder", "language": "en", "subject": "See you {{ appointment.when }}", "text": "Bye"},
}
"""An example of each kind, for the docs."""

_SCOPES: dict[CatalogueKind, tuple[str, Scope, Scope]] = {
    "service": ("services", "read", "admin"),
    "resource": ("resources", "read", "admin"),
    "pool": ("pools", "read", "admin"),
    "schedule": ("schedules", "read", "admin"),
    "customer": ("customers", "staff", "staff"),
    "template": ("templates", "staff", "admin"),
}

COLLECTIONS: tuple[Collection, ...] = tuple(
    Collection(kind, name, catalogue.KINDS[kind][0], view_type(catalogue.KINDS[kind][0]), reading, writing)
    for kind, (name, reading, writing) in _SCOPES.items()
)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/business",
        handler=business,
        access="read",
        topic="Business",
        summary="Show the business",
        answers={200: BusinessView},
    ),
    Route(
        method="PUT",
        pattern="/business",
        handler=put_business,
        access="admin",
        topic="Business",
        summary="Describe the business anew",
        body=Business,
        answers={200: BusinessView},
        is_conditional=True,
        example={"name": "The Clinic", "zone": "Europe/Berlin", "quietFrom": "21:00", "quietTo": "08:00"},
    ),
    *(route for collection in COLLECTIONS for route in collection.routes()),
)
