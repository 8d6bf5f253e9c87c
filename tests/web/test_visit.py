"""The page that a link in a mail opens: what it shows in each state, what it lets one do, and to whom."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import icalendar
import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Change, Doc
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Action, Appointment
from slotkeeper.core.errors import Missing
from slotkeeper.core.service import Business, Need
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import agenda, catalogue, changing
from slotkeeper.documents import appointment_key
from slotkeeper.linking import Links
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from slotkeeper.web.app import Web
from slotkeeper.web.http import Request, Response
from slotkeeper.web.visitors import visit, visit_page
from tests.builders import STAFF, VISITOR, Setting, a_clinic, at, contact
from tests.post import MailServer, a_courier, sweep

FORM = "application/x-www-form-urlencoded"
WEDNESDAY = "2026-11-25T09:00:00Z"
HOSTILE = """<script>alert(1)</script>"'><b>{{7*7}}&amp;"""


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.source, self._texts = source, [""]
        self.feed(source)
        self.text = " ".join("".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._texts.append(" ")

    def handle_data(self, data: str) -> None:
        self._texts.append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    def links(self) -> list[str]:
        return [each["href"] for each in self.all("a") if "href" in each]

    def hidden(self) -> dict[str, str]:
        return {each["name"]: each["value"] for each in self.all("input") if each.get("type") == "hidden"}


@dataclass
class Customer:
    """Somebody with a link."""

    setting: Setting
    appointment: Appointment
    token: str

    def __post_init__(self) -> None:
        self.web = Web(self.setting.desk, seconds=lambda: 0.0)

    @property
    def place(self) -> str:
        return f"/visit/clinic/{self.token}"

    def ask(self, method: str, address: str, body: bytes = b"", **headers: str) -> Response:
        path, _, query = address.partition("?")
        sent = {"accept": "text/html", "host": "book.example.com"} | ({"content-type": FORM} if body else {}) | headers
        return self.web.answer(Request(method, path, query, sent, body, "192.0.2.1"))

    def see(self, rest: str = "", status: int = 200, **headers: str) -> Page:
        return seen(self.ask("GET", self.place + rest, b"", **headers), status)

    def send(self, rest: str, typed: dict[str, str] | None = None, **others: str) -> Response:
        """Send the form that is on the page (or what was on one before)."""
        typed = self.see("" if rest == "/attend" else rest).hidden() if typed is None else typed
        return self.ask("POST", self.place + rest, urlencode(typed | others).encode())

    def stored(self) -> Appointment:
        return agenda.appointment(self.setting.desk, STAFF, self.appointment.id)

    def dump(self) -> list[Doc]:
        return list(self.setting.store.walk())

    def act(self, action: Action, **others: Any) -> None:
        changing.act(self.setting.desk, STAFF, action, changing.Request(id=self.appointment.id, **others))


def a_customer(
    setting: Setting | None = None, start: str = WEDNESDAY, service: str = "visit", **facts: Any
) -> Customer:
    setting = setting or a_clinic()
    appointment = setting.book(start, service, **({"contact": contact()} | facts))
    return Customer(setting, appointment, Links(setting.store).appointment_token("clinic", appointment))


def seen(response: Response, status: int = 200) -> Page:
    assert response.status == status, response.body.decode()
    return Page(response.body.decode())


def location(response: Response) -> str:
    assert response.status == 303, response.body.decode()
    return dict(response.headers)["location"]


@pytest.fixture
def customer() -> Customer:
    return a_customer()


# What it shows


def test_the_link_in_a_real_mail_leads_to_the_page() -> None:
    customer, server = a_customer(), MailServer()
    settings = SmtpSettings(host="127.0.0.1", port=server.port, sender="clinic@example.com", security="none")

    with server.running():
        sender = SmtpSender(settings, customer.setting.clock)
        sweep(a_courier(customer.setting, sender, base_url="https://book.example.com"))
    [mail] = server.mails
    part = mail.get_body(("plain",))
    text = part.get_content() if part else ""
    [link] = set(re.findall(r"https://book\.example\.com(/visit/\S+)", text))

    page = seen(customer.ask("GET", link))

    assert "Wednesday, November 25, 2026, 10:00" in page.text
    assert link == customer.place


def test_it_says_what_when_with_whom_and_where() -> None:
    setting = a_clinic()
    profile = Business(name="Clinic", zone="Europe/Berlin", location="Main Street 1")
    catalogue.put_profile(setting.desk, STAFF, profile)

    page = a_customer(setting, contact=contact(zone="America/New_York")).see()

    for words in (
        "What Visit 30 minutes",
        "When Wednesday, November 25, 2026, 10:00\u202fAM\u201310:30\u202fAM Central European Time (Berlin), UTC+1",
        "Your clock shows Wednesday, November 25, 2026, 4:00\u202fAM\u20134:30\u202fAM Eastern Time (New York), UTC-5",
        "With Dr 0",
        "Where Main Street 1",
    ):
        assert words.replace("\u202f", " ") in page.text.replace("\u202f", " ")


def test_a_service_far_away_is_shown_by_the_customers_clock() -> None:
    setting = a_clinic()
    setting.service("call", remote=True, name="Call")

    text = a_customer(setting, service="call", contact=contact(zone="America/New_York")).see().text

    assert text.index("4:00") < text.index("At the place") < text.index("10:00")


def test_a_customer_whose_clock_shows_the_same_is_told_once() -> None:
    assert "Your clock shows" not in a_customer(contact=contact(zone="Europe/Madrid")).see().text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("new", "You are booked"),
        ("booked", "Will you come?"),
        ("attending", "We are expecting you"),
        ("pending", "We have your request"),
        ("lapsed", "Your request was not answered in time"),
        ("begun", "Your appointment has begun"),
        ("over", "This appointment is over"),
        ("checkedIn", "You have arrived"),
        ("completed", "Thank you for your visit"),
        ("declined", "Your request was declined"),
        ("cancelled", "Your appointment is cancelled"),
        ("noShow", "We missed you"),
    ],
)
def test_each_state_has_words_of_its_own_and_offers_what_is_possible(state: str, words: str) -> None:
    customer = in_state(state)

    page = customer.see("?new=1" if state == "new" else "")
    links = [each.removeprefix(customer.place) for each in page.links()]

    assert words in page.text
    assert len(page.all("h1")) == 1
    can = {"cancel": "/cancel" in links, "move": "/move" in links, "attend": "I will come" in page.text}
    is_open = state in ("new", "booked", "attending", "pending")
    assert can == {"cancel": is_open, "move": is_open, "attend": state in ("new", "booked")}
    assert ("/calendar.ics" in links) == is_open
    is_over = not is_open and state not in ("begun", "checkedIn")
    assert ("/clinic/visit" in page.links() or "/clinic/ask" in page.links()) == is_over


