"""What people do with Slotkeeper, from the first look at free times to the reminder: written once, for every home.

A journey asks over HTTP and looks at the mail that came, as people do. It goes by the clock on the wall.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant
from tests.serving import Reply

LEAD_MINUTES = 5
"""The shortest that a reminder rule allows, so that a journey need not wait long."""

UNTIL_DUE_SECONDS = 20
PATIENCE_SECONDS = 90.0


class Mail(NamedTuple):
    """A mail that has arrived."""

    to: str
    subject: str


class Home(Protocol):
    """A running Slotkeeper with one business, asked with a key that may do everything."""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Ask over HTTP."""
        ...

    def mails(self) -> Sequence[Mail]:
        """All mails that have arrived so far."""
        ...


def a_visit(home: Home) -> None:
    """See slots, book, lose to a rival, repeat a request, move, cancel: and the slot is back."""
    put(home, "/resources/ada", {"name": "Ada", "zone": "Europe/Berlin"})
    put(
        home,
        "/services/visit",
        {"name": "Visit", "durationMinutes": 30, "stepMinutes": 30, "needs": [{"allOf": ["ada"]}]},
    )
    day = Instant((_now() // DAY_SECONDS + 2) * DAY_SECONDS)
    first, second = _slots(home, day)[:2]

    booked = _book(home, first, "key-1")
    rival = home.ask("POST", "/appointments", _order(first), idempotency_key="key-2")
    again = _book(home, first, "key-1")

    assert rival.status == 409
    assert rival.code == "taken"
    assert second in [each["startTime"] for each in rival.body["alternatives"]]
    assert again["appointmentId"] == booked["appointmentId"]
    assert _slots(home, day)[0] == second

    path = f"/appointments/{booked['appointmentId']}"
    moved = home.ask("POST", f"{path}/reschedule", {"startTime": second}, idempotency_key="key-3")

    assert (moved.status, moved.body["startTime"]) == (200, second)
    assert _slots(home, day)[0] == first

    cancelled = home.ask("POST", f"{path}/cancel", {}, idempotency_key="key-4")

    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert _slots(home, day)[:2] == [first, second]
    assert home.ask("POST", f"{path}/reschedule", {"startTime": first}).code == "wrong-state"


def a_reminder(home: Home) -> None:
    """Of three appointments one is kept, one cancelled and one moved: the one that is kept is reminded of, once."""
    put(home, "/reminderRules/short", {"leadMinutes": LEAD_MINUTES})
    start = soon()
    made = {name: reserve(home, name, start) for name in ("kept", "dropped", "later")}

    _good(home.ask("POST", f"/appointments/{made['dropped']}/cancel", {}))
    after = format_instant(Instant(start + DAY_SECONDS))
    _good(home.ask("POST", f"/appointments/{made['later']}/reschedule", {"startTime": after}))
    wait_for(lambda: "kept@example.com" in _reminded(home), "the reminder")
    wait_for(lambda: {"dropped@example.com", "later@example.com"} <= _told(home), "the other notices")
    time.sleep(2)

    assert _reminded(home) == ["kept@example.com"]
    shown = home.ask("GET", f"/appointments/{made['kept']}/reminders").body["items"]
    assert [each["state"] for each in shown] == ["sent"]


def soon() -> Instant:
    """A start whose shortest reminder is due in a few seconds."""
    return Instant(_now() + LEAD_MINUTES * 60 + UNTIL_DUE_SECONDS)


def wait_for(happened: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Raises `AssertionError` when it has not happened in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:g} seconds"
        time.sleep(0.25)


def _now() -> int:
    return int(time.time())


def put(home: Home, path: str, body: object) -> None:
    """Put a thing there, which must go well."""
    _good(home.ask("PUT", path, body))


def _good(reply: Reply) -> Any:
    assert reply.status in (200, 201), reply
    return reply.body


def _slots(home: Home, day: Instant) -> list[str]:
    last = Instant(day + DAY_SECONDS)
    query = f"serviceId=visit&from={format_instant(day)}&to={format_instant(last)}"
    return [slot["startTime"] for slot in _good(home.ask("GET", f"/slots?{query}"))["items"]]


def _order(start: str) -> dict[str, object]:
    contact = {"name": "Grace Hopper", "email": "grace@example.com"}
    return {"serviceId": "visit", "startTime": start, "customerId": "grace", "customer": contact}


def _book(home: Home, start: str, key: str) -> Any:
    return _good(home.ask("POST", "/appointments", _order(start), idempotency_key=key))


def reserve(home: Home, name: str, start: Instant, **contact: str) -> str:
    """Book a quarter of an hour of a resource of that name, without a service, in the words of the first design;
    returns the appointment's id."""
    put(home, f"/resources/{name}", {"name": name, "zone": "Europe/Berlin"})
    order = {
        "userId": name,
        "startTime": format_instant(start),
        "endTime": format_instant(Instant(start + 900)),
        "resourceIds": [name],
        "customer": {"name": name, "email": f"{name}@example.com", **contact},
    }
    id: str = _good(home.ask("POST", "/appointments", order))["appointmentId"]
    return id


def _reminded(home: Home) -> list[str]:
    return [mail.to for mail in home.mails() if mail.subject.startswith("Reminder")]


def _told(home: Home) -> set[str]:
    """Who has had two mails at least: of the booking, and of what came of it."""
    to = [mail.to for mail in home.mails()]
    return {each for each in to if to.count(each) > 1}
