"""The benches measure what they say: every row comes out, and rests on work that was really done."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bench import day, filling, growth, load, start
from bench.figures import Figure, Measured, machine, slower, table_of
from bench.peers import cluster
from bench.peers.serving import PYTHON
from bench.server import serving
from slotkeeper.core.appointment import Appointment
from slotkeeper.doctor import examine
from slotkeeper.documents import appointment_put, decoded
from slotkeeper.process import now
from slotkeeper.stores.sqlite import SqliteStore

slow = pytest.mark.slow
long = pytest.mark.timeout(600)  # they measure whole servers, and other things may run beside them


def test_a_figure_shows_the_median_the_least_and_the_most() -> None:
    assert str(Measured([0.52, 0.5, 0.61], "s")) == "0.52 s (0.50 to 0.61)"
    assert str(Measured([1234.5], "/s")) == "1,234 /s"
    assert slower(Measured([1.5, 9, 1], "s"), Measured([0.5], "s")) == "3.0x"


def test_a_target_that_is_missed_shows() -> None:
    missed = table_of([Figure(name="day", ours="1 s", target="<= 0.5 s", is_reached=False)])

    assert list(missed.columns[1].cells) == ["[red]1 s[/]"]


def test_the_machine_is_named() -> None:
    assert f"SQLite {sqlite3.sqlite_version}" in machine()


class Answering(asyncio.Protocol):
    """Answers whatever comes, in pieces of a few bytes, with the status of the number of its answers so far."""

    transport: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        status = data.split()[1].strip(b"/")
        self.answer = b"HTTP/1.1 %s Told\r\nContent-Length: 5\r\n\r\nhello" % status
        self.send_on()

    def send_on(self) -> None:
        self.transport.write(self.answer[:9])
        self.answer = self.answer[9:]
        if self.answer:
            asyncio.get_running_loop().call_later(0.001, self.send_on)


def test_the_load_generator_counts_each_answer_once_however_it_is_cut() -> None:
    async def ask() -> load.Answers:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await load.ask_all(port, [b"GET /%d HTTP/1.1\r\n\r\n" % (201 + n % 2) for n in range(20)], 3)

    answers = load.run(ask())

    assert answers.statuses == {201: 10, 202: 10}
    assert answers.odd.endswith(b"hello")


def test_a_steady_load_keeps_its_rate_and_counts_the_wait_of_what_is_due() -> None:
    async def ask() -> tuple[list[float], int]:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        steady = load.Steady(100, iter(lambda: b"GET /200 HTTP/1.1\r\n\r\n", b""), 200)
        async with server:
            await steady.connect(server.sockets[0].getsockname()[1], 2)
            running = asyncio.create_task(steady.run())
            await asyncio.sleep(1)
            running.cancel()
            steady.close()
            latencies, odd = steady.taken()
            return latencies, odd.total()

    latencies, odd = load.run(ask())

    assert 10 < len(latencies) <= 101
    assert min(latencies) > 0.005  # each answer comes in seven pieces, a millisecond apart
    assert odd == 0


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("full") / "full.db"
    return path, filling.filled(path, 1_500, is_delivered=True)


@slow
def test_a_filled_file_is_whole_and_says_what_bookings_would(full: tuple[Path, str]) -> None:
    store = SqliteStore(full[0])
    checked = examine(store, now())
    appointments = [doc for doc in store.walk("shop/appointment/") if "/appointment/" in doc.key.part]
    first = decoded(appointments[0], Appointment)

    assert (checked.appointments, checked.claims, checked.complaints) == (1_500, 1_500, [])
    assert list(store.problems()) == []
    assert appointment_put("shop", first).body == appointments[0].body
    assert [(each.kind, each.state) for each in first.messages] == [
        ("booked", "sent"),
        ("reminder", "waiting"),
        ("reminder", "waiting"),
    ]
    assert (first.published, len(store.list("log", "shop", limit=5).docs)) == (1, 5)
    assert store.list("due", "due", last=f"{now() + 86_400:012d}", limit=1).docs == []
    store.close()


@slow
def test_a_filled_file_can_be_booked_where_it_is_free_and_nowhere_else(full: tuple[Path, str]) -> None:
    path, key = full
    with serving(path) as server:
        taken = load.run(load.ask_all(server.port, day.requests(key, count=100, day=3, name="taken"), 4))
        free = load.run(load.ask_all(server.port, day.requests(key, count=100, day=filling.after(1_500)), 4))

    assert taken.statuses == {409: 100}
    assert free.statuses == {201: 100}


@slow
@long
def test_the_day_stands_beside_the_peer_and_uvicorn_alone() -> None:
    ours, *others = day.figures("quick")

    assert "3,500 booked" in ours.name
    assert day.ALONE.name in [each.peer for each in others]
    if PYTHON.exists() and _has_postgresql():
        assert sum("PostgreSQL" in each.peer for each in others) == len(day.WORKERS)


@slow
@long
def test_starting_memory_and_care_are_measured() -> None:
    names = [each.name for each in start.figures("quick")]

    wanted = ("first answer", "memory", "opening", "doctor", "backup", "export")
    assert [word for word, name in zip(wanted, names, strict=True) if word not in name] == []


@slow
@long
def test_growth_is_measured_beside_the_smallest_file() -> None:
    small, why_small, large, why_large = growth.figures("quick")

    assert small.ratio == ""
    assert large.peer == "with 1,000"
    assert all(
        " ms; " in str(each.ours) and not str(each.ours).startswith("0.00 ms") for each in (why_small, why_large)
    )


def _has_postgresql() -> bool:
    try:
        cluster.find()
    except cluster.Absent:
        return False
    return True
