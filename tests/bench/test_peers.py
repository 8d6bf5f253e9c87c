"""What our figures are measured beside does the same work: it books, refuses, repeats and remembers as we do."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from bench import day, load
from bench.peers import cluster
from bench.peers.serving import Peer, furnished
from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant
from slotkeeper.process import now
from tests.serving import PROBLEM, Client, Reply, ask_at_once, statuses

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HEARD_SECONDS = 0.5

OVERLAPS = """
SELECT count(*) FROM claim one JOIN claim other USING (resource_number)
WHERE one.ctid < other.ctid AND one.span && other.span
"""


class Shop:
    """A peer that serves: its database, and a client of it."""

    def __init__(self, peer: Peer, port: int) -> None:
        self.peer = peer
        self.port = port

    def book(self, start: Instant, *, key: str = "", request_key: str = "", **others: object) -> Reply:
        body = {"serviceId": "visit", "startTime": format_instant(start), "customerId": "c1", **others}
        with Client(self.port, key or self.peer.key) as client:
            return client.post("/appointments", body, idempotency_key=request_key or secrets.token_hex(8))

    @contextmanager
    def changed(self, there: str, back: str) -> Iterator[None]:
        """Change the catalogue while the block runs. The server hears of it a moment after psql."""
        self.peer.cluster.run(there)
        time.sleep(HEARD_SECONDS)
        yield
        self.peer.cluster.run(back)
        time.sleep(HEARD_SECONDS)

    def count(self, query: str) -> int:
        return int(self.peer.cluster.run(query))


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with ExitStack() as stack:
        try:
            peer = stack.enter_context(furnished(day.RESOURCES, day.MINUTES))
        except cluster.Absent as absent:
            pytest.skip(str(absent))
        port, _ = stack.enter_context(peer.opened(workers=1))
        yield Shop(peer, port)


def at(days: int, minutes: int = 0) -> Instant:
    """So many minutes after the midnight that is so many days ahead."""
    return Instant((now() // DAY_SECONDS + days) * DAY_SECONDS + minutes * 60)


def test_it_books_the_reference_day_whole(shop: Shop) -> None:
    booked = load.run(day.run_day(shop.port, day.requests(shop.peer.key)))

    assert booked.made == day.BOOKINGS
    assert shop.count("SELECT count(*) FROM claim") == day.BOOKINGS
    assert shop.count("SELECT count(*) FROM event") == day.BOOKINGS
    assert shop.count("SELECT count(*) FROM message WHERE kind = 'reminder'") == 2 * day.BOOKINGS
    assert shop.count("SELECT count(*) FROM message WHERE kind = 'booked'") == day.BOOKINGS


def test_a_doubled_slot_is_refused_with_409_and_the_rival(shop: Shop) -> None:
    first = shop.book(at(10), resourceIds=["r3"])

    second = shop.book(at(10), resourceIds=["r3"])

    assert (first.status, second.status, second.media, second.code) == (201, 409, PROBLEM, "taken")
    assert second.body["conflictingAppointment"]["appointmentId"] == first.body["appointmentId"]


def test_of_those_who_want_one_slot_at_once_one_gets_it(shop: Shop) -> None:
    body = {"serviceId": "visit", "startTime": format_instant(at(11)), "resourceIds": ["r4"]}
    asks = [lambda client, n=n: client.post("/appointments", body, idempotency_key=f"rush-{n}") for n in range(16)]

    replies = ask_at_once([shop.port], shop.peer.key, asks)

    assert statuses(replies) == {201: 1, 409: 15}
    assert shop.count(OVERLAPS) == 0


def test_the_same_request_gives_the_same_answer_and_one_appointment(shop: Shop) -> None:
    first, again = (shop.book(at(12), resourceIds=["r5"], request_key="once") for _ in range(2))

    other = shop.book(at(12, 15), resourceIds=["r5"], request_key="once")

    assert first.status == 201
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status, other.code) == (422, "key-reused")


def test_anyone_is_taken_when_nobody_is_named_the_least_loaded_first(shop: Shop) -> None:
    whole_day = [shop.book(at(13), resourceIds=[f"r{number}"]) for number in range(day.RESOURCES - 1)]

    last, beyond = shop.book(at(13)), shop.book(at(13))

    assert {reply.status for reply in whole_day} == {201}
    assert last.body["appointment"]["resourceIds"] == [f"r{day.RESOURCES - 1}"]
    assert beyond.code == "taken"


@pytest.mark.parametrize(("days", "minutes", "code"), [(14, 7, "off-step"), (-1, 0, "too-soon"), (400, 0, "too-far")])
def test_the_rules_refuse(shop: Shop, days: int, minutes: int, code: str) -> None:
    assert shop.book(at(days, minutes)).code == code


def test_a_key_that_is_not_good_is_refused(shop: Shop) -> None:
    assert shop.book(at(15), key="sk_other").status == 401


def test_who_does_not_give_the_service_cannot_be_named(shop: Shop) -> None:
    assert shop.book(at(15), resourceIds=["nobody"]).status == 422


def test_a_change_of_the_catalogue_is_seen(shop: Shop) -> None:
    before = shop.book(at(16), resourceIds=["r6"])
    with shop.changed("UPDATE service SET active = false", "UPDATE service SET active = true"):
        during = shop.book(at(16), resourceIds=["r7"])

    assert (before.status, during.status) == (201, 404)


def test_outside_its_hours_nobody_is_booked(shop: Shop) -> None:
    by_day = "UPDATE opening SET opens = 540, closes = 1020"
    with shop.changed(by_day, "UPDATE opening SET opens = 0, closes = 1440"):
        night, noon = shop.book(at(17)), shop.book(at(17, 12 * 60))

    assert (night.code, noon.status) == ("closed", 201)
