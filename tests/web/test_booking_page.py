"""The pages on which visitors book: each step, what can go wrong on the way, and what they are made of."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from slotkeeper.cli.commands.init import begin
from slotkeeper.contracts import Change, Doc
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import CustomerFull, Invalid, Missing, Unreachable
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.logo import Logo
from slotkeeper.core.service import Business, Need, Resource
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import zone_names
from slotkeeper.desk import agenda, holds
from slotkeeper.desk.catalogue import put_logo
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.search import Offers, Search, service_slots
from slotkeeper.web.app import Rules, Web
from slotkeeper.web.http import Request, Response
from slotkeeper.web.limits import Quota
from slotkeeper.web.routes import HTML, Router
from slotkeeper.web.table import ALL, PAGES, RESERVED, ROUTES
from slotkeeper.web.visitors.choice import Asked, Offered, offered, starts_of
from slotkeeper.web.visitors.wording import initials
from tests.builders import STAFF, VISITOR, Setting, a_clinic, a_setting, at

TUESDAY = "2026-11-24T09:00:00Z"
VISIT = f"/clinic/visit/{TUESDAY}"
ADA = {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "", "notes": ""}
HOSTILE = """<script>alert(1)</script>"'><b>{{7*7}}&amp;"""
FORM = "application/x-www-form-urlencoded"


