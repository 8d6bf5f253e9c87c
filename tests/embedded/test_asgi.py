"""The ASGI application under a real uvicorn: group commit, limits while a body streams in, and many at once."""

import asyncio
import json
import socket
import sqlite3
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from slotkeeper.core.actor import Scope
from slotkeeper.desk import members, sessions
from slotkeeper.desk.keys import create_key
from slotkeeper.doctor import examine
from slotkeeper.embedded import streaming
from slotkeeper.embedded.app import House, Plan, build
from slotkeeper.embedded.protocol import MAX_HEAD_BYTES, BoundedHttp
from slotkeeper.embedded.server import Server, configured
from slotkeeper.stores.sqlite import SqliteStore
from slotkeeper.web.app import Rules
from slotkeeper.web.auth import COOKIE
from slotkeeper.web.limits import Quota
from tests.builders import STAFF, a_clinic
from tests.clock import VirtualClock
from tests.post import caught

pytestmark = pytest.mark.slow

MONDAY = "2026-11-23T06:00:00Z"
TUESDAY = "2026-11-24T09:00:00Z"
ALL: tuple[Scope, ...] = ("read", "book", "staff", "admin")
MANY = 64
DATA_SEGMENTS_IN = 152
"""Where Linux tells in its `tcp_info` how many packets with data have come (linux/tcp.h)."""

Asks = Callable[[httpx.AsyncClient], Coroutine[Any, Any, httpx.Response]]


class CountingConnection(sqlite3.Connection):
    """Counts what was committed."""

    commits = 0

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        type(self).commits += sql == "COMMIT"
        return super().execute(sql, *parameters)


@contextmanager
def served(house: House, http: type[HttpToolsProtocol] = BoundedHttp) -> Iterator[str]:
    """The address of a uvicorn that serves the house."""
    config = configured(house.app, grace_seconds=2)
    config.http = http
    server = Server(config, house.app.streams)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            house.close()


def a_house(folder: Path, rules: Rules | None = None, wait_seconds: float = 10.0) -> tuple[House, str]:
    """The clinic's house, and a key."""
    store = SqliteStore(folder / "clinic.db")
    secret = create_key(a_clinic(store, doctors=MANY).desk, STAFF, "test", ALL).secret
    store.close()
    plan = Plan(
        database=folder / "clinic.db",
        rules=rules or Rules(key_quota=Quota("key", 10**6)),
        delivers=False,
        wait_seconds=wait_seconds,
    )
    return build(plan, VirtualClock(MONDAY)), secret


def a_house_with_streams(folder: Path) -> tuple[House, str]:
    """The clinic's house, and what a member's browser keeps."""
    house, _ = a_house(folder, Rules(streams=True))
    owner = members.add(house.desk, STAFF, "olga@example.com", "Olga", "owner")
    return house, sessions.open_session(house.desk, STAFF.business, owner.id, remember=False).token


def at_once(address: str, secret: str, asks: list[Asks]) -> list[httpx.Response]:
    """Ask all at the same time, each over its own connection."""

    async def run() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=len(asks), max_keepalive_connections=len(asks))
        headers = {"authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=60) as client:
            await asyncio.gather(*(client.get("/health") for _ in asks))
            return await asyncio.gather(*(ask(client) for ask in asks))

    return asyncio.run(run())


@contextmanager
def a_rival(folder: Path) -> Iterator[None]:
    """Another connection, as another process has it, that writes for as long as the block lasts."""
    rival = sqlite3.connect(folder / "clinic.db", isolation_level=None)
    rival.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        rival.close()


def booking(**others: Any) -> Asks:
    body = {"serviceId": "visit", "startTime": TUESDAY} | others
    return lambda client: client.post("/appointments", json=body)


def raw_booking(secret: str, headers: str = "", **others: Any) -> bytes:
    """A whole request as bytes."""
    body = json.dumps({"serviceId": "visit", "startTime": TUESDAY} | others)
    start = f"POST /appointments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n{headers}"
    return f"{start}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_those_who_wait_are_committed_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *given, **named: connect(*given, **named, factory=CountingConnection)
    )
    house, secret = a_house(tmp_path)

    with served(house) as address, ExitStack() as stack:
        host, port = address.removeprefix("http://").split(":")
        sockets = [stack.enter_context(socket.create_connection((host, int(port)), 10)) for _ in range(MANY)]
        for connection in sockets:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(65536)
        CountingConnection.commits = 0
        with house.store.batch():  # while somebody else writes, requests gather at the door
            for number, connection in enumerate(sockets):
                connection.sendall(raw_booking(secret, resourceIds=[f"d{number}"]))
            time.sleep(0.3)
        answers = [connection.recv(65536) for connection in sockets]
        commits = CountingConnection.commits

    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 201"}
    assert 1 <= commits <= 4


