"""Putting something hostile into a good request: into its body, its query, its path, its headers or its method."""

import random
from collections.abc import Callable, Sequence
from urllib.parse import quote

import msgspec

from bench.proof.attack.bodies import garbled, hostile_text, mutated
from bench.proof.attack.cases import Case, Cases, ask, type_in
from bench.proof.attack.corpus import (
    AUTHORIZATIONS,
    CURSORS,
    HEADERS,
    IDS,
    MEDIA,
    METHODS,
    PATH_TAILS,
    QUERIES,
    TEXTS,
)
from slotkeeper.web.auth import CSRF_HEADER
from slotkeeper.web.routes import HTML, Route

_NAMES = sorted(HEADERS)
_GOOD, _TWICE, _STRANGERS = 0.25, 0.2, 0.03


class Twists:
    """Draws cases of which most are hostile."""

    def __init__(self, chance: random.Random, cases: Cases) -> None:
        self._chance = chance
        self._cases = cases

    def draw(self, route: Route) -> Case:
        """A case for the route, good or hostile."""
        case = self._cases.good(route)
        if self._chance.random() >= _GOOD:
            for _ in range(2 if self._chance.random() < _TWICE else 1):
                self._chance.choice(self._twists(case))(case)
        return case

    def _twists(self, case: Case) -> Sequence[Callable[[Case], None]]:
        """What can be put out of place in the case; what it is mostly made of comes most often."""
        found: list[Callable[[Case], None]] = [
            self._twist_header,
            self._twist_path,
            self._twist_query,
            self._twist_method,
        ]
        found += [self._twist_heeded] * 2
        if case.value is not None:
            found += [self._twist_value] * 8 + [self._garble, self._twist_media]
        if case.typed is not None:
            found += [self._twist_typed] * 8 + [self._garble_form, self._twist_media]
        if case.route.query is not None:
            found += [self._twist_parameter] * 4
        if case.route.parameters:
            found += [self._twist_id] * 2
        return [self._twist_who] if self._chance.random() < _STRANGERS else found

    def _twist_value(self, case: Case) -> None:
        case.body = mutated(self._chance, case.value)

    def _garble(self, case: Case) -> None:
        case.body = garbled(self._chance, case.body)

    def _twist_typed(self, case: Case) -> None:
        pairs = case.typed = list(case.typed or [])
        at = self._chance.randrange(len(pairs) + 1)
        match self._chance.randrange(8):
            case 0:
                pairs.insert(at, (self._chance.choice(("csrf", "id", "x", self._chance.choice(TEXTS))), "x"))
            case 1 if at < len(pairs):
                del pairs[at]
            case 2 if at < len(pairs):
                pairs += [pairs[at]] * self._chance.choice((1, 30, 2100))
            case _ if at < len(pairs):
                name = pairs[at][0]
                pairs[at] = (name, hostile_text(self._chance, name.rpartition(".")[2]))
        type_in(case)

    def _garble_form(self, case: Case) -> None:
        case.body = self._chance.choice(
            (b"", b"&", b"=", b"a", b"%", b"a=%", b"a=%zz", b"a=%ff", b"\xff=\xff", b"{}", b"a=b;c=d", b"&" * 3000,
             b"a=" + b"b" * 70_000, case.body + b"&%00=%00", case.body.replace(b"&", b";"), 2 * (case.body + b"&"))
        )  # fmt: skip

    def _twist_media(self, case: Case) -> None:
        case.headers["content-type"] = self._chance.choice(MEDIA)

    def _twist_parameter(self, case: Case) -> None:
        assert case.route.query is not None
        pairs = self._cases.samples.query(case.route.query)
        names = [field.encode_name for field in msgspec.structs.fields(case.route.query)]
        name = self._chance.choice(names or ["x"])
        text = hostile_text(self._chance, name)
        pairs = [pair for pair in pairs if pair[0] != name or self._chance.random() < 0.1]
        ask(case, [*pairs, (name, text)] * self._chance.choice((1, 1, 1, 1, 2)))

    def _twist_query(self, case: Case) -> None:
        odd = self._chance.choice((*QUERIES, f"cursor={quote(self._chance.choice(CURSORS))}"))
        path, _, query = case.target.partition("?")
        case.target = f"{path}?{query}&{odd}" if self._chance.random() < 0.5 else f"{path}?{odd}"

    def _twist_id(self, case: Case) -> None:
        name = self._chance.choice(case.route.parameters)
        odd = self._chance.choice(
            (
                *IDS,
                self._cases.samples.id(self._chance.choice(list(self._cases.samples.ids))),
                self._cases.samples.time(),
            )
        )
        path = case.route.pattern.replace(f"{{{name}}}", quote(odd, safe=":@+%", errors="surrogatepass"), 1)
        for other in case.route.parameters:
            path = path.replace(f"{{{other}}}", quote(self._cases.id(case.route, other), safe=":@+"))
        _, mark, query = case.target.partition("?")
        case.target = path + mark + query

    def _twist_path(self, case: Case) -> None:
        path, mark, query = case.target.partition("?")
        odd = self._chance.choice(PATH_TAILS)
        if self._chance.random() < 0.3:
            path = path.replace("/", self._chance.choice(("//", "/./", "/%2e/", "/x/../")), 1)
        case.target = path + odd + mark + query

    def _twist_heeded(self, case: Case) -> None:
        """Send something odd in a header that the route heeds."""
        route = case.route
        heeded = {
            "if-none-match": route.method == "GET",
            "if-match": route.is_conditional,
            "idempotency-key": route.is_repeatable,
            "accept-language": route.media == HTML,
            "cookie": route.by_session,
            CSRF_HEADER: route.by_session,
            "host": route.media == HTML,
        }
        names = [name for name, is_heeded in heeded.items() if is_heeded]
        if names:
            self._put_header(case, self._chance.choice(names))

    def _twist_header(self, case: Case) -> None:
        self._put_header(case, self._chance.choice(_NAMES))

    def _put_header(self, case: Case, name: str) -> None:
        text = self._chance.choice(HEADERS[name])
        if name == "cookie" and "cookie" in case.headers:
            text = f"{text}; {case.headers['cookie']}"
        case.headers[name] = text

    def _twist_method(self, case: Case) -> None:
        case.method = self._chance.choice(METHODS)

    def _twist_who(self, case: Case) -> None:
        case.headers.pop("cookie", None)
        case.headers["authorization"] = self._chance.choice(AUTHORIZATIONS)
