"""Which reminders and webhooks a change of an appointment calls for."""

from msgspec.structs import replace

from slotkeeper.core.appointment import REMINDED, Appointment, Endpoint
from slotkeeper.core.hours import minute_of
from slotkeeper.core.reminders import DEFAULT_RULES, Quiet, ReminderRule, reminders
from slotkeeper.core.service import Business
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.desk import Desk
from slotkeeper.documents import Webhook, shelf_key
from slotkeeper.ledger import Reading


def endpoints(desk: Desk, reading: Reading, business: str) -> list[Endpoint]:
    """The active webhooks of the business, and where this home tells of every event."""
    shelf = reading.value(shelf_key(business, "webhooks"), dict[str, Webhook]) or {}
    return [*(Endpoint(id, hook.types) for id, hook in shelf.items() if hook.active), *desk.endpoints]


def with_reminders(
    reading: Reading, business_id: str, business: Business, appointment: Appointment, now: Instant
) -> Appointment:
    """The appointment with the reminders that it owes as it stands now, added to the messages that it has."""
    if appointment.status not in REMINDED:
        return appointment
    rules = rules_for(reading, business_id, appointment.service_id)
    subject = f"{appointment.id}/{appointment.sequence}"
    owed = reminders(subject, appointment.start, rules, now, quiet_of(business), appointment.zone)
    return replace(appointment, messages=(*appointment.messages, *owed))


def rules_for(reading: Reading, business_id: str, service_id: str) -> tuple[ReminderRule, ...]:
    """The rules of all services and of this one; 24 hours and 1 hour before when the business has set none."""
    shelf = reading.value(shelf_key(business_id, "reminderRules"), dict[str, ReminderRule])
    if shelf is None:
        return DEFAULT_RULES
    return tuple(rule for rule in shelf.values() if rule.service_id in (None, service_id))


def quiet_of(business: Business) -> Quiet | None:
    if not business.quiet_from:
        return None
    return Quiet(start=minute_of(business.quiet_from), end=minute_of(business.quiet_to))
