"""Anyone may see what a business offers and book it, and learns nothing else."""

import json
from typing import Any

import pytest

from slotkeeper.core.service import Need
from tests.web.asking import TUESDAY, Asker, Reply, a_second_business, a_web

ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}
BOOKING: dict[str, Any] = {"serviceId": "visit", "startTime": TUESDAY, "customer": ADA}
LONG_KEY = {"idempotency-key": "0123456789abcdef"}


@pytest.fixture
def asker() -> Asker:
    return a_web()


def post(asker: Asker, path: str, body: object, **others: Any) -> Reply:
    return asker.post(f"/public/clinic{path}", body, key="", **others)


def test_the_business_shows_what_is_for_everyone(asker: Asker) -> None:
    assert asker.get("/public/clinic", key="").json == {
        "id": "clinic",
        "name": "Clinic",
        "zone": "Europe/Berlin",
        "language": "en",
        "location": "",
    }


def test_services_are_those_that_are_public_and_offered(asker: Asker) -> None:
    asker.setting.service("secret", public=False)
    asker.setting.service("gone", active=False)

    reply = asker.get("/public/clinic/services", key="")

    assert [item["id"] for item in reply.json["items"]] == ["exam", "visit"]
    assert "needs" not in reply.json["items"][0]


@pytest.mark.parametrize("service", ["secret", "unknown"])
def test_a_service_that_is_not_public_is_as_if_it_were_not_there(asker: Asker, service: str) -> None:
    asker.setting.service("secret", public=False)
    query = f"from={TUESDAY}&to=2026-11-25T00:00:00Z"
    before = asker.dump()

    slots = asker.get(f"/public/clinic/slots?serviceId={service}&{query}", key="")
    hold = post(asker, "/holds", {"serviceId": service, "startTime": TUESDAY})
    booked = post(asker, "/appointments", BOOKING | {"serviceId": service})

    assert {slots.body, hold.body, booked.body} == {asker.get("/services/none").body}
    assert asker.dump() == before


@pytest.mark.parametrize(
    "path", ["", "/services", "/slots?serviceId=visit&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z"]
)
def test_a_business_that_is_not_there_is_missing(asker: Asker, path: str) -> None:
    assert asker.get(f"/public/nobody{path}", key="").status == 404


def test_a_booking_needs_no_key_and_shows_what_was_sent(asker: Asker) -> None:
    reply = post(asker, "/appointments", BOOKING | {"details": {"note": "first visit"}})

    assert reply.status == 201
    assert reply.json["appointment"] == {
        "id": reply.json["appointmentId"],
        "status": "booked",
        "startTime": TUESDAY,
        "endTime": "2026-11-24T09:30:00Z",
        "zone": "Europe/Berlin",
        "serviceId": "visit",
        "customer": ADA,
        "details": {"note": "first visit"},
    }


def test_a_visitor_is_told_nothing_of_what_stands_in_the_way(asker: Asker) -> None:
    rival = asker.book(customerId="eve", customer={"name": "Eve"}, resourceIds=["d0"])

    reply = post(asker, "/appointments", BOOKING | {"resourceIds": ["d0"]})

    assert (reply.status, reply.code) == (409, "taken")
    assert len(reply.json["alternatives"]) == 3
    assert "conflictingAppointment" not in reply.json
    assert not [word for word in (rival, "eve", "Eve") if word in reply.body.decode()]


@pytest.mark.parametrize(
    "change",
    [
        {"customer": None},
        {"customer": {"name": "Ada"}},
        {"customer": {"email": "ada@example.com"}},
        {"customer": ADA | {"email": "ada"}},
        {"customer": ADA | {"name": ""}},
        {"customer": ADA | {"zone": "Mars/Olympus"}},
        {"customer": ADA | {"notes": "vip"}},
        {"customerId": "eve"},
        {"userId": "eve"},
        {"override": {"reason": "let me in"}},
        {"endTime": "2026-11-24T12:00:00Z"},
        {"serviceId": None},
    ],
    ids=json.dumps,
)
def test_what_a_visitor_may_not_say_is_refused(asker: Asker, change: dict[str, Any]) -> None:
    before = asker.dump()

    assert post(asker, "/appointments", BOOKING | change).status == 422
    assert asker.dump() == before


def test_a_hold_keeps_the_slot_for_its_visitor(asker: Asker) -> None:
    asker.setting.service("one", needs=[Need(all_of=("d0",))])
    slot = {"serviceId": "one", "startTime": TUESDAY}

    hold = post(asker, "/holds", slot).json["id"]

    assert post(asker, "/appointments", BOOKING | slot).status == 409
    assert post(asker, "/appointments", BOOKING | slot | {"holdId": hold}).status == 201


def test_a_hold_may_be_given_back(asker: Asker) -> None:
    hold = post(asker, "/holds", {"serviceId": "visit", "startTime": TUESDAY}).json["id"]

    assert asker.delete(f"/public/clinic/holds/{hold}", key="").status == 204
    assert asker.delete(f"/public/clinic/holds/{hold}", key="").status == 404


def test_a_hold_of_another_business_is_not_there(asker: Asker) -> None:
    a_second_business(asker.setting)
    hold = post(asker, "/holds", {"serviceId": "visit", "startTime": TUESDAY}).json["id"]

    assert asker.delete(f"/public/other/holds/{hold}", key="").status == 404
    assert asker.get(f"/holds/{hold}").status == 200


def test_a_repeat_is_answered_like_the_first(asker: Asker) -> None:
    first = post(asker, "/appointments", BOOKING, headers=LONG_KEY)

    again = post(asker, "/appointments", BOOKING, headers=LONG_KEY)

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"


def test_a_key_that_another_visitor_could_guess_is_refused(asker: Asker) -> None:
    assert post(asker, "/appointments", BOOKING, headers={"idempotency-key": "1"}).status == 422


def test_what_a_visitor_booked_cannot_be_read_without_a_key(asker: Asker) -> None:
    id = post(asker, "/appointments", BOOKING).json["appointmentId"]

    assert asker.get(f"/appointments/{id}", key="").status == 401
    assert asker.get(f"/public/clinic/appointments/{id}", key="").status == 404
    assert asker.get("/public/clinic/appointments", key="").status == 405
