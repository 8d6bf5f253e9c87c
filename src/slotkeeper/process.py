"""What a process that runs brings along: the time, random ids, and what it logs."""

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from secrets import token_hex
from time import time
from typing import TextIO

import msgspec

from slotkeeper.core.ticks import Instant
from slotkeeper.settings import Log

ID_BYTES = 16  # 128 random bits: nobody guesses another's id


def now() -> Instant:
    """The `contracts.Clock` of a process that runs: whole seconds since 1970-01-01T00:00Z."""
    return Instant(int(time()))


def new_id(prefix: str) -> str:
    """A random id behind a prefix."""
    return f"{prefix}_{token_hex(ID_BYTES)}"


class JsonLines(logging.Formatter):
    """One JSON object a line, its time in UTC. `facts` are added to each, as they are when it is written.

    `timestamp` and `level` have the names by which AWS Lambda knows them.
    """

    def __init__(self, facts: Callable[[], Mapping[str, object]] = dict) -> None:
        super().__init__()
        self._facts = facts

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._facts(),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(said).decode()


def set_up_logs(log: Log, facts: Callable[[], Mapping[str, object]] = dict, stream: TextIO | None = None) -> None:
    """Log what is at least as important as the settings say, to standard error unless a stream is named: lines for
    people, or one JSON object a line for programs, each with the `facts` of its moment."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        JsonLines(facts)
        if log.format == "json"
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log.level.upper())
