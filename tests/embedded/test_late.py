"""A server is there before what letters are written with is loaded."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from slotkeeper.courier.courier import Courier
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.late import Closing, LateCourier
from slotkeeper.senders.outbox import OutboxSender
from tests.builders import a_clinic

CODE = """
import sys
import slotkeeper.cli.serving, slotkeeper.embedded.server, slotkeeper.embedded.protocol
from slotkeeper.embedded.app import Plan, build
house = build(Plan(database=sys.argv[1]))
print(sorted({"jinja2", "httpcore", "aiosmtplib", "icalendar", "babel"} & set(sys.modules)))
house.courier.next_due()
print("jinja2" in sys.modules)
"""


def test_a_server_loads_what_letters_need_only_when_it_looks_what_is_due(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path / "shop.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\nTrue\n"


def test_a_courier_is_made_once() -> None:
    made: list[Courier] = []

    def make() -> tuple[Courier, Closing]:
        clinic = a_clinic()
        made.append(Courier(clinic.store, clinic.clock, {}, OutboxSender()))
        return made[-1], ()

    late = LateCourier(make)
    assert made == []
    assert late.next_due() is None
    assert asyncio.run(late.sweep()).seen == 0
    assert len(made) == 1


def test_it_takes_leave_of_all_peers_though_one_fails() -> None:
    left: list[str] = []

    async def fails() -> None:
        left.append("first")
        raise OSError("gone")

    async def leaves() -> None:
        left.append("second")

    clinic = a_clinic()
    courier = Courier(clinic.store, clinic.clock, {}, OutboxSender())
    late = LateCourier(lambda: (courier, [fails, leaves]))
    asyncio.run(late.close())
    assert left == []  # nobody was asked, so nobody is left

    late.next_due()
    with pytest.raises(OSError, match="gone"):
        asyncio.run(late.close())

    assert sorted(left) == ["first", "second"]


def test_a_server_that_never_delivers_closes_all_the_same(tmp_path: Path) -> None:
    house = build(Plan(database=tmp_path / "shop.db", delivers=False))

    house.close()
