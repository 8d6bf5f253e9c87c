"""The pages in a real browser, beside their budgets, with the server under load on the same machine.

For each of a visitor's pages: what is transferred in all, compressed, on a first visit; when the first of it is
painted; how long a click waits for its effect to be painted; how much moves while it loads. For members: a week of 500
appointments, from the data at hand to the picture. Beside them, how long the same browser takes to paint one of these
pages without any style, and a page that holds one word: no page is painted sooner on this machine.

    python -m bench.pages
"""

import asyncio
import itertools
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from rich.console import Console
from rich.table import Table

from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Contact
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Business, Need, Pool, Resource, Service
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant
from slotkeeper.desk import booking, catalogue, members, sessions
from slotkeeper.desk.keys import create_key
from slotkeeper.desk.orders import Order
from slotkeeper.desk.search import Search, service_slots
from slotkeeper.embedded.app import Plan, build
from slotkeeper.linking import Links
from slotkeeper.web.auth import COOKIE
from tests.browser.conftest import CHROMIUM, FLAGS

ANSWERED = "(each => each.responseEnd - each.requestStart)(performance.getEntriesByType('navigation')[0])"
DRAWN = "(performance.getEntriesByName('calendar-drawn')[0] || {duration: 0}).duration"
KILOBYTES, MILLISECONDS, WEEK_MILLISECONDS = 60, 100, 300
APPOINTMENTS, STAFF, DAYS = 500, 10, 5
ROUNDS = 7
"""Whoever looks at the details keeps a time for a while: more looks than there are stylists would find it taken."""
WORD = "<!doctype html>Word"
BOOKINGS_A_SECOND, SEARCHES_A_SECOND = 5, 25
BUSINESS, ZONE = "salon", "Europe/Berlin"
OWNER = Actor(business=BUSINESS, id="bench", scopes=frozenset(SCOPES))

SERVER = """
import socket, sys
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.server import Server, configured
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota
most = Quota("key", 10**9)
house = build(Plan(database=sys.argv[1], rules=Rules(key_quota=most, address_quota=most, streams=True), delivers=False))
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=1024)
Server(configured(house.app, grace_seconds=1), house.app.streams).run(sockets=[listener])
"""

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
WATCH = """() => {
  window.shifted = 0; window.slowest = 0;
  const watch = (type, note, more) => new PerformanceObserver(list => list.getEntries().forEach(note))
    .observe({type, buffered: true, ...more});
  watch('layout-shift', each => { if (!each.hadRecentInput) window.shifted += each.value; });
  watch('event', each => { window.slowest = Math.max(window.slowest, each.duration); }, {durationThreshold: 16});
}"""
"""What is seen of a page from its beginning on, told once it is there: who watches a page load slows it down."""


@dataclass(frozen=True, slots=True)
class Salon:
    """What was furnished, and how to get at it."""

    key: str
    token: str
    member: str
    start: Instant
    monday: str


@dataclass(slots=True)
class Seen:
    """What a browser saw of one page, in several visits: KB compressed, ms, and the layout shift of the worst."""

    name: str
    kilobytes: list[float] = field(default_factory=list)
    answer: list[float] = field(default_factory=list)
    paint: list[float] = field(default_factory=list)
    interaction: list[float] = field(default_factory=list)
    shift: float = 0.0


def furnish(path: Path) -> Salon:
    """A salon whose next week is full of 500 appointments, and with more weeks that are free."""
    house = build(Plan(database=path, delivers=False))
    desk = house.desk
    days = ("mon", "tue", "wed", "thu", "fri")
    ids = tuple(f"stylist-{number}" for number in range(STAFF))
    with house.store.batch():
        catalogue.put_profile(desk, OWNER, Business(name="Salon", zone=ZONE, location="Lindenstr. 1", accent="#8a2be2"))
        week = Weekly(**dict.fromkeys(days, (Opening(from_="09:00", to="17:00"),)))
        catalogue.put(desk, OWNER, "schedule", "open", Schedule(name="Open", weekly=week))
        for number, id in enumerate(ids):
            person = Resource(name=f"Stylist {number + 1}", zone=ZONE, schedule_id="open")
            catalogue.put(desk, OWNER, "resource", id, person)
        catalogue.put(desk, OWNER, "pool", "all", Pool(name="Stylists", resource_ids=ids))
        cut = Service(name="Cut", description="Wash, cut and dry.", duration_minutes=30, needs=(Need(any_of="all"),))
        catalogue.put(desk, OWNER, "service", "cut", cut)
    first = _next_monday(desk.now())
    with house.store.batch():
        _fill(desk, first)
    later = Search(first=Instant(first + 7 * DAY_SECONDS), last=Instant(first + 14 * DAY_SECONDS))
    start = service_slots(desk, OWNER, "cut", later).starts[40]
    visit = booking.book(
        desk, OWNER, Order(start=start, service_id="cut", contact=Contact(name="A", email="a@b.example"))
    )
    token = Links(desk.store).appointment_token(BUSINESS, visit.appointment)
    member = members.add(desk, OWNER, "olga@example.com", "Olga Owner", "owner")
    cookie = sessions.open_session(desk, BUSINESS, member.id, remember=False).token
    salon = Salon(create_key(desk, OWNER, "bench", SCOPES).secret, token, cookie, start, format_instant(first)[:10])
    house.close()
    return salon


