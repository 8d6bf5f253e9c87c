"""The files that pages load: styles, scripts and pictures, each under an address that changes with what is in it."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from slotkeeper.core.errors import Missing
from slotkeeper.web.routes import Answer, Call, Route

TOPIC = "Pages"
BUNDLES = {
    "visitors.css": ("tokens.css", "parts.css", "visitors.css", "visit.css"),
    "staff.css": ("tokens.css", "parts.css", "staff.css"),
}
"""Files that are sent as one, so that a page waits for one answer and not for three."""

MEDIA = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
FOREVER = "public, max-age=31536000, immutable"
ASKED_AGAIN = "public, no-cache"


class Asset(msgspec.Struct, frozen=True):
    """A file as it is sent; `mark` is of its content."""

    body: bytes
    media: str
    mark: str


def address(base: str, name: str) -> str:
    """Where pages load the file from. Raises `Missing` when there is none."""
    return f"{base}/static/{name}?v={asset(name).mark}"


@cache
def asset(name: str) -> Asset:
    """The file. Raises `Missing` when there is none."""
    folder = files("slotkeeper.web") / "static"
    names = BUNDLES.get(name, (name,))
    if not all(_is_ours(each) for each in names):
        raise Missing("file", name)
    body = b"\n".join((folder / each).read_bytes() for each in names)
    return Asset(body, MEDIA[name.rpartition(".")[2]], hashlib.sha256(body).hexdigest()[:12])


def serve(call: Call[Any, Any]) -> Answer:
    """The file: to be kept for good under the address of its content, to be asked for again under any other."""
    found = asset(call.ids["file"])
    is_this = call.request.query == f"v={found.mark}"
    headers = (("content-type", found.media), ("cache-control", FOREVER if is_this else ASKED_AGAIN))
    return Answer(found.body, tag=found.mark, headers=(*headers, ("access-control-allow-origin", "*")))


@cache
def _known() -> frozenset[str]:
    """The files that there are. A name from outside is looked up here and never becomes a path."""
    return frozenset(each.name for each in (files("slotkeeper.web") / "static").iterdir() if each.is_file())


def _is_ours(name: str) -> bool:
    return name in _known() and name.rpartition(".")[2] in MEDIA


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/static/{file}",
        handler=serve,
        access="open",
        topic=TOPIC,
        summary="Show a file that pages load",
        answers={200: None},
        media=MEDIA["css"],
    ),
)
