"""Webhooks: events posted to other programs, signed (Standard Webhooks), and never into our own network."""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpcore
from standardwebhooks.webhooks import Webhook as Signer

from slotkeeper.contracts import Clock, Letter
from slotkeeper.core.errors import Invalid, Undeliverable, Unreachable
from slotkeeper.senders.lookup import Lookup
from slotkeeper.senders.options import WebhookSettings

__all__ = ["WebhookSender", "WebhookSettings", "check_url", "is_public"]

AGENT = "Slotkeeper-Webhooks/1"
MAX_ANSWER_BYTES = 65_536
LONGEST_WAIT = 7200
"""No endpoint is waited for longer than by our own last pause: what it was owed would come too late."""
LATER = frozenset({408, 425, 429})
"""The 4xx that mean "later" (RFC 9110 15.5.9, RFC 8470, RFC 6585)."""

_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_TUNNELS_6 = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))
"""Teredo and 6to4 carry an IPv4 address inside, which may be a private one."""
_METADATA_4 = (ipaddress.IPv4Network("168.63.129.16/32"), ipaddress.IPv4Network("192.0.0.0/24"))
"""Azure's, and Oracle's with its whole range, of which older Pythons know a part only (RFC 6890 2.2.2). The other
clouds' lie in link-local or shared ranges, which are refused as such."""


class WebhookSender:
    """A `contracts.Sender` for webhooks: `letter.text` is the JSON body, `letter.secret` signs it."""

    def __init__(self, settings: WebhookSettings, clock: Clock, trust: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._trust = trust
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def send(self, letter: Letter) -> str:
        """Post the letter; returns the status that answered.

        Raises:
            Unreachable: no connection, no answer in time, a 5xx, or a 4xx that means "later".
            Undeliverable: the address is not allowed, or any other answer; redirects are not followed.
        """
        try:
            check_url(letter.to, is_private_allowed=self._settings.is_private_allowed)
        except Invalid as error:
            raise Undeliverable(error.message) from error
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                status, wait = await self._post(letter)
        except TimeoutError as error:
            raise Unreachable(f"no answer within {self._settings.timeout_seconds:g} seconds") from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        if 200 <= status < 300:
            return str(status)
        if status >= 500 or status in LATER:
            raise Unreachable(f"the endpoint answered {status}", retry_after=wait)
        if 300 <= status < 400:
            raise Undeliverable(f"the endpoint answered {status}: redirects are not followed")
        raise Undeliverable(f"the endpoint answered {status}")

    async def close(self) -> None:
        """Close the connections that are kept open."""
        if self._pool is not None and self._loop is asyncio.get_running_loop():
            await self._pool.aclose()
        self._pool = None

    async def _post(self, letter: Letter) -> tuple[int, int]:
        """The status that was answered, and after how many seconds the endpoint wants to be asked again."""
        body = letter.text.encode()
        async with self._connections().stream(
            "POST",
            letter.to,
            headers=[*self._headers(letter), ("content-length", str(len(body)))],
            content=body,
        ) as response:
            size = 0
            # Read to the end, so that the connection can be kept, but not for ever.
            async for part in response.aiter_stream():
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    break
            return response.status, self._wait(response.headers)

    def _wait(self, headers: Iterable[tuple[bytes, bytes]]) -> int:
        """What Retry-After says, in seconds or as a date (RFC 9110 10.2.3), within what we go along with; 1 without."""
        said = next((text.decode("latin-1") for name, text in headers if name.lower() == b"retry-after"), "")
        try:
            seconds = int(said) if said.isdecimal() else int(parsedate_to_datetime(said).timestamp()) - self._clock()
        except (ValueError, OverflowError):
            return 1
        return min(max(seconds, 1), LONGEST_WAIT)

    def _headers(self, letter: Letter) -> list[tuple[str, str]]:
        """Standard Webhooks: the id stays the same for every try, the signature covers id, time and body."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        heads = [
            ("host", urlsplit(letter.to).netloc),
            ("content-type", "application/json"),
            ("user-agent", AGENT),
            ("webhook-id", letter.id),
            ("webhook-timestamp", str(self._clock())),
        ]
        if letter.secret:
            heads.append(("webhook-signature", Signer(letter.secret).sign(letter.id, now, letter.text)))
        return heads

    def _connections(self) -> httpcore.AsyncConnectionPool:
        """The pool of this event loop; connections cannot be taken along to another."""
        loop = asyncio.get_running_loop()
        if self._pool is None or loop is not self._loop:
            self._loop = loop
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=self._trust,
                max_connections=None,  # how many are called at once is the caller's business
                max_keepalive_connections=self._settings.idle_connections,
                keepalive_expiry=30,
                network_backend=_Guarded(is_private_allowed=self._settings.is_private_allowed),
            )
        return self._pool


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only: the name is resolved once, judged, and it is the judged address that is
    connected to. TLS still checks the certificate against the name."""

    def __init__(self, *, is_private_allowed: bool) -> None:
        self._is_private_allowed = is_private_allowed
        self._plain = httpcore.AnyIOBackend()
        self._lookup = Lookup()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._lookup.addresses(host, port)
        if not self._is_private_allowed:
            for address in addresses:
                if not is_public(address):
                    raise Undeliverable(f"{host} leads to {address}, which is not a public address")
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")


def check_url(url: str, *, is_private_allowed: bool = False) -> None:
    """Raises `Invalid` unless the URL may be an endpoint: https, a host, no user, no fragment.

    What its name leads to is judged at each delivery: that may change.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"not a URL: {error}") from None
    if parts.scheme != "https" and not (is_private_allowed and parts.scheme == "http"):
        raise Invalid("a webhook needs an https:// URL")
    if not parts.hostname or port == 0:
        raise Invalid("the URL names no host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("the URL must hold no user, password or fragment")
    if not url.isascii() or any(ord(sign) <= 32 or ord(sign) == 127 for sign in url):
        raise Invalid("the URL must be plain ASCII without spaces: encode what is not")


def is_public(address: str) -> bool:
    """Whether an IP address is out in the internet: not private, link-local, shared, metadata, multicast or such."""
    found = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        if mapped is None:
            is_tunnel = any(found in network for network in _TUNNELS_6)
            return found in _PUBLIC_6 and found.is_global and not is_tunnel
        found = mapped
    is_metadata = any(found in network for network in _METADATA_4)
    return found.is_global and not found.is_multicast and not is_metadata
