"""A real server in a process of its own, whose disk and clock go wrong when it is told so.

    python -m bench.proof.faults.server FILE MAIL_PORT

It serves the file, sends its mail to a server at that port, prints its own port, and obeys the lines that come in:

    fail read|write|sync RATE     so many of such calls by SQLite fail with an I/O error
    full RATE                     so many writes by SQLite fail for want of space
    mend                          no call fails any more
    fill, empty                   every last byte of the file's disk is taken, and given back
    quota, no-quota               no file may be written beyond what the write-ahead log has now, and a little
    lock, unlock                  another process holds the write lock, until it is killed
    move, put-back                the file is moved away
    shift SECONDS                 the clock is so far from the true time
    calm SECONDS                  nothing is due, or on its way: it answers when that is so, or when they are over
    stop                          as does the end of the input
"""

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from bench.proof.faults.failing_disk import FailingDisk, can_fail
from slotkeeper.core.reminders import LEASE_SECONDS
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.courier import Courier
from slotkeeper.embedded.app import House, Plan, build
from slotkeeper.embedded.server import Server, configured
from slotkeeper.senders.options import SmtpSettings
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota

ROOT = Path(__file__).parents[3]
UNLIMITED = Rules(key_quota=Quota("key", 10**9), address_quota=Quota("address", 10**9))
SMALL_DISK = 'mount -t tmpfs -o size="$1" none "$2" && cp "$3" "$2" && shift 3 && "$@"'
FILL_BYTES = 4096 * 16
QUOTA_ROOM_BYTES = 1 << 18


class Running:
    """A server that runs, seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self._log = log
        self.port = int(self._said())

    def tell(self, *words: object) -> None:
        """Give an order, and wait until it is obeyed."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        self._said()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def _said(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server ended: {self.log[-2000:]}")
        return line


@contextmanager
def running(file: Path, mail_port: int, *, code: str = "", disk_kilobytes: int = 0) -> Iterator[Running]:
    """Serve the file until the block ends. `code` is run first: it may break what is served. With `disk_kilobytes` the
    file is copied to a disk of that size, and back at the end."""
    script = f"{code}\nfrom bench.proof.faults.server import main\nmain()"
    place, log = file, file.with_suffix(".log")
    command = [sys.executable, "-c", script]
    if disk_kilobytes:
        place = file.parent / "small" / file.name
        place.parent.mkdir()
        small = ["sh", "-ec", SMALL_DISK, "sh", f"{disk_kilobytes}k", str(place.parent), str(file)]
        command = [*a_namespace(), *small, *command]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*command, str(place), str(mail_port), str(file)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Running(process, log)
        finally:
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait(30)


def a_namespace() -> Sequence[str]:
    """The command that gives what follows it mounts of its own."""
    return ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--mount")


def can_mount() -> bool:
    """Whether we may make a small disk here: as root, or where users may have namespaces of their own."""
    try:
        tried = [*a_namespace(), "mount", "-t", "tmpfs", "none", "/mnt"]
        return subprocess.run(tried, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class ShiftedClock:
    """The true time, and so many seconds."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> Instant:
        return Instant(int(time.time()) + self.seconds)


def main() -> None:
    """Serve until told to stop."""
    file, mail_port, home = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    disk, clock = FailingDisk(), ShiftedClock()
    if can_fail():
        disk.install()
    mail = SmtpSettings(
        host="127.0.0.1", port=mail_port, sender="desk@shop.example", security="none", timeout_seconds=5
    )
    house = build(Plan(database=file, rules=UNLIMITED, smtp=mail), clock)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        server = Server(configured(house.app, grace_seconds=2), house.app.streams)
        threading.Thread(target=_obey, args=(server, house, Place(file, disk), clock), daemon=True).start()
        _say(listener.getsockname()[1])
        server.run(sockets=[listener])
    disk.mend()
    house.close()
    for each in file.parent.glob(f"{file.name}*"):
        if file != home:
            home.with_name(each.name).write_bytes(each.read_bytes())


def _obey(server: Server, house: House, place: "Place", clock: ShiftedClock) -> None:
    for line in sys.stdin:
        order, *words = line.split()
        if order == "stop":
            break
        if order == "shift":
            clock.seconds = int(words[0])
        elif order == "calm":
            _wait_until_calm(house, clock, float(words[0]))
        else:
            place.obey(order, words)
        _say("ok")
    server.should_exit = True


def _wait_until_calm(house: House, clock: ShiftedClock, seconds: float) -> None:
    """Wait until the courier owes nothing; what it has in hand is due again when the lease ends."""
    end, looking = time.monotonic() + seconds, Courier(house.store, clock, {}, OutboxSender())
    while time.monotonic() < end:
        due = looking.next_due()
        if due is None or due > clock() + LEASE_SECONDS:
            return
        time.sleep(0.02)


class Place:
    """Where the file lies, and what can happen to it there."""

    def __init__(self, file: Path, disk: FailingDisk) -> None:
        self._file, self._disk = file, disk
        self._filler, self._elsewhere = file.with_name("filler"), file.with_name("elsewhere")
        self._rival: subprocess.Popen[str] | None = None

    def obey(self, order: str, words: Sequence[str]) -> None:
        match order, *words:
            case "fail", ("read" | "write" | "sync") as call, rate:
                self._disk.fail(call, float(rate))
            case "full", rate:
                self._disk.fail("write", float(rate), is_full=True)
            case ("mend",):
                self._disk.mend()
            case ("fill",):
                self._fill()
            case ("empty",):
                self._filler.unlink()
            case ("quota",):
                _limit(self._file.with_name(f"{self._file.name}-wal").stat().st_size + QUOTA_ROOM_BYTES)
            case ("no-quota",):
                _limit(resource.RLIM_INFINITY)
            case ("lock",):
                self._lock()
            case ("unlock",):
                assert self._rival is not None
                self._rival.kill()
                self._rival.communicate()
            case ("move",):
                self._file.rename(self._elsewhere)
            case ("put-back",):
                self._elsewhere.rename(self._file)
            case _:
                raise ValueError(f"not understood: {order} {words}")

    def _fill(self) -> None:
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            for block in iter(partial(bytes, FILL_BYTES), b""):
                file.write(block)

    def _lock(self) -> None:
        self._rival = subprocess.Popen(
            [sys.executable, "-c", RIVAL, str(self._file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._rival.stdout is not None
        self._rival.stdout.readline()


RIVAL = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
