"""The DynamoDB store when calls fail: what was done is told as done, what was not as not, and nothing is guessed.

First one lost answer at a time, with a rival at the worst moment; then bookings through a storm of failures.
"""

import json
import random
import re
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from slotkeeper.contracts import Change, Doc, Put, Stale, Store
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Refused, Unreachable
from slotkeeper.desk.booking import book
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Order
from slotkeeper.doctor import examine
from slotkeeper.documents import decoded
from slotkeeper.stores.connection import Connection, Failed
from slotkeeper.stores.dynamodb import DynamoStore
from tests.aws.emulator import Emulator
from tests.aws.storm import Rule, Storm, breaking, conflicting, failing, losing, storming
from tests.aws.tables import a_connection, a_store, a_table
from tests.builders import MONDAY, STAFF, a_clinic, contact, order
from tests.clock import VirtualClock
from tests.contracts.store import A, B, put
from tests.stores.peer import Act, a_peer, failure, forward, hang_up, swallow

pytestmark = pytest.mark.slow

NEW = Change({A: 0}, [Put(A, b"ours")])
AGAIN = Change({A: 1}, [Put(A, b"ours")])
DELETE = Change({A: 1}, deletes=[A])
SEVERAL = Change({A: 1, B: 0}, [Put(A, b"ours"), Put(B, b"ours")])


def writes(version: int) -> Callable[[Store], None]:
    return lambda store: put(store, A, b"rival's", version=version)


def deletes(version: int) -> Callable[[Store], None]:
    return lambda store: store.commit(Change({A: version}, deletes=[A]))


@dataclass(frozen=True)
class Case:
    """A change whose first try is lost, done (`swallow`) or not; before the second a rival acts. Then `outcome` is
    what the caller must be told, and `after` what A must be."""

    change: Change
    lost: Callable[[str], Act]
    rival: Callable[[Store], None] | None
    outcome: str
    after: Doc | None


def done(endpoint: str) -> Act:
    return swallow(endpoint)


def undone(endpoint: str) -> Act:
    return hang_up


def in_progress(endpoint: str) -> Act:
    return failure("TransactionInProgressException")


CASES = {
    "a new one, done": Case(NEW, done, None, "done", Doc(A, 1, b"ours")),
    "a new one, undone": Case(NEW, undone, None, "done", Doc(A, 1, b"ours")),
    "a new one, done, and written on": Case(NEW, done, writes(1), "unreachable", Doc(A, 2, b"rival's")),
    "a new one, undone, and a rival's instead": Case(NEW, undone, writes(0), "stale", Doc(A, 1, b"rival's")),
    "a rewrite, done": Case(AGAIN, done, None, "done", Doc(A, 2, b"ours")),
    "a rewrite, undone, and a rival's instead": Case(AGAIN, undone, writes(1), "stale", Doc(A, 2, b"rival's")),
    "a rewrite, done, and deleted": Case(AGAIN, done, deletes(2), "unreachable", None),
    "a rewrite, undone, and deleted": Case(AGAIN, undone, deletes(1), "unreachable", None),
    "a delete, done": Case(DELETE, done, None, "done", None),
    "a delete, done, and written anew": Case(DELETE, done, writes(0), "done", Doc(A, 1, b"rival's")),
    "a delete, undone, and a rival's instead": Case(DELETE, undone, deletes(1), "stale", None),
    "a delete, undone, and written on": Case(DELETE, undone, writes(1), "stale", Doc(A, 2, b"rival's")),
    "several, done": Case(SEVERAL, done, None, "done", Doc(A, 2, b"ours")),
    "several, done, and written on": Case(SEVERAL, done, writes(2), "done", Doc(A, 3, b"rival's")),
    "several, undone, and written by a rival": Case(SEVERAL, undone, writes(1), "stale", Doc(A, 2, b"rival's")),
    "several, in progress": Case(SEVERAL, in_progress, None, "done", Doc(A, 2, b"ours")),
}


