"""The worker sleeps until something is due, wakes when told, and never dies."""

import asyncio
import gc
import logging
import threading
import time
from collections.abc import Callable

import pytest

from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.courier import Swept
from slotkeeper.embedded import worker as module
from slotkeeper.embedded.worker import (
    CALM_SECONDS,
    FEW,
    MOST_UNDER_WAY,
    PATIENCE_SECONDS,
    SLOW_SECONDS,
    SWEEP,
    Worker,
)
from tests.clock import VirtualClock
from tests.post import WaitsForAll, caught

NOW = "2026-11-23T06:00:00Z"


class ScriptedCourier:
    """A courier at the edge: what it finds due, and whether it fails, is set by the test."""

    def __init__(self) -> None:
        self.sweeps = 0
        self.due: Instant | None = None
        self.failures = 0
        self.answer = Swept()

    def next_due(self) -> Instant | None:
        return self.due

    async def sweep(self, limit: int) -> Swept:
        self.sweeps += 1
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the courier fell off its bicycle")
        return self.answer


class HangingCourier(ScriptedCourier):
    """A courier whose sweeps wait for a peer until it is let go; the one in `quick` does not."""

    def __init__(self, quick: int = 0) -> None:
        super().__init__()
        self.quick = quick
        self.is_let_go = False
        self.limits: list[int] = []
        self.over: list[int] = []

    async def sweep(self, limit: int) -> Swept:
        self.limits.append(limit)
        number = len(self.limits)
        while not self.is_let_go and number != self.quick:  # noqa: ASYNC110 - another thread lets it go
            await asyncio.sleep(0.01)
        self.over.append(number)
        return Swept(seen=1, sent=1)


def until(is_so: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.005)
    return is_so()


def test_it_sleeps_while_nothing_is_due() -> None:
    courier = ScriptedCourier()
    worker = Worker(courier, VirtualClock(NOW))

    worker.start()
    assert until(lambda: courier.sweeps == 1)
    time.sleep(0.2)
    worker.stop()

    assert courier.sweeps == 1


def test_it_looks_again_when_it_is_woken() -> None:
    courier = ScriptedCourier()
    worker = Worker(courier, VirtualClock(NOW))

    worker.start()
    assert until(lambda: courier.sweeps == 1)
    worker.wake()

    assert until(lambda: courier.sweeps == 2)
    worker.stop()


@pytest.mark.slow
def test_it_wakes_when_something_is_due() -> None:
    courier, clock = ScriptedCourier(), VirtualClock(NOW)
    courier.due = Instant(clock.now + 1)
    courier.answer = Swept(seen=1, sent=1)
    worker = Worker(courier, clock)

    begun = time.monotonic()
    worker.start()
    assert until(lambda: courier.sweeps >= 2)
    worker.stop()

    assert time.monotonic() - begun > 0.9


def test_what_stays_due_does_not_keep_the_processor_busy() -> None:
    courier, clock = ScriptedCourier(), VirtualClock(NOW)
    courier.due = Instant(clock.now - 100)
    courier.answer = Swept(seen=1, damaged=1)
    worker = Worker(courier, clock)

    worker.start()
    time.sleep(0.3)
    worker.stop()

    assert courier.sweeps == 1


def test_a_failure_is_logged_and_counted_and_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    courier = ScriptedCourier()
    courier.failures = 2
    worker = Worker(courier, VirtualClock(NOW), longest_sleep=0.01)

    with caplog.at_level(logging.ERROR):
        worker.start()
        assert until(lambda: courier.sweeps >= 3)
        worker.stop()

    assert worker.counts.errors == 2
    assert "fell off its bicycle" in caplog.text


def test_a_store_that_fails_is_told_of_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    class Fails(ScriptedCourier):
        async def sweep(self, limit: int) -> Swept:
            await super().sweep(limit)
            raise Unreachable("the disk is full")

    courier = Fails()
    worker = Worker(courier, VirtualClock(NOW), longest_sleep=0.01)

    worker.start()
    assert until(lambda: courier.sweeps >= 3)
    worker.stop()

    assert worker.counts.errors >= 2
    assert "the disk is full" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.slow
def test_while_bookings_pour_in_it_waits_but_not_for_ever() -> None:
    courier = ScriptedCourier()
    worker = Worker(courier, VirtualClock(NOW))
    worker.start()
    assert until(lambda: courier.sweeps == 1)

    begun = time.monotonic()
    while courier.sweeps == 1 and time.monotonic() - begun < 10:
        worker.wake()
        time.sleep(0.01)
    waited = time.monotonic() - begun
    worker.stop()

    assert 0.5 < waited < 5


def test_it_takes_leave_of_all_peers_when_it_stops(caplog: pytest.LogCaptureFixture) -> None:
    closed: list[str] = []

    async def fails() -> None:
        raise ConnectionResetError("gone")

    async def closes() -> None:
        closed.append("closed")

    worker = Worker(ScriptedCourier(), VirtualClock(NOW), closing=[fails, closes])
    worker.start()
    worker.stop()

    assert closed == ["closed"]
    assert "could not be closed" in caplog.text


def test_it_may_be_started_again() -> None:
    courier = ScriptedCourier()
    worker = Worker(courier, VirtualClock(NOW))

    for times in (1, 2):
        worker.start()
        assert until(lambda times=times: courier.sweeps == times)  # type: ignore[misc] # mypy does not see the default
        worker.stop()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Worker, WaitsForAll])
