"""What customers read: the place's time with its zone, in their language, and nobody else's links or markup."""

from html.parser import HTMLParser
from typing import Any

import pytest

from slotkeeper.core.appointment import Appointment, Contact, Deed, acted, moved, opened
from slotkeeper.core.service import Business, Need, Service
from slotkeeper.documents import Template
from slotkeeper.notices.languages import LANGUAGES, language_of, lead_text, when_text
from slotkeeper.notices.rendering import Occasion, render
from slotkeeper.notices.templates import KINDS
from tests.builders import at

BERLIN = "Tuesday 24 November 2026, 09:30-10:00 (Europe/Berlin, UTC+1)"
NOW = at("2026-11-23T08:30:00Z")
DEED = Deed(now=NOW, by="staff")


def an_appointment(**others: Any) -> Appointment:
    facts: dict[str, Any] = {
        "id": "apt_1",
        "status": "booked",
        "start": at("2026-11-24T08:30:00Z"),
        "end": at("2026-11-24T09:00:00Z"),
        "service_id": "visit",
        "zone": "Europe/Berlin",
        "created": NOW,
        "contact": Contact(name="Ada", email="ada@example.com"),
    } | others
    return opened(Appointment(**facts), DEED)


def an_occasion(kind: str = "reminder", appointment: Appointment | None = None, **others: Any) -> Occasion:
    appointment = appointment or an_appointment()
    facts: dict[str, Any] = {
        "now": NOW,
        "business": Business(name="Clinic", zone="Europe/Berlin", location="Hauptstrasse 1, Berlin"),
        "service": Service(name="Visit", duration_minutes=30, needs=(Need(any_of="doctors"),)),
        "event": appointment.events[-1] if kind != "reminder" else None,
        "contact": appointment.contact,
        "resources": ("Dr Brandt",),
    } | others
    return Occasion(kind=kind, appointment=appointment, **facts)


class Page(HTMLParser):
    """The visible text of a page, and the tags in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_said_in_every_language_with_the_places_time_and_zone(kind: str, language: str) -> None:
    words = render(an_occasion(kind, contact=Contact(name="Ada", language=language)))

    assert words.subject
    assert "\n" not in words.subject
    for text in (words.text, words.html):
        assert f"{LANGUAGES[language].times.format('09:30', '10:00')} (Europe/Berlin, UTC+1)" in text
        assert "Ada" in text
        assert "Dr Brandt" in text
        assert "Hauptstrasse 1, Berlin" in text
    assert "\n\n\n" not in words.text
    assert f'lang="{language}" dir="{LANGUAGES[language].direction}"' in words.html


@pytest.mark.parametrize("kind", KINDS)
def test_each_language_has_words_of_its_own(kind: str) -> None:
    texts = {render(an_occasion(kind, contact=Contact(language=language))).subject for language in LANGUAGES}

    assert len(texts) == len(LANGUAGES)


def test_the_mail_says_when_in_the_words_of_the_place() -> None:
    words = render(an_occasion())

    assert words.subject == "Reminder: Visit, Tuesday 24 November 2026, 09:30"
    assert words.text == (
        "Hello Ada,\n\nThis is a reminder of your appointment in 24 hours.\n\n"
        f"Service: Visit\nWhen: {BERLIN}\nWhere: Hauptstrasse 1, Berlin\nWith: Dr Brandt\n\nClinic\n"
    )


def test_a_travellers_own_time_comes_second_and_named() -> None:
    """T14 (calcom/cal.diy#29868): the mail showed the traveller's zone for an in-person visit."""
    words = render(an_occasion(contact=Contact(zone="America/New_York")))

    place = words.text.index(BERLIN)
    own = words.text.index("Your time: Tuesday 24 November 2026, 03:30-04:00 (America/New_York, UTC-5)")
    assert place < own


def test_a_zone_that_shows_the_same_time_is_not_said_twice() -> None:
    assert "Your time" not in render(an_occasion(contact=Contact(zone="Europe/Paris"))).text


@pytest.mark.parametrize("zone", ["", "Europe/Atlantis", "../etc/passwd", "localtime"])
def test_an_unknown_zone_of_the_customers_is_passed_over(zone: str) -> None:
    assert BERLIN in render(an_occasion(contact=Contact(zone=zone))).text


@pytest.mark.parametrize(
    ("start", "end", "zone", "text"),
    [
        ("2026-11-24T08:30:00Z", "2026-11-24T09:00:00Z", "Europe/Berlin", BERLIN),
        (
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "Europe/Berlin",
            "Sunday 25 October 2026, 02:30-02:30 (Europe/Berlin, UTC+2 - UTC+1)",
        ),
        (
            "2026-11-24T18:00:00Z",
            "2026-11-24T19:00:00Z",
            "Asia/Kolkata",
            "Tuesday 24 November 2026, 23:30 - Wednesday 25 November 2026, 00:30 (Asia/Kolkata, UTC+5:30)",
        ),
        ("2026-07-01T12:00:00Z", "2026-07-01T12:30:00Z", "UTC", "Wednesday 1 July 2026, 12:00-12:30 (UTC, UTC)"),
        (
            "2026-07-01T12:00:00Z",
            "2026-07-01T12:30:00Z",
            "America/St_Johns",
            "Wednesday 1 July 2026, 09:30-10:00 (America/St_Johns, UTC-2:30)",
        ),
    ],
)
def test_a_time_cannot_be_misread(start: str, end: str, zone: str, text: str) -> None:
    assert when_text(LANGUAGES["en"], at(start), at(end), zone) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (86_400, "in 24 hours"),
        (3600, "in 1 hour"),
        (3595, "in 1 hour"),
        (3480, "in 58 minutes"),
        (60, "in 1 minute"),
        (5400, "in 2 hours"),
        (4 * 86_400, "in 4 days"),
        (0, "now"),
        (-90, "now"),
    ],
)
def test_how_far_off_it_is_follows_from_now(seconds: int, text: str) -> None:
    assert lead_text(LANGUAGES["en"], seconds) == text


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(("de-AT",), "de"), (("FR",), "fr"), (("ja", "es"), "es"), (("",), "en"), ((), "en"), (("xx",), "en")],
)
def test_the_first_language_that_we_speak_is_spoken(wanted: tuple[str, ...], code: str) -> None:
    assert language_of(*wanted).code == code


