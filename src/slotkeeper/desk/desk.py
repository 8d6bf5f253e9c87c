"""What every task at the desk works with."""

from collections.abc import Callable

import msgspec

from slotkeeper.contracts import Clock, Store
from slotkeeper.core.appointment import Endpoint
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.memory import Memory


class Desk(msgspec.Struct, frozen=True):
    """A store, the time, and random ids of at least 122 bits behind a prefix (`new_id("apt")` -> `apt_...`).

    `endpoints` are told of the events of every business, beside each one's own webhooks. `memory` holds what was made
    of the store's documents.
    """

    store: Store
    clock: Clock
    new_id: Callable[[str], str]
    endpoints: tuple[Endpoint, ...] = ()
    memory: Memory = msgspec.field(default_factory=Memory)

    def now(self) -> Instant:
        return self.clock()
