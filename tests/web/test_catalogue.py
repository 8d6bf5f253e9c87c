"""The catalogue over HTTP: every kind can be made, read, replaced and removed, and is checked on the way."""

from typing import Any

import pytest

from slotkeeper.core.service import Resource
from tests.web.asking import TUESDAY, Asker, a_key, a_web

THINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "services": (
        {"name": "Cut", "durationMinutes": 45, "needs": [{"anyOf": "doctors"}]},
        {"name": "Cut", "durationMinutes": 60, "needs": [{"allOf": ["d0"]}]},
    ),
    "resources": ({"name": "Dr X", "zone": "Europe/Paris"}, {"name": "Dr Y", "zone": "UTC", "active": False}),
    "pools": ({"name": "P", "resourceIds": ["d0"]}, {"name": "P", "resourceIds": ["d1", "d0"]}),
    "schedules": (
        {"name": "S", "weekly": {"mon": [{"from": "09:00", "to": "17:00"}]}},
        {"name": "S", "weekly": {}, "overrides": [{"date": "2026-12-24", "hours": []}]},
    ),
    "customers": ({"name": "Ada"}, {"name": "Ada", "email": "ada@example.com", "zone": "Asia/Tokyo"}),
    "templates": (
        {"kind": "reminder", "subject": "Soon", "text": "See you {{ appointment.when }}"},
        {"kind": "reminder", "subject": "Soon", "text": "Bis {{ appointment.when }}", "language": "de"},
    ),
    "reminderRules": ({"leadMinutes": 30}, {"leadMinutes": 45, "channel": "webhook"}),
    "webhooks": (
        {"url": "https://example.com/a"},
        {"url": "https://example.com/b", "types": ["booked"], "active": False},
    ),
}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("/services", {"name": "X", "durationMinutes": 7, "needs": [{"allOf": ["d0"]}]}, "durationMinutes"),
    ("/services", {"name": "X", "durationMinutes": 30, "needs": []}, "needs"),
    ("/services", {"name": "X", "durationMinutes": 30, "needs": [{}]}, "needs[0]"),
    ("/services", {"name": "X", "durationMinutes": 30, "needs": [{"anyOf": "none"}]}, "needs[0].anyOf"),
    ("/services", {"name": "X", "durationMinutes": 30, "needs": [{"allOf": ["d0"]}], "zone": "Europe"}, "zone"),
    ("/resources", {"name": "X", "zone": "Europe"}, "zone"),
    ("/resources", {"name": "X", "zone": "localtime"}, "zone"),
    ("/resources", {"name": "X", "zone": "posix/UTC"}, "zone"),
    ("/resources", {"name": "X", "zone": "../UTC"}, "zone"),
    ("/resources", {"name": "X", "zone": "U" * 5000}, "zone"),
    ("/resources", {"name": "X", "zone": "UTC", "scheduleId": "none"}, "scheduleId"),
    ("/resources", {"name": "X", "zone": "UTC", "kind": "robot"}, "kind"),
    ("/resources", {"name": "", "zone": "UTC"}, "name"),
    ("/pools", {"name": "X", "resourceIds": ["d0", "nobody"]}, "resourceIds"),
    ("/pools", {"name": "X", "resourceIds": []}, "resourceIds"),
    ("/schedules", {"name": "X", "weekly": {"mon": [{"from": "9", "to": "17:00"}]}}, "weekly.mon[0].from"),
    ("/schedules", {"name": "X", "weekly": {"funday": []}}, "weekly.funday"),
    (
        "/schedules",
        {"name": "X", "weekly": {}, "overrides": [{"date": "2026-02-30", "hours": []}]},
        "overrides[0].date",
    ),
    ("/customers", {"name": "X", "zone": "Mars"}, "zone"),
    ("/templates", {"kind": "reminder", "subject": "x", "text": "{{ config }}"}, "text"),
    ("/templates", {"kind": "reminder", "subject": "x", "text": "{{ ''.__class__ }}"}, "text"),
    ("/templates", {"kind": "reminder", "subject": "x", "text": "{% for x in range(9) %}{% endfor %}"}, "text"),
    ("/reminderRules", {"leadMinutes": 30, "serviceId": "none"}, "serviceId"),
    ("/reminderRules", {"leadMinutes": 0}, "leadMinutes"),
    ("/webhooks", {"url": "http://example.com"}, "url"),
    ("/webhooks", {"url": "ftp://example.com"}, "url"),
    ("/webhooks", {"url": "https://user:pass@example.com"}, "url"),
    ("/webhooks", {"url": "https://"}, "url"),
    ("/webhooks", {"url": "https://[::1"}, "url"),
    ("/webhooks", {"url": "https://example.com", "secret": "weak"}, "secret"),
    ("/webhooks", {"url": "https://example.com", "types": ["exploded"]}, "types[0]"),
    ("/resources/d0/timeOff", {"startTime": TUESDAY, "endTime": TUESDAY}, "endTime"),
    ("/resources/d0/timeOff", {"startTime": TUESDAY, "endTime": "2056-01-01T00:00:00Z"}, "endTime"),
    ("/resources/d0/timeOff", {"startTime": "tomorrow", "endTime": TUESDAY}, "startTime"),
    ("/keys", {"name": "x", "scopes": []}, "scopes"),
    ("/keys", {"name": "x", "scopes": ["root"]}, "scopes[0]"),
    ("/keys", {"name": "x", "scopes": ["admin"], "customerId": "ada"}, "scopes"),
    ("/slots/search", {"members": [], "durationMinutes": 30, "from": TUESDAY, "to": TUESDAY}, "members"),
    (
        "/slots/search",
        {"members": ["d0"], "required": 2, "durationMinutes": 30, "from": TUESDAY, "to": "2026-11-25T00:00:00Z"},
        "required",
    ),
    ("/holds", {"serviceId": "visit", "startTime": TUESDAY, "seconds": 3601}, "seconds"),
]


