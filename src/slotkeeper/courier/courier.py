"""The courier: takes what is due, sends it, and notes what became of it, so that a crash at any point loses nothing.

A message is claimed by its appointment's version before it is sent, for as long as a lease. Who crashes leaves the
claim behind, and another takes it over when the lease has run out. Between sending and noting lies the one gap in
which a crash makes a message go out twice; its id is the same then.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from itertools import groupby, repeat

import msgspec

from slotkeeper.contracts import Clock, Doc, Key, Letter, Sender, Store
from slotkeeper.core.appointment import Appointment, Endpoint
from slotkeeper.core.errors import Invalid, Missing, Undeliverable, Unreachable, WrongState
from slotkeeper.core.reminders import LEASE_SECONDS
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.claiming import Job, Taken, expire, is_expired, take_appointment, take_hold
from slotkeeper.courier.gates import AT_ONCE, Gates, Peer, peer_of
from slotkeeper.courier.gathering import Gathered
from slotkeeper.courier.log import TOO_LATE, message_of, no_longer, replay
from slotkeeper.courier.noting import Outcome, is_ours, note
from slotkeeper.courier.seen import Seen
from slotkeeper.courier.telling import Catalogue, Gone, Render, letter_for
from slotkeeper.documents import Hold, appointment_key, attention, decoded, kind_key
from slotkeeper.notices.rendering import render as our_words

DUE = "due"
DUE_DIGITS = 12
LATE_SECONDS = 300
HIDDEN = "..."
MOST_GIVEN_UP = 1000
TURN_SECONDS, PUT_OFF_SECONDS = 5.0, 10
"""For a home whose sweeps go on side by side: what waits for a slow peer must not keep them from ending."""
SEND_SECONDS = LEASE_SECONDS // 2
"""A try may take so long, and none begins later than so long before its lease ends: no try outlives its claim."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep did, in numbers. `seen` documents were due; when that is the limit, more may be.

    The `reminders` among its messages are counted also by themselves; `reminders_late` of those sent were so by more
    than `LATE_SECONDS`.
    """

    seen: int = 0
    holds: int = 0
    expired: int = 0
    published: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0
    void: int = 0
    untried: int = 0
    damaged: int = 0
    reminders: int = 0
    reminders_sent: int = 0
    reminders_late: int = 0
    reminders_failed: int = 0

    def __add__(self, other: "Swept") -> "Swept":
        """What both did together."""
        return Swept(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})

    @property
    def did_something(self) -> bool:
        """Whether anything changed by it. Documents that are due and do not change must not keep anyone busy."""
        return bool(self.holds or self.expired or self.published or self.sent or self.failed or self.dead or self.void)


class Courier:
    """Delivers for all businesses of a store. Any number may work on one store at the same time.

    Store calls block, so sweeps want an event loop of their own; there, several may be under way. A channel without a
    sender goes to the `outbox`.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        senders: Mapping[str, Sender],
        outbox: Sender,
        render: Render = our_words,
        *,
        at_once: int = AT_ONCE,
        turn_seconds: float | None = None,
        endpoints: Sequence[Endpoint] = (),
        base_url: str = "",
    ) -> None:
        """What does not come to its turn within `turn_seconds` of a sweep is put off. `endpoints` are those of the
        home's desk: what the courier itself does to appointments is told there too. `base_url` is where our pages are,
        for the links in messages; without one there are none."""
        self._store = store
        self._clock = clock
        self._senders = dict(senders)
        self._outbox = outbox
        self._render = render
        self._gates = Gates(at_once)
        self._turn_seconds = turn_seconds
        self._endpoints = tuple(endpoints)
        self._base_url = base_url.rstrip("/")
        self._unnoted: list[Outcome] = []
        self._given_up: dict[str, Job] = {}
        self._seen = Seen(store)

    def next_due(self) -> Instant | None:
        """When the first thing is due, past or to come; None when nothing is.

        Raises:
            Unreachable: the store cannot say.
        """
        after: str | None = None
        while True:
            page = self._store.list("due", DUE, after=after, limit=1)
            for doc in page.docs:
                with suppress(msgspec.MsgspecError):  # a damaged one is passed over, as by a sweep
                    return _due_of(doc)
            if page.after is None:
                return None
            after = page.after

    async def sweep(self, limit: int = 200) -> Swept:
        """Do up to `limit` documents' worth of what is due now. Senders' failures are noted, not raised.

        Where nothing can be done for a whole stretch of documents it goes on with the next, so that damaged ones at the
        head of the list keep nobody waiting.

        Raises:
            Unreachable: the store failed; what was claimed is taken over when its lease has run out.
        """
        self._take_up_again()
        until = f"{self._clock():0{DUE_DIGITS}d}/\U0010ffff"
        swept, after = Swept(), None
        while True:
            page = self._store.list("due", DUE, last=until, after=after, limit=limit)
            swept += await self._attend(page.docs)
            after = page.after
            if after is None or swept.did_something:
                return swept

    def _give_up(self, job: Job) -> None:
        self._given_up[job.message.id] = job
        if len(self._given_up) > MOST_GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]

    def _take_up_again(self) -> None:
        """Owe those reminders again that came too late by a clock that has been set back since."""
        now = self._clock()
        for id, job in [each for each in self._given_up.items() if each[1].message.about > now]:
            with suppress(Missing, WrongState):
                replay(self._store, job.business, id, now)
            del self._given_up[id]

    async def attend(self, keys: Sequence[Key]) -> Swept:
        """Do what is due now for the documents under `keys`; those that are gone, or not due, are passed over.

        Raises:
            Unreachable: as `sweep`.
        """
        return await self._attend(list(self._store.read(keys).values()))

    async def _attend(self, docs: Sequence[Doc]) -> Swept:
        if self._unnoted:
            self._note([])
        counts, jobs = self._take(docs)
        if jobs:
            counts.update(await self._deliver(jobs))
        return Swept(**counts)

    def _take(self, docs: Sequence[Doc]) -> tuple[Counter[str], list[Job]]:
        """Take what is due of the documents in one batch: the claims are durable before anything is sent."""
        now = self._clock()
        counts, jobs = Counter(seen=len(docs)), list[Job]()
        if not docs:
            return counts, jobs
        with self._batch():
            for doc in docs:
                for taken in self._take_one(doc, now, counts):
                    counts["holds"] += taken.holds
                    counts["expired"] += taken.expired
                    counts["published"] += taken.published
                    jobs += taken.jobs
        return counts, jobs

    def _take_one(self, doc: Doc, now: Instant, counts: Counter[str]) -> Iterable[Taken]:
        """One document that is damaged, or as large as can be, must not keep all others from being delivered."""
        try:
            if doc.key.sort == "hold":
                return [take_hold(self._store, doc.key, now)]
            is_over = is_expired(self._seen.appointment(doc), now)
            first = [expire(self._seen, doc.key, now, self._endpoints)] if is_over else []
            return [*first, take_appointment(self._seen, doc.key, now)]
        except (msgspec.MsgspecError, Invalid):
            _log.exception("%s cannot be attended to and was passed over", "/".join(doc.key))
            counts["damaged"] += 1
            return []

    async def _deliver(self, jobs: Sequence[Job]) -> Counter[str]:
        """Send what was claimed. What was sent is noted a few at a time, so a crash makes few go out twice; what was
        done by the time something stops us is noted all the same."""
        catalogue = Catalogue(self._store, self._base_url)
        catalogue.fetch(kind_key(job.business, "customer", job.customer_id) for job in jobs if job.customer_id)
        counts = Counter(reminders=sum(job.message.kind == "reminder" for job in jobs))
        gathered = Gathered(self._clock, self._note)

        turn = self._turn_seconds
        until = None if turn is None else asyncio.get_running_loop().time() + turn

        async def send(peer: Peer, waiting: Iterator[Job]) -> None:
            async with self._gates.place(peer, until) as place:
                for job in waiting:
                    outcome = await self._try(job, catalogue) if place.may_begin else _put_off(job)
                    now = self._clock()
                    if outcome is not None:
                        counts.update(_counted(outcome, now))
                        if outcome.answer == TOO_LATE:
                            self._give_up(job)
                        gathered.add(outcome)
                    gathered.note_in_turn(now)

        senders = []
        for peer, mine in groupby(sorted(jobs, key=peer_of), peer_of):
            waiting = list(mine)
            senders += [send(peer, each) for each in repeat(iter(waiting), min(self._gates.places(peer), len(waiting)))]
        keeper = asyncio.create_task(gathered.note_in_time())
        try:
            ends = await asyncio.gather(*senders, return_exceptions=True)
        finally:
            keeper.cancel()
            gathered.note_all()
        for end in ends:
            if end is not None:
                raise end
        return counts

    async def _try(self, job: Job, catalogue: Catalogue) -> Outcome | None:
        """Try one message; None when it is not ours any more."""
        ready = self._look_again(job, catalogue)
        return await self._send(job, ready) if isinstance(ready, Letter) else ready

    def _look_again(self, job: Job, catalogue: Catalogue) -> Letter | Outcome | None:
        """The letter to send, from the appointment as it is at this very moment; nothing is awaited in between."""
        now, appointment = self._clock(), self._seen.again(appointment_key(job.business, job.appointment_id))
        message = message_of(appointment, job.message.id)
        if appointment is None or message is None or not is_ours(message, job):
            return None
        if message.due - now <= SEND_SECONDS:  # the clock tells whole seconds: it may be nearly one later already
            return Outcome(job, "untried")
        if message.kind == "reminder" and (why := no_longer(appointment, message, now)):
            return Outcome(job, "dead" if why == TOO_LATE else "void", why)
        try:
            leaves = message.channel in self._senders
            return letter_for(catalogue, self._render, job.business, appointment, message, now, has_page=leaves)
        except Gone as gone:
            return Outcome(job, "void", str(gone))
        except (msgspec.MsgspecError, Invalid) as error:
            _log.exception("what %s tells of cannot be read", job.message.id)
            return Outcome(job, "failed", str(error))

    async def _send(self, job: Job, letter: Letter) -> Outcome:
        if letter.channel == "sms" and not letter.to:
            return Outcome(job, "dead", "there is no phone number to send it to", letter)
        sender = self._senders.get(letter.channel, self._outbox) if letter.to else self._outbox
        outcome = await self._outcome(job, letter, sender)
        # What has left is in its reader's hands, and the link in it is nobody else's.
        return replace(outcome, letter=letter if sender is self._outbox else _remembered(letter))

    async def _outcome(self, job: Job, letter: Letter, sender: Sender) -> Outcome:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return Outcome(job, "sent", await sender.send(letter))
        except TimeoutError:
            return Outcome(job, "failed", f"no answer within {SEND_SECONDS} seconds")
        except Undeliverable as error:
            return Outcome(job, "dead", str(error))
        except Unreachable as error:
            return Outcome(job, "failed", str(error), wait_seconds=error.retry_after)
        except OSError as error:
            return Outcome(job, "failed", str(error))
        except Exception as error:  # noqa: BLE001 - one letter that trips a sender must not stop all others
            _log.exception("sending %s failed unexpectedly", letter.id)
            return Outcome(job, "failed", f"{type(error).__name__}: {error}")

    def _note(self, outcomes: Iterable[Outcome]) -> None:
        """Note all in one batch. What the store fails to note is remembered for the next time: only who dies before
        leaves it to the leases, and the messages go again."""
        self._unnoted += outcomes
        if not self._unnoted:
            return
        with self._batch():
            for whose, group in groupby(sorted(self._unnoted, key=_appointment_of), _appointment_of):
                try:
                    note(self._seen, list(group), self._clock())
                except (msgspec.MsgspecError, Invalid):
                    _log.exception("what became of the messages of %s cannot be noted", "/".join(whose))
        self._unnoted.clear()

    @contextmanager
    def _batch(self) -> Iterator[None]:
        """A batch of the store's."""
        try:
            with self._store.batch():
                yield
        except BaseException:
            self._seen.forget()
            raise


def _put_off(job: Job) -> Outcome:
    """Its peer is slow: before it comes to its turn others ought to have theirs."""
    return Outcome(job, "untried", wait_seconds=PUT_OFF_SECONDS)


def _remembered(letter: Letter) -> Letter:
    """The letter without what only its reader may have."""
    return replace(letter, text=letter.text.replace(letter.private, HIDDEN)) if letter.private else letter


def _due_of(doc: Doc) -> Instant | None:
    return decoded(doc, Hold).expires if doc.key.sort == "hold" else attention(decoded(doc, Appointment))


def _counted(outcome: Outcome, now: Instant) -> Iterable[str]:
    """The counts to which an outcome adds one."""
    message = outcome.job.message
    yield outcome.result
    if message.kind != "reminder":
        return
    if outcome.result == "sent":
        yield "reminders_sent"
        if now - message.first_due > LATE_SECONDS:
            yield "reminders_late"
    elif outcome.result in ("failed", "dead"):
        yield "reminders_failed"


def _appointment_of(outcome: Outcome) -> tuple[str, str]:
    return outcome.job.business, outcome.job.appointment_id
