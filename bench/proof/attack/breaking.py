"""What a build that is broken on purpose is: a part of it is swapped for a worse one before it serves."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec

Planting = Callable[[], None]


class Fault(msgspec.Struct, frozen=True):
    """A way to break the build: the routes by which it shows, though others may show it too, and what plants it."""

    places: tuple[str, ...]
    plant: Planting


def noted_in(known: dict[str, Fault], *places: str) -> Callable[[Planting], Planting]:
    """Notes what plants a fault, by its name in words."""

    def noted(planting: Planting) -> Planting:
        known[planting.__name__.replace("_", " ")] = Fault(places, planting)
        return planting

    return noted


def swap(module: str, name: str, worse: Callable[[Any], Any]) -> None:
    """Put something in the place of a part: `worse` is given the part, and gives back what takes its place. `name` may
    lead into a class. Raises `AttributeError` when there is no such part: a fault that breaks nothing shows nothing."""
    owner: Any = import_module(f"slotkeeper.{module}")
    *path, last = name.split(".")
    for each in path:
        owner = getattr(owner, each)
    setattr(owner, last, worse(getattr(owner, last)))