def test_a_notice_speaks_of_the_event_and_not_of_what_came_after() -> None:
    first = an_appointment()
    later = moved(first, at("2026-11-25T12:00:00Z"), at("2026-11-25T12:30:00Z"), DEED, resource_ids=(), calendars=())
    booked = render(an_occasion("booked", later, event=later.events[0]))
    changed = render(an_occasion("moved", later, event=later.events[1]))

    assert BERLIN in booked.text
    assert "Wednesday 25 November 2026, 13:00-13:30" in changed.text
    assert "Before, it was: Tuesday 24 November 2026, 09:30 (Europe/Berlin, UTC+1)" in changed.text


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_notice_of_a_move_stands_in_paragraphs_of_its_own(language: str) -> None:
    times = at("2026-11-25T12:00:00Z"), at("2026-11-25T12:30:00Z")
    later = moved(an_appointment(), *times, DEED, resource_ids=(), calendars=())
    to = Contact(name="Ada", language=language)

    text = render(an_occasion("moved", later, event=later.events[1], contact=to)).text

    assert [len(part.splitlines()) for part in text.split("\n\n")] == [1, 1, 4, 1, 1]


def test_a_pending_one_says_until_when_it_is_kept() -> None:
    pending = an_appointment(status="pending", expires=at("2026-11-23T10:00:00Z"))

    text = render(an_occasion("pending", pending)).text

    assert "until Monday 23 November 2026, 11:00 (Europe/Berlin, UTC+1)" in text


def test_what_is_over_is_crossed_out_in_the_card() -> None:
    over = acted(an_appointment(), "cancel", DEED)

    assert "line-through" in render(an_occasion("cancelled", over)).html
    assert "line-through" not in render(an_occasion()).html


def test_markup_in_a_name_is_shown_and_not_run() -> None:
    evil = "<script>alert(1)</script>&"
    words = render(an_occasion(contact=Contact(name=evil), business=Business(name=evil, zone="UTC"), resources=(evil,)))

    page = Page(words.html)
    assert "script" not in page.tags
    assert evil in page.texts
    assert evil in words.text


@pytest.mark.parametrize("name", ["Buy now https://evil.example", "see www.evil.example", "x" * 81])
def test_a_strangers_links_are_not_carried_to_others(name: str) -> None:
    words = render(an_occasion(contact=Contact(name=name)))

    assert name not in words.text + words.html + words.subject
    assert words.text.startswith("Hello,")


def test_line_breaks_in_names_do_not_break_the_subject() -> None:
    service = Service(name="Visit\r\nBcc: eve@example.com", duration_minutes=30, needs=(Need(any_of="d"),))

    assert render(an_occasion(service=service)).subject.startswith("Reminder: Visit Bcc: eve@example.com, Tuesday")


def test_an_appointment_without_a_service_is_named_by_its_language() -> None:
    words = render(an_occasion(service=None, contact=Contact(language="de")))

    assert words.subject == "Erinnerung: Termin, Dienstag, 24. November 2026, 09:30"


@pytest.mark.parametrize(
    "text",
    ["{% if %}", "{% if lead %}" * 120 + "x" + "{% endif %}" * 120, "{{ " + "lead if lead else " * 900 + "lead }}"],
    ids=["syntax", "indents", "recursion"],
)
def test_a_template_that_fails_is_passed_over(text: str) -> None:
    broken = Template(kind="reminder", subject="{{ lead }}", text=text)

    assert render(an_occasion(templates=[broken])).subject.startswith("Reminder: Visit")


