"""Times as people at the place write and read them: on its wall clock, unless they name an offset."""

import re
from datetime import UTC, date, datetime, timedelta

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import Instant, format_instant, parse_day, parse_instant
from slotkeeper.core.zones import local, zone

_LOCAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{1,2}):([0-9]{2})(?::00)?")
_WORDS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def read_time(text: str, zone_name: str) -> Instant:
    """The instant of `2026-11-24 09:30` on the zone's wall clock, or of an RFC 3339 time with an offset.

    Raises:
        Invalid: it is neither, the clocks skip that time, or it comes twice and no offset says which is meant.
    """
    form = _LOCAL.fullmatch(text.strip())
    if form is None:
        return _with_offset(text.strip(), zone_name)
    found = _instants(form, text, zone_name)
    if not found:
        raise Invalid(
            f"{text} does not exist in {zone_name}: the clocks go forward then; choose a time before or after"
        )
    if len(found) == 2:
        either = " or ".join(local(instant, zone_name).isoformat() for instant in found)
        raise Invalid(f"{text} comes twice in {zone_name}, as the clocks go back: say which one, {either}")
    return found[0]


def read_date(text: str, zone_name: str, now: Instant) -> date:
    """The date of `2026-11-24`, or of today, tomorrow or yesterday in the zone.

    Raises:
        Invalid: it is none.
    """
    if text.lower() in _WORDS:
        return local(now, zone_name).date() + timedelta(days=_WORDS[text.lower()])
    return _date(text)


def day_start(day: date, zone_name: str) -> Instant:
    """The first instant that the zone's calendar shows as that date."""
    return Instant(int(datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)).timestamp()))


def shown(instant: Instant, zone_name: str) -> str:
    """The instant as `Tue 2026-11-24 09:30` on the zone's wall clock."""
    return f"{local(instant, zone_name):%a %Y-%m-%d %H:%M}"


def clock(instant: Instant, zone_name: str) -> str:
    """The instant as `09:30` on the zone's wall clock."""
    return f"{local(instant, zone_name):%H:%M}"


def _with_offset(text: str, zone_name: str) -> Instant:
    try:
        return parse_instant(text)
    except Invalid as error:
        raise Invalid(
            f"{text[:40]!r} is not a time: write it as '2026-11-24 09:30', read in {zone_name}, "
            "or with an offset as 2026-11-24T09:30:00+01:00"
        ) from error


def _date(text: str) -> date:
    parse_day(text)
    return date.fromisoformat(text)


def _instants(form: re.Match[str], text: str, zone_name: str) -> list[Instant]:
    """The instants at which the zone's wall clock shows the time: none, one or two, ascending."""
    try:
        wall = datetime.combine(_date(form[1]), datetime.min.time(), UTC).replace(
            hour=int(form[2]), minute=int(form[3]), tzinfo=None
        )
    except ValueError:
        raise Invalid(f"{text} is not a time: hours go to 23, minutes to 59") from None
    tries = {int(wall.replace(tzinfo=zone(zone_name), fold=fold).timestamp()) for fold in (0, 1)}
    found = [Instant(each) for each in sorted(tries) if local(Instant(each), zone_name).replace(tzinfo=None) == wall]
    return [parse_instant(format_instant(each)) for each in found]
