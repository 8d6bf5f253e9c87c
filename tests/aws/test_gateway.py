"""What API Gateway sends becomes the request that was made, who asks is who was proved, and answers arrive whole."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.aws.gateway import MAX_ANSWER_BYTES, NOWHERE, answer_of, by_claims, check_size, request_of
from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Invalid
from slotkeeper.desk.keys import Unauthenticated
from slotkeeper.web.http import Request, Response
from tests.aws.events import an_event
from tests.post import caught

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CLAIMS = {"sub": "5d2c8a0e-ada", "token_use": "id"}


def takes_the_last(event: Mapping[str, Any], **others: Any) -> Request:
    """A broken one: of a parameter that comes twice it sees the last."""
    return request_of({**event, "multiValueQueryStringParameters": None}, **others)


def takes_the_keys_header(event: Mapping[str, Any], **others: Any) -> Request:
    """A broken one: API Gateway's own key is one of ours."""
    request = request_of(event, **others)
    headers = dict(request.headers) | {name.lower(): value for name, value in (event["headers"] or {}).items()}
    return Request(request.method, request.path, request.query, headers, request.body)


def takes_the_whole_path(event: Mapping[str, Any], **others: Any) -> Request:
    """A broken one: what stands before our paths belongs to them."""
    return Request("GET", event["requestContext"]["path"])


def believes_headers(event: Mapping[str, Any], **others: Any) -> Request:
    """A broken one: what a caller says of itself is proved."""
    request = request_of(event, **others)
    claims = dict(request.claims) or dict(request.headers)
    return Request(request.method, request.path, request.query, request.headers, request.body, "", claims)


@pytest.mark.parametrize(
    ("resource", "path", "seen"),
    [
        ("/health", "/health", "/health"),
        ("/appointments/{id}", "/appointments/apt%5F1", "/appointments/apt_1"),
        ("/appointments/{id}/{proxy+}", "/appointments/a%2Fb/cancel", "/appointments/a/b/cancel"),
        ("/{proxy+}", "/pools/caf%C3%A9%20x", "/pools/café x"),
        ("/{business}", "/%61ppointments", NOWHERE),
        ("/{business}/{proxy+}", "/appointment%73/apt_1/cancel", NOWHERE),
        ("/{business}/{proxy+}", "/staff/clinic", NOWHERE),
        ("/{business}/{proxy+}", "/%73taff/clinic", NOWHERE),
        ("/{business}", "/docs", "/docs"),
        ("/{business}", "/%64ocs", NOWHERE),
        ("/staff/{proxy+}", "/staff/clinic/sign-in", "/staff/clinic/sign-in"),
        ("/staff", "/staff/", "/staff/"),
        ("/{business}", "/clinic%40north", "/clinic@north"),
        ("/services", "/services/", "/services/"),
        ("/{business}/{proxy+}", "/clinic/visit/2026-11-24T09:00:00Z", "/clinic/visit/2026-11-24T09:00:00Z"),
    ],
)
@pytest.mark.parametrize("base", ["", "/bookings"])
@pytest.mark.parametrize("read", [request_of, takes_the_whole_path])
def test_the_path_is_ours_and_decoded(
    read: Callable[..., Request], base: str, resource: str, path: str, seen: str
) -> None:
    event = an_event("GET", path, resource=resource, base=base)

    with caught(read, takes_the_whole_path):
        assert read(event).path == seen


def believes_the_path(event: Mapping[str, Any]) -> Request:
    """A broken one: all that stands before the resource's last segments is where we are mounted, whoever wrote it."""
    whole = unquote(event["requestContext"]["path"])
    return Request("GET", "/", base="/".join(whole.split("/")[: -event["resource"].count("/")]))


MOUNTED = [
    # At the API's own name; at a domain mapped to a stage, by nothing, by a path, by one of two segments; at a domain
    # that is mapped to no stage, by nothing and by a path: as LocalStack's issue 12295 has seen them on AWS.
    ("/staff/clinic", "/prod/staff/clinic", "/prod"),
    ("/staff/clinic", "/staff/clinic", ""),
    ("/bookings/staff/clinic", "/bookings/staff/clinic", "/bookings"),
    ("/a/b/staff/clinic", "/a/b/staff/clinic", "/a/b"),
    ("/prod/staff/clinic", "/prod/staff/clinic", "/prod"),
    ("/book/prod/staff/clinic", "/book/prod/staff/clinic", "/book/prod"),
]


