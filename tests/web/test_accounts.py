"""Who asks may be told by whoever carried the request, and what is told of requests in logs is harmless."""

import pytest
from msgspec.structs import astuple, replace

from slotkeeper.core.actor import Actor
from slotkeeper.desk.keys import Unauthenticated
from slotkeeper.web.app import Account, Web
from slotkeeper.web.http import Request
from tests.builders import STAFF
from tests.web.asking import TUESDAY, Asker, a_web


def carrier(request: Request) -> Actor:
    """Who asks, by what was proved of it."""
    if request.claims.get("name") != "Ada":
        raise Unauthenticated("nobody that we know")
    return replace(STAFF, id="ada")


@pytest.fixture
def asker() -> Asker:
    return a_web()


def account(asker: Asker, method: str, path: str, body: bytes = b"", **headers: str) -> Account:
    sent = {"authorization": f"Bearer {asker.key}", "content-type": "application/json"} | headers
    response, told = asker.web.answer_and_tell(Request(method, path, "", sent, body))
    assert response.status == told.status
    return told


def test_whoever_carries_a_request_may_say_who_sent_it(asker: Asker) -> None:
    web = Web(asker.setting.desk, who=carrier)
    good, bad = {"name": "Ada"}, {"name": "Eve"}
    key = {"authorization": f"Bearer {asker.key}"}

    assert web.answer(Request("GET", "/services", claims=good)).status == 200
    assert web.answer(Request("GET", "/services", claims=bad)).status == 401
    assert web.answer(Request("GET", "/services", headers=key)).status == 401


@pytest.mark.parametrize("name", ["claims", "x-claims", "name", "cognito:groups"])
def test_no_header_is_a_claim(asker: Asker, name: str) -> None:
    web = Web(asker.setting.desk, who=carrier)

    assert web.answer(Request("GET", "/services", headers={name: "Ada"})).status == 401


def test_a_request_is_told_of_by_its_route_its_key_and_its_problem(asker: Asker) -> None:
    id = asker.book(TUESDAY)
    key = asker.key.split("_")[1]

    assert account(asker, "GET", f"/appointments/{id}") == Account(
        method="GET", route="/appointments/{id}", status=200, business="clinic", actor=key, code=""
    )
    assert account(asker, "GET", "/appointments/apt_unknown").code == "missing"
    nobody = account(asker, "GET", "/services", authorization="Bearer sk_nokey")
    assert (nobody.status, nobody.code, nobody.actor, nobody.business) == (401, "unauthenticated", "", "")
    assert account(asker, "GET", "/no/where/at/all").route == ""


def test_what_is_told_holds_nothing_that_was_sent(asker: Asker) -> None:
    body = b'{"serviceId": "visit", "startTime": "2026-11-24T09:00:00Z", "customer": {"email": "ada@example.com"}}'

    told = astuple(account(asker, "POST", "/appointments", body))

    assert told[2] == 201
    assert not [each for each in map(str, told) if "ada@" in each or asker.key in each or "2026" in each]
