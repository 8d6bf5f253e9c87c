"""Appointments over HTTP: the reviewed design's request, every action, lists, and what each caller is shown."""

from typing import Any

import pytest

from slotkeeper.core.service import Pool
from tests.web.asking import TUESDAY, Asker, a_key, a_web, clock_of

LATER = "2026-11-24T10:00:00Z"
REVIEWED = {
    "userId": "user-17",
    "startTime": TUESDAY,
    "endTime": "2026-11-24T09:30:00Z",
    "details": {"description": "Annual check-up", "location": "Room 2"},
}
INNER = {"fingerprint", "messages", "events", "tallies", "calendars", "published", "firstDetails", "firstContact"}


@pytest.fixture
def asker() -> Asker:
    return a_web()


def a_request(asker: Asker) -> str:
    """The id of an appointment that waits for confirmation."""
    asker.setting.service("visit", needs_confirmation=True, confirm_within_minutes=60)
    return asker.book()


class TestTheReviewedDesign:
    def test_its_request_works_unchanged(self, asker: Asker) -> None:
        reply = asker.post("/appointments", REVIEWED)

        assert reply.status == 201
        assert reply.json["message"]
        assert reply.json["appointment"]["id"] == reply.json["appointmentId"]
        assert reply.json["appointment"]["details"] == REVIEWED["details"]
        assert reply.json["appointment"]["customerId"] == "user-17"

    def test_a_conflict_tells_the_times(self, asker: Asker) -> None:
        asker.post("/appointments", REVIEWED)

        reply = asker.post("/appointments", REVIEWED, key=a_key(asker.setting, "book"))

        assert reply.status == 409
        assert reply.json["error"]
        assert reply.json["conflictingAppointment"] == {
            "startTime": REVIEWED["startTime"],
            "endTime": REVIEWED["endTime"],
        }

    def test_two_of_its_users_never_conflict(self, asker: Asker) -> None:
        asker.post("/appointments", REVIEWED)

        assert asker.post("/appointments", REVIEWED | {"userId": "user-18"}).status == 201

    def test_the_user_may_be_called_customer_too(self, asker: Asker) -> None:
        asker.post("/appointments", REVIEWED)

        assert len(asker.get("/appointments?userId=user-17").json["items"]) == 1
        assert len(asker.get("/appointments?customerId=user-17").json["items"]) == 1
        assert asker.post("/appointments", REVIEWED | {"customerId": "user-17", "startTime": LATER}).status == 422


class TestConflicts:
    def test_staff_are_told_whose_appointment_stands_in_the_way(self, asker: Asker) -> None:
        id = asker.book(customerId="ada", resourceIds=["d0"])

        reply = asker.post("/appointments", {"serviceId": "visit", "startTime": TUESDAY, "resourceIds": ["d0"]})

        assert reply.json["conflictingAppointment"]["appointmentId"] == id
        assert reply.json["conflictingAppointment"]["customerId"] == "ada"

    def test_nobody_else_is(self, asker: Asker) -> None:
        id = asker.book(customerId="ada", customer={"name": "Ada"}, resourceIds=["d0"])
        wish = {"serviceId": "visit", "startTime": TUESDAY, "resourceIds": ["d0"]}

        for key in (a_key(asker.setting, "book"), a_key(asker.setting, "book", customer_id="eve")):
            text = asker.post("/appointments", wish, key=key).body.decode()

            assert id not in text
            assert "ada" not in text.lower()

    @pytest.mark.parametrize("number", range(3))
    def test_up_to_three_free_times_are_offered_and_can_be_booked(self, asker: Asker, number: int) -> None:
        asker.book(resourceIds=["d0"])

        reply = asker.post("/appointments", {"serviceId": "visit", "startTime": TUESDAY, "resourceIds": ["d0"]})

        assert len(reply.json["alternatives"]) == 3
        assert asker.book(reply.json["alternatives"][number]["startTime"], resourceIds=["d0"])

    @pytest.mark.parametrize(
        ("start", "code"),
        [
            ("2026-11-24T09:07:00Z", "off-step"),
            ("2026-11-20T09:00:00Z", "too-soon"),
            ("2028-11-24T09:00:00Z", "too-far"),
            ("2026-11-24T03:00:00Z", "closed"),
        ],
    )
    def test_each_rule_has_its_code(self, asker: Asker, start: str, code: str) -> None:
        reply = asker.post("/appointments", {"serviceId": "visit", "startTime": start})

        assert (reply.status, reply.code, reply.json["type"]) == (409, code, f"/docs#{code}")


