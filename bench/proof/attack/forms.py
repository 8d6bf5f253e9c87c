"""The forms of the pages, as a browser finds them: what is hostile is typed into what is really there."""

from urllib.parse import unquote, urljoin, urlsplit

from bench.proof.attack.cases import Case, Cases, Forms
from bench.proof.attack.findings import name_of
from bench.proof.attack.wire import Line
from slotkeeper.web.routes import HTML, Route, Router
from slotkeeper.web.table import ALL
from tests.web.filling import Form, Page

_ROUTER = Router(ALL)

SEEN = 20
"""So many things of a kind are looked at, at most: some forms are there for some of them only."""


async def forms_of(line: Line, cases: Cases) -> Forms:
    """The forms that the pages have, by the routes that they are sent to: at least one for each of these."""
    pages = [route for route in ALL if route.method == "GET" and route.media == HTML]
    missing = {route for route in ALL if route.is_form}
    found: dict[Route, list[Form]] = {}
    for number in range(SEEN):
        for page in pages if missing else ():
            for route, form in await _on(line, cases.good(page, number, share=float(number % 2))):
                found.setdefault(route, []).append(form)
                missing.discard(route)
    assert not missing, f"no page has a form for {', '.join(map(name_of, missing))}"
    return found


async def _on(line: Line, case: Case) -> list[tuple[Route, Form]]:
    """The forms on the page, each with the route that it is sent to."""
    reply = await line.ask(case.sent())
    sent = [form for form in Page(reply.body.decode()).forms if form.method == "post"] if reply.status == 200 else []
    places = [
        (form, unquote(urlsplit(urljoin(case.target, to)).path)) for form in sent for to in (form.action, *form.others)
    ]
    return [(_ROUTER.find("POST", path)[0], form) for form, path in places]
