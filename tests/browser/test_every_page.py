"""What holds of every page, taken from the route table: a new page is judged with all others, or this fails."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships none
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, ViewportSize

from slotkeeper.web.routes import HTML
from slotkeeper.web.table import PAGES
from tests.browser.showcase import Showcase, showcase

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("every-page")]

NO_PAGES = {
    "/staff/{business}/signed-in",
    "/staff/{business}/oidc",
    "/staff/{business}/oidc/back",
}
"""What leads on to another page. What has a dot in its address is a file."""

GETS = sorted(
    route.pattern
    for route in PAGES
    if route.method == "GET" and route.media == HTML and route.pattern not in NO_PAGES and "." not in route.pattern
)
BY_SESSION = {route.pattern for route in PAGES if route.by_session}
IDS = {
    "appointments": "{appointment}",
    "customers": "{customer}",
    "services": "checkup",
    "resources": "okafor",
    "pools": "doctors",
    "hours": "weekdays",
    "templates": "friendly",
    "reminders": "day-before",
    "members": "{member}",
    "messages": "{message}",
    "webhooks": "hook",
    "keys": "{key}",
}
"""What `{id}` is filled in with, by the segment before it."""

SMALLEST: ViewportSize = {"width": 320, "height": 640}
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}

UNREACHED = """
() => {
  const reached = new Set(window.focused || []);
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
  return all.filter(each => !reached.has(each) && !each.disabled && each.type !== 'hidden' && each.tabIndex >= 0
    && each.checkVisibility({visibilityProperty: true})
    && !each.closest('dialog:not([open]), details:not([open]) > :not(summary)')
    && !(each.type === 'radio' && [...reached].some(other => other.name === each.name && other.type === 'radio'))
    ).map(each => each.outerHTML.slice(0, 120));
}
"""
NOTE_FOCUS = """
window.focused = []; window.unseen = [];
document.addEventListener('focusin', event => {
  window.focused.push(event.target);
  const style = getComputedStyle(event.target), after = getComputedStyle(event.target, '::after');
  const isOutlined = each => each.outlineStyle !== 'none' && parseFloat(each.outlineWidth) > 0;
  const isShown = [style, after].some(each => isOutlined(each) || each.boxShadow !== 'none');
  if (event.target.matches(':focus-visible') && !isShown) window.unseen.push(event.target.outerHTML.slice(0, 120));
}, true);
"""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    with showcase(tmp_path_factory.mktemp("showcase")) as running:
        yield running


@pytest.fixture
def page(clinic: Showcase, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page of the test's pattern, as its owner or a visitor sees it."""
    pattern: str = request.getfixturevalue("pattern")
    context = clinic.open(chromium, is_member=pattern in BY_SESSION)
    page = clinic.page(context)
    page.add_init_script(NOTE_FOCUS)
    yield page
    context.close()


def address(clinic: Showcase, pattern: str) -> str:
    """The pattern as an address that there is. Raises `KeyError` for one that nobody has thought of."""
    pattern = pattern.replace("welcome/{token}", "welcome/{invitation}").replace("move/{start}", "move/{later}")
    kind = pattern.rpartition("/{id}")[0].rpartition("/")[2]
    return pattern.replace("{id}", IDS[kind] if "{id}" in pattern else "").format(**clinic.names)


@pytest.mark.parametrize("pattern", GETS)
def test_a_page_is_for_everybody(clinic: Showcase, page: Page, pattern: str) -> None:
    asked: list[Request] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - Playwright asks it for its attributes
    page.on("console", lambda message: complaints.append(message.text) if _is_ours(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    reply = page.goto(address(clinic, pattern))
    page.wait_for_load_state("networkidle") if "calendar" not in pattern and pattern != "/staff/{business}" else None
    page.wait_for_timeout(150)

    assert reply is not None
    assert reply.status == 200
    assert not complaints
    assert {each.url.split("/")[2] for each in asked if not each.url.startswith("data:")} == {clinic.url.split("/")[2]}
    _check_source(reply.text(), dict(reply.headers))
    _check_structure(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(60)
        assert not _violations(page), scheme
    _check_keyboard(page)
    page.set_viewport_size(SMALLEST)
    page.wait_for_timeout(60)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), _too_wide(page)


def test_no_page_is_left_out(clinic: Showcase) -> None:
    for pattern in GETS:
        assert "{" not in address(clinic, pattern)


def test_the_judge_finds_what_is_wrong(clinic: Showcase, chromium: Browser) -> None:
    """A page that nobody could use, as these tests would see it."""
    page = clinic.page(clinic.open(chromium))
    page.add_init_script(NOTE_FOCUS)
    page.goto("about:blank")
    page.set_content(
        "<html><body><img src='x'><p style='color:#ccc;background:#fff'>pale</p><div style='width:900px'>wide</div>"
        "<a href='#' style='outline:none'>dark</a><input></body></html>"
    )

    assert {"image-alt", "color-contrast", "label"} <= set(_violations(page))
    page.evaluate(NOTE_FOCUS)
    with pytest.raises(AssertionError, match="not seen"):
        _check_keyboard(page)
    page.set_viewport_size(SMALLEST)
    assert not page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with pytest.raises(AssertionError):
        _check_source("<p onclick='x()'>", {"content-security-policy": "default-src 'none'; script-src 'self'"})
    page.context.close()


def _is_ours(message: ConsoleMessage) -> bool:
    """Whether it is an error of the page; what these tests add is kept out of a frame that runs no script."""
    return message.type == "error" and "about:srcdoc" not in message.text


def _violations(page: Page) -> dict[str, Any]:
    """What axe complains of: by rule, the elements."""
    found = Axe().run(page, options=RULES).response["violations"]
    return {each["id"]: [node["html"][:200] for node in each["nodes"][:4]] for each in found}


def _check_source(source: str, headers: dict[str, str]) -> None:
    """Nothing in a page runs but what is loaded from us, and nothing styles but that and what the policy names."""
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", source)
    assert not re.search(r"javascript:", source)
    assert not re.search(r"\sstyle\s*=\s*[\"']", source)
    for style in re.findall(r"<style[^>]*>(.*?)</style>", source, re.DOTALL):
        assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
    assert "style-src 'self' 'unsafe-inline'" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def _check_structure(page: Page) -> None:
    assert page.locator("h1").count() == 1
    assert page.title().strip()
    assert page.locator("main").count() == 1
    assert page.locator("html").get_attribute("lang")


def _check_keyboard(page: Page) -> None:
    """Whoever presses Tab gets to everything that can be used, and sees where they are."""
    page.evaluate("document.activeElement && document.activeElement.blur(); window.focused = []; window.unseen = []")
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate(
            "document.activeElement === document.body || "
            "(window.focused.length > 2 && window.focused.at(-1) === window.focused[0])"
        ):
            break
    unseen = page.evaluate("window.unseen")
    assert not unseen, f"not seen: {unseen[:3]}"
    unreached = page.evaluate(UNREACHED)
    assert not unreached, f"not reached: {unreached[:3]}"


def _too_wide(page: Page) -> Any:
    return page.evaluate(
        "[...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > innerWidth + 1)"
        ".slice(0, 4).map(each => each.outerHTML.slice(0, 120))"
    )