def broken_promise(case: Case, emulator: Emulator, kind: type[Connection] = Connection) -> str:
    """How the store breaks its promise in this case; empty when it keeps it."""
    table = a_table(emulator)
    rival = a_store(emulator, table)
    if case.change.expects[A]:
        put(rival, A, b"before")

    def meanwhile(seconds: float) -> None:
        if case.rival is not None:
            case.rival(rival)

    with a_peer(case.lost(emulator.endpoint), forward(emulator.endpoint)) as peer:
        connection = a_connection(emulator.access, kind, endpoint=peer.endpoint, sleep=meanwhile)
        store = DynamoStore(connection, table)
        told = outcome(store, case.change)
        store.close()
    found = rival.read([A, B])
    rival.close()
    if told != case.outcome:
        return f"told {told}, which is {case.outcome}"
    if found.get(A) != case.after or (B in found) != (case.change is SEVERAL and told == "done"):
        return f"told {told}, and left {found}"
    return ""


def outcome(store: Store, change: Change) -> str:
    try:
        store.commit(change)
    except Stale as stale:
        return "stale" if stale.docs[A] == store.read([A]).get(A) else f"stale, with {stale.docs}"
    except Unreachable:
        return "unreachable"
    return "done"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_became_of_a_commit_is_told_although_its_answer_was_lost(case: Case, emulator: Emulator) -> None:
    assert broken_promise(case, emulator) == ""


class ForgetsItsToken(Connection):
    """Each try of a transaction is another one to DynamoDB."""

    def _tried(self, operation: str, body: bytes, left_seconds: float) -> dict[str, Any]:
        fresh = b'"ClientRequestToken":"%s"' % secrets.token_urlsafe(18).encode()
        return super()._tried(operation, re.sub(rb'"ClientRequestToken":"[^"]*"', fresh, body), left_seconds)


class ForgetsItsDoubt(Connection):
    """A condition that fails always means that a rival was quicker."""

    def call(self, operation: str, payload: Any) -> dict[str, Any]:
        try:
            return super().call(operation, payload)
        except Failed as failed:
            failed.is_doubtful = False
            raise


class TakesDoubtForDone(Connection):
    """A condition that fails at the second try always means that the first was done."""

    def call(self, operation: str, payload: Any) -> dict[str, Any]:
        try:
            return super().call(operation, payload)
        except Failed as failed:
            if failed.is_doubtful:
                return {}
            raise


class WritesBlindlyAtLast(Connection):
    """Without an answer the conditions are let go."""

    def _tried(self, operation: str, body: bytes, left_seconds: float) -> dict[str, Any]:
        return super()._tried(operation, without_conditions(body) if self.retries else body, left_seconds)


def without_conditions(body: bytes) -> bytes:
    def freed(values: dict[str, Any]) -> dict[str, Any]:
        names = ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues")
        return values if "KeyConditionExpression" in values else {k: v for k, v in values.items() if k not in names}

    return json.dumps(json.loads(body, object_hook=freed)).encode()


@pytest.mark.parametrize("kind", [ForgetsItsToken, ForgetsItsDoubt, TakesDoubtForDone, WritesBlindlyAtLast])
def test_a_connection_that_guesses_is_found_out(kind: type[Connection], emulator: Emulator) -> None:
    assert any(broken_promise(case, emulator, kind) for case in CASES.values())


STARTS = [f"2026-11-24T{hour:02}:{minute:02}:00Z" for hour in range(8, 12) for minute in (0, 30)]
STORM = [
    failing("ProvisionedThroughputExceededException", 0.3),
    conflicting(0.2, keys=3),
    losing(0.1),
    breaking(0.05),
    failing("InternalServerError", 0.05, status=500),
]
THREADS, ORDERS, ASKS = 8, 7, 6


