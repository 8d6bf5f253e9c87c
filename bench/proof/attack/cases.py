"""Requests to each route as good callers would send them, drawn from a seed."""

import random
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import msgspec

from bench.proof.attack.bodies import written
from bench.proof.attack.premises import STRAYS, Premises, Seat
from bench.proof.attack.samples import Samples
from slotkeeper.web.auth import COOKIE, CSRF_HEADER
from slotkeeper.web.forms import MEDIA as FORM
from slotkeeper.web.http import SAFE
from slotkeeper.web.routes import HTML, JSON, Route
from slotkeeper.web.table import API
from tests.web.filling import Form

Forms = Mapping[Route, Sequence[Form]]
"""The forms that pages have, by where they are sent."""

KIND_OF: Mapping[str, str] = {"hours": "schedules", "reminders": "reminderRules"}
"""What pages call otherwise than the API does."""

_BY_NAME = {"business": "business", "absence": "timeOff", "service": "services", "start": "start", "file": "static"}


class Case(msgspec.Struct):
    """A request while it is made: `target` and `headers` go over the wire as they stand, in Latin-1."""

    route: Route
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    value: Any = None
    typed: list[tuple[str, str]] | None = None

    @property
    def is_head(self) -> bool:
        return self.method == "HEAD"

    def sent(self) -> bytes:
        """The request as bytes."""
        has_body = self.body or self.method not in SAFE
        headers = self.headers | ({"content-length": str(len(self.body))} if has_body else {})
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + self.body


def kind_of(pattern: str, name: str) -> str:
    """Of which kind the ids are that stand in that part of the address, as in `Premises.ids`."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    before = pattern.partition(f"/{{{name}}}")[0].split("/")
    place = next(part for part in reversed(before) if not part.startswith("{"))
    return KIND_OF.get(place, place)


_PUT = {kind_of(route.pattern, "id") for route in API if route.method == "PUT" and route.parameters}
"""The kinds of things to which callers give ids."""


class Cases:
    """Makes cases for one business."""

    def __init__(self, chance: random.Random, premises: Premises, forms: Forms) -> None:
        self.samples = Samples(chance, premises.ids)
        self._chance = chance
        self._premises = premises
        self._forms = forms

    def good(self, route: Route, number: int | None = None, share: float | None = None) -> Case:
        """A case that is as it should be, as far as one can know before it is answered: as the owner about the things
        of that number, or as any who may about any; with a `share` of the parameters that may be left out, or some."""
        case = Case(route, route.method, self._path(route, number), {"host": "book.example.com"})
        if route.query is not None:
            ask(case, self.samples.query(route.query, share))
        if route.media == HTML:
            is_usual = number is not None or self._chance.random() < 0.9
            language = "en" if is_usual else self._chance.choice(("de", "ar", "es"))
            case.headers |= {"accept": "text/html", "accept-language": language}
        self._say_who(case, is_owner=number is not None)
        self._fill(case)
        if route.is_repeatable and self._chance.random() < 0.7:
            case.headers["idempotency-key"] = self.samples.key()
        if self._chance.random() < 0.1:
            case.headers["x-forwarded-for"] = f"198.51.{self._chance.randrange(256)}.{self._chance.randrange(256)}"
        return case

    def _path(self, route: Route, number: int | None = None) -> str:
        path = route.pattern
        for name in route.parameters:
            known = self._premises.ids[kind_of(route.pattern, name)]
            id = self.id(route, name) if number is None else known[number % len(known)]
            path = path.replace(f"{{{name}}}", quote(id, safe=":@+"))
        return path

    def id(self, route: Route, name: str) -> str:
        """An id for that part of the address: one that there is, or was, or may be."""
        kind = kind_of(route.pattern, name)
        # What is removed is, as a rule, what was made for it, or there would soon be nothing left to ask about.
        is_last = route.pattern.endswith(f"{{{name}}}")
        if kind in _PUT and is_last and route.method in ("PUT", "DELETE") and self._chance.random() < 0.7:
            return f"new-{self._chance.randrange(12)}"
        return self.samples.id(kind)

    def _say_who(self, case: Case, *, is_owner: bool) -> None:
        route = case.route
        if route.by_session:
            seat = self._premises.seats["owner"][0] if is_owner else self._seat(route)
            case.headers["cookie"] = f"{COOKIE}={seat.token}"
            if route.method not in SAFE:
                case.headers[CSRF_HEADER] = seat.csrf
        elif route.pattern.startswith("/staff/") and self._chance.random() < 0.5:
            case.headers["cookie"] = f"{COOKIE}={self._premises.seats['owner'][0].token}"
        elif route.access not in ("open", "public"):
            case.headers["authorization"] = f"Bearer {self._premises.keys['all']}"

    def _seat(self, route: Route) -> Seat:
        roles = [STRAYS] if route.is_own else ["owner"] * 6 + ["staff", "viewer"]
        return self._chance.choice(self._premises.seats[self._chance.choice(roles)])

    def _fill(self, case: Case) -> None:
        """Put a good body in."""
        route = case.route
        if route.body is None:
            return
        if route.is_form:
            case.typed = self._typed(route)
            type_in(case)
            return
        if route.example is not None and self._chance.random() < 0.3:
            case.value = dict(route.example)
        else:
            case.value = self.samples.body(route.body)
        case.headers["content-type"] = JSON
        case.body = written(case.value).encode("utf-8", "surrogatepass")

    def _typed(self, route: Route) -> list[tuple[str, str]]:
        form = self._chance.choice(self._forms[route])
        pairs = [(name, text) for name, texts in form.typed.items() for text in texts]
        pairs += [(name, "") for name in sorted(form.names - form.typed.keys()) if self._chance.random() < 0.3]
        return [(name, self._again(name, text)) for name, text in pairs if name != "csrf"]

    def _again(self, name: str, text: str) -> str:
        """What stood in the field, or something else that fits."""
        if name == "version" and self._chance.random() < 0.5:
            return ""  # or it would be of the past as soon as somebody else has changed the thing
        if text and self._chance.random() < 0.7:
            return text
        last = name.rpartition(".")[2]
        return text or self.samples.text(last, {"maxLength": 10} if last in ("from", "to", "date") else {})


def type_in(case: Case) -> None:
    """Make what was typed the case's body."""
    case.headers["content-type"] = FORM
    case.body = urlencode(case.typed or [], errors="surrogatepass").encode()


def ask(case: Case, pairs: Sequence[tuple[str, str]]) -> None:
    """Make the pairs the case's query."""
    query = "&".join(f"{quote_plus(name)}={quote_plus(text, errors='surrogatepass')}" for name, text in pairs)
    case.target = case.target.partition("?")[0] + (f"?{query}" if query else "")
