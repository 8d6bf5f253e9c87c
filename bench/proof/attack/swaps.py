"""Naming something else in a request: in each field of its query, its body and its form that stands for something."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from bench.proof.attack.bodies import written
from bench.proof.attack.cases import Case, type_in
from bench.proof.attack.samples import KINDS

Swap = Callable[[str], Case]
"""The same case, with that id in one of its fields."""


def unlike(id: str) -> str:
    """An id of the same form that nothing has."""
    return id[:-3] + ("zzz" if not id.endswith("zzz") else "yyy")


def swaps(case: Case) -> Iterator[tuple[str, Swap]]:
    """Every field of the case, and what makes the same case with another text in it."""
    path, mark, query = case.target.partition("?")
    pairs = [pair.partition("=")[::2] for pair in query.split("&")] if query else []
    for at, (name, _) in enumerate(pairs):

        def asking(id: str, at: int = at, name: str = name) -> Case:
            changed = [*pairs[:at], (name, id), *pairs[at + 1 :]]
            return msgspec.structs.replace(case, target=path + mark + "&".join("=".join(pair) for pair in changed))

        yield name, asking
    for place in _named(case.value):

        def naming(id: str, place: tuple[Any, ...] = place) -> Case:
            return msgspec.structs.replace(case, body=written(_changed(case.value, place, id)).encode())

        yield ".".join(str(part) for part in place if isinstance(part, str)), naming
    for at, (name, _) in enumerate(case.typed or ()):

        def typing(id: str, at: int = at, name: str = name) -> Case:
            typed = list(case.typed or ())
            typed[at] = (name, id)
            swapped = msgspec.structs.replace(case, typed=typed)
            type_in(swapped)
            return swapped

        yield name, typing


def _named(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places in the value where an id, or a list of them, stands under a name."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name in KINDS and isinstance(each, str | list):
                yield (*place, name)
            yield from _named(each, (*place, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _named(each, (*place, at))


def _changed(value: Any, place: tuple[Any, ...], id: str) -> Any:
    if not place:
        return [id] if isinstance(value, list) else id
    first, *rest = place
    each = _changed(value[first], tuple(rest), id)
    if isinstance(value, dict):
        return value | {first: each}
    return [*value[:first], each, *value[first + 1 :]]