def in_state(state: str) -> Customer:
    setting = a_clinic()
    setting.service("ask", needs_confirmation=True, confirm_within_minutes=60)
    service = "ask" if state in ("pending", "lapsed", "declined") else "visit"
    customer = a_customer(setting, service=service)
    if state == "attending":
        location(customer.send("/attend"))
    elif state == "declined":
        customer.act("decline")
    elif state == "cancelled":
        customer.act("cancel", reason="Dr 0 is ill")
    elif state in ("checkedIn", "completed", "noShow"):
        setting.clock.now = at(WEDNESDAY)
        actions: dict[str, Action] = {"checkedIn": "checkIn", "completed": "complete", "noShow": "noShow"}
        customer.act(actions[state])
    elif state in ("begun", "over", "lapsed"):
        hours = {"begun": "2026-11-25T09:10:00Z", "over": "2026-11-25T10:00:00Z", "lapsed": "2026-11-23T08:00:00Z"}
        setting.clock.now = at(hours[state])
    return customer


def test_what_staff_say_of_a_cancellation_is_told(customer: Customer) -> None:
    customer.act("cancel", reason="Dr 0 is ill")

    assert "Dr 0 is ill" in customer.see().text


def test_the_page_speaks_the_customers_language_unless_asked_otherwise() -> None:
    customer = a_customer(contact=contact(language="de"))

    assert customer.see("", 200, **{"accept-language": "fr"}).all("html") == [{"lang": "de", "dir": "ltr"}]
    other = customer.see("?lang=ar")
    assert other.all("html") == [{"lang": "ar", "dir": "rtl"}]
    assert customer.see("?lang=xx").all("html")[0]["lang"] == "de"
    for link in other.links():
        assert "lang=" in link or link.startswith(("https://", "#"))


