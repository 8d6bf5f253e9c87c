"""Builds that are broken on purpose, each against one promise: a simulator that passes one of them proves nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from bench.simulation.memory import MemoryStore
from slotkeeper.contracts import Change, Doc, Key, Letter, Stale, Store
from slotkeeper.core.actor import Actor
from slotkeeper.core.appointment import Appointment
from slotkeeper.courier.courier import Courier
from slotkeeper.courier.noting import Outcome
from slotkeeper.desk import changing
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Id
from slotkeeper.documents import appointment_key, decoded
from slotkeeper.ledger import Draft, Reading, leave, settle
from slotkeeper.stores.sqlite import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is put to the test: the stores, the courier, and what is replaced within the service, by its dotted name.

    `shape` is that in which the fault can show; empty: any.
    """

    name: str
    shape: str = ""
    memory: Callable[[], Store] = MemoryStore
    on_file: type[SqliteStore] = SqliteStore
    courier: type[Courier] = Courier
    replaced: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def built(self) -> Iterator[None]:
        """Until the block ends, the service is this build."""
        patches = [mock.patch(name, new) for name, new in self.replaced.items()]
        try:
            for patch in patches:
                patch.start()
            yield
        finally:
            mock.patch.stopall()


GOOD = Build(name="the service as it is")


class Overwrites(MemoryStore):
    """It writes what was decided, whatever has changed since it was read."""

    def commit(self, change: Change) -> None:
        try:
            super().commit(change)
        except Stale as stale:
            now = {key: 0 if doc is None else doc.version for key, doc in stale.docs.items()}
            super().commit(Change({**change.expects, **now}, change.puts, change.deletes))


class WritesOneByOne(MemoryStore):
    """A loser leaves half of what it wanted behind."""

    def commit(self, change: Change) -> None:
        for put in change.puts:
            super().commit(Change({put.key: change.expects[put.key]}, [put]))
        for key in change.deletes:
            super().commit(Change({key: change.expects[key]}, [], [key]))


class LosesBatches(SqliteStore):
    """It says of each sixteenth batch that it is kept, and drops it."""

    _batches = 0

    def _commit(self) -> None:
        self._batches += self._batch_thread is not None
        if self._batch_thread is None or self._batches % 16:
            super()._commit()
        else:
            self._rows.forget()


class NotesFirst(Courier):
    """It notes the message as sent, and sends it then."""

    async def _send(self, job: Any, letter: Letter) -> Outcome:
        self._note([Outcome(job, "sent", "", letter)])
        return await super()._send(job, letter)


class NeverLooksAgain(Courier):
    """It trusts what it claimed, whatever happened to the appointment while the letter waited for its turn."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named | {"turn_seconds": None})
        self._trusted: dict[Key, Doc] = {}

    def _take(self, docs: Sequence[Doc]) -> Any:
        counts, jobs = super()._take(docs)
        keys = [appointment_key(job.business, job.appointment_id) for job in jobs]
        self._trusted |= self._store.read(keys)
        return counts, jobs

    def _look_again(self, job: Any, catalogue: Any) -> Any:
        appointment = decoded(self._trusted[appointment_key(job.business, job.appointment_id)], Appointment)
        return Letter(job.message.id, job.message.channel, appointment.contact.email or "nobody@example.com", "", "")


class ForgetsToNote(Courier):
    """It sends, and does not write down that it has."""

    def _note(self, outcomes: Any) -> None:
        super()._note(outcome for outcome in outcomes if outcome.result != "sent")


def _lets_go_first(desk: Desk, actor: Actor, move: changing.Move) -> Appointment:
    """A move that gives the old time up before it has won the new one."""

    def decide(reading: Reading, draft: Draft) -> None:
        leave(draft, actor.business, changing.find(reading, actor, move.id))

    settle(desk.store, decide)
    return _move(desk, actor, move)


def _forgets_the_key(prefix: str, actor: Actor, request_key: str, new_id: Callable[[str], str]) -> Id:
    """Every request makes an appointment of its own, also one that comes again."""
    return Id(new_id(prefix), False)


def _leaves_reminders(messages: Any, why: str) -> Any:
    """Reminders stay owed, whatever happens to the appointment."""
    return tuple(messages)


def _answers_all_the_same(self: Any, group: Any) -> Any:
    """It has its answers ready before they are durable, and gives them whatever becomes of the batch."""
    answers: list[Any] = []
    try:
        with self._store.batch():
            answers += [waiting.task() for waiting in group]
    except Exception:  # noqa: BLE001, S110 - that is what is broken in it
        pass
    return answers


def _never_forgets(self: Any) -> None:
    """Rows that are known stay known, whoever else has written."""
    if self._others == -1:
        self._others = 0


_move = changing.move

BROKEN: tuple[Build, ...] = (
    Build(name="a store that overwrites what others wrote", shape="functions in memory", memory=Overwrites),
    Build(name="a store that commits by halves", shape="functions in memory", memory=WritesOneByOne),
    Build(name="a store that loses batches", shape="a house on a file", on_file=LosesBatches),
    Build(
        name="a store that trusts its memory",
        shape="two houses on a file",
        replaced={"slotkeeper.stores.rows.Rows.refresh": _never_forgets},
    ),
    Build(name="a courier that notes before it sends", courier=NotesFirst),
    Build(name="a courier that never looks again", courier=NeverLooksAgain),
    Build(name="a courier that forgets to note", courier=ForgetsToNote),
    Build(name="claims that never run out", replaced={"slotkeeper.core.reminders.LEASE_SECONDS": 10**8}),
    Build(name="a move that lets go first", replaced={"slotkeeper.desk.changing.move": _lets_go_first}),
    Build(name="a move that leaves its old claim", replaced={"slotkeeper.desk.changing.leave": lambda *_: None}),
    Build(
        name="a cancellation that leaves reminders", replaced={"slotkeeper.core.appointment.void": _leaves_reminders}
    ),
    Build(name="a desk that forgets keys", replaced={"slotkeeper.desk.booking.id_for": _forgets_the_key}),
    Build(name="claims that count for nothing", replaced={"slotkeeper.core.sheet.Claim.is_live": lambda *_: False}),
    Build(
        name="answers before they are durable",
        shape="a house in memory",
        replaced={"slotkeeper.embedded.asgi._Group._answered": _answers_all_the_same},
    ),
)
