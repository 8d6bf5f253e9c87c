"""Query strings are read as strictly as bodies, and cursors only when they are ours."""

import base64

import pytest

from tests.web.asking import Asker, a_web

DAY = "from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z"


@pytest.fixture(scope="module")
def asker() -> Asker:
    return a_web()


@pytest.mark.parametrize(
    "query",
    ["limit=%ZZ", "limit=%", "status=%FF", "limit=1&limit=2", "x=" + "y" * 9000, "a=%00", "a=%E2%80%AE", "é=1"],
)
def test_a_query_that_cannot_be_read_is_refused(asker: Asker, query: str) -> None:
    assert asker.get(f"/appointments?{query}").status == 400


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=ten",
        "limit=1.5",
        "limit=" + "9" * 5000,
        "status=gone",
        "unknown=1",
        "customerId=a/b",
        "customerId=",
        "customerId=ada&userId=eve",
        "from=2026-11-24",
        "from=now",
        "cursor=x",
        "cursor=" + "A" * 401,
        "cursor=%21",
    ],
)
def test_a_query_that_does_not_fit_is_refused(asker: Asker, query: str) -> None:
    reply = asker.get(f"/appointments?{query}")

    assert (reply.status, reply.code) == (422, "invalid")


@pytest.mark.parametrize("inside", ["", "x", "000000000000", "000000000000/a/b", "00000000000x/a", "../../etc", "\0"])
def test_a_cursor_that_is_not_ours_is_refused(asker: Asker, inside: str) -> None:
    cursor = base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=") or "-"

    assert asker.get(f"/appointments?cursor={cursor}").status == 422


@pytest.mark.parametrize(
    "span",
    [
        "to=2026-01-01T00:00:00Z",
        "from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2036-01-01T00:00:00Z",
        "from=2026-11-24T00:00:00&to=2026-11-25T00:00:00",
        "from=9999-12-31T00:00:00-23:59&to=9999-12-31T23:59:59Z",
    ],
)
@pytest.mark.parametrize("path", ["/slots", "/public/clinic/slots"])
def test_slots_of_an_impossible_span_are_refused(asker: Asker, path: str, span: str) -> None:
    assert asker.get(f"{path}?serviceId=visit&{span}").status == 422


def test_slots_are_those_of_a_week_from_now_on_unless_said_otherwise(asker: Asker) -> None:
    starts = [slot["startTime"] for slot in asker.get("/slots?serviceId=visit").json["items"]]
    from_tuesday = asker.get("/slots?serviceId=visit&from=2026-12-01T00:00:00Z").json["items"]

    assert starts
    assert starts[-1][:10] <= "2026-11-30"
    assert {slot["startTime"][:10] for slot in from_tuesday} >= {"2026-12-01", "2026-12-07"}


def test_parameters_that_no_route_takes_are_refused(asker: Asker) -> None:
    assert asker.get("/services?limit=1").status == 422


def test_a_plus_that_was_not_escaped_is_understood(asker: Asker) -> None:
    escaped = "from=2026-11-24T01:00:00%2B01:00&to=2026-11-25T01:00:00%2B01:00"
    plain = escaped.replace("%2B", "+")

    wanted = asker.get(f"/slots?serviceId=visit&{DAY}").json

    assert asker.get(f"/slots?serviceId=visit&{escaped}").json == wanted
    assert asker.get(f"/slots?serviceId=visit&{plain}").json == wanted


def test_a_parameter_may_come_again_where_several_are_taken(asker: Asker) -> None:
    both = asker.get(f"/slots?serviceId=exam&{DAY}&resourceId=d0&resourceId=r0")

    assert both.status == 200
    assert both.json["items"]
