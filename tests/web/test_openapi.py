"""The OpenAPI document and the routes say the same, and the document is sound."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from slotkeeper.web.openapi import REF
from slotkeeper.web.routes import Route
from slotkeeper.web.table import ROUTES
from tests.web.asking import a_web, whole

WITH_EXAMPLES = [route for route in ROUTES if route.example is not None]


def name_of(route: Route) -> str:
    return f"{route.method} {route.pattern}"


def test_every_route_is_in_the_document_and_the_reverse() -> None:
    told = {f"{method.upper()} {path}" for path, methods in whole()["paths"].items() for method in methods}

    assert told == {name_of(route) for route in ROUTES}


@pytest.mark.slow
def test_the_document_that_is_served_is_valid() -> None:
    served = a_web().get("/openapi.json", key="").json

    validate(served)
    assert served == json.loads(json.dumps(whole()))


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for methods in whole()["paths"].values() for operation in methods.values()]

    assert len(ids) == len(set(ids))


def test_patterns_are_such_as_other_languages_read_alike() -> None:
    text = json.dumps(whole())

    assert r"\\Z" not in text
    assert r"(?P" not in text


@pytest.mark.parametrize("route", WITH_EXAMPLES, ids=name_of)
def test_the_example_of_a_body_fits_its_schema(route: Route) -> None:
    assert route.body is not None
    schema = {"$ref": REF.format(name=route.body.__name__), "components": whole()["components"]}

    Draft202012Validator(schema).validate(json.loads(json.dumps(route.example)))


def test_every_route_with_a_body_has_an_example() -> None:
    assert {name_of(route) for route in ROUTES if route.body is not None} == set(map(name_of, WITH_EXAMPLES))


def test_paths_are_in_camel_case_and_plural_where_they_list() -> None:
    for route in ROUTES:
        assert re.fullmatch(r"(/([a-z][a-zA-Z]*(\.[a-z]+)?|{[a-z]+}))+", route.pattern)
