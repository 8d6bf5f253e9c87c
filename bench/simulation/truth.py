"""What the service must be like after every step: it is told of each commit, each letter and each answer, and judges.

It shares no code with the service but the form of keys: documents are read as plain JSON.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from bench.simulation.claims import Claims, Wrong
from bench.simulation.owed import Messages
from bench.simulation.visits import Visit, Visits
from bench.simulation.world import World
from slotkeeper.contracts import Change, Key, Put, Store
from slotkeeper.doctor import examine
from slotkeeper.stores.sqlite import SqliteStore


class Truth:
    """An account of one business, kept by watching."""

    def __init__(self, world: World, business: str) -> None:
        self.world = world
        self.claims = Claims()
        self.messages = Messages()
        self.visits = Visits(business, self.claims, self.messages)
        self.commits = 0
        self._docs: dict[Key, tuple[int, bytes]] = {}

    def committed(self, change: Change) -> None:
        """Take note of a commit that the store has done."""
        with self._judging():
            self._committed(change)

    def arrived(self, letter_id: str) -> None:
        """Take note of a letter at its reader's."""
        with self._judging():
            self.messages.arrive(letter_id, self._now())

    def failed(self, letter_id: str, *, for_good: bool = False, is_unheard: bool = False) -> None:
        """Take note that a courier was told that a letter did not arrive; `is_unheard`: it did."""
        self.messages.fail(letter_id, self._now(), for_good=for_good, is_unheard=is_unheard)

    def check_due(self) -> None:
        """See that every message has come in time."""
        with self._judging():
            self.messages.check_due(self._now())

    def trouble(self) -> None:
        """Something failed, or somebody was killed."""
        self.messages.trouble(self._now())

    def _now(self) -> float:
        return self.world.began + self.world.now

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Whoever is at work when a promise breaks could catch what is raised: the world stops instead."""
        try:
            yield
        except Wrong as wrong:
            self.world.fail(wrong)

    def _committed(self, change: Change) -> None:
        self.commits += 1
        for key, version in change.expects.items():
            known = self._docs.get(key)
            if (known[0] if known else 0) != version:
                raise Wrong(f"{'/'.join(key)} was written as version {version + 1} after {known and known[0]}")
        kinds: dict[str, list[Put]] = {}
        for put in change.puts:
            self._docs[put.key] = (change.expects[put.key] + 1, put.body)
            kinds.setdefault(put.key.part.split("/", 2)[1], []).append(put)
        for key in change.deletes:
            self._docs.pop(key, None)
        self._judge(change, kinds)

    def acknowledged(self, ticket: str, id: str, start: int) -> Visit:
        """A request was answered with an appointment: it must be there, be the one of this request, and say so."""
        visit = self.visits.by_id.get(id)
        if visit is None:
            raise Wrong(f"{ticket} was told of {id}, and there is no such appointment")
        if visit.ticket != ticket:
            raise Wrong(f"{ticket} was told of {id}, which is that of {visit.ticket}")
        if visit.events[0]["start"] != start:
            raise Wrong(f"{ticket} was told that {id} starts at {start}: it was {visit.events[0]['start']}")
        return visit

    def check_refused(self, ticket: str) -> None:
        """A request was refused: it must have left nothing."""
        if ticket in self.visits.by_ticket:
            raise Wrong(f"{ticket} was refused, and made {self.visits.by_ticket[ticket].id}")

    def check_happened(self, id: str, revision: int, **facts: object) -> None:
        """A change was acknowledged: by that revision an event with these facts must have happened."""
        visit = self.visits.by_id.get(id)
        events = [] if visit is None else visit.events[:revision]
        if not any(all(event.get(name) == fact for name, fact in facts.items()) for event in events):
            raise Wrong(f"{id} was said to be changed to {facts}, and was not")

    def sweep(self, store: Store) -> int:
        """Look at everything: the store holds what was committed and nothing else, and the doctor has no complaint.
        Gives the number of documents. Raises `Wrong`."""
        seen = 0
        for doc in store.walk():
            seen += 1
            if self._docs.get(doc.key) != (doc.version, doc.body):
                raise Wrong(f"{'/'.join(doc.key)} is not as it was committed")
        if seen != len(self._docs):
            raise Wrong(f"{len(self._docs) - seen} documents that were committed are lost")
        self.claims.check_all(self.world.clock())
        complaints = examine(store, self.world.clock()).complaints
        if isinstance(store, SqliteStore):
            complaints += list(store.problems())
        if complaints:
            raise Wrong(complaints[0])
        return seen

    def check_over(self) -> None:
        """Raises `Wrong` unless all that any visit owed is done: for the end of all things."""
        for visit in self.visits.by_id.values():
            self.visits.check_over(visit)

    def let_go(self, visits: Iterable[Visit], first_day: str) -> list[Key]:
        """Judge visits that are over for the last time and drop them, with the sheets of the days before the first to
        keep; gives the keys of all documents that go. Raises `Wrong`."""
        keys = self.claims.sheets_before(first_day)
        self.claims.forget(keys)
        for visit in visits:
            self.visits.check_over(visit)
            keys += self.visits.documents(visit)
            self.visits.forget(visit)
        for key in keys:
            self._docs.pop(key, None)
        return keys

    def _judge(self, change: Change, kinds: dict[str, list[Put]]) -> None:
        now, exact = self.world.clock(), self._now()
        owners, visits = set[str](), list[str]()
        for put in kinds.get("appointment", ()):
            said = msgspec.json.decode(put.body)
            self.visits.written(said, exact)
            owners.add(said["id"])
            visits.append(said["id"])
        for put in kinds.get("hold", ()):
            said = msgspec.json.decode(put.body)
            self.visits.held(said)
            owners.add(said["id"])
        for key in change.deletes:
            if key.sort == "hold":
                owner = key.part.rsplit("/", 1)[1]
                self.claims.owe(owner, {})
                owners.add(owner)
        for put in (*kinds.get("sheet", ()), *kinds.get("tally", ())):
            owners.update(self.claims.written(put.key, put.body, now))
        for put in kinds.get("event", ()):
            self.visits.published(int(put.key.sort), msgspec.json.decode(put.body))
        for put in kinds.get("eventCount", ()):
            self.visits.counted(msgspec.json.decode(put.body))
        self.claims.check(owners, now)
        self.visits.check_published(visits)
