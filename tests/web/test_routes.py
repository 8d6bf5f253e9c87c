"""A path finds its route, and only ids stand where ids are asked for."""

import pytest

from slotkeeper.web.routes import Answer, NoRoute, Route, Router, WrongMethod
from tests.web.asking import a_web


def a_route(method: str, pattern: str) -> Route:
    return Route(
        method=method,
        pattern=pattern,
        handler=lambda call: Answer(),
        access="open",
        topic="",
        summary="",
        answers={},
    )


def test_a_pattern_names_parts_of_the_path() -> None:
    route = a_route("GET", "/resources/{id}/timeOff/{absence}")

    assert Router([route]).find("GET", "/resources/d0/timeOff/off_1") == (route, {"id": "d0", "absence": "off_1"})


def test_a_literal_part_goes_before_a_named_one() -> None:
    named, literal = a_route("GET", "/slots/{id}"), a_route("GET", "/slots/search")
    router = Router([named, literal])

    assert router.find("GET", "/slots/search")[0] is literal
    assert router.find("GET", "/slots/other")[0] is named


@pytest.mark.parametrize(
    "path", ["", "/", "//", "/appointments/", "/appointments//", "/X/x/x/x", "/appointments/a b", "/x" * 5000,
             "/appointments/a%2Fb", "/appointments/\0", "/appointments/é", "/appointments/" + "a" * 129, "*"]
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "DELETE", "BREW"])
def test_nothing_is_at_other_paths(method: str, path: str) -> None:
    reply = a_web().ask(method, path)

    assert (reply.status, reply.code) == (404, "no-route")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/appointments", "GET, HEAD, POST"),
        ("BREW", "/health", "GET, HEAD"),
        ("OPTIONS", "/appointments/x", "GET, HEAD, PATCH"),
        ("get", "/health", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_are_taken(method: str, path: str, allowed: str) -> None:
    reply = a_web().ask(method, path)

    assert (reply.status, reply.headers["allow"]) == (405, allowed)


def test_head_finds_what_get_finds() -> None:
    assert a_web().ask("HEAD", "/health").status == 200


def test_one_thing_stands_once_in_a_table() -> None:
    with pytest.raises(ValueError, match="twice"):
        Router([a_route("GET", "/x"), a_route("GET", "/x")])


def test_one_part_has_one_name() -> None:
    with pytest.raises(ValueError, match="another name"):
        Router([a_route("GET", "/x/{id}"), a_route("GET", "/x/{other}/y")])


def test_a_router_without_routes_finds_nothing() -> None:
    with pytest.raises(NoRoute):
        Router([]).find("GET", "/")


def test_a_method_is_asked_for_after_the_path() -> None:
    with pytest.raises(WrongMethod):
        Router([a_route("POST", "/x")]).find("GET", "/x")
