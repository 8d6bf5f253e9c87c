"""Reading, deciding and committing: the one way in which Slotkeeper changes anything.

`settle` reads, lets a decision be made from what was read, and commits it on condition that it has not changed since;
when it has, it decides again. Claims are written into sheets here and nowhere else.
"""

import random
import time
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import msgspec

from slotkeeper.contracts import Change, Doc, Key, Put, Range, Stale, Store
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Invalid, Unreachable
from slotkeeper.core.sheet import Claim, Sheet, removed
from slotkeeper.core.ticks import Day, Instant, day_key, day_of
from slotkeeper.documents import (
    Hold,
    appointment_put,
    body_with,
    decoded,
    encoded,
    hold_key,
    sheet_key,
    sheet_of,
    sheet_part,
)

T = TypeVar("T")
R = TypeVar("R")

ATTEMPTS = 40
CALM_ATTEMPTS = 2
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.01, 0.3
DAYS_ASKED_FOR, DAYS_REMEMBERED = 2, 10


class Reading:
    """What one decision has looked at: each document once, with the version that the commit will insist on."""

    def __init__(self, store: Store, known: dict[Key, Doc | None] | None = None, *, is_deciding: bool = False) -> None:
        """`is_deciding`: a commit will rest on it, so every sheet that is judged is remembered, however many."""
        self.store = store
        self.is_deciding = is_deciding
        self._docs: dict[Key, Doc | None] = dict(known or {})
        self._claimed: set[Key] = set()

    def looking(self) -> "Reading":
        """The same, for only looking further: no commit will rest on it."""
        return Reading(self.store, self._docs)

    def fetch(self, keys: Iterable[Key]) -> None:
        """Read what has not been read yet, in one go."""
        docs = self._docs
        unread = [key for key in keys if key not in docs]
        if unread:
            missing: dict[Key, Doc | None] = dict.fromkeys(unread)
            docs.update(missing | self.store.read(list(missing)))

    def doc(self, key: Key) -> Doc | None:
        if key not in self._docs:
            self.fetch([key])
        return self._docs[key]

    def value(self, key: Key, kind: type[T]) -> T | None:
        """The document's value, or None where there is none."""
        doc = self.doc(key)
        return None if doc is None else decoded(doc, kind)

    def sheet(self, key: Key) -> Sheet:
        return sheet_of(self.sheet_doc(key))

    def sheet_doc(self, key: Key) -> Doc | None:
        self._claimed.add(key)
        return self.doc(key)

    def sheets(self, business: str, calendars: Sequence[str], first: Day, count: int) -> list[list[Sheet]]:
        """For each calendar its sheets of `count` days, without the days that have none.

        One store read, however many days. What a commit may rest on is remembered: it must insist on the very sheets
        that were judged. Only who just looks over many days forgets them.
        """
        return [[sheet_of(doc) for doc in docs] for docs in self.sheet_docs(business, calendars, first, count)]

    def sheet_docs(self, business: str, calendars: Sequence[str], first: Day, count: int) -> Sequence[Sequence[Doc]]:
        """The documents of these sheets."""
        days = [day_key(Day(first + number)) for number in range(count)]
        parts = [sheet_part(business, calendar) for calendar in calendars]
        if self.forgets(count):
            return self.store.read_ranges([Range(part, days[0], days[-1]) for part in parts])
        keys = [[Key(part, day) for day in days] for part in parts]
        self._remember(keys, count)
        docs = self._docs
        return [[doc for key in each if (doc := docs[key]) is not None] for each in keys]

    def forgets(self, days: int) -> bool:
        """Whether so many days are too many to remember. Whoever decides forgets none of what was judged."""
        return days > DAYS_REMEMBERED and not self.is_deciding

    def _remember(self, calendars: Sequence[Sequence[Key]], days: int) -> None:
        """Read each calendar's days: one by one, or from a few on as a range, where days without a sheet cost nothing
        (DynamoDB charges for a missing item as for one that is there)."""
        if days > DAYS_ASKED_FOR:
            unread = [keys for keys in calendars if not all(key in self._docs for key in keys)]
            ranges = [Range(keys[0].part, keys[0].sort, keys[-1].sort) for keys in unread]
            for keys, docs in zip(unread, self.store.read_ranges(ranges) if ranges else (), strict=True):
                found = {doc.key: doc for doc in docs}
                self._docs = {key: found.get(key) for key in keys} | self._docs
        flat = list(chain.from_iterable(calendars))
        self.fetch(flat)
        self._claimed.update(flat)

    def stretch(self, part: str, sorts: Sequence[str]) -> list[Sheet]:
        """The sheets of one part under ascending sort keys, in one store read, however many. For looking only: they
        are not remembered, so no commit insists on them."""
        [docs] = self.store.read_ranges([Range(part, sorts[0], sorts[-1])])
        found = {doc.key.sort: sheet_of(doc) for doc in docs}
        return [found.get(sort, ()) for sort in sorts]

    def version(self, key: Key) -> int:
        return self.versions([key])[key]

    def versions(self, keys: Collection[Key]) -> dict[Key, int]:
        """The version of each document, 0 where there is none."""
        self.fetch(keys)
        docs = self._docs
        return {key: 0 if (doc := docs[key]) is None else doc.version for key in keys}

    def lasting(self, written: Container[Key]) -> dict[Key, Doc | None]:
        """What was read and may serve another decision: neither to be written nor full of claims, as the catalogue."""
        return {key: doc for key, doc in self._docs.items() if key not in written and key not in self._claimed}


