"""Builds in which somebody gets what is not theirs: nobody asks who they are, or a look-up is too wide."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from bench.proof.attack.breaking import Fault, Planting, noted_in, swap
from slotkeeper.core.actor import Forbidden
from slotkeeper.core.errors import Missing
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import catalogue
from slotkeeper.desk.keys import ApiKey
from slotkeeper.desk.members import ROLES
from slotkeeper.desk.sessions import session_of
from slotkeeper.documents import business_of, kind_key
from slotkeeper.web.auth import session_token
from slotkeeper.web.table import ALL

HOLES: dict[str, Fault] = {}
"""By name."""


def _hole(*places: str) -> Callable[[Planting], Planting]:
    return noted_in(HOLES, *places)


def _let(access: str, method: str, pattern: str) -> None:
    """Let whoever has that scope take the route."""
    [route] = [each for each in ALL if (each.method, each.pattern) == (method, pattern)]
    msgspec.structs.force_setattr(route, "access", access)


def _as(value: Any, /, **facts: Any) -> Any:
    return msgspec.structs.replace(value, **facts)


@_hole("GET /customers")
def a_route_asks_for_too_small_a_scope() -> None:
    _let("read", "GET", "/customers")


@_hole("GET /notifications")
def a_route_asks_for_no_key() -> None:
    _let("open", "GET", "/notifications")


@_hole("GET /staff/{business}/setup/keys")
def a_page_asks_for_too_small_a_role() -> None:
    _let("staff", "GET", "/staff/{business}/setup/keys")


@_hole("DELETE /keys/{id}")
def a_key_is_revoked_whosever_it_is() -> None:
    def revoked(real: Callable[..., None], desk: Any, actor: Any, id: str) -> None:
        for doc in desk.store.walk(f"-/apiKey/{id}"):
            actor = _as(actor, business=msgspec.json.decode(doc.body)["business"])
        real(desk, actor, id)

    swap("desk.keys", "revoke_key", lambda real: partial(revoked, real))


@_hole("GET /appointments/{id}")
def an_appointment_is_found_whosever_it_is() -> None:
    def found(real: Callable[..., Any], desk: Any, actor: Any, id: str) -> Any:
        for doc in desk.store.walk():
            if doc.key.part.endswith(f"/appointment/{id}"):
                actor = _as(actor, business=business_of(doc.key))
        return real(desk, actor, id)

    swap("desk.agenda", "appointment", lambda real: partial(found, real))


@_hole("GET /services/{id}")
def what_is_foreign_is_forbidden_and_not_missing() -> None:
    def item(real: Callable[..., Any], desk: Any, actor: Any, kind: str, id: str) -> Any:
        try:
            return real(desk, actor, kind, id)
        except Missing:
            if any(doc.key.sort == id and doc.key.part.endswith(f"/{kind}") for doc in desk.store.walk()):
                raise Forbidden("read") from None
            raise

    swap("desk.catalogue", "item", lambda real: partial(item, real))


@_hole("POST /resources")
def a_schedule_of_another_business_can_be_named() -> None:
    kind, prefix, check = catalogue.KINDS["resource"]

    def checked(reading: Any, business: str, value: Any) -> None:
        if reading.doc(kind_key("clinic", "schedule", str(value.schedule_id))) is None:
            check(reading, business, value)

    catalogue.KINDS["resource"] = (kind, prefix, checked)


@_hole("POST /appointments/{id}/cancel")
def another_customers_appointment_is_found() -> None:
    swap("desk.changing", "find", lambda real: lambda reading, actor, id: real(reading, _as(actor, customer_id=""), id))


@_hole("DELETE /holds/{id}")
def anybodys_hold_is_given_back() -> None:
    swap(
        "desk.holds",
        "_live",
        lambda real: lambda reading, actor, *rest: real(reading, _as(actor, customer_id=""), *rest),
    )


@_hole("GET /appointments")
def whoever_reads_sees_people() -> None:
    swap("web.views", "_sees_people", lambda real: lambda actor, appointment: True)


@_hole("POST /public/{business}/appointments")
def visitors_book_what_is_hidden() -> None:
    swap(
        "desk.booking",
        "_service",
        lambda real: lambda reading, actor, order: real(reading, _as(actor, is_public=False), order),
    )


@_hole("POST /staff/{business}/appointments/{id}/notes")
def any_page_may_send_a_form() -> None:
    swap("web.app", "check_origin", lambda real: lambda request, session, body: None)


@_hole("GET /staff/{business}/customers")
def a_session_is_good_everywhere() -> None:
    def found(desk: Any, request: Any, business: str) -> Any:
        session = session_of(desk, session_token(request.headers))
        return _as(session, actor=_as(session.actor, business=business))

    swap("web.app", "member_session", lambda real: found)


@_hole("POST /staff/{business}/appointments/{id}/notes")
def a_viewer_may_write() -> None:
    def session(real: Callable[..., Any], *facts: Any) -> Any:
        found = real(*facts)
        scopes = ROLES["staff"] if found.actor.is_viewer else found.actor.scopes
        return _as(found, actor=_as(found.actor, is_viewer=False, scopes=scopes))

    swap("desk.sessions", "_session", lambda real: partial(session, real))


@_hole("GET /services")
def a_revoked_key_is_still_good() -> None:
    def value(real: Callable[..., Any]) -> Callable[..., Any]:
        def found(self: Any, key: Any, kind: Any) -> Any:
            kept = real(self, key, kind)
            return _as(kept, revoked=Instant(0)) if kind is ApiKey and kept else kept

        return found

    swap("ledger", "Reading.value", value)