# Who may see it


def test_a_link_opens_one_appointment_and_nothing_else(customer: Customer) -> None:
    setting = customer.setting
    other = a_customer(setting, "2026-11-25T11:00:00Z", contact=contact("Eve", "eve@example.com"))
    links, now = Links(setting.store), setting.clock()
    signed = customer.token.split(".")
    forged = ".".join([signed[0], other.appointment.id, *signed[2:]])
    foreign = a_foreign_business(setting)
    member = links.invitation_token("clinic", customer.appointment.id, "proof", now)
    gone = links.appointment_token("clinic", replace(customer.appointment, id="apt_gone"))
    nothing = seen(customer.ask("GET", "/visit/clinic/no-such-token"), 404).source
    before = customer.dump()

    for place in (
        f"/visit/clinic/{forged}",
        f"/visit/clinic/{foreign}",
        f"/visit/other/{customer.token}",
        f"/visit/nobody/{customer.token}",
        f"/visit/clinic/{member}",
        f"/visit/clinic/{gone}",
        f"/visit/clinic/{other.appointment.id}",
        f"/visit/clinic/{customer.token}x",
    ):
        for rest in ("", "/calendar.ics", "/cancel", "/move", "/move/2026-11-26T10:00:00Z"):
            assert seen(customer.ask("GET", place + rest), 404).source == nothing
        form = urlencode({"once": "x" * 40, "revision": "1"}).encode()
        for rest in ("/attend", "/cancel", "/move/2026-11-26T10:00:00Z"):
            assert seen(customer.ask("POST", place + rest, form), 404).source == nothing
    assert customer.dump() == before


def a_foreign_business(setting: Setting) -> str:
    """The token of an appointment with the same id in another business."""
    actor = Actor(business="other", id="staff", scopes=STAFF.scopes)
    catalogue.put_profile(setting.desk, actor, Business(name="Other", zone="Europe/Berlin"))
    [mine] = agenda.appointments(setting.desk, STAFF, everything(), limit=9).appointments[:1]
    return Links(setting.store).appointment_token("other", mine)


def everything() -> agenda.Filter:
    return agenda.Filter(first=Instant(0), last=at("2030-01-01T00:00:00Z"))


def test_who_opens_a_link_can_read_and_change_no_other_appointment(customer: Customer) -> None:
    """A walk-in has no customer to be told apart by, and one customer's links are one each."""
    setting = customer.setting
    other = a_customer(setting, "2026-11-25T11:00:00Z")
    holder = replace(VISITOR, id="link", appointment_id=customer.appointment.id)
    request = changing.Request(id=other.appointment.id)

    attempts: list[Callable[[], object]] = [
        lambda: agenda.appointment(setting.desk, holder, other.appointment.id),
        lambda: changing.act(setting.desk, holder, "cancel", request),
        lambda: changing.attend(setting.desk, holder, request),
        lambda: changing.move(setting.desk, holder, changing.Move(id=request.id, start=at("2026-11-26T09:00:00Z"))),
        lambda: changing.edit(setting.desk, holder, request, {}, None),
    ]
    for attempt in attempts:
        with pytest.raises(Missing):
            attempt()
    assert agenda.appointments(setting.desk, holder, everything(), limit=9).appointments == []
    assert agenda.appointment(setting.desk, holder, customer.appointment.id) == customer.appointment


