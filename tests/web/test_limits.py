"""Nobody may ask without end: buckets by key and by address, and what callers are told of them."""

import re

import pytest

from slotkeeper.web.app import Rules
from slotkeeper.web.http import Request
from slotkeeper.web.limits import Limited, Limiter, Quota, caller_address
from tests.web.asking import Asker, a_key, a_web

FEW = Rules(key_quota=Quota("key", 3, 60), address_quota=Quota("address", 2, 60))


@pytest.fixture
def asker() -> Asker:
    return a_web(FEW)


def test_a_key_that_asks_too_much_is_told_to_wait(asker: Asker) -> None:
    statuses = [asker.get("/services").status for _ in range(4)]

    reply = asker.get("/services")

    assert statuses == [200, 200, 200, 429]
    assert reply.code == "limited"
    assert reply.headers["retry-after"] == "20"
    asker.seconds += 20
    assert asker.get("/services").status == 200


def test_every_answer_of_a_limited_route_tells_what_is_left(asker: Asker) -> None:
    replies = [asker.get("/services"), asker.get("/no/where/at/all"), asker.post("/pools", {}), asker.get("/pools/x")]

    assert replies[0].headers["ratelimit-policy"] == '"key";q=3;w=60'
    assert replies[0].headers["ratelimit"] == '"key";r=2;t=20'
    assert "ratelimit" not in replies[1].headers
    assert [reply.headers["ratelimit"] for reply in replies[2:]] == ['"key";r=1;t=40', '"key";r=0;t=60']
    assert asker.get("/services").headers["ratelimit"] == '"key";r=0;t=60'


def test_the_headers_are_structured_fields(asker: Asker) -> None:
    headers = asker.get("/services").headers

    assert re.fullmatch(r'"[a-z]+";q=\d+;w=\d+', headers["ratelimit-policy"])
    assert re.fullmatch(r'"[a-z]+";r=\d+;t=\d+', headers["ratelimit"])


def test_a_key_does_not_pay_for_its_neighbours(asker: Asker) -> None:
    for _ in range(5):
        asker.get("/services", key="sk_wrong")
        asker.get("/public/clinic")

    assert asker.get("/services").status == 200
    assert asker.get("/services", key=a_key(asker.setting)).headers["ratelimit"] == '"key";r=2;t=20'


def test_guessing_keys_is_paid_for_by_the_address(asker: Asker) -> None:
    statuses = [asker.get("/services", key="sk_wrong").status for _ in range(4)]

    assert statuses == [401, 401, 429, 429]
    assert asker.get("/services", key="sk_wrong", peer="192.0.2.2").status == 401


def test_the_public_pays_by_address(asker: Asker) -> None:
    statuses = [asker.get("/public/clinic", key="").status for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert asker.get("/public/clinic", key="", peer="198.51.100.9").status == 200


def test_one_ipv6_network_is_one_caller(asker: Asker) -> None:
    statuses = [asker.get("/public/clinic", key="", peer=f"2001:db8::{n}").status for n in range(3)]

    assert statuses == [200, 200, 429]
    assert asker.get("/public/clinic", key="", peer="2001:db8:0:1::1").status == 200


def test_health_is_not_limited(asker: Asker) -> None:
    assert {asker.get("/health", key="").status for _ in range(50)} == {200}


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("", 0, "192.0.2.1"),
        ("203.0.113.7", 0, "192.0.2.1"),
        ("203.0.113.7", 1, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", 1, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 10.0.0.1", 2, "203.0.113.7"),
        ("203.0.113.7", 2, "192.0.2.1"),
        ("", 1, "192.0.2.1"),
        (" , ", 1, "192.0.2.1"),
        ("2001:db8::7", 1, "2001:db8::/64"),
        ("[2001:db8::7]", 1, "2001:db8::/64"),
        ("no:address", 1, "no:address"),
    ],
)
def test_only_what_trusted_proxies_say_counts(forwarded: str, proxies: int, address: str) -> None:
    request = Request("GET", "/", headers={"x-forwarded-for": forwarded}, peer="192.0.2.1")

    assert caller_address(request, proxies) == address


def test_writing_ones_own_forwarded_address_does_not_help(asker: Asker) -> None:
    statuses = [
        asker.get("/public/clinic", key="", headers={"x-forwarded-for": f"203.0.113.{n}"}).status for n in range(3)
    ]

    assert statuses == [200, 200, 429]


def test_there_are_never_more_buckets_than_allowed() -> None:
    limiter = Limiter(Quota("x", 1), lambda: 0.0, max_buckets=2)

    for caller in "abc":
        limiter.take(caller)

    limiter.take("a")
    with pytest.raises(Limited):
        limiter.take("c")


def test_a_bucket_is_never_fuller_than_full() -> None:
    now = 0.0
    limiter = Limiter(Quota("x", 2), lambda: now)
    limiter.take("a")
    now = 10_000.0

    assert limiter.take("a")[1] == ("ratelimit", '"x";r=1;t=30')
