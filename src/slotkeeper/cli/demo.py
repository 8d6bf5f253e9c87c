"""A clinic to try things with: made up, the same for the same day, and booked through the desk like any other."""

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from msgspec.structs import replace

from slotkeeper.cli.history import Past, enter
from slotkeeper.cli.walltime import day_start
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Appointment, Contact, Customer, Status
from slotkeeper.core.errors import Refused
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.core.zones import local
from slotkeeper.desk import catalogue, members
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.members import Role
from slotkeeper.desk.orders import Order
from slotkeeper.desk.passwords import hashed
from slotkeeper.desk.search import Search, service_slots
from slotkeeper.documents import CatalogueKind, business_key

BUSINESS = "riverside"
ZONE = "America/Los_Angeles"
SEED = 20
DAYS_BACK, DAYS_AHEAD = 6, 7
BOOKED_DAYS_EARLIER = 12

PROFILE = Business(
    name="Riverside Clinic", zone=ZONE, location="12 Mill Lane, Riverside", email="desk@riverside.example.com"
)
STAFF = {
    "okafor": "Dr. Ada Okafor",
    "carter": "Dr. Ben Carter",
    "laurent": "Dr. Chloé Laurent",
    "patel": "Dev Patel, physiotherapist",
    "rossi": "Elena Rossi, physiotherapist",
    "adeyemi": "Femi Adeyemi, nurse",
}
ROOMS = {"room-1": "Room 1", "room-2": "Room 2", "room-3": "Treatment room"}
POOLS = {
    "doctors": ("Doctors", ("okafor", "carter", "laurent")),
    "physios": ("Physiotherapists", ("patel", "rossi")),
    "rooms": ("Rooms", ("room-1", "room-2", "room-3")),
}
SERVICES: dict[str, Service] = {
    "checkup": Service(
        name="Check-up",
        description="A general check-up with a doctor.",
        duration_minutes=30,
        buffer_after_minutes=5,
        notice_minutes=60,
        horizon_days=90,
        needs=(Need(any_of="doctors"), Need(any_of="rooms")),
    ),
    "call": Service(
        name="Phone consultation",
        description="A doctor calls you.",
        duration_minutes=15,
        notice_minutes=30,
        horizon_days=30,
        needs=(Need(any_of="doctors"),),
        location="By phone",
        remote=True,
    ),
    "physio": Service(
        name="Physiotherapy",
        duration_minutes=45,
        buffer_after_minutes=15,
        notice_minutes=120,
        horizon_days=90,
        cancel_notice_minutes=1440,
        needs=(Need(any_of="physios"), Need(any_of="rooms")),
    ),
    "vaccination": Service(
        name="Vaccination",
        duration_minutes=15,
        buffer_after_minutes=5,
        notice_minutes=60,
        horizon_days=60,
        day_limit=12,
        needs=(Need(all_of=("adeyemi",)), Need(any_of="rooms")),
    ),
    "procedure": Service(
        name="Minor procedure",
        description="Confirmed by the clinic within two days.",
        duration_minutes=60,
        buffer_before_minutes=15,
        buffer_after_minutes=15,
        notice_minutes=1440,
        horizon_days=90,
        needs_confirmation=True,
        confirm_within_minutes=2880,
        cancel_notice_minutes=2880,
        needs=(Need(any_of="doctors"), Need(all_of=("adeyemi", "room-3"))),
    ),
}
PER_DAY = {"procedure": 1, "checkup": 9, "physio": 5, "vaccination": 4, "call": 6}
"""How many of each are booked on a weekday, about; what needs most people first."""

REASONS = {
    "checkup": ("Yearly check-up", "Blood pressure", "Travel certificate", "Tired for weeks"),
    "call": ("Results of the blood test", "Prescription", "Question about a medicine"),
    "physio": ("Knee after surgery", "Back pain", "Shoulder"),
    "vaccination": ("Influenza", "Tetanus", "Travel vaccination"),
    "procedure": ("Mole removal", "Ingrown nail"),
}
FIRST_NAMES = "Amara, Bruno, Carmen, Dmitri, Esther, Farid, Greta, Hugo, Ines, Jonas, Keiko, Liam, Maya, Olga, Pedro"
LAST_NAMES = "Alvarez, Brandt, Chen, Dubois, Eriksen, Fischer, Gomez, Hansen, Ito, Jansen, Kowalski, Lindqvist, Moreau"
CUSTOMERS = 60
MEMBERS: dict[str, tuple[str, Role]] = {
    "ada@riverside.example.com": ("Dr. Ada Okafor", "owner"),
    "vera@riverside.example.com": ("Vera Lund", "viewer"),
}
"""Who signs in to the staff pages."""


@dataclass(frozen=True, slots=True)
class Made:
    """How many appointments there are; none were made when the clinic was there already."""

    appointments: int
    is_new: bool


def make(desk: Desk, progress: Callable[[int, int], object] = lambda done, total: None) -> Made:
    """Make the clinic and its appointments, in a file all of it or nothing.

    `progress` hears of days done and days in all.
    """
    if desk.store.read([business_key(BUSINESS)]):
        return Made(0, is_new=False)
    actor = Actor(business=BUSINESS, id="demo", scopes=frozenset(SCOPES))
    with desk.store.batch():
        _make_catalogue(desk, actor)
        count = sum(1 for _ in _Calendar(desk, actor).fill(progress))
    return Made(count, is_new=True)