def test_a_sweep_that_hangs_keeps_nothing_else_waiting(kind: type[Worker]) -> None:
    courier = HangingCourier(quick=2)
    worker = kind(courier, VirtualClock(NOW))

    worker.start()
    assert until(lambda: len(courier.limits) == 1)
    time.sleep(SLOW_SECONDS + 0.5)
    worker.wake()
    came = until(lambda: courier.over == [2], 2.0)
    courier.is_let_go = True
    worker.stop()

    with caught(kind, WaitsForAll):
        assert came
        assert courier.limits[:2] == [SWEEP, FEW]
    assert 1 in courier.over


@pytest.mark.slow
def test_those_that_hang_are_no_more_than_so_many_and_are_counted_when_they_are_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.02)
    courier, clock = HangingCourier(), VirtualClock(NOW)
    courier.due = Instant(clock.now - 1)  # there is always more
    worker = Worker(courier, clock)

    worker.start()
    assert until(lambda: len(courier.limits) == MOST_UNDER_WAY)
    time.sleep(0.5)
    assert len(courier.limits) == MOST_UNDER_WAY
    courier.due = None
    courier.is_let_go = True

    assert until(lambda: worker.counts.sent >= MOST_UNDER_WAY)
    worker.stop()


def test_what_is_under_way_at_the_end_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.02)
    courier = HangingCourier()
    worker = Worker(courier, VirtualClock(NOW))
    worker.start()
    assert until(lambda: len(courier.limits) == 1)
    time.sleep(0.1)

    threading.Timer(0.2, setattr, (courier, "is_let_go", True)).start()
    worker.stop()

    assert courier.over


class FreezesThem(Worker):
    """A broken one: while it waits for a calm moment nothing goes on."""

    def _wait_for_calm(self, runner: asyncio.Runner) -> None:
        patience = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < min(patience, self._woken_at + CALM_SECONDS) and not self._stopping.is_set():
            self._stopping.wait(CALM_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Worker, FreezesThem])
def test_what_is_under_way_goes_on_while_bookings_pour_in(monkeypatch: pytest.MonkeyPatch, kind: type[Worker]) -> None:
    class Talks(ScriptedCourier):
        """A courier whose first sweep takes a second and a half, in fifty steps; the others do nothing."""

        took = 0.0

        async def sweep(self, limit: int) -> Swept:
            self.sweeps += 1
            if self.sweeps > 1:
                return Swept()
            begun = time.monotonic()
            for _ in range(50):
                await asyncio.sleep(0.03)
            self.took = time.monotonic() - begun
            return Swept(seen=1, sent=1)

    monkeypatch.setattr(module, "SLOW_SECONDS", 0.02)
    courier = Talks()
    worker = kind(courier, VirtualClock(NOW))
    worker.start()
    begun = time.monotonic()
    while not courier.took and time.monotonic() - begun < 5:
        worker.wake()
        time.sleep(0.01)
    worker.stop()

    with caught(kind, FreezesThem):
        assert 0 < courier.took < 3.5


@pytest.mark.slow
def test_a_stop_cuts_off_what_hangs_and_ends_before_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = list[str]()

    class Hangs(ScriptedCourier):
        async def sweep(self, limit: int) -> Swept:
            self.sweeps += 1
            try:
                await asyncio.sleep(60)
            finally:
                ends.append("noted")
            return Swept()

    async def close() -> None:
        ends.append("closed")

    monkeypatch.setattr(module, "SLOW_SECONDS", 0.02)
    monkeypatch.setattr(module, "STOP_SECONDS", 1.0)
    worker = Worker(courier := Hangs(), VirtualClock(NOW), closing=[close])
    worker.start()
    assert until(lambda: courier.sweeps == 1)
    thread = worker._thread
    worker.stop()

    assert ends == ["noted", "closed"]
    assert thread is not None
    assert not thread.is_alive()


def test_of_those_that_failed_while_they_were_left_alone_each_is_retrieved(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Fails(HangingCourier):
        async def sweep(self, limit: int) -> Swept:
            await super().sweep(limit)
            raise RuntimeError("the courier fell off its bicycle")

    monkeypatch.setattr(module, "SLOW_SECONDS", 0.02)
    courier, clock = Fails(), VirtualClock(NOW)
    courier.due = Instant(clock.now - 1)
    worker = Worker(courier, clock)
    worker.start()
    assert until(lambda: len(courier.limits) == MOST_UNDER_WAY)
    courier.due = None
    courier.is_let_go = True

    assert until(lambda: worker.counts.errors >= MOST_UNDER_WAY)
    worker.stop()
    gc.collect()

    assert caplog.text.count("RuntimeError: the courier fell off its bicycle") == worker.counts.errors
    assert "never retrieved" not in caplog.text


class WholeSeconds:
    """A clock that tells whole seconds, as every `contracts.Clock`; its first is over in part when it is made."""

    def __init__(self, into: float) -> None:
        self._begun = time.monotonic() - into

    def __call__(self) -> Instant:
        return Instant(1_000_000 + int(time.monotonic() - self._begun))


class SleepsItThrough(Worker):
    """A broken one: it sleeps for as many seconds as the clock says that there are."""

    def _sleep(self, pause: float) -> None:
        self._woken.wait(pause)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Worker, SleepsItThrough])
def test_what_is_due_in_the_next_second_does_not_wait_for_the_one_after(kind: type[Worker]) -> None:
    courier, clock = ScriptedCourier(), WholeSeconds(into=0.3)
    courier.due = Instant(clock() + 2)
    courier.answer = Swept(seen=1, sent=1)
    worker = kind(courier, clock)

    begun = time.monotonic()
    worker.start()
    assert until(lambda: courier.sweeps >= 2)
    took = time.monotonic() - begun
    courier.due = None
    worker.stop()

    with caught(kind, SleepsItThrough):
        assert took < 1.95  # it is due after 1.7 seconds
