"""The demonstration clinic at a fixed moment, served and signed in to: what pictures are taken of, and pages judged by.

`python -m tests.browser.showcase` takes the pictures that stand in docs/pictures.
"""

import asyncio
import base64
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from slotkeeper.cli import demo
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Contact
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import Business
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant, parse_instant
from slotkeeper.courier import log
from slotkeeper.desk import booking, catalogue, members, sessions
from slotkeeper.desk.keys import create_key
from slotkeeper.desk.orders import Order
from slotkeeper.desk.room import Span, starts_to_move
from slotkeeper.desk.search import Search, service_slots
from slotkeeper.documents import Template, Webhook
from slotkeeper.embedded.app import House, Plan, build
from slotkeeper.linking import Links
from slotkeeper.web.app import Rules
from slotkeeper.web.auth import COOKIE
from slotkeeper.web.limits import Quota
from tests.browser.conftest import CHROMIUM, FLAGS, NARROW, WIDE, _running
from tests.clock import VirtualClock

NOW = "2026-11-24T18:20:00Z"
"""A Tuesday at twenty past ten in Riverside: some have been seen, some are waiting, most are to come."""

OWNER = Actor(business=demo.BUSINESS, id="demo", scopes=frozenset(SCOPES))
NEW = Actor(business="brand-new", id="demo", scopes=frozenset(SCOPES))
PICTURES = Path(__file__).parent.parent.parent / "docs" / "pictures"
QUALITY = 82
_SECRET = "whsec_" + base64.b64encode(b"a secret of a showcase 24").decode()

SHOWN: dict[str, str] = {
    "booking-home": "/{business}",
    "booking-times": "/{business}/checkup",
    "booking-details": "/{business}/checkup/{start}",
    "visit": "/visit/{business}/{token}",
    "staff-day": "/staff/{business}",
    "staff-week": "/staff/{business}?view=week",
    "staff-setup": "/staff/{business}/setup",
    "staff-insight": "/staff/{business}/insight",
    "staff-sign-in": "/staff/{business}/sign-in",
}
"""The pictures by name, and what each is of."""


@dataclass(frozen=True, slots=True)
class Showcase:
    """A server at `url` with the clinic, and what addresses are filled in with."""

    url: str
    house: House
    names: dict[str, str]

    def address(self, pattern: str) -> str:
        """The pattern as an address of the clinic."""
        return pattern.format(**self.names)

    def open(self, browser: Browser, *, is_member: bool = False, **options: Any) -> BrowserContext:
        """A new window, whose clock shows the clinic's time; of its owner, or of anybody."""
        usual = {"viewport": WIDE, "locale": "en-US", "timezone_id": demo.ZONE, "base_url": self.url}
        context = browser.new_context(**usual | options)
        context.set_default_timeout(10_000)
        if is_member:
            secure = self.url.replace("http:", "https:")
            context.add_cookies(
                [{"name": COOKIE, "value": self._token(), "url": secure, "secure": True, "httpOnly": True}]
            )
        return context

    def page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.clock.set_fixed_time(NOW)
        return page

    def deliver(self) -> None:
        """Send all that is due, to the outbox."""
        _deliver(self.house)

    def _token(self) -> str:
        found = next(each for each in members.members(self.house.desk, demo.BUSINESS) if each.value.is_ruling)
        return sessions.open_session(self.house.desk, demo.BUSINESS, found.id, remember=False).token


@contextmanager
def showcase(folder: Path) -> Iterator[Showcase]:
    """Serve the clinic, and a business that has nothing yet."""
    unlimited = Quota("key", 10**9)
    rules = Rules(key_quota=unlimited, address_quota=unlimited, streams=True)
    house = build(Plan(database=folder / "showcase.db", rules=rules, delivers=False), VirtualClock(NOW))
    desk = house.desk
    demo.make(desk)
    catalogue.put_profile(desk, NEW, Business(name="Brand New", zone=demo.ZONE))
    if not members.members(desk, demo.BUSINESS):
        members.add(desk, OWNER, "ada@riverside.example.com", "Ada Okafor", "owner")
    with _running(house) as url:
        yield Showcase(url, house, _names(house))
    house.close()


def _names(house: House) -> dict[str, str]:
    """What addresses are filled in with; made where the clinic has none."""
    desk, now = house.desk, parse_instant(NOW)
    week = _week_from(now)
    search = Search(first=week.first, last=week.last)
    start = service_slots(desk, OWNER, "checkup", search).starts[0]
    contact = Contact(name="Maya Lindqvist", email="maya@example.com", language="en")
    coming = booking.book(desk, OWNER, Order(start=start, service_id="checkup", contact=contact)).appointment
    words = Template(kind="reminder", subject="See you soon", text="{{ customer.name }}, see you soon. {{ details }}")
    catalogue.put(desk, OWNER, "template", "friendly", words)
    catalogue.put_on_shelf(desk, OWNER, "reminderRules", "day-before", ReminderRule(lead_minutes=1440))
    catalogue.put_on_shelf(desk, OWNER, "webhooks", "hook", Webhook(url="https://example.com/hook", secret=_SECRET))
    staff = next(each for each in members.members(desk, demo.BUSINESS) if each.value.is_ruling)
    return {
        "business": demo.BUSINESS,
        "service": "checkup",
        "start": format_instant(service_slots(desk, OWNER, "checkup", search).starts[0]),
        "later": format_instant(starts_to_move(desk, OWNER, coming.id, week)[5]),
        "token": Links(desk.store).appointment_token(demo.BUSINESS, coming),
        "appointment": coming.id,
        "customer": coming.customer_id,
        "member": staff.id,
        "key": create_key(desk, OWNER, "website", ("read", "book")).id,
        "message": _a_message(house),
        "invitation": Links(desk.store).invitation_token(demo.BUSINESS, staff.id, members.proof_of(staff.value), now),
    }


def _week_from(now: Instant) -> Span:
    return Span(first=Instant(now + DAY_SECONDS), last=Instant(now + 8 * DAY_SECONDS))


def _deliver(house: House) -> None:
    """Send all that is due, to the outbox. In a thread: Playwright keeps a loop of its own running in this one."""
    with ThreadPoolExecutor(1) as thread:
        while thread.submit(lambda: asyncio.run(house.courier.sweep(500))).result().did_something:
            pass


def _a_message(house: House) -> str:
    """One that was sent, or stays in the outbox."""
    _deliver(house)
    return log.notifications(house.store, demo.BUSINESS, None, 1).notifications[0].id


def take_pictures(folder: Path) -> None:
    """Every page that is shown, wide and narrow, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, showcase(Path(home)) as clinic, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for width, viewport in (("wide", WIDE), ("narrow", NARROW)):
            for scheme in ("light", "dark"):
                context = clinic.open(browser, is_member=True, viewport=viewport, color_scheme=scheme)
                for name, pattern in SHOWN.items():
                    sys.stdout.write(f"{name}-{width}-{scheme}\n")
                    _take(clinic, context, pattern, folder / f"{name}-{width}-{scheme}.webp")
                context.close()
        browser.close()


def _take(clinic: Showcase, context: BrowserContext, pattern: str, path: Path) -> None:
    page = clinic.page(context)
    page.goto(clinic.address(pattern))
    page.wait_for_load_state("load")
    page.wait_for_timeout(400)
    devtools = context.new_cdp_session(page)
    picture = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    path.write_bytes(base64.b64decode(picture["data"]))
    page.close()


if __name__ == "__main__":
    take_pictures(PICTURES)