def test_who_it_is_for_is_asked_of_the_link_and_a_test_would_see_if_not(
    monkeypatch: pytest.MonkeyPatch, customer: Customer
) -> None:
    """The broken variant reads the id out of the token without looking at its signature."""
    other = a_customer(customer.setting, "2026-11-25T11:00:00Z")
    signed = customer.token.split(".")
    forged = ".".join([signed[0], other.appointment.id, *signed[2:]])
    assert customer.ask("GET", f"/visit/clinic/{forged}").status == 404

    monkeypatch.setattr(Links, "appointment_of", lambda self, business, token, now: token.split(".")[1])

    assert customer.ask("GET", f"/visit/clinic/{forged}").status == 200


def test_an_expired_link_says_so_and_nothing_else(customer: Customer) -> None:
    customer.setting.clock.now = Instant(customer.appointment.end + 30 * 86_400)

    for rest in ("", "/cancel", "/move", "/calendar.ics"):
        page = customer.see(rest, 410)
        assert "This link has expired" in page.text
        assert "newer link" in page.text
        assert "Dr 0" not in page.source
    customer.setting.clock.now = Instant(customer.appointment.end + 30 * 86_400 - 1)
    assert "over" in customer.see().text


def test_the_address_does_not_leak(customer: Customer) -> None:
    pages = [customer.ask("GET", customer.place + rest) for rest in ("", "/cancel", "/move", "/calendar.ics")]

    for response in pages:
        headers = dict(response.headers)
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "noindex" in headers["x-robots-tag"]
        assert "set-cookie" not in headers
    for page in [Page(each.body.decode()) for each in pages[:3]]:
        assert {"name": "robots", "content": "noindex"} in page.all("meta")
        assert not page.all("img", "iframe")
        for link in page.all("a"):
            if link["href"].startswith("http"):
                assert {"noreferrer", "noopener"} <= set(link["rel"].split())
                assert customer.token not in link["href"]
                assert "visit%2F" not in link["href"]


