"""What people do with Slotkeeper, from the first look at free times to the reminder: written once, for every home.

A journey asks over HTTP and looks at the mail that came, as people do. It goes by the clock on the wall.
"""

import re
import time
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from slotkeeper.core.ticks import DAY_SECONDS, Instant, format_instant, parse_instant
from slotkeeper.core.zones import local
from tests.e2e.browsing import Browser, Site
from tests.forging import forged
from tests.serving import Reply

LEAD_MINUTES = 5
"""The shortest that a reminder rule allows, so that a journey need not wait long."""

UNTIL_DUE_SECONDS = 20
PATIENCE_SECONDS = 90.0


DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel."""

PASSWORD = "a horse that counts sheep"
BERLIN = "Europe/Berlin"


class Mail(NamedTuple):
    """A mail that has arrived, and what it says."""

    to: str
    subject: str
    text: str = ""


class Home(Site, Protocol):
    """A running Slotkeeper with one business, asked with a key that may do everything."""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Ask over HTTP."""
        ...

    def mails(self) -> Sequence[Mail]:
        """All mails that have arrived so far."""
        ...

    def command(self, *args: str, typed: str = "") -> str:
        """What the command line says, at work on the home's store, when it is typed that."""
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


def a_visit_on_the_pages(home: Home) -> None:
    """A visitor books without script, follows the link in the mail, says that they will come, moves it, cancels it."""
    put(home, "/resources/kim", {"name": "Kim", "zone": BERLIN, "kind": "staff"})
    about = {
        "name": "Check-up",
        "durationMinutes": 30,
        "stepMinutes": 30,
        "public": True,
        "needs": [{"allOf": ["kim"]}],
    }
    put(home, "/services/check-up", about)
    visitor = Browser(home)
    day = local(Instant(_now() + 3 * DAY_SECONDS), BERLIN).date()

    visitor.open(f"{home.base}/clinic")
    visitor.follow("Check-up")
    visitor.open(f"?day={day}")
    time_link = next(each for _, each in visitor.page.links if re.search(r"/check-up/2[^/]+Z", each))
    visitor.open(time_link)
    shown = visitor.send("Book this time", Name="Lin", address="lin@example.com")
    assert shown.status == 200, shown.text
    assert "You are booked" in shown.text

    link = _link_for(home, "lin@example.com")
    assert urlsplit(link).path.startswith(f"{home.base}/visit/clinic/")
    customer = Browser(home)
    assert customer.open(link).status == 200
    assert "Check-up" in customer.page.text
    customer.send("I will come")
    assert "You said that you will come" in customer.page.text
    assert customer.ask(customer.page.link("Calendar file")).body.startswith(b"BEGIN:VCALENDAR")

    customer.follow("Move it")
    elsewhere = next(each for _, each in customer.page.links if "/move/2" in each)
    customer.open(elsewhere)
    assert customer.send("Move it").status == 200
    assert "It is moved" in customer.page.text
    [appointment] = _appointments(home, "kim")
    assert appointment["status"] == "booked"
    assert f"/move/{appointment['startTime']}" in unquote(elsewhere)

    customer.open(link)
    customer.follow("Cancel it")
    customer.send("Cancel the appointment")
    assert "You cancelled it" in customer.page.text
    assert [each["status"] for each in _appointments(home, "kim")] == ["cancelled"]
    assert customer.open(forged(link)).status == 404
    assert customer.cookies == {}


def a_day_of_a_member(home: Home) -> None:
    """A member signs in, sees the day, moves an appointment and hears of it, and signs out."""
    home.command(
        "members", "add", "owner@example.com", "--name", "Olu", "--role", "owner", "--password", typed=PASSWORD
    )
    start = Instant((_now() // DAY_SECONDS + 2) * DAY_SECONDS + 12 * 3600)
    id = reserve(home, "mina", start)
    day = local(start, BERLIN).date()
    member, here = Browser(home), f"{home.base}/staff/clinic"

    member.open(f"{here}/day?date={day}")
    assert "Sign in" in member.page.text
    member.send("Sign in", address="owner@example.com", Password="a horse that counts sheets")
    assert (member.page.status, member.cookies) == (422, {})
    member.send("Sign in", address="owner@example.com", Password=PASSWORD)
    assert member.page.address == f"{here}/day?date={day}"
    assert "mina" in member.page.text

    number = member.ask(f"{here}/changes")
    assert number.status == 200
    same = member.ask(f"{here}/changes", if_none_match=number.header("etag"))
    assert (same.status, same.body) == (304, b"")

    member.follow("mina")
    after = day + timedelta(days=1)
    member.send("Move", Date=after.isoformat())
    assert member.page.status == 200, member.page.text
    moved = parse_instant(home.ask("GET", f"/appointments/{id}").body["startTime"])
    assert local(moved, BERLIN).date() == after
    seen = {"if_none_match": number.header("etag")}
    wait_for(lambda: member.ask(f"{here}/changes", **seen).status == 200, "word of the change")
    assert member.ask(f"{here}/changes", **seen).header("etag") != number.header("etag")

    member.open(f"{here}/day?date={after}")
    assert "mina" in member.page.text
    cookies = dict(member.cookies)
    member.send("Sign out")
    assert member.cookies == {}
    member.cookies = cookies  # whoever kept it is let in no more
    assert member.ask(f"{here}/changes").status == 401


def what_pages_load(home: Home) -> None:
    """The files that a page loads are there, each to be kept for good, and a logo arrives as it is."""
    put(home, "/business/logo", {"media": "image/png", "data": DOT})
    put(home, "/business", {"name": "Clinic", "zone": BERLIN, "accent": "#2b6cb0"})
    visitor = Browser(home)
    visitor.open(f"{home.base}/clinic")

    loaded = [each for each in visitor.page.addresses if "/static/" in each or "/look/" in each]
    answers = {each: visitor.ask(each, accept="image/avif,image/webp,*/*;q=0.8") for each in loaded}

    lost = {each: answer.status for each, answer in answers.items() if answer.status != 200}
    assert not lost, lost
    assert {"immutable" in each.header("cache-control") for each in answers.values()} == {True}
    kinds = {answer.header("content-type").partition(";")[0] for answer in answers.values()}
    assert {"text/javascript", "image/svg+xml", "image/png"} <= kinds
    [logo] = [each for each in answers.values() if each.header("content-type") == "image/png"]
    assert logo.body == b64decode(DOT)


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


def _appointments(home: Home, resource: str) -> list[Any]:
    items = _good(home.ask("GET", "/appointments?limit=200"))["items"]
    return [each for each in items if resource in each["resourceIds"]]


def _link_for(home: Home, to: str) -> str:
    """The link in the mail to that address, once it has come."""
    found: list[str] = []

    def is_there() -> bool:
        texts = [mail.text for mail in home.mails() if mail.to == to]
        found[:] = [each for text in texts for each in re.findall(r"https?://\S+/visit/\S+", text)]
        return bool(found)

    wait_for(is_there, f"a link in a mail to {to}")
    return found[0]


def _reminded(home: Home) -> list[str]:
    return [mail.to for mail in home.mails() if mail.subject.startswith("Reminder")]


def _told(home: Home) -> set[str]:
    """Who has had two mails at least: of the booking, and of what came of it."""
    to = [mail.to for mail in home.mails()]
    return {each for each in to if to.count(each) > 1}