@pytest.mark.parametrize(("path", "whole", "base"), MOUNTED)
def test_addresses_begin_where_the_api_is_mounted(path: str, whole: str, base: str) -> None:
    event = an_event("GET", path, resource="/staff/{proxy+}", parameters={"proxy": "clinic"})
    event["requestContext"] |= {"path": whole, "stage": "prod"}

    assert request_of(event).base == base
    assert request_of(event).path == "/staff/clinic"


@pytest.mark.parametrize(
    ("path", "business", "base"),
    [
        ("/x/clinic%40north/", "clinic%40north", "/x"),
        ("/x/clinic%40north", "clinic@north", "/x"),
        ("//evil.example/clinic", "clinic", ""),
        ("/%2Fevil.example/clinic", "clinic", ""),
        ("/x\\evil.example/clinic", "clinic", ""),
        ("/%2F%2Fevil.example", "%2F%2Fevil.example", ""),
        ("/?//evil.example/clinic", "clinic", ""),
        ("/elsewhere", "clinic", ""),
    ],
)
def test_no_address_begins_with_what_a_caller_has_written(path: str, business: str, base: str) -> None:
    event = an_event("GET", "/x", resource="/{business}", parameters={"business": business})
    event["path"] = event["requestContext"]["path"] = path

    assert request_of(event).base == base
    if "evil" in path and business == "clinic":
        assert "evil" in believes_the_path(event).base


@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_a_query_says_the_same_as_it_was_sent(pairs: list[tuple[str, str]]) -> None:
    sent = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)

    query = request_of(an_event("GET", f"/slots?{sent}")).query

    assert query.isascii()
    assert sorted(parse_qsl(query, keep_blank_values=True)) == sorted(parse_qsl(sent, keep_blank_values=True))


@pytest.mark.parametrize("read", [request_of, takes_the_last])
def test_a_parameter_that_comes_twice_is_seen_twice_and_in_order(read: Callable[..., Request]) -> None:
    event = an_event("GET", "/slots?serviceId=visit&resourceId=d1&resourceId=d0&from=2026-11-24T09:00:00%2B01:00")

    query = read(event).query

    with caught(read, takes_the_last):
        assert query == "serviceId=visit&resourceId=d1&resourceId=d0&from=2026-11-24T09:00:00%2B01:00"


def test_headers_are_in_lower_case_and_joined() -> None:
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json", "If-None-Match": ['"1"', '"2"']}

    assert request_of(an_event("GET", "/services", headers=headers)).headers == {
        "content-type": "application/json",
        "if-none-match": '"1", "2"',
    }


@pytest.mark.parametrize("name", ["x-api-key", "X-API-Key", "X-Api-Key"])
@pytest.mark.parametrize("read", [request_of, takes_the_keys_header])
def test_the_key_of_the_gateway_is_none_of_ours(read: Callable[..., Request], name: str) -> None:
    event = an_event("GET", "/services", headers={name: "plan-key", "Authorization": "Bearer sk_ours"})

    with caught(read, takes_the_keys_header):
        assert read(event).headers == {"authorization": "Bearer sk_ours"}


def test_bodies_arrive_as_they_were_sent() -> None:
    assert request_of(an_event("POST", "/holds", "é€".encode())).body == "é€".encode()
    assert request_of(an_event("POST", "/holds", b"\x00\xff", is_binary=True)).body == b"\x00\xff"
    assert request_of(an_event("POST", "/holds")).body == b""


def test_whoever_asks_is_where_the_gateway_saw_them() -> None:
    event = an_event("GET", "/services", headers={"X-Forwarded-For": "203.0.113.9"})

    assert request_of(event).peer == "192.0.2.7"


@pytest.mark.parametrize(
    "event",
    [
        an_event("POST", "/holds", b"\xed\xa0\x80"),
        an_event("POST", "/holds") | {"body": "no Base64!", "isBase64Encoded": True},
        an_event("GET", "/slots") | {"multiValueQueryStringParameters": {"\ud800": ["\udfff"]}},
    ],
)
def test_what_no_client_should_send_is_left_for_the_web_layer_to_refuse(event: dict[str, Any]) -> None:
    request = request_of(event)

    assert request.query.isascii()
    assert isinstance(request.body, bytes)


def test_an_answer_keeps_its_status_its_text_and_each_header() -> None:
    headers = (("content-type", "application/problem+json"), ("link", "<a>"), ("link", "<b>"), ("etag", '"3"'))

    answer = answer_of(Request("GET", "/x"), Response(409, headers, "{é}".encode()))

    assert answer == {
        "statusCode": 409,
        "multiValueHeaders": {"content-type": ["application/problem+json"], "link": ["<a>", "<b>"], "etag": ['"3"']},
        "body": "{é}",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    "media",
    ["application/json", "application/problem+json", "text/html; charset=utf-8", "text/css", "text/calendar"],
)
def test_text_is_sent_as_text(media: str) -> None:
    assert answer_of(Request("GET", "/"), Response(200, (("content-type", media),), b"x"))["body"] == "x"


