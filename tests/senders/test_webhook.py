"""Webhooks, against a real HTTP server on the loopback."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Invalid, Undeliverable, Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.senders.webhook import WebhookSender, WebhookSettings, check_url, is_public

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Endpoint(ThreadingHTTPServer):
    """An endpoint that answers with `status` after `delay` seconds, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.delay = 0.0
        self.body = b""
        self.retry_after = ""
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.connections: set[Any] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?x=1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.server.connections.add(self.client_address)
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        if 300 <= self.server.status < 400:
            self.send_header("location", self.server.url)
        if self.server.retry_after:
            self.send_header("Retry-After", self.server.retry_after)
        if self.server.status != 204:
            self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def now() -> Instant:
    return Instant(int(time.time()))


def a_letter(url: str, text: str = '{"type":"appointment.booked"}', secret: str = SECRET) -> Letter:
    return Letter("msg_1", "webhook", url, "booked", text, secret=secret)


def send(*letters: Letter, **settings: Any) -> list[Any]:
    """What became of each letter."""
    facts = {"is_private_allowed": True, "timeout_seconds": 2.0} | settings
    sender = WebhookSender(WebhookSettings(**facts), now)

    async def all_of_them() -> list[Any]:
        ends: list[Any] = []
        for letter in letters:
            try:
                ends.append(await sender.send(letter))
            except (Unreachable, Undeliverable) as error:
                ends.append(error)
        await sender.close()
        return ends

    return asyncio.run(all_of_them())


def test_the_endpoint_can_verify_who_sent_what_when(endpoint: Endpoint) -> None:
    assert send(a_letter(endpoint.url)) == ["204"]

    [(headers, body)] = endpoint.requests
    assert Webhook(SECRET).verify(body, headers) == {"type": "appointment.booked"}
    assert headers["webhook-id"] == "msg_1"
    assert headers["content-type"] == "application/json"
    assert headers["host"] == endpoint.url.split("/")[2]


def test_another_body_or_secret_fails_the_signature(endpoint: Endpoint) -> None:
    send(a_letter(endpoint.url))

    [(headers, body)] = endpoint.requests
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(body + b" ", headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + "B" * 32).verify(body, headers)


def test_without_a_secret_nothing_is_signed(endpoint: Endpoint) -> None:
    send(a_letter(endpoint.url, secret=""))

    assert "webhook-signature" not in endpoint.requests[0][0]


def test_a_secret_is_never_printed() -> None:
    assert SECRET not in repr(a_letter("https://a.example/"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Undeliverable),
        (404, Undeliverable),
        (410, Undeliverable),
        (408, Unreachable),
        (425, Unreachable),
        (429, Unreachable),
        (500, Unreachable),
        (503, Unreachable),
        (301, Undeliverable),
        (307, Undeliverable),
    ],
)
def test_an_answer_says_later_or_never(endpoint: Endpoint, status: int, kind: type[Exception]) -> None:
    endpoint.status = status

    [end] = send(a_letter(endpoint.url))

    assert type(end) is kind
    assert str(status) in str(end)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("", 1, 1),
        ("90", 90, 90),
        ("0", 1, 1),
        ("-5", 1, 1),
        ("1e9", 1, 1),
        ("9" * 30, 7200, 7200),
        ("soon", 1, 1),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1, 1),
        ("IN 100 SECONDS", 95, 100),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 7200, 7200),
    ],
)
def test_an_endpoint_says_when_it_wants_to_be_asked_again(endpoint: Endpoint, said: str, least: int, most: int) -> None:
    endpoint.status = 429
    endpoint.retry_after = formatdate(time.time() + 100, usegmt=True) if said == "IN 100 SECONDS" else said

    [end] = send(a_letter(endpoint.url))

    assert isinstance(end, Unreachable)
    assert least <= end.retry_after <= most


def test_an_endpoint_that_does_not_answer_is_given_up_in_time(endpoint: Endpoint) -> None:
    endpoint.delay = 3.0

    started = time.monotonic()
    [end] = send(a_letter(endpoint.url), timeout_seconds=0.2)

    assert type(end) is Unreachable
    assert time.monotonic() - started < 1.5


def test_an_endpoint_that_is_not_there_is_unreachable() -> None:
    [end] = send(a_letter("http://127.0.0.1:9/"))

    assert type(end) is Unreachable


def test_a_connection_is_used_again(endpoint: Endpoint) -> None:
    endpoint.status, endpoint.body = 200, b"thanks"

    assert send(*[a_letter(endpoint.url)] * 5) == ["200"] * 5
    assert len(endpoint.connections) == 1


def test_a_long_answer_is_not_read_to_its_end(endpoint: Endpoint) -> None:
    endpoint.status, endpoint.body = 200, b"x" * 5_000_000

    assert send(a_letter(endpoint.url), a_letter(endpoint.url)) == ["200", "200"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0"],
)
def test_no_letter_goes_into_our_own_network(host: str) -> None:
    [end] = send(a_letter(f"https://{host}/hook"), is_private_allowed=False)

    assert type(end) is Undeliverable
    assert "not a public address" in str(end)


def test_plain_http_is_refused(endpoint: Endpoint) -> None:
    [end] = send(a_letter(endpoint.url), is_private_allowed=False)

    assert type(end) is Undeliverable
    assert not endpoint.requests


def test_a_name_that_leads_inside_is_refused_when_it_is_called(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name was judged before; now it leads elsewhere (DNS rebinding), and to two addresses."""

    def resolve(host: str, port: int, **others: object) -> list[Any]:
        return [(0, 0, 0, "", ("93.184.216.34", port)), (0, 0, 0, "", ("10.0.0.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    [end] = send(a_letter("https://rebound.example/hook"), is_private_allowed=False)

    assert type(end) is Undeliverable
    assert "10.0.0.7" in str(end)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1", "168.63.129.16", "::", "::1",
        "::127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_inside_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_an_outside_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "http://a.example/", "ftp://a.example/", "https://", "https:///x", "//a.example/", "https://u:p@a.example/",
        "https://a.example/#x", "https://a.example:0/", "https://a.example:99999/", "https://a.example/ x",
        "https://a.example/\r\nHost: b", "https://ä.example/", "javascript:alert(1)", "https://[::1/",
    ],
)  # fmt: skip
def test_a_url_that_is_no_endpoint_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        check_url(url)


def test_a_plain_https_url_is_an_endpoint() -> None:
    check_url("https://hooks.example:8443/a/b?c=d")