def test_one_slot_is_booked_once_however_many_want_it(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path)

    with served(house) as address:
        replies = at_once(address, secret, [booking(resourceIds=["d0"]) for _ in range(MANY)])

    assert sorted(reply.status_code for reply in replies) == [201] + [409] * (MANY - 1)


def test_what_was_answered_is_on_disk(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path)

    with served(house) as address:
        replies = at_once(address, secret, [booking(resourceIds=[f"d{n}"]) for n in range(8)])
        other = SqliteStore(tmp_path / "clinic.db")
        stored = {doc.key.part for doc in other.walk("clinic/appointment/")}
        other.close()

    assert {f"clinic/appointment/{reply.json()['appointmentId']}" for reply in replies} == stored


def test_when_the_store_fails_all_who_waited_together_are_told(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path, wait_seconds=0.05)

    with served(house) as address:
        with a_rival(tmp_path):
            replies = at_once(address, secret, [booking(resourceIds=[f"d{n}"]) for n in range(16)])
        left = list(house.store.walk("clinic/appointment/"))
        later = at_once(address, secret, [booking(resourceIds=["d0"])])

    assert {reply.status_code for reply in replies} == {503}
    assert all(reply.headers["retry-after"] == "1" for reply in replies)
    assert left == []
    assert later[0].status_code == 201


@pytest.mark.parametrize("watches", [True, False])
def test_while_another_process_writes_those_who_only_look_are_answered(tmp_path: Path, *, watches: bool) -> None:
    house, secret = a_house(tmp_path, wait_seconds=3.0)
    if not watches:  # a broken one: whoever writes waits on the loop, and everybody with them
        house.app._desk._watch = None
        house.store._writer.execute("PRAGMA busy_timeout = 3000")

    def ask(what: Asks) -> tuple[int, float]:
        [reply] = at_once(address, secret, [what])
        return reply.status_code, time.monotonic()

    with served(house) as address, a_rival(tmp_path), ThreadPoolExecutor() as pool:
        writes = pool.submit(ask, booking())
        time.sleep(0.2)
        looked, looked_at = ask(lambda client: client.get("/services"))
        told, told_at = writes.result()

    assert (looked, told) == (200, 503)
    assert (told_at - looked_at > 1) == watches


def test_who_was_quicker_after_the_loop_had_looked_is_waited_for_and_stops_it_for_a_moment_only(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path, wait_seconds=20.0)
    assert house.lookout is not None
    is_free, looks = house.lookout.is_free, list[bool]()

    def a_moment_too_early() -> bool:
        looks.append(is_free())
        return len(looks) == 1 or looks[-1]

    house.lookout.is_free = a_moment_too_early  # type: ignore[method-assign]
    with served(house) as address, ThreadPoolExecutor() as pool:
        with a_rival(tmp_path):
            writes = pool.submit(at_once, address, secret, [booking()])
            while not looks:
                time.sleep(0.001)
            began = time.monotonic()
            [looked] = at_once(address, secret, [lambda client: client.get("/services")])
            took = time.monotonic() - began
            while len(looks) < 3 and not writes.done():  # it has lost the race, and looks again before it begins
                time.sleep(0.001)
            assert not writes.done()
        [reply] = writes.result()

    assert looks[0] is False
    assert took < 3
    assert (looked.status_code, reply.status_code) == (200, 201)


def test_a_write_waits_for_another_process_that_is_done_soon(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path, wait_seconds=5.0)

    with served(house) as address, ThreadPoolExecutor() as pool:
        with a_rival(tmp_path):
            writes = pool.submit(at_once, address, secret, [booking(resourceIds=[f"d{n}"]) for n in range(8)])
            time.sleep(0.3)
            assert not writes.done()
        replies = writes.result()

    assert {reply.status_code for reply in replies} == {201}


def test_who_cannot_write_is_not_ready_until_it_can(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path, wait_seconds=0.05)
    ready: Asks = lambda client: client.get("/ready")  # noqa: E731 - as all other asks

    with served(house) as address:
        statuses = [at_once(address, secret, [ready])[0].status_code]
        with a_rival(tmp_path):
            statuses += [at_once(address, secret, [each])[0].status_code for each in (booking(), ready)]
        statuses += [at_once(address, secret, [each])[0].status_code for each in (ready, booking())]

    assert statuses == [200, 503, 503, 200, 201]


