"""What a visitor types is shown, to visitors and to members, and never runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from slotkeeper.cli import demo
from slotkeeper.core.appointment import Appointment, Contact
from slotkeeper.core.ticks import DAY_SECONDS, Instant, parse_instant
from slotkeeper.courier import log
from slotkeeper.desk.booking import book
from slotkeeper.desk.changing import Request, act
from slotkeeper.desk.orders import Order
from slotkeeper.desk.search import Search, service_slots
from slotkeeper.linking import Links
from slotkeeper.web.auth import visitor
from tests.browser.showcase import OWNER, Showcase, showcase

pytestmark = pytest.mark.slow

MARK = "data-hostile"
CORPUS = (
    f"<script {MARK}>ran()</script>",
    f"<img {MARK} src=x onerror=ran()>",
    f"<svg {MARK} onload=ran()>",
    f'"><b {MARK} onmouseover=ran()>',
    f"'><i {MARK} autofocus onfocus=ran()>",
    f"</title><u {MARK}>",
    f"</textarea><s {MARK}>",
    f"</template><s {MARK}>",
    f"<a {MARK} href=javascript:ran()>x</a>",
    f"<iframe {MARK} srcdoc='<script>parent.ran()</script>'>",
    f"<style {MARK}>*{{background:url(https://evil.example)}}</style>",
    f"<!--><em {MARK}>",
    f"{{{{ 7 * 7 }}}}<q {MARK}>",
    f"${{7*7}}`<q {MARK}>",
    f"&lt;b {MARK}&gt;<b {MARK}>",
    f'<math {MARK}><mi//xlink:href="data:x,<script>ran()</script>">',
    f"%3Cb%20{MARK}%3E<b {MARK}>",
    f"\\u003cb {MARK}\\u003e\\x3cb {MARK}\\x3e<b {MARK}>",
    f'=HYPERLINK("https://evil.example")<b {MARK}>',
)

WATCH = """
window.wrongs = [];
window.ran = () => window.wrongs.push('it ran');
window.alert = window.ran;
document.addEventListener('securitypolicyviolation', event => window.wrongs.push('blocked ' + event.violatedDirective));
"""
LOOK = f"""
() => {{
  const found = [...document.querySelectorAll('[{MARK}]')].map(each => each.outerHTML.slice(0, 80));
  const evil = performance.getEntriesByType('resource').map(each => each.name).filter(name => name.includes('evil'));
  return [...window.wrongs, ...found, ...evil];
}}
"""


@dataclass(frozen=True, slots=True)
class Hostile:
    """The clinic, after somebody has typed the corpus into whatever a visitor can fill; and what came of it."""

    clinic: Showcase
    appointments: list[Appointment]

    def places(self) -> Iterator[str]:
        """Every address that shows what was typed."""
        links, home = Links(self.clinic.house.store), f"/staff/{demo.BUSINESS}"
        for each in self.appointments:
            token = links.appointment_token(demo.BUSINESS, each)
            yield f"/visit/{demo.BUSINESS}/{token}"
            yield f"{home}/appointments/{each.id}"
            yield f"{home}/customers/{each.customer_id}"
        for day in range(1, 5):
            yield f"{home}/day?date=2026-12-{day:02}"
        for view in ("day", "week", "list"):
            yield f"{home}?date=2026-12-01&view={view}"
        yield from (f"{home}/{part}" for part in ("customers", "setup/messages", "setup/audit", "insight", "new"))
        for note in log.notifications(self.clinic.house.store, demo.BUSINESS, None, 30).notifications:
            yield f"{home}/setup/messages/{note.id}"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    with showcase(tmp_path_factory.mktemp("hostile")) as clinic:
        first = parse_instant("2026-12-01T08:00:00Z")
        week = Search(first=first, last=Instant(first + 3 * DAY_SECONDS))
        starts = service_slots(clinic.house.desk, OWNER, "call", week).starts[::3]
        made = [
            _book(clinic, number, start, text) for number, (start, text) in enumerate(zip(starts, CORPUS, strict=False))
        ]
        assert len(made) == len(CORPUS)
        clinic.deliver()
        yield Hostile(clinic, made)


@pytest.fixture
def window(hostile: Hostile, chromium: Browser) -> Iterator[Page]:
    context = hostile.clinic.open(chromium, is_member=True)
    page = hostile.clinic.page(context)
    page.add_init_script(WATCH)
    yield page
    context.close()


@pytest.mark.timeout(300)
def test_what_was_typed_is_shown_and_never_runs(hostile: Hostile, window: Page) -> None:
    shown = ""
    for place in hostile.places():
        reply = window.goto(place)
        assert reply is not None
        assert reply.status == 200, place
        window.wait_for_timeout(60)
        _check(window, place)
        shown += window.locator("body").inner_text()

    assert CORPUS[0] in shown  # as text
    assert CORPUS[3] in shown


def test_a_form_shows_again_what_was_typed_and_never_runs_it(hostile: Hostile, window: Page) -> None:
    form = hostile.clinic.address("/{business}/{service}/{start}")
    for text in CORPUS:
        window.goto("about:blank")
        window.wait_for_timeout(150)  # until what was held on the page before is given back
        window.goto(form)
        expect(window.locator("input[name=hold]")).not_to_have_value("")  # else it would be lost on the way, and kept
        for name in ("name", "email", "phone", "notes"):
            window.fill(f"[name={name}]", text[:40] if name == "phone" else text)
        window.locator("form[method=post] button").last.click()
        window.wait_for_load_state()
        _check(window, text)
        assert window.input_value("[name=name]") == text


def test_addresses_are_shown_and_never_run(hostile: Hostile, window: Page) -> None:
    for text in CORPUS[:8]:
        typed = quote(text)
        for place in (
            f"/{demo.BUSINESS}/call?day={typed}&zone={typed}&lang={typed}&with={typed}",
            f"/{demo.BUSINESS}/{typed}",
            f"/staff/{demo.BUSINESS}/customers?q={typed}&query={typed}&search={typed}",
            f"/staff/{demo.BUSINESS}/insight?from={typed}&to={typed}&service={typed}",
            f"/staff/{demo.BUSINESS}/setup/audit?from={typed}&by={typed}",
            f"/staff/{demo.BUSINESS}/sign-in?next={typed}",
            f"/staff?business={typed}",
            f"/visit/{demo.BUSINESS}/{typed}",
        ):
            window.goto(place)
            _check(window, place)


def test_the_corpus_would_be_found_out(hostile: Hostile, window: Page) -> None:
    """A page that puts it in as it is, without a policy: most of the corpus is found by what it does or is."""
    missed = []
    for text in CORPUS:
        window.goto("about:blank")
        window.set_content(f"<title>{text}</title><body><p title='{text}'>{text}<textarea>{text}</textarea></body>")
        window.wait_for_timeout(30)
        if not window.evaluate(LOOK):
            missed.append(text)

    assert not missed


def _check(page: Page, place: str) -> None:
    for frame in page.frames:
        assert not frame.evaluate(LOOK), place


def _book(clinic: Showcase, number: int, start: Instant, text: str) -> Appointment:
    """Book with the text in each field, as a visitor; cancel every other one with it as the reason."""
    contact = Contact(name=text, email=f"h{number}@example.com", phone=text[:40], language="en")
    order = Order(start=start, service_id="call", contact=contact, details={"notes": text, "description": text})
    made = book(clinic.house.desk, visitor(demo.BUSINESS), order).appointment
    return act(clinic.house.desk, OWNER, "cancel", Request(id=made.id, reason=text)) if number % 2 else made
