"""Stores that are broken on purpose, in the ways in which stores of schedulers are: what a proof must find out."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slotkeeper.contracts import Change, ListName, Page, Stale
from slotkeeper.stores.sqlite import SqliteStore

DECIDING_SECONDS = 0.002
"""The time that passes elsewhere between a SELECT and an INSERT."""
OLD_SECONDS = 0.5
LOST = 0.05


class _OneByOne(SqliteStore):
    """A store that commits each change by itself."""

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield


class ChecksThenInserts(_OneByOne):
    """It writes what was decided, whatever has changed since that was read."""

    def commit(self, change: Change) -> None:
        time.sleep(DECIDING_SECONDS)
        expects = change.expects
        while True:
            try:
                return super().commit(Change(expects, change.puts, change.deletes))
            except Stale as stale:
                found = {key: 0 if doc is None else doc.version for key, doc in stale.docs.items()}
                expects = {**expects, **found}


class ShowsWhatWas(SqliteStore):
    """Whoever looks through a list is shown it as it was a moment ago; whoever writes is judged by what is there."""

    def list(self, name: ListName, part: str, **others: Any) -> Page:
        shown: dict[object, tuple[float, Page]] = self.__dict__.setdefault("_shown", {})
        asked = (name, part, *others.items())
        if asked not in shown or time.monotonic() - shown[asked][0] > OLD_SECONDS:
            shown[asked] = time.monotonic(), super().list(name, part, **others)
        return shown[asked][1]


class LosesWrites(_OneByOne):
    """Now and then it says that it has written what it has not."""

    def commit(self, change: Change) -> None:
        if random.random() > LOST:
            super().commit(change)


STORES: dict[str, type[SqliteStore]] = {
    "checks, then inserts": ChecksThenInserts,
    "shows what was": ShowsWhatWas,
    "loses writes": LosesWrites,
}
