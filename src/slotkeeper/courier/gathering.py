"""Outcomes gathered, and noted a few at a time: a wait for the disk each would be too slow, and what is not noted yet
goes out twice after a crash."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from slotkeeper.contracts import Clock
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.noting import Outcome

NOTED_AT_ONCE = 64
NOTED_WITHIN_SECONDS = 1.0
"""However long the others of a sweep take."""

_log = logging.getLogger(__name__)


class Gathered:
    """The outcomes of one sweep that are not noted yet; `note` notes some, and keeps what it fails to."""

    def __init__(self, clock: Clock, note: Callable[[Sequence[Outcome]], object]) -> None:
        self._clock = clock
        self._note = note
        self._outcomes: list[Outcome] = []
        self._since = clock()

    def add(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)

    def note_in_turn(self, now: Instant) -> None:
        """Note all when they are many, or when another second has begun. Raises `Unreachable`."""
        if len(self._outcomes) >= NOTED_AT_ONCE or (self._outcomes and now != self._since):
            self.note_all()

    def note_all(self) -> None:
        """Note what there is. Raises `Unreachable`."""
        few, self._outcomes, self._since = self._outcomes, [], self._clock()
        self._note(few)

    async def note_in_time(self) -> None:
        """Note what there is now and then, for ever: the next outcome may be long in coming."""
        while True:
            await asyncio.sleep(NOTED_WITHIN_SECONDS)
            try:
                if self._outcomes:
                    self.note_all()
            except Unreachable as error:
                _log.warning("what was sent could not be noted yet: %s", error)
            except Exception:  # noqa: BLE001 - nobody awaits this: what it raised would never be heard of
                _log.exception("what was sent could not be noted yet")
