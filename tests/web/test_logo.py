"""The business's logo over HTTP."""

from base64 import b64encode

import pytest

from slotkeeper.core.logo import MAX_BYTES
from slotkeeper.web.logo import ROUTES
from tests.web.asking import Asker, a_web

PNG = b"\x89PNG\r\n\x1a\n"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture
def asker() -> Asker:
    return a_web()


def logo(data: bytes, media: str = "image/png") -> dict[str, str]:
    return {"media": media, "data": b64encode(data).decode()}


def test_a_logo_is_kept_shown_and_removed(asker: Asker) -> None:
    none = asker.ask("GET", "/business/logo")
    put = asker.ask("PUT", "/business/logo", logo(PNG))
    shown = asker.ask("GET", "/business/logo")
    removed = asker.ask("DELETE", "/business/logo")

    assert (none.status, put.status, shown.status, removed.status) == (404, 200, 200, 204)
    assert shown.json == {"id": "clinic", **logo(PNG)}
    assert asker.ask("GET", "/business/logo").code == "missing"


def test_the_largest_logo_fits_into_a_body(asker: Asker) -> None:
    largest = PNG + bytes(MAX_BYTES - len(PNG))

    assert asker.ask("PUT", "/business/logo", logo(largest)).status == 200
    assert asker.ask("PUT", "/business/logo", logo(largest + b"\0")).json["field"] == "data"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (logo(SVG), "data"),
        (logo(SVG, "image/svg+xml"), "media"),
        ({"media": "image/png", "data": "no base64!"}, "data"),
        ({"media": "image/png"}, "data"),
    ],
)
def test_what_is_no_logo_is_told_where(asker: Asker, body: dict[str, str], field: str) -> None:
    reply = asker.ask("PUT", "/business/logo", body)

    assert (reply.status, reply.json["field"]) == (422, field)


def test_a_logo_that_somebody_else_has_changed_is_not_overwritten(asker: Asker) -> None:
    tag = asker.ask("PUT", "/business/logo", logo(PNG)).headers["etag"]
    asker.ask("PUT", "/business/logo", logo(PNG + b"2"))

    assert asker.ask("PUT", "/business/logo", logo(PNG), headers={"if-match": tag}).status == 412
    assert asker.ask("DELETE", "/business/logo", headers={"if-match": tag}).status == 412


def test_the_example_is_a_logo(asker: Asker) -> None:
    [example] = [route.example for route in ROUTES if route.example]

    assert asker.ask("PUT", "/business/logo", example).status == 200