def test_what_goes_wrong_is_logged_without_the_token(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Links, "appointment_of", lambda self, business, token, now: 1 // 0)

    customer.see("", 500)

    assert "GET /visit/{business}/{token} failed" in caplog.text
    assert customer.token not in caplog.text


# Looking changes nothing


def test_a_mail_scanner_that_follows_every_link_changes_nothing(customer: Customer) -> None:
    before = customer.dump()

    assert len(scanned(customer)) > 30

    assert customer.dump() == before


def scanned(customer: Customer) -> set[str]:
    """The first addresses that are reached from the page, with those of its forms, each asked by GET and by HEAD."""
    waiting, done = [customer.place, f"{customer.place}?new=1"], set[str]()
    while waiting:
        address = waiting.pop(0)
        if address in done or not address.startswith("/visit/") or "lang=" in address or len(done) == 120:
            continue
        done.add(address)
        customer.ask("HEAD", address)
        response = customer.ask("GET", address)
        page = Page(response.body.decode())
        waiting += page.links() + [each["action"] for each in page.all("form") if "action" in each]
    return done


def test_the_scanner_would_see_if_looking_cancelled(monkeypatch: pytest.MonkeyPatch, customer: Customer) -> None:
    """The broken variant cancels when its page is looked at, as some have it."""
    before, looked = customer.dump(), visit_page.page

    def cancelling(it: Any, template: str, *others: Any, **facts: Any) -> Any:
        if template == "visit_cancel":
            changing.act(it.desk, it.actor, "cancel", changing.Request(id=it.appointment.id))
        return looked(it, template, *others, **facts)

    monkeypatch.setattr(visit, "page", cancelling)
    scanned(customer)

    assert customer.dump() != before


# Coming, cancelling


def test_saying_that_one_comes_is_noted_once(customer: Customer) -> None:
    typed = customer.see().hidden()

    place = location(customer.send("/attend", typed))
    again = location(customer.send("/attend", typed))

    assert place == again
    assert "You said that you will come" in customer.see().text
    assert customer.stored().attending == customer.setting.clock()
    assert [(each.type, each.by) for each in customer.stored().events] == [("booked", "staff"), ("attending", "link")]


def test_a_cancelled_appointment_frees_its_time_and_can_be_booked_again(customer: Customer) -> None:
    customer.setting.service("visit", needs=[Need(all_of=(customer.appointment.resource_ids[0],))])
    assert not customer.setting.slots(WEDNESDAY, "2026-11-25T09:01:00Z")
    typed = customer.see("/cancel").hidden()

    place = location(customer.send("/cancel", typed, reason="  A cold\r\nand worse\u202e  "))
    again = location(customer.send("/cancel", typed, reason="  A cold\r\nand worse\u202e  "))

    assert place == again
    assert "You cancelled it" in customer.see().text
    assert "/clinic/visit" in customer.see().links()
    assert customer.stored().status == "cancelled"
    assert customer.stored().events[-1].reason == "A cold\nand worse"
    assert [each.type for each in customer.stored().events] == ["booked", "cancelled"]
    assert customer.setting.slots(WEDNESDAY, "2026-11-25T09:01:00Z")


def test_it_is_too_late_to_change_within_the_notice_and_the_page_says_whom_to_ask() -> None:
    setting = a_clinic()
    catalogue.put_profile(setting.desk, STAFF, Business(name="Clinic", zone="Europe/Berlin", email="hi@example.com"))
    setting.service("visit", cancel_notice_minutes=24 * 60)
    customer = a_customer(setting)
    early = customer.see()
    forms = {rest: customer.see(rest).hidden() for rest in ("/cancel", "/move/2026-11-26T09:00:00Z")}
    assert "You can do so here until Tuesday, November 24, 2026, 10:00" in early.text.replace("\u202f", " ")
    setting.clock.now = at("2026-11-24T09:00:00Z")
    assert f"{customer.place}/cancel" in customer.see().links()

    setting.clock.now = at("2026-11-24T09:00:01Z")

    for rest in ("", "/cancel", "/move", "/move/2026-11-26T09:00:00Z"):
        page = customer.see(rest)
        assert "until 24 hours before the start" in page.text
        assert "mailto:hi@example.com" in page.links()
        assert not page.all("textarea")
    for rest, typed in forms.items():
        assert "can no longer be changed here" in seen(customer.send(rest, typed), 409).text
    assert customer.stored() == customer.appointment
    assert location(customer.send("/attend"))


def test_a_page_that_is_older_than_the_appointment_changes_nothing(customer: Customer) -> None:
    forms = {
        "/attend": customer.see().hidden(),
        "/cancel": customer.see("/cancel").hidden(),
        "/move/2026-11-26T09:00:00Z": customer.see("/move/2026-11-26T09:00:00Z").hidden(),
    }
    move = changing.Move(id=customer.appointment.id, start=at("2026-11-27T09:00:00Z"))
    moved = changing.move(customer.setting.desk, STAFF, move)

    for rest, typed in forms.items():
        page = seen(customer.send(rest, typed), 409)
        assert "changed while you looked" in page.text
        assert "Friday, November 27" in page.text
    assert customer.stored() == moved


@pytest.mark.parametrize("rest", ["/attend", "/cancel", "/move/2026-11-26T09:00:00Z"])
def test_what_is_over_cannot_be_changed(customer: Customer, rest: str) -> None:
    typed = customer.see("" if rest == "/attend" else rest).hidden()
    customer.setting.clock.now = at("2026-11-25T09:00:01Z")

    seen(customer.send(rest, typed), 409)

    assert customer.stored() == customer.appointment


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"once": "x" * 40},
        {"revision": "1"},
        {"once": "short", "revision": "1"},
        {"once": "x" * 40, "revision": "one"},
        {"once": "x" * 40, "revision": "1", "id": "apt_other"},
    ],
    ids=repr,
)
def test_a_form_that_is_not_ours_changes_nothing(customer: Customer, typed: dict[str, str]) -> None:
    before = customer.dump()

    for rest in ("/attend", "/cancel", "/move/2026-11-26T09:00:00Z"):
        assert customer.send(rest, typed).status in (400, 415, 422)

    assert customer.dump() == before