class Draft(msgspec.Struct):
    """A change in the making. Whatever is written is expected to be as the reading saw it."""

    reading: Reading
    puts: dict[Key, Put] = msgspec.field(default_factory=dict)
    deletes: set[Key] = msgspec.field(default_factory=set)

    def put(self, put: Put) -> None:
        self.puts[put.key] = put

    def delete(self, key: Key) -> None:
        self.deletes.add(key)

    def claim(self, keys: Iterable[Key], claim: Claim, now: Instant) -> None:
        """Enter the claim in each sheet, in place of any that its owner has there."""
        for key in keys:
            self.put(Put(key, body_with(self._sheet_doc(key), claim, now)))

    def release(self, keys: Iterable[Key], owner: str) -> None:
        """Take the owner's claims out of each sheet.

        Also where there is none: the sheet may have been read before the claim came there, and the owner after. The
        commit must insist on it, or the claim would stay for ever.
        """
        for key in keys:
            self.put(Put(key, encoded(removed(sheet_of(self._sheet_doc(key)), owner))))

    def change(self) -> Change:
        """The change as the store wants it.

        Raises:
            Invalid: it would touch more documents than one commit may.
        """
        keys = self.puts.keys() | self.deletes
        if len(keys) > Change.LIMIT:
            raise Invalid(
                f"this would claim {len(keys)} days and resources, one commit may touch {Change.LIMIT}: "
                "use a shorter time or fewer resources"
            )
        return Change(self.reading.versions(keys), list(self.puts.values()), list(self.deletes))

    def _sheet_doc(self, key: Key) -> Doc | None:
        """The sheet's document as the draft has it."""
        return Doc(key, 0, self.puts[key].body) if key in self.puts else self.reading.sheet_doc(key)


def sheet_keys(business: str, calendars: Iterable[str], start: Instant, end: Instant) -> list[Key]:
    """The sheets of every UTC day that the half-open span touches, for each calendar."""
    days = range(day_of(start), day_of(Instant(end - 1)) + 1)
    return [sheet_key(business, calendar, Day(day)) for calendar in calendars for day in days]


def claim_keys(business: str, appointment: Appointment) -> list[Key]:
    """Every document in which a claiming appointment has its claim: sheets and tallies."""
    sheets = sheet_keys(business, appointment.calendars, appointment.claim_start, appointment.claim_end)
    return sheets + [Key(*tally) for tally in appointment.tallies]


def enter(draft: Draft, business: str, appointment: Appointment, now: Instant) -> None:
    """Write the appointment and its claims."""
    claim = Claim(appointment.id, appointment.claim_start, appointment.claim_end, appointment.expires)
    draft.claim(claim_keys(business, appointment), claim, now)
    draft.put(appointment_put(business, appointment))


def leave(draft: Draft, business: str, before: Appointment) -> None:
    """Take out the claims that the appointment had before it changed."""
    draft.release(claim_keys(business, before), before.id)


def hold_keys(business: str, hold: Hold) -> list[Key]:
    """Every document in which a hold has its claim."""
    sheets = sheet_keys(business, hold.resource_ids, hold.claim_start, hold.claim_end)
    return sheets + [Key(*tally) for tally in hold.tallies]


def let_go(draft: Draft, business: str, hold: Hold) -> None:
    """Take away a hold and its claims."""
    draft.release(hold_keys(business, hold), hold.id)
    draft.delete(hold_key(business, hold.id))


def settle(store: Store, decide: Callable[[Reading, Draft], R], seen: Mapping[Key, Doc | None] | None = None) -> R:
    """Let `decide` read and draft until its draft is committed, and return its answer.

    `decide` may be called many times and must do nothing but read and draft. An empty draft is not committed.
    What was `seen` just before is not read again at first: the commit tells whether it is so still.

    Raises:
        Unreachable: others kept changing what was read; nothing was done.
        Whatever `decide` raises: nothing was done.
    """
    known = dict(seen or {})
    for attempt in range(ATTEMPTS):
        reading = Reading(store, known, is_deciding=True)
        draft = Draft(reading)
        answer = decide(reading, draft)
        change = draft.change()
        if not change.puts and not change.deletes:
            return answer
        try:
            store.commit(change)
        except Stale as stale:
            known = reading.lasting(change.expects)
            if attempt < CALM_ATTEMPTS:
                known |= stale.docs
            else:
                # A crowd: what was shown is old when the pause is over, so it is read again after it.
                _pause(attempt - CALM_ATTEMPTS)
        else:
            return answer
    raise Unreachable(f"others kept winning for {ATTEMPTS} attempts; nothing was changed")


def _pause(number: int) -> None:
    """Rivals that lost together must not come back together: full jitter, over twice the time with each pause."""
    longest = min(FIRST_PAUSE_SECONDS * 2**number, LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret, only jitter
