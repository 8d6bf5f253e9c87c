"""The docs page shows every route, works offline, and runs no script."""

import re
import subprocess
import sys
from html import unescape

from slotkeeper.web.docs import anchor_of
from slotkeeper.web.table import ROUTES
from tests.web.asking import a_web


def the_page() -> str:
    return a_web().get("/docs", key="").body.decode()


def test_every_route_is_on_the_page() -> None:
    page = unescape(the_page())

    for route in ROUTES:
        assert f'id="{anchor_of(route)}"' in page
        assert route.summary in page


def test_every_example_goes_to_the_address_that_the_reader_sets_once() -> None:
    calls = re.findall(r"curl (?:-X [A-Z]+ )?(\S+)", unescape(the_page()))

    assert len(calls) == len(ROUTES) + 1
    assert all(call.startswith('"$API/') for call in calls)


def test_every_link_within_the_page_leads_somewhere() -> None:
    page = the_page()
    ids = re.findall(r'id="([^"]+)"', page)

    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_the_page_needs_no_network_and_no_script() -> None:
    page = the_page()

    assert "<script" not in page
    assert " style=" not in page
    assert set(re.findall(r'(?:src|href)="([^#"]+)"', page)) <= {"/docs.css", "/openapi.json"}


def test_the_style_is_served() -> None:
    reply = a_web().get("/docs.css", key="")

    assert reply.headers["content-type"] == "text/css; charset=utf-8"
    assert b"prefers-color-scheme: dark" in reply.body
    assert b"url(" not in reply.body


def test_the_page_loads_jinja_only_when_it_is_asked_for() -> None:
    code = "import sys, slotkeeper.web.app; print({'jinja2', 'asyncio', 'uvicorn', 'socket'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"set()\n"
