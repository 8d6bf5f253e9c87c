"""The page that shows how the business is doing, in a real browser: read by all, light and dark, wide and narrow."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import expect

from tests.browser.conftest import WIDE, OpenSite

pytestmark = pytest.mark.slow

DAYS = "from=2026-11-23&to=2026-11-29"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, {"width": 320, "height": 640}], ids=["wide", "phone"])
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    open_site: OpenSite, scheme: str, viewport: dict[str, int]
) -> None:
    site = open_site()
    for hour in (8, 9, 9, 10, 11):
        site.setting.book(f"2026-11-24T{hour:02}:00:00Z")
    page = site.visit("viewer", color_scheme=scheme, viewport=viewport, java_script_enabled=True)

    for query in (DAYS, f"{DAYS}&service=nothing"):
        page.goto(f"/staff/clinic/insight?{query}")
        for each in page.get_by_text("As a table").all():
            each.click()
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_is_filtered_and_downloaded_by_keyboard_alone(open_site: OpenSite) -> None:
    site = open_site()
    site.setting.book("2026-11-24T09:00:00Z")
    site.setting.book("2026-11-24T10:00:00Z", "exam")
    page = site.visit("staff", java_script_enabled=False)
    page.goto(f"/staff/clinic/insight?{DAYS}")
    expect(page.get_by_role("img", name="2 appointments in all.")).to_be_visible()

    page.get_by_label("Service").focus()
    page.keyboard.type("Exam")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="1 appointment in all.")).to_be_visible()
    page.get_by_text("As a table").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="Tue, 24 Nov 2026")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("CSV.*Appointments by day")).focus()
        page.keyboard.press("Enter")
    assert "2026-11-24,exam,Exam,booked,1" in download.value.path().read_text()
