"""What was made of documents, kept until they change: the catalogue as its services need it, and who is busy when.

A store that knows when its documents change gives each part a stamp (`Store.stamps`). Where it cannot, on AWS, nothing
is kept and everything is made anew.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar, cast

from slotkeeper.ledger import Reading

T = TypeVar("T")

KEPT = 16_384
"""How many things are kept, at most. Busy times of a month take a kilobyte each."""


class Memory:
    """It may be shared by all that ask one store. Whoever takes things out must leave them as they are."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._made: dict[Hashable, tuple[object, Any]] = {}

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
        names: Sequence[Hashable],
        parts: Sequence[str],
        make: Callable[[Reading, Sequence[int]], Sequence[T]],
    ) -> list[T]:
        """As `made`, for many things at once, each of a part of its own: `make` is asked only for those, by their
        places in `names`, that are not known."""
        stamps = reading.store.stamps(parts)
        if stamps is None:
            return list(make(reading, range(len(names))))
        made = self._made
        # `made` itself stands for what is not known: a value may be anything else.
        found: list[Any] = [
            known[1] if (known := made.get(name)) is not None and known[0] == stamp else made
            for name, stamp in zip(names, stamps, strict=True)
        ]
        unknown = [at for at, value in enumerate(found) if value is made]
        if unknown:
            for at, value in zip(unknown, make(Reading(reading.store), unknown), strict=True):
                found[at] = value
                self._keep(names[at], stamps[at], value)
        return found

    def _keep(self, name: Hashable, stamps: object, value: Any) -> None:
        made = self._made
        made.pop(name, None)
        while len(made) >= self._kept:
            del made[next(iter(made))]  # the one that was made first
        made[name] = (stamps, value)
