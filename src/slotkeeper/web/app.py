"""From a request to its response: the route is found, the caller known, the input read, the handler asked."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from slotkeeper.core.actor import Actor, Forbidden
from slotkeeper.core.errors import SlotkeeperError, Unreachable
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import Unauthenticated
from slotkeeper.desk.sessions import Session
from slotkeeper.web.auth import (
    Who,
    by_key,
    check_origin,
    is_unchanged,
    member_session,
    request_key,
    seen_revision,
    visitor,
)
from slotkeeper.web.bodies import MAX_BYTES, read_body
from slotkeeper.web.forms import read_form
from slotkeeper.web.http import SAFE, Headers, Request, Response
from slotkeeper.web.limits import ADDRESS_QUOTA, KEY_QUOTA, Limited, Limiter, Quota, caller_address
from slotkeeper.web.problems import TABLE, Unexpected, answer_to, kind_of
from slotkeeper.web.provider import Provider
from slotkeeper.web.queries import read_query
from slotkeeper.web.routes import HTML, JSON, Answer, Call, Errand, NoRoute, Route, Router, WrongMethod
from slotkeeper.web.table import ALL

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

API_HEADERS: Headers = (
    ("cache-control", "private, no-cache"),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
)
_PAGE_HEADERS: Headers = (
    ("cache-control", "private, no-cache"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)
_UNKEPT: Headers = (("cache-control", "private, no-store"),)
_STYLES = "style-src 'self'"
_PAGE_POLICY = (
    f"default-src 'none'; script-src 'self'; {_STYLES}; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-src 'self'"
)
ATTEMPTS, ALL_ATTEMPTS = Quota("attempts", 20, 600), Quota("all-attempts", 300, 600)
"""How often something may be tried for one name, such as the password of a member: from one address, and from all. The
second is wide, or a stranger could keep a member out."""

_NOBODY = Actor(business="", id="", scopes=frozenset())


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the web layer allows. `trusted_proxies` is how many reverse proxies stand before us; `takes_http_hooks`
    lets webhooks be plain http, for closed networks. Pages of `embed_origins` may show the pages for visitors within
    them. `streams`: whoever carries our answers can send more than one, as things change. `provider`: who else can say
    who a member is."""

    key_quota: Quota = KEY_QUOTA
    address_quota: Quota = ADDRESS_QUOTA
    trusted_proxies: int = 0
    max_body_bytes: int = MAX_BYTES
    takes_http_hooks: bool = False
    embed_origins: tuple[str, ...] = ()
    streams: bool = False
    provider: Provider | None = None


class Work(msgspec.Struct, frozen=True):
    """What stands between a request and its response: `run` takes a while and does without the store, on whatever
    thread; `finish` makes the response of what it gave back, where the store may be asked. Neither raises.
    `is_patient`: it waits for another server."""

    run: Callable[[], object]
    finish: Callable[[object], Response]
    is_patient: bool = False


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """How a request went, as it may be told of in logs: nothing of what was sent, and of nobody but the key.

    `route` is the route's pattern, empty when there is none; `actor` the key's id, empty without a good one; `code` the
    problem's, empty when there was none.
    """

    method: str
    route: str
    status: int
    business: str
    actor: str
    code: str


class _Visit:
    """What is known of a request while it is answered: which route it took, who asks, what they have left, and whether
    it is a person who looks at pages, for whom an error is one too."""

    __slots__ = ("actor", "asks_member", "code", "is_person", "limits", "request", "route", "session")

    def __init__(self, request: Request | None) -> None:
        self.request = request
        self.actor: Actor | None = None
        self.session: Session | None = None
        self.asks_member = False
        self.code = ""
        self.route = ""
        self.limits: Headers = ()
        self.is_person = request is not None and "text/html" in request.headers.get("accept", "")


