"""From one local date to another: which days a page asks for, and the instants between which they lie."""

from datetime import date, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import Instant
from slotkeeper.web.staff.walls import date_in, start_of, today

MAX_DAYS = 35


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """From one local date up to another, which is not included: today, unless said otherwise."""

    from_: Annotated[str, Meta(max_length=10)] = msgspec.field(default="", name="from")
    to: Annotated[str, Meta(max_length=10)] = ""


class Stretch(msgspec.Struct, frozen=True):
    """The days from `first` up to `last`, which is not included, as instants: `start <= at < end`."""

    first: date
    last: date
    start: Instant
    end: Instant


def stretch_of(days: Days, zone: str, now: Instant) -> Stretch:
    """The days in the zone. Raises `Invalid` when they are none, or more than 35."""
    first = date_in(days.from_, "from") if days.from_ else today(now, zone)
    last = date_in(days.to, "to") if days.to else first + timedelta(days=1)
    if not first < last <= first + timedelta(days=MAX_DAYS):
        raise Invalid(f"to must be after from, at most {MAX_DAYS} days", field="to")
    return Stretch(first, last, start_of(first, zone), start_of(last, zone))
