"""A store in memory: versioned documents in dictionaries, as fast as Python can be.

It keeps all promises of `contracts.Store` but one: what it holds is gone with the process. While a batch is open
everybody else waits, so nobody sees what may yet be undone.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, islice
from typing import NamedTuple

from bench.simulation.ordered import Ordered
from slotkeeper.contracts import Change, Doc, Key, ListName, Page, Place, Range, Stale

HIGHEST = "\U0010ffff"


class _Entry(NamedTuple):
    doc: Doc
    places: Mapping[ListName, Place]


class _List:
    """Who stands where in one part of one list."""

    def __init__(self) -> None:
        self.order = Ordered()
        self.keys: dict[str, Key] = {}


class MemoryStore:
    """A `contracts.Store`. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._parts: dict[str, dict[str, _Entry]] = {}
        self._lists: dict[tuple[ListName, str], _List] = {}
        self._undone: list[Callable[[], None]] | None = None
        self._stamps: dict[str, int] = {}
        self._numbers = count(1)

    def close(self) -> None:
        """See `Store.close`. What was kept stays, as in a file."""

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """See `Store.read`."""
        with self._lock:
            return {key: entry.doc for key in keys if (entry := self._entry(key)) is not None}

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        """See `Store.read_ranges`."""
        with self._lock:
            return [[*self._range(each)] for each in ranges]

    def list(
        self,
        name: ListName,
        part: str,
        *,
        first: str = "",
        last: str = HIGHEST,
        after: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Page:
        """See `Store.list`."""
        with self._lock:
            stand = self._lists.get((name, part))
            if stand is None:
                return Page([], None)
            if reverse:
                found = stand.order.back(first, last if after is None else min(last, after))
            else:
                found = stand.order.forth(first if after is None else max(first, after), last)
            sorts = list(islice((sort for sort in found if sort != after), limit + 1))
            docs = [self._parts[key.part][key.sort].doc for key in (stand.keys[sort] for sort in sorts[:limit])]
            return Page(docs, sorts[limit - 1] if len(sorts) > limit else None)

    def stamps(self, parts: Sequence[str]) -> Sequence[int] | None:
        """See `Store.stamps`."""
        with self._lock:
            stamps = self._stamps
            return [stamps[part] if part in stamps else stamps.setdefault(part, next(self._numbers)) for part in parts]

    def walk(self, prefix: str = "") -> Iterator[Doc]:
        """See `Store.walk`."""
        with self._lock:
            parts = sorted(part for part in self._parts if part.startswith(prefix))
        for part in parts:
            with self._lock:
                docs = self._range(Range(part, "", HIGHEST))
            yield from docs

    def commit(self, change: Change) -> None:
        """See `Store.commit`."""
        with self._lock:
            found = {key: self._entry(key) for key in change.expects}
            stale = {
                key: None if entry is None else entry.doc
                for key, entry in found.items()
                if (0 if entry is None else entry.doc.version) != change.expects[key]
            }
            if stale:
                raise Stale(stale)
            for put in change.puts:
                doc = Doc(put.key, change.expects[put.key] + 1, put.body)
                self._set(put.key, found[put.key], _Entry(doc, put.places))
            for key in change.deletes:
                self._set(key, found[key], None)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See `Store.batch`."""
        with self._lock:
            if self._undone is not None:
                raise RuntimeError("a batch cannot be opened within a batch")
            self._undone = []
            try:
                yield
            except BaseException:
                undo, self._undone = self._undone, None
                for step in reversed(undo):
                    step()
                raise
            finally:
                self._undone = None

    def forget(self, keys: Sequence[Key]) -> None:
        """Drop documents for good, whatever their versions: nothing may rest on them any more."""
        with self._lock:
            for key in keys:
                self._set(key, self._entry(key), None)

    def _entry(self, key: Key) -> _Entry | None:
        part = self._parts.get(key.part)
        return None if part is None else part.get(key.sort)

    def _range(self, wanted: Range) -> Sequence[Doc]:
        part = self._parts.get(wanted.part, {})
        return [part[sort].doc for sort in sorted(sort for sort in part if wanted.first <= sort <= wanted.last)]

    def _set(self, key: Key, before: _Entry | None, after: _Entry | None) -> None:
        if self._undone is not None:
            self._undone.append(lambda: self._replace(key, after, before))
        self._replace(key, before, after)

    def _replace(self, key: Key, before: _Entry | None, after: _Entry | None) -> None:
        if key.part in self._stamps:
            self._stamps[key.part] = next(self._numbers)
        if after is not None:
            self._parts.setdefault(key.part, {})[key.sort] = after
        elif before is not None:
            part = self._parts[key.part]
            del part[key.sort]
            if not part:
                del self._parts[key.part]
        stood = {} if before is None else before.places
        stands = {} if after is None else after.places
        if stood != stands:
            self._move(key, stood, stands)

    def _move(self, key: Key, stood: Mapping[ListName, Place], stands: Mapping[ListName, Place]) -> None:
        """Bring the lists up to date."""
        for name, place in stood.items():
            if stands.get(name) != place:
                at = self._lists[name, place.part]
                at.order.remove(place.sort)
                del at.keys[place.sort]
        for name, place in stands.items():
            if stood.get(name) != place:
                at = self._lists.setdefault((name, place.part), _List())
                at.order.add(place.sort)
                at.keys[place.sort] = key
