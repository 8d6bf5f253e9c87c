"""The API in the template: every route has its door, and the stage shows all of it."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from urllib.parse import unquote

import pytest

from slotkeeper.aws import gateway
from slotkeeper.aws.stack import api, stage
from slotkeeper.embedded.compressing import SMALL
from slotkeeper.web.problems import MEDIA, TABLE, Problem
from slotkeeper.web.routes import NoRoute, Route, Router, WrongMethod
from slotkeeper.web.table import ALL, API, PAGES, RESERVED
from tests.aws.evaluated import Json, committed, holding, of_type, resources
from tests.aws.events import an_event

ROUTER = Router(ALL)
OFF_AND_ON = ["false", "true"]
WAYS = list(product(["ApiKey", "Cognito"], OFF_AND_ON, OFF_AND_ON, ["", "https://app.example.com"]))
"""Authentication, VisitorsMayBook, StaffPages and AllowedOrigin: what changes the API itself."""


def method_for(made: dict[str, Json], verb: str, path: str) -> Json | None:
    """The method that API Gateway picks, if there is one."""
    found = found_for(made, verb, path)
    return found[1] if found else None


def found_for(made: dict[str, Json], verb: str, path: str) -> tuple[str, Json] | None:
    """The resource's path and the method that API Gateway picks: a segment as it stands before a named one, a named one
    before the rest."""
    paths = {name: _path_of(made, name) for name, each in made.items() if each["Type"] == "AWS::ApiGateway::Resource"}
    found = [name for name, each in paths.items() if _pattern(each).fullmatch(path)]
    found.sort(key=lambda name: [("{proxy+}" in part, "{" in part) for part in paths[name].split("/")])
    for name in found:
        methods = {
            each["Properties"]["HttpMethod"]: each["Properties"]
            for each in made.values()
            if each["Type"] == "AWS::ApiGateway::Method" and each["Properties"]["ResourceId"] == {"Ref": name}
        }
        if verb in methods or "ANY" in methods:
            return paths[name], methods.get(verb) or methods["ANY"]
    return None


def _path_of(made: dict[str, Json], name: str) -> str:
    place = made[name]["Properties"]
    parent = place["ParentId"].get("Ref")
    return f"{_path_of(made, parent) if parent else ''}/{place['PathPart']}"


@cache
def _pattern(path: str) -> re.Pattern[str]:
    """What the resource takes; a group for each part that it names."""
    parts = re.split(r"({\w+\+?})", path)
    forms = [
        "(.+)" if part.endswith("+}") else "([^/]+)" if part.startswith("{") else re.escape(part) for part in parts
    ]
    return re.compile("".join(forms))


def door(made: dict[str, Json], verb: str, pattern: str) -> str:
    """What is asked for at the path: `key`, `token`, nothing (`open`); or `shut`."""
    return _door_of(method_for(made, verb, re.sub(r"{(\w+)}", "x", pattern)))


def _door_of(method: Json | None) -> str:
    if method is None:
        return "shut"
    if method["AuthorizationType"] == "COGNITO_USER_POOLS":
        assert method["AuthorizerId"] == {"Ref": "Authorizer"}
        return "token"
    return "key" if method["ApiKeyRequired"] else "open"


def wanted(route: Route, way: str, visitors: str, staff: str) -> str:
    """The door that the route should have."""
    first, locked = route.pattern.split("/")[1], "key" if way == "ApiKey" else "token"
    if route.pattern == "/health":
        return "open"
    if first == "public":
        return "open" if visitors == "true" else locked
    if first in {each.pattern.split("/")[1] for each in API}:
        return locked
    opened = {"staff": staff, "visit": max(visitors, staff), "look": max(visitors, staff)}
    opened["static"] = opened["look"]
    return "open" if opened.get(first, visitors) == "true" else "shut"


def reached(made: dict[str, Json], verb: str, sent: str, *, decodes: bool) -> tuple[str, str]:
    """By which door what is sent comes, and which route's pattern it reaches then; empty: none. Whether API Gateway
    `decodes` a path before it looks for the resource its documentation does not say, so both are tried."""
    seen = unquote(sent) if decodes else sent
    found = found_for(made, verb, seen)
    if found is None:
        return "shut", ""
    place, method = found
    named = _pattern(place).fullmatch(seen)
    assert named is not None
    parameters = dict(zip(re.findall(r"{(\w+)\+?}", place), named.groups(), strict=True))
    event = an_event(verb, sent, resource=place, parameters=parameters)
    try:
        route, _ = ROUTER.find(verb, gateway.request_of(event).path)
    except (NoRoute, WrongMethod):
        return _door_of(method), ""
    return _door_of(method), route.pattern


@pytest.mark.parametrize("way", ["ApiKey", "Cognito"])
@pytest.mark.parametrize(("visitors", "staff"), list(product(OFF_AND_ON, OFF_AND_ON)))
def test_every_route_has_its_door(way: str, visitors: str, staff: str) -> None:
    made = resources(committed(), Authentication=way, VisitorsMayBook=visitors, StaffPages=staff)

    for route in ALL:
        door_wanted, path = wanted(route, way, visitors, staff), re.sub(r"{(\w+)}", "x", route.pattern)
        came_by, pattern = reached(made, route.method, path, decodes=False)
        is_there = (came_by, pattern) == (door_wanted, route.pattern)
        assert is_there or (door_wanted == "shut" and not pattern), route.pattern


def spelled(path: str) -> Iterator[str]:
    """The path, and others that somebody could take for it."""
    first, _, rest = path[1:].partition("/")
    below = f"/{rest}" if rest else ""
    yield path
    for twice in ("%", "%25"):
        yield f"/{twice}{ord(first[0]):02x}{first[1:]}{below}"
        yield f"/{first[:-1]}{twice}{ord(first[-1]):02X}{below}"
    yield "/" + "".join(f"%{ord(sign):02X}" for sign in first) + below
    yield "/" + f"{first}{below}".replace("/", "%2F")
    for before in ("/", "/x/..", "/%2E%2E", "/static/..", "/visit/..", "/x%2F..", "/.", "/clinic/%2e%2e"):
        yield before + path
    yield from (
        f"/%2F{first}{below}",
        f"{path}/",
        f"/{first.upper()}{below}",
        f"/{first};x{below}",
        f"/{first}%00{below}",
    )


def believes_the_resource(resource: str, asked: str) -> str:
    """A broken one: whatever comes by the visitors' door may come by it."""
    return unquote(asked)


