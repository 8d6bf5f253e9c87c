"""The simulated world's own promises, where a fault of it would look like one of the service."""

import asyncio

import pytest

from bench.simulation.loop import VirtualRunner
from bench.simulation.world import World
from slotkeeper.core.ticks import Instant


def test_who_has_stopped_the_world_ends_within_their_own_loop() -> None:
    """Others, who run loops of their own in the same thread, may be ended first."""
    world = World(1, Instant(0))
    sleeping, failing = VirtualRunner(world), VirtualRunner(world)
    known = list[asyncio.AbstractEventLoop]()

    async def fail() -> None:
        world.fail(ArithmeticError("a promise is broken"))

    async def fail_and_go_on() -> None:
        failed = asyncio.ensure_future(fail())
        await asyncio.wait([failed])
        known.append(asyncio.get_running_loop())

    world.start("sleeper", lambda: sleeping.run(asyncio.sleep(10)))
    world.start("failing", lambda: failing.run(fail_and_go_on()), after=1)
    with pytest.raises(ArithmeticError):
        world.run(100)
    world.close()

    assert known == [failing.loop]
    for runner in (sleeping, failing):
        runner.loop.abandon()
