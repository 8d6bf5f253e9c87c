"""A real server on a real file, and a real Chromium that looks at it."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from slotkeeper.desk import members, sessions
from slotkeeper.desk.members import Role
from slotkeeper.embedded.app import House, Plan, build
from slotkeeper.embedded.server import Server, configured
from slotkeeper.web.app import Rules
from slotkeeper.web.auth import COOKIE
from slotkeeper.web.limits import Quota
from tests.builders import MONDAY, STAFF, Setting, a_clinic
from tests.clock import VirtualClock

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The same engine with or without windows around it; without, it does half the work."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Site:
    """A server that answers at `url`, and the desk behind it. Its clock stands still at `now`."""

    url: str
    house: House
    setting: Setting
    browser: Browser
    contexts: list[BrowserContext]
    now: str

    def visit(self, role: Role | None = None, *, is_timed: bool = False, **options: object) -> Page:
        """A page of a new window, of a member with this role who is signed in; or of anybody. What goes wrong in its
        scripts, or against its policy, fails the test when it ends: see `complaints`.

        The browser's clock stands still as the server's does, unless it `is_timed`: what keeps it still also keeps
        `performance` from measuring.
        """
        usual = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "America/New_York", "base_url": self.url}
        context = self.browser.new_context(**usual | options)  # type: ignore[arg-type] # as Playwright takes them
        self.contexts.append(context)
        context.set_default_timeout(20_000)
        if role is not None:
            context.add_cookies([self.cookie(role)])
        page = context.new_page()
        if not is_timed:
            page.clock.set_fixed_time(self.now)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if "Content Security Policy" in message.text else None,
        )
        return page

    def cookie(self, role: Role) -> Any:
        """What signs a browser in. Its name demands https; a browser takes http from this machine for as good."""
        secure = self.url.replace("http:", "https:")
        return {"name": COOKIE, "value": self.token(role), "url": secure, "secure": True, "httpOnly": True}

    def token(self, role: Role) -> str:
        """The token of a session of a member with this role."""
        desk, business = self.setting.desk, STAFF.business
        owners = members.members(desk, business)
        if not owners:
            members.add(desk, STAFF, "olga@example.com", "Olga Owner", "owner")
        email = f"{role}@example.com"
        found = members.by_email(desk, business, email) or members.add(desk, STAFF, email, f"Sam {role.title()}", role)
        return sessions.open_session(desk, business, found.id, remember=False).token

    @property
    def complaints(self) -> list[str]:
        return _complaints.setdefault(id(self.house), [])


_complaints: dict[int, list[str]] = {}


# Of a module, not of the session: while Playwright runs, its thread has an event loop, and no test may start another.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


OpenSite = Callable[..., Site]


@pytest.fixture
def open_site(tmp_path: Path, chromium: Browser) -> Iterator[OpenSite]:
    """Opens a site: a clinic in Berlin, of as many doctors and rooms as are asked for, at a time of choice."""
    opened: list[tuple[Site, object]] = []

    def open_it(
        now: str = MONDAY, *, streams: bool = True, doctors: int = 3, rooms: int = 2, framers: tuple[str, ...] = ()
    ) -> Site:
        unlimited = Quota("key", 10**9)
        rules = Rules(key_quota=unlimited, address_quota=unlimited, streams=streams, embed_origins=framers)
        house = build(Plan(database=tmp_path / "site.sqlite", rules=rules), VirtualClock(now))
        setting = a_clinic(house.store, now, doctors=doctors, rooms=rooms)
        running = _running(house)
        site = Site(running.__enter__(), house, setting, chromium, [], now)
        opened.append((site, running))
        return site

    yield open_it
    for site, running in opened:
        for context in site.contexts:
            context.close()
        running.__exit__(None, None, None)  # type: ignore[attr-defined] # a context manager
        site.house.close()
    assert [complaint for site, _ in opened for complaint in site.complaints] == []


@contextmanager
def _running(house: House) -> Iterator[str]:
    server = Server(configured(house.app, grace_seconds=2), house.app.streams)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            yield f"http://localhost:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