def _fill(desk: Any, first: Instant) -> None:
    """Book the week: on each day one appointment after the other with everyone, until there are 500."""
    made = 0
    for day in range(DAYS):
        for person in range(STAFF):
            for slot in range(APPOINTMENTS // DAYS // STAFF):
                start = Instant(first + day * DAY_SECONDS + 8 * 3600 + slot * 2700)
                contact = Contact(name=f"Customer {made}", email=f"c{made}@example.com")
                order = Order(start=start, service_id="cut", resource_ids=(f"stylist-{person}",), contact=contact)
                booking.book(desk, OWNER, order)
                made += 1


def _next_monday(now: Instant) -> Instant:
    day = now // DAY_SECONDS
    return Instant((day + 7 - (day + 3) % 7) * DAY_SECONDS)


@contextmanager
def serving(path: Path, port: int) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(path), str(port)])
    url = f"http://localhost:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(f"{url}/health")
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


@contextmanager
def load(url: str, salon: Salon) -> Iterator[None]:
    """Bookings and searches at a steady pace, from a thread with an event loop of its own, until the block ends."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_load(url, salon, stop)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def _load(url: str, salon: Salon, stop: threading.Event) -> None:
    headers = {"authorization": f"Bearer {salon.key}"}
    far = salon.start + 28 * DAY_SECONDS
    searches = SEARCHES_A_SECOND // BOOKINGS_A_SECOND
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client, asyncio.TaskGroup() as asks:
        for number in itertools.count():
            start = format_instant(Instant(far + (number % 32) * 900 + number // 320 * DAY_SECONDS))
            asks.create_task(client.post("/appointments", json={"serviceId": "cut", "startTime": start}))
            for _ in range(searches):
                await asyncio.sleep(1 / (BOOKINGS_A_SECOND * (searches + 1)))
                asks.create_task(client.get("/slots", params={"serviceId": "cut"}))
            await asyncio.sleep(1 / (BOOKINGS_A_SECOND * (searches + 1)))
            if stop.is_set():
                break


def visitors(browser: Browser, url: str, salon: Salon) -> Iterator[Seen]:
    """What visitors' pages take, each on a first visit with nothing kept."""
    start = format_instant(salon.start)
    places = {
        "services": (f"/{BUSINESS}", "main a >> nth=0"),
        "day and time": (f"/{BUSINESS}/cut", "a.day >> nth=1"),
        "details": (f"/{BUSINESS}/cut/{start}", "#name"),
        "the visit, by its link": (f"/visit/{BUSINESS}/{salon.token}", "summary, main a >> nth=0"),
    }
    for name, (path, target) in places.items():
        window = partial(browser.new_context, locale="en-GB", timezone_id=ZONE, base_url=url)
        seen = Seen(name, [_transferred(window(), path)])
        for _ in range(ROUNDS):
            _look(window(), path, target, seen)
        yield seen


def painted(browser: Browser, url: str, body: str) -> list[float]:
    """When the first of a page with this body is painted, in ms; no server is asked for it."""
    found = []
    for _ in range(ROUNDS):
        context = browser.new_context(locale="en-GB", timezone_id=ZONE, base_url=url)
        context.route("**/given", lambda route: route.fulfill(body=body, content_type="text/html"))
        page = context.new_page()
        page.goto("/health")
        page.goto("/given", wait_until="load")
        page.wait_for_timeout(250)
        found.append(page.evaluate(PAINTED))
        context.close()
    return found


