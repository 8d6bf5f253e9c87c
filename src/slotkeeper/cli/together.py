"""Several commits as one: what a row brings is kept whole or not at all, also where no batch can take commits back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from msgspec.structs import replace

from slotkeeper.contracts import Change, Doc, Key, ListName, Page, Put, Range, Stale, Store
from slotkeeper.core.errors import Invalid, Unreachable
from slotkeeper.desk.desk import Desk
from slotkeeper.ledger import ATTEMPTS

R = TypeVar("R")


def together(desk: Desk, do: Callable[[Desk], R]) -> R:
    """What `do` answers, once all that it has committed at the desk it is given is kept, in one commit. When others
    were quicker it is called again.

    Raises:
        Invalid: it touches more documents than one commit may. Unreachable: others kept being quicker.
        Whatever `do` raises: nothing was kept.
    """
    for _ in range(ATTEMPTS):
        store = _Gathering(desk.store)
        answer = do(replace(desk, store=store))
        try:
            store.keep()
        except Stale:
            continue
        return answer
    raise Unreachable(f"others kept being quicker for {ATTEMPTS} attempts; nothing was changed")


class _Gathering:
    """A store before another: it sees its own commits, which are kept only in the end. Lists do not show them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._expects: dict[Key, int] = {}
        self._docs: dict[Key, Doc | None] = {}
        self._puts: dict[Key, Put] = {}

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """See `Store.read`."""
        found: dict[Key, Doc | None] = dict(self._store.read([key for key in keys if key not in self._docs]))
        found |= {key: self._docs[key] for key in keys if key in self._docs}
        return {key: doc for key, doc in found.items() if doc is not None}

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        """See `Store.read_ranges`."""
        found = self._store.read_ranges(ranges)
        return [list(self._seen(each, docs)) for each, docs in zip(ranges, found, strict=True)]

    def list(self, name: ListName, part: str, **others: Any) -> Page:
        """See `Store.list`."""
        return self._store.list(name, part, **others)

    def stamps(self, parts: Sequence[str]) -> None:
        """See `Store.stamps`: what is not committed yet has none."""
        return

    def walk(self, prefix: str = "") -> Iterator[Doc]:
        """See `Store.walk`."""
        return self._store.walk(prefix)

    def commit(self, change: Change) -> None:
        """See `Store.commit`. What the store behind holds is judged in the end."""
        stale = {key: self._docs[key] for key, expected in change.expects.items() if not self._holds(key, expected)}
        if stale:
            raise Stale(stale)
        self._expects = dict(change.expects) | self._expects
        for put in change.puts:
            self._puts[put.key] = put
            self._docs[put.key] = Doc(put.key, change.expects[put.key] + 1, put.body)
        for key in change.deletes:
            self._puts.pop(key, None)
            self._docs[key] = None

    def batch(self) -> AbstractContextManager[None]:
        """See `Store.batch`."""
        return nullcontext()

    def close(self) -> None:
        """See `Store.close`; the store behind stays open."""

    def keep(self) -> None:
        """Commit all of it.

        Raises:
            Stale: the store behind has changed since it was read. Invalid: it is too much for one commit.
        """
        if not self._docs:
            return
        if len(self._expects) > Change.LIMIT:
            raise Invalid(f"this touches {len(self._expects)} documents, one commit may touch {Change.LIMIT}")
        deletes = [key for key, doc in self._docs.items() if doc is None]
        self._store.commit(Change(self._expects, list(self._puts.values()), deletes))

    def _holds(self, key: Key, expected: int) -> bool:
        if key not in self._docs:
            return True
        doc = self._docs[key]
        return expected == (doc.version if doc else 0)

    def _seen(self, wanted: Range, docs: Sequence[Doc]) -> Iterator[Doc]:
        """The range as it is with our own commits."""
        kept: dict[Key, Doc | None] = {doc.key: doc for doc in docs}
        kept |= {
            key: doc
            for key, doc in self._docs.items()
            if key.part == wanted.part and wanted.first <= key.sort <= wanted.last
        }
        return (doc for _, doc in sorted(kept.items()) if doc is not None)
