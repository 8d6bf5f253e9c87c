"""Which document stands under which key, in which lists, and how it is written down.

Everything of one business begins with its id, so no key can reach another's. Bodies are JSON: a person with a
database shell can read them.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import msgspec
from msgspec import Meta

from slotkeeper.contracts import Doc, Key, ListName, Place, Put
from slotkeeper.core.appointment import Appointment, EventType
from slotkeeper.core.hours import Schedule
from slotkeeper.core.reminders import next_due
from slotkeeper.core.service import Business, Pool, Resource, Service
from slotkeeper.core.sheet import BLANK, Claim, Drawn, Sheet, added, drawn
from slotkeeper.core.ticks import Day, Instant, day_key
from slotkeeper.core.value import Value

T = TypeVar("T")

ENTRY_BYTES = 300
"""What remembering a thing costs beside its bytes, about."""

CatalogueKind = Literal["service", "resource", "pool", "schedule", "customer", "template"]


HOLD_KEPT_SECONDS = 86_400
"""An expired hold counts for nothing; a day later a store may forget it, should the courier not have taken it away."""


class TimeOff(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A span in which a resource is away, whatever its hours say."""

    id: str
    start: Instant
    end: Instant
    reason: str = ""


class Webhook(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True
):
    """An endpoint that is told of events. `types` empty: of all. `secret` signs what is sent (Standard Webhooks)."""

    url: str
    types: tuple[EventType, ...] = ()
    secret: str = ""
    active: bool = True


TemplateKind = Literal["reminder", "booked", "pending", "moved", "cancelled", "declined", "expired"]


