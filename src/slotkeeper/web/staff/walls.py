"""The wall clock of a business's place: what it shows at an instant, and which instant is meant by what it shows."""

import re
from datetime import UTC, date, datetime, timedelta

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import FIRST_YEAR, LAST_YEAR, Instant
from slotkeeper.core.zones import is_twice, local, zone

_WALL = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::00)?")
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")
_SHOWN = 40


def wall_text(instant: Instant, zone_name: str) -> str:
    """What calendar and clock show, such as `2026-11-24T09:30`; of an hour that comes twice the same both times."""
    return local(instant, zone_name).strftime("%Y-%m-%dT%H:%M")


def offset_text(instant: Instant, zone_name: str) -> str:
    """The offset, such as `+02:00`, of an instant whose wall time comes twice; empty for any other."""
    return _offset_of(local(instant, zone_name)) if is_twice(instant, zone_name) else ""


def instant_at(text: str, zone_name: str, field: str, offset: str = "") -> Instant:
    """The instant at which the wall clock shows what the text says; of two the earlier, unless the offset names one.

    Raises:
        Invalid: it is no such time, the clock leaps over it, or it never has that offset then.
    """
    wall = _wall(text, field)
    both = (wall.replace(tzinfo=zone(zone_name), fold=fold) for fold in (0, 1))
    found = [each for each in both if each.astimezone(UTC).astimezone(each.tzinfo).replace(tzinfo=None) == wall]
    if not found:
        raise Invalid(
            f"{wall:%H:%M} does not exist on {wall:%Y-%m-%d}: the clocks of {zone_name} are put forward over it",
            field=field,
        )
    if not offset:
        return _instant(found[0])
    for each in found:
        if each.utcoffset() == _offset(offset, field):
            return _instant(each)
    raise Invalid(f"the clocks of {zone_name} never have the offset {offset} then", field=field)


def instant_after(start: Instant, text: str, zone_name: str, field: str) -> Instant:
    """The instant at which the wall clock shows what the text says; of two the first that is after the start.

    Raises:
        Invalid: as for `instant_at`.
    """
    earlier = instant_at(text, zone_name, field)
    if earlier > start:
        return earlier
    return _instant(local(earlier, zone_name).replace(fold=1))


def start_of(day: date, zone_name: str) -> Instant:
    """The first instant of a date; where its midnight is leapt over, that of the leap."""
    return _instant(datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)))


def date_in(text: str, field: str) -> date:
    """The date that a field names. Raises `Invalid` when it names none, or one out of range."""
    return _wall(f"{text}T00:00", field).date()


def today(now: Instant, zone_name: str) -> date:
    """The date that the calendar shows now."""
    return local(now, zone_name).date()


def _wall(text: str, field: str) -> datetime:
    form = _WALL.fullmatch(text)
    try:
        year, month, day, hour, minute = (int(part) for part in form.groups()) if form else (0,) * 5
        wall = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - a wall time, until its zone is put to it
    except ValueError:
        shown = repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
        raise Invalid(f"{shown} is no wall time: write it as 2026-11-24T09:30", field=field) from None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid(f"{year} is out of range: use a year from {FIRST_YEAR} to {LAST_YEAR}", field=field)
    return wall


def _offset(text: str, field: str) -> timedelta:
    form = _OFFSET.fullmatch(text)
    if form is None:
        raise Invalid("an offset is written as +01:00", field=field)
    length = timedelta(hours=int(form[2]), minutes=int(form[3]))
    return length if form[1] == "+" else -length


def _offset_of(shown: datetime) -> str:
    text = shown.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def _instant(wall: datetime) -> Instant:
    return Instant(int(wall.timestamp()))