class TestActions:
    @pytest.mark.parametrize(
        ("steps", "status"),
        [
            (["confirm"], "booked"),
            (["decline"], "declined"),
            (["cancel"], "cancelled"),
            (["confirm", "checkIn"], "checkedIn"),
            (["confirm", "checkIn", "complete"], "completed"),
            (["confirm", "noShow"], "noShow"),
        ],
    )
    def test_lead_from_state_to_state(self, asker: Asker, steps: list[str], status: str) -> None:
        id = a_request(asker)

        replies = [asker.post(f"/appointments/{id}/{step}", {"reason": "asked for"}) for step in steps]

        assert [reply.status for reply in replies] == [200] * len(steps)
        assert replies[-1].json["status"] == status
        assert asker.get(f"/appointments/{id}").json == replies[-1].json

    def test_need_no_body(self, asker: Asker) -> None:
        assert asker.post(f"/appointments/{asker.book()}/cancel").status == 200

    def test_that_do_not_fit_the_state_are_refused(self, asker: Asker) -> None:
        id = asker.book()
        asker.post(f"/appointments/{id}/cancel")

        reply = asker.post(f"/appointments/{id}/checkIn")

        assert (reply.status, reply.code) == (409, "wrong-state")
        assert reply.json["appointmentStatus"] == "cancelled"

    def test_of_staff_are_forbidden_to_others(self, asker: Asker) -> None:
        id = asker.book()

        reply = asker.post(f"/appointments/{id}/checkIn", key=a_key(asker.setting, "read", "book"))

        assert (reply.status, reply.code) == (403, "forbidden")

    def test_a_customer_says_that_they_will_come_once_and_for_all(self, asker: Asker) -> None:
        id = asker.book()

        first = asker.post(f"/appointments/{id}/attend", key=a_key(asker.setting, "book"))
        again = asker.post(f"/appointments/{id}/attend")

        assert first.status == again.status == 200
        assert first.json["attendingTime"] == again.json["attendingTime"] == "2026-11-23T06:00:00Z"
        assert first.json["revision"] == again.json["revision"] == 2
        assert asker.post(f"/appointments/{id}/attend", key=a_key(asker.setting, "read")).status == 403

    def test_a_cancelled_time_is_free_again(self, asker: Asker) -> None:
        id = asker.book(resourceIds=["d0"])

        asker.post(f"/appointments/{id}/cancel")

        assert asker.book(resourceIds=["d0"])

    def test_too_late_a_cancellation_is_refused(self, asker: Asker) -> None:
        asker.setting.service("visit", cancel_notice_minutes=24 * 60 * 7)

        reply = asker.post(f"/appointments/{asker.book()}/cancel", key=a_key(asker.setting, "book"))

        assert (reply.status, reply.code) == (409, "too-late")


def test_a_bare_span_that_is_taken_comes_with_times_that_are_free(asker: Asker) -> None:
    span = {"userId": "u1", "startTime": "2026-11-24T09:00:00Z", "endTime": "2026-11-24T10:00:00Z"}
    assert asker.post("/appointments", span).status == 201

    taken = asker.post("/appointments", span | {"startTime": "2026-11-24T09:30:00Z", "endTime": "2026-11-24T10:15:00Z"})

    assert (taken.status, taken.code) == (409, "taken")
    offers = taken.json["alternatives"]
    assert [offer["startTime"] for offer in offers] == ["2026-11-24T08:15:00Z", "2026-11-24T10:00:00Z"]
    assert asker.post("/appointments", {"userId": "u1", **offers[0]}).status == 201


class TestMoving:
    def test_takes_the_new_time_and_frees_the_old_one(self, asker: Asker) -> None:
        id = asker.book(resourceIds=["d0"])

        reply = asker.post(f"/appointments/{id}/reschedule", {"startTime": LATER})

        assert (reply.status, reply.json["startTime"], reply.json["endTime"]) == (200, LATER, "2026-11-24T10:30:00Z")
        assert asker.book(resourceIds=["d0"])

    def test_onto_a_taken_time_changes_nothing(self, asker: Asker) -> None:
        id = asker.book(resourceIds=["d0"])
        asker.book(LATER, resourceIds=["d0"])
        before = asker.dump()

        reply = asker.post(f"/appointments/{id}/reschedule", {"startTime": LATER, "resourceIds": ["d0"]})

        assert (reply.status, reply.code) == (409, "taken")
        assert asker.dump() == before

    def test_from_one_who_does_not_give_the_service_any_more_finds_another(self, asker: Asker) -> None:
        id = asker.book(resourceIds=["d0"])
        asker.setting.put("pool", "doctors", Pool(name="Doctors", resource_ids=("d1", "d2")))

        reply = asker.post(f"/appointments/{id}/reschedule", {"startTime": LATER})

        assert (reply.status, reply.json["resourceIds"]) == (200, ["d1"])

    def test_to_where_it_is_changes_nothing(self, asker: Asker) -> None:
        id = asker.book(LATER, resourceIds=["d0"])
        before = asker.dump()

        reply = asker.post(f"/appointments/{id}/reschedule", {"startTime": LATER})

        assert (reply.status, reply.json["revision"]) == (200, 1)
        assert asker.dump() == before

    def test_against_the_rules_needs_staff_and_a_reason(self, asker: Asker) -> None:
        id = asker.book(resourceIds=["d0"])
        asker.book(LATER, resourceIds=["d0"])
        move = {"startTime": LATER, "resourceIds": ["d0"], "override": {"reason": "emergency"}}

        refused = asker.post(f"/appointments/{id}/reschedule", move, key=a_key(asker.setting, "book"))
        done = asker.post(f"/appointments/{id}/reschedule", move)

        assert refused.status == 403
        assert (done.status, done.json["overrode"]) == (200, "taken")


