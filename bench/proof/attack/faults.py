"""Builds that are broken on purpose, as such services have been: a value that raises, a check that was left out, an
answer that is not as it is told."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from bench.proof.attack.breaking import Fault, Planting, noted_in, swap
from slotkeeper.core.errors import Invalid, Missing, Refused, SlotkeeperError
from slotkeeper.desk import catalogue
from slotkeeper.web.problems import TABLE, Kind

FAULTS: dict[str, Fault] = {}
"""By name."""


def _fault(*places: str) -> Callable[[Planting], Planting]:
    return noted_in(FAULTS, *places)


@_fault("POST /customers")
def a_name_that_grows_when_its_case_is_changed_raises() -> None:
    kind, prefix, check = catalogue.KINDS["customer"]

    def checked(reading: Any, business: str, value: Any) -> None:
        assert len(value.name.casefold()) == len(value.name), "the column for sorting is too narrow"
        check(reading, business, value)

    catalogue.KINDS["customer"] = (kind, prefix, checked)


@_fault("POST /appointments")
def unsafe_characters_are_let_through() -> None:
    swap("web.bodies", "safe_text", lambda real: lambda text, field, *, is_multi_line=False: text)


@_fault("POST /appointments")
def numbers_of_any_length_are_read() -> None:
    swap("web.bodies", "_decoder", lambda real: json.JSONDecoder(object_pairs_hook=real.object_pairs_hook))


@_fault("POST /appointments")
def any_depth_is_read() -> None:
    class Trusting(json.JSONDecoder):
        def decode(self, s: str, _w: Any = None) -> Any:
            try:
                return super().decode(s)
            except RecursionError as error:
                raise AssertionError from error

    swap("web.bodies", "_decoder", lambda real: Trusting())
    swap("web.bodies", "MAX_DEPTH", lambda real: 10**9)


@_fault("POST /resources")
def any_zone_of_the_machine_is_taken() -> None:
    def zone(name: str) -> ZoneInfo:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise Invalid(f"{name!r} is not a time zone") from None

    swap("core.zones", "_zone", lambda real: zone)


@_fault("GET /slots", "POST /appointments")
def any_year_is_taken() -> None:
    swap("core.ticks", "_AFTER_LAST_INSTANT", lambda real: 10**12)


@_fault("GET /slots", "POST /appointments")
def times_are_read_as_the_language_reads_them() -> None:
    def instant(text: str, field: str) -> int:
        try:
            return int(datetime.fromisoformat(text).timestamp())
        except ValueError:
            raise Invalid(f"{text[:40]!r} is no time", field=field) from None

    for module in ("web.appointments", "web.queries", "web.slots", "web.shelves"):
        swap(module, "instant", lambda real: instant)


class _Gone(SlotkeeperError):
    """It was there once."""


@_fault("POST /holds", "DELETE /holds/{id}")
def a_hold_that_is_gone_is_410() -> None:
    TABLE[_Gone] = Kind(410, "gone")

    def released(real: Callable[..., None], *facts: Any) -> None:
        try:
            real(*facts)
        except Missing as error:
            raise _Gone(str(error)) from None

    swap("desk.holds", "release_hold", lambda real: partial(released, real))


@_fault("GET /appointments", "POST /appointments")
def the_cursor_of_a_next_page_is_a_number() -> None:
    swap("web.appointments", "cursor_of", lambda real: lambda after: after and int(after.partition("/")[0]))


@_fault("POST /holds", "GET /holds/{id}")
def a_hold_tells_who_made_it() -> None:
    swap("web.slots", "hold_view", lambda real: lambda hold: {**msgspec.to_builtins(real(hold)), "by": hold.by})


@_fault("GET /customers")
def the_list_of_customers_is_that_of_all_businesses() -> None:
    def items(real: Callable[..., Any], desk: Any, actor: Any, kind: Any) -> Any:
        found = real(desk, actor, kind)
        if kind != "customer":
            return found
        others = {doc.key.part.partition("/")[0] for doc in desk.store.walk()} - {actor.business, "-"}
        return [*found, *(each for other in others for each in real(desk, _of(actor, other), kind))]

    swap("desk.catalogue", "items", lambda real: partial(items, real))


def _of(actor: Any, business: str) -> Any:
    return msgspec.structs.replace(actor, business=business)


@_fault("POST /appointments")
def a_conflict_is_told_as_plain_json() -> None:
    def told(real: Callable[..., Any], *facts: Any) -> Any:
        response = real(*facts)
        plain = tuple((name, "application/json" if name == "content-type" else text) for name, text in response.headers)
        return msgspec.structs.replace(response, headers=plain) if response.status == 409 else response

    swap("web.app", "answer_to", lambda real: partial(told, real))


@_fault("PUT /business")
def a_mark_that_is_no_number_raises() -> None:
    swap("web.app", "seen_revision", lambda real: lambda headers: str(int(real(headers) or 0) or ""))


@_fault("GET /business")
def a_list_of_marks_raises() -> None:
    def compared(real: Callable[..., bool], headers: Any, tag: str) -> bool:
        [_] = headers.get("if-none-match", "").split(",")
        return real(headers, tag)

    swap("web.app", "is_unchanged", lambda real: partial(compared, real))


@_fault("POST /appointments", "POST /appointments/{id}/confirm", "POST /appointments/{id}/decline")
def what_was_confirmed_and_is_declined_then_raises() -> None:
    def acted(real: Callable[..., Any], desk: Any, actor: Any, action: Any, request: Any) -> Any:
        try:
            return real(desk, actor, action, request)
        except Refused as refused:
            if action == "decline" and "booked" in refused.message:
                raise KeyError(action) from refused
            raise

    swap("desk.changing", "act", lambda real: partial(acted, real))


@_fault("GET /audit")
def a_page_after_the_last_raises() -> None:
    def found(real: Callable[..., Any], cursor: str, form: Any) -> Any:
        after = real(cursor, form)
        assert after is None or not after.startswith("9"), "there is no such page"
        return after

    swap("web.journal", "after_of", lambda real: partial(found, real))


@_fault("PUT /schedules/{id}", "POST /schedules")
def a_day_that_ends_at_24_00_ends_at_1440() -> None:
    def shown(real: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        return lambda self, item: msgspec.json.decode(
            msgspec.json.encode(real(self, item)).replace(b'"24:00"', b"1440")
        )

    swap("web.things", "Collection._shown", shown)


@_fault("GET /staff/{business}/signed-in")
def whoever_has_signed_in_is_sent_anywhere() -> None:
    swap("web.staff.signing_in", "ours", lambda real: lambda call, place: place)


@_fault("GET /staff/{business}/customers")
def what_was_typed_runs() -> None:
    def environment(real: Callable[..., Any], speech: Any) -> Any:
        found = real(speech)
        found.autoescape = False
        return found

    swap("web.look.drawing", "_environment", lambda real: partial(environment, real))


@_fault("GET /{business}/{service}", "GET /{business}")
def a_language_of_no_weight_raises() -> None:
    def found(real: Callable[..., Any], asked: str, accepted: str, usual: str) -> Any:
        for each in accepted.split(","):
            float(each.partition(";q=")[2] or 1)
        return real(asked, accepted, usual)

    swap("web.visitors.guest", "chosen", lambda real: partial(found, real))
