"""What a running process logs, and the ids that it makes."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from slotkeeper.process import new_id, set_up_logs
from slotkeeper.settings import Log

_log = logging.getLogger("slotkeeper.tests")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where the root logger writes to, as JSON, for this test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream, request = io.StringIO(), iter(["first", "second"])
    set_up_logs(Log(format="json", level="info"), lambda: {"requestId": next(request)}, stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_each_line_is_one_object_with_the_facts_of_its_moment(lines: io.StringIO) -> None:
    _log.debug("not that important")
    _log.info("%s stays in the outbox", "msg_1")
    try:
        int("no\nnumber")
    except ValueError:
        _log.exception("it failed")

    kept, failed = map(json.loads, lines.getvalue().splitlines())
    assert (kept["message"], kept["level"], kept["requestId"]) == ("msg_1 stays in the outbox", "info", "first")
    assert failed["requestId"] == "second"
    assert "ValueError: invalid literal" in failed["exception"]


def test_ids_are_random_and_hard_to_guess() -> None:
    ids = {new_id("apt") for _ in range(1000)}

    assert len(ids) == 1000
    assert all(len(id.removeprefix("apt_")) * 4 >= 122 for id in ids)