def test_what_nobody_has_foreseen_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house, secret = a_house(tmp_path)
    write, numbers = house.store._rows.write, count(1)

    def write_or_fail() -> None:
        if next(numbers) == 3:  # after ours below, and those who came first: a whole group, behind which others wait
            raise ArithmeticError
        write()

    monkeypatch.setattr(house.store._rows, "write", write_or_fail)
    with served(house) as address, ThreadPoolExecutor(1) as pool:
        with house.store.batch():
            told = pool.submit(at_once, address, secret, [booking(resourceIds=[f"d{n % MANY}"]) for n in range(120)])
            time.sleep(1)
        statuses = Counter(reply.status_code for reply in told.result())
        [later] = at_once(address, secret, [booking(startTime="2026-11-24T10:00:00Z")])

    assert 0 < statuses[503] <= 64 < statuses.total()
    assert later.status_code == 201


def test_a_failing_commit_undoes_the_whole_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk(sqlite3.Connection):
        is_full = False

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if FullDisk.is_full and sql == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *parameters)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **named: connect(*given, **named, factory=FullDisk))
    house, secret = a_house(tmp_path)

    with served(house) as address:
        FullDisk.is_full = True
        replies = at_once(address, secret, [booking(resourceIds=[f"d{n}"]) for n in range(8)])
        FullDisk.is_full = False
        left = list(house.store.walk("clinic/appointment/"))

    assert {reply.status_code for reply in replies} == {503}
    assert "disk" not in replies[0].text
    assert left == []


