"""A check-up of live data: claims and appointments agree, and nothing overlaps that nobody allowed to.

It asks no rule of the booking code: it holds every sheet against the appointments and holds, and the reverse.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from slotkeeper.contracts import Doc, Key, Store
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.sheet import Claim, Sheet, live
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.documents import Hold, appointment_key, business_of, decoded, hold_key, sheet_of
from slotkeeper.ledger import claim_keys, hold_keys


@dataclass(slots=True)
class CheckUp:
    """What was looked at, and what is wrong; `overrides` are the overlaps that staff allowed with a reason."""

    documents: int = 0
    appointments: int = 0
    claims: int = 0
    overrides: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.complaints


def examine(store: Store, now: Instant, progress: Callable[[int], object] = lambda documents: None) -> CheckUp:
    """Look at every document, in constant memory. While others write, a complaint may be about a change under way:
    each is looked at a second time before it counts."""
    found = CheckUp()
    for doc in store.walk():
        found.documents += 1
        if found.documents % 1000 == 0:
            progress(found.documents)
        first = _complaints(store, doc, now, found)
        if first:
            found.complaints += _still(store, doc.key, now, first)
    progress(found.documents)
    return found


def _still(store: Store, key: Key, now: Instant, complaints: list[str]) -> list[str]:
    """Those complaints that are true of the document as it is now; all of them when it cannot be read."""
    try:
        doc = store.read([key]).get(key)
    except msgspec.MsgspecError:
        return complaints
    still = _complaints(store, doc, now, CheckUp())
    return [complaint for complaint in complaints if complaint in still]


def _complaints(store: Store, doc: Doc | None, now: Instant, found: CheckUp) -> list[str]:
    if doc is None:
        return []
    try:
        return list(_looked_at(store, doc, now, found))
    except msgspec.MsgspecError as error:
        return [f"{'/'.join(doc.key)}, or what it leads to, cannot be read: {error}"]


def _looked_at(store: Store, doc: Doc, now: Instant, found: CheckUp) -> Iterator[str]:
    business = business_of(doc.key)
    kind = doc.key.part.split("/")[1]
    if kind == "appointment":
        found.appointments += 1
        yield from _of_appointment(store, business, decoded(doc, Appointment), now)
    elif kind in ("sheet", "tally"):
        yield from _of_sheet(store, business, doc, now, found)


def _of_appointment(store: Store, business: str, appointment: Appointment, now: Instant) -> Iterator[str]:
    """Whether each of its sheets holds its claim when it claims time, and none when it does not.

    A claim that has expired may be there or not: the next one who writes the sheet sweeps it away.
    """
    expected = Claim(appointment.id, appointment.claim_start, appointment.claim_end, appointment.expires)
    keys = claim_keys(business, appointment)
    docs = store.read(keys)
    for key in keys:
        claims = [claim for claim in sheet_of(docs.get(key)) if claim.owner == appointment.id]
        if appointment.is_claiming and not expected.is_live(now) and not claims:
            continue
        if claims != ([expected] if appointment.is_claiming else []):
            yield f"{appointment.status} appointment {appointment.id} has {len(claims)} claims in {'/'.join(key)}"


def _of_sheet(store: Store, business: str, doc: Doc, now: Instant, found: CheckUp) -> Iterator[str]:
    """Whether each claim belongs to an appointment or hold that knows of this sheet, and, in a calendar's sheet, no
    two live claims overlap."""
    sheet = sheet_of(doc)
    found.claims += len(sheet)
    where = "/".join(doc.key)
    for claim in live(sheet, now):
        if not _is_owned(store, business, doc.key, claim):
            yield f"the claim of {claim.owner} in {where} belongs to nothing that claims it"
    if "/sheet/" in doc.key.part:
        yield from _overlaps(store, business, where, live(sheet, now), found)


def _is_owned(store: Store, business: str, key: Key, claim: Claim) -> bool:
    keys = appointment_key(business, claim.owner), hold_key(business, claim.owner)
    docs = store.read(keys)
    if keys[0] in docs:
        appointment = decoded(docs[keys[0]], Appointment)
        return appointment.is_claiming and key in claim_keys(business, appointment)
    return keys[1] in docs and key in hold_keys(business, decoded(docs[keys[1]], Hold))


def _overlaps(store: Store, business: str, where: str, claims: Sheet | list[Claim], found: CheckUp) -> Iterator[str]:
    """By start, each claim is held against the one before it that reaches furthest."""
    furthest: Claim | None = None
    for claim in sorted(claims, key=lambda each: each.start):
        if furthest is not None and claim.start < furthest.end:
            if _was_allowed(store, business, claim, furthest):
                found.overrides += 1
            else:
                yield f"{claim.owner} and {furthest.owner} overlap in {where} at {format_instant(claim.start)}"
        if furthest is None or claim.end > furthest.end:
            furthest = claim


def _was_allowed(store: Store, business: str, *claims: Claim) -> bool:
    keys = [appointment_key(business, claim.owner) for claim in claims]
    return any(decoded(doc, Appointment).overrode for doc in store.read(keys).values())
