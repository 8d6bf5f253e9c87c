"""Asking every route as everybody, and asking for what is somebody else's as for what nobody has."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.proof.attack.bodies import written
from bench.proof.attack.callers import FORBIDDEN, FORGED, LET_IN, STATUS, UNAUTHENTICATED, Caller, callers
from bench.proof.attack.cases import Case, Cases, Forms, kind_of
from bench.proof.attack.findings import Findings, name_of
from bench.proof.attack.premises import EVE, Premises
from bench.proof.attack.samples import KINDS
from bench.proof.attack.swaps import Swap, swaps, unlike
from bench.proof.attack.wire import Line, Reply
from slotkeeper.stores.sqlite import SqliteStore
from slotkeeper.web.auth import CSRF_HEADER
from slotkeeper.web.routes import Route

DRAWS, TRIES = 40, 5
"""So many bodies are drawn to meet every field that names something, and one that fits what there is."""

_FREE = frozenset({"customerId", "userId"})
"""Callers give customers whatever ids they like: there is nothing to find out."""

_CREDENTIALS = frozenset({"cookie", "authorization", CSRF_HEADER, "idempotency-key"})
_RANDOM = re.compile(rb"[0-9a-f]{32}")
_REMOVING = ("/remove", "/revoke")


class Matrix:
    """The routes by the callers. `path` is the file that the server at the other end of the `line` serves."""

    def __init__(
        self, line: Line, path: Path, clinic: Premises, other: Premises, forms: Mapping[str, Forms], findings: Findings
    ) -> None:
        """`forms` are those on the pages of each business."""
        self._line, self._store = line, SqliteStore(path)
        self._clinic, self._other, self._findings = clinic, other, findings
        self._cases = {each.business: Cases(random.Random(7), each, forms[each.business]) for each in (clinic, other)}

    def close(self) -> None:
        self._store.close()

    async def refuse(self, route: Route) -> None:
        """Ask as everybody who may not: each is told so in the same way, and nothing changes."""
        before = self._dump()
        for caller in callers(route, self._clinic, self._other):
            if caller.meets != LET_IN:
                await self._ask_as(caller, self._case(route, self._clinic))
        if self._dump() != before:
            self._findings.blame(name_of(route), "somebody who may not has changed something")

    async def let_in(self, route: Route) -> None:
        """Ask as everybody who may: they are not refused, what they ask for is there, and they see what they may."""
        admitted = [each for each in callers(route, self._clinic, self._other) if each.meets == LET_IN]
        first = 1 if route.access == "public" else 0  # or visitors would have used up what others ask for
        for number in range(first, first + TRIES):
            share = 0.0 if number == first else None
            replies = [await self._ask_as(each, self._case(route, self._clinic, number, share)) for each in admitted]
            if any(reply.status not in (401, 403, 404) for reply in replies):
                return
        if "/oidc" not in route.pattern:  # nobody is there
            self._findings.blame(name_of(route), "nobody finds what all were asked for")

    async def name_next_door(self, route: Route) -> None:
        """Name, as the other business, what is the clinic's, and what nobody has: the answers are the same."""
        for field, kind, swap in self._fields(route, self._other):
            [foreign, *_] = self._foreign(kind)
            await self._compare(f"somebody else's {field}", swap(foreign), swap(unlike(foreign)), foreign)

    async def ask_next_door(self, route: Route) -> None:
        """Ask, as the other business, for what is the clinic's, and for what nobody has: the answers are the same."""
        before = self._dump()
        for name in route.parameters:
            kind = kind_of(route.pattern, name)
            for foreign in self._foreign(kind)[:2] if kind not in ("business", "start", "static") else ():
                await self._compare_ids("somebody else's", self._case(route, self._other), name, foreign)
        if self._dump() != before:
            self._findings.blame(name_of(route), "another business has changed something")

    async def ask_as_another_customer(self, route: Route) -> None:
        """Ask with a customer's key for what is another customer's."""
        if route.by_session or route.access not in ("read", "book"):
            return
        before, headers = self._dump(), {"authorization": f"Bearer {self._clinic.keys[EVE]}"}
        for name in route.parameters:
            kind = kind_of(route.pattern, name)
            for foreign in self._clinic.ids[kind][:2] if kind in ("appointments", "holds") else ():
                case = self._case(route, self._clinic)
                _hand(case, headers)
                await self._compare_ids("another customer's", case, name, foreign)
        if self._dump() != before:
            self._findings.blame(name_of(route), "another customer has changed something")
        if route.method == "GET" and not route.parameters:
            eve = Caller(name="another customer", headers=headers, meets=LET_IN)
            await self._ask_as(eve, self._case(route, self._clinic))

    async def ask_for_what_is_hidden(self, route: Route) -> None:
        """Ask as a visitor for what is only there for whoever has a key."""
        if route.access != "public":
            return
        inner = self._clinic.ids["services"][-1]
        if "service" in route.parameters:
            await self._compare_ids("a hidden service", self._case(route, self._clinic), "service", inner)
        for field, kind, swap in self._fields(route, self._clinic):
            if kind == "services":
                await self._compare(f"a hidden {field}", swap(inner), swap(unlike(inner)), inner)

    async def _ask_as(self, caller: Caller, case: Case) -> Reply:
        _hand(case, caller.headers)
        reply = await self._send(case)
        complaint = self._complaint(caller, case, reply)
        if complaint:
            self._findings.blame(name_of(case.route), f"{caller.name}: {complaint}", case.sent(), reply)
        return reply

    def _complaint(self, caller: Caller, case: Case, reply: Reply) -> str:
        code = _code(reply)
        if caller.meets != LET_IN and (reply.status, code) != (STATUS[caller.meets], caller.meets):
            return f"{reply.status} {code} instead of {caller.meets}"
        if caller.meets == LET_IN and code in (UNAUTHENTICATED, FORBIDDEN, FORGED) and not case.route.is_own:
            return f"{code}, who may"
        if self._other.private.encode() in reply.body or self._other.hidden.encode() in reply.body:
            return "sees what is another business's"
        if not caller.sees_people and self._clinic.private.encode() in reply.body:
            return "sees what is private"
        if case.route.access in ("open", "public") and self._clinic.hidden.encode() in reply.body:
            return "sees what is hidden"
        return ""

    async def _compare_ids(self, what: str, case: Case, name: str, foreign: str) -> None:
        await self._compare(what, _about(case, name, foreign), _about(case, name, unlike(foreign)), foreign)

    async def _compare(self, what: str, about_theirs: Case, about_unknown: Case, foreign: str) -> None:
        """Both are answered in the same way, or both are done."""
        theirs, unknown = await self._send(about_theirs), await self._send(about_unknown)
        for reply in (theirs, unknown):
            if self._clinic.private.encode() in reply.body or self._clinic.hidden.encode() in reply.body:
                self._findings.blame(name_of(about_theirs.route), f"{what} is shown", about_theirs.sent(), reply)
        # Where it does not matter what is named, the first is done, and the second finds that in its way.
        is_free = theirs.status < 400 and (unknown.status < 400 or unknown.status in (409, 412))
        if not is_free and _without(theirs, foreign) != _without(unknown, unlike(foreign)):
            complaint = f"{what} is told from what nobody has ({theirs.status}, {unknown.status})"
            self._findings.blame(name_of(about_theirs.route), complaint, about_theirs.sent(), theirs)

    async def _send(self, case: Case) -> Reply:
        self._findings.cases += 1
        # Each from an address of its own: how much is left of a quota must not tell one answer from another.
        case.headers["x-forwarded-for"] = f"198.51.{self._findings.cases // 250}.{self._findings.cases % 250}"
        return await self._line.ask(case.sent(), is_head=case.is_head)

    def _case(self, route: Route, premises: Premises, number: int = 0, share: float | None = 0.0) -> Case:
        case = self._cases[premises.business].good(route, number, share)
        # As a program asks, so that whoever is refused is told so, and not led to where one signs in.
        case.headers.pop("accept", None)
        case.headers.pop("idempotency-key", None)
        if isinstance(case.value, dict) and "override" in case.value:  # only staff may, whatever the route says
            case.value = {name: each for name, each in case.value.items() if name != "override"}
            case.body = written(case.value).encode()
        return case

    def _foreign(self, kind: str) -> list[str]:
        """What the clinic has of the kind, and the other has not under the same id."""
        return [id for id in self._clinic.ids[kind] if id not in self._other.ids[kind]]

    def _fields(self, route: Route, premises: Premises) -> Iterator[tuple[str, str, Swap]]:
        """Each field of the body, the form and the query that names something: the field, the kind of thing, and what
        makes a case that names another one."""
        seen: set[str] = set()
        for number in range(DRAWS):
            case = self._case(route, premises, number, share=None)
            for field, swap in swaps(case):
                last = field.rpartition(".")[2]
                if field not in seen and last in KINDS and last not in _FREE:
                    seen.add(field)
                    yield field, KINDS[last], swap

    def _dump(self) -> dict[Any, bytes]:
        """All that is kept of the clinic, and the credentials."""
        kept = ("clinic/", "-/")
        return {doc.key: doc.body for prefix in kept for doc in self._store.walk(prefix)}


