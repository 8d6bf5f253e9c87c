"""The same request with the same key is done once, and answered the same; what was seen is not overwritten."""

import pytest

from tests.web.asking import TUESDAY, Asker, a_key, a_web, clock_of

LATER = "2026-11-24T10:00:00Z"
BOOKING = {"serviceId": "visit", "startTime": TUESDAY, "customer": {"name": "Ada"}, "details": {"n": 1}}
ONCE = {"idempotency-key": "a-key-that-is-long-enough"}


@pytest.fixture
def asker() -> Asker:
    return a_web()


class TestIdempotencyKeys:
    def test_a_repeat_is_answered_like_the_first_and_books_nothing(self, asker: Asker) -> None:
        first = asker.post("/appointments", BOOKING, headers=ONCE)
        before = asker.dump()

        again = asker.post("/appointments", BOOKING, headers=ONCE)

        assert (again.status, again.body) == (201, first.body)
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        assert asker.dump() == before

    def test_the_first_answer_stands_whatever_happened_since(self, asker: Asker) -> None:
        first = asker.post("/appointments", BOOKING, headers=ONCE)
        id = first.json["appointmentId"]
        asker.post(f"/appointments/{id}/reschedule", {"startTime": LATER})
        asker.patch(f"/appointments/{id}", {"details": {"n": 2}})
        asker.post(f"/appointments/{id}/cancel")
        clock_of(asker).forward(hours=1)

        assert asker.post("/appointments", BOOKING, headers=ONCE).body == first.body

    def test_an_override_is_answered_with_its_warning_again(self, asker: Asker) -> None:
        asker.book(resourceIds=["d0"])
        wish = BOOKING | {"resourceIds": ["d0"], "override": {"reason": "emergency"}}
        first = asker.post("/appointments", wish, headers=ONCE)
        asker.post(f"/appointments/{first.json['appointmentId']}/reschedule", {"startTime": LATER})

        again = asker.post("/appointments", wish, headers=ONCE)

        assert first.json["warnings"] == ["taken: the time is taken"]
        assert again.body == first.body

    def test_another_request_with_the_key_is_refused(self, asker: Asker) -> None:
        asker.post("/appointments", BOOKING, headers=ONCE)

        reply = asker.post("/appointments", BOOKING | {"startTime": LATER}, headers=ONCE)

        assert (reply.status, reply.code) == (422, "key-reused")

    def test_a_refused_request_may_come_again_with_the_key(self, asker: Asker) -> None:
        taken = asker.book(resourceIds=["d0"])
        wish = BOOKING | {"resourceIds": ["d0"]}
        assert asker.post("/appointments", wish, headers=ONCE).status == 409

        asker.post(f"/appointments/{taken}/cancel")

        assert asker.post("/appointments", wish, headers=ONCE).status == 201

    def test_a_key_means_something_to_its_own_credential_only(self, asker: Asker) -> None:
        first = asker.post("/appointments", BOOKING, headers=ONCE)

        other = asker.post("/appointments", BOOKING, headers=ONCE, key=a_key(asker.setting))

        assert other.status == 201
        assert other.json["appointmentId"] != first.json["appointmentId"]

    def test_quotes_around_a_key_change_nothing(self, asker: Asker) -> None:
        first = asker.post("/appointments", BOOKING, headers={"idempotency-key": '"abc"'})

        assert asker.post("/appointments", BOOKING, headers={"idempotency-key": "abc"}).body == first.body

    @pytest.mark.parametrize("key", ["", '""', "a b", "é", "a" * 256, '"a', 'a"b', "a\tb", "a\x7f"])
    def test_a_key_that_is_none_is_refused(self, asker: Asker, key: str) -> None:
        reply = asker.post("/appointments", BOOKING, headers={"idempotency-key": key})

        assert (reply.status, reply.json["field"]) == (422, "Idempotency-Key")

    @pytest.mark.parametrize("key", ["a", "a" * 255, '"' + "a" * 255 + '"', "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"])
    def test_any_visible_characters_make_a_key(self, asker: Asker, key: str) -> None:
        assert asker.post("/appointments", BOOKING, headers={"idempotency-key": key}).status == 201

    def test_an_action_is_done_once(self, asker: Asker) -> None:
        id = asker.book()
        first = asker.post(f"/appointments/{id}/cancel", headers=ONCE)

        again = asker.post(f"/appointments/{id}/cancel", headers=ONCE)

        assert (again.status, again.body) == (200, first.body)

    @pytest.mark.parametrize(
        ("path", "body"),
        [("/cancel", {}), ("/reschedule", {"startTime": "2026-11-24T11:00:00Z"}), ("", {"details": {"n": 2}})],
        ids=["another-action", "another-time", "an-edit"],
    )
    def test_another_change_with_the_key_is_refused(self, asker: Asker, path: str, body: dict[str, object]) -> None:
        id = asker.book()
        asker.post(f"/appointments/{id}/reschedule", {"startTime": LATER}, headers=ONCE)
        before = asker.dump()

        reply = asker.ask("POST" if path else "PATCH", f"/appointments/{id}{path}", body, headers=ONCE)

        assert (reply.status, reply.code) == (422, "key-reused")
        assert asker.dump() == before

    def test_a_move_that_came_twice_is_made_once(self, asker: Asker) -> None:
        id = asker.book()
        first = asker.post(f"/appointments/{id}/reschedule", {"startTime": LATER}, headers=ONCE)

        again = asker.post(f"/appointments/{id}/reschedule", {"startTime": LATER}, headers=ONCE)

        assert (again.status, again.body) == (200, first.body)

    def test_a_hold_is_made_once(self, asker: Asker) -> None:
        hold = {"serviceId": "visit", "startTime": TUESDAY}

        first, again = (asker.post("/holds", hold, headers=ONCE) for _ in range(2))

        assert (again.status, again.body) == (201, first.body)


