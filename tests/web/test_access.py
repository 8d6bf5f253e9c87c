"""Who may ask what: every route without a key, with too small a key, and about what is somebody else's."""

from typing import Any

import pytest

from slotkeeper.core.actor import SCOPES
from slotkeeper.desk.keys import revoke_key
from slotkeeper.web.routes import Route
from slotkeeper.web.table import ROUTES
from tests.builders import STAFF
from tests.web.asking import TUESDAY, Asker, Reply, a_key, a_second_business, a_web

KEYED = [route for route in ROUTES if route.access in SCOPES]
ABOUT_ONE = [route for route in KEYED if route.parameters]
NEEDED = {
    "/slots": f"?serviceId=visit&from={TUESDAY}&to=2026-11-25T00:00:00Z",
    "/audit": f"?from={TUESDAY}&to=2026-11-25T00:00:00Z",
}
BODIES: dict[str, Any] = {
    "/pools/{id}": {"name": "Doctors", "resourceIds": ["d0"]},
    "/appointments/{id}/reschedule": {"startTime": "2026-11-24T10:00:00Z"},
    "/resources/{id}/timeOff": {"startTime": TUESDAY, "endTime": "2026-11-25T00:00:00Z"},
}
BY_TOPIC = {"/appointments": "appointment", "/holds": "hold"}
UNKNOWN = "unknown_0123456789abcdef0123456789abcdef"


def name_of(route: Route) -> str:
    return f"{route.method} {route.pattern}"


def ask(asker: Asker, route: Route, id: str = UNKNOWN, key: str | None = None) -> Reply:
    """Ask a route about an id, with a body that fits."""
    path = route.pattern
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", id)
    body = BODIES.get(route.pattern, route.example) if route.body else None
    return asker.ask(route.method, path + NEEDED.get(route.pattern, ""), body, key=key)


@pytest.fixture(scope="module")
def asker() -> Asker:
    return a_web()


@pytest.mark.parametrize("route", KEYED, ids=name_of)
def test_without_a_key_nothing_is_told(asker: Asker, route: Route) -> None:
    before = asker.dump()

    reply = ask(asker, route, key="")

    assert (reply.status, reply.code) == (401, "unauthenticated")
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert asker.dump() == before


@pytest.mark.parametrize("route", KEYED, ids=name_of)
def test_a_key_without_the_scope_gets_nothing(asker: Asker, route: Route) -> None:
    others = a_key(asker.setting, *(scope for scope in SCOPES if scope != route.access))
    before = asker.dump()

    reply = ask(asker, route, key=others)

    assert (reply.status, reply.code) == (403, "forbidden")
    assert str(route.access) in reply.json["detail"]
    assert asker.dump() == before


@pytest.mark.parametrize("route", KEYED, ids=name_of)
def test_the_scope_is_asked_for_before_anything_is_read(asker: Asker, route: Route) -> None:
    others = a_key(asker.setting, *(scope for scope in SCOPES if scope != route.access))

    reply = asker.ask(route.method, route.pattern.replace("{", "").replace("}", ""), raw=b"{", key=others)

    assert reply.status == 403


@pytest.mark.parametrize(
    "key",
    ["x", "sk_", "sk_aaaaaaaaaaaa_" + "a" * 32, "sk_" + "a" * 5000, "sk_aaaaaaaaaaaa_" + "a" * 31 + "\n", "Ω"],
)
def test_a_key_that_is_none_is_no_key(asker: Asker, key: str) -> None:
    assert asker.get("/services", key=key).body == asker.get("/services", key="").body


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "{}"])
def test_another_way_to_authenticate_is_none(asker: Asker, sent: str) -> None:
    assert asker.get("/services", key="", headers={"authorization": sent}).status == 401


def test_a_key_may_come_in_its_own_header(asker: Asker) -> None:
    assert asker.get("/services", key="", headers={"x-api-key": asker.key}).status == 200


def test_a_revoked_key_is_no_key(asker: Asker) -> None:
    key = a_key(asker.setting)
    assert asker.get("/services", key=key).status == 200

    revoke_key(asker.setting.desk, STAFF, key.split("_")[1])

    assert asker.get("/services", key=key).body == asker.get("/services", key="").body


