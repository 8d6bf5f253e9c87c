"""The staff calendar in a real browser: what a receptionist sees, drags, types and takes back."""

import re
import time
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships none
from playwright.sync_api import Locator, Page, Route, expect

from slotkeeper.core.appointment import Appointment, Customer
from slotkeeper.core.service import Resource
from slotkeeper.core.ticks import format_instant
from slotkeeper.desk import booking, catalogue, changing
from slotkeeper.desk.search import Search, service_slots
from slotkeeper.ledger import Reading
from tests.browser.conftest import NARROW, OpenSite, Site
from tests.builders import STAFF, Setting, at, contact, order

pytestmark = pytest.mark.slow

NOW = "2026-11-24T08:10:00Z"  # a Tuesday, ten past nine in Berlin
MINUTE = 21 / 15
"""The pixels of a minute."""


def book(site: Site, start: str, name: str, service: str = "visit", **others: Any) -> Appointment:
    wanted = order(start, service_id=service, contact=contact(name, ""), **others)
    return booking.book(site.setting.desk, STAFF, wanted).appointment


def calendar(page: Page, query: str = "") -> Page:
    """The calendar, once it is drawn."""
    page.goto(f"/staff/clinic{query}")
    page.wait_for_selector("#calendar[data-ready]")
    return page


def event(page: Page, name: str) -> Locator:
    """The button that an appointment is in the grid."""
    return page.locator("button.cal-event").filter(has_text=name)


def cell(page: Page, number: int) -> Locator:
    """The column of that number."""
    return page.locator(".cal-column").nth(number)


def grab(page: Page, what: Locator, *, minutes: float, column: int | None = None) -> None:
    """Drag it so many minutes down, and into a column; it is not let go."""
    what.scroll_into_view_if_needed()
    box = what.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 12, steps=2)
    if column is not None:
        to = cell(page, column).bounding_box()
        assert to
        x = to["x"] + to["width"] / 2
    page.mouse.move(x, y + minutes * MINUTE, steps=8)


def drag(page: Page, what: Locator, **to: Any) -> None:
    grab(page, what, **to)
    page.mouse.up()


def stretch(page: Page, what: Locator, minutes: float) -> None:
    """Drag its lower edge so many minutes down."""
    box = what.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] - 4
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + minutes * MINUTE, steps=8)
    page.mouse.up()


def stored(site: Site, appointment: Appointment) -> Appointment:
    return changing.find(Reading(site.setting.store), STAFF, appointment.id)


def start_of(site: Site, appointment: Appointment) -> str:
    return format_instant(stored(site, appointment).start)


