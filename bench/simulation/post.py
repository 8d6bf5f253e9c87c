"""A sender for simulations: letters arrive, or do not, as the weather has it, and the truth is told which."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from bench.simulation.truth import Truth
from bench.simulation.weather import Weather
from bench.simulation.world import Killed, World
from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Undeliverable, Unreachable

SLOW_SECONDS = 20.0
FOR_EVER = 3600.0
FAILURES = {"later": Unreachable, "never": Undeliverable, "strange": ValueError}


class Post:
    """A `contracts.Sender` of one process, which `kill` ends."""

    def __init__(self, world: World, weather: Weather, truth: Truth, kill: Callable[[], object]) -> None:
        self.is_dead = False
        self._world = world
        self._weather = weather
        self._truth = truth
        self._kill = kill

    async def send(self, letter: Letter) -> str:
        """See `Sender.send`."""
        if self.is_dead:
            raise Killed
        delivery = self._weather.of_letter()
        self._world.tell(f"letter {delivery}", letter.id.encode())
        if delivery == "killed before":
            self._die()
        if delivery in ("later", "never", "strange"):
            self._truth.failed(letter.id, for_good=delivery == "never")
            raise FAILURES[delivery]("simulated")
        self._truth.arrived(letter.id)
        if delivery == "killed after":
            self._die()
        if delivery == "lost answer":
            self._truth.failed(letter.id, is_unheard=True)
            raise Unreachable("simulated: the answer was lost")
        if delivery == "stuck":
            await self._wait_in_vain(letter)
        if delivery == "slow":
            await asyncio.sleep(self._world.chance.uniform(0.1, SLOW_SECONDS))
        return "taken"

    def _die(self) -> NoReturn:
        self._kill()
        raise Killed

    async def _wait_in_vain(self, letter: Letter) -> None:
        try:
            await asyncio.sleep(FOR_EVER)
        except asyncio.CancelledError:
            self._truth.failed(letter.id, is_unheard=True)
            raise