@pytest.fixture
def asker() -> Asker:
    return a_web()


@pytest.mark.parametrize("kind", THINGS)
def test_a_thing_is_made_read_replaced_and_removed(asker: Asker, kind: str) -> None:
    first, second = THINGS[kind]

    made = asker.post(f"/{kind}", first)
    path = f"/{kind}/{made.json['id']}"
    read = asker.get(path)
    replaced = asker.put(path, second)
    listed = asker.get(f"/{kind}")
    removed = asker.delete(path)

    assert [reply.status for reply in (made, read, replaced, listed, removed)] == [201, 200, 200, 200, 204]
    assert first.items() <= read.json.items()
    assert second.items() <= replaced.json.items()
    assert replaced.json in listed.json["items"]
    assert asker.get(path).status == asker.delete(path).status == 404


@pytest.mark.parametrize("kind", sorted(THINGS.keys() - {"webhooks", "reminderRules"}))
def test_a_thing_is_made_under_a_chosen_id(asker: Asker, kind: str) -> None:
    made = asker.put(f"/{kind}/chosen", THINGS[kind][0])

    assert (made.status, made.json["id"]) == (201, "chosen")
    assert asker.put(f"/{kind}/chosen", THINGS[kind][0]).status == 200


@pytest.mark.parametrize(("path", "body", "field"), WRONG)
def test_what_makes_no_sense_is_refused(asker: Asker, path: str, body: dict[str, Any], field: str) -> None:
    before = asker.dump()

    reply = asker.post(path, body)

    assert (reply.status, reply.json["field"]) == (422, field)
    assert asker.dump() == before


@pytest.mark.parametrize("path", ["/resources/d0", "/pools/doctors", "/schedules/week"])
def test_what_is_still_needed_is_not_removed(asker: Asker, path: str) -> None:
    reply = asker.delete(path)

    assert (reply.status, reply.code) == (409, "in-use")
    assert asker.get(path).status == 200


def test_a_replaced_thing_has_the_defaults_of_what_is_left_out(asker: Asker) -> None:
    asker.put("/services/visit", {"name": "V", "durationMinutes": 30, "stepMinutes": 30, "needs": [{"allOf": ["d0"]}]})

    assert (
        asker.put("/services/visit", {"name": "V", "durationMinutes": 30, "needs": [{"allOf": ["d0"]}]}).json[
            "stepMinutes"
        ]
        == 15
    )


def test_the_business_is_described(asker: Asker) -> None:
    profile = {"name": "New", "zone": "America/New_York", "quietFrom": "21:00", "quietTo": "08:00"}

    assert asker.put("/business", profile).status == 200
    assert profile.items() <= asker.get("/business").json.items()
    assert asker.put("/business", profile | {"zone": "Europe"}).status == 422
    assert asker.put("/business", {"name": "New", "quietFrom": "21:00"}).status == 422


def test_a_service_that_no_booking_could_claim_is_refused(asker: Asker) -> None:
    many = [f"m{number}" for number in range(12)]
    for id in many:
        asker.setting.put("resource", id, Resource(name=id, zone="UTC"))
    week = {"name": "X", "durationMinutes": 10_080, "needs": [{"allOf": many}]}

    refused = asker.put("/services/x", week)
    kept = asker.put("/services/x", week | {"needs": [{"allOf": many[:11]}]})
    [start, *_] = asker.setting.slots("2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z", "x")

    assert (refused.status, refused.json["field"], kept.status) == (422, "needs", 201)
    assert asker.book(start, serviceId="x")


