"""A whole business as JSON Lines: every thing of its catalogue and every appointment, as it is kept.

Unlike rows, these lines keep everything: ids, states, events, reminders that are still owed. Keys, sessions and the
passwords of members are left out: they are credentials, and only their hashes are known. What links are signed with
goes along, so that those in customers' mails hold in the new home; whoever has the file could sign such links.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal

import msgspec
from msgspec import structs
from msgspec.structs import replace

from slotkeeper.cli.session import Office
from slotkeeper.contracts import Doc, Put, Range, Store
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Invalid, Outdated, Refused, Taken
from slotkeeper.core.logo import Logo
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import Business, named_zone
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.desk import catalogue, members
from slotkeeper.desk.catalogue import KINDS, SHELVES
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.refusing import explained, rival
from slotkeeper.documents import (
    CatalogueKind,
    TimeOff,
    Webhook,
    appointment_key,
    appointment_put,
    business_key,
    decoded,
    encoded,
    kind_key,
    kind_part,
    link_secret_key,
    logo_key,
    shelf_key,
    time_off_key,
)
from slotkeeper.ledger import Draft, Reading, enter, settle
from slotkeeper.linking import SECRET_BYTES
from slotkeeper.web.routes import ID

_ORDER: tuple[CatalogueKind, ...] = ("schedule", "resource", "pool", "service", "customer", "template")
ORDER = tuple(kind for kind in _ORDER if kind in KINDS)
"""What refers to others comes after them."""

PAGE = 200

BEYOND = Instant(2**32)
"""A time in 2106: later than any that can be asked for, also by a claim or a lead."""
LONGEST_SECONDS = 366 * DAY_SECONDS

EMPTYING: dict[catalogue.Shelf, Any] = {
    "reminderRules": ReminderRule(lead_minutes=60),
    "webhooks": Webhook(url="https://example.com", active=False),
}
"""What stands on a shelf for a moment, so that it is there when it is gone again."""


class Copied(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line: a thing, and what it is called. Times within `value` are seconds since 1970-01-01T00:00Z."""

    kind: Literal[
        "business",
        "schedule",
        "resource",
        "pool",
        "service",
        "customer",
        "template",
        "timeOff",
        "reminderRules",
        "webhooks",
        "logo",
        "linkSecret",
        "member",
        "appointment",
    ]
    id: str
    value: msgspec.Raw


def lines(office: Office) -> Iterator[bytes]:
    """The business, line by line; what is referred to comes first. Each kind of thing is held in memory at once,
    appointments a page at a time."""
    business, store = office.actor.business, office.home.store
    yield _line("business", business, office.profile)
    for kind in ORDER:
        for doc in _all(store, kind_part(business, kind)):
            yield _line(kind, doc.key.sort, msgspec.Raw(doc.body))
    for doc in _all(store, time_off_key(business, "").part):
        yield _line("timeOff", doc.key.sort, msgspec.Raw(doc.body))
    for shelf in SHELVES:
        kept = store.read([shelf_key(business, shelf)])
        for whole in kept.values():
            yield _line(shelf, shelf, msgspec.Raw(whole.body))
    for key, name in ((logo_key(business), "logo"), (link_secret_key(business), "linkSecret")):
        for doc in store.read([key]).values():
            yield _line(name, name, msgspec.Raw(doc.body))
    # Owners first: without one there is nobody to let others in.
    for item in sorted(members.members(office.desk, business), key=lambda item: (not item.value.is_ruling, item.id)):
        yield _line("member", item.id, _without_password(item.value))
    for appointment in appointments(office):
        yield _line("appointment", appointment.id, appointment)


def _all(store: Store, part: str) -> list[Doc]:
    """A part as a whole: a walk would read a whole table for it."""
    [docs] = store.read_ranges([Range(part, "", "\U0010ffff")])
    return docs


def appointments(office: Office, first: str = "", last: str = "\U0010ffff") -> Iterator[Appointment]:
    """The appointments with a place in `first..last` of the list by start, in constant memory."""
    store, after = office.home.store, None
    while True:
        page = store.list("start", office.actor.business, first=first, last=last, after=after, limit=PAGE)
        yield from (decoded(doc, Appointment) for doc in page.docs)
        if page.after is None:
            return
        after = page.after


def business_in(line: str) -> tuple[str, Business] | None:
    """The business that a copy begins with; None when the line is none of a copy's."""
    try:
        copied = msgspec.json.decode(line, type=Copied)
        is_business = copied.kind == "business" and ID.match(copied.id)
        return (copied.id, msgspec.json.decode(copied.value, type=Business)) if is_business else None
    except (msgspec.MsgspecError, RecursionError):
        return None


