"""Homes that are broken on purpose: Python to run in a server before it serves."""

from collections.abc import Sequence
from typing import NamedTuple


class Broken(NamedTuple):
    """What such a home does wrong, and the Python that makes it so."""

    does: str
    code: str


def told(build: Broken, complaints: Sequence[str]) -> str:
    """What was found wrong with it, for a table."""
    return f"{build.does}: {complaints[0] if complaints else 'nothing was found'}"


READS_A_FAILURE_AS_NOTHING = Broken(
    "reads a failure as nothing",
    """
from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.sqlite import SqliteStore
read, read_ranges = SqliteStore.read, SqliteStore.read_ranges
def read_or_nothing(self, keys):
    try:
        return read(self, keys)
    except Unreachable:
        return {}
def ranges_or_nothing(self, ranges):
    try:
        return read_ranges(self, ranges)
    except Unreachable:
        return [[] for _ in ranges]
SqliteStore.read, SqliteStore.read_ranges = read_or_nothing, ranges_or_nothing
""",
)

ANSWERS_WHATEVER_THE_COMMIT_SAYS = Broken(
    "answers whatever the commit says",
    """
from slotkeeper.core.errors import Unreachable
from slotkeeper.embedded import asgi
def answered(self, group):
    responses = []
    try:
        with self._store.batch():
            responses += [waiting.task() for waiting in group]
    except Unreachable as error:
        responses = responses or [self._web.refuse(error, waiting.request) for waiting in group]
    return responses
asgi._Group._answered = answered
""",
)

TELLS_A_FAILURE_AS_OUR_FAULT = Broken(
    "answers 500",
    """
from slotkeeper.core.errors import Unreachable
from slotkeeper.web.problems import TABLE, Kind
TABLE[Unreachable] = Kind(500, "unexpected")
""",
)

NEVER_COMES_BACK = Broken(
    "gives the store up after its first failure",
    """
from contextlib import contextmanager
from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.sqlite import SqliteStore
batch = SqliteStore.batch
@contextmanager
def once_bitten(self):
    if getattr(self, "gave_up", False):
        raise Unreachable("it failed before")
    try:
        with batch(self):
            yield
    except Unreachable:
        self.gave_up = True
        raise
SqliteStore.batch = once_bitten
""",
)

SLEEPS_BY_THE_WALL_CLOCK = Broken(
    "sleeps until the time that it read from the clock",
    """
from slotkeeper.embedded.worker import Worker
Worker.__init__.__kwdefaults__["longest_sleep"] = 1e6
""",
)

GIVES_UP_FOR_GOOD = Broken(
    "gives up for good what a wrong clock calls late",
    """
from slotkeeper.courier.courier import Courier
from slotkeeper.embedded.worker import Worker
Worker.__init__.__kwdefaults__["longest_sleep"] = 0.1
Courier._take_up_again = lambda self: None
""",
)
