"""Things that tests are about, built with as few words as possible; a test names only the facts that matter to it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slotkeeper.contracts import Store
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Appointment, Contact
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.ticks import Instant, format_instant, parse_instant
from slotkeeper.desk import booking, catalogue, search
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Order
from slotkeeper.stores.sqlite import SqliteStore
from tests.clock import VirtualClock

MONDAY = "2026-11-23T06:00:00Z"
"""Early on a Monday in winter: Berlin is an hour ahead of UTC."""

STAFF = Actor(business="clinic", id="staff", scopes=frozenset(SCOPES))
VISITOR = Actor(business="clinic", id="public", scopes=frozenset({"read", "book"}), is_public=True)


def customer_actor(customer_id: str, business: str = "clinic") -> Actor:
    """A credential that acts for one customer alone."""
    return Actor(
        business=business, id=f"key-{customer_id}", scopes=frozenset({"read", "book"}), customer_id=customer_id
    )


@dataclass
class Setting:
    """A desk with its clock and store, and short ways to ask it for things."""

    desk: Desk
    clock: VirtualClock
    store: Store
    actor: Actor = STAFF

    def book(self, start: str, service_id: str = "visit", **others: Any) -> Appointment:
        return booking.book(self.desk, self.actor, order(start, service_id=service_id, **others)).appointment

    def slots(self, first: str, last: str, service_id: str = "visit", **others: Any) -> list[str]:
        wanted = search.Search(first=parse_instant(first), last=parse_instant(last), **others)
        return [
            format_instant(start) for start in search.service_slots(self.desk, self.actor, service_id, wanted).starts
        ]

    def put(self, kind: Any, id: str, value: Any) -> None:
        catalogue.put(self.desk, self.actor, kind, id, value)

    def service(self, id: str, **others: Any) -> None:
        self.put("service", id, service(**others))


def order(start: str, end: str | None = None, **others: Any) -> Order:
    return Order(start=parse_instant(start), end=None if end is None else parse_instant(end), **others)


def contact(name: str = "Ada", email: str = "ada@example.com", **others: Any) -> Contact:
    return Contact(name=name, email=email, **others)


def service(needs: Sequence[Need] = (Need(any_of="doctors"),), **others: Any) -> Service:
    facts: dict[str, Any] = {"name": "Visit", "duration_minutes": 30} | others
    return Service(needs=tuple(needs), **facts)


def hours(start: str = "09:00", end: str = "17:00", days: str = "mon tue wed thu fri") -> Schedule:
    opening = (Opening(from_=start, to=end),)
    return Schedule(name="Hours", weekly=Weekly(**dict.fromkeys(days.split(), opening)))


def a_setting(store: Store | None = None, now: str = MONDAY, business: Business | None = None) -> Setting:
    """A business with nothing in it yet, by default in memory."""
    store = store or SqliteStore(":memory:")
    clock = VirtualClock(now)
    desk = Desk(store, clock, lambda prefix: f"{prefix}_{secrets.token_hex(16)}")
    setting = Setting(desk, clock, store)
    catalogue.put_profile(desk, STAFF, business or Business(name="Clinic", zone="Europe/Berlin"))
    return setting


def a_clinic(store: Store | None = None, now: str = MONDAY, *, doctors: int = 3, rooms: int = 2) -> Setting:
    """A clinic in Berlin, open 9 to 17 on weekdays: doctors `d0..`, rooms `r0..`, the service `visit` of 30 minutes
    with any doctor, and `exam` of 45 minutes with any doctor and any room and 10 minutes of cleaning."""
    setting = a_setting(store, now)
    setting.put("schedule", "week", hours())
    for number in range(doctors):
        setting.put("resource", f"d{number}", Resource(name=f"Dr {number}", zone="Europe/Berlin", schedule_id="week"))
    for number in range(rooms):
        setting.put("resource", f"r{number}", Resource(name=f"Room {number}", kind="room", zone="Europe/Berlin"))
    setting.put("pool", "doctors", Pool(name="Doctors", resource_ids=tuple(f"d{n}" for n in range(doctors))))
    setting.put("pool", "rooms", Pool(name="Rooms", resource_ids=tuple(f"r{n}" for n in range(rooms))))
    setting.service("visit")
    exam = [Need(any_of="doctors"), Need(any_of="rooms")]
    setting.service("exam", needs=exam, name="Exam", duration_minutes=45, buffer_after_minutes=10)
    return setting


def at(text: str) -> Instant:
    return parse_instant(text)
