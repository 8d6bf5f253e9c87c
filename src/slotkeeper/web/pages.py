"""The pages about the API itself: its OpenAPI document, and the docs for people."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files

from slotkeeper.documents import encoded
from slotkeeper.web.routes import JSON, Answer, Route

TOPIC = "About"


def routes(api: Sequence[Route]) -> tuple[Route, ...]:
    """The routes to the pages about the routes of `api`, and about themselves."""

    # What the pages are made with is imported here: a function that never shows them need not load it.
    @cache
    def specification() -> bytes:
        from slotkeeper.web.openapi import document

        return encoded(document(all_routes))

    @cache
    def docs() -> bytes:
        from slotkeeper.web.docs import page
        from slotkeeper.web.openapi import document

        return page(all_routes, document(all_routes)).encode()

    pages = (
        _page("/openapi.json", specification, "Show this API as an OpenAPI 3.1 document", JSON),
        _page("/docs", docs, "Show this API to people", "text/html; charset=utf-8"),
        _page("/docs.css", _style, "Show how the docs look", "text/css; charset=utf-8"),
    )
    all_routes = (*api, *pages)
    return pages


def _page(pattern: str, content: Callable[[], bytes], summary: str, media: str) -> Route:
    return Route(
        method="GET",
        pattern=pattern,
        handler=lambda call: Answer(content()),
        access="open",
        topic=TOPIC,
        summary=summary,
        answers={200: None},
        media=media,
    )


@cache
def _style() -> bytes:
    return (files("slotkeeper.web") / "static" / "docs.css").read_bytes()