class TestEditing:
    def test_changes_what_is_sent_and_nothing_else(self, asker: Asker) -> None:
        id = asker.book(customer={"name": "Ada"}, details={"a": 1})

        reply = asker.patch(f"/appointments/{id}", {"details": {"b": 2}})

        assert (reply.status, reply.json["details"], reply.json["customer"]) == (200, {"b": 2}, {"name": "Ada"})

    def test_of_nothing_is_refused(self, asker: Asker) -> None:
        assert asker.patch(f"/appointments/{asker.book()}", {}).status == 422

    @pytest.mark.parametrize("field", ["status", "startTime", "revision", "id", "customerId"])
    def test_reaches_no_other_field(self, asker: Asker, field: str) -> None:
        id = asker.book()
        before = asker.dump()

        assert asker.patch(f"/appointments/{id}", {field: "x", "details": {}}).status == 422
        assert asker.dump() == before


class TestLists:
    def test_go_on_where_the_cursor_says(self, asker: Asker) -> None:
        ids = [asker.book(f"2026-11-24T{hour:02}:00:00Z") for hour in range(8, 15)]
        found: list[str] = []
        cursor: str | None = ""

        while cursor is not None:
            reply = asker.get("/appointments?limit=3" + (f"&cursor={cursor}" if cursor else "")).json
            found += [item["id"] for item in reply["items"]]
            cursor = reply["nextCursor"]

        assert found == ids

    def test_hold_what_fits_the_filters(self, asker: Asker) -> None:
        one = asker.book(customerId="ada", resourceIds=["d0"])
        two = asker.book(LATER, customerId="eve", resourceIds=["d1"])
        asker.post(f"/appointments/{two}/cancel")

        def ids(query: str) -> list[str]:
            return [item["id"] for item in asker.get(f"/appointments?{query}").json["items"]]

        assert ids("status=booked") == [one]
        assert ids("status=booked&status=cancelled") == [one, two]
        assert ids("customerId=eve") == [two]
        assert ids("resourceId=d0") == [one]
        assert ids("serviceId=exam") == []
        assert ids(f"from={TUESDAY}&to={LATER}") == [one]
        assert ids(f"from={LATER}") == [two]


class TestWhatIsShown:
    def test_never_is_what_is_ours(self, asker: Asker) -> None:
        id = asker.book(customer={"name": "Ada"})

        for reply in (asker.get(f"/appointments/{id}"), asker.get("/appointments")):
            assert not INNER & keys_within(reply.json)

    def test_a_key_sees_people_in_what_it_booked_and_staff_in_all(self, asker: Asker) -> None:
        other = a_key(asker.setting, "read", "book")
        booking = {"serviceId": "visit", "startTime": TUESDAY, "details": {"why": "back pain"}}
        mine = asker.post("/appointments", booking, key=other).json["appointmentId"]
        theirs = asker.book(LATER, customerId="eve", customer={"name": "Eve"}, details={"why": "knee"})

        assert asker.get(f"/appointments/{mine}", key=other).json["details"] == {"why": "back pain"}
        assert asker.get(f"/appointments/{theirs}").json["customer"] == {"name": "Eve"}
        hidden = asker.get(f"/appointments/{theirs}", key=other)
        assert hidden.json["status"] == "booked"
        assert "Eve" not in hidden.body.decode()
        assert "knee" not in hidden.body.decode()

    def test_a_customer_sees_their_own_only(self, asker: Asker) -> None:
        key = a_key(asker.setting, "read", "book", customer_id="ada")
        mine = asker.book(customerId="ada", customer={"name": "Ada"})
        asker.book(LATER, customerId="eve")

        assert [item["id"] for item in asker.get("/appointments", key=key).json["items"]] == [mine]
        assert asker.get("/appointments?customerId=eve", key=key).json["items"] == []
        assert asker.get(f"/appointments/{mine}", key=key).json["customer"] == {"name": "Ada"}

    def test_the_reminders_are_those_that_are_owed(self, asker: Asker) -> None:
        id = asker.book("2026-11-25T09:00:00Z")

        items = asker.get(f"/appointments/{id}/reminders").json["items"]

        assert [(item["leadMinutes"], item["state"]) for item in items] == [(1440, "waiting"), (60, "waiting")]
        assert items[0]["dueTime"] == "2026-11-24T09:00:00Z"

    def test_a_request_tells_until_when_it_stands(self, asker: Asker) -> None:
        id = a_request(asker)

        shown = asker.get(f"/appointments/{id}").json

        assert (shown["status"], shown["expiresTime"]) == ("pending", "2026-11-23T07:00:00Z")
        clock_of(asker).forward(hours=2)
        assert asker.post(f"/appointments/{id}/confirm").status == 409


def keys_within(value: Any) -> set[str]:
    """Every key of every object within."""
    if isinstance(value, list):
        return {key for each in value for key in keys_within(each)}
    if isinstance(value, dict):
        return set(value) | {key for each in value.values() for key in keys_within(each)}
    return set()
