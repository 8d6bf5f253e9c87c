"""Text is sent smaller to who can read it so, and nothing is changed by it."""

import gzip

import pytest

from slotkeeper.embedded.compressing import SMALL, compressed
from slotkeeper.web.http import Request, Response

LONG = b"<p>appointment</p>" * 200


def sent(response: Response, accepts: str = "gzip, br") -> Response:
    return compressed(Request("GET", "/", headers={"accept-encoding": accepts}), response)


@pytest.mark.parametrize("cache", ["private, no-cache", "public, max-age=31536000, immutable"])
@pytest.mark.parametrize("media", ["text/html; charset=utf-8", "application/json", "text/css; charset=utf-8"])
def test_text_comes_smaller_and_is_the_same(media: str, cache: str) -> None:
    smaller = sent(Response(200, (("content-type", media), ("cache-control", cache)), LONG))

    assert len(smaller.body) < len(LONG) / 5
    assert gzip.decompress(smaller.body) == LONG
    assert dict(smaller.headers)["content-encoding"] == "gzip"
    assert dict(smaller.headers)["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    ("media", "body", "accepts"),
    [
        ("text/html", LONG, ""),
        ("text/html", LONG, "br"),
        ("text/html", LONG, "gzip;q=0, br"),
        ("text/html", LONG, "gzip; q=0.0"),
        ("text/html", LONG, "xgzip"),
        ("text/html", LONG[: SMALL - 1], "gzip"),
        ("image/png", LONG, "gzip"),
        ("text/event-stream", LONG, "gzip"),
    ],
)
def test_what_gains_nothing_stays_as_it_is(media: str, body: bytes, accepts: str) -> None:
    response = Response(200, (("content-type", media),), body)

    assert sent(response, accepts) is response