def put(desk: Desk, actor: Actor, line: str) -> bool:
    """Keep what the line tells of; returns whether it was there already, just so.

    What we wrote is well-formed; what comes from elsewhere may hold ids and times that no key and no clock can show.

    Raises:
        Invalid: the line cannot be read, or tells of what cannot be. Refused: something else stands in its place.
    """
    try:
        copied = msgspec.json.decode(line, type=Copied)
        _check_ids(copied.id)
        return _put(desk, actor, copied)
    except msgspec.MsgspecError as error:
        raise Invalid(f"this is no line of a copy: {error}") from error
    except RecursionError:
        raise Invalid("the line is nested too deep") from None


def _line(kind: str, id: str, value: object) -> bytes:
    return msgspec.json.encode({"kind": kind, "id": id, "value": value}) + b"\n"


def _put(desk: Desk, actor: Actor, copied: Copied) -> bool:
    match copied.kind:
        case "business":
            profile = msgspec.json.decode(copied.value, type=Business)
            kept = Reading(desk.store).value(business_key(actor.business), Business)
            return _once(
                kept, profile, "business", lambda: catalogue.put_profile(desk, actor, profile, seen_version="0")
            )
        case "timeOff":
            return _put_time_off(desk, actor, copied)
        case "logo":
            logo = msgspec.json.decode(copied.value, type=Logo)
            stands = Reading(desk.store).value(logo_key(actor.business), Logo)
            return _once(stands, logo, "a logo", lambda: catalogue.put_logo(desk, actor, logo, seen_version="0"))
        case "linkSecret":
            return _put_link_secret(desk, actor, msgspec.json.decode(copied.value, type=bytes))
        case "member":
            return _put_member(desk, actor, msgspec.json.decode(copied.value, type=members.Member))
        case "reminderRules" | "webhooks":
            return _put_shelf(desk, actor, copied.kind, copied.value)
        case "appointment":
            return _put_appointment(desk, actor, msgspec.json.decode(copied.value, type=Appointment))
        case kind:
            return _put_thing(desk, actor, kind, copied)


def _once(kept: object, value: object, what: str, keep: Callable[[], object]) -> bool:
    """Keep a value where nothing is; returns whether the same stands there already.

    Raises:
        Refused: something else does.
    """
    if kept is None:
        try:
            keep()
        except Outdated:
            kept = ...
    if kept is None or kept == value:
        return kept is not None
    raise Refused(f"{what} is here already, and is not the same")


def _put_thing(desk: Desk, actor: Actor, kind: CatalogueKind, copied: Copied) -> bool:
    value = msgspec.json.decode(copied.value, type=KINDS[kind][0])
    key = kind_key(actor.business, kind, copied.id)
    kept = Reading(desk.store).value(key, KINDS[kind][0])
    what = f"{kind} {copied.id}"
    return _once(kept, value, what, lambda: catalogue.put(desk, actor, kind, copied.id, value, seen_version="0"))


def _put_link_secret(desk: Desk, actor: Actor, secret: bytes) -> bool:
    """Keep what links are signed with, unless links were made here already: those must hold as well."""
    if len(secret) != SECRET_BYTES:
        raise Invalid(f"what links are signed with has {SECRET_BYTES} bytes", field="value")

    def decide(reading: Reading, draft: Draft) -> bool:
        kept = reading.value(link_secret_key(actor.business), bytes)
        if kept is not None and kept != secret:
            raise Refused("links were made here already: those of the copy would not open anything here")
        if kept is None:
            draft.put(Put(link_secret_key(actor.business), encoded(secret)))
        return kept is not None

    return settle(desk.store, decide)


def _put_member(desk: Desk, actor: Actor, member: members.Member) -> bool:
    """Keep a member without a password, under the id that the address has in this business."""
    _check_times(member.created, member.since)
    found = members.by_email(desk, actor.business, member.email)
    kept = found and _without_password(found.value)
    wanted = _without_password(member)
    return _once(kept, wanted, f"member {member.email}", lambda: members.keep(desk, actor, wanted))


def _without_password(member: members.Member) -> members.Member:
    return structs.replace(member, password="", since=member.created)


