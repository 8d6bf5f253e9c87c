"""What a service, a business and their parts may say of themselves."""

from typing import Any

import msgspec
import pytest

from slotkeeper.core.actor import Actor, Forbidden, OnlyLooks
from slotkeeper.core.errors import Invalid
from slotkeeper.core.service import (
    Business,
    Need,
    Service,
    check_apart,
    check_business,
    check_service,
    mail_address,
    place_of,
)
from tests.builders import service


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("durationMinutes", {"duration_minutes": 31}),
        ("bufferBeforeMinutes", {"buffer_before_minutes": 7}),
        ("bufferAfterMinutes", {"buffer_after_minutes": 1}),
        ("stepMinutes", {"step_minutes": 12}),
        ("zone", {"zone": "Mars/Olympus"}),
        ("confirmWithinMinutes", {"confirm_within_minutes": 60}),
        ("needs[0]", {"needs": [Need()]}),
        ("needs[0]", {"needs": [Need(all_of=("a",), any_of="b")]}),
        ("needs[1].count", {"needs": [Need(any_of="p"), Need(all_of=("a",), count=2)]}),
    ],
)
def test_a_service_that_makes_no_sense_is_told_where(field: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        check_service(service(**changed))

    assert caught.value.field == field


def test_a_good_service_passes() -> None:
    check_service(service(zone="Asia/Kathmandu", needs_confirmation=True, confirm_within_minutes=60))


@pytest.mark.parametrize("body", [b'{"name":"x"}', b'{"name":"x","durationMinutes":30,"needs":[],"extra":1}'])
def test_a_body_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=Service)


def test_no_resource_stands_in_two_needs() -> None:
    check_apart([("a", "b"), ("c",)])
    with pytest.raises(Invalid, match="resource b"):
        check_apart([("a", "b"), ("c", "b")])
    with pytest.raises(Invalid, match="resource a"):
        check_apart([("a", "a")])


def test_a_business_needs_a_zone_and_both_ends_of_its_quiet_hours() -> None:
    check_business(Business(name="Shop", zone="Europe/Berlin", quiet_from="21:00", quiet_to="08:00"))
    with pytest.raises(Invalid) as caught:
        check_business(Business(name="Shop", zone="Berlin"))
    assert caught.value.field == "zone"
    with pytest.raises(Invalid) as caught:
        check_business(Business(name="Shop", email="desk at shop.example"))
    assert caught.value.field == "email"
    with pytest.raises(Invalid, match="both"):
        check_business(Business(name="Shop", quiet_from="21:00"))
    with pytest.raises(Invalid, match="25:00"):
        check_business(Business(name="Shop", quiet_from="25:00", quiet_to="08:00"))


def test_a_complaint_is_seen_from_further_out() -> None:
    assert Invalid("no", field="a").within("b").field == "b.a"
    assert Invalid("no").within("b").field == "b"


def test_a_credential_needs_its_scope() -> None:
    actor = Actor(business="shop", id="k", scopes=frozenset({"read", "staff"}))

    actor.need("read")
    assert actor.is_staff
    assert not Actor(business="shop", id="k", scopes=frozenset({"staff"}), customer_id="c").is_staff
    with pytest.raises(Forbidden) as caught:
        actor.need("admin")
    assert caught.value.scope == "admin"


@pytest.mark.parametrize("text", ["", "ada@example.com", "a.b+c@mail.example.org"])
def test_a_mail_address_or_none_passes(text: str) -> None:
    mail_address(text, "email")


@pytest.mark.parametrize("text", ["kurt", "@example.com", "a@", "a b@example.com", "a@b@c"])
def test_what_is_no_mail_address_is_told_where(text: str) -> None:
    with pytest.raises(Invalid, match=r"name@example\.com") as caught:
        mail_address(text, "customer.email")

    assert caught.value.field == "customer.email"


def test_a_viewer_changes_nothing() -> None:
    looking = Actor(business="b", id="v", scopes=frozenset({"read", "staff"}), is_viewer=True)

    with pytest.raises(OnlyLooks, match="ask an owner") as caught:
        looking.check_may_change()
    msgspec.structs.replace(looking, is_viewer=False).check_may_change()

    assert isinstance(caught.value, Forbidden)
    assert caught.value.scope == "book"


def test_a_service_is_given_where_it_says_or_at_the_business_or_nowhere() -> None:
    shop = Business(name="Shop", location="12 Mill Lane")

    assert place_of(shop, service(location="The annex")) == "The annex"
    assert place_of(shop, service()) == place_of(shop, None) == "12 Mill Lane"
    assert place_of(shop, service(remote=True)) == ""
    assert place_of(shop, service(remote=True, location="By phone")) == "By phone"
