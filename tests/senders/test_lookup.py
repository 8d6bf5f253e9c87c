"""Names are looked up so that one whose server hangs keeps no other waiting."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from slotkeeper.senders.lookup import Addresses, Lookup

NAMES = 40


class NameServer:
    """In the system's place: it knows every name, and those that begin with `slow` when it is let go."""

    def __init__(self) -> None:
        self.asked = Counter[str]()
        self.let_go = threading.Event()

    def resolve(self, host: str, port: int, **others: object) -> list[Any]:
        self.asked[host] += 1
        if host.startswith("slow"):
            self.let_go.wait(20)
        if host.startswith("no"):
            raise socket.gaierror(-2, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1")]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    names = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", names.resolve)
    yield names
    names.let_go.set()


def test_each_address_is_told_once_in_its_order(names: NameServer) -> None:
    assert asyncio.run(Lookup().addresses("a.example", 443)) == ("10.0.0.1", "10.0.0.2")


def test_a_name_that_hangs_keeps_no_other_waiting_and_is_asked_for_once(names: NameServer) -> None:
    async def run() -> tuple[Addresses, list[Addresses]]:
        lookup = Lookup()
        slow = [asyncio.create_task(lookup.addresses(f"slow{number % NAMES}", 443)) for number in range(2 * NAMES)]
        async with asyncio.timeout(5):
            quick = await lookup.addresses("quick", 443)
        assert not any(each.done() for each in slow)
        names.let_go.set()
        return quick, await asyncio.gather(*slow)

    quick, slow = asyncio.run(run())

    assert quick == ("10.0.0.1", "10.0.0.2")
    assert slow == [quick] * 2 * NAMES
    assert set(names.asked.values()) == {1}


def test_who_asks_later_asks_anew(names: NameServer) -> None:
    async def twice() -> None:
        lookup = Lookup()
        for _ in range(2):
            await lookup.addresses("a.example", 443)

    asyncio.run(twice())

    assert names.asked["a.example"] == 2


def test_a_name_that_nobody_knows_is_told_to_all_who_asked(names: NameServer) -> None:
    async def both() -> list[Any]:
        lookup = Lookup()
        return await asyncio.gather(*(lookup.addresses("nobody", 443) for _ in range(2)), return_exceptions=True)

    ends = asyncio.run(both())

    assert [type(end) for end in ends] == [OSError, OSError]
    assert "nobody cannot be found" in str(ends[0])


def test_one_who_goes_takes_the_answer_from_no_other(names: NameServer) -> None:
    async def run() -> Addresses:
        lookup = Lookup()
        goes, stays = (asyncio.create_task(lookup.addresses("slow", 443)) for _ in range(2))
        await asyncio.sleep(0.05)
        goes.cancel()
        names.let_go.set()
        return await stays

    assert asyncio.run(run()) == ("10.0.0.1", "10.0.0.2")


def test_a_loop_that_is_gone_is_told_nothing(names: NameServer) -> None:
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await Lookup().addresses("slow", 443)

    asyncio.run(give_up())
    [thread] = [each for each in threading.enumerate() if each.name == "lookup slow"]
    names.let_go.set()
    thread.join(5)

    assert not thread.is_alive()
