"""What a refused caller is told: what stands in the way, as far as they may know, and when it would do instead."""

from collections.abc import Callable, Iterable, Sequence

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Refused
from slotkeeper.core.rules import Facts
from slotkeeper.core.sheet import Claim, clash, live
from slotkeeper.core.slots import between, nearest, slots
from slotkeeper.core.ticks import DAY_SECONDS, Day, Instant, Window, day_of, format_instant
from slotkeeper.documents import Hold, appointment_key, hold_key, sheet_of
from slotkeeper.ledger import Reading, sheet_keys

ALTERNATIVES = 3
DAYS_LOOKED_AHEAD = 14


def rival(
    reading: Reading,
    business: str,
    calendars: Iterable[str],
    start: Instant,
    end: Instant,
    now: Instant,
    ignoring: Sequence[str],
) -> Claim | None:
    """The first live claim of any of the calendars that overlaps the span to the second."""
    keys = sheet_keys(business, calendars, start, end)
    reading.fetch(keys)
    return clash((sheet_of(reading.doc(key)) for key in keys), start, end, now, ignoring)


def explained(reading: Reading, business: str, refused: Refused, claim: Claim | None) -> Refused:
    """The refusal, with the times of what stands in the way; its id only among what staff may see."""
    if claim is None:
        return refused
    appointment = reading.value(appointment_key(business, claim.owner), Appointment)
    held = reading.value(hold_key(business, claim.owner), Hold) if appointment is None else None
    visit = appointment or held or claim
    refused.facts["conflictingAppointment"] = {
        "startTime": format_instant(visit.start),
        "endTime": format_instant(visit.end),
    }
    if appointment is not None:
        refused.private["appointmentId"] = appointment.id
        refused.private["customerId"] = appointment.customer_id
    return refused


def with_alternatives(refused: Refused, asked: Instant, facts_over: Callable[[Window], Facts]) -> Refused:
    """The refusal, with up to three starts close to the one that was asked."""
    first = Day(day_of(asked) - 2)
    facts = facts_over(Window.of_days(first, DAYS_LOOKED_AHEAD + 4))
    offers = slots(facts, Instant(asked - DAY_SECONDS), Instant(asked + DAYS_LOOKED_AHEAD * DAY_SECONDS))
    return _offering(refused, nearest(offers, asked, ALTERNATIVES), facts.service.duration_minutes * 60)


def with_gaps(
    reading: Reading,
    business: str,
    refused: Refused,
    calendars: Sequence[str],
    asked: Instant,
    seconds: int,
    now: Instant,
    ignoring: Sequence[str],
) -> Refused:
    """The refusal of a bare span, with up to three starts close by at which it fits between what is claimed."""
    earliest = max(now, Instant(asked - DAY_SECONDS)) if asked >= now else Instant(asked - DAY_SECONDS)
    latest = Instant(asked + DAYS_LOOKED_AHEAD * DAY_SECONDS)
    first, end = day_of(earliest), day_of(Instant(latest + seconds))
    days = reading.sheets(business, calendars, first, end - first + 1)
    claims = [claim for sheets in days for sheet in sheets for claim in live(sheet, now, ignoring)]
    return _offering(refused, nearest(between(claims, seconds, earliest, latest), asked, ALTERNATIVES), seconds)


def _offering(refused: Refused, starts: Sequence[Instant], seconds: int) -> Refused:
    refused.facts["alternatives"] = [
        {"startTime": format_instant(start), "endTime": format_instant(Instant(start + seconds))} for start in starts
    ]
    return refused
