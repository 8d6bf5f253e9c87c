"""Work done in processes forked from this one, several at a time, each within limits of time."""

import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal, NoReturn

import msgspec

Ending = Literal["found", "nothing", "refused", "out of time", "crashed"]

FOUND, NOTHING, REFUSED, LATE, CRASHED = 10, 11, 12, 13, 14
TIMES, SPARE_SECONDS = 10, 4
STUCK_SECONDS, IDLE_SHARE = 20, 0.01
"""Who has used less than this share of a processor for so long waits for what will not come. It is more than none, as
a thread beside may look around now and then."""

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Refused(Exception):
    """The work cannot be done in this process."""


class OutOfTime(BaseException):
    """The work has taken its time; it may still tidy up."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a piece of work ended: what it found, and the processor seconds that it took."""

    ending: Ending
    found: str = ""
    seconds: float = 0.0


def limit_to(seconds: float) -> None:
    """End this process when it takes much longer, from now on, than the processor seconds that are usual."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + TIMES * seconds + SPARE_SECONDS) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
    signal.signal(signal.SIGXCPU, _say_that_time_is_over)


def _say_that_time_is_over(number: int, frame: object) -> None:
    """To be heard once: who does not listen is ended."""
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    most, _ = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (most + SPARE_SECONDS, resource.RLIM_INFINITY))
    raise OutOfTime


class Crew:
    """At most `size` processes at work. What each comes to is told to `told`, in the order in which they end."""

    def __init__(self, size: int, stuck_seconds: float = STUCK_SECONDS) -> None:
        self._size = size
        self._stuck_seconds = stuck_seconds
        self._at_work: list[tuple[_Process, Callable[[Ended], None]]] = []

    def start(self, work: Callable[[], str], told: Callable[[Ended], None]) -> None:
        """Do the work in a process of its own, once there is room for it. It says what it found; nothing is ""."""
        while len(self._at_work) >= self._size:
            self._look()
        self._at_work.append((_Process(work, self._stuck_seconds), told))

    def finish(self) -> None:
        """Wait until all have ended."""
        while self._at_work:
            self._look()

    def _look(self) -> None:
        select.select([process.pipe for process, _ in self._at_work], [], [], 1.0)
        for each in list(self._at_work):
            process, told = each
            if (ended := process.ended()) is not None:
                self._at_work.remove(each)
                told(ended)


class _Process:
    def __init__(self, work: Callable[[], str], stuck_seconds: float) -> None:
        self._stuck_seconds = stuck_seconds
        self.pipe, mine = os.pipe()
        self._used, self._moved = 0, time.monotonic()
        self._is_out_of_time = False
        self._pid = os.fork()
        if self._pid == 0:
            _be_the_child(work, mine)
        os.close(mine)

    def ended(self) -> Ended | None:
        """What it came to; None while it is at work."""
        pid, status, used = os.wait4(self._pid, os.WNOHANG)
        if pid == 0:
            self._end_if_stuck()
            return None
        found = self._read()
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)  # whom it has started
        seconds = used.ru_utime + used.ru_stime
        if os.WIFSIGNALED(status):
            is_late = self._is_out_of_time or os.WTERMSIG(status) == signal.SIGXCPU
            ending: Ending = "out of time" if is_late else "found"
            return Ended(ending=ending, found=f"signal {os.WTERMSIG(status)}", seconds=seconds)
        names: dict[int, Ending] = {FOUND: "found", NOTHING: "nothing", REFUSED: "refused", LATE: "out of time"}
        return Ended(ending=names.get(os.WEXITSTATUS(status), "crashed"), found=found, seconds=seconds)

    def _read(self) -> str:
        os.set_blocking(self.pipe, False)
        parts = []
        with suppress(BlockingIOError):
            while part := os.read(self.pipe, 65536):
                parts.append(part)
        os.close(self.pipe)
        return b"".join(parts).decode(errors="replace")

    def _end_if_stuck(self) -> None:
        used = _used_ticks(self._pid)
        if used - self._used >= IDLE_SHARE * self._stuck_seconds * TICKS_A_SECOND:
            self._used, self._moved = used, time.monotonic()
        elif time.monotonic() - self._moved > self._stuck_seconds:
            self._is_out_of_time = True
            os.kill(self._pid, signal.SIGKILL)


def _used_ticks(pid: int) -> int:
    """Processor time used, in the system's own unit; where the system does not show it, it seems to move on."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic_ns()
    return int(fields[11]) + int(fields[12])


def _be_the_child(work: Callable[[], str], pipe: int) -> NoReturn:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    try:
        found, code = work(), NOTHING
        if found:
            code = FOUND
    except OutOfTime:
        found, code = "", LATE
    except Refused as refused:
        found, code = str(refused), REFUSED
    except BaseException:  # noqa: BLE001 - whatever it is, the parent tells of it
        found, code = traceback.format_exc(), CRASHED
    os.write(pipe, found.encode()[-4000:])
    sys.stdout.flush()
    os._exit(code)
