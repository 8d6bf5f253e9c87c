"""An HTTP request and its response as values, whoever carried them."""

from collections.abc import Mapping

import msgspec

Headers = tuple[tuple[str, str], ...]

SAFE = frozenset({"GET", "HEAD"})
"""The methods that change nothing (RFC 9110 9.2.1)."""


class Request(msgspec.Struct, frozen=True):
    """A request. `path` is percent-decoded, `query` is not; header names are in lower case; `peer` is the address of
    the other end of the connection.

    `claims` is what whoever carried the request has itself proved of its sender: nothing that was sent gets there.
    `base` is where we are mounted, such as `/prod`: links begin with it; `path` does not.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    peer: str = ""
    claims: Mapping[str, object] = msgspec.field(default_factory=dict)
    base: str = ""


class Response(msgspec.Struct, frozen=True):
    """A response. The body of an answer to HEAD is that of GET: its carrier leaves it away."""

    status: int
    headers: Headers
    body: bytes
