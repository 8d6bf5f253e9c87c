"""What may be answered: the OpenAPI document says it of the API, and a few rules of pages; nothing may leak or run."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from bench.proof.attack.cases import Case
from bench.proof.attack.corpus import BOLD, INJECTED
from bench.proof.attack.wire import Reply
from slotkeeper.web.http import SAFE
from slotkeeper.web.openapi import document, problem_statuses
from slotkeeper.web.problems import MEDIA
from slotkeeper.web.routes import JSON, NoRoute, Route, Router, WrongMethod
from slotkeeper.web.table import ALL, ROUTES

UNREAD = b"Invalid HTTP request received."
"""What the server says of what is no HTTP, before anything of it reaches us."""

MANY = 200_000
_NONE = object()

_RUNS = re.compile(rb"<[a-z]+ " + BOLD.encode(), re.IGNORECASE)
_TELLS = (b"Traceback (most", b"$argon2", b"site-packages", b"sqlite3.", b"msgspec.", b'File "')
_GUARDS = ("x-content-type-options", "content-security-policy", "cache-control", "referrer-policy")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HEADER = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")


class Judge:
    """Judges answers; `secrets` are what none of them may tell."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._router = Router(ALL)
        self._described = frozenset(ROUTES)
        self._secrets = [*_TELLS, *(secret.encode() for secret in secrets)]
        self._fine: set[tuple[Any, ...]] = set()

    def complaint(self, case: Case, reply: Reply) -> str:
        """What is wrong with the answer, in a few words that are the same for the same fault; empty when nothing is."""
        return next(self._complaints(case, reply), "")

    def _complaints(self, case: Case, reply: Reply) -> Iterator[str]:
        if reply.status == 0:
            yield "the connection was closed without an answer"
            return
        if reply.status >= 500:
            yield f"the status {reply.status}"
        if reply.status == 400 and reply.body == UNREAD:
            if _is_http(case):
                yield "good HTTP was taken for none"
            return
        if reply.status == 400 and case.is_head and not _is_http(case):
            return  # the same, whose body is not to be read
        yield from self._leaks(reply)
        route = self._route(case)
        if isinstance(route, str):
            yield from self._misled(case, reply, route)
        elif route in self._described:
            yield from self._undescribed(route, case, reply)
        else:
            yield from _unlike_a_page(route, case, reply)

    def _route(self, case: Case) -> Route | str:
        """The route that the request takes, or the name of the problem when there is none."""
        try:
            path = httptools.parse_url(case.target.encode("latin-1")).path or b""
            return self._router.find(case.method, unquote(path.decode("ascii")))[0]
        except NoRoute:
            return "no-route"
        except WrongMethod:
            return "wrong-method"

    def _leaks(self, reply: Reply) -> Iterator[str]:
        names = [name for name, _ in reply.headers]
        if INJECTED in names:
            yield "a header was put into the answer"
        if len(names) != len(set(names)):
            yield "a header comes twice"
        for secret in self._secrets:
            if secret in reply.body:
                yield f"the answer tells {secret.decode()!r}"

    def _misled(self, case: Case, reply: Reply, code: str) -> Iterator[str]:
        if reply.status != {"no-route": 404, "wrong-method": 405}[code]:
            yield f"the status {reply.status} where there is nothing"
        elif code == "wrong-method" and not reply.header("allow"):
            yield "405 without Allow"
        yield from _wrong_problem(case, reply, code)

    def _undescribed(self, route: Route, case: Case, reply: Reply) -> Iterator[str]:
        """How the answer differs from what the document says of the operation."""
        operation = whole()["paths"][route.pattern][route.method.lower()]
        told = operation["responses"].get(str(reply.status))
        if told is None:
            yield f"the status {reply.status} is not in the document"
            return
        yield from (f"no header {name}" for name in _GUARDS if not reply.header(name))
        if reply.status == 304 or case.is_head:
            return
        media, content = reply.header("content-type"), told.get("content", {})
        if set(content) != ({media} if media else set()):
            yield f"the content type {media!r} is not in the document for {reply.status}"
        elif content and "json" in media:
            yield from self._misfits(route, reply, content[media]["schema"])
        elif not content and reply.body:
            yield f"a body with {reply.status}"

    def _misfits(self, route: Route, reply: Reply, schema: dict[str, Any]) -> Iterator[str]:
        value = _value(reply)
        if value is _NONE:
            yield "the body is not JSON"
            return
        is_problem = reply.status >= 400
        if is_problem:
            yield from _unlike_a_problem(value, reply)
        # Problems of one form, and the same answers, are held against the schema once: that takes longer than asking.
        seen = (route, reply.status, _form(value) if is_problem else hash(reply.body))
        if seen in self._fine:
            return
        error = best_match(validator(msgspec.json.encode(schema)).iter_errors(value))
        if error is not None:
            yield f"{re.sub('[0-9]+', 'n', error.json_path)} of {reply.status} breaks its schema ({error.validator})"
        elif len(self._fine) < MANY:
            self._fine.add(seen)


