"""Real servers over a store, and clients that ask them at the same moment.

`python -m tests.serving FILE PORT [NOW]` serves a file from a process of its own, with the clock standing still at NOW
when one is given. It prints its port once it can be asked; port 0 takes any that is free.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

from slotkeeper.contracts import Clock, Store
from slotkeeper.desk.desk import Desk
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.asgi import App
from slotkeeper.embedded.server import Server, configured
from slotkeeper.process import new_id
from slotkeeper.web.app import Rules, Web
from slotkeeper.web.limits import Quota
from tests.clock import VirtualClock

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
UNLIMITED = Rules(key_quota=Quota("key", 10**9), address_quota=Quota("address", 10**9))
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered; `body` is its JSON, None when there was no content."""

    status: int
    media: str
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The code of the problem; empty when all went well."""
        return self.body["code"] if self.media == PROBLEM else ""


class Client:
    """One connection that is kept open, for one thread at a time."""

    def __init__(self, port: int, key: str = "", seconds: float = 60.0) -> None:
        """It waits for so many seconds for an answer."""
        self._connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    def __enter__(self) -> "Client":
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, path: str, body: object = None, **headers: str) -> Reply:
        return self.ask("POST", path, body, **headers)

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        sent = self._headers | {name.replace("_", "-"): text for name, text in headers.items()}
        content = None
        if body is not None:
            content, sent = json.dumps(body).encode(), sent | {"content-type": "application/json"}
        self._connection.request(method, path, content, sent)
        response = self._connection.getresponse()
        answered = response.read()
        media = response.headers.get("content-type", "")
        heads = {name.lower(): text for name, text in response.headers.items()}
        return Reply(response.status, media, json.loads(answered) if answered else None, heads)


def ask_at_once(ports: Sequence[int], key: str, asks: Sequence[Callable[[Client], Reply]]) -> list[Reply]:
    """Let as many clients as there are asks, spread over the servers, ask at the same moment; the replies in order."""
    return at_once([_asking(ports[number % len(ports)], key, ask) for number, ask in enumerate(asks)])


def _asking(port: int, key: str, ask: Callable[[Client], Reply]) -> Callable[[Callable[[], object]], Reply]:
    def run(ready: Callable[[], object]) -> Reply:
        with Client(port, key) as client:
            ready()
            return ask(client)

    return run


def at_once(tasks: Sequence[Callable[[Callable[[], object]], T]]) -> list[T]:
    """Run each task in a thread of its own; all come out of `ready()`, which each must call, at the same moment."""
    barrier = threading.Barrier(len(tasks))
    answers: dict[int, T] = {}
    failures: list[BaseException] = []

    def run(number: int, task: Callable[[Callable[[], object]], T]) -> None:
        try:
            answers[number] = task(barrier.wait)
        except BaseException as failure:  # noqa: BLE001 - raised again in the test's own thread
            failures.append(failure)
            barrier.abort()

    threads = [threading.Thread(target=run, args=(number, task)) for number, task in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [answers[number] for number in range(len(tasks))]


def statuses(replies: Sequence[Reply]) -> Counter[int]:
    return Counter(reply.status for reply in replies)


@contextmanager
def serving(clock: Clock, *stores: Store) -> Iterator[list[int]]:
    """Serve each store from a uvicorn in a thread of its own, until the block ends; yields their ports."""
    with ExitStack() as stack:
        yield [stack.enter_context(_serving(clock, store)) for store in stores]


class _Server(Server):
    """It looks whether it should stop more often than ten times a second: tests have many of them."""

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # noqa: ASYNC110 - a signal or another thread sets a flag, and wakes nobody
            await asyncio.sleep(0.01)


@contextmanager
def _serving(clock: Clock, store: Store) -> Iterator[int]:
    app = App(Web(Desk(store, clock, new_id), UNLIMITED), store)
    server = _Server(configured(app, grace_seconds=5), app.streams)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def serving_processes(
    path: Path, count: int, *, now: str = "", code: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[list[int]]:
    """Serve the file from processes of their own; yields their ports. `code` is run in each before it serves."""
    script = f"{code}\nfrom tests.serving import main\nmain()"
    command = [sys.executable, "-c", script, str(path), "0", *([now] if now else [])]
    own = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **(environment or {})}
    processes = [subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        yield [_port_of(process) for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.communicate(timeout=30)


def _port_of(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the server did not start")  # no AssertionError, by which a broken build is caught
    return int(line)


def main() -> None:
    """Serve as the command line says."""
    path, port, *now = sys.argv[1:]
    plan = Plan(database=path, rules=UNLIMITED, delivers=False)
    house = build(plan, VirtualClock(now[0])) if now else build(plan)
    with socket.create_server(("127.0.0.1", int(port)), backlog=1024) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        Server(configured(house.app, grace_seconds=5), house.app.streams).run(sockets=[listener])
    house.close()


if __name__ == "__main__":
    main()
