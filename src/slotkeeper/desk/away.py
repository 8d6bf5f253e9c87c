"""What is booked while somebody is away: noting an absence cancels nothing."""

from collections.abc import Sequence

from slotkeeper.contracts import Range
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Instant, day_of
from slotkeeper.desk.desk import Desk
from slotkeeper.documents import TimeOff, appointment_key, decoded, sheet_key, sheet_of
from slotkeeper.ledger import Reading

MOST = 100
"""How many appointments are told of at once."""

_OPEN = frozenset({"pending", "booked", "checkedIn"})


def clashes(desk: Desk, actor: Actor, resource_id: str, absences: Sequence[TimeOff]) -> list[list[Appointment]]:
    """For each absence the appointments to come, by start, that the resource has then: the nearest 100 in all.

    The resource's own sheets are read, so that it takes no longer where others have many appointments.
    """
    now = desk.now()
    last = max((absence.end for absence in absences), default=now)
    if last <= now:
        return [[] for _ in absences]
    first_key, last_key = (sheet_key(actor.business, resource_id, day_of(each)) for each in (now, last))
    [docs] = desk.store.read_ranges([Range(first_key.part, first_key.sort, last_key.sort)])
    # Sheets come by day, and in each the claims stand by start.
    claims = {claim.owner: claim for doc in docs for claim in sheet_of(doc) if claim.is_live(now) and claim.end > now}
    touched = [each for each in claims.values() if any(_touches(each, absence) for absence in absences)]
    keys = [appointment_key(actor.business, claim.owner) for claim in touched[:MOST]]
    reading = Reading(desk.store)
    reading.fetch(keys)
    # A hold has a claim and no appointment; it is over within minutes.
    found = [decoded(doc, Appointment) for doc in map(reading.doc, keys) if doc is not None]
    booked = [each for each in found if each.status in _OPEN and each.end > now]
    return [[each for each in booked if _meets(each, absence)] for absence in absences]


def _touches(claim: Claim, absence: TimeOff) -> bool:
    return claim.overlaps(Instant(absence.start), Instant(absence.end))


def _meets(appointment: Appointment, absence: TimeOff) -> bool:
    """Whether the visit itself, without its buffers, falls into the absence."""
    return appointment.start < absence.end and absence.start < appointment.end
