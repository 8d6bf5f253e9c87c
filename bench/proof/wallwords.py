"""What must be said of times, and when reminders are due, by a wall clock that is read minute by minute.

None of it is taken from the service: not its zones, nor its words, nor its sums.
"""

from bench.proof.zonefile import WallClock

QUIET_FROM, QUIET_TO = 22 * 60, 7 * 60
"""Minutes of the day between which no reminder is sent; they pass midnight."""


def due(clock: WallClock, start: int, lead_minutes: int, now: int) -> int | None:
    """When a reminder is due: so long before, or in the last minute before quiet hours, or, where that has passed, in
    the first minute after them. None where it is too late for it."""
    usual = start - lead_minutes * 60
    if usual <= now:
        return None
    earlier = later = usual
    while _is_quiet(clock, earlier):
        earlier -= 60
    if earlier > now:
        return earlier
    while _is_quiet(clock, later):
        later += 60
    return later if later < start else None


def _is_quiet(clock: WallClock, at: int) -> bool:
    wall = clock.wall(at)
    minute = wall.hour * 60 + wall.minute
    return minute >= QUIET_FROM or minute < QUIET_TO


def in_mail(clock: WallClock, zone: str, start: int, end: int) -> str:
    """Such as `Sunday 29 March 2026, 01:30-03:30 (Europe/Berlin, UTC+1 - UTC+2)`."""
    first, last = clock.wall(start), clock.wall(end)
    if first.date() == last.date():
        text = f"{first:%A} {first.day} {first:%B %Y, %H:%M}-{last:%H:%M}"
    else:
        text = " - ".join(f"{wall:%A} {wall.day} {wall:%B %Y, %H:%M}" for wall in (first, last))
    offsets = [_offset(clock, start), _offset(clock, end)]
    return f"{text} ({zone}, {' - '.join(dict.fromkeys(offsets))})"


def on_page(clock: WallClock, at: int) -> str:
    """Such as `1:30 AM`, with the offset where the clock shows it twice: `2:30 AM UTC+1`."""
    wall = clock.wall(at)
    text = f"{wall.hour % 12 or 12}:{wall:%M} {'AM' if wall.hour < 12 else 'PM'}"
    return f"{text} {_offset(clock, at)}" if clock.is_twice(at) else text


def span_on_page(clock: WallClock, start: int, end: int) -> str:
    """Such as `Sunday, March 29, 2026, 1:30 AM-3:30 AM`, with the dash of the pages."""
    last = on_page(clock, end)
    if clock.wall(start).date() != clock.wall(end).date():
        last = f"{_date(clock, end)}, {last}"
    return f"{_date(clock, start)}, {on_page(clock, start)}\u2013{last}"


def in_calendar(clock: WallClock, start: int, end: int) -> tuple[str, str, str]:
    """What the staff calendar is told: wall times, and the offset where the clock shows the start twice."""
    seconds = clock.offset(start)
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
    offset = f"{sign}{minutes // 60:02}:{minutes % 60:02}" if clock.is_twice(start) else ""
    return f"{clock.wall(start):%Y-%m-%dT%H:%M}", f"{clock.wall(end):%Y-%m-%dT%H:%M}", offset


def _date(clock: WallClock, at: int) -> str:
    wall = clock.wall(at)
    return f"{wall:%A, %B} {wall.day}, {wall.year}"


def _offset(clock: WallClock, at: int) -> str:
    """Such as `UTC`, `UTC+1` or `UTC-3:30`."""
    seconds = clock.offset(at)
    hours, minutes = divmod(abs(seconds) // 60, 60)
    if not seconds:
        return "UTC"
    return f"UTC{'-' if seconds < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")
