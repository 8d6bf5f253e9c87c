"""What was made of documents, kept until they change: the catalogue as its services need it, and who is busy when.

A store that knows when its documents change gives each part a stamp (`Store.stamps`). Where it cannot, on AWS, nothing
is kept and everything is made anew.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar, cast

from slotkeeper.ledger import Reading

T = TypeVar("T")

MOST = 16_384
"""How many things are kept, at most. The busy times of one calendar and a month take a kilobyte."""


class Memory:
    """It may be shared by all that ask one store. Whoever takes things out must leave them as they are."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept = 0
        self._made: dict[Hashable, tuple[Sequence[int], Any]] = {}
        self._things: dict[Hashable, int] = {}

    def is_of_use(self, reading: Reading) -> bool:
        """Whether anything can be kept of what the store holds."""
        return reading.store.stamps(()) is not None

    def made(self, reading: Reading, name: Hashable, parts: Sequence[str], make: Callable[[Reading], T]) -> T:
        """What `make` gives, or has given since the documents of these parts changed last.

        It must rest on them alone, and on what `name` says. It is given a reading of its own: what was read before the
        stamps were taken may be older than they are. Raises whatever `make` raises.
        """
        stamps = reading.store.stamps(parts)
        if stamps is None:
            return make(reading)
        found = self._made.get(name)
        if found is not None and found[0] == stamps:
            return cast("T", found[1])
        value = make(Reading(reading.store))
        self._keep(name, stamps, value)
        return value

    def each(
        self,
        reading: Reading,
        name: Hashable,
        parts: Sequence[str],
        make: Callable[[Reading, Sequence[int]], Sequence[T]],
    ) -> Sequence[T]:
        """As `made`, a thing for each part: `make` is asked only for those, by their places in `parts`, that have
        changed. A name goes with the same parts always."""
        stamps = reading.store.stamps(parts)
        if stamps is None:
            return make(reading, range(len(parts)))
        known = self._made.get(name)
        values: list[Any]
        if known is None:
            changed, values = list(range(len(parts))), [None] * len(parts)
        elif known[0] == stamps:
            return cast("Sequence[T]", known[1])
        else:
            changed, values = [at for at, stamp in enumerate(stamps) if stamp != known[0][at]], list(known[1])
        for at, value in zip(changed, make(Reading(reading.store), changed), strict=True):
            values[at] = value
        self._keep(name, stamps, values, len(parts))
        return values

    def _keep(self, name: Hashable, stamps: Sequence[int], value: Any, things: int = 1) -> None:
        """Keep it, and as many of the others as there is room for: those that were made first go."""
        if things > self._most:
            return
        self._forget(name)
        while self._kept + things > self._most:
            self._forget(next(iter(self._made)))
        self._made[name], self._things[name] = (stamps, value), things
        self._kept += things

    def _forget(self, name: Hashable) -> None:
        self._made.pop(name, None)
        self._kept -= self._things.pop(name, 0)
