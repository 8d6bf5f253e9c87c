"""Which reminders and webhooks a change of an appointment calls for."""

import msgspec
from msgspec.structs import replace

from slotkeeper.contracts import Key
from slotkeeper.core.appointment import REMINDED, Appointment, Endpoint
from slotkeeper.core.hours import minute_of
from slotkeeper.core.reminders import DEFAULT_RULES, Quiet, ReminderRule, reminders
from slotkeeper.core.service import Business
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.facts import business_of
from slotkeeper.documents import Webhook, business_key, shelf_key
from slotkeeper.ledger import Reading


class Terms(msgspec.Struct, frozen=True):
    """What every booking of a business rests on: its profile, the reminder rules (None: it has set none), and where
    events are told: the active webhooks of the business, and where this home tells of every event."""

    profile: Business
    rules: tuple[ReminderRule, ...] | None
    endpoints: tuple[Endpoint, ...]


def terms_keys(business: str) -> list[Key]:
    """The documents that the terms are made of, for who wants to read them together with others."""
    return [business_key(business), shelf_key(business, "webhooks"), shelf_key(business, "reminderRules")]


def terms_of(desk: Desk, reading: Reading, business: str) -> Terms:
    """Raises `Missing` when there is no such business."""

    def make(reading: Reading) -> Terms:
        reading.fetch(terms_keys(business))
        hooks = reading.value(shelf_key(business, "webhooks"), dict[str, Webhook]) or {}
        rules = reading.value(shelf_key(business, "reminderRules"), dict[str, ReminderRule])
        return Terms(
            business_of(reading, business),
            None if rules is None else tuple(rules.values()),
            (*(Endpoint(id, hook.types) for id, hook in hooks.items() if hook.active), *desk.endpoints),
        )

    return desk.memory.made(reading, ("terms", business), (business_key(business).part,), make)


def with_reminders(terms: Terms, appointment: Appointment, now: Instant) -> Appointment:
    """The appointment with the reminders that it owes as it stands now, added to the messages that it has."""
    if appointment.status not in REMINDED:
        return appointment
    subject = f"{appointment.id}/{appointment.sequence}"
    rules = _rules_for(terms, appointment.service_id)
    owed = reminders(subject, appointment.start, rules, now, quiet_of(terms.profile), appointment.zone)
    return replace(appointment, messages=(*appointment.messages, *owed))


def _rules_for(terms: Terms, service_id: str) -> tuple[ReminderRule, ...]:
    """The rules of all services and of this one; 24 hours and 1 hour before when the business has set none."""
    if terms.rules is None:
        return DEFAULT_RULES
    return tuple(rule for rule in terms.rules if rule.service_id in (None, service_id))


def quiet_of(business: Business) -> Quiet | None:
    if not business.quiet_from:
        return None
    return Quiet(start=minute_of(business.quiet_from), end=minute_of(business.quiet_to))
