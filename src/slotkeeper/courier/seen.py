"""What the courier has seen of appointments: what did not change since is neither read nor decoded a second time."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from slotkeeper.contracts import Doc, Key, Store
from slotkeeper.core.appointment import Appointment
from slotkeeper.documents import appointment_put, business_of, decoded
from slotkeeper.ledger import Draft, Reading, settle

KEPT = 1000

R = TypeVar("R")
Rewrite = Callable[[Reading, Draft, Appointment], tuple[Appointment, R]]
"""What becomes of an appointment, and an answer; whatever else is to be written with it is drafted."""


class Seen:
    """The last `KEPT` appointments that were read or written. A commit insists that they are in the store as they were
    seen, so one that changed meanwhile costs a second try, and no more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[Key, tuple[Doc, Appointment]] = {}

    def appointment(self, doc: Doc) -> Appointment:
        """The document's appointment. Raises what decoding does where it is damaged."""
        kept = self._kept.get(doc.key)
        appointment = kept[1] if kept is not None and kept[0].body == doc.body else decoded(doc, Appointment)
        self._keep(doc, appointment)
        return appointment

    def again(self, key: Key) -> Appointment | None:
        """The appointment as it stands in the store at this very moment.

        Raises:
            Unreachable: the store cannot say.
        """
        doc = self._store.read([key]).get(key)
        return None if doc is None else self.appointment(doc)

    def rewrite(self, key: Key, change: Rewrite[R], known: Mapping[Key, None] | None = None) -> R | None:
        """Commit what `change` makes of the appointment; returns its answer, or None where there is no appointment.
        `known` are keys under which there should be nothing yet. Raises as `settle`, and what `change` raises."""

        def decide(reading: Reading, draft: Draft) -> tuple[R, Doc, Appointment] | None:
            doc = reading.doc(key)
            if doc is None:
                return None
            before = self.appointment(doc)
            after, answer = change(reading, draft, before)
            if after != before:
                put = appointment_put(business_of(key), after)
                draft.put(put)
                doc = Doc(key, doc.version + 1, put.body)
            return answer, doc, after

        kept = self._kept.get(key)
        done = settle(self._store, decide, {**(known or {}), **({} if kept is None else {key: kept[0]})})
        if done is None:
            return None
        answer, doc, after = done
        self._keep(doc, after)
        return answer

    def forget(self) -> None:
        """What was written in a batch that failed was never there."""
        self._kept.clear()

    def _keep(self, doc: Doc, appointment: Appointment) -> None:
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[doc.key] = doc, appointment
