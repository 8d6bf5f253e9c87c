"""What a customer books, and who is needed for it."""

import re
from collections import Counter
from typing import Annotated, Literal

from msgspec import Meta

from slotkeeper.core.errors import Invalid
from slotkeeper.core.hours import minute_of
from slotkeeper.core.ticks import TICK_MINUTES
from slotkeeper.core.value import Id, Minutes, Name, Text, Value
from slotkeeper.core.zones import zone

ResourceKind = Literal["staff", "room", "equipment"]
Count = Annotated[int, Meta(ge=1, le=1000)]

_ADDRESS = re.compile(r"[^@\s\"<>,;:\\()\[\]]{1,64}@[^@\s\"<>,;:\\()\[\]]{1,189}")


class Business(Value, frozen=True, kw_only=True):
    """Whose calendars these are. `zone` is that of its place, and of services that name no other.

    `accent` is the colour of its pages, as `#rrggbb`; empty: ours.
    """

    name: Name
    zone: str = "UTC"
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")] = "en"
    location: Text = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    quiet_from: str = ""
    quiet_to: str = ""
    accent: Annotated[str, Meta(pattern=r"^(#[0-9a-fA-F]{6})?\Z")] = ""


class Resource(Value, frozen=True, kw_only=True):
    """Who or what can be busy. Without a schedule it is open around the clock; the schedule is read in its zone."""

    name: Name
    kind: ResourceKind = "staff"
    zone: str
    schedule_id: Id | None = None
    active: bool = True


class Pool(Value, frozen=True, kw_only=True):
    """Resources of which any one will do; the order settles who is taken when all are equally loaded."""

    name: Name
    resource_ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=5000)]


class Need(Value, frozen=True, kw_only=True):
    """Either all of `all_of`, or any `count` of the pool `any_of`."""

    all_of: Annotated[tuple[Id, ...], Meta(max_length=20)] = ()
    any_of: Id | None = None
    count: Annotated[int, Meta(ge=1, le=20)] = 1


class Service(Value, frozen=True, kw_only=True):
    """What a customer books: `duration_minutes` of everyone in `needs`, with buffers that keep others away.

    `day_limit` and `customer_limit` count the appointments that were booked or moved since the limit was set. One
    that is `remote` is not given at a place, but by phone or video: visitors are shown its times on their own clocks.
    """

    name: Name
    description: Text = ""
    duration_minutes: Annotated[int, Meta(ge=5, le=10_080)]
    buffer_before_minutes: Annotated[int, Meta(ge=0, le=1440)] = 0
    buffer_after_minutes: Annotated[int, Meta(ge=0, le=1440)] = 0
    notice_minutes: Minutes = 0
    horizon_days: Annotated[int, Meta(ge=1, le=3660)] = 365
    step_minutes: Annotated[int, Meta(ge=5, le=1440)] = 15
    needs: Annotated[tuple[Need, ...], Meta(min_length=1, max_length=10)]
    day_limit: Count | None = None
    customer_limit: Count | None = None
    needs_confirmation: bool = False
    confirm_within_minutes: Annotated[int, Meta(ge=5, le=525_600)] | None = None
    cancel_notice_minutes: Minutes = 0
    schedule_id: Id | None = None
    zone: str = ""
    location: Text = ""
    remote: bool = False
    public: bool = True
    active: bool = True


def check_business(business: Business) -> None:
    """Raises `Invalid` for an unknown zone, a mail address that is none, half a pair of quiet hours or one that is no
    time of day."""
    named_zone(business.zone, "zone")
    mail_address(business.email, "email")
    if bool(business.quiet_from) != bool(business.quiet_to):
        raise Invalid("quiet hours need both quietFrom and quietTo", field="quietFrom")
    for text in filter(None, (business.quiet_from, business.quiet_to)):
        minute_of(text)


def check_service(service: Service) -> None:
    """Raises `Invalid`, naming the field, for lengths off the 5-minute tick or needs that say nothing or both."""
    for field in ("duration_minutes", "buffer_before_minutes", "buffer_after_minutes", "step_minutes"):
        length = getattr(service, field)
        if length % TICK_MINUTES:
            raise Invalid(f"{length} minutes is not a multiple of {TICK_MINUTES}", field=_camel(field))
    if service.zone:
        named_zone(service.zone, "zone")
    if service.confirm_within_minutes and not service.needs_confirmation:
        raise Invalid("only a service with needsConfirmation has a time for it", field="confirmWithinMinutes")
    for number, need in enumerate(service.needs):
        if bool(need.all_of) == (need.any_of is not None):
            raise Invalid("a need names either allOf or anyOf", field=f"needs[{number}]")
        if need.all_of and need.count != 1:
            raise Invalid("count goes with anyOf", field=f"needs[{number}].count")


def check_apart(groups: list[tuple[str, ...]]) -> None:
    """Raises `Invalid` when a resource stands in two needs of one service: it cannot be there twice."""
    seen: set[str] = set()
    for group in groups:
        twice = seen.intersection(group) or {id for id, count in Counter(group).items() if count > 1}
        if twice:
            raise Invalid(f"resource {min(twice)} stands in two needs of one service", field="needs")
        seen.update(group)


def place_of(business: Business, service: Service | None) -> str:
    """Where a service is given: what it says itself, else where the business is, save for a remote one."""
    if service is not None and (service.location or service.remote):
        return service.location
    return business.location


def named_zone(name: str, field: str) -> None:
    """Raises `Invalid` at `field` unless `name` is an IANA time zone."""
    try:
        zone(name)
    except Invalid as error:
        raise error.within(field) from None


def mail_address(text: str, field: str) -> None:
    """Raises `Invalid` at `field` unless the text is a mail address, or empty."""
    if text and not _ADDRESS.fullmatch(text):
        raise Invalid("this is not a mail address: write it as name@example.com", field=field)


def _camel(field: str) -> str:
    head, *rest = field.split("_")
    return head + "".join(word.title() for word in rest)
