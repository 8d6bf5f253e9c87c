"""What happened can be read: messages, those given up, events and the audit log."""

import asyncio

import pytest

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Undeliverable
from slotkeeper.courier.courier import Courier
from slotkeeper.senders.outbox import OutboxSender
from tests.web.asking import TUESDAY, Asker, a_web, clock_of


class RefusingSender:
    """A sender whose peer takes nothing."""

    async def send(self, letter: Letter) -> str:
        raise Undeliverable("no such mailbox")


@pytest.fixture
def asker() -> Asker:
    return a_web()


def deliver(asker: Asker, *, refusing: bool = False) -> None:
    setting = asker.setting
    senders = {"email": RefusingSender()} if refusing else {}
    asyncio.run(Courier(setting.store, setting.clock, senders, OutboxSender()).sweep())


def test_messages_can_be_read(asker: Asker) -> None:
    id = asker.book(customer={"name": "Ada", "email": "ada@example.com"})

    deliver(asker)

    [item] = asker.get("/notifications").json["items"]
    assert (item["appointmentId"], item["kind"], item["state"], item["to"]) == (id, "booked", "sent", "ada@example.com")
    assert asker.get("/deadLetters").json == {"items": [], "nextCursor": None}


def test_a_message_that_was_given_up_is_sent_again(asker: Asker) -> None:
    asker.book(customer={"name": "Ada", "email": "ada@example.com"})
    deliver(asker, refusing=True)
    [dead] = asker.get("/deadLetters").json["items"]

    replayed = asker.post(f"/deadLetters/{dead['id']}/replay")
    deliver(asker)

    assert (dead["state"], dead["answer"]) == ("dead", "no such mailbox")
    assert (replayed.status, replayed.json["state"]) == (200, "waiting")
    assert asker.get("/deadLetters").json["items"] == []
    assert asker.get("/notifications").json["items"][0]["state"] == "sent"
    assert asker.post(f"/deadLetters/{dead['id']}/replay").status == 409


def test_messages_go_on_where_the_cursor_says(asker: Asker) -> None:
    for hour in range(8, 13):
        asker.book(f"2026-11-24T{hour:02}:00:00Z", customer={"email": "ada@example.com"})
        deliver(asker)
    ids: list[str] = []
    query = "?limit=2"

    while query:
        page = asker.get(f"/notifications{query}").json
        ids += [item["id"] for item in page["items"]]
        query = f"?limit=2&cursor={page['nextCursor']}" if page["nextCursor"] else ""

    assert len(ids) == len(set(ids)) == 5


def test_events_come_in_one_sequence(asker: Asker) -> None:
    id = asker.book()
    asker.post(f"/appointments/{id}/reschedule", {"startTime": "2026-11-24T10:00:00Z"})
    asker.post(f"/appointments/{id}/cancel", {"reason": "ill"})
    deliver(asker)

    first = asker.get("/events?limit=2").json
    rest = asker.get(f"/events?after={first['nextCursor']}").json

    events = [*first["items"], *rest["items"]]
    assert [(event["number"], event["type"]) for event in events] == [(1, "booked"), (2, "moved"), (3, "cancelled")]
    assert events[1]["wasStartTime"] == TUESDAY
    assert events[2]["reason"] == "ill"
    assert rest["nextCursor"] is None


def test_the_audit_log_tells_who_did_what(asker: Asker) -> None:
    clock_of(asker).forward(hours=1)
    asker.put("/pools/new", {"name": "P", "resourceIds": ["d0"]})

    [entry] = asker.get("/audit?from=2026-11-23T07:00:00Z&to=2026-11-24T00:00:00Z").json["items"]

    assert (entry["what"], entry["target"], entry["by"]) == ("put", "pool/new", asker.key.split("_")[1])


def test_the_audit_log_goes_on_where_the_cursor_says(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slotkeeper.web.journal.AUDIT_PAGE", 2)
    span = "from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z"
    ids: list[str] = []
    query = span

    while query:
        page = asker.get(f"/audit?{query}").json
        ids += [item["id"] for item in page["items"]]
        query = f"{span}&cursor={page['nextCursor']}" if page["nextCursor"] else ""

    assert len(ids) == len(set(ids)) > 5


@pytest.mark.parametrize(
    "span", ["from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z", f"from={TUESDAY}&to={TUESDAY}", "from=x&to=y"]
)
def test_an_impossible_span_of_the_audit_log_is_refused(asker: Asker, span: str) -> None:
    assert asker.get(f"/audit?{span}").status == 422
