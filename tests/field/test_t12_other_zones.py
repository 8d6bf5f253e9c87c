"""T12: neither the viewer's zone nor the server's moves a slot: hours live in the place's zone."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from slotkeeper.core.appointment import Contact
from slotkeeper.core.hours import Schedule, open_ticks
from slotkeeper.core.ticks import Window, parse_instant
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import MONDAY, Setting, a_clinic
from tests.post import LetterBox, a_courier, sweep
from tests.serving import Client, Reply, serving, serving_processes
from tests.web.asking import a_key

VIEWERS = ("UTC", "Pacific/Kiritimati", "America/New_York", "Asia/Kolkata", "Pacific/Pago_Pago")
SERVERS = ("Pacific/Kiritimati", "America/New_York")
FIRST, LAST = "2026-11-24T00:00:00Z", "2026-11-26T00:00:00Z"

EXPECTED = [
    f"2026-11-{day}T{minutes // 60:02}:{minutes % 60:02}:00Z"
    for day in (24, 25)
    for minutes in range(8 * 60, 15 * 60 + 31, 15)
]
"""Half-hours from 9 to 17 in Berlin, which is an hour ahead of UTC then."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def clinic(path: Path) -> Setting:
    return a_clinic(SqliteStore(path))


def written_in(zone: str, instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).isoformat()


def starts(reply: Reply) -> list[str]:
    assert reply.status == 200
    assert reply.body["zone"] == "Europe/Berlin"
    return [slot["startTime"] for slot in reply.body["items"]]


def viewers_see_the_same(clinic: Setting) -> None:
    """Each viewer asks, and books, in times of their own zone, and says where they are."""
    box, seen = LetterBox(), []
    with serving(clinic.clock, clinic.store) as [port]:
        for zone in VIEWERS:
            with Client(port) as viewer:
                first, last = (quote(written_in(zone, text)) for text in (FIRST, LAST))
                seen.append(starts(viewer.get(f"/public/clinic/slots?serviceId=visit&from={first}&to={last}")))
        for number, zone in enumerate(VIEWERS):
            customer = {"name": "Ada", "email": f"ada{number}@example.com", "zone": zone}
            body = {"serviceId": "visit", "customer": customer, "startTime": written_in(zone, EXPECTED[4 * number])}
            with Client(port) as viewer:
                made = viewer.post("/public/clinic/appointments", body)
            assert made.status == 201
            assert made.body["appointment"]["startTime"] == EXPECTED[4 * number]
            assert made.body["appointment"]["zone"] == "Europe/Berlin"
    assert seen == [EXPECTED] * len(VIEWERS)
    sweep(a_courier(clinic, box))
    told = {letter.to: letter.text for letter in box.letters}
    assert all(
        f"{9 + number:02}:00-{9 + number:02}:30 (Europe/Berlin, UTC+1)" in told[f"ada{number}@example.com"]
        for number in range(len(VIEWERS))
    )


def servers_offer_the_same(clinic: Setting, path: Path, code: str = "") -> None:
    """Two processes in two zones answer from one file, and what one has booked the other has not to offer."""
    key = a_key(clinic)
    asked = f"/slots?serviceId=visit&resourceId=d0&from={FIRST}&to={LAST}"
    with ExitStack() as stack:
        ports = [
            stack.enter_context(serving_processes(path, 1, now=MONDAY, code=code, environment={"TZ": zone}))[0]
            for zone in SERVERS
        ]
        one, two = (stack.enter_context(Client(port, key)) for port in ports)
        before = [starts(server.get(asked)) for server in (one, two)]
        made = one.post("/appointments", {"serviceId": "visit", "startTime": EXPECTED[4], "resourceIds": ["d0"]})
        after = [starts(server.get(asked)) for server in (one, two)]

    assert before == [EXPECTED, EXPECTED]
    assert made.status == 201
    assert after == [[start for start in EXPECTED if start not in EXPECTED[3:6]]] * 2


def test_no_viewers_zone_moves_a_slot(clinic: Setting) -> None:
    """nextcloud/calendar#6529: slots were made in the browser's zone."""
    viewers_see_the_same(clinic)


@pytest.mark.slow
def test_no_servers_zone_moves_a_slot(clinic: Setting, path: Path) -> None:
    """thunderbird/appointment#1140: hours were kept in UTC, or in the zone of whoever computed them."""
    servers_offer_the_same(clinic, path)


def _in_the_viewers_zone(zone: str) -> Any:
    def read(schedule: Schedule, _: str, window: Window) -> int:
        return open_ticks(schedule, zone, window)

    return read


def test_hours_in_the_viewers_zone_are_caught(clinic: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slotkeeper.desk.facts.open_ticks", _in_the_viewers_zone("America/New_York"))

    with pytest.raises(AssertionError):
        viewers_see_the_same(clinic)


def test_a_time_that_is_read_as_the_viewers_wall_clock_is_caught(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slotkeeper.web.bodies.parse_instant", lambda text: parse_instant(text[:19] + "Z"))

    with pytest.raises(AssertionError):
        viewers_see_the_same(clinic)


IN_THE_SERVERS_ZONE = """
import os
from slotkeeper.desk import facts
read = facts.open_ticks
facts.open_ticks = lambda schedule, zone, window: read(schedule, os.environ["TZ"], window)
"""


@pytest.mark.slow
def test_hours_in_the_servers_zone_are_caught(clinic: Setting, path: Path) -> None:
    with pytest.raises(AssertionError):
        servers_offer_the_same(clinic, path, IN_THE_SERVERS_ZONE)


def test_a_contact_is_no_place() -> None:
    """thunderbird/appointment#1140: what a customer says of their zone changes nothing of what is stored."""
    clinic = a_clinic()

    made = clinic.book(EXPECTED[0], contact=Contact(name="Ada", zone="Pacific/Kiritimati"))

    assert made.zone == "Europe/Berlin"
