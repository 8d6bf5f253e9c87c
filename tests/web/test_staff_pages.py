"""The pages on which members look after the business, as a browser without script uses them."""

import asyncio
import base64
import re
from html import unescape
from typing import Any

import msgspec
import pytest

from slotkeeper.core.appointment import Contact, Customer
from slotkeeper.core.hours import Opening, Override, Schedule, Weekly
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import Business, Need
from slotkeeper.courier.courier import Courier
from slotkeeper.desk import catalogue, members
from slotkeeper.desk.keys import authenticate
from slotkeeper.documents import Template, Webhook
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.web.look import theme
from slotkeeper.web.staff import keeping
from slotkeeper.web.staff.kinds import THINGS
from tests.builders import STAFF, Setting, a_clinic, a_setting, at, contact, service
from tests.web.filling import Browser, Form, Page
from tests.web.signed_in import Signed
from tests.web.test_journal import RefusingSender

TUESDAY = "2026-11-24T09:00:00Z"
HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{ 7*7 }}"""
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


@pytest.fixture
def owner(clinic: Setting) -> Browser:
    return Browser(clinic, "owner")


def kept(setting: Setting, kind: Any, id: str) -> Any:
    return catalogue.item(setting.desk, STAFF, kind, id).value


# A new business


def test_a_new_business_is_led_from_nothing_to_its_first_slot() -> None:
    setting = a_setting()
    owner = Browser(setting, "owner")
    page = owner.see("/setup")
    assert page.says("Three things, and customers can book.")

    page = owner.follow(owner.fill("/setup/add/hours", "/hours", name="Weekdays"))
    assert page.says("Next: who can be booked")
    page = owner.follow(owner.fill("/setup/add/resources", "/resources", name="Ada"))
    assert page.says("Next: what can be booked")
    page = owner.follow(owner.fill("/setup/add/services", "/services", name="Haircut"))
    assert not page.says("Next:")

    page = owner.see("/setup")
    assert not page.says("Three things")
    assert "https://book.example.com/clinic" in [each.get("value") for each in page.all("input")]
    [haircut] = catalogue.items(setting.desk, STAFF, "service")
    slots = setting.slots("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", haircut.id)
    assert (slots[0], slots[-1]) == ("2026-11-24T08:00:00Z", "2026-11-24T15:30:00Z")
    assert "Haircut" in owner.see("/clinic").text


@pytest.mark.parametrize("place", sorted(THINGS))
def test_an_empty_list_leads_on(place: str) -> None:
    page = Browser(a_setting(), "owner").see("/customers" if place == "customers" else f"/setup/{place}")

    assert page.says(THINGS[place].words.empty[0])
    assert any(each["href"].endswith(f"/setup/add/{place}") for each in page.all("a"))


# Things of every kind


def full(setting: Setting) -> dict[str, str]:
    """One thing of each kind with as much in it as there can be; returns their ids by place."""
    day = tuple(Opening(from_=f"{hour:02}:00", to=f"{hour:02}:30") for hour in (6, 8, 10, 12, 14))
    night = (Opening(from_="18:00", to="24:00"),)
    closed = (Override(date="2026-12-24", hours=()), Override(date="2026-12-31", hours=day[:1]))
    setting.put("schedule", "long", Schedule(name="Long", weekly=Weekly(mon=day, sun=night), overrides=closed))
    setting.service(
        "full", needs=[Need(all_of=("r1", "r0")), Need(any_of="doctors", count=2)], name="Operation",
        description="One\n\nTwo", duration_minutes=95, buffer_before_minutes=5, buffer_after_minutes=15,
        notice_minutes=90, horizon_days=30, step_minutes=5, day_limit=3, customer_limit=1, needs_confirmation=True,
        confirm_within_minutes=2880, cancel_notice_minutes=1440, schedule_id="week", zone="Asia/Kathmandu",
        location="Wing <B>\nFloor 2", remote=True, public=False,
    )  # fmt: skip
    described = Customer(
        name="Ada & Co", email="ada@example.com", phone="+49 30", language="de", zone="Asia/Tokyo", notes="\nx"
    )
    setting.put("customer", "ada", described)
    words = Template(
        kind="moved", language="fr", service_id="visit", subject="{{ service.name }}", text="\na\n", html="<p>x"
    )
    setting.put("template", "tpl", words)
    rule, _ = catalogue.put_on_shelf(
        setting.desk, STAFF, "reminderRules", None, ReminderRule(lead_minutes=95, channel="sms")
    )
    hook = Webhook(url="https://example.com/x", types=("booked", "noShow"), secret="whsec_x", active=False)
    hooked, _ = catalogue.put_on_shelf(setting.desk, STAFF, "webhooks", None, hook)
    return {
        "services": "full", "resources": "d1", "pools": "doctors", "hours": "long", "templates": "tpl",
        "reminders": rule, "webhooks": hooked, "customers": "ada",
    }  # fmt: skip


def form_of(place: str, id: str) -> str:
    return f"/customers/{id}/edit" if place == "customers" else f"/setup/{place}/{id}"


def value_of(owner: Browser, place: str, id: str) -> Any:
    from slotkeeper.web.routes import Call  # only its desk and actor are asked

    return keeping.one_of(Call(owner.setting.desk, STAFF, {}, None, None), THINGS[place], id).value


@pytest.mark.parametrize("place", sorted(THINGS))
def test_a_form_that_is_sent_as_it_came_changes_nothing(clinic: Setting, owner: Browser, place: str) -> None:
    id = full(clinic)[place]
    before = value_of(owner, place, id)
    address = form_of(place, id)

    page = owner.follow(owner.send(owner.see(address).form(address)))

    assert page.says("Your changes are saved.")
    after = value_of(owner, place, id)
    if place == "services":
        assert [set(need.all_of) for need in after.needs] == [set(need.all_of) for need in before.needs]
        assert all(
            getattr(after, name) == getattr(before, name) for name in before.__struct_fields__ if name != "needs"
        )
    else:
        assert after == before


@pytest.mark.parametrize("place", sorted(THINGS))
def test_every_field_of_a_thing_is_in_its_form(place: str) -> None:
    thing = THINGS[place]
    known = {each.encode_name for each in msgspec.structs.fields(thing.value)}

    assert {field.name for field in thing.fields} | set(thing.kept) == known


@pytest.mark.parametrize("place", ["services", "resources", "pools", "hours", "customers"])
def test_what_is_missing_is_told_beside_the_field_and_on_top(owner: Browser, place: str) -> None:
    before = owner.dump()

    page = owner.refused(owner.fill(f"/setup/add/{place}", f"/{place}", name=" "))

    assert any(each["href"] == "#f-name" for each in page.all("a") if "href" in each)
    [field] = [each for each in page.all("input") if each.get("id") == "f-name"]
    assert (field["aria-invalid"], field["aria-describedby"].split()[-1]) == ("true", "wrong-name")
    [summary] = [each for each in page.all("div") if each.get("id") == "errors"]
    assert {"autofocus", "tabindex"} <= set(summary)
    assert owner.dump() == before


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("services", {"durationMinutes": "7"}, "Use a multiple of 5"),
    ("services", {"durationMinutes": "4"}, "This is from 5 to 10080"),
    ("services", {"durationMinutes": "many"}, "Write a whole number"),
    ("services", {"zone": "Europe/Nowhere"}, "is not a time zone"),
    ("services", {"scheduleId": "gone"}, "There is no schedule 'gone'"),
    ("services", {"confirmWithinMinutes": "2"}, "Only a service with needsConfirmation"),
    ("services", {"needs": "gone"}, "There is no resource 'gone'"),
    ("resources", {"zone": "Mars/Base"}, "is not a time zone"),
    ("resources", {"kind": "ghost"}, "Choose one of these"),
    ("hours", {"mon.from": "09:03", "mon.to": "10:00"}, "not on a 5-minute mark"),
    ("hours", {"mon.from": "noon", "mon.to": "10:00"}, "is not a time of the day"),
    ("hours", {"mon.from": "09:00", "mon.to": ""}, "An opening needs both times"),
    ("templates", {"subject": "{{ secrets }}"}, "unknown name"),
    ("templates", {"text": "{% include 'x' %}"}, "prints names, with if, for and filters"),
    ("reminders", {"leadMinutes": "1", "leadMinutes.unit": "1"}, "This is from 5 to 525600 minutes"),
    ("webhooks", {"url": "http://example.com/x"}, "An address begins with https://"),
    ("webhooks", {"url": "https://user:pw@example.com/x"}, "names a host, and no user"),
    ("customers", {"email": "nobody"}, "This is not a mail address"),
]


@pytest.mark.parametrize(("place", "typed", "said"), WRONG)
def test_what_cannot_be_is_told_and_what_was_typed_is_kept(
    owner: Browser, place: str, typed: dict[str, str], said: str
) -> None:
    good = {"name": "Name"} if place not in ("templates", "reminders", "webhooks") else {}
    good |= {"url": "https://example.com/x"} if place == "webhooks" else {}
    good |= {"needs": "d0"} if place == "services" else {}
    form = owner.see(f"/setup/add/{place}").form(f"/{place}")
    sent = form.typed | good | typed
    before = owner.dump()

    page = owner.refused(owner.ask("POST", form.action, sent))

    assert page.says(said)
    again = page.form(f"/{place}").typed
    for name, text in ((name, text) for name, text in (good | typed).items() if text != "ghost"):
        assert text in again.get(name, [""]) or text in page.source.replace("&#39;", "'")
    assert owner.dump() == before


@pytest.mark.parametrize(("changed", "status"), [({"role": "owner"}, 422), ({"name": ["a", "b"]}, 400)])
def test_a_field_that_is_none_of_the_forms_is_refused(owner: Browser, changed: dict[str, Any], status: int) -> None:
    form = owner.see("/setup/services/visit").form("/visit")
    before = owner.dump()

    assert owner.ask("POST", form.action, form.typed | changed).status == status
    assert owner.dump() == before


@pytest.mark.parametrize("place", sorted(THINGS))
def test_two_who_change_the_same_lose_nothing(clinic: Setting, owner: Browser, place: str) -> None:
    id = full(clinic)[place]
    field = {"templates": "subject", "reminders": "leadMinutes", "webhooks": "url"}.get(place, "name")
    theirs, mine = ("7", "8") if place == "reminders" else ("https://a.example/", "https://b.example/")
    address = form_of(place, id)
    first, second = (owner.see(address).form(address) for _ in range(2))
    owner.send(first, **{field: theirs})

    page = owner.refused(owner.send(second, **{field: mine}), 409)

    assert page.says("Somebody changed this meanwhile")
    assert page.says(f"Now there: {theirs}")
    assert page.form(address).typed[field] == [mine]
    assert owner.follow(owner.send(page.form(address))).says("Your changes are saved.")
    assert owner.see(address).form(address).typed[field] == [mine]


def test_a_thing_that_is_needed_is_not_removed_and_says_by_whom(owner: Browser) -> None:
    page = owner.refused(owner.fill("/setup/pools/doctors", "/remove"), 409)
    assert page.says("“Exam” still needs it: change that first.")

    owner.fill("/setup/services/exam", "/remove")
    owner.fill("/setup/services/visit", "/remove")
    assert owner.follow(owner.fill("/setup/pools/doctors", "/remove")).says("It is removed.")
    owner.see("/setup/pools/doctors", 404)


def test_removing_twice_is_no_error(owner: Browser) -> None:
    form = owner.see("/setup/services/visit").form("/remove")
    owner.follow(owner.send(form))

    assert owner.follow(owner.send(form)).says("It is removed.")


@pytest.mark.parametrize("place", sorted(set(THINGS) - {"reminders", "webhooks"}))
def test_what_looks_like_markup_is_shown_as_it_was_typed(clinic: Setting, owner: Browser, place: str) -> None:
    id = full(clinic)[place]
    address = form_of(place, id)
    form = owner.see(address).form(address)
    texts = [name for name in form.names if name in ("name", "description", "location", "notes", "subject", "text")]
    hostile = HOSTILE if place != "templates" else HOSTILE.replace("{{ 7*7 }}", "")

    owner.follow(owner.send(form, **dict.fromkeys(texts, hostile)))

    for shown in (address, "/customers" if place == "customers" else f"/setup/{place}", "/setup/audit", "/setup"):
        page = owner.see(shown)
        assert "<script>alert" not in page.source
        assert "<img src=x" not in page.source
        assert "49" not in [each.get("value") for each in page.all("input")]
    assert owner.see(address).form(address).typed[texts[0]] == [hostile]


@pytest.mark.parametrize("place", sorted(set(THINGS) - {"webhooks"}))
def test_staff_look_at_what_only_owners_change(clinic: Setting, place: str) -> None:
    id = full(clinic)[place]
    page = Browser(clinic, "viewer").see(form_of(place, id))

    assert page.form().is_disabled
    assert not [form for form in page.forms if form.action.endswith("/remove")]


# What is particular to some


def test_a_services_needs_are_chosen_from_people_and_pools(clinic: Setting, owner: Browser) -> None:
    form = owner.see("/setup/services/exam").form("/exam")
    assert (form.typed["needs.pool"], form.typed["needs.count"]) == (["doctors", "rooms"], ["1", "1"])

    owner.follow(owner.send(form, needs=["r0"], needs__count=["2", "0"]))
    assert kept(clinic, "service", "exam").needs == (Need(all_of=("r0",)), Need(any_of="doctors", count=2))

    page = owner.refused(owner.fill("/setup/services/exam", "/exam", needs=[], needs__count=["0", "0"]))
    assert page.says("Choose who or what is needed")
    page = owner.refused(owner.fill("/setup/services/exam", "/exam", needs=["d0"], needs__count=["1", "0"]))
    assert page.says("stands in two needs of one service")


def test_a_pool_keeps_its_order_and_takes_more_at_its_end(clinic: Setting, owner: Browser) -> None:
    address = "/setup/pools/doctors"
    owner.send(owner.see(address).form("/doctors"), resourceIds=["d2", "d0"])
    boxes = [each["value"] for each in owner.see(address).all("input") if each.get("name") == "resourceIds"]

    assert boxes[:2] == ["d2", "d0"]
    assert kept(clinic, "pool", "doctors").resource_ids == ("d2", "d0")


def test_a_week_has_rows_for_more_openings(clinic: Setting, owner: Browser) -> None:
    form = owner.see("/setup/hours/week").form("/week")
    assert len(form.typed["mon.from"]) == 4

    starts, ends = ["08:00", "", "13:00", "20:00"], ["12:00", "", "17:00", "00:00"]
    owner.follow(owner.send(form, mon__from=starts, mon__to=ends, tue__from=[""] * 4, tue__to=[""] * 4))

    weekly = kept(clinic, "schedule", "week").weekly
    assert [(each.from_, each.to) for each in weekly.mon] == [
        ("08:00", "12:00"),
        ("13:00", "17:00"),
        ("20:00", "24:00"),
    ]
    assert weekly.tue == ()
    assert owner.see("/setup/hours").says("Monday 08:00\u201312:00, 13:00\u201317:00, 20:00\u201324:00")


def test_a_date_has_other_hours_until_they_are_taken_away(clinic: Setting, owner: Browser) -> None:
    address = "/setup/hours/week/dates"
    owner.follow(owner.fill(address, "/dates", date="2026-12-24"))
    assert owner.see(address).says("24 December 2026")
    assert owner.see(address).says("closed")

    owner.fill(address, "/dates", date="2026-12-24", hours__from=["10:00", "", "", ""], hours__to=["12:00", "", "", ""])
    [override] = kept(clinic, "schedule", "week").overrides
    assert override == Override(date="2026-12-24", hours=(Opening(from_="10:00", to="12:00"),))

    page = owner.refused(owner.fill(address, "/dates", date="2026-02-30"))
    assert page.says("is not a date")
    halves = owner.fill(address, "/dates", date="2026-12-25", hours__from=["10:00", "", "", ""])
    assert owner.refused(halves).says("An opening needs both times")

    owner.follow(owner.fill(address, "/dates/remove"))
    assert kept(clinic, "schedule", "week").overrides == ()


def absences(setting: Setting) -> list[tuple[int, int]]:
    return [(each.start, each.end) for each in catalogue.time_off(setting.desk, STAFF, "d0")]


def test_time_off_is_read_on_the_clock_of_the_place_and_tells_what_falls_into_it(clinic: Setting) -> None:
    staff = Browser(clinic, "staff")
    clinic.book(TUESDAY, resource_ids=("d0",), contact=contact("Ada Lovelace"))
    address = "/setup/resources/d0/time-off"

    page = staff.follow(
        staff.fill(
            address, "/time-off", **{"from": "2026-11-24", "fromTime": "10:15", "to": "2026-11-24", "toTime": "11:00"}
        )
    )

    assert absences(clinic) == [(at("2026-11-24T09:15:00Z"), at("2026-11-24T10:00:00Z"))]
    assert page.says("1 appointment is booked then: move or cancel it.")
    assert page.says("Ada Lovelace")
    assert staff.follow(staff.fill(address, "/time-off/remove")).says("No time off ahead")
    assert absences(clinic) == []


@pytest.mark.parametrize(
    ("typed", "span"),
    [
        (("2026-12-24", "", "2026-12-26", ""), ("2026-12-23T23:00:00Z", "2026-12-26T23:00:00Z")),
        (("2027-03-28", "01:30", "2027-03-28", "03:00"), ("2027-03-28T00:30:00Z", "2027-03-28T01:00:00Z")),
        (("2027-10-31", "02:30", "2027-10-31", "02:30"), ("2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z")),
    ],
)
def test_time_off_where_the_clocks_change(
    clinic: Setting, typed: tuple[str, str, str, str], span: tuple[str, str]
) -> None:
    staff = Browser(clinic, "staff")
    names = dict(zip(("from", "fromTime", "to", "toTime"), typed, strict=True))

    staff.follow(staff.fill("/setup/resources/d0/time-off", "/time-off", **names))

    assert absences(clinic) == [(at(span[0]), at(span[1]))]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("2027-03-28", "02:30", "2027-03-28", "04:00"), "02:30 does not exist on 2027-03-28"),
        (("2026-11-25", "", "2026-11-24", ""), "Time off ends after it starts"),
        (("", "", "2026-11-24", ""), "Fill this in"),
    ],
)
def test_time_off_that_cannot_be_is_told(clinic: Setting, typed: tuple[str, str, str, str], said: str) -> None:
    staff = Browser(clinic, "staff")
    names = dict(zip(("from", "fromTime", "to", "toTime"), typed, strict=True))

    page = staff.refused(staff.fill("/setup/resources/d0/time-off", "/time-off", **names))

    assert page.says(said)
    assert page.form("/time-off").typed["from"] == [typed[0]]


def test_a_template_is_shown_as_it_will_be_read_before_it_is_saved(clinic: Setting, owner: Browser) -> None:
    before = owner.dump()
    form = owner.see("/setup/add/templates").form("/templates")
    form.action = "/staff/clinic/setup/preview"
    form.names.add("of")

    response = owner.send(form, of="", subject="Hi {{ customer.name }}", text=f"{HOSTILE[:40]} {{{{ details }}}}")

    assert response.status == 200
    page = Page(response.body.decode())
    [frame] = page.all("iframe")
    assert frame["sandbox"] == ""
    assert "<script" not in frame["srcdoc"].lower()
    assert "&lt;script&gt;" in frame["srcdoc"]
    assert page.says("Hi Ada Lovelace")
    assert page.form("/templates").typed["subject"] == ["Hi {{ customer.name }}"]
    policy = dict(response.headers)["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert owner.dump() == before


def test_a_template_with_script_of_its_own_runs_nowhere(clinic: Setting, owner: Browser) -> None:
    clinic.put("template", "own", Template(kind="booked", subject="x", text="x", html='"><script>alert(1)</script>'))

    source = owner.see("/setup/templates/own").source

    assert "<script>alert" not in source
    [frame] = Page(source).all("iframe")
    assert frame["sandbox"] == ""
    assert "allow" not in frame


def test_a_webhooks_secret_is_shown_once_and_kept(clinic: Setting, owner: Browser) -> None:
    response = owner.fill("/setup/add/webhooks", "/webhooks", url="https://example.com/x", types=["booked"])

    assert response.status == 200
    assert dict(response.headers)["cache-control"] == "no-store"
    secret = Page(response.body.decode()).value("Secret")
    [(id, hook)] = catalogue.shelf(clinic.desk, STAFF, "webhooks").items()
    assert secret == hook.secret
    assert secret not in owner.see(f"/setup/webhooks/{id}").source
    owner.follow(owner.fill(f"/setup/webhooks/{id}", id, url="https://example.com/y"))
    assert catalogue.shelf(clinic.desk, STAFF, "webhooks")[id].secret == secret
    owner.refused(owner.fill(f"/setup/webhooks/{id}", id, url="http://example.com/y"))


def test_a_key_is_shown_once_and_revoked(clinic: Setting, owner: Browser) -> None:
    response = owner.fill("/setup/keys", "/keys", name="Website", scopes=["read", "book"])

    page = Page(response.body.decode())
    secret = page.value("Your new key")
    assert authenticate(clinic.desk, secret).scopes == {"read", "book"}
    assert dict(response.headers)["cache-control"] == "no-store"
    assert secret not in owner.see("/setup/keys").source
    assert owner.follow(owner.fill("/setup/keys", "/revoke")).says("Revoked")
    with pytest.raises(Exception, match="revoked"):
        authenticate(clinic.desk, secret)
    assert owner.refused(owner.fill("/setup/keys", "/keys", name="x", scopes=[])).says("Choose at least one")
    assert owner.refused(owner.fill("/setup/keys", "/keys", name="x", scopes=["root"])).says("Choose one of these")


# The business


def test_the_business_is_described_anew(clinic: Setting, owner: Browser) -> None:
    typed = {"name": "Praxis", "language": "de", "email": "desk@example.com", "zone": "Europe/Vienna",
             "quietFrom": "21:00", "quietTo": "08:00", "accent": "#FF8800", "accent__own": ["yes"],
             "location": "Am Fluss 1\nBerlin"}  # fmt: skip

    owner.follow(owner.fill("/setup/business", "/business", **typed))

    assert catalogue.profile(clinic.desk, STAFF).value == Business(
        name="Praxis", language="de", email="desk@example.com", zone="Europe/Vienna", quiet_from="21:00",
        quiet_to="08:00", accent="#ff8800", location="Am Fluss 1\nBerlin",
    )  # fmt: skip
    owner.follow(owner.fill("/setup/business", "/business", accent__own=[]))
    assert catalogue.profile(clinic.desk, STAFF).value.accent == ""


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"zone": "Europe/Nowhere"}, "is not a time zone"),
        ({"email": "x"}, "This is not a mail address"),
        ({"quietFrom": "21:00"}, "Quiet hours need both"),
        ({"accent": "red", "accent__own": ["yes"]}, "A colour is written as"),
    ],
)
def test_a_business_that_cannot_be_is_told(owner: Browser, typed: dict[str, Any], said: str) -> None:
    assert owner.refused(owner.fill("/setup/business", "/business", **typed)).says(said)


def test_two_owners_who_describe_the_business_lose_nothing(owner: Browser) -> None:
    first, second = (owner.see("/setup/business").form("/business") for _ in range(2))
    owner.send(first, name="First")

    page = owner.refused(owner.send(second, name="Second"), 409)

    assert page.says("Now there: First")
    assert page.form("/business").typed["name"] == ["Second"]


def test_the_shades_of_a_colour_can_be_read(owner: Browser) -> None:
    response = owner.ask("GET", "/staff/clinic/setup/business/shades?accent=%23ffee00")

    assert response.status == 200
    for ground, behind in (("light", "#ffffff"), ("dark", "#191d27")):
        accent = re.search(rf'"{ground}":{{"accent":"(#\w+)"', response.body.decode())
        assert accent is not None
        assert theme.contrast(accent[1], behind) >= theme.ENOUGH
    for wrong in ("red", "", "%23ffee0", "%23ffee00%0a"):
        assert owner.ask("GET", f"/staff/clinic/setup/business/shades?accent={wrong}").status in (400, 422)


def test_a_logo_is_kept_shown_and_taken_away(clinic: Setting, owner: Browser) -> None:
    page = owner.follow(owner.fill("/setup/business", "/logo", media="image/png", data=DOT))

    [picture] = page.all("img")
    response = owner.ask("GET", picture["src"])
    assert (response.status, response.body) == (200, base64.b64decode(DOT))
    assert owner.follow(owner.fill("/setup/business", "/logo/remove")).all("img") == []


@pytest.mark.parametrize(
    ("media", "data"),
    [
        ("image/png", ""), ("image/png", "not base64"), ("image/svg+xml", DOT), ("image/jpeg", DOT),
        ("image/png", base64.b64encode(base64.b64decode(DOT) + bytes(40_960)).decode()), ("image/png", "é"),
    ],
)  # fmt: skip
def test_what_is_no_logo_is_told(owner: Browser, media: str, data: str) -> None:
    before = owner.dump()

    assert owner.refused(owner.fill("/setup/business", "/logo", media=media, data=data)).says("PNG, JPEG or WebP")
    assert owner.dump() == before


# Members


def test_a_member_is_invited_changed_and_removed(clinic: Setting, owner: Browser) -> None:
    response = owner.fill("/setup/members", "/members", name="Vera", email="Vera@example.com", role="viewer")

    link = Page(response.body.decode()).value("The invitation")
    assert link.startswith("https://book.example.com/staff/clinic/welcome/")
    assert dict(response.headers)["cache-control"] == "no-store"
    vera = Browser(clinic)
    assert vera.fill(link.removeprefix("https://book.example.com"), password="a cow in the cellar").status == 303
    assert vera.see("/account").says("Read-only")

    id = members.id_of("clinic", "vera@example.com")
    assert owner.follow(owner.fill(f"/setup/members/{id}", id, role="owner")).says("Your changes are saved.")
    vera.see("/setup/keys")
    owner.follow(owner.fill(f"/setup/members/{id}", "/sign-out"))
    assert vera.ask("GET", "/staff/clinic/account").status == 303
    owner.follow(owner.fill(f"/setup/members/{id}", id, active=[]))
    assert (
        vera.ask(
            "POST", "/staff/clinic/sign-in", {"email": "vera@example.com", "password": "a cow in the cellar"}
        ).status
        == 422
    )
    owner.follow(owner.fill(f"/setup/members/{id}", "/remove"))
    owner.see(f"/setup/members/{id}", 404)


def test_an_address_is_one_members(owner: Browser) -> None:
    page = owner.refused(owner.fill("/setup/members", "/members", name="X", email="OLGA@example.com"))
    assert page.says("A member has this address already.")
    assert owner.refused(owner.fill("/setup/members", "/members", name="X", email="x")).says("not a mail address")


def test_the_last_owner_stays(clinic: Setting, owner: Browser) -> None:
    olga = members.id_of("clinic", "olga@example.com")
    owner.follow(owner.fill(f"/setup/members/{olga}", "/remove"))
    me = f"/setup/members/{owner.id}"
    before = owner.dump()

    for response in (
        owner.fill(me, owner.id, role="staff"), owner.fill(me, owner.id, active=[]), owner.fill(me, "/remove"),
    ):  # fmt: skip
        assert owner.refused(response, 409).says("Somebody must be an owner")

    assert owner.dump() == before


def test_an_owner_who_gives_the_role_away_is_led_out(clinic: Setting, owner: Browser) -> None:
    response = owner.fill(f"/setup/members/{owner.id}", owner.id, role="staff")

    assert dict(response.headers)["location"] == "/staff/clinic"


def test_a_member_who_was_changed_meanwhile_is_shown_as_they_are(clinic: Setting, owner: Browser) -> None:
    olga = members.id_of("clinic", "olga@example.com")
    form = owner.see(f"/setup/members/{olga}").form(olga)
    members.change(clinic.desk, STAFF, olga, name="Olga the Great")

    page = owner.refused(owner.send(form, name="Olga X"), 409)

    assert page.says("Now there: Olga the Great")


@pytest.mark.parametrize("role", ["owner", "staff", "viewer"])
def test_everybody_has_an_account_of_their_own(clinic: Setting, role: Any) -> None:
    from slotkeeper.desk.passwords import hashed

    me = Browser(clinic, role)
    members.set_password_hash(clinic.desk, STAFF, me.id, hashed("a horse on the roof"))
    me.sign_in(role)
    other = Browser(clinic, role)
    assert me.follow(me.fill("/account", "/name", name="New Name")).says("New Name")

    page = me.refused(me.fill("/account", "/password", old="wrong", password="a cow in the cellar"))
    assert page.says("This is not your password.")
    assert "a cow" not in page.source
    assert me.refused(me.fill("/account", "/password", old="a horse on the roof", password="short")).says("10 to 200")
    assert other.see("/account").says("New Name")

    before = me.cookie
    page = me.follow(me.fill("/account", "/password", old="a horse on the roof", password="a cow in the cellar"))
    assert page.says("Your password is changed.")
    assert me.cookie != before
    assert other.ask("GET", "/staff/clinic/account").status == 303

    other.sign_in(role)
    assert me.follow(me.fill("/account", "/elsewhere")).says("You are signed out everywhere else.")
    assert other.ask("GET", "/staff/clinic/account").status == 303


def test_guessing_the_old_password_at_an_open_screen_has_an_end(clinic: Setting) -> None:
    me = Browser(clinic, "staff")
    form = me.see("/account").form("/password")

    statuses = [me.send(form, old="wrong", password="a cow in the cellar").status for _ in range(21)]

    assert statuses == [422] * 20 + [429]


# Customers, messages, the audit log


def test_customers_are_found_by_name_address_and_number(clinic: Setting) -> None:
    staff = Browser(clinic, "staff")
    for number in range(60):
        clinic.put("customer", f"c{number}", Customer(name=f"Customer {number:02}", email=f"c{number}@example.com"))
    clinic.put("customer", "ada", Customer(name="Ada", email="ada@lovelace.example", phone="+49 (30) 123-45"))

    first, second = staff.see("/customers"), staff.see("/customers?page=2")
    assert (first.says("61 customers"), first.says("Customer 59"), second.says("Customer 59")) == (True, False, True)
    for typed in ("ad", "LOVELACE", "3012345"):
        page = staff.see(f"/customers?q={typed}")
        assert page.says("1 customer") and page.says("Ada")  # noqa: PT018 - one thing, seen twice
    assert staff.see("/customers?q=%3Cb%3E").says("Nobody fits “<b>”")
    assert staff.see("/customers?page=99").says("page 2 of 2")


def test_who_booked_by_themselves_is_a_customer_too(clinic: Setting) -> None:
    staff = Browser(clinic, "staff")
    booked = clinic.book(TUESDAY, contact=Contact(name="Grace", email="grace@example.com"))

    page = staff.see("/customers?q=grace")
    [link] = [each["href"] for each in page.all("a") if each["href"].endswith(booked.customer_id)]
    page = staff.see(link)
    assert page.says("Tuesday, 24 November 2026")
    assert page.says("Visit")

    staff.follow(staff.fill(f"{link}/edit", "/edit", notes="Likes window seats"))
    assert kept(clinic, "customer", booked.customer_id) == Customer(
        name="Grace", email="grace@example.com", notes="Likes window seats"
    )
    assert staff.see(link).says("Likes window seats")
    staff.see("/customers/nobody", 404)
    staff.see("/customers/nobody/edit", 404)


def test_a_message_that_was_given_up_is_sent_again(clinic: Setting, owner: Browser) -> None:
    clinic.book(TUESDAY, contact=contact())
    asyncio.run(Courier(clinic.store, clinic.clock, {"email": RefusingSender()}, OutboxSender()).sweep())
    assert owner.see("/setup").says("1 message could not be delivered")
    page = owner.see("/setup/messages?which=dead")
    [link] = [each["href"] for each in page.all("a") if "/messages/msg_" in each.get("href", "")]
    assert owner.see(link).says("no such mailbox")

    again = owner.see(link).form("/again")
    assert owner.follow(owner.send(again)).says("Will be tried again")
    assert owner.refused(owner.send(again), 409).says("It cannot be sent again")
    asyncio.run(Courier(clinic.store, clinic.clock, {}, OutboxSender()).sweep())
    assert owner.see(link).says("Not sent: it is in the outbox")
    assert owner.see("/setup/messages?which=dead").says("Nothing was given up")
    assert [form for form in Browser(clinic, "staff").see(link).forms if form.action.endswith("/again")] == []
    owner.see("/setup/messages?after=nonsense")


def test_the_audit_log_says_names(clinic: Setting, owner: Browser) -> None:
    owner.follow(owner.fill("/setup/services/visit", "/visit", name="Long visit"))

    page = owner.see("/setup/audit")
    assert page.says("Sam owner changed service Long visit")
    assert owner.see("/setup/audit?from=2026-11-01&to=2026-11-02").says("Nothing on these days")
    for wrong in ("from=2026-11-02&to=2026-11-01", "from=x", "from=2020-01-01", "to=9999-12-31"):
        assert owner.see(f"/setup/audit?{wrong}", 422).says("Choose two dates")


def test_the_audit_log_goes_on(clinic: Setting, owner: Browser) -> None:
    for number in range(250):
        clinic.put("customer", f"c{number}", Customer(name=f"Customer {number:03}"))

    page = owner.see("/setup/audit")
    [later] = [unescape(each["href"]) for each in page.all("a") if "after=" in each.get("href", "")]
    seen = set(re.findall(r"Customer \d{3}", page.text)) | set(re.findall(r"Customer \d{3}", owner.see(later).text))

    assert len(seen) == 250


@pytest.mark.parametrize("language", ["en", "ar"])
def test_pages_are_drawn_in_the_members_language(clinic: Setting, owner: Browser, language: str) -> None:
    response = owner.ask("GET", "/staff/clinic/setup/services", accept_language=language)

    assert f'<html lang="{language}"' in response.body.decode()


def test_addresses_begin_where_we_are_mounted(clinic: Setting, owner: Browser) -> None:
    from slotkeeper.web.http import Request

    headers = {"accept": "text/html", "cookie": f"__Host-slotkeeper={owner.cookie}"}
    for path in ("/setup", "/setup/services/visit", "/setup/members", "/customers", "/setup/business"):
        answer = owner.web.answer(Request("GET", f"/staff/clinic{path}", "", headers, b"", "192.0.2.1", base="/prod"))
        page = Page(answer.body.decode())
        places = [each.get("href") or each.get("src") or each.get("action") or "" for _, each in page.elements]
        assert [each for each in places if each.startswith("/") and not each.startswith("/prod/")] == []


def test_a_form_knows_what_it_would_send() -> None:
    form = Page('<form action="/x"><input name=a value=1><input type=checkbox name=b value=2></form>').form("/x")

    assert isinstance(form, Form)
    assert (form.typed, form.names) == ({"a": ["1"]}, {"a", "b"})
    assert service().name == "Visit"


@pytest.mark.parametrize("typed", ["<b id=xss>", "%", "%(x)s", "nobody"])
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/setup/members", "role"),
        ("/setup/keys", "scopes"),
        ("/setup/add/resources", "kind"),
        ("/setup/add/reminders", "channel"),
        ("/setup/preview", "kind"),
    ],
)
def test_what_is_no_choice_is_neither_said_nor_run(clinic: Setting, path: str, field: str, typed: str) -> None:
    reply = Signed(clinic, "owner").send(path, **{field: typed, "name": "x", "email": "q@example.com"})

    assert reply.status == 422
    assert "<b id=xss>" not in reply.text
    assert f'value="{typed}"' not in reply.text
