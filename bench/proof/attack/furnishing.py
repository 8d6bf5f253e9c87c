"""Making a business with one of everything, so that each route has something to be about."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from bench.proof.attack.premises import (
    ADA,
    EVE,
    INVITED,
    KNOWN_EMAIL,
    NOW,
    PASSWORD,
    SECRET,
    STRAYS,
    ZONE,
    Premises,
    Seat,
    hidden_mark,
    private_mark,
)
from slotkeeper.contracts import Letter
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Appointment, Contact, Customer
from slotkeeper.core.errors import Undeliverable
from slotkeeper.core.hours import Override
from slotkeeper.core.logo import Logo
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import Business, Need, Pool, Resource
from slotkeeper.core.ticks import DAY_SECONDS, Instant, parse_instant
from slotkeeper.courier import log
from slotkeeper.courier.courier import Courier
from slotkeeper.desk import catalogue, holds, keys, members, sessions
from slotkeeper.desk.changing import Request, act
from slotkeeper.desk.members import Role
from slotkeeper.desk.passwords import hashed
from slotkeeper.documents import Template, Webhook
from slotkeeper.embedded.app import House, Plan, build
from slotkeeper.linking import Links
from slotkeeper.senders.outbox import OutboxSender
from tests.builders import Setting, contact, hours
from tests.clock import VirtualClock

DEAD = "dead@example.com"
_ROLES: tuple[Role, ...] = ("owner", "staff", "viewer")
_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def furnish(path: Path, businesses: Sequence[str], visits: int = 3) -> list[Premises]:
    """Make the businesses in a new file, each with so many visits booked, and send what is due then.

    The ids that they choose themselves are all different: those of each end with the business's own.
    """
    house = build(Plan(database=path, delivers=False), VirtualClock(NOW))
    try:
        with house.store.batch():
            made = [_Made(house, business, visits) for business in businesses]
        _deliver(house)
        with house.store.batch():
            return [each.finished() for each in made]
    finally:
        house.close()


class _Refusing:
    """A sender to whom one address is unknown."""

    async def send(self, letter: Letter) -> str:
        if letter.to == DEAD:
            raise Undeliverable("no such user")
        return await OutboxSender().send(letter)


def _deliver(house: House) -> None:
    courier = Courier(house.store, house.desk.clock, {"email": _Refusing()}, OutboxSender())
    while asyncio.run(courier.sweep(500)).did_something:
        pass


@cache
def _hash() -> str:
    """Of the one password; making it takes long on purpose."""
    return hashed(PASSWORD)


class _Made:
    """A business while it is being made."""

    def __init__(self, house: House, business: str, visits: int) -> None:
        actor = Actor(business=business, id="staff", scopes=frozenset(SCOPES))
        self._business, self._actor, self._desk = business, actor, house.desk
        self._private, self._hidden = private_mark(business), hidden_mark(business)
        self._setting = Setting(house.desk, VirtualClock(NOW), house.store, actor)
        self._describe()
        self._offer()
        self._note_people()
        self._visits = self._book(visits)
        self._holds = [self._hold(f"2026-12-02T{hour:02}:00:00Z") for hour in (9, 10, 11, 12)]

    def finished(self) -> Premises:
        """What is known of it, once its messages have been sent."""
        for id in ("hook", "spare"):
            hook = Webhook(url=f"https://example.com/{self._private}", secret=SECRET, active=False)
            catalogue.put_on_shelf(self._desk, self._actor, "webhooks", self._id(id), hook)
        let_in = self._let_in()
        seats = {group: [self._seat(id) for id in ids for _ in range(2)] for group, ids in let_in.items()}
        ended = self._seat(let_in["owner"][0])
        sessions.close_session(self._desk, ended.token)
        return Premises(
            business=self._business,
            ids=self._ids(let_in),
            keys=self._make_keys(),
            seats={**seats, "ended": [ended]},
        )

    def _id(self, name: str) -> str:
        return f"{name}-{self._business}"

    def _put(self, kind: Any, name: str, value: Any) -> None:
        self._setting.put(kind, self._id(name), value)

    def _describe(self) -> None:
        """The business, its hours and who can be busy."""
        profile = Business(name="The Clinic", zone=ZONE, accent="#336699", location="12 Mill Lane")
        catalogue.put_profile(self._desk, self._actor, profile)
        catalogue.put_logo(self._desk, self._actor, Logo(media="image/png", data=_DOT))
        self._put(
            "schedule", "week", msgspec.structs.replace(hours(), overrides=(Override(date="2026-12-24", hours=()),))
        )
        self._put("schedule", "spare", hours())
        for name in ("d0", "d1", "d2"):
            self._put("resource", name, Resource(name=f"Dr {name}", zone=ZONE, schedule_id=self._id("week")))
        for name in ("r0", "r1", "spare"):
            self._put("resource", name, Resource(name=f"Room {name}", kind="room", zone=ZONE))
        for name, those in {"doctors": ("d0", "d1", "d2"), "rooms": ("r0", "r1"), "spare": ("spare",)}.items():
            self._put("pool", name, Pool(name=name.title(), resource_ids=tuple(map(self._id, those))))
        first = parse_instant("2026-12-30T00:00:00Z")
        last = Instant(first + DAY_SECONDS)
        catalogue.add_time_off(self._desk, self._actor, self._id("d2"), first, last, self._private)

    def _offer(self) -> None:
        """What can be booked, and when is reminded of it."""
        doctors, rooms = Need(any_of=self._id("doctors")), Need(any_of=self._id("rooms"))
        self._setting.service(self._id("visit"), needs=(doctors,))
        self._setting.service(self._id("exam"), name="Exam", needs=(doctors, rooms), day_limit=50)
        asked = {"needs_confirmation": True, "confirm_within_minutes": 600}
        self._setting.service(self._id("asked"), name="Asked for", needs=(doctors,), **asked)
        self._setting.service(self._id("inner"), name=f"Inner {self._hidden}", needs=(doctors,), public=False)
        for name, minutes in (("day", 1440), ("hour", 60)):
            rule = ReminderRule(lead_minutes=minutes)
            catalogue.put_on_shelf(self._desk, self._actor, "reminderRules", self._id(name), rule)

    def _note_people(self) -> None:
        mark = self._private
        self._setting.put("customer", ADA, Customer(name=f"Ada {mark}", email="ada@example.com", notes=mark))
        self._put("customer", "spare", Customer(name=f"Spare {mark}"))
        self._put("template", "own", Template(kind="moved", subject=f"Moved {mark}", text="{{ customer.name }}"))

    def _book(self, visits: int) -> list[Appointment]:
        """Visits on the days to come, some that were asked for, one whose customer cannot be reached, and one that is
        cancelled."""
        mark = self._private
        whom = Contact(name=f"Ada {mark}", email="ada@example.com", phone="+49 30 1", language="en")

        def book(start: str, service: str = "visit", contact: Contact = whom, customer_id: str = ADA) -> Appointment:
            return self._setting.book(
                start, self._id(service), contact=contact, customer_id=customer_id, details={"notes": mark}
            )

        made = [book(f"2026-11-{24 + at % 4}T{9 + at // 4:02}:00:00Z") for at in range(visits)]
        made += [book(f"2026-12-0{day}T08:00:00Z", "asked") for day in (1, 2, 3, 4)]
        made.append(book("2026-12-01T10:00:00Z", "exam", contact(name=mark, email=DEAD), ""))
        gone = book("2026-12-01T11:00:00Z")
        return [*made, act(self._desk, self._actor, "cancel", Request(id=gone.id, reason=mark))]

    def _hold(self, start: str) -> str:
        order = holds.HoldOrder(service_id=self._id("visit"), start=parse_instant(start), seconds=1800)
        return holds.hold(self._desk, self._actor, order).id

    def _let_in(self) -> dict[str, list[str]]:
        """The ids of members by role, and of those who are there to be changed."""
        found: dict[str, list[str]] = {role: [self._member(f"{role}@example.com", role)] for role in _ROLES}
        strays = [self._member(f"{role}-stray@example.com", role) for role in _ROLES]
        known = self._member(KNOWN_EMAIL, "staff")
        members.set_password_hash(self._desk, self._actor, known, _hash())
        invited = [self._member(f"new{number}@example.com", "staff") for number in range(3)]
        return {**found, STRAYS: [*strays, known], INVITED: invited}

    def _member(self, email: str, role: Role) -> str:
        return members.add(self._desk, self._actor, email, f"{email} {self._private}", role).id

    def _seat(self, member_id: str) -> Seat:
        opened = sessions.open_session(self._desk, self._business, member_id, remember=True)
        return Seat(opened.token, opened.session.csrf, member_id)

    def _make_keys(self) -> dict[str, str]:
        made: dict[str, str] = {scope: self._key(scope).secret for scope in SCOPES}
        made |= {name: self._key("read", "book", customer_id=name).secret for name in (ADA, EVE)}
        revoked = self._key(*SCOPES)
        keys.revoke_key(self._desk, self._actor, revoked.id)
        return made | {"all": self._key(*SCOPES).secret, "revoked": revoked.secret}

    def _key(self, *scopes: Any, customer_id: str = "") -> keys.Made:
        return keys.create_key(self._desk, self._actor, f"key {self._private}", scopes, customer_id)

    def _ids(self, let_in: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        desk, store, business = self._desk, self._desk.store, self._business
        links, now = Links(store), parse_instant(NOW)
        invited = {id: members.proof_of(members.member(desk, business, id).value) for id in let_in[INVITED]}
        dead = [each.id for each in log.dead_letters(store, business).notifications]
        assert dead, "no message was refused"
        named = {
            "services": "visit exam asked inner", "resources": "d2 d0 d1 r0 spare", "pools": "spare doctors rooms",
            "schedules": "spare week", "reminderRules": "day hour", "webhooks": "spare hook", "templates": "own",
        }  # fmt: skip
        return {kind: [self._id(name) for name in names.split()] for kind, names in named.items()} | {
            "business": [business],
            "appointments": [each.id for each in self._visits],
            "holds": self._holds,
            "customers": [ADA, self._id("spare")],
            "timeOff": [each.id for each in catalogue.time_off(desk, self._actor, self._id("d2"))],
            "deadLetters": dead,
            "messages": [*dead, *(each.id for each in log.notifications(store, business).notifications)],
            "keys": [self._key("read").id for _ in range(3)],
            "members": let_in[STRAYS],
            "visit": [links.appointment_token(business, each) for each in self._visits],
            "welcome": [links.invitation_token(business, id, proof, now) for id, proof in invited.items()],
            "start": [f"2026-12-{day}T{hour:02}:00:00Z" for day in (28, 29) for hour in range(9, 15)],
            "static": sorted(each.name for each in (files("slotkeeper.web") / "static").iterdir() if each.is_file()),
        }  # fmt: skip
