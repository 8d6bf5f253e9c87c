"""Homes that are broken on purpose: Python to run in a server before it serves."""

READS_A_FAILURE_AS_NOTHING = """
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
"""

ANSWERS_WHATEVER_THE_COMMIT_SAYS = """
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
"""

TELLS_A_FAILURE_AS_OUR_FAULT = """
from slotkeeper.core.errors import Unreachable
from slotkeeper.web.problems import TABLE, Kind
TABLE[Unreachable] = Kind(500, "unexpected")
"""

NEVER_COMES_BACK = """
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
"""