def _put_time_off(desk: Desk, actor: Actor, copied: Copied) -> bool:
    absences = msgspec.json.decode(copied.value, type=tuple[TimeOff, ...])
    known = {each.id for each in catalogue.time_off(desk, actor, copied.id)}
    for absence in absences:
        _check_times(absence.start, absence.end)
        if absence.id not in known:
            named = replace(desk, new_id=partial(_named, desk, absence.id))
            catalogue.add_time_off(named, actor, copied.id, absence.start, absence.end, absence.reason)
    return {each.id for each in absences} <= known


def _named(desk: Desk, id: str, prefix: str) -> str:
    return id if prefix == "off" else desk.new_id(prefix)


def _put_shelf(desk: Desk, actor: Actor, shelf: catalogue.Shelf, raw: msgspec.Raw) -> bool:
    kind: Any = SHELVES[shelf][0]
    wanted = msgspec.json.decode(raw, type=dict[str, kind])
    kept = catalogue.shelf(desk, actor, shelf)
    if not wanted and Reading(desk.store).doc(shelf_key(actor.business, shelf)) is None:
        # An empty shelf says more than none: no reminders at all, in place of the usual ones.
        id, _ = catalogue.put_on_shelf(desk, actor, shelf, None, EMPTYING[shelf])
        catalogue.remove_from_shelf(desk, actor, shelf, id)
        return False
    for id, value in wanted.items():
        if id not in kept:
            catalogue.put_on_shelf(desk, actor, shelf, id, value)
        elif kept[id] != value:
            raise Refused(f"{shelf} {id} is here already, and is not the same")
    return wanted.keys() <= kept.keys()


def _put_appointment(desk: Desk, actor: Actor, appointment: Appointment) -> bool:
    """Enter the appointment as it is, unless its time is claimed by another."""
    _check_appointment(appointment)
    business = actor.business
    tallies = tuple((f"{business}/{part.partition('/')[2]}", sort) for part, sort in appointment.tallies)
    appointment = structs.replace(appointment, tallies=tallies)

    def decide(reading: Reading, draft: Draft) -> bool:
        kept = reading.value(appointment_key(business, appointment.id), Appointment)
        if kept is not None:
            if kept != appointment:
                raise Refused(f"appointment {appointment.id} is here already, and is not the same")
            return True
        if appointment.is_claiming:
            if not appointment.overrode:
                _check_free(desk, reading, business, appointment)
            enter(draft, business, appointment, desk.now())
        else:
            draft.put(appointment_put(business, appointment))
        return False

    return settle(desk.store, decide)


def _check_appointment(appointment: Appointment) -> None:
    """Raises `Invalid` for ids, times and calendars that no appointment has."""
    _check_ids(appointment.id, appointment.service_id, appointment.customer_id, *appointment.resource_ids)
    own = (f"customer/{appointment.customer_id}",)
    if appointment.calendars != (appointment.resource_ids or own):
        raise Invalid("the calendars are not those of the resources or the customer", field="value.calendars")
    _check_times(appointment.created, appointment.expires, *(message.due for message in appointment.messages))
    _check_times(*(time for event in appointment.events for time in (event.at, event.start, event.end, event.expires)))
    _check_times(appointment.claim_start, appointment.start, appointment.end, appointment.claim_end)
    named_zone(appointment.zone, "value.zone")
    is_ordered = appointment.claim_start <= appointment.start < appointment.end <= appointment.claim_end
    if not is_ordered or appointment.claim_end - appointment.claim_start > LONGEST_SECONDS:
        raise Invalid(
            "an appointment ends after it starts, within a year, and its buffers lie around it", field="value"
        )
    if not 0 <= appointment.published <= len(appointment.events) or not appointment.events:
        raise Invalid("an appointment has events, and has published no more than those", field="value.events")


def _check_ids(*ids: str) -> None:
    for id in ids:
        if id and not ID.match(id):
            raise Invalid(f"{id[:40]!r} is no id: one has 1 to 128 letters, digits or any of _.:@+-", field="id")


def _check_times(*times: int) -> None:
    for time in times:
        if not 0 <= time < BEYOND:
            raise Invalid(f"{time} is no time: write seconds from 0 to {BEYOND - 1}", field="value")


def _check_free(desk: Desk, reading: Reading, business: str, appointment: Appointment) -> None:
    """Raises `Taken` when a claim stands in the way that nobody allowed to overlap."""
    passed = [appointment.id]
    span = appointment.claim_start, appointment.claim_end
    while (claim := rival(reading, business, appointment.calendars, *span, desk.now(), passed)) is not None:
        other = reading.value(appointment_key(business, claim.owner), Appointment)
        if other is None or not other.overrode:
            raise explained(reading, business, Taken("the time is taken"), claim)
        passed.append(claim.owner)