class TestWebhooks:
    def test_show_their_secret_once(self, asker: Asker) -> None:
        made = asker.post("/webhooks", {"url": "https://example.com/a"})
        path = f"/webhooks/{made.json['id']}"

        assert made.json["secret"].startswith("whsec_")
        assert "secret" not in asker.get(path).json
        assert "secret" not in asker.get("/webhooks").json["items"][0]
        assert "secret" not in asker.put(path, {"url": "https://example.com/b"}).json

    @pytest.mark.parametrize("letters", ["A" * 33, "A" * 34 + "="], ids=len)
    def test_take_no_secret_that_cannot_sign(self, asker: Asker, letters: str) -> None:
        reply = asker.post("/webhooks", {"url": "https://example.com/a", "secret": "whsec_" + letters})

        assert (reply.status, reply.json["field"]) == (422, "secret")
        assert asker.get("/webhooks").json["items"] == []

    def test_keep_their_secret_when_none_is_sent(self, asker: Asker) -> None:
        made = asker.post("/webhooks", {"url": "https://example.com/a"})

        asker.put(f"/webhooks/{made.json['id']}", {"url": "https://example.com/b"})

        assert made.json["secret"] in str(asker.dump())


class TestTimeOff:
    def test_closes_the_resource(self, asker: Asker) -> None:
        away = {"startTime": TUESDAY, "endTime": "2026-11-24T12:00:00Z", "reason": "holiday"}
        booking = {"serviceId": "visit", "startTime": TUESDAY, "resourceIds": ["d0"]}

        made = asker.post("/resources/d0/timeOff", away)

        assert made.json.items() >= away.items()
        assert asker.get("/resources/d0/timeOff").json["items"] == [made.json]
        assert asker.post("/appointments", booking).code == "closed"
        assert asker.delete(f"/resources/d0/timeOff/{made.json['id']}").status == 204
        assert asker.post("/appointments", booking).status == 201

    def test_of_nobody_is_missing(self, asker: Asker) -> None:
        away = {"startTime": TUESDAY, "endTime": "2026-11-24T12:00:00Z"}

        assert asker.post("/resources/nobody/timeOff", away).status == 404
        assert asker.get("/resources/nobody/timeOff").status == 404
        assert asker.delete("/resources/d0/timeOff/none").status == 404


class TestKeys:
    def test_are_shown_once_and_work_until_revoked(self, asker: Asker) -> None:
        made = asker.post("/keys", {"name": "website", "scopes": ["book", "read"]}).json

        assert asker.get("/services", key=made["secret"]).status == 200
        listed = asker.get("/keys")
        assert {name: text for name, text in made.items() if name != "secret"} in listed.json["items"]
        assert made["secret"] not in listed.body.decode()
        assert asker.delete(f"/keys/{made['id']}").status == 204
        assert asker.get("/services", key=made["secret"]).status == 401

    def test_of_a_customer_act_for_that_one(self, asker: Asker) -> None:
        made = asker.post("/keys", {"name": "ada", "scopes": ["read", "book"], "customerId": "ada"}).json
        booking = {"serviceId": "visit", "startTime": TUESDAY}

        assert asker.post("/appointments", booking, key=made["secret"]).json["appointment"]["customerId"] == "ada"


class TestSlots:
    def test_can_be_booked(self, asker: Asker) -> None:
        query = f"serviceId=visit&from={TUESDAY}&to=2026-11-24T10:00:00Z"

        reply = asker.get(f"/slots?{query}")

        assert [item["startTime"][11:16] for item in reply.json["items"]] == ["09:00", "09:15", "09:30", "09:45"]
        assert reply.json["zone"] == "Europe/Berlin"
        assert asker.book(reply.json["items"][0]["startTime"])

    def test_suit_several_members(self, asker: Asker) -> None:
        asker.book(resourceIds=["d0"])
        search = {
            "members": ["d0", "d1"],
            "durationMinutes": 30,
            "from": TUESDAY,
            "to": "2026-11-24T10:00:00Z",
        }

        together = asker.post("/slots/search", search).json["items"]
        either = asker.post("/slots/search", search | {"required": 1}).json["items"]

        assert [item["startTime"][11:16] for item in together] == ["09:30", "09:45"]
        assert len(either) == 4

    def test_of_ones_own_hold_count_as_free(self, asker: Asker) -> None:
        hold = asker.post("/holds", {"serviceId": "visit", "startTime": TUESDAY, "resourceIds": ["d0"]}).json
        query = f"serviceId=visit&from={TUESDAY}&to=2026-11-24T09:15:00Z&resourceId=d0"

        assert asker.get(f"/slots?{query}").json["items"] == []
        assert len(asker.get(f"/slots?{query}&holdId={hold['id']}").json["items"]) == 1
        assert asker.get(f"/holds/{hold['id']}").json == hold
        assert asker.delete(f"/holds/{hold['id']}").status == 204
        assert len(asker.get(f"/slots?{query}").json["items"]) == 1

    def test_need_a_key_that_reads(self, asker: Asker) -> None:
        query = f"serviceId=visit&from={TUESDAY}&to=2026-11-24T10:00:00Z"

        assert asker.get(f"/slots?{query}", key=a_key(asker.setting, "book")).status == 403
