"""The API in the template: every route has its door, and the stage shows all of it."""

import json
import re
from itertools import product

import pytest

from slotkeeper.aws.stack import api, stage
from slotkeeper.web.problems import MEDIA, TABLE, Problem
from slotkeeper.web.table import ALL, API
from tests.aws.evaluated import Json, committed, holding, of_type, resources

WAYS = list(product(["ApiKey", "Cognito"], ["false", "true"], ["", "https://app.example.com"]))
"""Authentication, VisitorsMayBook and AllowedOrigin: what changes the API itself."""


def method_for(made: dict[str, Json], verb: str, path: str) -> Json | None:
    """The method that API Gateway picks: a segment as it stands before a named one, a named one before the rest."""
    paths = {name: _path_of(made, name) for name, each in made.items() if each["Type"] == "AWS::ApiGateway::Resource"}
    found = [name for name, each in paths.items() if re.fullmatch(_pattern(each), path)]
    found.sort(key=lambda name: [("{proxy+}" in part, "{" in part) for part in paths[name].split("/")])
    for name in found:
        methods = {
            each["HttpMethod"]: each
            for each in of_type(made, "ApiGateway::Method").values()
            if each["ResourceId"] == {"Ref": name}
        }
        if verb in methods or "ANY" in methods:
            return methods.get(verb) or methods["ANY"]
    return None


def _path_of(made: dict[str, Json], name: str) -> str:
    place = made[name]["Properties"]
    parent = place["ParentId"].get("Ref")
    return f"{_path_of(made, parent) if parent else ''}/{place['PathPart']}"


def _pattern(path: str) -> str:
    return re.sub(
        r"{(\w+)\\\+}", ".+", re.sub(r"{(\w+)}", "[^/]+", re.escape(path).replace("\\{", "{").replace("\\}", "}"))
    )


def door(made: dict[str, Json], verb: str, pattern: str) -> str:
    """What is asked for at the path: `key`, `token`, nothing (`open`); or `shut`."""
    path = re.sub(r"{(\w+)}", "x", pattern)
    method = method_for(made, verb, path)
    if method is None:
        return "shut"
    if method["AuthorizationType"] == "COGNITO_USER_POOLS":
        assert method["AuthorizerId"] == {"Ref": "Authorizer"}
        return "token"
    return "key" if method["ApiKeyRequired"] else "open"


@pytest.mark.parametrize("way", ["ApiKey", "Cognito"])
@pytest.mark.parametrize("visitors", ["false", "true"])
def test_every_route_has_its_door(way: str, visitors: str) -> None:
    made = resources(committed(), Authentication=way, VisitorsMayBook=visitors)
    locked = "key" if way == "ApiKey" else "token"
    first = {route.pattern.split("/")[1] for route in API}

    for route in ALL:
        found = door(made, route.method, route.pattern)
        if route.pattern == "/health":
            assert found == "open"
        elif route.pattern.startswith("/public/"):
            assert found == ("open" if visitors == "true" else locked), route.pattern
        elif route.pattern.split("/")[1] in first:
            assert found == locked, route.pattern
        else:
            assert found == ("open" if visitors == "true" else "shut"), route.pattern


def test_a_door_left_open_is_seen() -> None:
    template = committed()
    template["Resources"]["AnySlots"]["Properties"]["ApiKeyRequired"] = False

    assert door(resources(committed()), "GET", "/slots") == "key"
    assert door(resources(template), "GET", "/slots") == "open"
    assert door(resources(template), "GET", "/nowhere") == "shut"


def test_no_open_route_needs_a_scope() -> None:
    made = resources(committed())

    opened = [route for route in ALL if door(made, route.method, route.pattern) == "open"]

    assert {route.access for route in opened} == {"open"}


def test_a_browser_is_answered_before_it_calls_only_where_an_origin_is_allowed() -> None:
    alone = resources(committed())
    shared = resources(committed(), AllowedOrigin="https://app.example.com")

    assert not [each for each in of_type(alone, "ApiGateway::Method").values() if each["HttpMethod"] == "OPTIONS"]
    for route in API:
        assert door(shared, "OPTIONS", route.pattern) == "open"
    assert shared["Stage"]["Properties"]["Variables"] == {"allowedOrigin": "https://app.example.com"}
    assert "Variables" not in alone["Stage"]["Properties"]


@pytest.mark.parametrize(("way", "visitors", "origin"), WAYS)
def test_the_stage_shows_the_one_snapshot_that_holds_all_of_the_api(way: str, visitors: str, origin: str) -> None:
    made = resources(committed(), Authentication=way, VisitorsMayBook=visitors, AllowedOrigin=origin)
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


def test_exactly_one_way_of_being_the_api_holds() -> None:
    ways = {f"Is{stage.variant(choice)}" for choice in stage.choices()}

    shown = [
        ways & holding(committed(), Authentication=way, VisitorsMayBook=visitors, AllowedOrigin=origin)
        for way, visitors, origin in WAYS
    ]

    assert all(len(each) == 1 for each in shown)
    assert set.union(*shown) == ways
