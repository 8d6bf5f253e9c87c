"""A process that serves one SQLite file from several threads, each with a port of its own, over one store.

    python -m bench.proof.server FILE THREADS [BROKEN]

It prints the ports once they can be asked. BROKEN names a store of `bench.proof.careless` to take in place of ours.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import slotkeeper.embedded.app
from bench.proof import careless
from slotkeeper.desk.desk import Desk
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.asgi import App
from slotkeeper.embedded.server import Server, configured
from slotkeeper.process import new_id, now
from slotkeeper.web.app import Rules, Web
from slotkeeper.web.limits import Quota

UNLIMITED = Rules(key_quota=Quota("key", 10**9), address_quota=Quota("address", 10**9))
PATIENCE_SECONDS = 30.0
"""Everybody waits for everybody here: how long a write may wait for another process is not what is asked."""


@contextmanager
def serving(path: Path, processes: int, threads: int, broken: str = "") -> Iterator[tuple[int, ...]]:
    """Serve the file from so many processes of so many threads until the block ends; yields all their ports."""
    command = [sys.executable, "-m", __name__, str(path), str(threads), broken]
    with ExitStack() as stack:
        started = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) for _ in range(processes)
        ]
        for process in started:
            stack.callback(process.terminate)
        yield tuple(port for process in started for port in _ports(process))


def _ports(process: "subprocess.Popen[str]") -> list[int]:
    assert process.stdout is not None
    found = [int(port) for port in process.stdout.readline().split()]
    if not found:
        raise RuntimeError("the server did not start")
    return found


def main() -> None:
    """Serve until terminated."""
    path, threads, broken = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if broken:
        vars(slotkeeper.embedded.app)["SqliteStore"] = careless.STORES[broken]
    house = build(Plan(database=path, rules=UNLIMITED, delivers=False, wait_seconds=PATIENCE_SECONDS))
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(threads)]
    servers = [_server(house.app)]
    # The first thread is the process's own, so that it hears the signal; the others end with it.
    for listener in listeners[1:]:
        app = App(
            Web(Desk(house.store, now, new_id), UNLIMITED),
            house.store,
            watch=house.lookout,
            patience_seconds=PATIENCE_SECONDS,
        )
        servers.append(_server(app))
        threading.Thread(target=servers[-1].run, kwargs={"sockets": [listener]}, daemon=True).start()
    print(*(listener.getsockname()[1] for listener in listeners), flush=True)
    servers[0].run(sockets=[listeners[0]])


def _server(app: App) -> Server:
    return Server(configured(app, grace_seconds=1), app.streams)


if __name__ == "__main__":
    main()