class TestDragging:
    def test_onto_a_free_time_it_stays_and_can_be_taken_back(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff"))

        drag(page, event(page, "Ada"), minutes=60, column=1)

        expect(page.locator("#messages")).to_contain_text("Ada moved to Tue")
        expect(event(page, "Ada")).to_contain_text("11:00\u201311:30")
        moved = stored(site, visit)
        assert (format_instant(moved.start), moved.resource_ids) == ("2026-11-24T10:00:00Z", ("d1",))

        page.get_by_role("button", name="Undo").click()

        expect(event(page, "Ada")).to_contain_text("10:00\u201310:30")
        back = stored(site, visit)
        assert (back.start, back.resource_ids) == (visit.start, visit.resource_ids)

    def test_while_dragged_it_says_whether_the_rules_allow_it(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        book(site, "2026-11-24T11:00:00Z", "Grace", resource_ids=("d0",))
        page = calendar(site.visit("staff"))
        grid = page.locator("#grid")

        grab(page, event(page, "Ada"), minutes=60)
        expect(grid).to_have_attribute("data-drop", "free")
        assert page.locator(".cal-shade.taken").count() >= 3
        page.mouse.move(*beside(event(page, "Grace")), steps=5)
        expect(grid).to_have_attribute("data-drop", "taken")
        preview = page.locator(".cal-preview")
        assert "not free" in preview.evaluate("each => getComputedStyle(each, '::after').content")
        page.mouse.up()

        expect(page.locator(".cal-shade.taken")).to_have_count(0)

    def test_onto_a_taken_time_it_springs_back_and_a_free_one_is_offered(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        book(site, "2026-11-24T10:00:00Z", "Grace", resource_ids=("d0",))
        page = calendar(site.visit("staff"))

        drag(page, event(page, "Ada"), minutes=60)

        dialog = page.get_by_role("dialog", name="It cannot go there")
        expect(dialog).to_contain_text("In the way: Grace, Visit, Tue 24 Nov, 11:00\u201311:30")
        expect(event(page, "Ada")).to_contain_text("10:00\u201310:30")
        dialog.get_by_role("button", name="10:30").click()
        expect(event(page, "Ada")).to_contain_text("10:30\u201311:00")
        assert start_of(site, visit) == "2026-11-24T09:30:00Z"

    def test_against_the_rules_it_goes_with_a_reason_alone_and_shows_it(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        book(site, "2026-11-24T10:00:00Z", "Grace", resource_ids=("d0",))
        page = calendar(site.visit("staff"))
        drag(page, event(page, "Ada"), minutes=60)
        dialog = page.get_by_role("dialog", name="It cannot go there")

        dialog.get_by_text("Do it all the same").click()
        dialog.get_by_role("button", name="Override").click()
        expect(dialog).to_contain_text("Say why.")
        assert stored(site, visit).revision == 1
        dialog.get_by_label("Reason for the override").fill("Grace is her sister")
        dialog.get_by_role("button", name="Override").click()

        expect(event(page, "Ada")).to_contain_text("Overridden")
        expect(event(page, "Ada")).to_have_css("background-image", re.compile("repeating-linear-gradient"))
        assert stored(site, visit).events[-1].reason == "Grace is her sister"

    def test_its_lower_edge_makes_it_longer_until_the_next_one(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        book(site, "2026-11-24T10:30:00Z", "Grace", resource_ids=("d0",))
        page = calendar(site.visit("staff"))

        stretch(page, event(page, "Ada"), 30)
        expect(event(page, "Ada")).to_contain_text("10:00\u201311:00")
        page.keyboard.press("Control+z")
        expect(event(page, "Ada")).to_contain_text("10:00\u201310:30")
        stretch(page, event(page, "Ada"), 90)

        expect(page.get_by_role("dialog", name="It cannot go there")).to_contain_text("Grace")
        assert stored(site, visit).end == visit.end

    def test_an_exam_keeps_its_room_where_it_can(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        exam = book(site, "2026-11-24T09:00:00Z", "Ada", "exam", resource_ids=("d0", "r1"))
        page = calendar(site.visit("staff"))

        drag(page, event(page, "Ada"), minutes=120, column=2)

        expect(event(page, "Ada")).to_contain_text("12:00\u201312:45")
        assert stored(site, exam).resource_ids == ("d2", "r1")

    def test_escape_leaves_it_where_it_was(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff"))

        grab(page, event(page, "Ada"), minutes=60)
        expect(page.locator(".cal-preview")).to_have_count(1)
        page.keyboard.press("Escape")
        page.mouse.up()

        expect(page.locator(".cal-preview, .cal-shade.taken, .cal-ghost")).to_have_count(0)
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert stored(site, visit).revision == 1

    def test_let_go_where_it_was_it_is_neither_moved_nor_opened(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff"))

        grab(page, event(page, "Ada"), minutes=60)
        page.mouse.move(*beside(event(page, "Ada")), steps=4)
        page.mouse.up()

        expect(page.locator(".cal-preview, .cal-ghost")).to_have_count(0)
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert stored(site, visit).revision == 1
        event(page, "Ada").click()
        expect(page.get_by_role("dialog", name="Ada")).to_be_visible()

    def test_at_the_edge_the_grid_scrolls_on(self, open_site: OpenSite) -> None:
        site = around_the_clock(open_site(NOW))
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", "night", resource_ids=("d0",))
        page = calendar(site.visit("staff"), "?hours=all")
        grid = page.locator(".cal-main")
        box = grid.bounding_box()
        assert box

        grab(page, event(page, "Ada"), minutes=30)
        before = grid.evaluate("each => each.scrollTop")
        page.mouse.move(box["x"] + 200, box["y"] + box["height"] - 4, steps=4)
        # What is dragged must follow what scrolls under it: by midnight at the latest there is nothing more below.
        page.wait_for_function("before => document.querySelector('.cal-main').scrollTop > before + 200", arg=before)
        page.mouse.up()

        expect(page.locator("#messages")).to_contain_text("Ada moved to")
        assert stored(site, visit).start > visit.start + 3 * 3600

    def test_a_finger_that_rests_drags_and_one_that_does_not_scrolls(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff", has_touch=True))
        x, y = beside(event(page, "Ada"))
        devtools = page.context.new_cdp_session(page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            devtools.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
            )

        for rests in (False, True):
            touch("touchStart", (x, y))
            page.wait_for_timeout(700 if rests else 10)
            for step in range(1, 9):
                touch("touchMove", (x, y + step * 60 * MINUTE / 8))
            touch("touchEnd")
            if not rests:
                page.wait_for_timeout(200)
                assert stored(site, visit).revision == 1
                x, y = beside(event(page, "Ada"))

        expect(event(page, "Ada")).to_contain_text("11:00\u201311:30")
        assert start_of(site, visit) == "2026-11-24T10:00:00Z"

    def test_a_viewer_drags_nothing(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("viewer"))

        drag(page, event(page, "Ada"), minutes=60)
        page.wait_for_timeout(300)

        assert stored(site, visit).revision == 1
        expect(page.get_by_role("button", name="New appointment")).to_have_count(0)


def beside(what: Locator) -> tuple[float, float]:
    box = what.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + 9


class TestDeeds:
    def test_a_check_in_is_one_press_and_can_be_taken_back(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada")
        page = calendar(site.visit("staff"))

        event(page, "Ada").click()
        page.get_by_role("dialog", name="Ada").get_by_role("button", name="Check in").click()
        expect(event(page, "Ada")).to_have_accessible_name(re.compile("Checked in"))
        assert stored(site, visit).status == "checkedIn"
        page.get_by_role("button", name="Undo").click()

        expect(event(page, "Ada")).to_have_accessible_name(re.compile("Booked"))
        assert stored(site, visit).status == "booked"

    def test_a_cancellation_asks_why_and_can_be_taken_back(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada")
        page = calendar(site.visit("staff"))
        event(page, "Ada").click()
        dialog = page.get_by_role("dialog", name="Ada")

        dialog.get_by_role("button", name="Cancel it…").click()
        dialog.get_by_label("Reason").fill("ill")
        dialog.get_by_role("button", name="Cancel the appointment").click()
        expect(event(page, "Ada")).to_have_count(0)
        assert stored(site, visit).events[-1].reason == "ill"
        page.keyboard.press("Control+z")

        expect(event(page, "Ada")).to_be_visible()
        assert stored(site, visit).status == "booked"

    def test_notes_and_history_stand_in_the_dialog(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada")
        page = calendar(site.visit("staff"))
        event(page, "Ada").click()
        dialog = page.get_by_role("dialog", name="Ada")

        dialog.get_by_label("Notes").fill("Brings a friend")
        dialog.get_by_role("button", name="Save notes").click()
        dialog.get_by_text("History").click()

        expect(dialog.locator("details")).to_contain_text("Changed 2026-11-24 09:10, Sam Staff")
        assert stored(site, visit).details == {"notes": "Brings a friend"}


class TestElsewhere:
    @pytest.mark.parametrize("streams", [True, False])
    def test_a_second_window_sees_a_change_within_two_seconds(self, open_site: OpenSite, streams: bool) -> None:
        site = open_site(NOW, streams=streams)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        first, second = (calendar(site.visit("staff")) for _ in range(2))
        seconds = []

        for shown in ("11:00\u201311:30", "12:00\u201312:30", "13:00\u201313:30"):
            drag(first, event(first, "Ada"), minutes=60)
            expect(event(first, "Ada")).to_contain_text(shown)
            since = time.monotonic()
            expect(event(second, "Ada")).to_contain_text(shown, timeout=10_000)
            seconds.append(time.monotonic() - since)

        expect(second.locator("#reached")).to_be_hidden()
        # The best of three: others may keep this machine busy. Who asks every two seconds has the way on top of them.
        assert min(seconds) < (2 if streams else 2.5), seconds

    def test_an_open_dialog_and_what_is_typed_in_it_outlive_it(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        first, second = (calendar(site.visit("staff")) for _ in range(2))
        event(second, "Ada").click()
        second.get_by_label("Notes").fill("half a sent")

        first.keyboard.press("n")
        first.get_by_label("Customer").fill("Grace")
        first.get_by_role("button", name="Book", exact=True).click()

        expect(event(second, "Grace")).to_be_visible(timeout=10_000)
        expect(second.get_by_label("Notes")).to_have_value("half a sent")

    def test_what_is_being_dragged_is_not_lost(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        first, second = (calendar(site.visit("staff")) for _ in range(2))
        grab(second, event(second, "Ada"), minutes=60)

        first.keyboard.press("n")
        first.get_by_label("Customer").fill("Grace")
        first.get_by_role("button", name="Book", exact=True).click()
        expect(event(first, "Grace")).to_be_visible()
        second.wait_for_timeout(1_500)
        second.mouse.up()

        expect(event(second, "Ada")).to_contain_text("11:00\u201311:30")
        expect(event(second, "Grace")).to_be_visible(timeout=10_000)

    def test_what_was_changed_meanwhile_is_said_and_shown(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff"))
        page.route("**/changes/stream", lambda route: route.abort())
        grab(page, event(page, "Ada"), minutes=60)
        changing.move(site.setting.desk, STAFF, changing.Move(id=visit.id, start=at("2026-11-24T13:00:00Z")))

        page.mouse.up()

        expect(page.locator("#messages")).to_contain_text("changed elsewhere")
        expect(event(page, "Ada")).to_contain_text("14:00\u201314:30")


class TestMeanwhile:
    """What comes from elsewhere, or has not been answered, while somebody has a hand on the mouse."""

    def test_another_is_dragged_before_the_first_is_decided(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        grace = book(site, "2026-11-24T09:00:00Z", "Grace", resource_ids=("d1",))
        page = calendar(site.visit("staff"))
        held = hold(page, "**/move")

        drag(page, event(page, "Ada"), minutes=60)
        grab(page, event(page, "Grace"), minutes=60)
        answer(page, held)
        expect(page.locator("#messages")).to_contain_text("Ada moved")
        page.mouse.move(*beside(cell(page, 2)), steps=2)
        page.mouse.move(*beside(event(page, "Grace")), steps=2)
        x, y = beside(event(page, "Grace"))
        page.mouse.move(x, y + 120 * MINUTE, steps=4)
        page.unroute("**/move")
        page.mouse.up()

        expect(event(page, "Grace")).to_contain_text("12:00\u201312:30")
        expect(event(page, "Ada")).to_contain_text("11:00\u201311:30")
        expect(page.locator(".cal-preview, .cal-shade.taken, .cal-ghost")).to_have_count(0)
        assert start_of(site, grace) == "2026-11-24T11:00:00Z"

    def test_what_was_dropped_stays_there_until_that_is_decided(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff"))
        held = hold(page, "**/move")

        drag(page, event(page, "Ada"), minutes=60)
        book_elsewhere(site, "2026-11-24T13:00:00Z", "Grace", resource_ids=("d0",))
        expect(event(page, "Grace")).to_be_visible()

        preview, column = page.locator(".cal-preview").bounding_box(), cell(page, 0).bounding_box()
        assert preview
        assert column
        assert abs(preview["y"] - column["y"] - 180 * MINUTE) < 2  # eleven, and eight
        expect(page.locator("button.cal-ghost")).to_have_text(re.compile("Ada"))
        answer(page, held)
        expect(event(page, "Ada")).to_contain_text("11:00\u201311:30")
        expect(page.locator(".cal-preview, .cal-ghost")).to_have_count(0)

    def test_what_was_learned_of_one_is_not_said_of_the_next(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        book(site, "2026-11-24T09:00:00Z", "Grace", resource_ids=("d1",))
        page = calendar(site.visit("staff"))
        held = hold(page, "**/free?*")

        grab(page, event(page, "Ada"), minutes=60)
        page.keyboard.press("Escape")
        page.mouse.up()
        grab(page, event(page, "Grace"), minutes=60)
        with page.expect_response("**/free?*"):
            answer(page, held)
        page.wait_for_timeout(100)

        expect(page.locator("#grid")).to_have_attribute("data-drop", "unknown")
        expect(page.locator(".cal-shade.taken")).to_have_count(0)
        with page.expect_response("**/free?*"):
            answer(page, held)
        expect(page.locator("#grid")).to_have_attribute("data-drop", "free")
        page.keyboard.press("Escape")
        page.mouse.up()

    def test_what_is_pressed_is_not_drawn_anew_before_it_opens(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff"))

        page.mouse.move(*beside(event(page, "Ada")))
        page.mouse.down()
        book_elsewhere(site, "2026-11-24T13:00:00Z", "Grace", resource_ids=("d0",))
        page.wait_for_timeout(1_500)
        page.mouse.up()

        expect(page.get_by_role("dialog", name="Ada")).to_be_visible()
        expect(event(page, "Grace")).to_have_count(1)

    def test_pulling_at_what_cannot_be_moved_opens_nothing(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        came = book(site, "2026-11-24T09:00:00Z", "Came", resource_ids=("d0",))
        changing.act(site.setting.desk, STAFF, "checkIn", changing.Request(id=came.id))
        page = calendar(site.visit("staff"))

        drag(page, event(page, "Came"), minutes=60)
        page.wait_for_timeout(200)

        expect(page.get_by_role("dialog")).to_have_count(0)

    def test_what_was_let_go_unseen_is_dragged_no_more(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = site.visit("staff")
        # As when the menu of the right button takes the release.
        unseen = "addEventListener('pointerup', each => window.isUnseen && each.stopImmediatePropagation(), true)"
        page.add_init_script(unseen)
        calendar(page)

        grab(page, event(page, "Ada"), minutes=60)
        page.evaluate("() => { window.isUnseen = true; }")
        page.mouse.up()
        page.evaluate("() => { window.isUnseen = false; }")
        page.mouse.move(*beside(event(page, "Ada")), steps=4)

        expect(page.locator(".cal-preview, .cal-ghost")).to_have_count(0)
        event(page, "Ada").click()
        expect(page.get_by_role("dialog", name="Ada")).to_be_visible()
        assert stored(site, visit).revision == 1

    def test_what_was_pressed_and_let_go_unseen_keeps_nothing_back(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = site.visit("staff")
        page.add_init_script("addEventListener('pointerup', each => each.stopImmediatePropagation(), true)")
        calendar(page)

        page.mouse.move(*beside(event(page, "Ada")))
        page.mouse.down()
        page.mouse.up()
        page.keyboard.press("Escape")  # the dialog that it opened
        page.mouse.move(*beside(cell(page, 1)), steps=2)
        book_elsewhere(site, "2026-11-24T13:00:00Z", "Grace", resource_ids=("d0",))

        expect(event(page, "Grace")).to_be_visible()

    def test_who_looks_elsewhere_in_the_grid_is_left_there(self, open_site: OpenSite) -> None:
        site = around_the_clock(open_site(NOW))
        book(site, "2026-11-24T01:00:00Z", "Ada", "night", override="early", resource_ids=("d0",))
        page = calendar(site.visit("staff"), "?hours=all")
        event(page, "Ada").focus()
        to = page.locator(".cal-main").evaluate("each => each.scrollTop = 900")

        book_elsewhere(site, "2026-11-24T18:00:00Z", "Grace", "night", resource_ids=("d0",))
        expect(event(page, "Grace")).to_have_count(1)

        expect(event(page, "Ada")).to_be_focused()
        assert page.locator(".cal-main").evaluate("each => each.scrollTop") == to

    def test_the_focus_stays_in_the_column_where_it_was(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", "exam", resource_ids=("d0", "r1"))
        page = calendar(site.visit("staff"), "?kinds=staff,room")
        event(page, "Ada").last.focus()

        book_elsewhere(site, "2026-11-24T13:00:00Z", "Grace", "exam", resource_ids=("d0", "r1"))
        expect(event(page, "Grace")).to_have_count(2)

        expect(event(page, "Ada").last).to_be_focused()

    def test_tab_comes_back_to_where_one_was(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        book(site, "2026-11-24T09:00:00Z", "Grace", resource_ids=("d1",))
        page = calendar(site.visit("staff"))
        event(page, "Grace").focus()
        page.locator("#help").focus()

        book_elsewhere(site, "2026-11-24T13:00:00Z", "Lin", resource_ids=("d1",))
        expect(event(page, "Lin")).to_be_visible()
        page.locator(".cal-main").focus()
        page.keyboard.press("Tab")

        expect(event(page, "Grace")).to_be_focused()


def book_elsewhere(site: Site, start: str, name: str, service: str = "visit", **others: Any) -> None:
    """Book it so that the open calendars learn of it, as they do of what is booked at the server."""
    book(site, start, name, service, **others)
    site.house.worker.wake()


def answer(page: Page, held: list[Route]) -> None:
    """Let the first of the requests that wait go on."""
    while not held:
        page.wait_for_timeout(20)
    held.pop(0).continue_()


def hold(page: Page, url: str) -> list[Route]:
    """The requests to `url` from now on, which wait to be continued."""
    held: list[Route] = []
    page.route(url, lambda route: held.append(route))  # noqa: PLW0108 # Playwright marks what it is given
    return held


class TestRoom:
    """What is short, narrow, many or none."""

    @pytest.mark.parametrize("minutes", [5, 10])
    def test_a_short_one_is_read_moved_and_made_longer(self, open_site: OpenSite, minutes: int) -> None:
        site = open_site(NOW)
        site.setting.service("shot", name="Shot", duration_minutes=minutes, step_minutes=5)
        shot = book(site, "2026-11-24T09:00:00Z", "Ada", "shot", resource_ids=("d0",))
        page = calendar(site.visit("staff"))
        fits = "each => each.firstElementChild.offsetTop + each.firstElementChild.offsetHeight <= each.clientHeight + 1"

        assert event(page, "Ada").evaluate(fits)
        box = event(page, "Ada").bounding_box()
        assert box
        x, y = box["x"] + 60, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + 60 * MINUTE, steps=8)
        expect(page.locator("#grid")).to_have_attribute("data-drop", "free")
        page.mouse.up()
        expect(page.locator("#messages")).to_contain_text("Ada moved")
        assert start_of(site, shot) == "2026-11-24T10:00:00Z"
        stretch_by = event(page, "Ada").bounding_box()
        assert stretch_by
        y = stretch_by["y"] + stretch_by["height"] - 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + 15 * MINUTE, steps=8)
        page.mouse.up()

        expect(page.locator("#messages")).to_contain_text("Ada now ends at")
        moved = stored(site, shot)
        assert moved.end - moved.start == 60 * (minutes + 15)

    def test_a_name_is_worth_more_than_a_tag(self, open_site: OpenSite) -> None:
        site = open_site(NOW, doctors=6)
        busy_day(site)
        page = calendar(site.visit("staff"))

        expect(event(page, "Squeezed").locator(".cal-tags")).to_be_hidden()
        expect(event(page, "Ada").locator(".cal-tags")).to_be_visible()

    def test_what_is_focused_is_not_beneath_the_heads_and_hours(self, open_site: OpenSite) -> None:
        site = around_the_clock(open_site(NOW, doctors=8))
        book(site, "2026-11-24T03:00:00Z", "Ada", "night", override="early", resource_ids=("d0",))
        book(site, "2026-11-24T18:00:00Z", "Grace", "night", override="late", resource_ids=("d0",))
        book(site, "2026-11-24T18:00:00Z", "Lin", "night", override="late", resource_ids=("d2",))
        page = calendar(site.visit("staff", viewport={"width": 900, "height": 500}), "?view=week&hours=all")

        event(page, "Lin").focus()
        page.locator(".cal-main").evaluate("each => each.scrollBy(200, 0)")
        for key, name in (("ArrowLeft", "Grace"), ("ArrowUp", "Ada")):
            page.keyboard.press(key)
            expect(event(page, name)).to_be_focused()
            box = event(page, name).bounding_box()
            heads, hours = page.locator(".cal-heads").bounding_box(), page.locator(".cal-hours").bounding_box()
            assert box
            assert heads
            assert hours
            assert box["y"] >= heads["y"] + heads["height"]
            assert box["x"] >= hours["x"] + hours["width"]

    def test_where_nobody_is_chosen_nothing_old_is_left(self, open_site: OpenSite) -> None:
        site = open_site(NOW, doctors=1)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff"))
        page.locator("#filters summary").click()
        box = page.get_by_role("checkbox", name="Dr 0", exact=True)

        box.uncheck()
        expect(page.locator("#empty")).to_be_visible()
        expect(event(page, "Ada")).to_be_hidden()
        box.check()

        expect(event(page, "Ada")).to_be_visible()

    def test_a_new_day_is_marked_as_today(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        page = calendar(site.visit("staff"), "?view=week")
        expect(page.locator(".cal-date.is-today")).to_have_text("Tue 24 Nov")

        page.clock.set_fixed_time("2026-11-25T08:10:00Z")
        book_elsewhere(site, "2026-11-26T09:00:00Z", "Ada")

        expect(page.locator(".cal-date.is-today")).to_have_text("Wed 25 Nov")


class TestByKeyboard:
    def test_booking_for_a_known_customer(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        catalogue.put(site.setting.desk, STAFF, "customer", "lin", Customer(name="Lin Wei", email="lin@example.com"))
        page = calendar(site.visit("staff"))
        keys = page.keyboard

        keys.press("n")
        dialog = page.get_by_role("dialog", name="New appointment")
        expect(dialog.get_by_label("Service")).to_be_focused()
        keys.type("Visit")
        expect(dialog.locator(".cal-free")).to_contain_text("Free")
        dialog.get_by_label("Customer").focus()
        keys.type("lin")
        expect(page.get_by_role("option", name="Lin Wei")).to_be_visible()
        keys.press("ArrowDown")
        keys.press("Enter")
        expect(dialog.get_by_label("Mail address")).to_have_value("lin@example.com")
        keys.press("Enter")

        expect(event(page, "Lin Wei")).to_be_focused()
        [made] = site.setting.store.list("customer", "clinic/lin", limit=5).docs
        assert b"Lin Wei" not in made.body  # it names the customer by id: who they are stands in one place

    def test_what_is_wrong_is_said_next_to_its_field(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        page = calendar(site.visit("staff"))
        page.keyboard.press("n")
        dialog = page.get_by_role("dialog", name="New appointment")

        dialog.get_by_label("Customer").fill("Ada")
        dialog.get_by_label("Mail address").fill("nobody")
        page.keyboard.press("Enter")

        expect(dialog.get_by_label("Mail address")).to_be_focused()
        expect(dialog.get_by_label("Mail address")).to_have_attribute("aria-invalid", "true")
        expect(dialog.get_by_label("Mail address")).to_have_accessible_description(re.compile("not a mail address"))

    def test_moving_opening_and_taking_back(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        book(site, "2026-11-24T12:00:00Z", "Grace", resource_ids=("d1",))
        page = calendar(site.visit("staff"))
        keys = page.keyboard

        page.locator(".cal-main").focus()
        keys.press("Tab")
        expect(event(page, "Ada")).to_be_focused()
        keys.press("ArrowRight")
        expect(event(page, "Grace")).to_be_focused()
        keys.press("ArrowLeft")
        keys.press("m")
        dialog = page.get_by_role("dialog", name="Move Ada")
        dialog.get_by_label("Time").fill("15:00")
        expect(dialog.locator(".cal-free")).to_contain_text("Free")
        keys.press("Enter")
        expect(event(page, "Ada")).to_contain_text("15:00\u201315:30")
        expect(event(page, "Ada")).to_be_focused()
        assert start_of(site, visit) == "2026-11-24T14:00:00Z"

        keys.press("Control+z")
        expect(event(page, "Ada")).to_contain_text("10:00\u201310:30")
        keys.press("Enter")
        expect(page.get_by_role("dialog", name="Ada")).to_be_visible()
        keys.press("Escape")
        expect(event(page, "Ada")).to_be_focused()

    def test_a_taken_time_offers_others_before_anything_is_sent(self, open_site: OpenSite) -> None:
        site = open_site(NOW, doctors=1)
        book(site, "2026-11-24T09:00:00Z", "Ada")
        book(site, "2026-11-24T10:00:00Z", "Grace")
        page = calendar(site.visit("staff"))
        event(page, "Ada").focus()
        page.keyboard.press("m")
        dialog = page.get_by_role("dialog", name="Move Ada")

        dialog.get_by_label("Time").fill("11:00")

        expect(dialog.locator(".cal-free")).to_contain_text("Not free")
        dialog.get_by_role("button", name="11:30").click()
        expect(dialog.locator(".cal-free")).to_contain_text("✓ Free")

    def test_a_key_counts_at_once_when_a_form_has_been_closed(self, open_site: OpenSite) -> None:
        page = calendar(open_site(NOW).visit("staff"))
        page.keyboard.press("n")
        expect(page.get_by_role("dialog", name="New appointment")).to_be_visible()

        # Before the browser draws again, the focus is still in the form that is gone.
        page.evaluate("""() => {
            document.querySelector("dialog[open]").close();
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "?", bubbles: true}));
        }""")

        expect(page.get_by_role("dialog", name="Keys and signs")).to_be_visible()

    def test_keys_change_the_view_and_can_be_turned_off(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-25T09:00:00Z", "Ada")
        page = calendar(site.visit("staff"))

        page.keyboard.press("l")
        expect(page.locator(".cal-line")).to_contain_text("Ada")
        page.keyboard.press("w")
        expect(event(page, "Ada")).to_be_visible()
        expect(page.get_by_role("radio", name="Week")).to_be_checked()
        page.keyboard.press("j")
        expect(page.locator("#title")).to_contain_text("30 Nov")
        page.keyboard.press("?")
        page.get_by_label("Use keys of one letter").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("t")

        expect(page.locator("#title")).to_contain_text("30 Nov")


class TestClocksThatChange:
    def test_in_spring_the_day_has_a_gap_that_nothing_is_dropped_into(self, open_site: OpenSite) -> None:
        site = around_the_clock(open_site("2027-03-27T08:00:00Z"))
        early = book(site, "2027-03-28T00:00:00Z", "Early", "night", resource_ids=("d0",))
        book(site, "2027-03-28T01:00:00Z", "Late", "night", resource_ids=("d1",))
        page = calendar(site.visit("staff", timezone_id="Europe/Berlin"), "?date=2027-03-28&hours=all")

        expect(event(page, "Early")).to_contain_text("01:00\u201301:30")
        expect(event(page, "Late")).to_contain_text("03:00\u201303:30")
        drag(page, event(page, "Early"), minutes=60)

        expect(page.locator("#messages")).to_contain_text("02:00 does not exist on 2027-03-28")
        expect(event(page, "Early")).to_contain_text("01:00\u201301:30")
        drag(page, event(page, "Early"), minutes=120)
        expect(event(page, "Early")).to_contain_text("03:00\u201303:30")
        assert start_of(site, early) == "2027-03-28T01:00:00Z"

    def test_in_autumn_an_hour_comes_twice_and_each_is_told_apart(self, open_site: OpenSite) -> None:
        site = around_the_clock(open_site("2026-10-24T08:00:00Z"))
        first = book(site, "2026-10-25T00:30:00Z", "First", "night", resource_ids=("d0",))
        second = book(site, "2026-10-25T01:30:00Z", "Second", "night", resource_ids=("d1",))
        page = calendar(site.visit("staff", timezone_id="America/New_York"), "?date=2026-10-25&hours=all")

        expect(event(page, "First")).to_contain_text("02:30 (UTC+02:00)\u201302:00")
        expect(event(page, "Second")).to_contain_text("02:30 (UTC+01:00)\u201303:00")
        drag(page, event(page, "Second"), minutes=0.1, column=2)
        expect(page.locator("#messages")).to_contain_text("02:30 (UTC+01:00)")
        assert stored(site, second).start == second.start
        drag(page, event(page, "First"), minutes=60)

        expect(event(page, "First")).to_contain_text("03:30\u201304:00")
        assert start_of(site, first) == "2026-10-25T02:30:00Z"

    @pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "UTC"])
    def test_where_the_browser_is_makes_no_difference(self, open_site: OpenSite, zone: str) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff", timezone_id=zone))

        expect(page.locator("#title")).to_contain_text("24 November")
        line, box = page.locator(".cal-now").first.bounding_box(), event(page, "Ada").bounding_box()
        assert line
        assert box
        assert abs((box["y"] - line["y"]) / MINUTE - 50) < 2  # ten past nine, and ten
        drag(page, event(page, "Ada"), minutes=60)
        expect(event(page, "Ada")).to_contain_text("11:00\u201311:30")

        assert start_of(site, visit) == "2026-11-24T10:00:00Z"


def around_the_clock(site: Site) -> Site:
    """The clinic, open day and night."""
    setting: Setting = site.setting
    for number in range(3):
        setting.put("resource", f"d{number}", Resource(name=f"Dr {number}", zone="Europe/Berlin"))
    setting.service("night", name="Night")
    return site


class TestShown:
    def test_filters_are_kept_in_the_address(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", "exam", resource_ids=("d0", "r1"))
        book(site, "2026-11-24T10:00:00Z", "Grace", resource_ids=("d1",))
        page = calendar(site.visit("staff"))

        page.locator("#filters summary").click()
        page.get_by_role("checkbox", name="Rooms").check()
        page.get_by_role("checkbox", name="Visit").uncheck()
        expect(event(page, "Ada")).to_have_count(2)
        expect(event(page, "Grace")).to_have_count(0)
        page.reload()

        expect(event(page, "Ada")).to_have_count(2)
        expect(event(page, "Grace")).to_have_count(0)
        expect(page.locator("#filters summary")).to_have_text("Filters (2)")

    @pytest.mark.parametrize("view", ["day", "week", "list"])
    def test_on_paper_stands_all_of_it_and_nothing_to_press(self, open_site: OpenSite, view: str) -> None:
        site = open_site(NOW)
        busy_day(site)
        page = calendar(site.visit("staff", viewport={"width": 1000, "height": 500}), f"?view={view}")

        page.emulate_media(media="print")

        cut_off = "() => [...document.querySelectorAll('.cal-main, .cal-list, .calendar')].map((each) => "
        cut_off += "getComputedStyle(each).overflowY !== 'visible' && each.scrollHeight > each.clientHeight)"
        assert not any(page.evaluate(cut_off))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".cal-bar :is(button, input, select, summary):visible, header.top:visible")).to_have_count(
            0
        )
        expect(page.locator(":is(.cal-event, .cal-line):visible").filter(has_text="Pending")).to_have_count(1)

    @pytest.mark.parametrize("locale", ["en-US", "en-GB"])
    def test_a_week_begins_where_the_reader_has_it_begin(self, open_site: OpenSite, locale: str) -> None:
        site = around_the_clock(open_site(NOW))
        book(site, "2026-11-22T09:00:00Z", "Sunday before", override="made up", resource_ids=("d0",))
        book(site, "2026-11-29T09:00:00Z", "Sunday after", resource_ids=("d0",))
        page = calendar(site.visit("staff", locale=locale), "?view=week")

        shown = "before" if locale == "en-US" else "after"
        expect(page.locator(".cal-event")).to_have_count(1)
        box, column = event(page, shown).bounding_box(), cell(page, 0 if locale == "en-US" else 18).bounding_box()

        assert box
        assert column
        assert column["x"] <= box["x"] < column["x"] + column["width"]

    def test_a_press_on_a_free_time_is_where_the_next_one_goes(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d1",))
        page = calendar(site.visit("staff"))
        x, y = beside(event(page, "Ada"))

        page.mouse.click(x, y + 50 * MINUTE)

        dialog = page.get_by_role("dialog", name="New appointment")
        expect(dialog.get_by_label("Time")).to_have_value("10:45")
        expect(dialog.get_by_label("With")).to_have_value("d1")

    @pytest.mark.parametrize("locale", ["en-US", "en-GB"])
    def test_hours_stand_whole_beside_their_lines(self, open_site: OpenSite, locale: str) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T10:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff", locale=locale))
        hour = page.locator(".cal-hours span").filter(has_text="11:00")

        box, beside, side = (each.bounding_box() for each in (hour, event(page, "Ada"), page.locator(".cal-hours")))

        assert box
        assert beside
        assert side
        text = hour.evaluate(
            "each => { const all = document.createRange(); all.selectNodeContents(each); return "
            "(({left, right, top, bottom}) => [left, right, (top + bottom) / 2])(all.getBoundingClientRect()) }"
        )
        assert side["x"] < text[0] < text[1] < side["x"] + side["width"]
        assert abs(text[2] - beside["y"]) < 2

    def test_those_that_overlap_stand_side_by_side(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        for name, start in (("Grace", "2026-11-24T09:15:00Z"), ("Lin", "2026-11-24T09:45:00Z")):
            book(site, start, name, override="urgent", resource_ids=("d0",))
        book(site, "2026-11-24T11:00:00Z", "Mary", resource_ids=("d0",))
        page = calendar(site.visit("staff"))

        ada, grace, lin, mary = (event(page, name).bounding_box() for name in ("Ada", "Grace", "Lin", "Mary"))
        column = cell(page, 0).bounding_box()

        assert ada
        assert grace
        assert lin
        assert mary
        assert column
        assert ada["x"] + ada["width"] <= grace["x"]  # they overlap
        assert lin["x"] == ada["x"]  # beneath Ada's, who has gone by then
        assert mary["width"] > 2 * ada["width"] * 0.95  # alone

    def test_what_a_visitor_typed_is_text(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        evil = "<img src=x onerror=alert(1)>\"'`${7*7}"
        book(site, "2026-11-24T09:00:00Z", evil, details={"notes": evil, evil: evil})
        page = site.visit("staff")
        page.on("dialog", lambda dialog: site.complaints.append(f"a dialog opened: {dialog.message}"))
        calendar(page)

        event(page, "img src").click()
        expect(page.get_by_role("dialog")).to_contain_text(evil)
        page.keyboard.press("Escape")
        page.keyboard.press("l")

        expect(page.locator(".cal-line")).to_contain_text(evil)
        assert page.locator("img").count() == 0

    @pytest.mark.parametrize("width", [390, 320])
    @pytest.mark.parametrize("view", ["day", "week", "list"])
    def test_on_a_phone_nothing_overflows(self, open_site: OpenSite, width: int, view: str) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada-with-a-very-long-name-that-never-ends", resource_ids=("d0",))
        page = calendar(site.visit("staff", viewport={"width": width, "height": 700}), f"?view={view}")

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if view != "list":
            expect(page.get_by_label("Whose column")).to_be_visible()
        page.get_by_text("Ada-with").first.click()
        expect(page.get_by_role("dialog")).to_contain_text("Visit")
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_on_a_phone_one_column_is_shown_at_a_time(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        book(site, "2026-11-24T10:00:00Z", "Grace", resource_ids=("d1",))
        page = calendar(site.visit("staff", viewport=NARROW), "?view=day")

        expect(event(page, "Ada")).to_be_visible()
        expect(event(page, "Grace")).to_have_count(0)
        page.get_by_label("Whose column").select_option("d1")

        expect(event(page, "Grace")).to_be_visible()
        expect(event(page, "Ada")).to_have_count(0)

    def test_without_script_a_day_is_a_list_with_forms(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        visit = book(site, "2026-11-24T09:00:00Z", "Ada")
        page = site.visit("staff", java_script_enabled=False)

        page.goto("/staff/clinic")
        page.get_by_role("link", name="The day as a list").click()
        page.get_by_role("link", name="Ada").click()
        page.get_by_label("Time").fill("14:00")
        page.get_by_role("button", name="Move", exact=True).click()
        expect(page.locator("dl")).to_contain_text("14:00\u201314:30")
        page.get_by_role("button", name="Check in").click()

        expect(page.locator(".cal-state")).to_contain_text("Checked in")
        assert stored(site, visit).status == "checkedIn"


class TestForEverybody:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_nothing_stands_in_the_way_of_assistive_technology(self, open_site: OpenSite, scheme: str) -> None:
        site = open_site(NOW)
        busy_day(site)
        page = site.visit("staff", color_scheme=scheme)

        for view in ("day", "week", "list"):
            calendar(page, f"?view={view}")
            check_axe(page, view)
        for keys, opened in (("n", "New appointment"), ("?", "Keys and signs")):
            page.keyboard.press(keys)
            expect(page.get_by_role("dialog", name=opened)).to_be_visible()
            check_axe(page, opened)
            page.keyboard.press("Escape")
        page.locator("#filters summary").click()
        check_axe(page, "filters")
        page.keyboard.press("Escape")
        calendar(page, "?view=day")
        event(page, "Ada").click()
        expect(page.get_by_role("dialog").get_by_text("History")).to_be_visible()
        check_axe(page, "appointment")
        page.get_by_role("button", name="Move…").click()
        check_axe(page, "move")
        page.keyboard.press("Escape")
        drag(page, event(page, "Ada"), minutes=60)
        expect(page.get_by_role("dialog", name="It cannot go there")).to_be_visible()
        check_axe(page, "refusal")
        page.keyboard.press("Escape")
        drag(page, event(page, "Ada"), minutes=120)
        expect(page.get_by_role("button", name="Undo")).to_be_visible()
        check_axe(page, "a message")

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_so_do_the_pages_without_script(self, open_site: OpenSite, scheme: str) -> None:
        site = open_site(NOW)
        visit = busy_day(site)
        page = site.visit("staff", color_scheme=scheme)

        for path in ("day", f"appointments/{visit.id}", "new?service=visit&date=2026-11-24"):
            page.goto(f"/staff/clinic/{path}")
            check_axe(page, path)

    def test_what_happened_is_read_out(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",))
        page = calendar(site.visit("staff"))

        drag(page, event(page, "Ada"), minutes=60)

        expect(page.locator("#spoken")).to_have_text(re.compile("Ada moved to Tue.* Press Control Z to undo"))

    def test_an_appointment_says_all_in_its_name(self, open_site: OpenSite) -> None:
        site = open_site(NOW)
        busy_day(site)
        page = calendar(site.visit("staff"))

        expect(event(page, "Ada")).to_have_accessible_name(re.compile("Ada.*10:00\u201310:30.*Visit.*Booked.*Tuesday"))


def busy_day(site: Site) -> Appointment:
    """A day on which there is one of everything; the visit of Ada, whose next hour is another's."""
    desk = site.setting.desk
    visit = book(site, "2026-11-24T09:00:00Z", "Ada", resource_ids=("d0",), details={"notes": "Knee"})
    book(site, "2026-11-24T10:00:00Z", "Grace", resource_ids=("d0",))
    came = book(site, "2026-11-24T09:00:00Z", "Came", resource_ids=("d1",))
    missed = book(site, "2026-11-24T09:00:00Z", "Missed", resource_ids=("d2",))
    changing.act(desk, STAFF, "checkIn", changing.Request(id=came.id))
    changing.act(desk, STAFF, "noShow", changing.Request(id=missed.id))
    book(site, "2026-11-24T10:00:00Z", "Squeezed", resource_ids=("d0",), override="urgent")
    coming = book(site, "2026-11-24T13:00:00Z", "Coming", resource_ids=("d1",))
    changing.attend(desk, STAFF, changing.Request(id=coming.id))
    site.setting.service("treat", name="Treatment", needs_confirmation=True, confirm_within_minutes=600)
    book(site, "2026-11-24T13:00:00Z", "Pending", "treat", resource_ids=("d2",))
    catalogue.add_time_off(desk, STAFF, "d2", at("2026-11-24T14:00:00Z"), at("2026-11-24T16:00:00Z"), "Dentist")
    return visit


def check_axe(page: Page, what: str) -> None:
    page.wait_for_timeout(150)  # until what appears has appeared
    found = Axe().run(page).response["violations"]
    nodes = [(each["id"], node["html"][:160], node["failureSummary"][:200]) for each in found for node in each["nodes"]]
    assert nodes == [], what


class TestSpeed:
    def test_a_week_of_500_appointments_is_drawn_whole_and_tells_how_long_it_took(self, open_site: OpenSite) -> None:
        site = open_site(NOW, doctors=12)
        fill(site, 500)
        page = site.visit("staff", is_timed=True)

        times = [drawn(calendar(page, "?view=week&date=2026-12-01")) for _ in range(3)]

        assert page.locator(".cal-event").count() == 500
        # How fast it is on a machine with nothing else to do is for a bench to say: tests run side by side.
        assert min(times) < 3_000, times


def drawn(page: Page) -> float:
    """The milliseconds from when the data was there until all of it could be seen."""
    # `wait_for_function` would have the page evaluate a text, which its policy forbids.
    while not (found := page.evaluate("performance.getEntriesByName('calendar-drawn').map(each => each.duration)")):
        page.wait_for_timeout(20)
    return float(found[0])


def fill(site: Site, count: int) -> None:
    """Book the week from 30 November on until there are so many."""
    search = Search(first=at("2026-11-30T00:00:00Z"), last=at("2026-12-05T00:00:00Z"))
    starts = service_slots(site.setting.desk, STAFF, "visit", search).starts[::2]
    with site.setting.store.batch():
        for number in range(count):
            book(site, format_instant(starts[number % len(starts)]), f"Person {number}")
