"""What every task at the desk works with."""

from collections.abc import Callable

import msgspec

from slotkeeper.contracts import Clock, Store
from slotkeeper.core.appointment import Endpoint
from slotkeeper.core.ticks import Instant


class Desk(msgspec.Struct, frozen=True):
    """A store, the time, and random ids of at least 122 bits behind a prefix (`new_id("apt")` -> `apt_...`).

    `endpoints` are told of the events of every business, beside each one's own webhooks.
    """

    store: Store
    clock: Clock
    new_id: Callable[[str], str]
    endpoints: tuple[Endpoint, ...] = ()

    def now(self) -> Instant:
        return self.clock()