# Moving


def test_every_time_that_is_offered_can_be_moved_to() -> None:
    customer = a_customer(a_clinic(doctors=2))
    a_customer(customer.setting, "2026-11-26T09:00:00Z", resource_ids=("d0",))
    offered = [each for each in customer.see("/move?day=2026-11-26").links() if "/move/2026-11-26" in each]
    assert len(offered) == 28

    for address in offered:
        rest = address.removeprefix(customer.place)
        assert "Until now" in customer.see(rest).text
        location(customer.send(rest))
        assert customer.stored().start == at(rest.partition("?")[0].rpartition("/")[2])
        assert customer.stored().resource_ids == ("d0",)
    assert len(customer.stored().events) == 29


def test_ones_own_time_is_not_in_the_way_but_not_on_offer_either() -> None:
    customer = a_customer(a_clinic(doctors=1))

    offered = [each[-20:] for each in customer.see("/move?day=2026-11-25").links() if "/move/2026-11-25" in each]

    assert "2026-11-25T09:15:00Z" in offered
    assert "2026-11-25T08:45:00Z" in offered
    assert WEDNESDAY not in offered


def test_a_move_is_one_swap_and_is_told(customer: Customer) -> None:
    rest = "/move/2026-11-26T10:00:00Z"
    typed = customer.see(rest).hidden()

    place = location(customer.send(rest, typed))
    again = location(customer.send(rest, typed))

    assert place == again == f"{customer.place}?done=moved"
    assert "It is moved" in customer.see("?done=moved").text
    assert [(each.type, each.by) for each in customer.stored().events] == [("booked", "staff"), ("moved", "link")]
    assert customer.stored().start == at("2026-11-26T10:00:00Z")


def test_an_appointment_keeps_its_own_length() -> None:
    customer = a_customer(a_clinic(doctors=1))
    longer = changing.Move(id=customer.appointment.id, start=customer.appointment.start, end=at("2026-11-25T10:30:00Z"))
    changing.move(customer.setting.desk, STAFF, longer)

    links = [each for each in customer.see("/move?day=2026-11-26").links() if "/move/2026-11-26" in each]
    location(customer.send(links[-1].removeprefix(customer.place)))

    assert links[-1].endswith("2026-11-26T14:30:00Z")
    assert customer.stored().end - customer.stored().start == 90 * 60


def test_it_stays_with_who_serves_unless_anyone_will_do() -> None:
    customer = a_customer(a_clinic(doctors=2))
    mine, other = customer.appointment.resource_ids[0], "d1"
    a_customer(customer.setting, "2026-11-26T09:00:00Z", resource_ids=(mine,))
    rest = "/move/2026-11-26T09:00:00Z"

    assert "This time is not free" in customer.see(rest, 409).text
    location(customer.send(f"{rest}?with=anyone"))

    assert customer.stored().resource_ids == (other,)
    selected = [each["value"] for each in customer.see("/move").all("option") if "selected" in each]
    assert selected == [other]


def test_a_lost_race_says_so_and_offers_the_nearest_three() -> None:
    customer = a_customer(a_clinic(doctors=1))
    rest = "/move/2026-11-26T10:00:00Z"
    typed = customer.see(rest).hidden()
    a_customer(customer.setting, "2026-11-26T10:00:00Z", contact=contact("Eve", "eve@example.com"))

    page = seen(customer.send(rest, typed), 409)

    assert "Somebody was faster" in page.text
    near = [each for each in page.links() if "/move/" in each]
    assert [each[-9:-1] for each in near] == ["09:15:00", "09:30:00", "10:30:00"]
    assert "Eve" not in page.source
    assert customer.stored() == customer.appointment
    location(customer.send(near[0].removeprefix(customer.place)))