def _unlike_a_page(route: Route, case: Case, reply: Reply) -> Iterator[str]:
    """How the answer differs from what browsers are answered."""
    # What is shown once, such as a new key, is shown at once; everything else that was done leads on.
    if reply.status not in {200, 303, 304, 404, 409, 412, *problem_statuses(route)}:
        yield f"the status {reply.status} is none of the page's"
    if reply.status < 400:
        yield from (f"no header {name}" for name in _GUARDS[:1] if not reply.header(name))
        target = reply.header("location")
        if reply.status == 303 and (not target.startswith("/") or target.startswith(("//", "/\\"))):
            yield "it leads elsewhere"
    if reply.header("content-type").startswith("text/html"):
        if _RUNS.search(reply.body):
            yield "what was typed can run"
        if not case.is_head and reply.status != 303 and b"</html>" not in reply.body:
            yield "half a page"
        if not reply.header("content-security-policy"):
            yield "no header content-security-policy"
    elif reply.status >= 400:
        yield from _wrong_problem(case, reply)
    elif route.media == JSON and reply.status == 200 and not case.is_head and _value(reply) is _NONE:
        yield "the body is not JSON"


def _wrong_problem(case: Case, reply: Reply, code: str = "") -> Iterator[str]:
    """How the answer differs from a problem document, or from a page for people that says the same."""
    media = reply.header("content-type")
    if media.startswith("text/html") and "text/html" in case.headers.get("accept", ""):
        return
    if media != MEDIA:
        yield f"a problem of the content type {media!r}"
    elif not case.is_head:
        value = _value(reply)
        yield from _unlike_a_problem(value, reply)
        if code and isinstance(value, dict) and value.get("code") != code:
            yield f"the problem {value.get('code')!r} instead of {code!r}"


def _unlike_a_problem(value: Any, reply: Reply) -> Iterator[str]:
    texts = [value.get(name) for name in ("type", "title", "detail", "code")] if isinstance(value, dict) else [None]
    if not all(isinstance(text, str) and text for text in texts):
        yield "a problem that is none"
    elif value.get("status") != reply.status or value.get("error") != value["detail"]:
        yield "a problem that contradicts itself"


def _value(reply: Reply) -> Any:
    """What the body says in JSON; `_NONE` when it is none."""
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NONE


def _form(value: Any) -> tuple[tuple[str, type], ...]:
    return tuple((name, type(each)) for name, each in value.items()) if isinstance(value, dict) else ()


@cache
def whole() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(ROUTES)


@cache
def validator(schema: bytes) -> Draft202012Validator:
    """Judges values by the schema of that JSON."""
    return Draft202012Validator(msgspec.json.decode(schema) | {"components": whole()["components"]})


def _is_http(case: Case) -> bool:
    """Whether the request is one by RFC 9110 and 9112, as far as our cases can break it."""
    if not _TOKEN.match(case.method) or not re.fullmatch(r"/[\x21-\x7e]*", case.target):
        return False
    if case.method not in {*SAFE, "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "M-SEARCH"}:
        return False  # the parser knows these and a few more by name
    return all(_HEADER.match(text) for text in case.headers.values())