class Template(Value, frozen=True, kw_only=True):
    """What a business says in place of our own words: for one kind of message, in one language or all (empty), for
    one service or all (empty). Without `html` the text is set in the common layout."""

    kind: TemplateKind
    language: Annotated[str, Meta(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?\Z")] = ""
    service_id: Annotated[str, Meta(max_length=128)] = ""
    subject: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\r\n\0]*\Z")]
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    html: Annotated[str, Meta(max_length=100_000)] = ""


class Hold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A claim that expires: `resource_ids` are kept for the service's visit at `start` until `expires`."""

    id: str
    service_id: str
    start: Instant
    end: Instant
    resource_ids: tuple[str, ...]
    expires: Instant
    by: str = ""
    fingerprint: str = ""
    tallies: tuple[tuple[str, str], ...] = ()
    claim_start: Instant
    claim_end: Instant


@lru_cache(maxsize=1024)
def business_key(business: str) -> Key:
    return Key(f"{business}/business", "profile")


def shelf_key(business: str, shelf: Literal["reminderRules", "webhooks"]) -> Key:
    """A small collection that every booking reads, kept whole in one document: `{id: value}`."""
    return Key(f"{business}/business", shelf)


def kind_part(business: str, kind: CatalogueKind) -> str:
    return f"{business}/{kind}"


@lru_cache(maxsize=4096)
def kind_key(business: str, kind: CatalogueKind, id: str) -> Key:
    return Key(kind_part(business, kind), id)


@lru_cache(maxsize=1024)
def catalogue_parts(business: str) -> tuple[str, ...]:
    """The parts that say who gives which service when: the business's own, its catalogue, and who is away."""
    kinds: tuple[CatalogueKind, ...] = ("service", "resource", "pool", "schedule")
    return (
        business_key(business).part,
        *(kind_part(business, kind) for kind in kinds),
        time_off_key(business, "").part,
    )


def time_off_key(business: str, resource_id: str) -> Key:
    return Key(f"{business}/timeOff", resource_id)


def sheet_part(business: str, calendar: str) -> str:
    return f"{business}/sheet/{calendar}"


def sheet_key(business: str, calendar: str, day: Day) -> Key:
    return Key(sheet_part(business, calendar), day_key(day))


def day_tally_key(business: str, service_id: str, date: str) -> Key:
    """Who counts against a service's limit on one local date: a sheet of claims, like any other."""
    return Key(f"{business}/tally/{service_id}", f"day/{date}")


def customer_tally_key(business: str, service_id: str, customer_id: str) -> Key:
    """Who counts against a service's limit per customer."""
    return Key(f"{business}/tally/{service_id}", f"customer/{customer_id}")


def appointment_key(business: str, id: str) -> Key:
    return Key(f"{business}/appointment/{id}", "appointment")


def hold_key(business: str, id: str) -> Key:
    return Key(f"{business}/hold/{id}", "hold")


def notification_key(business: str, id: str) -> Key:
    return Key(f"{business}/notification/{id}", "notification")


def event_key(business: str, number: int) -> Key:
    """The published events, numbered without a gap in the order of their publication."""
    return Key(f"{business}/event", f"{number:012d}")


def event_count_key(business: str) -> Key:
    return Key(f"{business}/eventCount", "count")


def audit_key(business: str, at: Instant, id: str) -> Key:
    return Key(f"{business}/audit", f"{at:012d}/{id}")


def api_key_key(prefix: str) -> Key:
    """API keys are found by their public prefix before any business is known."""
    return Key(f"-/apiKey/{prefix}", "apiKey")


def api_key_place(business: str, prefix: str) -> Key:
    """The business's own list of its keys' prefixes."""
    return Key(f"{business}/apiKey", prefix)


def logo_key(business: str) -> Key:
    """Apart from the profile, which every booking reads."""
    return Key(f"{business}/logo", "logo")


def member_key(business: str, id: str) -> Key:
    return Key(f"{business}/member", id)


def owners_key(business: str) -> Key:
    """The ids of the members who are active owners, in one document: of two who change them at once, one must wait."""
    return Key(f"{business}/owners", "owners")


def session_key(prefix: str) -> Key:
    """Sessions are found by their public prefix before any business is known."""
    return Key(f"-/session/{prefix}", "session")


def session_place(business: str, member_id: str, expires: Instant, prefix: str) -> Key:
    """The member's own list of their sessions' prefixes, by when they end."""
    return Key(f"{business}/session/{member_id}", f"{expires:012d}/{prefix}")


def link_secret_key(business: str) -> Key:
    """What the business's links are signed with: a document of bytes."""
    return Key(f"{business}/linkSecret", "linkSecret")


def business_of(key: Key) -> str:
    """The business that a document belongs to; `-` for those that belong to none."""
    return key.part.split("/", 1)[0]


def encoded(value: object) -> bytes:
    return _encode(value)


def decoded(doc: Doc, kind: type[T]) -> T:
    """The document's value. A body that does not decode is a damaged store, not a caller's fault."""
    form = cast("Any", kind)
    value: T = _known_value(form, doc.body) if kind in _CATALOGUE else _decoder(form).decode(doc.body)
    return value


class _Known(Generic[T]):
    """What bytes say, as they were read or written before: a search meets most sheets as the last one did.

    It takes about `most_bytes` of memory. A value takes `times` as much as the bytes that say it, these included.
    """

    def __init__(self, most_bytes: int, times: int, read: Callable[[bytes], T]) -> None:
        self._most_bytes, self._times, self._read = most_bytes, times, read
        self._found: dict[bytes, T] = {}
        self._bytes = 0

    def of(self, body: bytes) -> T:
        """What the bytes say."""
        found = self._found.get(body)
        return self.know(body, self._read(body)) if found is None else found

    def know(self, body: bytes, value: T) -> T:
        """Remember what the bytes say, and forget what was remembered first when that is too much."""
        if body not in self._found:
            self._bytes += self._size(body)
        self._found[body] = value
        while self._bytes > self._most_bytes:
            oldest = next(iter(self._found))
            del self._found[oldest]
            self._bytes -= self._size(oldest)
        return value

    def _size(self, body: bytes) -> int:
        return len(body) * self._times + ENTRY_BYTES


def sheet_of(doc: Doc | None) -> Sheet:
    return () if doc is None else _sheets.of(doc.body)


def drawn_of(doc: Doc | None) -> Drawn:
    """The document's sheet, drawn."""
    return BLANK if doc is None else _drawings.of(doc.body)


def body_with(doc: Doc | None, claim: Claim, now: Instant) -> bytes:
    """The document's sheet with the claim entered, see `sheet.added`."""
    before = sheet_of(doc)
    after = added(before, claim, now)
    body = encoded(after)
    _sheets.know(body, after)
    if len(after) == len(before) + 1:
        _drawings.know(body, drawn_of(doc).with_claim(claim))
    return body


def agenda_sort(appointment: Appointment) -> str:
    """The appointment's place in the lists that go by start."""
    return f"{appointment.start:012d}/{appointment.id}"


def appointment_put(business: str, appointment: Appointment) -> Put:
    """The appointment with its places: by start, by customer, and by when it next wants the courier's attention."""
    sort = agenda_sort(appointment)
    places: dict[ListName, Place] = {"start": Place(business, sort)}
    if appointment.customer_id:
        places["customer"] = Place(f"{business}/{appointment.customer_id}", sort)
    due = attention(appointment)
    if due is not None:
        places["due"] = Place("due", f"{due:012d}/{business}/{appointment.id}")
    return Put(appointment_key(business, appointment.id), encoded(appointment), places)


def hold_put(business: str, hold: Hold) -> Put:
    places: dict[ListName, Place] = {"due": Place("due", f"{hold.expires:012d}/{business}/{hold.id}")}
    return Put(hold_key(business, hold.id), encoded(hold), places, until=Instant(hold.expires + HOLD_KEPT_SECONDS))


def attention(appointment: Appointment) -> Instant | None:
    """When the courier must look at the appointment next: to publish an event, send a message, or let it expire."""
    if appointment.published < len(appointment.events):
        return appointment.events[appointment.published].at
    dues = [due for due in (next_due(appointment.messages), appointment.expires or None) if due is not None]
    return min(dues, default=None)


_CATALOGUE: frozenset[Any] = frozenset({Business, Service, Resource, Pool, Schedule})


@lru_cache(maxsize=4096)
def _known_value(kind: Any, body: bytes) -> Any:
    """Every booking reads the same few things of the catalogue; they are frozen, so they can be shared."""
    return _decoder(kind).decode(body)


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> Any:
    return msgspec.json.Decoder(kind)


_encode = msgspec.json.Encoder().encode
_decode_sheet = msgspec.json.Decoder(tuple[Claim, ...]).decode
_sheets = _Known[Sheet](10_000_000, 5, _decode_sheet)
# Who only looks needs the drawing alone: the claims would take five times as much.
_drawings = _Known[Drawn](12_000_000, 1, lambda body: drawn(_decode_sheet(body)))
