"""The page that a link in a mail opens, in a real browser: with and without script, by keyboard, wide and narrow."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import Page, expect

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.service import Business
from slotkeeper.desk import agenda, catalogue, changing
from slotkeeper.linking import Links
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from tests.browser.conftest import OpenSite, Site
from tests.builders import STAFF, contact
from tests.post import MailServer, a_courier, sweep

pytestmark = pytest.mark.slow

WEDNESDAY = "2026-11-25T09:00:00Z"
PHONE = {"width": 320, "height": 640}


def a_site(open_site: OpenSite) -> tuple[Site, Appointment, str]:
    """A clinic that lets customers change until a day before, an appointment there, and its link."""
    site = open_site(doctors=2)
    profile = Business(name="Clinic", zone="Europe/Berlin", location="Main Street 1", email="hi@example.com")
    catalogue.put_profile(site.setting.desk, STAFF, profile)
    site.setting.service("visit", cancel_notice_minutes=24 * 60)
    appointment = site.setting.book(WEDNESDAY, contact=contact(zone="America/New_York"))
    return site, appointment, link_of(site, appointment)


def link_of(site: Site, appointment: Appointment) -> str:
    return f"/visit/clinic/{Links(site.setting.store).appointment_token('clinic', appointment)}"


def stored(site: Site, appointment: Appointment) -> Appointment:
    return agenda.appointment(site.setting.desk, STAFF, appointment.id)


def test_from_the_mail_to_coming_moving_and_cancelling(open_site: OpenSite) -> None:
    site, appointment, _ = a_site(open_site)
    post = MailServer()
    with post.running():
        settings = SmtpSettings(host="127.0.0.1", port=post.port, sender="clinic@example.com", security="none")
        sender = SmtpSender(settings, site.setting.clock)
        courier = a_courier(site.setting, sender, base_url=site.url)
        # Playwright has an event loop in this thread already.
        with ThreadPoolExecutor(1) as other:
            other.submit(sweep, courier).result()
    part = post.mails[0].get_body(("plain",))
    [link] = set(re.findall(r"http://localhost\S+/visit/\S+", part.get_content() if part else ""))
    page = site.visit(java_script_enabled=False, viewport=PHONE)

    page.goto(link)
    page.get_by_role("button", name="I will come").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("We are expecting you")
    assert stored(site, appointment).attending

    page.get_by_role("link", name="Move it").click()
    page.get_by_role("link", name=re.compile("26 November")).click()
    page.get_by_role("link", name="14:00", exact=True).click()
    expect(page.get_by_text("Until now")).to_be_visible()
    page.get_by_role("button", name="Move it").click()
    expect(page.get_by_role("status")).to_contain_text("It is moved")
    expect(page.get_by_text("26 November 2026, 14:00").first).to_be_visible()

    page.get_by_role("link", name="Cancel it").click()
    page.get_by_label("Reason").fill("A cold")
    page.get_by_role("button", name="Cancel the appointment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your appointment is cancelled")
    page.get_by_role("link", name="Book again").click()
    expect(page).to_have_url(re.compile("/clinic/visit"))
    types = [each.type for each in stored(site, appointment).events]
    assert types == ["booked", "attending", "moved", "cancelled"]


def test_a_lost_race_offers_what_is_near(open_site: OpenSite) -> None:
    site, appointment, link = a_site(open_site)
    page = site.visit()
    page.goto(f"{link}/move/2026-11-26T09:00:00Z")
    site.setting.book("2026-11-26T09:00:00Z", resource_ids=appointment.resource_ids)

    page.get_by_role("button", name="Move it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Somebody was faster")
    near = page.locator(".near a")
    expect(near).to_have_count(3)
    near.first.click()
    page.get_by_role("button", name="Move it").click()

    expect(page.get_by_role("status")).to_contain_text("It is moved")
    assert stored(site, appointment).start != appointment.start


def test_everything_can_be_done_by_keyboard(open_site: OpenSite) -> None:
    site, appointment, link = a_site(open_site)
    page = site.visit()
    page.goto(link)

    press(page, "I will come")
    expect(page.get_by_role("heading", level=1)).to_have_text("We are expecting you")
    press(page, "Move it")
    press(page, "Friday, 27 November 2026")
    press(page, "09:30")
    press(page, "Move it")
    expect(page.get_by_role("status")).to_contain_text("It is moved")
    press(page, "Cancel it")
    press(page, "Cancel the appointment")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your appointment is cancelled")

    assert [each.type for each in stored(site, appointment).events] == ["booked", "attending", "moved", "cancelled"]


def press(page: Page, name: str) -> None:
    """Tab to what has a name that begins so, see that the focus shows, and press Enter."""
    for _ in range(80):
        page.keyboard.press("Tab")
        text = page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')")
        if name in text and len(text) < len(name) + 30:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"no Tab leads to {name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 860}, PHONE], ids=["wide", "phone"])
def test_no_state_has_anything_that_axe_finds_or_runs_over_the_edge(
    open_site: OpenSite, scheme: str, viewport: dict[str, int]
) -> None:
    site, _, link = a_site(open_site)
    places = [link, *(f"{link}{rest}" for rest in ("?new=1", "/cancel", "/move", "/move/2026-11-26T09:00:00Z"))]
    places += [f"{link}/move/2026-11-28T09:00:00Z", f"{link}?lang=ar", f"{link}/move?lang=ar"]
    places += [link_of(site, each) for each in in_other_states(site)]
    page = site.visit(color_scheme=scheme, viewport=viewport)
    found: dict[str, Any] = {}

    for place in places:
        page.goto(place)
        found |= judged(page, place)
    site.house.desk.clock.now = stored_end(site) + 40 * 86_400  # type: ignore[attr-defined] # the virtual clock
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link has expired")
    found |= judged(page, "expired")

    assert found == {}


def judged(page: Page, place: str) -> dict[str, Any]:
    """What axe finds, and whether the page is wider than the window."""
    violations = [
        (each["id"], [node["html"] for node in each["nodes"]]) for each in Axe().run(page).response["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        violations.append(("too wide", []))
    return {place: violations} if violations else {}


def stored_end(site: Site) -> int:
    return max(each.end for each in agenda.appointments(site.setting.desk, STAFF, ALL_DAYS, limit=50).appointments)


ALL_DAYS = agenda.Filter(first=0, last=4_000_000_000)  # type: ignore[arg-type] # instants are integers


def in_other_states(site: Site) -> list[Appointment]:
    """One appointment in each state that can be had while the clock stands still."""
    setting = site.setting
    setting.service("ask", needs_confirmation=True, confirm_within_minutes=60)
    found = [setting.book("2026-11-24T08:00:00Z", "ask", contact=contact())]
    acts: dict[str, Callable[[str], object]] = {
        "2026-11-25T12:00:00Z": lambda id: act(site, "cancel", id),
        "2026-11-25T13:00:00Z": lambda id: act(site, "noShow", id),
        "2026-11-25T14:00:00Z": lambda id: act(site, "checkIn", id),
        "2026-11-25T15:00:00Z": lambda id: act(site, "complete", id),
        "2026-11-23T09:00:00Z": lambda id: None,
    }
    for start, doing in acts.items():
        appointment = setting.book(start, contact=contact())
        doing(appointment.id)
        found.append(appointment)
    declined = setting.book("2026-11-26T12:00:00Z", "ask", contact=contact())
    act(site, "decline", declined.id)
    return [*found, declined]


def act(site: Site, action: Any, id: str) -> None:
    changing.act(site.setting.desk, STAFF, action, changing.Request(id=id, reason="Dr 0 is ill"))
