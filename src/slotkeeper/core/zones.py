"""Which names are time zones, and what a zone's wall clock shows.

The data is the tzdata package's, never the machine's: the same release answers alike on every machine, and a
new one comes with a lock file. `zoneinfo.ZoneInfo(name)` would ask the machine first.
"""

from datetime import UTC, date, datetime
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import DAY_TICKS, TICK_SECONDS, Instant, Tick, instant_of

_NO_ZONES = frozenset({"Factory"})
_EPOCH = date(1970, 1, 1).toordinal()
_SHOWN = 40

# Between 2000 and 2100 no zone keeps an offset for less than six days (a test looks): no probe leaps over one.
_PROBE_TICKS = 6 * DAY_TICKS


@cache
def zone_names() -> frozenset[str]:
    """Every name that is accepted: those that tzdata lists, so neither `localtime` nor `posix/...`."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(listed.split()) - _NO_ZONES


def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        Invalid: there is none.
    """
    return _zone(name)


def local(instant: Instant, name: str) -> datetime:
    """What the zone's calendar and wall clock show at the instant, aware.

    Raises:
        Invalid: there is no such zone.
    """
    return datetime.fromtimestamp(instant, _zone(name))


def is_twice(instant: Instant, name: str) -> bool:
    """Whether the zone's clock shows the same at another instant too, because it is put back.

    That other instant is looked at: zoneinfo alone finds some where there is none, after the last change in a zone's
    file (Nuuk in October 2023).

    Raises:
        Invalid: there is no such zone.
    """
    shown = local(instant, name)
    other = Instant(int(shown.replace(fold=1 - shown.fold).timestamp()))
    return other != instant and local(other, name).replace(tzinfo=None) == shown.replace(tzinfo=None)


def offsets(name: str, start: Tick, end: Tick) -> tuple[tuple[Tick, int], ...]:
    """The zone's offsets from UTC in `start <= tick < end`: from which tick on, how many ticks ahead.

    The first pair begins at `start`. A tick has the offset of its first second.

    Raises:
        Invalid: there is no such zone.
        ValueError: an offset is no whole number of ticks, as some were before 2000.
    """
    return _offsets(name, start, end)


@cache
def _zone(name: str) -> ZoneInfo:
    if name not in zone_names():
        shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "..."
        raise Invalid(f"{shown!r} is not a time zone: use an IANA name such as 'Europe/Berlin'")
    with resources.files("tzdata").joinpath("zoneinfo", name).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


@lru_cache(maxsize=4096)
def _offsets(name: str, start: Tick, end: Tick) -> tuple[tuple[Tick, int], ...]:
    years = range(_year(start), _year(end) + 1)
    changes = (change for year in years for change in _changes(name, year))
    return ((start, _offset(name, start)), *(change for change in changes if start < change[0] < end))


@lru_cache(maxsize=8192)
def _changes(name: str, year: int) -> tuple[tuple[Tick, int], ...]:
    """The ticks that begin a new offset, after the year's first tick and up to the next year's first."""
    changes = []
    last = _new_year(year + 1)
    low, before = _new_year(year), _offset(name, _new_year(year))
    while low < last:
        high = Tick(min(low + _PROBE_TICKS, last))
        after = _offset(name, high)
        if after != before:
            changes.append((_first_with(name, after, low, high), after))
        low, before = high, after
    return tuple(changes)


def _first_with(name: str, offset: int, low: Tick, high: Tick) -> Tick:
    """The first tick with the offset, when `low` is before it and `high` has it."""
    while high - low > 1:
        middle = Tick((low + high) // 2)
        if _offset(name, middle) == offset:
            high = middle
        else:
            low = middle
    return high


def _offset(name: str, tick: Tick) -> int:
    instant = instant_of(tick)
    shown = local(instant, name).replace(tzinfo=UTC)
    ticks, rest = divmod(int(shown.timestamp()) - instant, TICK_SECONDS)
    if rest:
        raise ValueError(f"the offset of {name} at tick {tick} is no whole number of ticks")
    return ticks


def _year(tick: Tick) -> int:
    return date.fromordinal(tick // DAY_TICKS + _EPOCH).year


def _new_year(year: int) -> Tick:
    return Tick((date(year, 1, 1).toordinal() - _EPOCH) * DAY_TICKS)