@pytest.mark.parametrize("media", ["image/png", "application/octet-stream", "application/zip", ""])
def test_anything_else_is_sent_as_base64(media: str) -> None:
    answer = answer_of(Request("GET", "/"), Response(200, (("content-type", media),), b"\x00\xff"))

    assert (base64.b64decode(answer["body"]), answer["isBase64Encoded"]) == (b"\x00\xff", True)


@pytest.mark.parametrize("media", ["application/json", "image/png"])
def test_head_is_answered_without_a_body(media: str) -> None:
    answer = answer_of(Request("HEAD", "/"), Response(200, (("content-type", media),), b"{}"))

    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (200, "", False)


@pytest.mark.parametrize("sign", ["x", '"', "é", "\x01", "\U0001f4c5"])
def test_an_answer_is_refused_when_lambda_could_not_give_it_back(sign: str) -> None:
    def answer(size: int) -> dict[str, Any]:
        media = (("content-type", "text/plain"),)
        return answer_of(Request("GET", "/"), Response(200, media, (sign * size).encode()))

    each = len(json.dumps(sign)) - 2
    check_size(answer((MAX_ANSWER_BYTES - 200) // each))
    with pytest.raises(Invalid, match="ask for less"):
        check_size(answer(MAX_ANSWER_BYTES // each))


def who(
    groups: object = None, headers: Mapping[str, str] | None = None, claims: Mapping[str, object] | None = None
) -> Actor:
    """Who asks with these claims."""
    found = CLAIMS | ({} if groups is None else {"cognito:groups": groups}) | dict(claims or {})
    return by_claims(request_of(an_event("GET", "/x", headers=headers, claims=found), believes_claims=True))


@pytest.mark.parametrize(
    "groups",
    [
        "clinic/read,clinic/book",
        "[clinic/read clinic/book]",
        "['clinic/read', 'clinic/book']",
        ["clinic/read", "clinic/book"],
    ],
)
def test_groups_are_scopes_in_whatever_form_they_come(groups: object) -> None:
    assert who(groups) == Actor(business="clinic", id="5d2c8a0e-ada", scopes=frozenset({"read", "book"}))


@pytest.mark.parametrize("groups", [None, "", "admins", "clinic/", "/read", "clinic/owner", "a b/read/x", "[]"])
def test_other_groups_are_none_of_ours(groups: object) -> None:
    assert who(groups).scopes == frozenset()


def test_who_belongs_to_several_businesses_says_which_is_meant() -> None:
    groups = "clinic/read,clinic/staff,spa/read"

    assert who(groups, {"Slotkeeper-Business": "spa"}).scopes == {"read"}
    assert who(groups, {"Slotkeeper-Business": "clinic"}).business == "clinic"
    assert who(groups, {"Slotkeeper-Business": "other"}).scopes == frozenset()
    with pytest.raises(Invalid, match="several"):
        who(groups)


def test_who_acts_for_a_customer_reads_and_books_for_that_one_only() -> None:
    actor = who("clinic/read,clinic/book,clinic/staff,clinic/admin", claims={"custom:customer": "ada"})

    assert (actor.customer_id, sorted(actor.scopes), actor.is_staff) == ("ada", ["book", "read"], False)


@pytest.mark.parametrize(
    "claims",
    [
        {"token_use": "access"},
        {"token_use": ""},
        {"sub": ""},
        {"sub": "a b"},
        {"custom:customer": ""},
        {"custom:customer": "../clinic"},
    ],
)
def test_claims_that_do_not_say_who_asks_are_not_believed(claims: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        who("clinic/admin", claims=claims)


@pytest.mark.parametrize("read", [request_of, believes_headers])
def test_claims_come_from_the_gateway_and_from_nowhere_else(read: Callable[..., Request]) -> None:
    proved = CLAIMS | {"cognito:groups": "clinic/admin"}
    forged = an_event("GET", "/x", json.dumps(proved).encode(), headers=proved | {"claims": json.dumps(proved)})

    assert read(an_event("GET", "/x", claims=proved), believes_claims=True).claims == proved
    assert request_of(an_event("GET", "/x", claims=proved)).claims == {}
    with caught(read, believes_headers):
        assert read(forged, believes_claims=True).claims == {}