def test_a_change_that_fails_half_way_leaves_nothing_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FailingOnce(sqlite3.Connection):
        is_armed = False

        def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if FailingOnce.is_armed and sql.startswith("INSERT INTO place"):  # its documents are written by then
                FailingOnce.is_armed = False
                raise sqlite3.OperationalError("disk I/O error")
            return super().executemany(sql, *parameters)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **named: connect(*given, **named, factory=FailingOnce))
    house, secret = a_house(tmp_path)

    with served(house) as address:
        FailingOnce.is_armed = True
        replies = at_once(address, secret, [booking(resourceIds=[f"d{n}"]) for n in range(8)])
        found = examine(house.store, house.desk.now())

    booked = [reply for reply in replies if reply.status_code == 201]
    assert {reply.status_code for reply in replies} <= {201, 503}
    assert found.appointments == len(booked) < 8
    assert found.is_clean, found.complaints


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_body_of_ten_megabytes_is_refused_before_it_is_whole(tmp_path: Path, *, is_chunked: bool) -> None:
    house, secret = a_house(tmp_path)
    head = "Transfer-Encoding: chunked" if is_chunked else "Content-Length: 10000000"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n" if is_chunked else b"x" * 65536

    with served(house) as address:
        before = list(house.store.walk())
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            start = f"POST /appointments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n{head}\r\n"
            connection.sendall(f"{start}Content-Type: application/json\r\n\r\n".encode() + chunk + chunk)
            answer = connection.recv(65536)
        after = list(house.store.walk())

    assert answer.startswith(b"HTTP/1.1 413")
    assert after == before


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    house, _ = a_house(tmp_path)
    start = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: "

    with served(house) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 10) as connection, suppress(ConnectionError):
            connection.sendall(start)
            for _ in range(1000):
                connection.sendall(b"a" * MAX_HEAD_BYTES)
            pytest.fail("64 megabytes of headers were taken")
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(start + b"a" * (MAX_HEAD_BYTES // 2) + b"\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_many_requests_that_come_at_once_are_no_long_head(tmp_path: Path) -> None:
    house, _ = a_house(tmp_path)
    request = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Some: " + b"a" * 1000 + b"\r\n"
    last = request + b"Connection: close\r\n\r\n"

    with served(house) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall((request + b"\r\n") * 299 + last)
            answers = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answers.count(b"HTTP/1.1 200") == 300


@pytest.mark.parametrize(("http", "packets"), [(BoundedHttp, 1), (HttpToolsProtocol, 2)])
def test_an_answer_leaves_in_one_packet(tmp_path: Path, http: type[HttpToolsProtocol], packets: int) -> None:
    house, _ = a_house(tmp_path)

    with served(house, http) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)

    assert answer.startswith(b"HTTP/1.1 200")
    assert struct.unpack_from("I", info, DATA_SEGMENTS_IN) == (packets,)


class ForgetsWhatWaits(BoundedHttp):
    """A broken one: it lets the connection be closed over what is still to be handed over."""

    def eof_received(self) -> Any:
        HttpToolsProtocol.eof_received(self)
        return False


class ForgetsWhoWaits(BoundedHttp):
    """A broken one: it closes the connection of whoever will send no more, also if the answer is still to be made."""

    def eof_received(self) -> Any:
        super().eof_received()
        return False


@pytest.mark.parametrize("http", [BoundedHttp, ForgetsWhoWaits])
def test_a_client_that_will_send_no_more_is_told_of_what_it_has_booked(
    tmp_path: Path, http: type[HttpToolsProtocol]
) -> None:
    house, secret = a_house(tmp_path)
    answers = []

    with served(house, http) as address:
        host, port = address.removeprefix("http://").split(":")
        for number in range(8):
            with socket.create_connection((host, int(port)), 10) as connection:
                first, second = (raw_booking(secret, resourceIds=[f"d{2 * number + more}"]) for more in range(2))
                connection.sendall(first + second)
                connection.shutdown(socket.SHUT_WR)
                answers.append(b"".join(iter(lambda: connection.recv(65536), b"")))

    with caught(http, ForgetsWhoWaits):
        assert [answer.count(b"HTTP/1.1 201") for answer in answers] == [2] * 8


def test_of_two_that_were_sent_at_once_the_reader_of_a_stream_is_still_seen_to_leave(tmp_path: Path) -> None:
    house, token = a_house_with_streams(tmp_path)
    path = f"/staff/{STAFF.business}/changes/stream"
    stream = f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {COOKIE}={token}\r\n\r\n".encode()

    with served(house) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(stream + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            assert house.app.streams._open
        end = time.monotonic() + 5
        while house.app.streams._open:
            assert time.monotonic() < end, "it streams to nobody"
            time.sleep(0.01)


@pytest.mark.parametrize("http", [BoundedHttp, ForgetsWhatWaits])
def test_a_client_that_will_send_no_more_has_its_answer(tmp_path: Path, http: type[HttpToolsProtocol]) -> None:
    house, _ = a_house(tmp_path)
    answers = []

    with served(house, http) as address:
        host, port = address.removeprefix("http://").split(":")
        for _ in range(20):
            with socket.create_connection((host, int(port)), 10) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                answers.append(b"".join(iter(lambda: connection.recv(65536), b"")))

    with caught(http, ForgetsWhatWaits):
        assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


def test_a_client_that_leaves_in_the_middle_does_no_harm(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path)

    with served(house) as address:
        host, port = address.removeprefix("http://").split(":")
        for _ in range(5):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                start = f"POST /appointments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
                connection.sendall(f"{start}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{".encode())
        replies = at_once(address, secret, [booking()])

    assert replies[0].status_code == 201


def test_a_lost_response_is_found_again(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path)
    with served(house) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(raw_booking(secret, "Idempotency-Key: k-1\r\n"))
            deadline = time.monotonic() + 10
            while not list(house.store.walk("clinic/appointment/")) and time.monotonic() < deadline:
                time.sleep(0.01)
        [again] = at_once(address, secret, [booking_again])
        made = list(house.store.walk("clinic/appointment/"))

    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert [doc.key.part for doc in made] == [f"clinic/appointment/{again.json()['appointmentId']}"]


def booking_again(client: httpx.AsyncClient) -> Coroutine[Any, Any, httpx.Response]:
    body = {"serviceId": "visit", "startTime": TUESDAY}
    return client.post("/appointments", json=body, headers={"idempotency-key": "k-1"})


def test_head_has_no_body_and_the_length_of_get(tmp_path: Path) -> None:
    house, _ = a_house(tmp_path)

    with served(house) as address:
        got, asked = httpx.get(f"{address}/health"), httpx.head(f"{address}/health")

    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == got.headers["content-length"]


def test_who_has_too_many_windows_open_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_OF_ONE", 0)
    house, token = a_house_with_streams(tmp_path)

    with served(house) as address:
        answer = httpx.get(f"{address}/staff/{STAFF.business}/changes/stream", headers={"cookie": f"{COOKIE}={token}"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "again" in answer.json()["detail"]


def test_another_protocol_is_refused() -> None:
    house = build(Plan(database=":memory:", delivers=False), VirtualClock(MONDAY))

    async def nothing() -> dict[str, Any]:
        return {}

    async def nowhere(_: object) -> None:
        pass

    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(house.app({"type": "websocket"}, nothing, nowhere))
    house.close()


def test_what_is_booked_is_told_by_the_worker(tmp_path: Path) -> None:
    house, secret = a_house(tmp_path)
    house.close()
    house = build(Plan(database=tmp_path / "clinic.db"), VirtualClock(MONDAY))

    with served(house) as address:
        at_once(address, secret, [booking(customer={"name": "Ada", "email": "ada@example.com"})])
        with httpx.Client(base_url=address, headers={"authorization": f"Bearer {secret}"}) as client:
            deadline = time.monotonic() + 10
            while not (items := client.get("/notifications").json()["items"]) and time.monotonic() < deadline:
                time.sleep(0.02)

    assert [(item["kind"], item["state"]) for item in items] == [("booked", "sent")]
    assert house.worker.counts.sent == 1
