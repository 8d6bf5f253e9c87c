"""Visitors book in a real browser: with and without a script, in their language and by their clock, from anywhere."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships none
from playwright.sync_api import APIResponse, Page, Route, expect

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Missing
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.service import Need, Resource
from slotkeeper.desk import agenda, holds
from tests.browser.conftest import NARROW, OpenSite, Site
from tests.builders import MONDAY, STAFF, VISITOR, at

pytestmark = pytest.mark.slow

TUESDAY = "2026-11-24T09:00:00Z"
VISIT = f"/clinic/visit/{TUESDAY}"
NO_SCRIPT: dict[str, Any] = {"java_script_enabled": False}
BERLIN: dict[str, Any] = {"timezone_id": "Europe/Berlin"}
KEPT = "We keep this time for you"


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    return open_site()


def booked(site: Site) -> list[Appointment]:
    wanted = agenda.Filter(first=at("2026-01-01T00:00:00Z"), last=at("2028-01-01T00:00:00Z"))
    return agenda.appointments(site.setting.desk, STAFF, wanted, limit=50).appointments


def is_free(site: Site, start: str = TUESDAY) -> bool:
    return start in site.setting.slots(start, "2026-11-25T00:00:00Z")


def fill(page: Page, name: str = "Ada Lovelace") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email address").fill("ada@example.com")


def until(is_so: Callable[[], bool], page: Page) -> None:
    """Wait for something that happens behind the page."""
    for _ in range(200):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come about")


def at_the_form(site: Site, address: str = VISIT, **options: Any) -> Page:
    """The form of a visitor whose clock only the test moves, when the time is held."""
    page = site.visit(**BERLIN | options)
    page.clock.install(time=MONDAY)
    page.goto(address)
    page.clock.run_for(300)
    expect(page.locator("#hold")).to_contain_text("5:00")
    return page


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no-script"])
def test_a_visitor_books_in_four_taps(site: Site, options: dict[str, Any]) -> None:
    page = site.visit(**options)
    page.goto("/clinic")
    page.get_by_role("link", name="Visit").click()
    page.get_by_role("link", name=re.compile("First free time")).click()
    fill(page)
    page.get_by_role("button", name="Book this time").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    assert re.search(r"/visit/clinic/[\w.-]+\?new=1", page.url)
    [appointment] = booked(site)
    assert appointment.contact.name == "Ada Lovelace"
    assert appointment.contact.language == "en"
    assert appointment.contact.zone == ("" if options else "America/New_York")


def test_a_person_and_a_day_are_chosen_by_a_tap_each(site: Site) -> None:
    page = site.visit(**BERLIN)
    page.goto("/clinic/visit")
    page.get_by_role("link", name="Dr 1").click()
    page.get_by_role("link", name=re.compile("26 November 2026")).click()
    expect(page.get_by_role("heading", name="Thursday, 26 November 2026")).to_be_visible()
    expect(page.get_by_role("link", name="Dr 1")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="14:30", exact=True).click()
    expect(page.get_by_role("region", name="What you are booking")).to_contain_text("Dr 1")
    fill(page)
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")

    assert [(each.resource_ids, each.start) for each in booked(site)] == [(("d1",), at("2026-11-26T13:30:00Z"))]


def test_a_time_is_kept_while_its_form_is_open_and_only_then(open_site: OpenSite) -> None:
    site = open_site(doctors=1)
    page = at_the_form(site)

    assert not is_free(site)
    page.get_by_role("link", name="Choose another time").click()
    expect(page.get_by_role("link", name="10:00", exact=True)).to_be_visible()
    until(lambda: is_free(site), page)


def test_the_countdown_is_told_at_one_minute_and_gives_the_time_back_at_the_end(open_site: OpenSite) -> None:
    site = open_site(doctors=1)
    page = at_the_form(site)
    news = page.get_by_role("status")

    page.clock.run_for(1000)
    expect(page.locator("#hold")).to_have_text(f"{KEPT}: 4:59")
    expect(news).to_have_text("")
    page.clock.fast_forward(239_000)
    expect(news).to_have_text("We keep this time for one more minute.")
    page.clock.fast_forward(61_000)
    expect(page.locator("#hold")).to_contain_text("We could not keep this time any longer")
    until(lambda: is_free(site), page)
    fill(page)
    page.get_by_role("button", name="Book this time").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")


def test_who_types_is_given_five_more_minutes_once(open_site: OpenSite) -> None:
    page = at_the_form(open_site(doctors=1))

    page.clock.fast_forward(235_000)
    fill(page)
    page.clock.fast_forward(10_000)
    expect(page.get_by_role("status")).to_have_text("We keep this time for five more minutes.")
    expect(page.locator("#hold")).to_contain_text("5:5")
    page.clock.fast_forward(300_000)
    page.get_by_label("Notes").fill("Still here")
    page.clock.fast_forward(60_000)
    expect(page.locator("#hold")).to_contain_text("We could not keep this time any longer")


def test_a_form_with_an_error_keeps_its_time_and_takes_the_focus_there(open_site: OpenSite) -> None:
    site = open_site(doctors=1)
    page = site.visit(**BERLIN)
    page.goto(VISIT)
    expect(page.locator("#hold")).to_contain_text(KEPT)
    page.get_by_label("Email address").fill("ada")
    page.get_by_role("button", name="Book this time").click()

    expect(page.get_by_role("alert")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator("#hold")).to_contain_text(KEPT)
    page.get_by_role("link", name="Please enter your name").click()
    expect(page.get_by_label("Name")).to_be_focused()
    assert not is_free(site)
    fill(page)
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")


def test_a_form_that_is_loaded_again_is_still_there(open_site: OpenSite) -> None:
    site = open_site(doctors=1)
    page = site.visit(**BERLIN)
    page.goto(VISIT)
    expect(page.locator("#hold")).to_contain_text(KEPT)
    page.reload()
    expect(page.locator("#hold")).to_contain_text(KEPT)
    fill(page)
    page.get_by_role("button", name="Book this time").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")


def test_a_hold_that_is_gone_keeps_nobody_from_booking(open_site: OpenSite) -> None:
    site = open_site(doctors=1)
    page = site.visit(**BERLIN)
    page.goto(VISIT)
    expect(page.locator("#hold")).to_contain_text(KEPT)
    holds.release_hold(site.setting.desk, VISITOR, page.locator("input[name=hold]").input_value())
    with pytest.raises(Missing):
        holds.find_hold(site.setting.desk, VISITOR, page.locator("input[name=hold]").input_value())
    fill(page)
    page.get_by_role("button", name="Book this time").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")


def test_who_clicks_twice_has_booked_once(site: Site) -> None:
    page = site.visit(**BERLIN)
    page.goto(VISIT)
    fill(page)
    page.get_by_role("button", name="Book this time").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")

    assert len(booked(site)) == 1


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no-script"])
def test_a_lost_race_keeps_what_was_typed_for_the_next_best_time(open_site: OpenSite, options: dict[str, Any]) -> None:
    site = open_site(doctors=1)
    page = site.visit(**BERLIN | options)
    page.goto(VISIT)
    if not options:
        expect(page.locator("#hold")).to_contain_text(KEPT)
        holds.release_hold(site.setting.desk, VISITOR, page.locator("input[name=hold]").input_value())
    site.setting.book(TUESDAY)
    fill(page)
    page.get_by_label("Notes").fill("By bike,\nand late")
    page.get_by_role("button", name="Book this time").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Somebody was just a little faster")
    near = page.get_by_role("list", name="These times are close by and free").get_by_role("button")
    expect(near).to_have_count(3)
    near.nth(2).click()
    expect(page.get_by_label("Name")).to_have_value("Ada Lovelace")
    expect(page.get_by_label("Notes")).to_have_value("By bike,\nand late")
    assert len(booked(site)) == 1
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")


def test_who_is_quicker_than_the_answer_about_their_hold_is_no_rival_of_their_own(open_site: OpenSite) -> None:
    site = open_site(doctors=1)
    page = site.visit(**BERLIN)
    late: list[tuple[Route, APIResponse]] = []
    page.route("**/holds", lambda route: late.append((route, route.fetch())))
    page.goto(VISIT)
    fill(page)
    page.wait_for_timeout(500)
    [(route, answer)] = late
    assert answer.status == 201

    page.get_by_role("button", name="Book this time").click()
    page.wait_for_timeout(100)
    page.get_by_role("button", name="Book this time").click()
    route.fulfill(response=answer)

    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    assert len(booked(site)) == 1


def a_call(site: Site) -> None:
    site.setting.service("call", name="Call", remote=True, location="By phone")


def test_times_without_a_place_are_by_the_clock_of_the_visitor(site: Site) -> None:
    a_call(site)
    page = site.visit(timezone_id="Asia/Tokyo")
    page.goto("/clinic/call?day=2026-11-24")

    expect(page.get_by_text("Times are in Japan Time")).to_be_visible()
    expect(page.get_by_role("link", name="17:00", exact=True)).to_have_attribute(
        "href", re.compile("2026-11-24T08:00:00Z.*zone=Asia%2FTokyo")
    )
    page.get_by_text("Change the time zone").click()
    page.get_by_label("Time zone").select_option("Asia/Kathmandu")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("UTC+5:45")).to_be_visible()


def test_the_zone_can_be_changed_without_a_script(site: Site) -> None:
    a_call(site)
    page = site.visit(**NO_SCRIPT)
    page.goto("/clinic/call")

    expect(page.get_by_text("Times are in Central European Time (Berlin), UTC+1.")).to_be_visible()
    page.get_by_text("Change the time zone").click()
    page.get_by_label("Time zone").select_option("America/New_York")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("Times are in Eastern Time (New York), UTC-5.")).to_be_visible()


def test_times_at_a_place_are_the_places_own_and_a_traveller_is_told(site: Site) -> None:
    page = site.visit(timezone_id="Asia/Tokyo")
    page.goto(VISIT)

    booking = page.get_by_role("region", name="What you are booking")
    expect(booking).to_contain_text("10:00")
    expect(booking).to_contain_text("Central European Time (Berlin), UTC+1")
    expect(booking).to_contain_text("Your clock shows")
    expect(booking).to_contain_text("18:00")
    neighbour = site.visit(timezone_id="Europe/Paris")
    neighbour.goto(VISIT)
    expect(neighbour.get_by_role("region", name="What you are booking")).not_to_contain_text("Your clock shows")


def test_the_hour_that_comes_twice_can_be_told_apart_and_booked(open_site: OpenSite) -> None:
    site = open_site("2026-10-24T06:00:00Z")
    night = (Opening(from_="01:00", to="04:00"),)
    site.setting.put("schedule", "night", Schedule(name="Night", weekly=Weekly(sun=night)))
    site.setting.put("resource", "d9", Resource(name="Dr 9", zone="Europe/Berlin", schedule_id="night"))
    site.setting.service("watch", name="Watch", needs=[Need(all_of=("d9",))], step_minutes=30)
    page = site.visit(**BERLIN)
    page.goto("/clinic/watch?day=2026-10-25")

    expect(page.get_by_text("The clocks change on this day, from UTC+2 to UTC+1.")).to_be_visible()
    page.get_by_role("link", name="02:30 UTC+1", exact=True).click()
    fill(page)
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    assert [each.start for each in booked(site)] == [at("2026-10-25T01:30:00Z")]


def test_pages_read_from_the_right_in_arabic_and_stay_in_the_language_that_was_chosen(site: Site) -> None:
    page = site.visit(locale="ar", viewport=NARROW)
    page.goto("/clinic/visit")

    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    first, last = (page.locator(".days li").nth(at).bounding_box() for at in (0, 6))
    assert first is not None
    assert last is not None
    assert first["x"] > last["x"]
    page.get_by_role("link", name="Deutsch").click()
    page.locator(".times a").first.click()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["de", "ltr"]
    page.locator("#name").fill("Ada")
    page.locator("#email").fill("ada@example.com")
    page.locator("#details button").click()
    page.wait_for_url(re.compile("/visit/.*lang=de"))
    assert [each.contact.language for each in booked(site)] == ["de"]


def test_a_visitor_books_by_the_keyboard_alone(site: Site) -> None:
    page = site.visit(**BERLIN)
    page.goto("/clinic")

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(
                "(document.activeElement.innerText || document.activeElement.name || '').trim()"
            ).startswith(name):
                return
        raise AssertionError(f"{name} cannot be reached")

    for name, url in (("Visit", "/clinic/visit?"), ("09:30", "/clinic/visit/")):
        tab_to(name)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(re.escape(url)))
    for name, text in (("name", "Ada"), ("email", "ada@example.com")):
        tab_to(name)
        page.keyboard.type(text)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")


def test_who_presses_before_the_page_is_painted_takes_their_zone_along(site: Site) -> None:
    page = site.visit(**BERLIN)
    page.add_init_script("PerformanceObserver.prototype.observe = () => {}")
    page.goto("/clinic")
    link = page.get_by_role("link", name="Visit")
    expect(link).to_have_attribute("href", "/clinic/visit")

    link.press("Enter")

    page.wait_for_url("/clinic/visit?zone=Europe%2FBerlin")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_good_for_all_and_fits_the_smallest_screen(open_site: OpenSite, scheme: str) -> None:
    site = open_site(doctors=9)
    a_call(site)
    site.setting.service("never", name="Never", needs=[Need(all_of=("d0",))], duration_minutes=600)
    site.setting.service("few", name="Few", needs=[Need(all_of=("d0",))], description="x" * 300)
    page = site.visit(viewport={"width": 320, "height": 640}, color_scheme=scheme, timezone_id="Asia/Tokyo")
    states: dict[str, Callable[[], object]] = {
        **{each: partial(page.goto, each) for each in ("/clinic", "/clinic?embed=1", "/clinic/visit", "/clinic/never")},
        "zones": lambda: _open_zones(page),
        "lost": lambda: page.goto(f"/clinic/visit/{TUESDAY[:11]}09:05:00Z"),
        "form": lambda: page.goto(VISIT),
        "wrong": lambda: page.get_by_role("button", name="Book this time").click(),
        "arabic": lambda: page.goto("/clinic/visit?lang=ar"),
        "long": lambda: page.goto("/clinic/few"),
    }
    for name, go in states.items():
        go()
        assert page.evaluate("document.documentElement.scrollWidth") == 320, name
        assert judged(page) == {}, name


def judged(page: Page) -> dict[str, object]:
    """What axe finds wrong, by rule."""
    return {
        each["id"]: [node["html"][:200] for node in each["nodes"]] for each in Axe().run(page).response["violations"]
    }


def test_forced_colours_show_what_is_chosen(site: Site) -> None:
    page = site.visit(forced_colors="active", reduced_motion="reduce")
    page.goto("/clinic/visit")

    chosen = page.locator("a.day[aria-current]")
    assert chosen.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"


@pytest.mark.parametrize("address", ["/clinic", "/clinic/visit", VISIT])
def test_a_page_is_small_and_nothing_moves(site: Site, address: str) -> None:
    page = site.visit(viewport=NARROW, **BERLIN)
    page.goto(address)
    page.wait_for_timeout(600)
    sizes, shifts = page.evaluate("""() => new Promise(done => {
        const shifts = [];
        new PerformanceObserver(list => shifts.push(...list.getEntries().map(each => each.value))).observe(
            {type: "layout-shift", buffered: true});
        const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
        setTimeout(() => done([all.map(each => each.transferSize), shifts]), 100);
    })""")

    assert sum(sizes) <= 20_000
    assert sum(shifts) == 0


@contextmanager
def a_page_elsewhere(folder: Path, sources: dict[str, str]) -> Iterator[str]:
    """Another origin, with pages of its own."""
    for name, source in sources.items():
        (folder / f"{name}.html").write_text(f'<!doctype html><html lang="en"><title>Elsewhere</title><body>{source}')
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


_SCRIPT = '<script src="{url}/embed.js" data-business="clinic" '
LINES = {
    "inline": '<main><h1>Us</h1></main><div style="height:1500px"></div>' + _SCRIPT + "async></script>",
    "button": '<main><h1>Us</h1></main><slotkeeper-booking business="clinic" mode="button" label="Book with us">'
    "</slotkeeper-booking>" + _SCRIPT + "async></script>",
    "popup": "<main><h1>Us</h1></main>" + _SCRIPT + 'data-service="visit" data-mode="popup"></script>',
}
NOTE = 'addEventListener("slotkeeper:booked", (event) => { document.title = `Booked at ${event.detail.business}`; });'


def elsewhere(site: Site, address: str, lines: Path, **options: Any) -> Page:
    for path in lines.glob("*.html"):
        path.write_text(path.read_text().replace("{url}", site.url))
    context = site.browser.new_context(**{"locale": "en-GB", **BERLIN, **options})
    context.set_default_timeout(20_000)
    context.add_init_script(NOTE)
    site.contexts.append(context)
    page = context.new_page()
    page.goto(address)
    return page


def test_one_line_puts_the_booking_page_into_another_page(open_site: OpenSite, tmp_path: Path) -> None:
    with a_page_elsewhere(tmp_path, LINES) as origin:
        site = open_site(framers=(origin,))
        page = elsewhere(site, f"{origin}/inline.html", tmp_path)
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="What would you like to book?")).to_be_visible()
        expect(frame.get_by_role("banner")).to_have_count(0)
        frame.get_by_role("link", name="Visit").click()
        frame.get_by_role("link", name=re.compile("First free time")).click()
        frame.get_by_label("Name").fill("Ada")
        frame.get_by_label("Email address").fill("ada@example.com")
        height = page.locator("iframe").evaluate("each => each.offsetHeight")
        inner = frame.locator("body").evaluate("each => Math.ceil(each.getBoundingClientRect().height)")
        assert height == inner
        frame.get_by_role("button", name="Book this time").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("You are booked")
        expect(frame.get_by_role("banner")).to_have_count(0)
        expect(page).to_have_title("Booked at clinic")
        assert page.context.cookies() == []


def test_a_dialog_takes_the_focus_and_gives_it_back(open_site: OpenSite, tmp_path: Path) -> None:
    with a_page_elsewhere(tmp_path, LINES) as origin:
        page = elsewhere(open_site(framers=(origin,)), f"{origin}/button.html", tmp_path)
        expect(page.locator("slotkeeper-booking")).to_have_count(1)
        opener = page.get_by_role("button", name="Book with us")
        opener.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Book with us")
        expect(dialog).to_be_visible()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("link", name="Visit")).to_be_visible()
        page.wait_for_timeout(300)
        assert judged(page) == {}
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
        opener.click()
        frame.get_by_role("link", name="Visit").focus()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        opener.click()
        dialog.get_by_role("button", name="Close").click()
        expect(opener).to_be_focused()


def test_a_button_in_the_corner_leads_to_one_service(open_site: OpenSite, tmp_path: Path) -> None:
    with a_page_elsewhere(tmp_path, LINES) as origin:
        page = elsewhere(open_site(framers=(origin,)), f"{origin}/popup.html", tmp_path, viewport=NARROW)
        page.get_by_role("button", name="Book an appointment").click()
        expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Visit")


def test_an_origin_that_is_not_allowed_is_refused_and_given_a_link(open_site: OpenSite, tmp_path: Path) -> None:
    with a_page_elsewhere(tmp_path, LINES) as origin:
        site = open_site(framers=("https://www.example.com",))
        page = elsewhere(site, f"{origin}/inline.html", tmp_path)
        refusals: list[str] = []
        page.on("console", lambda message: refusals.append(message.text))
        page.reload()
        link = page.get_by_role("link", name="Open the booking page")
        expect(link).to_have_attribute("href", re.compile(rf"{site.url}/clinic(\?lang=en)?$"), timeout=15_000)
        assert any("frame-ancestors" in each for each in refusals)


def _open_zones(page: Page) -> None:
    page.goto("/clinic/call")
    page.get_by_text("Change the time zone").click()
