"""What a route is, what its handler is given and gives back, and how a path finds its route."""

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, Generic, Literal, TypeVar

import msgspec

from slotkeeper.core.actor import Actor, Scope
from slotkeeper.core.errors import SlotkeeperError
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.sessions import Session
from slotkeeper.web.http import Headers, Request
from slotkeeper.web.limits import Quota
from slotkeeper.web.provider import Provider

B = TypeVar("B")
Q = TypeVar("Q")

Access = Scope | Literal["open", "public"]
"""The scope that a key must have; `public`: anyone, for one business; `open`: anyone, about no business."""

JSON = "application/json"
HTML = "text/html; charset=utf-8"
ID = re.compile(r"(?!\.\.?\Z)[A-Za-z0-9_.:@+-]{1,128}\Z")


class NoRoute(SlotkeeperError):
    """Nothing is at that path."""


class WrongMethod(SlotkeeperError):
    """The path is right, the method is not; `allowed` are those that are."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = sorted(allowed)
        super().__init__(f"this path takes {', '.join(self.allowed)}")


class Call(msgspec.Struct, Generic[B, Q], frozen=True):
    """A request as its handler sees it: read, checked and authenticated.

    `ids` are the parts of the path that its pattern names; `seen` is the revision in `If-Match`, or `0` when there
    must be none yet. `takes_http_hooks`: webhooks may be plain http, as in a closed network. `session` is that of the
    member who asks, on the pages for members. `attempt` counts a try against what a name may try, such as a password:
    it raises `Limited` when there were too many. `streams`: what changes can be told as it happens. `provider` is who
    else can say who a member is. `check` raises `Unreachable` when nothing could be written, on routes that are open.
    """

    desk: Desk
    actor: Actor
    ids: Mapping[str, str]
    body: B
    query: Q
    request_key: str = ""
    seen: str = ""
    takes_http_hooks: bool = False
    request: Request = Request("GET", "/")
    session: Session | None = None
    attempt: Callable[[str], object] = str
    streams: bool = False
    provider: Provider | None = None
    check: Callable[[], object] = str

    @property
    def member(self) -> Session:
        """The session of the member who asks, where a route lets nobody else in."""
        if self.session is None:
            raise AssertionError("this route does not ask who is signed in")
        return self.session


class Answer(msgspec.Struct, frozen=True):
    """What a handler gives back; `tag` becomes the ETag. A value of bytes is sent as it is. `style` is the source by
    which the page's policy must let in the style that stands in it."""

    value: object = None
    status: int = 200
    tag: str = ""
    headers: Headers = ()
    style: str = ""


class Errand(msgspec.Struct, frozen=True):
    """What a handler gives back when its answer takes a while: `run` works or waits without the store, on whatever
    thread; `then` makes the answer of what it found. What `run` raises is the answer's error. `is_patient`: it
    waits for another server, and those that work must not wait behind it."""

    run: Callable[[], Any]
    then: Callable[[Any], Answer]
    is_patient: bool = False


Handler = Callable[[Call[Any, Any]], "Answer | Errand"]


def later(module: str, name: str) -> Handler:
    """The handler of that name in a module that is imported when it is first asked for: whoever answers programs need
    not load what draws pages."""

    def handler(call: Call[Any, Any]) -> Answer | Errand:
        found: Handler = getattr(import_module(module), name)
        return found(call)

    handler.__qualname__ = f"{module}.{name}"
    return handler


class Route(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One thing that can be asked: the dispatcher, the OpenAPI document and the docs page all read it.

    `answers` are the types of the good answers by status. `is_repeatable`: it takes an `Idempotency-Key`;
    `is_conditional`: it takes `If-Match`; `refuses`: a rule may say no (409). `is_form`: its body comes from an HTML
    form instead of as JSON. `by_session`: it is for members who are signed in, and no key opens it. `is_framed`: pages
    of other origins may show it within them, where the settings name these. `quota`: how often one address may ask.
    `styles_elements`: what it shows, such as a mail, has `style` attributes. `is_own`: it is about nobody but the
    member who asks, so that one who may only look may send it too. `takes_long`: it reads so much that others should
    not wait for it; it changes nothing.
    """

    method: str
    pattern: str
    handler: Handler
    access: Access
    topic: str
    summary: str
    answers: Mapping[int, Any]
    body: type[msgspec.Struct] | None = None
    is_body_optional: bool = False
    is_form: bool = False
    query: type[msgspec.Struct] | None = None
    is_repeatable: bool = False
    is_conditional: bool = False
    refuses: bool = False
    by_session: bool = False
    is_framed: bool = False
    takes_long: bool = False
    quota: Quota | None = None
    styles_elements: bool = False
    is_own: bool = False
    media: str = JSON
    example: Mapping[str, Any] | None = None
    repeatable_parameters: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Note which parameters may come more than once."""
        fields = msgspec.structs.fields(self.query) if self.query else ()
        names = frozenset(each.encode_name for each in fields if each.type not in (str, int) and _is_list(each.type))
        msgspec.structs.force_setattr(self, "repeatable_parameters", names)

    @property
    def parameters(self) -> list[str]:
        """The parts of the path that the pattern names."""
        return re.findall(r"{(\w+)}", self.pattern)


class _Node:
    """One segment of the paths: what may follow it, and the routes that end here."""

    __slots__ = ("following", "named", "parameter", "routes")

    def __init__(self) -> None:
        self.following: dict[str, _Node] = {}
        self.named: _Node | None = None
        self.parameter = ""
        self.routes: dict[str, Route] = {}


class Router:
    """Finds the route of a path. The parts that a pattern names must look like ids: anything else finds nothing."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self._literal: dict[str, _Node] = {}
        for route in routes:
            node = self._add(route.pattern)
            if route.method in node.routes:
                raise ValueError(f"{route.method} {route.pattern} stands twice in the table")
            node.routes[route.method] = route
            if not route.parameters:
                self._literal[route.pattern] = node

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route, and the parts of the path that its pattern names. HEAD finds that of GET.

        Raises:
            NoRoute: nothing is there. WrongMethod: something is, but not by this method.
        """
        ids: dict[str, str] = {}
        node = self._literal.get(path) or self._walk(path, ids)
        if node is None or not node.routes:
            raise NoRoute("nothing is at this path; an id has 1 to 128 letters, digits or any of _.:@+-")
        route = node.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            raise WrongMethod([*node.routes, *(["HEAD"] if "GET" in node.routes else [])])
        return route, ids

    def _walk(self, path: str, ids: dict[str, str]) -> _Node | None:
        node = self._root
        for segment in path[1:].split("/"):
            following = node.following.get(segment)
            if following is None:
                following = node.named
                if following is None or not ID.match(segment):
                    return None
                ids[node.parameter] = segment
            node = following
        return node

    def _add(self, pattern: str) -> _Node:
        node = self._root
        for segment in pattern[1:].split("/"):
            if not segment.startswith("{"):
                node = node.following.setdefault(segment, _Node())
                continue
            name = segment[1:-1]
            if node.named is None:
                node.named, node.parameter = _Node(), name
            if node.parameter != name:
                raise ValueError(f"{pattern} gives {{{node.parameter}}} another name")
            node = node.named
        return node


def _is_list(kind: Any) -> bool:
    schema = msgspec.json.schema(kind)
    return "array" in (schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ())))