class TestRevisions:
    def test_an_appointment_comes_with_its_revision(self, asker: Asker) -> None:
        made = asker.post("/appointments", BOOKING)
        id = made.json["appointmentId"]

        changed = asker.patch(f"/appointments/{id}", {"details": {}}, headers={"if-match": made.headers["etag"]})

        assert (made.headers["etag"], changed.headers["etag"]) == ('"1"', '"2"')
        assert asker.get(f"/appointments/{id}").headers["etag"] == '"2"'

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "", {"details": {"lost": True}}),
            ("POST", "/reschedule", {"startTime": LATER}),
            ("POST", "/cancel", {}),
        ],
    )
    def test_what_was_changed_meanwhile_is_not_overwritten(
        self, asker: Asker, method: str, path: str, body: object
    ) -> None:
        id = asker.book()
        asker.patch(f"/appointments/{id}", {"details": {"new": True}})
        before = asker.dump()

        reply = asker.ask(method, f"/appointments/{id}{path}", body, headers={"if-match": '"1"'})

        assert (reply.status, reply.code) == (412, "outdated")
        assert asker.dump() == before

    def test_a_star_matches_whatever_is_there(self, asker: Asker) -> None:
        id = asker.book()

        assert asker.post(f"/appointments/{id}/cancel", headers={"if-match": "*"}).status == 200

    @pytest.mark.parametrize("tag", ["1", '"1", "2"', '"', "W/1", '"' + "1" * 65 + '"'])
    def test_what_is_no_single_tag_is_refused(self, asker: Asker, tag: str) -> None:
        id = asker.book()

        assert asker.post(f"/appointments/{id}/cancel", headers={"if-match": tag}).status == 422

    def test_what_is_known_already_is_not_sent_again(self, asker: Asker) -> None:
        id = asker.book()
        tag = asker.get(f"/appointments/{id}").headers["etag"]

        for sent in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            reply = asker.get(f"/appointments/{id}", headers={"if-none-match": sent})
            assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", tag)
        assert asker.get(f"/appointments/{id}", headers={"if-none-match": '"9"'}).status == 200

    def test_things_of_the_catalogue_have_versions(self, asker: Asker) -> None:
        pool = {"name": "Doctors", "resourceIds": ["d0"]}
        seen = asker.get("/pools/doctors").headers["etag"]

        assert asker.put("/pools/doctors", pool, headers={"if-match": seen}).status == 200
        assert asker.put("/pools/doctors", pool, headers={"if-match": seen}).status == 412
        assert asker.delete("/pools/rooms", headers={"if-match": '"9"'}).status == 412

    def test_a_thing_is_made_only_where_none_is(self, asker: Asker) -> None:
        pool = {"name": "Doctors", "resourceIds": ["d0"]}

        assert asker.put("/pools/new", pool, headers={"if-none-match": "*"}).status == 201
        assert asker.put("/pools/new", pool, headers={"if-none-match": "*"}).status == 412

    def test_the_business_has_a_version(self, asker: Asker) -> None:
        seen = asker.get("/business").headers["etag"]
        profile = {"name": "Clinic", "zone": "Europe/Berlin"}

        assert asker.put("/business", profile, headers={"if-match": seen}).status == 200
        assert asker.put("/business", profile, headers={"if-match": seen}).status == 412