def test_what_was_never_on_offer_cannot_be_moved_to(customer: Customer) -> None:
    typed = customer.see("/move/2026-11-26T10:00:00Z").hidden()

    for start in ("2026-11-28T10:00:00Z", "2026-11-26T10:05:00Z", "2020-01-01T10:00:00Z", "2099-01-01T10:00:00Z"):
        customer.see(f"/move/{start}", 409)
        seen(customer.send(f"/move/{start}", typed), 409)
    for start in ("tomorrow", "2026-11-26"):
        customer.see(f"/move/{start}", 404)
    assert customer.stored() == customer.appointment


def test_an_appointment_without_a_service_can_be_cancelled_but_not_moved() -> None:
    setting = a_clinic()
    customer = a_customer(setting, service="", end="2026-11-25T10:00:00Z", resource_ids=("d0",))
    typed = customer.see("/cancel").hidden()

    assert f"{customer.place}/move" not in customer.see().links()
    assert customer.see("/move/2026-11-26T10:00:00Z").text == customer.see("/move").text
    seen(customer.send("/move/2026-11-26T10:00:00Z", typed), 409)
    assert customer.stored() == customer.appointment
    location(customer.send("/cancel", typed))


def test_a_service_that_is_gone_leaves_a_page_that_works(customer: Customer) -> None:
    customer.setting.service("visit", active=False, public=False)

    page = customer.see()

    assert f"{customer.place}/cancel" in page.links()
    assert location(customer.send("/move/2026-11-26T10:00:00Z"))


def test_days_can_be_leafed_through(customer: Customer) -> None:
    page = customer.see("/move")
    later = next(each["href"] for each in page.all("a") if each.get("class") == "later")

    other = customer.see(later.removeprefix(customer.place))

    assert "Earlier weeks" in other.text
    assert "Monday, December 7, 2026" in other.text
    customer.see("/move?day=tomorrow", 422)


# Calendars


def test_the_calendar_file_is_of_the_appointment_as_it_is_now(customer: Customer) -> None:
    first = customer.ask("GET", f"{customer.place}/calendar.ics")
    location(customer.send("/move/2026-11-26T10:00:00Z"))
    second = customer.ask("GET", f"{customer.place}/calendar.ics")
    events: list[Any] = [icalendar.Calendar.from_ical(each.body).walk("VEVENT")[0] for each in (first, second)]

    assert dict(first.headers)["content-type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert "attachment" in dict(first.headers)["content-disposition"]
    assert [f"{each.decoded('dtstart'):%d %H:%M}" for each in events] == ["25 09:00", "26 10:00"]
    assert events[0]["uid"] == events[1]["uid"]
    assert events[0]["sequence"] < events[1]["sequence"]
    assert events[1]["url"] == f"https://book.example.com{customer.place}"


def test_whatever_is_shown_is_escaped() -> None:
    setting = a_clinic()
    profile = Business(name=HOSTILE, zone="Europe/Berlin", location=HOSTILE, email="hi@example.com")
    catalogue.put_profile(setting.desk, STAFF, profile)
    setting.service("visit", name=HOSTILE, location=HOSTILE)
    customer = a_customer(setting, contact=contact(HOSTILE))
    pages = [customer.see(rest) for rest in ("", "/cancel", "/move", "/move/2026-11-26T10:00:00Z")]
    customer.act("cancel", reason=HOSTILE)

    for page in (*pages, customer.see()):
        assert HOSTILE in page.text or HOSTILE.replace("&amp;", "&") in page.text
        assert HOSTILE not in page.source
        assert all(each["src"].startswith("/static/") for each in page.all("script"))
        assert "{{7*7}}" in page.source


def test_an_appointment_that_was_removed_leaves_nothing(customer: Customer) -> None:
    key = appointment_key("clinic", customer.appointment.id)
    version = customer.setting.store.read([key])[key].version
    customer.setting.store.commit(Change({key: version}, [], [key]))

    assert customer.see("", 404).source == seen(customer.ask("GET", "/visit/clinic/x"), 404).source


def test_the_words_of_every_state_are_there() -> None:
    assert set(visit_page.TITLES) == set(visit_page.State.__args__)  # type: ignore[attr-defined] # a Literal's