class Web:
    """Answers requests. It belongs to one thread at a time."""

    def __init__(
        self,
        desk: Desk,
        rules: Rules | None = None,
        seconds: Callable[[], float] = time.monotonic,
        *,
        who: Who | None = None,
        check: Callable[[], object] = lambda: None,
    ) -> None:
        """`seconds` is a clock that only goes on; it fills the buckets of the rate limits. `who` says who asks: by
        default the key in the headers does. `check` raises `Unreachable` when nothing could be written."""
        self._desk = desk
        self._who = who or by_key(desk)
        self._check = check
        self.rules = rules or Rules()
        self._router = Router(ALL)
        self._keys = Limiter(self.rules.key_quota, seconds)
        self._addresses = Limiter(self.rules.address_quota, seconds)
        self._attempts, self._all_attempts = Limiter(ATTEMPTS, seconds), Limiter(ALL_ATTEMPTS, seconds)
        self._quotas = {route.quota: Limiter(route.quota, seconds) for route in ALL if route.quota}
        self._page_headers = _page_headers(self.rules.embed_origins)

    def takes_long(self, request: Request) -> bool:
        """Whether others should not wait while this is answered: who can asks it of another store of the same file."""
        try:
            return self._router.find(request.method, request.path)[0].takes_long
        except (NoRoute, WrongMethod):
            return False

    def answer(self, request: Request) -> Response:
        """The response, whatever the request and however long it takes: this never raises."""
        return _done(self.begin(request))

    def begin(self, request: Request) -> Response | Work:
        """The response, or the work that it takes; for who has better things to do than to wait for it."""
        return self._answer_or_refuse(request, _Visit(request), partial(self._answer, request))

    def answer_and_tell(self, request: Request) -> tuple[Response, Account]:
        """The response, as from `answer`, and how it went."""
        visit = _Visit(request)
        response = _done(self._answer_or_refuse(request, visit, partial(self._answer, request)))
        return response, _account(request, response, visit)

    def _answer_or_refuse(
        self, request: Request, visit: _Visit, answer: Callable[[_Visit], Response | Work]
    ) -> Response | Work:
        try:
            return answer(visit)
        except SlotkeeperError as error:
            if kind_of(error) is not None:
                return self._refusal(error, visit)
            _log.exception("%s %s failed", request.method, visit.route or request.path[:200])
        except Exception:  # noqa: BLE001 - the one net under all handlers: it logs, and tells the caller nothing
            _log.exception("%s %s failed", request.method, visit.route or request.path[:200])
        return self._refusal(Unexpected("something went wrong here, and is in our log: try again later"), visit)

    def refuse(self, error: SlotkeeperError, request: Request | None = None) -> Response:
        """The response to a request that failed on its way here, or whose work was undone."""
        return self._refusal(error, _Visit(request))

    def _refusal(self, error: SlotkeeperError, visit: _Visit) -> Response:
        if isinstance(error, Unreachable):
            _log.warning("cannot answer: %s", error)
        visit.code = (kind_of(error) or TABLE[Unexpected]).code
        if visit.is_person and visit.request is not None:
            # Imported here: who never shows a page need not load Jinja2.
            from slotkeeper.web.look.drawing import apology, ask_to_sign_in

            headers = (*visit.limits, *self._page_headers[""][1:])
            if visit.asks_member and isinstance(error, Unauthenticated):
                return ask_to_sign_in(visit.request, headers)
            return apology(error, visit.request, headers)
        return answer_to(error, visit.actor, (*visit.limits, *API_HEADERS[1:]))

    def _answer(self, request: Request, visit: _Visit) -> Response | Work:
        route, ids = self._router.find(request.method, request.path)
        visit.route = route.pattern
        visit.is_person = visit.is_person and route.media == HTML
        if route.access == "open":
            answer = route.handler(Call(self._desk, _NOBODY, ids, None, None, request=request, check=self._check))
            return self._respond(route, request, visit, answer)
        actor = visit.actor = self._admit(route, request, ids, visit)
        headers = request.headers
        call = Call(
            self._desk,
            actor,
            ids,
            self._body(route, request),
            read_query(request.query, route.query or _NoQuery, route.repeatable_parameters),
            request_key(headers, actor) if route.is_repeatable else "",
            seen_revision(headers) if route.is_conditional else "",
            self.rules.takes_http_hooks,
            request,
            visit.session,
            partial(self._attempt, request),
            self.rules.streams,
            self.rules.provider,
        )
        if visit.session is not None:
            check_origin(request, visit.session, call.body)
        return self._respond(route, request, visit, route.handler(call))

    def _respond(self, route: Route, request: Request, visit: _Visit, answer: Answer | Errand) -> Response | Work:
        if isinstance(answer, Errand):
            return self._work(route, request, visit, answer)
        if route.media == JSON:
            return _response(route, request.headers, (*API_HEADERS, *visit.limits), answer)
        return _response(route, request.headers, (*self._headers_of(route, answer.style), *visit.limits), answer)

    def _work(self, route: Route, request: Request, visit: _Visit, errand: Errand) -> Work:
        def run() -> object:
            try:
                return errand.run()
            except Exception as error:  # noqa: BLE001 - it is raised again below, where all errors are answered
                return _Failed(error)

        def then(found: object) -> Response | Work:
            if isinstance(found, _Failed):
                raise found.error
            return self._respond(route, request, visit, errand.then(found))

        def finish(found: object) -> Response:
            return _done(self._answer_or_refuse(request, visit, lambda visit: then(found)))

        return Work(run, finish, errand.is_patient)

    def _headers_of(self, route: Route, style: str) -> Headers:
        name = "framed" if route.is_framed else "styled" if route.styles_elements else ""
        headers = self._page_headers[name]
        if style:
            headers = tuple((header, text.replace(_STYLES, f"{_STYLES} {style}")) for header, text in headers)
        # What members see is of people: the next one at the same screen must not get it by going back.
        return (*_UNKEPT, *headers[1:]) if route.by_session and route.media == HTML else headers

    def _admit(self, route: Route, request: Request, ids: Mapping[str, str], visit: _Visit) -> Actor:
        """Who asks, once they may: a key by what its own bucket has left, anyone else by their address's.

        Raises:
            Unauthenticated: there is no good key. Limited: nothing is left. Forbidden: the key lacks the scope.
        """
        if route.access == "public":
            address = caller_address(request, self.rules.trusted_proxies)
            self._take(self._quotas[route.quota] if route.quota else self._addresses, address, visit)
            return visitor(ids["business"])
        try:
            actor = self._member(request, ids["business"], visit) if route.by_session else self._who(request)
        except Unauthenticated:
            # Only who fails pays: a good key does not suffer from its neighbours behind one address.
            self._take(self._addresses, caller_address(request, self.rules.trusted_proxies), visit)
            raise
        self._take(self._keys, actor.id, visit)
        if actor.is_viewer and request.method not in SAFE and not route.is_own:
            raise Forbidden("staff")
        actor.need(route.access)  # type: ignore[arg-type] # what is neither open nor public is a scope
        return actor

    def _member(self, request: Request, business: str, visit: _Visit) -> Actor:
        visit.asks_member = True
        visit.session = member_session(self._desk, request, business)
        return visit.session.actor

    def _attempt(self, request: Request, name: str) -> None:
        self._attempts.take(f"{caller_address(request, self.rules.trusted_proxies)} {name}")
        self._all_attempts.take(name)

    def _take(self, limiter: Limiter, caller: str, visit: _Visit) -> None:
        try:
            visit.limits = limiter.take(caller)
        except Limited as limited:
            visit.limits = limited.headers
            raise

    def _body(self, route: Route, request: Request) -> object:
        if route.body is None:
            return None
        if route.is_body_optional and not request.body:
            return route.body()
        read = read_form if route.is_form else read_body
        return read(request, route.body, self.rules.max_body_bytes)


