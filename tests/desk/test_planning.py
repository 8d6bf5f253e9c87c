"""Which reminders and webhooks an appointment calls for, as the business has set them."""

from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.core.appointment import Endpoint
from slotkeeper.core.errors import Missing
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import Business
from slotkeeper.core.ticks import format_instant
from slotkeeper.desk.booking import book
from slotkeeper.desk.catalogue import put_on_shelf, put_profile, remove_from_shelf
from slotkeeper.desk.planning import terms_of
from slotkeeper.documents import Webhook
from slotkeeper.ledger import Reading
from tests.builders import STAFF, Setting, a_clinic, contact, order

START = "2026-11-26T09:00:00Z"
HOME = Endpoint("home", channel="webhook")


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def rule(clinic: Setting, id: str, minutes: int, **others: Any) -> None:
    put_on_shelf(clinic.desk, STAFF, "reminderRules", id, ReminderRule(lead_minutes=minutes, **others))


def reminded(clinic: Setting, service_id: str = "visit") -> list[str]:
    made = clinic.book(START, service_id, contact=contact())
    return [format_instant(each.due) for each in made.messages if each.kind == "reminder"]


def test_who_has_set_no_rules_reminds_a_day_and_an_hour_before(clinic: Setting) -> None:
    assert reminded(clinic) == ["2026-11-25T09:00:00Z", "2026-11-26T08:00:00Z"]


def test_who_has_set_rules_reminds_by_these_alone(clinic: Setting) -> None:
    rule(clinic, "a", 120)

    assert reminded(clinic) == ["2026-11-26T07:00:00Z"]


def test_who_has_taken_the_last_rule_away_reminds_of_nothing(clinic: Setting) -> None:
    rule(clinic, "a", 120)
    remove_from_shelf(clinic.desk, STAFF, "reminderRules", "a")

    assert reminded(clinic) == []


def test_a_rule_of_a_service_is_of_no_other(clinic: Setting) -> None:
    rule(clinic, "a", 120, service_id="exam")
    rule(clinic, "b", 60)

    assert reminded(clinic) == ["2026-11-26T08:00:00Z"]
    assert sorted(reminded(clinic, "exam")) == ["2026-11-26T07:00:00Z", "2026-11-26T08:00:00Z"]


def test_nobody_is_reminded_in_quiet_hours(clinic: Setting) -> None:
    rule(clinic, "a", 600)
    loud = reminded(clinic)
    quiet = Business(name="Clinic", zone="Europe/Berlin", quiet_from="21:30", quiet_to="07:30")
    put_profile(clinic.desk, STAFF, quiet)

    assert loud == ["2026-11-25T23:00:00Z"]
    assert reminded(clinic) == ["2026-11-25T20:29:00Z"]


def test_what_waits_to_be_confirmed_reminds_of_nothing_yet(clinic: Setting) -> None:
    clinic.service("visit", needs_confirmation=True)

    assert reminded(clinic) == []


def test_events_are_told_to_active_webhooks_and_to_the_home(clinic: Setting) -> None:
    desk = replace(clinic.desk, endpoints=(HOME,))
    hook = Webhook(url="https://example.com/hook", types=("moved",))
    put_on_shelf(desk, STAFF, "webhooks", "a", hook)
    put_on_shelf(desk, STAFF, "webhooks", "b", replace(hook, active=False))

    assert terms_of(desk, Reading(desk.store), "clinic").endpoints == (Endpoint("a", ("moved",)), HOME)
    made = book(desk, STAFF, order(START, service_id="visit")).appointment
    assert [each.target for each in made.messages if each.channel == "webhook"] == ["home"]


def test_the_terms_are_those_of_the_business(clinic: Setting) -> None:
    rule(clinic, "a", 120)

    terms = terms_of(clinic.desk, Reading(clinic.store), "clinic")

    assert terms.profile == Business(name="Clinic", zone="Europe/Berlin")
    assert terms.rules == (ReminderRule(lead_minutes=120),)
    with pytest.raises(Missing) as caught:
        terms_of(clinic.desk, Reading(clinic.store), "salon")
    assert (caught.value.kind, caught.value.id) == ("business", "salon")
