"""Who may ask for a route, and everybody else: what each of them is answered follows from the route table."""

from collections.abc import Iterator, Mapping

import msgspec

from bench.proof.attack.premises import Premises
from slotkeeper.core.actor import SCOPES
from slotkeeper.desk.members import ROLES
from slotkeeper.web.auth import COOKIE, CSRF_HEADER
from slotkeeper.web.http import SAFE
from slotkeeper.web.routes import Route

UNKNOWN_KEY = "sk_aaaaaaaaaaaa_" + "a" * 32
UNKNOWN_SESSION = "ss_aaaaaaaaaaaa_" + "a" * 32

LET_IN = ""
UNAUTHENTICATED, FORBIDDEN, FORGED = "unauthenticated", "forbidden", "forged"
STATUS: Mapping[str, int] = {UNAUTHENTICATED: 401, FORBIDDEN: 403, FORGED: 403}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asks: by which headers, the code of the problem that they must meet (`LET_IN`: none of these), and
    whether they may see people and how the business works."""

    name: str
    headers: Mapping[str, str]
    meets: str
    sees_people: bool = False


def callers(route: Route, clinic: Premises, other: Premises) -> Iterator[Caller]:
    """Everybody who could ask the route for something of the clinic's; those who belong to the other business are only
    here where they must not even get past the door."""
    if route.access in ("open", "public"):
        yield Caller(name="nobody", headers={}, meets=LET_IN, sees_people=_is_by_link(route))
    elif route.by_session:
        yield from _by_session(route, clinic, other)
    else:
        yield from _by_key(route, clinic)


def _is_by_link(route: Route) -> bool:
    """Whether the address itself lets its holder see one person's things."""
    return "{token}" in route.pattern


def _by_key(route: Route, clinic: Premises) -> Iterator[Caller]:
    good, session = clinic.keys["all"], clinic.seats["owner"][0]
    yield Caller(name="nobody", headers={}, meets=UNAUTHENTICATED)
    for name, secret in {
        "an unknown key": UNKNOWN_KEY,
        "a revoked key": clinic.keys["revoked"],
        "a key with another's secret": good[: good.rindex("_")]
        + clinic.keys["read"][clinic.keys["read"].rindex("_") :],
        "half a key": good[:-1],
        "no key at all": "x",
    }.items():
        yield Caller(name=name, headers=_bearer(secret), meets=UNAUTHENTICATED)
        yield Caller(name=f"{name}, in its own header", headers={"x-api-key": secret}, meets=UNAUTHENTICATED)
    yield Caller(name="a session", headers={"cookie": f"{COOKIE}={session.token}"}, meets=UNAUTHENTICATED)
    yield Caller(name="a key that may all", headers=_bearer(good), meets=LET_IN, sees_people=True)
    for scope in SCOPES:
        meets = LET_IN if scope == route.access else FORBIDDEN
        yield Caller(
            name=f"a key that may {scope}",
            headers=_bearer(clinic.keys[scope]),
            meets=meets,
            sees_people=scope in ("staff", "admin"),
        )


def _by_session(route: Route, clinic: Premises, other: Premises) -> Iterator[Caller]:
    owner, ended = clinic.seats["owner"][0], clinic.seats["ended"][0]
    yield Caller(name="nobody", headers={}, meets=UNAUTHENTICATED)
    yield Caller(name="a key", headers=_bearer(clinic.keys["all"]), meets=UNAUTHENTICATED)
    for name, token, csrf in (
        ("an unknown session", UNKNOWN_SESSION, owner.csrf),
        ("a session that has ended", ended.token, ended.csrf),
        ("an owner of another business", other.seats["owner"][0].token, other.seats["owner"][0].csrf),
        ("half a session", owner.token[:-1], owner.csrf),
    ):
        yield Caller(name=name, headers=_seated(token, csrf), meets=UNAUTHENTICATED)
    changes = route.method not in SAFE
    for role, scopes in ROLES.items():
        seat = clinic.seats[role][1 if route.pattern.endswith("/sign-out") else 0]  # it is of no use afterwards
        may = route.access in scopes and not (role == "viewer" and changes and not route.is_own)
        headers = _seated(seat.token, seat.csrf)
        yield Caller(name=f"a member: {role}", headers=headers, meets=LET_IN if may else FORBIDDEN, sees_people=True)
    if changes:
        yield from _forgers(clinic, other)


def _forgers(clinic: Premises, other: Premises) -> Iterator[Caller]:
    """Pages of others that make an owner's browser send something."""
    owner, staff = clinic.seats["owner"][0], clinic.seats["staff"][0]
    strange = {
        "without a token": {},
        "with an empty token": {CSRF_HEADER: ""},
        "with another member's token": {CSRF_HEADER: staff.csrf},
        "with another business's token": {CSRF_HEADER: other.seats["owner"][0].csrf},
        "from another site": {CSRF_HEADER: owner.csrf, "sec-fetch-site": "cross-site"},
        "from a neighbouring site": {CSRF_HEADER: owner.csrf, "sec-fetch-site": "same-site"},
    }
    for name, headers in strange.items():
        cookie = {"cookie": f"{COOKIE}={owner.token}"}
        yield Caller(name=f"an owner, {name}", headers=cookie | headers, meets=FORGED)


def _bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def _seated(token: str, csrf: str) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={token}", CSRF_HEADER: csrf}