@pytest.fixture(scope="module")
def storm(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    with storming(emulator.endpoint, tmp_path_factory.mktemp("storm")) as running:
        yield running


@dataclass
class Rush:
    """Many who book at once: each order is asked for by two, with the same idempotency key."""

    booked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    answers: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)

    def run(self, store: Store) -> None:
        """Book, until all are answered or have given up."""
        desk = Desk(store, VirtualClock(MONDAY), lambda prefix: f"{prefix}_{secrets.token_hex(16)}")
        callers = [threading.Thread(target=self._call, args=(desk, number // 2)) for number in range(THREADS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

    def _call(self, desk: Desk, line: int) -> None:
        chance = random.Random(line)
        for number in range(ORDERS):
            key = f"{line}-{number}"
            wanted = order(
                chance.choice(STARTS),
                service_id=chance.choice(["visit", "exam"]),
                contact=contact(name=key),
                request_key=key,
            )
            for _ in range(ASKS):
                answer = self._ask(desk, key, wanted)
                if answer != "Unreachable":
                    break

    def _ask(self, desk: Desk, key: str, wanted: Order) -> str:
        try:
            booked = book(desk, STAFF, wanted)
        except (Refused, Unreachable) as error:
            answer = "Refused" if isinstance(error, Refused) else "Unreachable"
        except Exception as error:  # noqa: BLE001 - whatever else comes is what the test is about
            answer = "surprise"
            self.surprises.append(f"{type(error).__name__}: {error}")
        else:
            answer = "booked"
            self.booked[key].add(booked.appointment.id)
        self.answers.append(answer)
        return answer

    def complaints(self, store: Store) -> list[str]:
        """What is wrong with what is stored, and with what was answered."""
        found = list(examine(store, VirtualClock(MONDAY)()).complaints) + self.surprises
        page = store.list("start", "clinic", limit=10_000)
        stored = {each.id: each.contact.name for each in (decoded(doc, Appointment) for doc in page.docs)}
        found += [f"{key} has {count} appointments" for key, count in Counter(stored.values()).items() if count > 1]
        found += [
            f"{key} was told {ids}" for key, ids in self.booked.items() if {stored.get(id) for id in ids} != {key}
        ]
        found += [f"{key} was told {ids}" for key, ids in self.booked.items() if len(ids) > 1]
        return found


@contextmanager
def a_rush(
    emulator: Emulator, storm: Storm, kind: type[Connection], rules: Sequence[Rule] = STORM, **others: Any
) -> Iterator[tuple[Rush, DynamoStore, DynamoStore]]:
    """A rush that is over, the store it went to as it is without the storm, and the one that went through it."""
    table = a_table(emulator)
    direct = a_store(emulator, table)
    a_clinic(direct)
    stormy = DynamoStore(a_connection(emulator.access, kind, endpoint=storm.endpoint, **others), table)
    storm.blow(rules)
    rush = Rush()
    try:
        rush.run(stormy)
        yield rush, direct, stormy
    finally:
        storm.blow([])
        stormy.close()
        direct.close()


def test_nobody_is_booked_wrongly_in_a_storm(emulator: Emulator, storm: Storm) -> None:
    with a_rush(emulator, storm, Connection, budget_seconds=0.6) as (rush, direct, stormy):
        fired = storm.fired()

        assert rush.complaints(direct) == []
        assert len(rush.booked) > 9
        assert set(rush.answers) <= {"booked", "Refused", "Unreachable"}
        assert min(fired[name] for name in ("reset", "response:abort", "error:TransactionCanceledException")) > 0
        assert stormy.counts.retries > 100


class TakesTroubleForNothing(Connection):
    """What cannot be read is not there."""

    def call(self, operation: str, payload: Any) -> dict[str, Any]:
        try:
            return super().call(operation, payload)
        except Unreachable:
            return {"Responses": {}, "Items": []}


class WritesBlindly(Connection):
    """No condition is sent along."""

    def _tried(self, operation: str, body: bytes, left_seconds: float) -> dict[str, Any]:
        return super()._tried(operation, without_conditions(body), left_seconds)


@pytest.mark.parametrize(("kind", "rules"), [(TakesTroubleForNothing, STORM), (WritesBlindly, [])])
def test_a_rush_finds_out_who_takes_trouble_for_free_time(
    kind: type[Connection], rules: Sequence[Rule], emulator: Emulator, storm: Storm
) -> None:
    with a_rush(emulator, storm, kind, rules, budget_seconds=0.2) as (rush, direct, _):
        assert rush.complaints(direct)
