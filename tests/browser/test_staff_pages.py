"""The pages of Set up in a real browser: what their script adds, the states that a form can be in, and keys alone."""

import base64
import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships none
from playwright.sync_api import Page, expect

from slotkeeper.core.service import Business
from slotkeeper.desk import catalogue
from slotkeeper.documents import Template
from tests.browser.conftest import OpenSite, Site
from tests.builders import STAFF

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

HOME = "/staff/clinic"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    return open_site()


@pytest.fixture
def owner(site: Site) -> Page:
    return site.visit("owner")


def judge(page: Page) -> None:
    """axe finds nothing, by day and by night, and nothing is wider than the smallest phone."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(50)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
    page.emulate_media(color_scheme="light")
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size(size or {"width": 1280, "height": 860})


def a_wrong_service(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/setup/add/services")
    page.get_by_label("Length").fill("7")
    page.get_by_role("button", name="Add a service").click()


def a_changed_service(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/setup/services/visit")
    before = catalogue.item(site.setting.desk, STAFF, "service", "visit").value
    site.setting.service("visit", name="Theirs", needs=before.needs)
    page.get_by_label("Name").fill("Mine")
    page.get_by_role("button", name="Save").click()


def a_needed_pool(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/setup/pools/doctors")
    page.get_by_text("Remove …").click()
    page.get_by_role("button", name="Remove “Doctors”").click()


def a_wrong_week(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/setup/hours/week")
    page.get_by_label("Saturday, opening 1, from").fill("10:00")
    page.get_by_role("button", name="Save").click()


def a_new_key(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/setup/keys")
    page.get_by_label("Name").fill("Website")
    page.get_by_role("button", name="Make the key").click()


def an_invitation(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/setup/members")
    page.get_by_label("Name").fill("Vera")
    page.get_by_label("Mail address").fill("vera@example.com")
    page.get_by_role("button", name="Make an invitation").click()


def a_new_webhook(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/setup/add/webhooks")
    page.get_by_label("Address").fill("https://example.com/x")
    page.get_by_role("button", name="Add a webhook").click()


def a_wrong_password(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/account")
    page.get_by_label("Password until now").fill("wrong")
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Change the password").click()


def time_off_with_clashes(page: Page, site: Site) -> None:
    site.setting.book("2026-11-23T09:00:00Z", resource_ids=("d0",))
    page.goto(f"{HOME}/setup/resources/d0/time-off")
    page.get_by_role("button", name="Add time off").click()


def something_saved(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/setup/business")
    page.get_by_role("button", name="Save").click()


def nobody_found(page: Page, site: Site) -> None:
    page.goto(f"{HOME}/customers?q=nobody")


STATES: dict[str, tuple[Callable[[Page, Site], None], str]] = {
    "errors": (a_wrong_service, "Please look at this again"),
    "changed meanwhile": (a_changed_service, "Somebody changed this meanwhile"),
    "still needed": (a_needed_pool, "still needs it"),
    "half an opening": (a_wrong_week, "An opening needs both times"),
    "a key shown once": (a_new_key, "It is shown this once"),
    "an invitation": (an_invitation, "Hand this link to Vera"),
    "a secret": (a_new_webhook, "The secret of this webhook"),
    "a wrong password": (a_wrong_password, "10 to 200 characters"),
    "clashes": (time_off_with_clashes, "1 appointment is booked then"),
    "saved": (something_saved, "Your changes are saved."),
    "nobody": (nobody_found, "Nobody fits"),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_for_everybody(site: Site, owner: Page, state: str) -> None:
    reach, words = STATES[state]

    reach(owner, site)

    expect(owner.locator("main")).to_contain_text(words)
    judge(owner)


def test_what_is_wrong_has_the_focus_and_leads_to_its_field(site: Site, owner: Page) -> None:
    a_wrong_service(owner, site)

    expect(owner.locator("#errors")).to_be_focused()
    owner.get_by_role("link", name="Length").click()
    expect(owner.get_by_label("Length")).to_be_focused()
    expect(owner.get_by_label("Length")).to_have_value("7")
    expect(owner.get_by_label("Length")).to_have_accessible_description("Use a multiple of 5")


@pytest.mark.parametrize("scripted", [True, False])
def test_a_new_business_is_set_up_by_keys_alone(open_site: OpenSite, scripted: bool) -> None:
    site = open_site(doctors=1, rooms=1)
    everything = {
        "service": ("exam", "visit"),
        "pool": ("doctors", "rooms"),
        "resource": ("d0", "r0"),
        "schedule": ("week",),
    }
    for kind, ids in everything.items():
        for id in ids:
            catalogue.remove(site.setting.desk, STAFF, kind, id)  # type: ignore[arg-type] # kinds, all of them
    page = site.visit("owner", java_script_enabled=scripted)
    page.goto(f"{HOME}/setup")

    press(page, "link", "Add hours")
    type_into(page, "Name", "Weekdays")
    press(page, "button", "Add hours")
    press(page, "link", "Next: who can be booked")
    type_into(page, "Name", "Ada")
    press(page, "button", "Add a person or a room")
    press(page, "link", "Next: what can be booked")
    type_into(page, "Name", "Haircut")
    press(page, "button", "Add a service")

    expect(page.get_by_role("status")).to_contain_text("It is added.")
    page.goto("/clinic")
    expect(page.get_by_role("link", name="Haircut").first).to_be_visible()


def press(page: Page, role: str, name: str) -> None:
    """Come to it by Tab, and press Enter."""
    wanted = page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type] # a role
    come_to(page, lambda: wanted.evaluate("each => each === document.activeElement"))
    page.keyboard.press("Enter")
    page.wait_for_load_state()


def type_into(page: Page, label: str, text: str) -> None:
    wanted = page.get_by_label(label, exact=True)
    come_to(page, lambda: wanted.evaluate("each => each === document.activeElement"))
    page.keyboard.type(text)


def come_to(page: Page, is_there: Callable[[], bool]) -> None:
    for _ in range(400):  # a time of day has three stops, and without script there are 56 of them
        if is_there():
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab never gets there")


def test_one_signs_in_and_out_by_the_form(site: Site) -> None:
    from slotkeeper.desk import members
    from slotkeeper.desk.passwords import hashed

    olga = members.add(site.setting.desk, STAFF, "olga@example.com", "Olga Owner", "owner")
    members.set_password_hash(site.setting.desk, STAFF, olga.id, hashed("a horse on the roof"))
    page = site.visit()
    page.goto(f"{HOME}/setup/services")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Mail address").fill("olga@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("is not right")
    judge(page)

    page.get_by_label("Password").fill("a horse on the roof")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/setup/services$"))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{HOME}/setup")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_more_openings_are_a_button_away(site: Site, owner: Page) -> None:
    owner.goto(f"{HOME}/setup/hours/week")
    second = owner.get_by_label("Monday, opening 2, from")
    expect(second).to_be_hidden()

    owner.get_by_role("button", name="Monday: More").click()
    expect(second).to_be_focused()
    second.fill("18:00")
    owner.get_by_label("Monday, opening 2, to").fill("20:00")
    owner.get_by_role("button", name="Save").click()

    expect(owner.get_by_role("status")).to_contain_text("saved")
    monday = catalogue.item(site.setting.desk, STAFF, "schedule", "week").value.weekly.mon
    assert [(each.from_, each.to) for each in monday] == [("09:00", "17:00"), ("18:00", "20:00")]


def test_without_script_all_rows_are_there(site: Site) -> None:
    page = site.visit("owner", java_script_enabled=False)
    page.goto(f"{HOME}/setup/hours/week")

    expect(page.get_by_label("Monday, opening 4, from")).to_be_visible()


def test_a_colour_is_shown_as_it_is_chosen(site: Site, owner: Page) -> None:
    owner.goto(f"{HOME}/setup/business")
    button = owner.locator("svg[data-shades=light] rect[data-fill=accent]")
    before = button.get_attribute("fill")

    owner.get_by_label("Colour", exact=True).evaluate(
        "each => { each.value = '#c2185b'; each.dispatchEvent(new Event('input', {bubbles: true})); }"
    )

    expect(button).not_to_have_attribute("fill", before or "")
    expect(owner.get_by_label("Use a colour of our own")).to_be_checked()
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("status")).to_be_visible()
    assert catalogue.profile(site.setting.desk, STAFF).value.accent == "#c2185b"
    judge(owner)


def test_a_logo_is_read_from_a_file(site: Site, owner: Page) -> None:
    owner.goto(f"{HOME}/setup/business")
    field = owner.get_by_label("A picture")

    field.set_input_files({"name": "big.png", "mimeType": "image/png", "buffer": DOT + bytes(50_000)})
    expect(owner.get_by_text("larger than 40 KB")).to_be_visible()
    field.set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": DOT})
    expect(owner.get_by_text("larger than 40 KB")).to_be_hidden()
    owner.get_by_role("button", name="Use this logo").click()

    picture = owner.get_by_role("img", name="The logo of Clinic")
    expect(picture).to_be_visible()
    assert picture.evaluate("each => each.naturalWidth") == 1
    assert catalogue.logo(site.setting.desk, STAFF).value.data == DOT


def test_the_address_of_the_booking_page_is_copied(site: Site) -> None:
    page = site.visit("owner", permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{HOME}/setup")

    page.get_by_role("button", name="Copy").first.click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}/clinic"


def test_a_message_is_previewed_and_nothing_in_it_runs(site: Site, owner: Page) -> None:
    hostile = (
        "<script>top.hacked = 1; document.title = 'hacked'</script><p style='color: red'>Hi {{ customer.name }}</p>"
    )
    site.setting.put("template", "own", Template(kind="booked", subject="S", text="T", html=hostile))
    owner.goto(f"{HOME}/setup/templates/own")

    frame = owner.frame_locator("iframe[title]")
    expect(frame.get_by_text("Hi Ada Lovelace")).to_be_visible()
    expect(frame.get_by_text("Hi Ada Lovelace")).to_have_css("color", "rgb(255, 0, 0)")
    assert owner.evaluate("window.hacked") is None

    owner.get_by_label("HTML").fill("")
    owner.get_by_label("Text").fill("Bye {{ customer.name }}\n\n{{ details }}")
    owner.get_by_role("button", name="Show a preview").click()
    expect(owner.frame_locator("iframe[title]").get_by_text("Bye Ada Lovelace")).to_be_visible()
    assert catalogue.item(site.setting.desk, STAFF, "template", "own").value.html == hostile


def test_a_hostile_name_is_inert_on_every_page(site: Site, owner: Page) -> None:
    name = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"
    profile = catalogue.profile(site.setting.desk, STAFF).value
    catalogue.put_profile(site.setting.desk, STAFF, Business(name=name, zone=profile.zone))
    for path in ("/setup", "/setup/business", "/setup/services", "/customers", "/account", "/sign-in"):
        owner.goto(f"{HOME}{path}")
        assert owner.evaluate("window.hacked") is None
    expect(owner.locator("body")).to_contain_text("<img src=x")
