"""Answers made smaller on their way, for who can read them so."""

import re
import zlib
from functools import lru_cache

from slotkeeper.web.http import Request, Response

SMALL = 1024
"""Less than this is sent as it is: it fits into one packet anyway."""

_LEVEL, _GZIP = 5, 31
_TEXT = ("text/html", "text/css", "text/javascript", "application/json", "image/svg+xml")
_KEPT = "immutable"
_TAKEN = re.compile(r"(?:^|[\s,])gzip\s*(?:$|,|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))")


def compressed(request: Request, response: Response) -> Response:
    """The response in gzip (RFC 9110 8.4.1.3), where it is text of some size and the caller takes that.

    A page's secrets are of one session, and other sites cannot make a browser ask with its cookie (SameSite): they
    cannot try what makes an answer shorter (the attack called BREACH).
    """
    if len(response.body) < SMALL or not _TAKEN.search(request.headers.get("accept-encoding", "")):
        return response
    headers = dict(response.headers)
    if not headers.get("content-type", "").startswith(_TEXT) or "content-encoding" in headers:
        return response
    pack = _packed_once if _KEPT in headers.get("cache-control", "") else _packed
    added = (("content-encoding", "gzip"), ("vary", "accept-encoding"))
    return Response(response.status, (*response.headers, *added), pack(response.body))


def _packed(body: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()


@lru_cache(maxsize=64)
def _packed_once(body: bytes) -> bytes:
    """Files that pages load are the same for everybody."""
    return _packed(body)
