"""The one table from errors to HTTP statuses, and the problem documents (RFC 9457) that tell of them."""

import inspect
from collections.abc import Iterator

import msgspec

from slotkeeper.core.actor import Actor, Forbidden
from slotkeeper.core.errors import Invalid, KeyReused, Missing, Outdated, Refused, SlotkeeperError, Unreachable
from slotkeeper.desk.keys import Unauthenticated
from slotkeeper.web.auth import Forged
from slotkeeper.web.bodies import Malformed, TooLarge, WrongMedia
from slotkeeper.web.http import Headers, Response
from slotkeeper.web.limits import Limited
from slotkeeper.web.routes import NoRoute, WrongMethod

MEDIA = "application/problem+json"
SHARED: Headers = (("content-type", MEDIA), ("cache-control", "no-store"))


class Kind(msgspec.Struct, frozen=True):
    """How one kind of error is told."""

    status: int
    code: str

    @property
    def title(self) -> str:
        return self.code.replace("-", " ").capitalize()


class Unexpected(SlotkeeperError):
    """Something went wrong that we did not foresee. It is in the server's log."""


_REFUSALS: tuple[type[Refused], ...] = (Refused, *Refused.__subclasses__())

TABLE: dict[type[SlotkeeperError], Kind] = {
    Malformed: Kind(400, "malformed"),
    Unauthenticated: Kind(401, "unauthenticated"),
    Forbidden: Kind(403, "forbidden"),
    Forged: Kind(403, "forged"),
    NoRoute: Kind(404, "no-route"),
    Missing: Kind(404, "missing"),
    WrongMethod: Kind(405, "wrong-method"),
    **{refused: Kind(409, refused.code) for refused in _REFUSALS},
    Outdated: Kind(412, "outdated"),
    TooLarge: Kind(413, "too-large"),
    WrongMedia: Kind(415, "wrong-media"),
    Invalid: Kind(422, "invalid"),
    KeyReused: Kind(422, KeyReused.code),
    Limited: Kind(429, "limited"),
    Unexpected: Kind(500, "unexpected"),
    Unreachable: Kind(503, "unreachable"),
}
"""The nearest base of an error that stands here says how it is told."""

_WORDS = {
    "timeOff": "time off",
    "reminderRules": "reminder rule",
    "webhooks": "webhook",
    "key": "API key",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What went wrong, for programs by `code` and for people by `detail`; `error` says the same as `detail`.

    `field` names the place in the body or query. Some codes tell more, such as `alternatives` (free times near the
    one asked) and `conflictingAppointment` (the times of what stands in the way).
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: str


def kind_of(error: SlotkeeperError) -> Kind | None:
    """How the error is told; None when nobody foresaw that it gets here."""
    return next((TABLE[each] for each in type(error).__mro__ if each in TABLE), None)


def answer_to(error: SlotkeeperError, actor: Actor | None = None, headers: Headers = ()) -> Response:
    """The response that tells of an error; one that does not stand in the table is unexpected."""
    kind = kind_of(error) or TABLE[Unexpected]
    detail = _detail(error)
    members = {
        "type": f"/docs#{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": kind.code,
        "error": detail,
        **_facts(error, actor),
    }
    return Response(kind.status, (*SHARED, *headers_of(error), *headers), msgspec.json.encode(members))


def explained() -> Iterator[tuple[Kind, str]]:
    """Each kind of problem with the sentence that explains it, by status and code."""
    for error, kind in sorted(TABLE.items(), key=lambda entry: (entry[1].status, entry[1].code)):
        if error is not Refused:
            yield kind, " ".join((inspect.getdoc(error) or "").split("\n\n")[0].split())


def _detail(error: SlotkeeperError) -> str:
    """What is told to anyone: the same for a thing that is not there and one that is somebody else's, and nothing of
    what goes on inside."""
    if isinstance(error, Missing):
        return f"there is no such {_WORDS.get(error.kind, error.kind)}"
    if isinstance(error, Unreachable):
        return "the service cannot answer now: try again, with the same Idempotency-Key if something was to be changed"
    if isinstance(error, Invalid) and error.field:
        return f"{error.field}: {error.message}"
    return str(error)


def _facts(error: SlotkeeperError, actor: Actor | None) -> dict[str, object]:
    if isinstance(error, Invalid):
        return {"field": error.field} if error.field else {}
    if not isinstance(error, Refused):
        return {}
    facts = dict(error.facts)
    rival = facts.get("conflictingAppointment")
    if actor is None or actor.is_public:
        facts.pop("conflictingAppointment", None)
    elif actor.is_staff and isinstance(rival, dict):
        facts["conflictingAppointment"] = rival | error.private
    return facts


def headers_of(error: SlotkeeperError) -> Headers:
    """What the error says in headers, such as when to try again."""
    if isinstance(error, Unauthenticated):
        return (("www-authenticate", 'Bearer realm="slotkeeper"'),)
    if isinstance(error, WrongMethod):
        return (("allow", ", ".join(error.allowed)),)
    if isinstance(error, Unreachable | Limited):
        return (("retry-after", str(error.retry_after)),)
    return ()