@pytest.mark.parametrize("route", [each for each in ABOUT_ONE if each.method != "PUT"], ids=name_of)
def test_what_belongs_to_another_business_is_as_if_it_were_not_there(route: Route) -> None:
    asker = a_web()
    stranger = a_second_business(asker.setting)
    foreign = a_thing_of(asker, route)
    before = asker.dump()

    theirs, unknown = ask(asker, route, foreign, stranger), ask(asker, route, UNKNOWN, stranger)

    assert ask(asker, route, UNKNOWN).body == unknown.body
    assert (theirs.status, theirs.body) == (404, unknown.body)
    assert asker.dump() == before


@pytest.mark.parametrize("route", [each for each in ABOUT_ONE if each.method == "PUT"], ids=name_of)
def test_what_is_put_by_another_business_is_its_own(route: Route) -> None:
    asker = a_web()
    stranger = a_second_business(asker.setting)
    foreign = a_thing_of(asker, route)
    before = [doc for doc in asker.dump() if doc.key.part.startswith("clinic/")]

    assert ask(asker, route, foreign, stranger).status in (200, 201, 404, 422)

    assert [doc for doc in asker.dump() if doc.key.part.startswith("clinic/")] == before


@pytest.mark.parametrize(
    "route",
    [each for each in ABOUT_ONE if each.pattern.startswith(("/appointments", "/holds")) and each.access != "staff"],
    ids=name_of,
)
def test_what_belongs_to_another_customer_is_as_if_it_were_not_there(route: Route) -> None:
    asker = a_web()
    eve = a_key(asker.setting, "read", "book", customer_id="eve")
    foreign = a_thing_of(asker, route, customer_id="ada")
    before = asker.dump()

    theirs, unknown = ask(asker, route, foreign, eve), ask(asker, route, UNKNOWN, eve)

    assert (theirs.status, theirs.body) == (404, unknown.body)
    assert asker.dump() == before


def test_a_customers_key_books_for_nobody_else() -> None:
    asker = a_web()
    eve = a_key(asker.setting, "read", "book", customer_id="eve")
    booking = {"startTime": TUESDAY, "endTime": "2026-11-24T09:30:00Z"}

    assert asker.post("/appointments", booking | {"userId": "ada"}, key=eve).status == 422
    assert asker.post("/appointments", booking, key=eve).json["appointment"]["customerId"] == "eve"


@pytest.mark.parametrize("field", ["serviceId", "resourceIds", "holdId"])
def test_a_body_that_names_what_is_foreign_gets_the_same_as_for_unknown(field: str) -> None:
    asker = a_web()
    stranger = a_second_business(asker.setting)
    hold = asker.post("/holds", {"serviceId": "visit", "startTime": TUESDAY}).json["id"]
    known = {"serviceId": "visit", "resourceIds": ["d0"], "holdId": hold}[field]
    unknown = ["nobody"] if field == "resourceIds" else "nobody"
    booking = {"customerId": "x", "startTime": TUESDAY, "endTime": "2026-11-24T09:30:00Z"}

    theirs = asker.post("/appointments", booking | {field: known}, key=stranger)

    assert theirs.status in (404, 409)
    assert theirs.body == asker.post("/appointments", booking | {field: unknown}, key=stranger).body


def a_thing_of(asker: Asker, route: Route, customer_id: str = "") -> str:
    """The id of something of the clinic's that the route is about."""
    kind = route.pattern.split("/")[1]
    match kind:
        case "appointments":
            return asker.book(**({"customerId": customer_id} if customer_id else {}))
        case "holds":
            return str(asker.post("/holds", {"serviceId": "visit", "startTime": TUESDAY}).json["id"])
        case "services":
            return "visit"
        case "resources":
            return "d0"
        case "pools":
            return "doctors"
        case "schedules":
            return "week"
        case "keys":
            return asker.key.split("_")[1]
        case "deadLetters":
            return UNKNOWN
        case _:
            made = next(each for each in ROUTES if (each.method, each.pattern) == ("POST", f"/{kind}"))
            body = {"leadMinutes": 30} if kind == "reminderRules" else made.example
            reply = asker.post(f"/{kind}", body)
            assert reply.status == 201, reply.body
            return str(reply.json["id"])