def in_order(routes: Sequence[Route]) -> list[Route]:
    """The routes in an order in which none takes away what a later one asks for, nor the right to ask for it."""

    def ends(route: Route) -> tuple[bool, ...]:
        removes = route.method == "DELETE" or route.pattern.endswith(_REMOVING)
        others = route.pattern.endswith("/elsewhere")
        return route.is_own, others, removes, route.method == "PUT", route.method != "GET"

    return sorted(routes, key=ends)


def _about(case: Case, name: str, id: str) -> Case:
    """The case, with another id in that part of its address."""
    path, mark, query = case.target.partition("?")
    parts = path.split("/")
    parts[case.route.pattern.split("/").index(f"{{{name}}}")] = id
    return msgspec.structs.replace(case, target="/".join(parts) + mark + query)


def _hand(case: Case, credentials: Mapping[str, str]) -> None:
    case.headers = {name: text for name, text in case.headers.items() if name not in _CREDENTIALS} | dict(credentials)


def _code(reply: Reply) -> str:
    """The problem's code; empty where there is none."""
    return (
        str(msgspec.json.decode(reply.body)["code"])
        if reply.header("content-type") == "application/problem+json"
        else ""
    )


def _without(reply: Reply, id: str) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """The answer but for the id that was asked for, what is random in it, and its date."""
    headers = tuple((name, text.replace(id, "ID")) for name, text in reply.headers if name != "date")
    return reply.status, headers, _RANDOM.sub(b"RANDOM", reply.body.replace(id.encode(), b"ID"))