def keeps_what_is_spelled(resource: str, asked: str) -> str:
    """A broken one: it looks at escapes alone, so what has no door of its own comes by the visitors'."""
    path = unquote(asked)
    is_disguised = resource.startswith(gateway.VISITORS_DOOR) and path.split("/")[1] in RESERVED
    return asked if is_disguised else path


def past_their_doors(visitors: str, staff: str) -> list[tuple[str, str, str]]:
    """What reaches a route by another door than its own, and by none that is locked: as it was sent, by which door, and
    the route's pattern."""
    made = resources(committed(), VisitorsMayBook=visitors, StaffPages=staff)
    doors = {route.pattern: wanted(route, "ApiKey", visitors, staff) for route in ALL}
    return [
        (sent, came_by, pattern)
        for route in {each.pattern: each for each in ALL}.values()
        for sent in spelled(re.sub(r"{(\w+)}", "x", route.pattern))
        for decodes in (False, True)
        for came_by, pattern in [reached(made, route.method, sent, decodes=decodes)]
        if pattern and came_by not in (doors[pattern], "key")
    ]


@pytest.mark.parametrize(("visitors", "staff"), list(product(OFF_AND_ON, OFF_AND_ON)))
def test_no_path_gets_past_a_door_by_how_it_is_spelled(visitors: str, staff: str) -> None:
    assert past_their_doors(visitors, staff) == []


