"""What Slotkeeper needs from outside: a store of versioned documents, senders of messages, a clock."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import msgspec

from slotkeeper.core.errors import SlotkeeperError
from slotkeeper.core.ticks import Instant

ListName = Literal["customer", "start", "due", "log", "dead"]
"""The lists a document can stand in. Each is one index in every store (a GSI in DynamoDB)."""


class Key(NamedTuple):
    """Where a document lives: `part` is read as a whole or in ranges of `sort`, in the order of code points."""

    part: str
    sort: str


class Place(NamedTuple):
    """Where a document stands in a list: under `part`, in the order of `sort` (code points), unique within `part`."""

    part: str
    sort: str


class Doc(msgspec.Struct, frozen=True):
    """A stored document. `version` is 1 for the first one written under its key, and grows by 1 each time.

    A key that was deleted may be written again, from version 1. So what commits rest on (sheets, tallies, appointments)
    is never deleted, and a hold only together with a change of the sheets that it stands in.
    """

    key: Key
    version: int
    body: bytes


class Put(msgspec.Struct, frozen=True):
    """One document to write, with its place in each list that it stands in (at most one a list).

    From `until` on (0: never) nothing rests on the document, and a store may forget it.
    """

    key: Key
    body: bytes
    places: Mapping[ListName, Place] = msgspec.field(default_factory=dict)
    until: Instant = Instant(0)


class Change(msgspec.Struct, frozen=True):
    """What one commit does: `puts` and `deletes`, on condition that each key in `expects` has that version still.

    Version 0 means that there is no document. Every key that is written must be expected.
    At most 100 keys in all (DynamoDB, TransactWriteItems: 100 items).
    """

    expects: Mapping[Key, int]
    puts: Sequence[Put] = ()
    deletes: Sequence[Key] = ()

    LIMIT = 100

    def __post_init__(self) -> None:
        """Refuse a change that no store could keep.

        Raises:
            ValueError: a written key is not expected, a key is written twice, or there are more than 100.
        """
        written = [put.key for put in self.puts] + list(self.deletes)
        once = set(written)
        if len(written) != len(once) or not self.expects.keys() >= once:
            raise ValueError("each written key must be expected, and written once")
        if len(self.expects) > self.LIMIT:
            raise ValueError(f"{len(self.expects)} keys are more than the {self.LIMIT} that one commit may touch")


class Stale(SlotkeeperError):
    """Some of what was read has changed since. `docs` holds each such key's document now, None where there is none."""

    def __init__(self, docs: Mapping[Key, Doc | None]) -> None:
        super().__init__("changed since it was read: " + ", ".join("/".join(key) for key in docs))
        self.docs = dict(docs)


class Range(msgspec.Struct, frozen=True):
    """The documents of one part whose sort key lies in `first..last`, both included."""

    part: str
    first: str
    last: str


class Page(msgspec.Struct, frozen=True):
    """A stretch of a list, and where to go on: None when it ends here."""

    docs: Sequence[Doc]
    after: str | None


class Store(Protocol):
    """Versioned documents. Every method may raise `Unreachable`: then nothing is known, least of all "free".

    Promises, each held by `tests/contracts/store.py` for every store:
    * `commit` does all of a change or nothing, and only if every expectation holds; else `Stale` names every key
      that failed, with the documents as they are now. Of two commits that expect the same version of a key and
      write it, one is `Stale`.
    * What `commit` has returned from (outside `batch`) survives a crash and a power cut.
    * A read sees every commit that returned before the read began, and never half a commit of one document.
      Which documents stand in a list may be seen a moment later (a GSI follows its table); what they say is current.
    """

    def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
        """The documents under `keys`; a key without a document is left out."""
        ...

    def read_ranges(self, ranges: Sequence[Range]) -> list[list[Doc]]:
        """For each range its documents, in the order of their sort keys."""
        ...

    def list(
        self,
        name: ListName,
        part: str,
        *,
        first: str = "",
        last: str = "\U0010ffff",
        after: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Page:
        """Up to `limit` documents that stand in the list under `part`, by place, within `first..last` (included).

        To go on, ask again with the page's `after`, which names the place that was the last one.
        """
        ...

    def stamps(self, parts: Sequence[str]) -> Sequence[int] | None:
        """For each part a number that is another one as soon as any of its documents has changed, so that what was made
        of them can be used again; None when the store cannot say, and the documents must be asked.

        Take them before you read what you make something of. A stamp says nothing to another store, nor later than now.
        """
        ...

    def walk(self, prefix: str = "") -> Iterator[Doc]:
        """Every document whose part begins with `prefix`, once, in the store's own order, in constant memory.

        What changes while one walks may be seen before or after its change.
        """
        ...

    def commit(self, change: Change) -> None:
        """Do the change.

        Raises:
            Stale: an expectation does not hold; nothing was done.
        """
        ...

    def batch(self) -> AbstractContextManager[None]:
        """Within, commits of this thread may be made together, and be durable only when it is left.

        Reads see what others had committed before the batch began, and all that was done in it.

        Entering may raise `Unreachable` before anything was done, and `Busy` where only one may write at a time.
        Leaving may raise `Unreachable`: then none of the batch's commits was done, and no answer that rests on them,
        reads included, may be given.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; the store is of no use afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, rendered and addressed, ready for a sender. `id` stays the same however often it is sent.

    `sender` is the name that it comes from, `secret` the one that a webhook is signed with. `private` is what stands in
    its text for its reader alone, such as a link's token: nobody else is shown it once the letter has left.
    """

    id: str
    channel: str
    to: str
    subject: str
    text: str
    html: str = ""
    sender: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    private: str = field(default="", repr=False)


class Sender(Protocol):
    """A way for messages to leave. The same `id` may come twice after a crash: it goes along for peers to tell."""

    async def send(self, letter: Letter) -> str:
        """Hand the letter over; returns what the peer said, for the log.

        Raises:
            Unreachable: it may work later (no connection, a 4xx of SMTP, a 5xx or 429 of HTTP).
            Undeliverable: it never will (a 5xx of SMTP for this letter, any other 4xx of HTTP).
        """
        ...


class Alarms(Protocol):
    """Wake-up calls from outside, one for each key at most. A late, lost or doubled one does no harm: what is due is
    decided by the documents, and a sweep is the net."""

    def set(self, key: Key, due: Instant) -> None:
        """Have the key's document attended to at `due`, in place of any earlier call. Raises `Unreachable`."""
        ...

    def clear(self, key: Key) -> None:
        """Call no more for the key. Raises `Unreachable`."""
        ...

    def ring(self, keys: Sequence[Key]) -> None:
        """Have the documents attended to now. Raises `Unreachable`."""
        ...


class Clock(Protocol):
    """The time."""

    def __call__(self) -> Instant:
        """Whole seconds since 1970-01-01T00:00Z."""
        ...