def let_in(desk: Desk) -> str:
    """A new password for all members, who are added where they are missing: it can be said each time only because it
    is kept nowhere."""
    actor = Actor(business=BUSINESS, id="demo", scopes=frozenset(SCOPES))
    password = f"{secrets.token_hex(3)}-{secrets.token_hex(3)}-{secrets.token_hex(3)}"
    for email, (name, role) in MEMBERS.items():
        member = members.by_email(desk, BUSINESS, email) or members.add(desk, actor, email, name, role)
        members.set_password_hash(desk, actor, member.id, hashed(password))
    return password


def people() -> dict[str, Customer]:
    """The customers by id, each with an address at example.com, which reaches nobody (RFC 2606)."""
    chance = random.Random(SEED)  # noqa: S311 - made-up names are no secrets
    firsts, lasts = FIRST_NAMES.split(", "), LAST_NAMES.split(", ")
    names = chance.sample([f"{first} {last}" for first in firsts for last in lasts], CUSTOMERS)
    return {
        name.lower().replace(" ", "-"): Customer(
            name=name,
            email=f"{name.lower().replace(' ', '.')}@example.com",
            phone=f"+1 202 555 {number + 100:04}",
            language="en",
            zone=ZONE,
        )
        for number, name in enumerate(names)
    }


def _make_catalogue(desk: Desk, actor: Actor) -> None:
    catalogue.put_profile(desk, actor, PROFILE, seen_version="0")

    def put(kind: CatalogueKind, id: str, value: Any) -> None:
        catalogue.put(desk, actor, kind, id, value)

    put("schedule", "weekdays", _hours(("08:00", "12:00"), ("13:00", "17:00")))
    put("schedule", "early", _hours(("07:00", "13:00")))
    for id, name in STAFF.items():
        early = id in ("laurent", "rossi")
        put("resource", id, Resource(name=name, zone=ZONE, schedule_id="early" if early else "weekdays"))
    for id, name in ROOMS.items():
        put("resource", id, Resource(name=name, kind="room", zone=ZONE))
    for id, (name, resource_ids) in POOLS.items():
        put("pool", id, Pool(name=name, resource_ids=resource_ids))
    for id, service in SERVICES.items():
        put("service", id, service)
    for id, customer in people().items():
        put("customer", id, customer)


def _hours(*spans: tuple[str, str]) -> Schedule:
    openings = tuple(Opening(from_=start, to=end) for start, end in spans)
    days = ("mon", "tue", "wed", "thu", "fri")
    return Schedule(name=f"Weekdays from {spans[0][0]}", weekly=Weekly(**dict.fromkeys(days, openings)))


class _Calendar:
    """Fills the two weeks around today."""

    def __init__(self, desk: Desk, actor: Actor) -> None:
        self._desk = desk
        self._actor = actor
        self._now = desk.now()
        self._chance = random.Random(SEED)  # noqa: S311 - made-up appointments are no secrets
        self._people = list(people().items())
        self._number = 0

    def fill(self, progress: Callable[[int, int], object]) -> Iterator[Appointment]:
        """Book day by day; the last one waits to be confirmed."""
        today = local(self._now, ZONE).date()
        days = [today + timedelta(days=number) for number in range(-DAYS_BACK, DAYS_AHEAD + 1)]
        for done, day in enumerate(days):
            for service_id, count in PER_DAY.items():
                yield from self._book_some(day, service_id, count)
            progress(done + 1, len(days) + 1)
        yield from self._ask_for_one(days)
        progress(len(days) + 1, len(days) + 1)

    def _book_some(self, day: date, service_id: str, count: int) -> Iterator[Appointment]:
        booked_at = Instant(day_start(day, ZONE) - BOOKED_DAYS_EARLIER * DAY_SECONDS)
        then = replace(self._desk, clock=lambda: booked_at)
        offers = self._offers(then, day, service_id)
        for start in sorted(self._chance.sample(offers, min(len(offers), count))):
            end = Instant(start + SERVICES[service_id].duration_minutes * 60)
            yield from self._enter(service_id, start, Past(booked_at=booked_at, status=self._status(start, end)))

    def _ask_for_one(self, days: list[date]) -> Iterator[Appointment]:
        """One booking that the clinic has still to confirm."""
        for day in reversed(days):
            for start in self._offers(self._desk, day, "procedure")[:1]:
                yield from self._enter("procedure", start, Past(booked_at=self._now, status="pending"))
                return

    def _offers(self, desk: Desk, day: date, service_id: str) -> list[Instant]:
        search = Search(first=day_start(day, ZONE), last=day_start(day + timedelta(days=1), ZONE))
        return service_slots(desk, self._actor, service_id, search).starts

    def _enter(self, service_id: str, start: Instant, past: Past) -> Iterator[Appointment]:
        """Book for somebody; two offers of one service may exclude each other, then the later one is left out."""
        id, customer = self._chance.choice(self._people)
        self._number += 1
        order = Order(
            start=start,
            service_id=service_id,
            customer_id=id,
            contact=Contact(name=customer.name, email=customer.email, phone=customer.phone, language="en"),
            details={"description": self._chance.choice(REASONS[service_id])},
            request_key=f"demo-{self._number}",
        )
        try:
            yield enter(self._desk, self._actor, order, past).appointment
        except Refused:
            return

    def _status(self, start: Instant, end: Instant) -> Status:
        draw = self._chance.random()
        if draw < 0.07:
            return "cancelled"
        if end <= self._now:
            return "noShow" if draw > 0.95 else "completed"
        return "checkedIn" if start <= self._now else "booked"