@pytest.mark.parametrize("broken", [believes_the_resource, keeps_what_is_spelled])
def test_a_path_that_gets_past_a_door_is_seen(
    broken: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_path", broken)

    assert past_their_doors("true", "false")


def test_a_door_left_open_is_seen() -> None:
    template = committed()
    template["Resources"]["AnySlots"]["Properties"]["ApiKeyRequired"] = False

    assert door(resources(committed()), "GET", "/slots") == "key"
    assert door(resources(template), "GET", "/slots") == "open"
    assert door(resources(template), "GET", "/nowhere") == "shut"


@pytest.mark.parametrize(("visitors", "staff"), list(product(OFF_AND_ON, OFF_AND_ON)))
def test_no_open_route_needs_a_key(visitors: str, staff: str) -> None:
    made = resources(committed(), VisitorsMayBook=visitors, StaffPages=staff)

    opened = [route for route in ALL if door(made, route.method, route.pattern) == "open"]

    assert {route.access for route in opened if not route.by_session} <= {"open", "public"}
    assert visitors == "true" or staff == "true" or {route.pattern for route in opened} == {"/health"}


def test_every_page_has_a_door_of_its_own() -> None:
    """Whatever begins like no resource is hidden: a page that nobody named here would be nowhere."""
    made = resources(committed(), VisitorsMayBook="true", StaffPages="true")

    for route in PAGES:
        assert reached(made, route.method, re.sub(r"{(\w+)}", "x", route.pattern), decodes=False) == (
            "open",
            route.pattern,
        )


def test_a_browser_is_answered_before_it_calls_only_where_an_origin_is_allowed() -> None:
    alone = resources(committed())
    shared = resources(committed(), AllowedOrigin="https://app.example.com")

    assert not [each for each in of_type(alone, "ApiGateway::Method").values() if each["HttpMethod"] == "OPTIONS"]
    for route in API:
        assert door(shared, "OPTIONS", route.pattern) == "open"
    assert shared["Stage"]["Properties"]["Variables"] == {"allowedOrigin": "https://app.example.com"}
    assert "Variables" not in alone["Stage"]["Properties"]


@pytest.mark.parametrize(("way", "visitors", "staff", "origin"), WAYS)
def test_the_stage_shows_the_one_snapshot_that_holds_all_of_the_api(
    way: str, visitors: str, staff: str, origin: str
) -> None:
    chosen = {"VisitorsMayBook": visitors, "StaffPages": staff, "AllowedOrigin": origin}
    made = resources(committed(), Authentication=way, **chosen)
    shown = made["Stage"]["Properties"]["DeploymentId"]["Ref"]
    parts = {
        name
        for name, each in made.items()
        if each["Type"].startswith("AWS::ApiGateway::")
        and each["Type"].split("::")[2]
        in ("Method", "Resource", "GatewayResponse", "Model", "RequestValidator", "Authorizer")
    }

    assert of_type(made, "ApiGateway::Deployment").keys() == {shown}
    assert set(made[shown]["DependsOn"]) == parts


def test_another_api_makes_another_snapshot() -> None:
    before, after = api.resources(), api.resources()
    after["PathSlots"]["Properties"]["PathPart"] = "times"

    choice = stage.choices()[0]

    assert stage.deployment_id(choice, before) == stage.deployment_id(choice, api.resources())
    assert stage.deployment_id(choice, before) != stage.deployment_id(choice, after)


def test_gateway_answers_are_problems_in_our_own_words() -> None:
    codes = {kind.code: kind for kind in TABLE.values()}
    made = of_type(resources(committed()), "ApiGateway::GatewayResponse")

    for answer in made.values():
        body = json.loads(answer["ResponseTemplates"]["application/json"])
        assert body.keys() == set(Problem.__struct_encode_fields__)
        assert codes[body["code"]].status == body["status"] == int(answer["StatusCode"])
        assert body["title"] == codes[body["code"]].title
        assert answer["ResponseParameters"]["gatewayresponse.header.Content-Type"] == f"'{MEDIA}'"
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= {each["ResponseType"] for each in made.values()}


def test_text_is_made_smaller_and_a_picture_arrives_as_it_is() -> None:
    made = of_type(resources(committed()), "ApiGateway::RestApi")["Api"]

    assert made["MinimumCompressionSize"] == SMALL
    # With `*/*` every body would come encoded, and API Gateway's own answers to preflight requests would fail.
    assert made["BinaryMediaTypes"] == ["image/*"]


def test_exactly_one_way_of_being_the_api_holds() -> None:
    ways = {f"Is{stage.variant(choice)}" for choice in stage.choices()}

    shown = [
        ways
        & holding(committed(), Authentication=way, VisitorsMayBook=visitors, StaffPages=staff, AllowedOrigin=origin)
        for way, visitors, staff, origin in WAYS
    ]

    assert all(len(each) == 1 for each in shown)
    assert set.union(*shown) == ways
