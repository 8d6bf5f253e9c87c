"""Versioned documents in one DynamoDB table: conditional writes, and transactions where several must hold together.

Every read is consistent. Only which documents stand in a list is seen a moment later: indexes follow their table.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from slotkeeper.contracts import Change, Doc, Key, ListName, Page, Place, Put, Range, Stale
from slotkeeper.core.errors import Invalid, Unreachable
from slotkeeper.stores.connection import CONDITION, Connection, Failed
from slotkeeper.stores.items import VERSION, WRITE, Item, doc_of, item_of, key_of, place_of, size_of, wire_key
from slotkeeper.stores.table import Table, condition

HIGHEST = "\U0010ffff"
TRANSACTION_BYTES = 4 * 1024 * 1024
"""TransactWriteItems: 4 MB in all."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a store has done so far: calls, tries made again, and commits that came too late."""

    calls: int
    retries: int
    stale: int


class DynamoStore:
    """A `contracts.Store` in a table of DynamoDB. Any thread may use it.

    With `leaves_first_due` a new document gets its place in the list `due` only when it is written again. That is for
    tables whose stream tells of every new document: the place would be paid for, and nobody would look.
    """

    def __init__(self, connection: Connection, table: str, *, leaves_first_due: bool = False) -> None:
        self._table = Table(connection, table)
        self._leaves_first_due = leaves_first_due
        self._mine = threading.local()
        self._stale = 0

    @property
    def counts(self) -> Counts:
        """The figures up to now; threads that count at the same moment may lose one."""
        connection = self._table.connection
        return Counts(connection.calls, connection.retries, self._stale)

    def close(self) -> None:
        """See `Store.close`."""
        self._table.close()

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """See `Store.read`."""
        found = {key_of(item): doc_of(item) for item in self._table.get(keys)}
        return {key: found[key] for key in keys if key in found}

    def stamps(self, parts: Sequence[str]) -> None:
        """See `Store.stamps`: who else has written is not known without asking."""
        return

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        """See `Store.read_ranges`."""
        found = self._table.each(lambda each: self._table.range(each.part, each.first, each.last), ranges)
        return [[doc_of(item) for item in items] for items in found]

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
        """See `Store.list`. A document that has moved or left since its index was written is passed over, so that
        pages join: the next reading finds it where it stands then."""
        docs: list[Doc] = []
        while True:
            missing = limit - len(docs)
            low, high = first, last
            if after is not None:
                low, high = (low, min(high, after)) if reverse else (max(low, after), high)
            # One entry more tells whether the list goes on, and another may be that of `after` itself.
            entries = self._table.entries(name, part, low, high, most=missing + 2, reverse=reverse)
            fresh = [(key, place) for key, place in entries if place.sort != after]
            docs += self._standing(name, fresh[:missing])
            if len(fresh) <= missing:
                return Page(docs, None)
            after = fresh[missing - 1][1].sort
            if len(docs) == limit:
                return Page(docs, after)

    def walk(self, prefix: str = "") -> Iterator[Doc]:
        """See `Store.walk`. It reads the whole table, whatever the prefix."""
        return map(doc_of, self._table.scan(prefix))

    def commit(self, change: Change) -> None:
        """See `Store.commit`.

        Raises:
            Invalid: a document, or all of them together, are larger than DynamoDB takes.
        """
        try:
            if len(change.expects) == 1 and change.puts:
                self._put(change.puts[0], change.expects[change.puts[0].key])
            elif change.expects:
                self._transact(change)
        except Stale:
            self._stale += 1
            raise

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See `Store.batch`. Each commit within is done at once, and leaving never fails."""
        if getattr(self._mine, "is_in_batch", False):
            raise RuntimeError("a batch cannot be opened within a batch")
        self._mine.is_in_batch = True
        try:
            yield
        finally:
            self._mine.is_in_batch = False

    def _standing(self, name: ListName, entries: Sequence[tuple[Key, Place]]) -> Sequence[Doc]:
        """The documents that stand where their entries say."""
        items = {key_of(item): item for item in self._table.get(key for key, _ in entries)}
        return [doc_of(items[key]) for key, place in entries if key in items and place_of(items[key], name) == place]

    def _put(self, put: Put, expected: int) -> None:
        """Write one document alone, for half of what a transaction costs.

        Raises:
            Stale: another has written it. Unreachable: an answer was lost, and whether it was done cannot be known.
        """
        token = secrets.token_urlsafe(9)
        try:
            self._table.call("PutItem", {"Item": self._item(put, expected, token), **condition(expected)})
        except Failed as failed:
            found = failed.answer.get("Item")
            now = {put.key: doc_of(found) if found else None}
            if not failed.is_doubtful:
                raise Stale(now) from failed
            if not found or int(found[VERSION]["N"]) != expected + 1:
                # Others have written on, over ours or over a rival's: which of the two, the document does not tell.
                raise Unreachable(f"{'/'.join(put.key)} was written, by us or by others") from failed
            if found.get(WRITE) != {"S": token}:
                raise Stale(now) from failed

    def _transact(self, change: Change) -> None:
        """All of the change or nothing. By its token DynamoDB knows a change that it has done already.

        A delete goes this way even when it is alone: it leaves nothing behind by which it could be known.
        """
        puts = {put.key: self._item(put, change.expects[put.key]) for put in change.puts}
        size = sum(map(size_of, puts.values()))
        if size > TRANSACTION_BYTES:
            raise Invalid(f"this would write {size:,} bytes at once, DynamoDB takes {TRANSACTION_BYTES:,}")
        actions = []
        for key, expected in change.expects.items():
            base = {"TableName": self._table.name, **condition(expected)}
            if key in puts:
                actions.append({"Put": {**base, "Item": puts[key]}})
            else:
                kind = "Delete" if key in change.deletes else "ConditionCheck"
                actions.append({kind: {**base, "Key": wire_key(key)}})
        whole = {"TransactItems": actions, "ClientRequestToken": secrets.token_urlsafe(18)}
        try:
            self._table.connection.call("TransactWriteItems", whole)
        except Failed as failed:
            raise Stale(_failed(failed.answer, list(change.expects))) from failed

    def _item(self, put: Put, expected: int, token: str = "") -> Item:
        return item_of(put, expected + 1, write=token, leaves_due=self._leaves_first_due and expected == 0)


def _failed(answer: Mapping[str, Any], keys: Sequence[Key]) -> dict[Key, Doc | None]:
    """The keys whose conditions did not hold, with what is there. Those that were not looked at, because another
    transaction had them, are not named: the caller reads them again."""
    found: dict[Key, Doc | None] = {}
    for key, reason in zip(keys, answer["CancellationReasons"], strict=True):
        if reason.get("Code") == CONDITION:
            found[key] = doc_of(reason["Item"]) if reason.get("Item") else None
    return found