class Page(HTMLParser):
    """What a page is made of: its elements with their attributes, its text, and its style."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.style = ""
        self.source = source
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self.style += data
        else:
            self.text += data

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    def links(self, start: str = "/") -> list[str]:
        """Where its links lead, but for the same page in other languages."""
        found = [each["href"] for each in self.all("a") if "hreflang" not in each]
        return [each for each in found if each.startswith(start)]

    def actions(self) -> list[str]:
        """Where its buttons send their form, where they say so."""
        return [each["formaction"] for each in self.all("button") if "formaction" in each]

    def value(self, name: str) -> str:
        return next(each["value"] for each in self.all("input") if each["name"] == name)

    def says(self, words: str) -> bool:
        return words in " ".join(self.text.split())


@dataclass
class Visitor:
    """Somebody with a browser."""

    setting: Setting = field(default_factory=a_clinic)
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        self.web = Web(self.setting.desk, self.rules, seconds=lambda: 0.0)

    def ask(
        self, method: str, address: str, body: bytes = b"", media: str = FORM, accept: str = "text/html"
    ) -> Response:
        path, _, query = address.partition("?")
        headers = {"accept": accept} | ({"content-type": media} if body else {})
        return self.web.answer(Request(method, path, query, headers, body, "192.0.2.1"))

    def see(self, address: str, status: int = 200) -> Page:
        """Go to an address; the page that is there."""
        return seen(self.ask("GET", address), status)

    def send(self, address: str, typed: Mapping[str, str]) -> Response:
        return self.ask("POST", address, urlencode(typed).encode())

    def fill(self, address: str = VISIT, **typed: str) -> Response:
        """Open the form of an address, fill it in and send it."""
        return self.send(address, ADA | typed | {"once": self.see(address).value("once")})

    def book(self, address: str = VISIT, **typed: str) -> str:
        """The address of what was booked."""
        return location(self.fill(address, **typed))

    def dump(self) -> list[Doc]:
        return list(self.setting.store.walk())

    def appointment(self) -> Appointment:
        """The one that was booked."""
        wanted = agenda.Filter(first=at("2026-01-01T00:00:00Z"), last=at("2028-01-01T00:00:00Z"))
        [appointment] = agenda.appointments(self.setting.desk, STAFF, wanted, limit=9).appointments
        return appointment

    def hold(self, start: str = TUESDAY) -> str:
        """The id of a hold on a time."""
        order = holds.HoldOrder(service_id="visit", start=at(start))
        return holds.hold(self.setting.desk, VISITOR, order).id

    def booked(self) -> list[Doc]:
        return list(self.setting.store.list("start", "clinic", limit=100).docs)


def seen(response: Response, status: int = 200) -> Page:
    assert response.status == status, response.body.decode()
    assert dict(response.headers)["content-type"] == HTML
    return Page(response.body.decode())


def location(response: Response) -> str:
    assert response.status == 303, response.body.decode()
    return dict(response.headers)["location"]


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


def test_a_visitor_comes_from_the_services_to_a_booking(visitor: Visitor) -> None:
    services = visitor.see("/clinic").links("/clinic/")
    times = visitor.see(services[1]).links(f"{services[1]}/")
    booked = visitor.book(times[-1], phone="+49 30 123", notes="By bike\nand late")

    page = visitor.see(booked)

    assert services == ["/clinic/exam", "/clinic/visit"]
    assert times[0] == "/clinic/visit/2026-11-23T08:00:00Z"
    assert page.says("You are booked")
    assert page.says("Monday, November 23, 2026, 4:30 PM\u20135:00 PM")
    [doc] = visitor.booked()
    for stored in (b'"name":"Ada Lovelace"', b'"phone":"+49 30 123"', rb'"notes":"By bike\nand late"'):
        assert stored in doc.body


def test_what_is_booked_is_shown_by_a_link_that_names_nobody_and_cannot_be_guessed(visitor: Visitor) -> None:
    booked = visitor.book()

    assert not re.search(r"\bada\b|lovelace|example", booked, re.IGNORECASE)
    assert re.fullmatch(r"/visit/clinic/[\w.-]+\?new=1", booked)
    for address in (booked[:-8] + "x?new=1", f"/visit/clinic/{visitor.appointment().id}"):
        assert visitor.see(address, 404).source == visitor.see("/nobody", 404).source


def test_a_service_that_needs_confirmation_says_that_the_booking_waits(visitor: Visitor) -> None:
    visitor.setting.service("ask", needs_confirmation=True, confirm_within_minutes=60)
    address = f"/clinic/ask/{TUESDAY}"

    assert visitor.see(address).says("Ask for this time")
    assert visitor.see(visitor.book(address)).says("We have your request")


def test_a_form_that_is_sent_twice_books_once(visitor: Visitor) -> None:
    typed = ADA | {"once": visitor.see(VISIT).value("once")}

    first, again = visitor.send(VISIT, typed), visitor.send(VISIT, typed)

    assert location(first) == location(again)
    assert len(visitor.booked()) == 1


def test_a_form_that_is_sent_again_with_another_hold_has_booked_already(visitor: Visitor) -> None:
    typed = ADA | {"once": visitor.see(VISIT).value("once"), "hold": visitor.hold()}
    first = visitor.send(VISIT, typed)

    for hold in ("", "hld_gone", visitor.hold("2026-11-24T10:00:00Z"), typed["hold"]):
        assert location(visitor.send(VISIT, typed | {"hold": hold})) == location(first)

    assert len(visitor.booked()) == 1


@pytest.mark.parametrize("hold", ["hld_gone", "nonsense here", "../x", "x" * 200])
def test_a_hold_that_keeps_nothing_keeps_nobody_from_booking(visitor: Visitor, hold: str) -> None:
    typed = ADA | {"once": visitor.see(VISIT).value("once"), "hold": hold}

    assert visitor.send(VISIT, typed).status == 303


def test_a_hold_keeps_the_time_for_its_owner_alone() -> None:
    visitor = Visitor(a_clinic(doctors=1))
    once = visitor.see(VISIT).value("once")
    hold = visitor.hold()

    visitor.see(VISIT, 409)
    assert VISIT not in visitor.see(f"/clinic/visit?day={TUESDAY[:10]}").links()
    assert VISIT in visitor.see(f"/clinic/visit?day={TUESDAY[:10]}&hold={hold}").links()
    assert visitor.see(f"{VISIT}?hold={hold}").value("once")
    assert visitor.send(VISIT, ADA | {"once": once}).status == 409
    assert visitor.send(VISIT, ADA | {"once": once, "hold": hold}).status == 303


def test_a_form_that_comes_back_still_has_its_hold(visitor: Visitor) -> None:
    hold = visitor.hold()
    page = seen(visitor.fill(name="", hold=hold), 422)

    assert page.value("hold") == hold
    [form] = page.all("form")
    assert form["data-seconds"] == "300"
    visitor.setting.clock.set("2026-11-23T06:10:00Z")
    assert seen(visitor.fill(name="", hold=hold), 422).value("hold") == ""


def test_a_form_that_is_sent_again_with_something_else_is_told_so(visitor: Visitor) -> None:
    typed = ADA | {"once": visitor.see(VISIT).value("once")}
    visitor.send(VISIT, typed)

    page = seen(visitor.send(VISIT, typed | {"name": "Eve"}), 422)

    assert page.says("This form was sent before")
    assert len(visitor.booked()) == 1


def test_looking_changes_nothing(visitor: Visitor) -> None:
    booked = visitor.book()
    before = visitor.dump()

    for address in ("/clinic", "/clinic/visit", f"/clinic/visit?with=d0&day={TUESDAY[:10]}", VISIT, booked, "/nobody"):
        for method in ("GET", "HEAD"):
            visitor.ask(method, address)

    assert visitor.dump() == before


def test_who_loses_the_race_is_told_kindly_and_given_the_nearest_times() -> None:
    visitor = Visitor(a_clinic(doctors=1))
    late = ADA | {"once": visitor.see(VISIT).value("once")}
    visitor.book(name="Eve")

    page = seen(visitor.send(VISIT, late), 409)

    assert page.says("Somebody was just a little faster")
    near = page.actions()
    assert near == [f"/clinic/visit/2026-11-24T{time}:00Z" for time in ("08:15", "08:30", "09:30")]
    assert "Eve" not in page.source
    assert len(visitor.booked()) == 1
    assert visitor.see(visitor.book(near[0])).says("You are booked")


def test_a_time_that_was_chosen_instead_is_shown_with_what_was_typed_and_not_booked() -> None:
    visitor = Visitor(a_clinic(doctors=1))
    late = ADA | {"once": visitor.see(VISIT).value("once"), "notes": "By bike"}
    visitor.book(name="Eve")
    page = seen(visitor.send(VISIT, late), 409)
    kept = {name: page.value(name) for name in (*late, "show")}
    before = visitor.dump()

    shown = seen(visitor.send(page.actions()[1], kept))

    assert (kept["name"], kept["notes"], kept["show"]) == ("Ada Lovelace", "By bike", "1")
    assert shown.value("email") == "ada@example.com"
    assert shown.text.count("By bike") == 1
    assert visitor.dump() == before
    assert seen(visitor.send(VISIT, kept), 409).says("This time is not free")


@pytest.mark.parametrize(
    ("time", "words"),
    [("2026-11-24T09:05:00Z", "This time is not free"), ("2026-11-22T09:00:00Z", "It is too late for this time")],
)
def test_the_form_is_shown_for_times_that_are_free_only(visitor: Visitor, time: str, words: str) -> None:
    page = visitor.see(f"/clinic/visit/{time}", 409)

    assert page.says(words)
    assert len(page.links("/clinic/visit/")) == 3
    assert not page.all("form")


def test_a_time_that_was_shown_too_long_is_told_to_be_over(visitor: Visitor) -> None:
    typed = ADA | {"once": visitor.see(VISIT).value("once")}
    visitor.setting.clock.set("2026-11-24T09:10:00Z")

    assert seen(visitor.send(VISIT, typed), 409).says("It is too late for this time")


@pytest.mark.parametrize("service", ["unknown", "secret", "gone"])
def test_what_is_not_there_looks_alike_everywhere(visitor: Visitor, service: str) -> None:
    visitor.setting.service("secret", public=False)
    visitor.setting.service("gone", active=False)
    nothing = visitor.see("/nobody", 404).source
    typed = ADA | {"once": "once_0123456789abcdef0123456789abcdef"}
    before = visitor.dump()

    for address in (f"/clinic/{service}", f"/clinic/{service}/{TUESDAY}", f"/clinic/visit?with={service}"):
        assert visitor.see(address, 404).source == nothing
    assert visitor.send(f"/clinic/{service}/{TUESDAY}", typed).body.decode() == nothing
    for address in ("/nobody/visit", "/clinic/visit/tomorrow", "/a/b/c/d", "/clinic/visit?with=r0"):
        assert visitor.see(address, 404).source == nothing
    assert "Clinic" not in nothing
    assert visitor.dump() == before


def test_programs_are_told_of_errors_as_ever(visitor: Visitor) -> None:
    response = visitor.ask("GET", "/nobody", accept="*/*")

    assert (response.status, dict(response.headers)["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": " "}, "Please enter your name"),
        ({"email": ""}, "Please enter your email address"),
        ({"email": "ada"}, "This is not an email address"),
        ({"name": "x" * 201}, "This is too long: it has 201 characters, and 200 fit"),
        ({"notes": "x" * 2001}, "This is too long: it has 2,001 characters, and 2,000 fit"),
        ({"phone": "\u202a+49 30\u202c"}, "We took out characters that cannot be seen"),
        ({"name": "Ada\nBcc: eve@example.com"}, "We took out characters that cannot be seen"),
        ({"notes": "\x00"}, "We took out characters that cannot be seen"),
    ],
    ids=repr,
)
def test_a_form_that_cannot_be_used_comes_back_as_it_was_typed(
    visitor: Visitor, typed: dict[str, str], words: str
) -> None:
    before = visitor.dump()
    [name] = typed

    page = seen(visitor.fill(**typed), 422)

    assert page.says(words)
    assert page.source.count("<title>Error: ") == 1
    assert [each for each in page.all("div") if each.get("role") == "alert" and "autofocus" in each]
    assert f"#{name}" in [each["href"] for each in page.all("a")]
    [wrong] = [each for each in page.all("input", "textarea") if "aria-invalid" in each]
    assert wrong["name"] == name
    assert f"{name}-error" in wrong["aria-describedby"].split()
    if "name" not in typed:
        assert page.value("name") == "Ada Lovelace"
    assert visitor.dump() == before


def test_characters_that_cannot_be_seen_are_gone_when_the_form_is_sent_again(visitor: Visitor) -> None:
    page = seen(visitor.fill(phone="\u202a+49 30\u202c"), 422)
    typed = {name: page.value(name) for name in ("name", "email", "phone", "once")}

    assert typed["phone"] == "+49 30"
    assert visitor.send(VISIT, typed).status == 303


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"name=Ada&once=", FORM, 400),
        (b"name=Ada&once=" + b"x" * 40 + b"&customerId=eve", FORM, 422),
        (b"name=Ada&name=Eve", FORM, 400),
        (b"name=%zz", FORM, 400),
        (b"name=%ff", FORM, 400),
        (b"name=\xff", FORM, 400),
        (b"name", FORM, 400),
        (b"&".join([b"a=b"] * 30), FORM, 400),
        (b"x" * 70_000, FORM, 413),
        (b'{"name": "Ada"}', "application/json", 415),
        (b"name=Ada", "multipart/form-data; boundary=x", 415),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_form_that_is_not_ours_is_refused_with_a_page(visitor: Visitor, body: bytes, media: str, status: int) -> None:
    before = visitor.dump()

    page = seen(visitor.ask("POST", VISIT, body, media), status)

    assert page.all("h1")
    assert visitor.dump() == before


def test_whatever_is_shown_is_escaped(visitor: Visitor) -> None:
    visitor.setting.service("visit", name=HOSTILE, description=HOSTILE, location=HOSTILE)
    visitor.setting.put("resource", "d0", Resource(name=HOSTILE, zone="Europe/Berlin", schedule_id="week"))
    form = visitor.fill(name=HOSTILE, email=HOSTILE, notes=f"</textarea>{HOSTILE}")

    pages = [visitor.see(address) for address in ("/clinic", "/clinic/visit", VISIT, visitor.book())]

    for page in (*pages, seen(form, 422)):
        assert HOSTILE in page.text or HOSTILE in [each.get("value") for each in page.all("input")]
        assert all(each["src"].startswith("/static/") for each in page.all("script"))
        assert HOSTILE not in page.source
        assert "<b>{{" not in page.source


def test_a_page_asks_nobody_else_and_keeps_nothing_in_the_browser(visitor: Visitor) -> None:
    for address in ("/clinic", "/clinic/visit", VISIT, "/nobody"):
        response = visitor.ask("GET", address)
        headers, page = dict(response.headers), Page(response.body.decode())
        policy = headers["content-security-policy"].split("; ")

        for rule in ("default-src 'none'", "script-src 'self'", "form-action 'self'"):
            assert rule in policy
        [styles] = [each for each in policy if each.startswith("style-src ")]
        own = b64encode(sha256(page.style.encode()).digest()).decode()
        assert styles == (f"style-src 'self' 'sha256-{own}'" if page.style else "style-src 'self'")
        assert bool(page.style) == (address != "/nobody")
        assert any(rule in policy for rule in ("frame-ancestors 'none'", "frame-ancestors 'self'"))
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in headers
        assert all(each["href"].startswith("/static/") for each in page.all("link"))
        assert all(each["src"].startswith("/static/") for each in page.all("script"))
        assert len(page.all("style")) <= 1
        assert not page.all("img", "iframe", "object")
        assert not [each for _, each in page.elements if "style" in each or any(name[:2] == "on" for name in each)]
        assert all(each["href"].startswith(("/clinic", "#")) for each in page.all("a"))
        assert not page.source.count("<script>")


def test_the_style_has_a_light_and_a_dark_look_and_asks_nobody(visitor: Visitor) -> None:
    response = visitor.ask("GET", "/static/visitors.css")

    assert dict(response.headers)["content-type"] == "text/css; charset=utf-8"
    assert b"prefers-color-scheme: dark" in response.body
    assert b":focus-visible" in response.body
    assert b"url(" not in response.body
    assert b"@import" not in response.body


def test_every_page_can_be_read_and_used_without_eyes_or_mouse(visitor: Visitor) -> None:
    taken = f"/clinic/visit/{TUESDAY[:11]}09:05:00Z"
    responses = [
        *(
            visitor.ask("GET", each)
            for each in ("/clinic", "/clinic?embed=1", "/clinic/visit", VISIT, taken, "/nobody")
        ),
        visitor.fill(name=""),
    ]

    for page in [Page(each.body.decode()) for each in responses]:
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        ids = [each["id"] for _, each in page.elements if "id" in each]
        assert page.all("html") == [{"lang": "en", "dir": "ltr"}]
        assert len(page.all("title")) == len(page.all("main")) == levels.count(1) == 1
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert len(ids) == len(set(ids))
        for control in page.all("input", "select", "textarea"):
            if control.get("type") != "hidden":
                assert [each["for"] for each in page.all("label")].count(control["id"]) == 1
        for element in [each for _, each in page.elements]:
            pointed = element.get("aria-labelledby", "") + " " + element.get("aria-describedby", "")
            assert set(pointed.split()) <= set(ids)
            assert element.get("tabindex", "-1") in ("0", "-1")
        assert {each["href"][1:] for each in page.all("a") if each["href"].startswith("#")} <= set(ids)


def test_the_form_groups_its_fields_and_tells_browsers_what_they_are(visitor: Visitor) -> None:
    page = visitor.see(VISIT)
    fields = {each["name"]: each for each in page.all("input", "textarea")}

    assert len(page.all("fieldset")) == len(page.all("legend")) == 1
    assert [name for name, each in fields.items() if "required" in each] == ["name", "email"]
    assert [fields[name]["autocomplete"] for name in ("name", "email", "phone")] == ["name", "email", "tel"]


def test_days_without_free_times_are_no_links(visitor: Visitor) -> None:
    page = visitor.see("/clinic/visit")
    days = page.links("/clinic/visit?day=")

    assert [each.removesuffix("#times")[-2:] for each in days] == [
        "23",
        "24",
        "25",
        "26",
        "27",
        "30",
        "01",
        "02",
        "03",
        "04",
        "07",
    ]
    assert page.says("Saturday, November 28, 2026, nothing free")
    assert page.says("Monday, November 23, 2026, 31 times free")
    assert [each["href"][-8:-6] for each in page.all("a") if each.get("aria-current") == "date"] == ["23"]


def test_a_day_that_is_asked_for_shows_its_times(visitor: Visitor) -> None:
    page = visitor.see("/clinic/visit?day=2026-11-26")

    assert page.says("Thursday, November 26, 2026 Times are in Central European Time (Berlin), UTC+1. Morning 9:00 AM")
    assert len(page.links("/clinic/visit/2026-11-26")) == 31


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("2026-11-28", "Monday, November 30, 2026"),
        ("2026-12-06", "Today, November 23"),
        ("2026-11-01", "Today, November 23"),
        ("2026-12-07", "Monday, December 7, 2026"),
        ("2100-12-31", "Monday, November 22, 2027"),
    ],
)
def test_a_day_without_free_times_leads_to_one_that_has_some(visitor: Visitor, asked: str, shown: str) -> None:
    assert visitor.see(f"/clinic/visit?day={asked}").says(f"{shown} Times are in")


def test_weeks_can_be_leafed_through_to_the_horizon_and_back(visitor: Visitor) -> None:
    visitor.setting.service("visit", horizon_days=100)
    page, seen_days = visitor.see("/clinic/visit"), list[str]()

    while True:
        seen_days += [each["href"] for each in page.all("a") if each.get("class", "").split()[:1] == ["day"]]
        later = [each["href"] for each in page.all("a") if each.get("class") == "later"]
        if not later:
            break
        page = visitor.see(later[0])

    assert len(seen_days) == len(set(seen_days)) == 72
    assert "first free time" not in page.text.lower()
    assert page.says("Earlier weeks")


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "1999-12-31", "2026-W48-2"])
def test_a_day_that_is_none_is_refused_with_a_page(visitor: Visitor, day: str) -> None:
    assert visitor.see(f"/clinic/visit?day={day}", 422).says("That did not work")


def test_links_that_gained_parameters_on_the_way_still_work(visitor: Visitor) -> None:
    assert visitor.see("/clinic?utm_source=mail").says("What would you like to book?")


def test_one_search_finds_all_the_days(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[object] = []

    def counting(desk: Desk, actor: Actor, id: str, wanted: Search) -> Offers:
        searches.append(wanted)
        return service_slots(desk, actor, id, wanted)

    monkeypatch.setattr("slotkeeper.web.visitors.choice.service_slots", counting)
    visitor.see("/clinic/visit?day=2026-11-26")

    assert len(searches) == 1


def test_a_visitor_may_choose_among_people_but_not_rooms(visitor: Visitor) -> None:
    visitor.setting.service("exam", name="Exam", needs=[Need(any_of="doctors"), Need(any_of="rooms")])
    page = visitor.see("/clinic/exam?with=d1")

    people = [each for each in page.all("a") if each.get("class") == "person"]
    assert [each["href"] for each in people] == ["/clinic/exam", *(f"/clinic/exam?with=d{n}" for n in range(3))]
    assert [each["href"][-2:] for each in people if "aria-current" in each] == ["d1"]
    times = page.links("/clinic/exam/")
    assert all(each.endswith("?with=d1") for each in times)
    assert visitor.see(visitor.book(times[0])).says("Dr 1")
    assert times[0] not in visitor.see("/clinic/exam?with=d1").links()
    assert times[0].replace("d1", "d0") in visitor.see("/clinic/exam?with=d0").links()


def test_where_everybody_is_needed_there_is_nobody_to_choose(visitor: Visitor) -> None:
    visitor.setting.service("pair", needs=[Need(all_of=("d0",))])

    assert not visitor.see("/clinic/pair").says("With whom?")


def test_among_many_people_one_is_chosen_from_a_list() -> None:
    page = Visitor(a_clinic(doctors=9)).see("/clinic/visit?with=d8&lang=de")

    assert [each["value"] for each in page.all("option")] == ["", *(f"d{number}" for number in range(9))]
    assert [each["value"] for each in page.all("option") if "selected" in each] == ["d8"]
    assert page.value("lang") == "de"


def test_a_business_without_services_says_so() -> None:
    setting = a_setting(business=Business(name="New Place", zone="Europe/Berlin", location="Main Street 1"))

    page = Visitor(setting).see("/clinic")

    assert page.says("New Place Main Street 1 Nothing can be booked here yet")


def test_weeks_without_free_times_lead_to_the_next_ones(visitor: Visitor) -> None:
    visitor.setting.service("later", notice_minutes=30 * 1440)
    visitor.setting.service("never", needs=[Need(all_of=("d0",))], duration_minutes=600)

    later, never = visitor.see("/clinic/later"), visitor.see("/clinic/never")

    empty = visitor.see("/clinic/later?day=2026-12-01")
    assert empty.says("No free times in these two weeks The next free day: Wednesday, December 23, 2026")
    assert "/clinic/later?day=2026-12-23" in empty.links()
    assert later.says("First free time Wednesday, December 23, 2026, 9:00 AM")
    assert later.says("Wednesday, December 23, 2026 Times are in")
    assert never.says("Nothing is free at the moment We looked until February 23, 2027 and found nothing.")
    assert never.says("Please ask Clinic directly.")


def test_times_that_come_twice_carry_their_offset() -> None:
    setting = a_setting(now="2026-10-24T06:00:00Z")
    night = (Opening(from_="01:00", to="04:00"),)
    setting.put("schedule", "night", Schedule(name="Night", weekly=Weekly(sun=night)))
    setting.put("resource", "d0", Resource(name="Dr 0", zone="Europe/Berlin", schedule_id="night"))
    setting.service("visit", needs=[Need(all_of=("d0",))], step_minutes=30)

    page = Visitor(setting).see("/clinic/visit?day=2026-10-25&lang=de")

    assert page.says("01:00 01:30 02:00 UTC+2 02:30 UTC+2 02:00 UTC+1 02:30 UTC+1 03:00 03:30")
    form = Visitor(setting).see("/clinic/visit/2026-10-25T01:00:00Z")
    assert form.says("2:00 AM UTC+1\u20132:30 AM UTC+1")
    assert form.says("Central European Time (Berlin), UTC+1")


def test_too_many_requests_are_told_to_wait_by_a_page() -> None:
    visitor = Visitor(rules=Rules(address_quota=Quota("address", 1)))
    visitor.see("/clinic")

    response = visitor.ask("GET", "/clinic")

    assert seen(response, 429).says("One moment, please")
    assert dict(response.headers)["retry-after"] == "60"


def test_a_store_that_fails_is_told_by_a_page(monkeypatch: pytest.MonkeyPatch, visitor: Visitor) -> None:
    typed = ADA | {"once": visitor.see(VISIT).value("once")}

    def failing(change: Change) -> None:
        raise Unreachable("disk full", retry_after=7)

    with monkeypatch.context() as broken:
        broken.setattr(visitor.setting.store, "commit", failing)
        response = visitor.send(VISIT, typed)

    assert seen(response, 503).says("Nothing was booked, and nothing is lost")
    assert dict(response.headers)["retry-after"] == "7"
    assert visitor.send(VISIT, typed).status == 303
    assert len(visitor.booked()) == 1


def test_work_that_was_undone_is_told_by_a_page(visitor: Visitor) -> None:
    response = visitor.web.refuse(Unreachable("disk full"), Request("POST", VISIT, headers={"accept": "text/html"}))

    assert seen(response, 503).says("We cannot answer right now")


def test_literal_addresses_go_before_businesses_and_no_business_can_have_them() -> None:
    first = {route.pattern.split("/")[1] for route in ROUTES} - {""}
    router = Router(ALL)

    assert first <= RESERVED
    for literal in [route for route in ALL if not route.parameters]:
        assert router.find(literal.method, literal.pattern)[0] is literal
    assert not [each for each in ALL if each.pattern.startswith("/{") and "{business}" not in each.pattern]


@pytest.mark.parametrize("id", sorted(RESERVED))
def test_a_business_cannot_be_called_like_an_address(id: str) -> None:
    with pytest.raises(Invalid, match="is an address of the API"):
        begin(None, id, Business(name="x"))  # type: ignore[arg-type] # refused before anything is opened


def test_the_pages_are_no_part_of_the_api() -> None:
    assert {route.pattern for route in PAGES} == {route.pattern for route in ALL} - {route.pattern for route in ROUTES}


def a_call(visitor: Visitor) -> None:
    visitor.setting.service("call", name="Call", remote=True)


def test_times_at_a_place_are_by_its_clock_wherever_one_looks_from(visitor: Visitor) -> None:
    here, there = visitor.see("/clinic/visit"), visitor.see("/clinic/visit?zone=Asia/Tokyo")

    assert here.says("Times are in Central European Time (Berlin), UTC+1.")
    assert not here.says("Your own clock")
    assert there.says("Times are in Central European Time (Berlin), UTC+1.")
    assert there.says("Your own clock shows another time: Japan Time (Tokyo), UTC+9.")
    assert [each.partition("?")[0] for each in there.links()] == [each.partition("?")[0] for each in here.links()]
    form = visitor.see(f"{VISIT}?zone=Asia/Tokyo")
    assert form.says("Tuesday, November 24, 2026, 10:00 AM")
    assert form.says("Your clock shows")
    assert form.says("Tuesday, November 24, 2026, 6:00 PM")
    assert not visitor.see(f"{VISIT}?zone=Europe/Paris").says("Your clock shows")


def test_times_without_a_place_are_by_the_visitors_clock(visitor: Visitor) -> None:
    a_call(visitor)
    page = visitor.see("/clinic/call?zone=Pacific/Auckland&day=2026-11-25")

    assert page.says("Wednesday, November 25, 2026 Times are in New Zealand Time (Auckland), UTC+13.")
    starts = [each for each in page.links("/clinic/call/") if "T" in each][1:]
    assert starts[0].startswith("/clinic/call/2026-11-24T11:00:00Z?zone=Pacific%2FAuckland")
    assert {each["value"] for each in page.all("option")} == zone_names()
    assert [each["value"] for each in page.all("option") if "selected" in each] == ["Pacific/Auckland"]
    assert visitor.see("/clinic/call").says("Central European Time (Berlin)")


@pytest.mark.parametrize("zone", ["Europe", "localtime", "posix/Europe/Berlin", "../etc/passwd", "x" * 5000, ""])
def test_a_zone_that_is_none_is_passed_over(visitor: Visitor, zone: str) -> None:
    a_call(visitor)
    page = visitor.see(f"/clinic/call?zone={zone}")

    assert page.says("Central European Time (Berlin)")
    assert not [each for each in page.links() if "zone=" in each]


def test_a_booking_knows_the_language_and_the_clock_of_who_booked(visitor: Visitor) -> None:
    booked = visitor.book(f"{VISIT}?lang=de&zone=Asia/Tokyo")

    contact = visitor.appointment().contact
    assert (contact.language, contact.zone) == ("de", "Asia/Tokyo")
    assert "lang=de" in booked


@pytest.mark.parametrize(
    ("lang", "accepted", "spoken"),
    [("", "", "en"), ("", "fr-CA,fr;q=0.9", "fr"), ("ar", "fr", "ar"), ("xx", "de", "de"), ("", "xx", "en")],
)
def test_pages_speak_the_language_asked_for_else_the_readers(
    visitor: Visitor, lang: str, accepted: str, spoken: str
) -> None:
    headers = {"accept": "text/html", "accept-language": accepted}
    page = seen(visitor.web.answer(Request("GET", "/clinic/visit", f"lang={lang}", headers, b"", "192.0.2.1")))

    assert page.all("html") == [{"lang": spoken, "dir": "rtl" if spoken == "ar" else "ltr"}]
    carried = [each for each in page.links("/clinic") if "lang=" in each]
    assert len(carried) == (len(page.links("/clinic")) if lang == "ar" else 0)
    others = [each for each in page.all("a") if "hreflang" in each]
    assert [each["lang"] for each in others] == ["en", "es", "fr", "de", "ar"]
    assert [each["lang"] for each in others if "aria-current" in each] == [spoken]
    assert all(each["href"].startswith("/clinic/visit?lang=") for each in others)


def test_links_begin_where_the_pages_are_mounted(visitor: Visitor) -> None:
    headers = {"accept": "text/html"}
    for address in ("/clinic", "/clinic/visit", VISIT):
        page = seen(visitor.web.answer(Request("GET", address, "", headers, b"", "192.0.2.1", base="/prod")))
        assert [each for each in page.links() if not each.startswith("/prod/clinic")] == []
        assert all(each["src"].startswith("/prod/static/") for each in page.all("script"))
        assert all(each["action"].startswith("/prod/clinic") for each in page.all("form"))


def test_pages_in_a_frame_say_nothing_of_whose_they_are_and_stay_so(visitor: Visitor) -> None:
    for address in ("/clinic", "/clinic/visit", VISIT):
        page = visitor.see(f"{address}?embed=1")
        assert not page.all("header")
        assert all("embed=1" in each for each in page.links("/clinic"))
    assert "embed=1" in visitor.book(f"{VISIT}?embed=1")


def test_only_origins_that_are_named_may_show_the_pages_in_a_frame() -> None:
    allowing = Visitor(rules=Rules(embed_origins=("https://www.example.com",)))

    for visitor, framers in ((Visitor(), "'self'"), (allowing, "'self' https://www.example.com")):
        for address in ("/clinic", "/clinic/visit", VISIT):
            policy = dict(visitor.ask("GET", address).headers)["content-security-policy"]
            assert policy.endswith(f"frame-ancestors {framers}")


def test_the_script_for_other_pages_is_asked_for_again_and_sent_once(visitor: Visitor) -> None:
    first = visitor.web.answer(Request("GET", "/embed.js", "", {}, b"", "192.0.2.1"))
    headers = dict(first.headers)
    again = visitor.web.answer(Request("GET", "/embed.js", "", {"if-none-match": headers["etag"]}, b"", "192.0.2.1"))

    assert headers["content-type"].startswith("text/javascript")
    assert headers["cache-control"] == "public, no-cache"
    assert (first.status, again.status, again.body) == (200, 304, b"")


def test_a_logo_is_shown_in_the_room_that_it_takes(visitor: Visitor) -> None:
    assert not visitor.see("/clinic/visit").all("img")
    wide = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (300).to_bytes(4, "big") + (100).to_bytes(4, "big")
    put_logo(visitor.setting.desk, STAFF, Logo(media="image/png", data=wide))

    [picture] = visitor.see("/clinic/visit").all("img")
    sent = visitor.ask("GET", picture["src"])
    headers = dict(sent.headers)

    assert (picture["width"], picture["height"], picture["alt"]) == ("120", "40", "")
    assert (sent.body, headers["content-type"]) == (wide, "image/png")
    assert "immutable" in headers["cache-control"]
    assert dict(visitor.ask("GET", "/look/clinic/logo").headers)["cache-control"] == "public, no-cache"


def test_a_colour_of_its_own_is_shown_where_there_is_one() -> None:
    plain, own = Visitor(), Visitor(a_setting(business=Business(name="Own", zone="UTC", accent="#aa2255")))

    ours, theirs = plain.see("/clinic").style, own.see("/clinic").style
    assert theirs.startswith(ours)
    assert "--accent:#aa2255" in theirs.removeprefix(ours)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Dr. Ada Okafor", "AO"),
        ("Dev Patel, physiotherapist", "DP"),
        ("ada", "A"),
        ("Dr 1", "D"),
        ("7", "7"),
        (",", ","),
    ],
)
def test_who_has_no_picture_is_shown_by_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def everywhere(own: str, shown: str, at: Instant) -> bool:
    return bool(own)


def by_own_clock(desk: Desk, actor: Actor, id: str, own_zone: str = "") -> Offered:
    return replace(offered(desk, actor, id, own_zone), zone=own_zone or "Europe/Berlin")


def by_the_places_clock(desk: Desk, actor: Actor, id: str, own_zone: str = "") -> Offered:
    return offered(desk, actor, id)


def hold_blind(desk: Desk, actor: Actor, it: Offered, asked: Asked, first: Instant, days: int) -> list[Instant]:
    return starts_of(desk, actor, it, replace(asked, hold=""), first, days)


@pytest.mark.parametrize(
    ("place", "broken", "law"),
    [
        (
            "booking._sent_before",
            lambda call, order: None,
            test_a_form_that_is_sent_again_with_another_hold_has_booked_already,
        ),
        (
            "booking.HoldGone",
            CustomerFull,
            partial(test_a_hold_that_keeps_nothing_keeps_nobody_from_booking, hold="hld_x"),
        ),
        ("booking.starts_of", hold_blind, lambda visitor: test_a_hold_keeps_the_time_for_its_owner_alone()),
        ("booking._kept_seconds", lambda call, hold: 0, test_a_form_that_comes_back_still_has_its_hold),
        ("wording.is_elsewhere", everywhere, test_times_at_a_place_are_by_its_clock_wherever_one_looks_from),
        ("booking.offered", by_own_clock, test_times_at_a_place_are_by_its_clock_wherever_one_looks_from),
        ("booking.offered", by_the_places_clock, test_times_without_a_place_are_by_the_visitors_clock),
        ("guest.zone_names", lambda: {"Europe"}, partial(test_a_zone_that_is_none_is_passed_over, zone="Europe")),
        (
            "form.mail_address",
            lambda text, name: None,
            partial(
                test_a_form_that_cannot_be_used_comes_back_as_it_was_typed, typed={"email": "ada"}, words="not an email"
            ),
        ),
    ],
)
def test_a_build_that_breaks_a_promise_is_found_out(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, place: str, broken: object, law: Callable[[Visitor], None]
) -> None:
    monkeypatch.setattr(f"slotkeeper.web.visitors.{place}", broken)

    with pytest.raises((AssertionError, StopIteration)):
        law(visitor)


def test_a_hold_on_another_time_is_given_back_when_it_is_not_used(visitor: Visitor) -> None:
    other = visitor.hold("2026-11-24T10:00:00Z")
    typed = ADA | {"once": visitor.see(VISIT).value("once"), "hold": other}

    assert visitor.send(VISIT, typed).status == 303
    with pytest.raises(Missing):
        holds.find_hold(visitor.setting.desk, VISITOR, other)


def test_a_hold_is_given_back_when_another_time_is_chosen_instead(visitor: Visitor) -> None:
    held = visitor.hold()
    typed = ADA | {"once": visitor.see(VISIT).value("once"), "hold": held, "show": "1"}

    assert visitor.send("/clinic/visit/2026-11-24T10:00:00Z", typed).status == 200
    with pytest.raises(Missing):
        holds.find_hold(visitor.setting.desk, VISITOR, held)
