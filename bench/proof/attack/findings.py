"""What came of an attack: how each route answered, and what each fault looks like."""

from collections import Counter

import msgspec

from bench.proof.attack.cases import Case
from bench.proof.attack.wire import Reply
from slotkeeper.web.routes import Route

_SHOWN = 600
_NONE = Reply(0)


class Found(msgspec.Struct):
    """What one fault looks like: how often it was met, and the first request and answer that showed it."""

    times: int
    request: bytes
    reply: Reply


class Findings(msgspec.Struct):
    """How many cases there were, the statuses by route, and what was found by the route's name and the complaint."""

    cases: int = 0
    seconds: float = 0.0
    statuses: dict[Route, Counter[int]] = msgspec.field(default_factory=dict)
    found: dict[tuple[str, str], Found] = msgspec.field(default_factory=dict)

    def note(self, case: Case, reply: Reply, complaint: str) -> None:
        """Count the case, and keep what was wrong with its answer."""
        self.cases += 1
        self.statuses.setdefault(case.route, Counter())[reply.status] += 1
        if complaint:
            self.blame(name_of(case.route), complaint, case.sent(), reply)

    def blame(self, name: str, complaint: str, request: bytes = b"", reply: Reply = _NONE) -> None:
        """Keep what is wrong."""
        self.found.setdefault((name, complaint), Found(0, request, reply)).times += 1

    @property
    def unreached(self) -> list[str]:
        """The routes that were never answered well: hostile cases there have hardly got past the door."""
        return [
            name_of(route)
            for route, found in self.statuses.items()
            if not any(200 <= status < 400 for status in found) and "/oidc" not in route.pattern  # nobody is there
        ]

    def told(self) -> str:
        """What was found, for people."""
        return "\n".join(
            f"{name}: {complaint} ({each.times} times)\n  {each.request[:_SHOWN]!r}\n  {each.reply.body[:_SHOWN]!r}"
            for (name, complaint), each in self.found.items()
        )


def name_of(route: Route) -> str:
    """The route as people call it."""
    return f"{route.method} {route.pattern}"
