"""Where the things that members look after are kept: in the catalogue, or together on a shelf."""

from typing import Any

from slotkeeper.core.errors import Missing
from slotkeeper.desk import catalogue
from slotkeeper.web.routes import Call
from slotkeeper.web.staff.kinds import Thing


class Kept:
    """A thing with its id, and a mark that changes when it does: who changes it shows which one they have seen."""

    __slots__ = ("id", "mark", "value")

    def __init__(self, id: str, mark: str, value: Any) -> None:
        self.id = id
        self.mark = mark
        self.value = value


def all_of(call: Call[Any, Any], thing: Thing) -> list[Kept]:
    """All things of the kind, by id."""
    if not thing.is_on_shelf:
        return [
            Kept(item.id, str(item.version), item.value) for item in catalogue.items(call.desk, call.actor, thing.kind)
        ]
    shelf = catalogue.shelf(call.desk, call.actor, thing.kind)
    return [Kept(id, catalogue.mark_of(value), value) for id, value in shelf.items()]


def one_of(call: Call[Any, Any], thing: Thing, id: str) -> Kept:
    """The thing of that id. Raises `Missing` when there is none."""
    if not thing.is_on_shelf:
        item = catalogue.item(call.desk, call.actor, thing.kind, id)
        return Kept(item.id, str(item.version), item.value)
    value = catalogue.shelf(call.desk, call.actor, thing.kind).get(id)
    if value is None:
        raise Missing(thing.kind, id)
    return Kept(id, catalogue.mark_of(value), value)


def add(call: Call[Any, Any], thing: Thing, value: Any) -> str:
    """Keep a new thing; returns its id. Raises `Invalid` for one that cannot be."""
    if thing.is_on_shelf:
        return catalogue.put_on_shelf(call.desk, call.actor, thing.kind, None, value)[0]
    return catalogue.create(call.desk, call.actor, thing.kind, value).id


def change(call: Call[Any, Any], thing: Thing, id: str, value: Any, mark: str) -> None:
    """Keep another value in place of the one of that mark.

    Raises:
        Outdated: it is another by now. Invalid: it cannot be. InUse: what refers to it could not be any more.
    """
    if not thing.is_on_shelf:
        catalogue.put(call.desk, call.actor, thing.kind, id, value, mark)
        return
    catalogue.put_on_shelf(call.desk, call.actor, thing.kind, id, value, mark)


def remove(call: Call[Any, Any], thing: Thing, id: str, mark: str) -> None:
    """Take the thing away.

    Raises:
        Outdated: it is another by now. InUse: something refers to it. Missing: there is none.
    """
    if not thing.is_on_shelf:
        catalogue.remove(call.desk, call.actor, thing.kind, id, mark)
        return
    catalogue.remove_from_shelf(call.desk, call.actor, thing.kind, id, mark)
