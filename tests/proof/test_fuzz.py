"""Hostile requests are answered as the OpenAPI document says, and what answers otherwise is found out."""

import random
from typing import Any

import msgspec
import pytest

from bench.proof.attack.assault import assault
from bench.proof.attack.cases import Case, Cases
from bench.proof.attack.faults import FAULTS
from bench.proof.attack.findings import name_of
from bench.proof.attack.furnishing import furnish
from bench.proof.attack.judge import Judge
from bench.proof.attack.premises import Premises
from bench.proof.attack.twists import Twists
from bench.proof.attack.wire import Reply
from bench.proof.fuzz import SOME
from slotkeeper.web.app import API_HEADERS
from slotkeeper.web.routes import JSON, Route
from slotkeeper.web.table import ALL, ROUTES

SEED = 7
HOLD = b'{"id":"h","serviceId":"s","startTime":"2026-12-01T09:00:00Z","endTime":"2026-12-01T09:30:00Z",'
HOLD += b'"resourceIds":[],"expiresTime":"2026-12-01T08:00:00Z"}'
PROBLEM = b'{"type":"/docs#missing","title":"Missing","status":404,"detail":"no","code":"missing","error":"no"}'
PROBLEMS = "application/problem+json"


def the(name: str) -> Route:
    return next(route for route in ALL if name_of(route) == name)


def answered(status: int, body: bytes, media: str = JSON, **others: str) -> Reply:
    headers = (
        dict(API_HEADERS) | {"content-type": media} | {name.replace("_", "-"): text for name, text in others.items()}
    )
    return Reply(status, tuple(headers.items()), body)


def judged(reply: Reply, name: str = "GET /holds/{id}", target: str = "/holds/h", **others: Any) -> str:
    case = Case(the(name), name.partition(" ")[0], target, {"host": "x"}, **others)
    return Judge(["secret"]).complaint(case, reply)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Premises:
    [made] = furnish(tmp_path_factory.mktemp("fuzz") / "clinic.db", ["clinic"])
    return made


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_hostile_request_to_any_route_meets_a_fault() -> None:
    found = assault(dict.fromkeys(ALL, 10), SEED)

    assert not found.found, found.told()
    assert found.statuses.keys() == set(ALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_a_fault_that_is_planted_is_found(name: str) -> None:
    places = {route: 300 for route in ALL if name_of(route) in FAULTS[name].places}

    assert assault(places, SEED, fault=name).found


def test_each_fault_names_routes_by_which_it_shows() -> None:
    known = {name_of(route) for route in ALL}

    assert all(fault.places and known.issuperset(fault.places) for fault in FAULTS.values())


def test_a_seed_draws_the_same_requests_again(clinic: Premises) -> None:
    def drawn(seed: int) -> list[bytes]:
        chance = random.Random(seed)
        twists = Twists(chance, Cases(chance, clinic, {}))
        return [twists.draw(route).sent() for route in ROUTES for _ in range(5)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_most_of_what_is_drawn_is_hostile_and_some_is_good(clinic: Premises) -> None:
    chance = random.Random(1)
    twists = Twists(chance, Cases(chance, clinic, {}))
    drawn = [twists.draw(the("POST /appointments")) for _ in range(400)]

    good = sum(_reads(case.body) and case.headers["content-type"] == JSON and case.method == "POST" for case in drawn)

    assert 40 < good < 360


def test_what_is_as_told_is_no_fault() -> None:
    assert judged(answered(200, HOLD)) == ""
    assert judged(answered(404, PROBLEM, PROBLEMS)) == ""


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (answered(500, PROBLEM, PROBLEMS), "the status 500"),
        (answered(410, PROBLEM, PROBLEMS), "is not in the document"),
        (answered(404, PROBLEM), "content type 'application/json' is not in the document"),
        (answered(200, HOLD, "text/plain"), "content type 'text/plain' is not in the document"),
        (answered(200, HOLD.replace(b'"s"', b"1")), "serviceId of 200 breaks its schema (type)"),
        (answered(200, HOLD[:-1] + b',"by":"x"}'), "breaks its schema (additionalProperties)"),
        (answered(200, HOLD[:-1]), "not JSON"),
        (answered(200, b'"\xff"'), "not JSON"),
        (answered(404, b"\xff", PROBLEMS), "not JSON"),
        (answered(200, HOLD.replace(b'"h"', b'"secret"')), "tells 'secret'"),
        (answered(404, PROBLEM.replace(b'"status":404', b'"status":403'), PROBLEMS), "contradicts itself"),
        (answered(404, b'{"detail":"no"}', PROBLEMS), "a problem that is none"),
        (answered(200, HOLD, x_injected="1"), "a header was put into the answer"),
        (Reply(200, (*API_HEADERS, ("content-type", JSON), ("content-type", JSON)), HOLD), "a header comes twice"),
        (Reply(200, (("content-type", JSON),), HOLD), "no header x-content-type-options"),
        (Reply(0), "without an answer"),
        (Reply(400, (), b"Invalid HTTP request received."), "good HTTP was taken for none"),
    ],
)  # fmt: skip
def test_what_is_not_as_told_is_a_fault(reply: Reply, complaint: str) -> None:
    assert complaint in judged(reply)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"<html><p>&lt;script data-hostile&gt;</html>", ""),
        (b"<html><script data-hostile>ran()</script></html>", "what was typed can run"),
        (b"<html><p>Traceback (most recent call last)</html>", "tells"),
        (b"<html><p>", "half a page"),
    ],
)
def test_a_page_in_which_something_runs_is_a_fault(body: bytes, complaint: str) -> None:
    found = judged(answered(200, body, "text/html; charset=utf-8"), "GET /{business}", "/clinic")

    assert complaint in found
    assert bool(found) == bool(complaint)


@pytest.mark.parametrize(("target", "complaint"), [("/staff/clinic", ""), ("//evil.example", "it leads elsewhere")])
def test_a_page_that_leads_elsewhere_is_a_fault(target: str, complaint: str) -> None:
    reply = answered(303, b"", "", location=target)

    assert judged(reply, "GET /staff/{business}/signed-in", "/staff/clinic/signed-in") == complaint


def test_where_nothing_is_a_problem_says_so() -> None:
    nowhere = PROBLEM.replace(b"missing", b"no-route")

    assert judged(answered(404, nowhere, PROBLEMS), target="/holds/h/x/y") == ""
    assert "instead of 'no-route'" in judged(answered(404, PROBLEM, PROBLEMS), target="/holds/h/x/y")
    assert "where there is nothing" in judged(answered(200, HOLD), target="/holds/h/x/y")


def _reads(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
