"""Files that pages load: kept for good under the address of their content, and no way to any other file."""

import pytest

from slotkeeper.core.errors import Missing
from slotkeeper.web.app import Web
from slotkeeper.web.http import Request, Response
from slotkeeper.web.look import assets
from tests.builders import a_clinic


def ask(path: str, query: str = "", **headers: str) -> Response:
    return Web(a_clinic().desk).answer(Request("GET", path, query, headers))


def test_a_file_is_kept_for_good_under_the_address_of_its_content() -> None:
    path, _, query = assets.address("", "visitors.css").partition("?")

    kept, asked_again = ask(path, query), ask(path, "v=another")

    assert dict(kept.headers)["cache-control"] == assets.FOREVER
    assert dict(asked_again.headers)["cache-control"] == assets.ASKED_AGAIN
    assert kept.body == asked_again.body
    assert dict(kept.headers)["content-type"] == "text/css; charset=utf-8"
    assert dict(kept.headers)["x-content-type-options"] == "nosniff"


def test_who_has_the_file_is_not_sent_it_again() -> None:
    tag = dict(ask("/static/visitors.css").headers)["etag"]

    assert ask("/static/visitors.css", **{"if-none-match": tag}).status == 304


def test_a_bundle_holds_the_tokens_first() -> None:
    body = assets.asset("staff.css").body

    assert body.startswith(assets.asset("tokens.css").body)
    assert assets.asset("parts.css").body in body
    assert len(body) > len(assets.asset("tokens.css").body + assets.asset("parts.css").body) + 1


@pytest.mark.parametrize(
    "name", ["nothing.css", "..", "../app.py", "__init__.py", "visitors.css/", ".", "%2e%2e", "vendor", "LICENCES.txt"]
)
def test_nothing_else_can_be_had(name: str) -> None:
    with pytest.raises(Missing):
        assets.asset(name)
    assert ask(f"/static/{name}").status == 404


def test_links_begin_with_where_we_are_mounted() -> None:
    assert assets.address("/prod", "mark.svg").startswith("/prod/static/mark.svg?v=")