class _Failed(msgspec.Struct, frozen=True):
    """What came of work that raised."""

    error: Exception


class _NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


def _account(request: Request, response: Response, visit: _Visit) -> Account:
    actor = visit.actor or _NOBODY
    return Account(
        method=request.method,
        route=visit.route,
        status=response.status,
        business=actor.business,
        actor=actor.id,
        code=visit.code,
    )


def _response(route: Route, sent: Mapping[str, str], headers: Headers, answer: Answer) -> Response:
    if answer.tag:
        headers = (*headers, ("etag", f'"{answer.tag}"'))
    own = [name for name, _ in answer.headers]
    if own:
        headers = (*[each for each in headers if each[0] not in own], *answer.headers)
    if answer.tag and route.method == "GET" and is_unchanged(sent, answer.tag):
        return Response(304, headers, b"")
    if answer.status == 204:
        return Response(204, headers, b"")
    body = answer.value if isinstance(answer.value, bytes) else _encode(answer.value)
    media = () if "content-type" in own else (("content-type", route.media),)
    return Response(answer.status, (*media, *headers), body)


def _page_headers(embed_origins: tuple[str, ...]) -> dict[str, Headers]:
    """The headers of pages: of most, of those that may be framed, and of those that show a styled mail."""
    framers = " ".join(("'self'", *embed_origins))
    policies = {
        "": f"{_PAGE_POLICY}; frame-ancestors 'none'",
        "framed": f"{_PAGE_POLICY}; frame-ancestors {framers}",
        "styled": f"{_PAGE_POLICY}; style-src-attr 'unsafe-inline'; frame-ancestors 'none'",
    }
    return {name: (*_PAGE_HEADERS, ("content-security-policy", policy)) for name, policy in policies.items()}


def _done(response: Response | Work) -> Response:
    return response.finish(response.run()) if isinstance(response, Work) else response
