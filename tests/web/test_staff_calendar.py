"""The staff calendar, as its script and its plain forms ask for it."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from slotkeeper.core.appointment import Customer
from slotkeeper.core.service import Resource
from slotkeeper.desk import catalogue, changing
from slotkeeper.embedded import streaming
from slotkeeper.web.look import assets
from slotkeeper.web.staff import feed as feeds
from slotkeeper.web.staff.days import Days
from tests.builders import MONDAY, STAFF, a_clinic, at, contact
from tests.web.signed_in import Signed

TUESDAY = "2026-11-24T09:00:00Z"  # ten in Berlin
DAY = "/calendar.json?from=2026-11-24&to=2026-11-25"


def a_desk(now: str = MONDAY, **others: Any) -> Signed:
    return Signed(a_clinic(now=now, **others))


class TestFeed:
    def test_appointments_stand_on_the_wall_clock_of_the_business(self) -> None:
        signed = a_desk()
        made = signed.setting.book(TUESDAY, "exam", contact=contact("Ada"), details={"notes": "Knee"})

        shown = signed.get(DAY).json

        assert shown["zone"] == "Europe/Berlin"
        assert shown["appointments"] == [
            {
                "id": made.id,
                "revision": 1,
                "status": "booked",
                "start": "2026-11-24T10:00",
                "end": "2026-11-24T10:45",
                "startTime": TUESDAY,
                "endTime": "2026-11-24T09:45:00Z",
                "serviceId": "exam",
                "service": "Exam",
                "resourceIds": list(made.resource_ids),
                "customerId": made.customer_id,
                "customer": "Ada",
                "after": 10,
                "hasNotes": True,
            }
        ]

    def test_an_hour_that_comes_twice_is_told_apart_by_its_offset(self) -> None:
        signed = a_desk("2026-10-20T08:00:00Z")
        for start in ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T09:00:00Z"):
            signed.setting.book(start, "", end=start.replace(":00Z", ":30Z"), resource_ids=("r0",))

        shown = signed.get("/calendar.json?from=2026-10-25&to=2026-10-26").json["appointments"]

        assert [(each["start"], each.get("offset")) for each in shown] == [
            ("2026-10-25T02:30", "+02:00"),
            ("2026-10-25T02:30", "+01:00"),
            ("2026-10-25T10:00", None),
        ]

    def test_each_column_says_when_nobody_is_there(self) -> None:
        signed = a_desk(doctors=1, rooms=1)
        catalogue.add_time_off(
            signed.setting.desk, STAFF, "d0", at("2026-11-24T12:00:00Z"), at("2026-11-24T14:00:00Z"), "Dentist"
        )

        doctor, room = signed.get(DAY).json["resources"]

        assert doctor["closed"] == [
            ["2026-11-24T00:00", "2026-11-24T09:00"],
            ["2026-11-24T17:00", "2026-11-25T00:00"],
        ]
        assert doctor["away"] == [{"start": "2026-11-24T13:00", "end": "2026-11-24T15:00", "reason": "Dentist"}]
        assert room["closed"] == []

    def test_columns_and_services_come_in_the_order_in_which_people_count(self) -> None:
        signed = a_desk(doctors=1, rooms=1)
        for id, name in (("a", "Room 10"), ("b", "Room 2"), ("c", "room 1b"), ("d", "Room"), ("e", "12")):
            signed.setting.put("resource", id, Resource(name=name, kind="room", zone="Europe/Berlin"))
            signed.setting.service(id, name=name)

        shown = signed.get(DAY).json

        assert [each["name"] for each in shown["resources"]] == [
            "Dr 0",
            "12",
            "Room",
            "Room 0",
            "room 1b",
            "Room 2",
            "Room 10",
        ]
        assert [each["id"] for each in shown["services"] if each["id"] in "abcde"] == ["e", "d", "c", "b", "a"]

    def test_a_visit_from_the_day_before_and_a_week_long_one_are_there(self) -> None:
        signed = a_desk()
        night = signed.setting.book(
            "2026-11-23T22:00:00Z", "", end="2026-11-24T02:00:00Z", resource_ids=("r0",), customer_id="ada"
        )
        long = signed.setting.book("2026-11-21T00:00:00Z", "", end="2026-11-28T00:00:00Z", resource_ids=("r1",))

        assert [each["id"] for each in signed.get(DAY).json["appointments"]] == [long.id, night.id]

    def test_a_known_customer_is_called_by_name(self) -> None:
        signed = a_desk()
        catalogue.put(signed.setting.desk, STAFF, "customer", "lin", Customer(name="Lin", email="l@example.com"))
        signed.setting.book(TUESDAY, customer_id="lin")

        assert signed.get(DAY).json["appointments"][0]["customer"] == "Lin"

    def test_what_is_unchanged_is_not_sent_again(self) -> None:
        signed = a_desk()
        signed.setting.book(TUESDAY)
        first = signed.get(DAY)

        same = signed.get(DAY, if_none_match=first.tag)
        signed.setting.book("2026-12-01T09:00:00Z")  # another week
        still = signed.get(DAY, if_none_match=first.tag)
        signed.setting.book("2026-11-24T10:00:00Z")
        other = signed.get(DAY, if_none_match=first.tag)

        assert [same.status, still.status, other.status] == [304, 304, 200]

    @pytest.mark.parametrize("query", ["from=2026-11-24&to=2026-11-24", "from=2026-11-24&to=2027-01-01", "from=24.11."])
    def test_days_that_are_none_or_too_many_are_refused(self, query: str) -> None:
        assert a_desk().get(f"/calendar.json?{query}").status == 422

    def test_another_business_sees_nothing_of_it(self) -> None:
        signed = a_desk()
        signed.setting.book(TUESDAY)

        assert signed.get("/staff/other/calendar.json").status == 401
        assert Signed(signed.setting).get("/staff/other").status in (303, 401)

    def test_how_often_the_store_is_asked_does_not_grow_with_the_days(self, monkeypatch: pytest.MonkeyPatch) -> None:
        setting = a_clinic()
        for hour in (9, 10, 11):
            setting.book(f"2026-11-24T{hour:02}:00:00Z")
            setting.book(f"2026-12-10T{hour:02}:00:00Z")
        asked: list[str] = []
        for name in ("read", "read_ranges", "list"):
            monkeypatch.setattr(setting.store, name, counting(asked, getattr(setting.store, name)))

        counts = {}
        for to in ("2026-11-25", "2026-12-28"):
            asked.clear()
            feeds.feed(setting.desk, "clinic", Days(from_="2026-11-24", to=to))
            counts[to] = len(asked)

        assert counts["2026-11-25"] == counts["2026-12-28"] <= 6


class TestChanges:
    def test_the_number_grows_with_what_happens_and_costs_one_reading(self, monkeypatch: pytest.MonkeyPatch) -> None:
        signed = a_desk()

        answer = signed.get("/changes")

        assert answer.json == {"number": 0}
        assert signed.get("/changes", if_none_match=answer.tag).status == 304

    def test_a_stream_begins_with_it(self) -> None:
        answer = a_desk().get("/changes/stream")

        assert answer.headers["content-type"] == streaming.MEDIA  # by which its carrier knows it
        assert answer.text == "data: 0\n\n"


class TestFree:
    def test_a_move_is_told_where_there_is_room(self) -> None:
        signed = a_desk(doctors=1)
        visit = signed.setting.book(TUESDAY)
        signed.setting.book("2026-11-24T09:30:00Z")

        room = signed.get(f"/appointments/{visit.id}/free?from=2026-11-24&to=2026-11-25").json

        starts = room["resources"]["d0"]
        assert room["minutes"] == 30
        assert "2026-11-24T10:00" in starts
        assert "2026-11-24T10:15" not in starts
        assert "2026-11-24T11:00" in starts
        assert room["latestEnd"] == "2026-11-24T10:30"

    def test_a_booking_is_told_where_there_is_room(self) -> None:
        signed = a_desk(doctors=1)
        signed.setting.book(TUESDAY)

        room = signed.get("/calendar/free?service=visit&from=2026-11-24&to=2026-11-25").json

        assert "2026-11-24T10:00" not in room["anyone"]
        assert room["anyone"] == room["resources"]["d0"]


class TestMove:
    def test_it_goes_to_the_wall_time_in_the_column(self) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY, resource_ids=("d0",))

        answer = signed.post(
            f"/appointments/{visit.id}/move", {"revision": 1, "start": "2026-11-24T14:00", "resourceIds": ["d1"]}
        )

        after = answer.json["appointment"]
        assert (after["start"], after["end"]) == ("2026-11-24T14:00", "2026-11-24T14:30")
        assert (after["resourceIds"], after["revision"]) == (["d1"], 2)

    def test_those_who_serve_beside_stay_where_they_can(self) -> None:
        signed = a_desk()
        exam = signed.setting.book(TUESDAY, "exam", resource_ids=("d0", "r1"))
        signed.setting.book("2026-11-24T13:00:00Z", "", end="2026-11-24T14:00:00Z", resource_ids=("r1",))
        move = {"resourceIds": ["d0"], "prefer": ["r1"]}

        stays = signed.post(f"/appointments/{exam.id}/move", move | {"revision": 1, "start": "2026-11-24T11:00"})
        goes = signed.post(f"/appointments/{exam.id}/move", move | {"revision": 2, "start": "2026-11-24T14:00"})

        assert stays.json["appointment"]["resourceIds"] == ["d0", "r1"]
        assert goes.json["appointment"]["resourceIds"] == ["d0", "r0"]

    def test_a_taken_time_is_refused_with_who_has_it_and_what_is_free(self) -> None:
        signed = a_desk(doctors=1)
        visit = signed.setting.book(TUESDAY)
        rival = signed.setting.book("2026-11-24T10:00:00Z", contact=contact("Grace"))

        answer = signed.post(f"/appointments/{visit.id}/move", {"revision": 1, "start": "2026-11-24T11:00"})

        assert (answer.status, answer.json["code"]) == (409, "taken")
        way = answer.json["conflictingAppointment"]
        assert (way["appointmentId"], way["customer"], way["service"]) == (rival.id, "Grace", "Visit")
        assert (way["start"], way["end"]) == ("2026-11-24T11:00", "2026-11-24T11:30")
        assert answer.json["alternatives"][-1]["start"] == "2026-11-24T11:30"

    def test_a_reason_overrides_it(self) -> None:
        signed = a_desk(doctors=1)
        visit = signed.setting.book(TUESDAY)
        signed.setting.book("2026-11-24T10:00:00Z")
        body = {"revision": 1, "start": "2026-11-24T11:00", "override": {"reason": "urgent"}}

        answer = signed.post(f"/appointments/{visit.id}/move", body)

        assert answer.json["appointment"]["overrode"] == "taken"
        history = signed.get(f"/appointments/{visit.id}/details").json["history"]
        assert history[0]["warning"] == "the time is taken"
        assert history[0]["by"] == "Sam Staff"

    def test_what_was_changed_meanwhile_is_not_moved(self) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY)
        path = f"/appointments/{visit.id}/move"
        signed.post(path, {"revision": 1, "start": "2026-11-24T11:00"})

        assert signed.post(path, {"revision": 1, "start": "2026-11-24T12:00"}).status == 412

    def test_an_hour_that_is_leapt_over_is_refused_with_a_word_about_it(self) -> None:
        signed = a_desk("2027-03-20T08:00:00Z")
        visit = signed.setting.book("2027-03-28T04:00:00Z", "", end="2027-03-28T05:00:00Z", resource_ids=("r0",))

        answer = signed.post(f"/appointments/{visit.id}/move", {"revision": 1, "start": "2027-03-28T02:30"})

        assert (answer.status, answer.json["field"]) == (422, "start")
        assert "02:30 does not exist on 2027-03-28" in answer.json["detail"]

    @pytest.mark.parametrize(
        ("offset", "instant"),
        [("", "2026-10-25T00:30:00Z"), ("+02:00", "2026-10-25T00:30:00Z"), ("+01:00", "2026-10-25T01:30:00Z")],
    )
    def test_of_an_hour_that_comes_twice_the_first_is_meant_unless_its_offset_is_said(
        self, offset: str, instant: str
    ) -> None:
        signed = a_desk("2026-10-20T08:00:00Z")
        visit = signed.setting.book("2026-10-25T12:00:00Z", "", end="2026-10-25T13:00:00Z", resource_ids=("r0",))
        body = {"revision": 1, "start": "2026-10-25T02:30", "offset": offset}

        after = signed.post(f"/appointments/{visit.id}/move", body).json["appointment"]

        assert (after["startTime"], after["offset"]) == (instant, offset or "+02:00")

    def test_its_length_stays_the_same_where_the_clock_leaps(self) -> None:
        signed = a_desk("2027-03-20T08:00:00Z")
        visit = signed.setting.book("2027-03-27T09:00:00Z", "", end="2027-03-27T11:00:00Z", resource_ids=("r0",))

        after = signed.post(f"/appointments/{visit.id}/move", {"revision": 1, "start": "2027-03-28T01:00"}).json

        assert (after["appointment"]["start"], after["appointment"]["end"]) == ("2027-03-28T01:00", "2027-03-28T04:00")


class TestDeeds:
    def test_a_check_in_can_be_taken_back(self) -> None:
        signed = a_desk()
        path = f"/appointments/{signed.setting.book(TUESDAY).id}/deed"

        came = signed.post(path, {"revision": 1, "do": "checkIn"}).json["appointment"]
        back = signed.post(path, {"revision": 2, "do": "reopen"}).json["appointment"]

        assert [came["status"], back["status"]] == ["checkedIn", "booked"]

    def test_what_can_be_done_is_what_is_let_do(self) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY)

        deeds = signed.get(f"/appointments/{visit.id}/details").json["deeds"]

        assert deeds == ["checkIn", "complete", "noShow", "cancel"]
        assert (
            signed.post(f"/appointments/{visit.id}/deed", {"revision": 1, "do": "confirm"}).json["code"]
            == "wrong-state"
        )

    def test_a_viewer_may_look_and_no_more(self) -> None:
        setting = a_clinic()
        visit = setting.book(TUESDAY)
        viewer = Signed(setting, "viewer")

        assert viewer.get(f"/appointments/{visit.id}/details").json["deeds"] == []
        assert viewer.post(f"/appointments/{visit.id}/deed", {"revision": 1, "do": "checkIn"}).status == 403
        assert "data-readonly" in viewer.get("").text

    def test_another_site_cannot_make_a_browser_do_it(self) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY)

        answer = signed.post(f"/appointments/{visit.id}/deed", {"revision": 1, "do": "cancel"}, x_csrf_token="guessed")

        assert (answer.status, answer.json["code"]) == (403, "forged")

    def test_notes_leave_other_details_alone(self) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY, details={"location": "Room 2", "notes": "old"})

        signed.post(f"/appointments/{visit.id}/notes", {"revision": 1, "notes": "new\nlines"})

        about = signed.get(f"/appointments/{visit.id}/details").json
        assert (about["notes"], about["details"]) == ("new\nlines", {"location": "Room 2"})


BODY = {
    "serviceId": "visit",
    "start": "2026-11-24T10:00",
    "resourceIds": ["d1"],
    "name": "Ada",
    "email": "ada@example.com",
}


class TestBooking:
    def test_it_books_for_somebody_new_who_is_known_from_then_on(self) -> None:
        signed = a_desk()

        made = signed.post("/appointments", BODY).json["appointment"]
        [known] = signed.get("/calendar/customers?q=AD").json

        assert (made["start"], made["resourceIds"], made["customer"]) == ("2026-11-24T10:00", ["d1"], "Ada")
        assert known == {"id": made["customerId"], "name": "Ada", "email": "ada@example.com", "phone": ""}

    def test_it_books_for_somebody_who_is_known(self) -> None:
        signed = a_desk()
        catalogue.put(signed.setting.desk, STAFF, "customer", "lin", Customer(name="Lin", phone="+49 30 12345"))

        [found] = signed.get("/calendar/customers?q=3012").json
        made = signed.post(
            "/appointments", {"serviceId": "visit", "start": "2026-11-24T10:00", "customerId": found["id"]}
        )

        assert made.json["appointment"]["customer"] == "Lin"

    @pytest.mark.parametrize(
        ("wrong", "field"), [({"name": ""}, "name"), ({"email": "nobody"}, "email"), ({"start": "10 o'clock"}, "start")]
    )
    def test_what_is_wrong_is_said_of_its_field(self, wrong: dict[str, str], field: str) -> None:
        answer = a_desk().post("/appointments", BODY | wrong)

        assert (answer.status, answer.json["field"]) == (422, field)

    def test_sending_it_twice_books_once(self) -> None:
        signed = a_desk()

        one, two = (signed.post("/appointments", BODY, idempotency_key="k" * 20) for _ in range(2))

        assert one.json["appointment"]["id"] == two.json["appointment"]["id"]
        assert len(signed.get(DAY).json["appointments"]) == 1


class TestWithoutScript:
    def test_a_day_is_a_list_that_leads_to_each_appointment(self) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY, contact=contact("Ada <b>"))

        page = signed.get("/day?date=2026-11-24", accept="text/html")

        assert f'href="/staff/clinic/appointments/{visit.id}"' in page.text
        assert "Ada &lt;b&gt;" in page.text
        assert "10:00" in page.text
        assert "Nothing stands" in signed.get("/day?date=2026-11-25", accept="text/html").text

    def test_the_forms_of_an_appointment_do_all_that_the_script_does(self) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY)
        path = f"/appointments/{visit.id}"

        answers = [
            signed.send(path, do="move", revision="1", date="2026-11-24", time="14:00", minutes="45", resource="d2"),
            signed.send(path, do="notes", revision="2", notes="Brings a friend"),
            signed.send(path, do="checkIn", revision="3"),
            signed.send(path, do="reopen", revision="4"),
            signed.send(path, do="cancel", revision="5", reason="ill"),
        ]

        assert [each.status for each in answers] == [303] * 5
        page = signed.get(path, accept="text/html").text
        for text in ("14:00", "Brings a friend", "Cancelled", "“ill”", "Book again", "Sam Staff"):
            assert text in page

    def test_a_refusal_says_what_is_in_the_way_and_asks_for_a_reason(self) -> None:
        signed = a_desk(doctors=1)
        visit = signed.setting.book(TUESDAY)
        signed.setting.book("2026-11-24T10:00:00Z", contact=contact("Grace"))
        move = {"do": "move", "revision": "1", "date": "2026-11-24", "time": "11:00"}

        refused = signed.send(f"/appointments/{visit.id}", **move)
        done = signed.send(f"/appointments/{visit.id}", **move, override="urgent")

        assert refused.status == 409
        assert "In the way: Grace" in refused.text
        assert 'name="override"' in refused.text
        assert done.status == 303
        assert "Overridden" in signed.get(f"/appointments/{visit.id}", accept="text/html").text

    @pytest.mark.parametrize("deed", ["move", "checkIn"])
    def test_what_its_status_does_not_allow_is_said_and_nothing_is_to_be_overridden(self, deed: str) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY)
        changing.act(signed.setting.desk, STAFF, "checkIn", changing.Request(id=visit.id))

        answer = signed.send(f"/appointments/{visit.id}", do=deed, revision="2", date="2026-11-24", time="14:00")

        assert answer.status == 409
        assert "An appointment that is checkedIn cannot be" in answer.text
        assert "It cannot go there" not in answer.text
        assert 'name="override"' not in answer.text

    def test_what_was_changed_meanwhile_is_shown_and_nothing_done(self) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY)
        changing.act(signed.setting.desk, STAFF, "checkIn", changing.Request(id=visit.id))

        answer = signed.send(f"/appointments/{visit.id}", do="cancel", revision="1")

        assert answer.status == 412
        assert "It was changed meanwhile" in answer.text

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"do": "move", "date": "2026-11-24", "time": "late"}, "no wall time"),
            ({"do": "move", "date": "2026-11-24", "time": "11:00", "minutes": "many"}, "how many minutes"),
            ({"do": "dance"}, "Choose what is to be done"),
        ],
    )
    def test_what_is_wrong_is_said(self, fields: dict[str, str], words: str) -> None:
        signed = a_desk()
        visit = signed.setting.book(TUESDAY)

        answer = signed.send(f"/appointments/{visit.id}", revision="1", **fields)

        assert answer.status == 422
        assert words in answer.text

    def test_a_form_books(self) -> None:
        signed = a_desk()
        page = signed.get("/new?service=visit&date=2026-11-24", accept="text/html").text
        once = re.search(r'name="once" value="([^"]+)"', page)
        assert once
        fields = {"service": "visit", "start": "2026-11-24T10:00", "name": "Ada", "email": "", "once": once[1]}

        first, again = (signed.send("/new?service=visit&date=2026-11-24", **fields) for _ in range(2))

        assert 'value="2026-11-24T10:00"' in page
        assert first.status == 303
        assert first.headers["location"] == again.headers["location"]
        assert "Ada" in signed.get(first.headers["location"], accept="text/html").text

    def test_a_form_shows_again_what_was_typed_and_what_is_wrong(self) -> None:
        signed = a_desk()

        answer = signed.send(
            "/new?service=visit&date=2026-11-24", service="visit", start="2026-11-24T10:00", name="", notes="Knee"
        )

        assert answer.status == 422
        assert "Say who it is for" in answer.text
        assert "Knee" in answer.text


class TestPage:
    def test_the_page_asks_for_files_that_are_there(self) -> None:
        page = a_desk().get("", accept="text/html").text

        names = re.findall(r'(?:src|href)="/static/([\w.-]+)', page)
        imported = re.findall(
            r'from "\./([\w.-]+)"',
            "".join(assets.asset(name).body.decode() for name in names if name.startswith("staff-")),
        )

        assert {"staff-calendar.js", "staff-calendar-grid.js", "staff-calendar.css"} <= set(names)
        assert set(imported) <= set(names)

    def test_no_script_stands_in_the_page_itself(self) -> None:
        page = a_desk().get("", accept="text/html").text

        assert not re.search(r"<script(?![^>]* src=)", page)
        assert not re.search(r"<style|\sstyle=|\son\w+=", page)


def counting(asked: list[str], ask: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*what: Any, **how: Any) -> Any:
        asked.append(ask.__name__)
        return ask(*what, **how)

    return counted