def _plain(url: str) -> str:
    """The page's words and controls, without style, script or pictures."""
    return re.sub(r"<(style|script|svg)\b.*?</\1>|<link[^>]*>", "", httpx.get(url).text, flags=re.DOTALL)


def _look(context: BrowserContext, path: str, target: str, seen: Seen) -> None:
    page = context.new_page()
    # What starts a process of the browser is no matter of ours: it has one for us already, which has kept nothing.
    page.goto("/health")
    page.goto(path, wait_until="load")
    page.wait_for_timeout(250)
    page.evaluate(WATCH)
    seen.answer.append(page.evaluate(ANSWERED))
    seen.paint.append(page.evaluate(PAINTED))
    # A click whose effect stays on this page: what leads away is measured by the paint of the next page.
    page.evaluate("addEventListener('click', event => event.preventDefault(), true)")
    page.locator(target).first.click()
    page.wait_for_timeout(150)
    seen.interaction.append(page.evaluate("window.slowest") or 16.0)
    seen.shift = max(seen.shift, page.evaluate("window.shifted"))
    context.close()


def _transferred(context: BrowserContext, path: str) -> float:
    """The KB of all that the page loads, compressed, and headers with them."""
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    sizes: list[int] = []
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(path, wait_until="load")
    page.wait_for_timeout(250)
    context.close()
    return sum(sizes) / 1000


def week(browser: Browser, url: str, salon: Salon) -> list[float]:
    """How long the staff's week of 500 appointments takes from its data to the next frame, in ms."""
    took = []
    for _ in range(ROUNDS):
        context = browser.new_context(locale="en-GB", timezone_id=ZONE, viewport={"width": 1280, "height": 860})
        secure = url.replace("http:", "https:")
        context.add_cookies([{"name": COOKIE, "value": salon.member, "url": secure, "secure": True, "httpOnly": True}])
        page = context.new_page()
        page.goto(f"{url}/staff/{BUSINESS}?view=week&date={salon.monday}")
        while not page.evaluate(DRAWN):
            page.wait_for_timeout(100)
        took.append(page.evaluate(DRAWN))
        context.close()
    return took


def rows(port: int = 8947) -> Iterator[tuple[str, str, str, bool]]:
    """Each figure with its budget, and whether it keeps to it: medians, and the worst of all."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "salon.db"
        salon = furnish(path)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with serving(path, port) as url:
            with load(url, salon):
                for seen in visitors(browser, url, salon):
                    yield from _told(seen)
                plain = _plain(f"{url}/{BUSINESS}/cut")
                yield _row("day and time without any style: first paint", painted(browser, url, plain), "ms")
                yield _row("a page of one word: first paint", painted(browser, url, WORD), "ms")
            drawn = week(browser, url, salon)
        browser.close()
    yield _row("week of 500 appointments, drawn", drawn, "ms", WEEK_MILLISECONDS)


def _told(seen: Seen) -> Iterator[tuple[str, str, str, bool]]:
    yield _row(f"{seen.name}: transferred", seen.kilobytes, "KB", KILOBYTES)
    yield _row(f"{seen.name}: answered", seen.answer, "ms", MILLISECONDS)
    yield _row(f"{seen.name}: first paint", seen.paint, "ms", MILLISECONDS)
    yield _row(f"{seen.name}: interaction", seen.interaction, "ms", MILLISECONDS)
    yield f"{seen.name}: layout shift", f"{seen.shift:.3f}", "0", seen.shift < 0.0005


def _row(name: str, values: list[float], unit: str, budget: float = 0) -> tuple[str, str, str, bool]:
    middle = statistics.median(values)
    seen = f"{middle:.0f} {unit} ({min(values):.0f} to {max(values):.0f})"
    return name, seen, f"{budget} {unit}" if budget else "", not budget or middle <= budget


def main() -> None:
    table = Table(
        title=f"Pages in Chromium, {BOOKINGS_A_SECOND} bookings and {SEARCHES_A_SECOND} searches a second beside it"
    )
    for name in ("figure", "seen", "budget", ""):
        table.add_column(name, justify="left" if name == "figure" else "right")
    console = Console()
    with console.status("looking at the pages"):
        for name, seen, budget, is_kept in rows():
            kept = "kept" if is_kept else "[bold red]missed"
            table.add_row(name, seen, budget, kept if budget else "")
    console.print(table)


if __name__ == "__main__":
    main()