def test_a_template_of_the_business_takes_the_place_of_ours() -> None:
    own = Template(
        kind="reminder",
        subject="See you {{ lead }}",
        text="{{ customer.name }}, bring this:\n\n{{ notes }}\n\n{{ details }}\n\nBye",
        html="<p>{{ customer.name }} {{ details }}</p>",
    )
    evil = an_appointment(details={"notes": "<b>left</b> knee"}, contact=Contact(name="<i>Ada"))

    words = render(an_occasion(appointment=evil, templates=[own]))

    assert words.subject == "See you in 24 hours"
    assert "<b>left</b> knee" in words.text
    assert words.html == f"<p>&lt;i&gt;Ada When: {BERLIN}<br>Where: Hauptstrasse 1, Berlin<br>With: Dr Brandt</p>"


def test_a_template_without_html_is_set_in_the_common_layout() -> None:
    own = Template(kind="reminder", subject="Hi", text="One < two\n\n{{ details }}\n\nBye")

    words = render(an_occasion(templates=[own]))

    assert "One &lt; two" in words.html
    assert BERLIN in words.html


LINK = "https://book.example.com/visit/clinic/token"
LIVE = ("booked", "pending", "moved", "reminder")


class Anchors(HTMLParser):
    """The addresses that a page links to, and the words of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._is_open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._is_open = True
            self.found.append((dict(attrs)["href"] or "", ""))

    def handle_data(self, data: str) -> None:
        if self._is_open:
            self.found[-1] = (self.found[-1][0], self.found[-1][1] + data)

    def handle_endtag(self, tag: str) -> None:
        self._is_open = False


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_live_has_the_link_in_its_text_and_as_a_button(kind: str, language: str) -> None:
    words = render(an_occasion(kind, contact=Contact(name="Ada", language=language), link=LINK))

    anchors = Anchors(words.html).found
    assert words.text.count(LINK) == (kind in LIVE)
    assert [address for address, _ in anchors] == [LINK] * (kind in LIVE)
    assert all(said and LINK not in said for _, said in anchors)
    assert LINK not in words.subject
    assert "\ue001" not in words.text + words.html + words.subject


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_link_nothing_is_said_of_one(kind: str) -> None:
    words = render(an_occasion(kind))

    assert not Anchors(words.html).found
    assert "move or cancel" not in words.text


def test_a_link_in_the_midst_of_own_words_stays_there() -> None:
    own = Template(kind="reminder", subject="Hi {{ link }}", text="Look at {{ link }} & come\n\nMove it: {{ link }}")

    words = render(an_occasion(templates=[own], link=LINK))

    assert words.subject == "Hi"
    assert words.text == f"Look at {LINK} & come\n\nMove it: {LINK}\n"
    assert Anchors(words.html).found == [(LINK, LINK), (LINK, "Move it")]
    assert "&amp; come" in words.html


def test_a_link_stands_escaped_in_html_of_the_businesss_own() -> None:
    own = Template(kind="reminder", subject="Hi", text="-", html='<a href="{{ link }}">here</a>')

    words = render(an_occasion(templates=[own], link=LINK + '"><script>'))

    assert words.html == f'<a href="{LINK}&#34;&gt;&lt;script&gt;">here</a>'


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "الآن"),
        (1, "بعد دقيقة واحدة"),
        (2, "بعد دقيقتين"),
        (10, "بعد 10 دقائق"),
        (15, "بعد 15 دقيقة"),
        (120, "بعد ساعتين"),
        (1440, "بعد 24 ساعة"),
        (5 * 1440, "بعد 5 أيام"),
        (11 * 1440, "بعد 11 يومًا"),
        (100 * 1440, "بعد 100 يوم"),
    ],
)
def test_arabic_counts_in_its_own_forms(minutes: int, text: str) -> None:
    assert lead_text(LANGUAGES["ar"], minutes * 60) == text


CALL = Service(name="Call", duration_minutes=15, needs=(Need(any_of="doctors"),), remote=True)


def test_a_remote_service_is_at_no_place() -> None:
    words = render(an_occasion(service=CALL))

    assert "Where" not in words.text
    assert BERLIN in words.text


@pytest.mark.parametrize("zone", ["", "Europe/Atlantis"])
def test_without_a_zone_of_the_customers_a_remote_service_is_told_on_the_places_clock(zone: str) -> None:
    assert BERLIN in render(an_occasion(service=CALL, contact=Contact(zone=zone))).text


def test_a_remote_service_is_told_on_the_customers_clock_alone() -> None:
    pending = an_appointment(status="pending", expires=at("2026-11-23T10:00:00Z"))
    words = render(an_occasion("pending", pending, service=CALL, contact=Contact(zone="America/New_York")))

    assert words.subject == "Requested: Call, Tuesday 24 November 2026, 03:30"
    assert "When: Tuesday 24 November 2026, 03:30-04:00 (America/New_York, UTC-5)" in words.text
    assert "until Monday 23 November 2026, 05:00 (America/New_York, UTC-5)" in words.text
    assert "Your time" not in words.text
    assert "Berlin" not in words.text
