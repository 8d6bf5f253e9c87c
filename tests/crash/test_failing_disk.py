"""A real server whose disk fails under it tells nobody anything wrong, loses nothing, and goes on by itself."""

from pathlib import Path

import pytest

from bench.day import furnish
from bench.proof.faults.disk import BROKEN_PATIENCE_SECONDS, Fault, endure, faults_here
from bench.proof.faults.failing_disk import can_fail
from bench.proof.faults.server import running
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.process import now
from tests.post import free_port
from tests.serving import Client

pytestmark = pytest.mark.slow

SHOWN_BY_A_BROKEN_BUILD = [fault for fault in faults_here() if fault.broken is not None]


def test_whatever_the_disk_does_nobody_is_told_anything_wrong_and_nothing_is_lost() -> None:
    faults = faults_here()

    found = endure(faults)

    assert found.all_complaints == []
    assert [told.fault for told in found.told] == list(faults)
    assert all(told.refused for told in found.told)


@pytest.mark.parametrize("fault", SHOWN_BY_A_BROKEN_BUILD, ids=lambda fault: fault.broken.does)
def test_a_build_that_does_otherwise_is_found_out(fault: Fault) -> None:
    assert fault.broken is not None

    found = endure([fault], code=fault.broken.code, patience=BROKEN_PATIENCE_SECONDS)

    assert found.all_complaints


@pytest.mark.skipif(not can_fail(), reason="this Python has its SQLite inside")
def test_what_a_failed_sync_refused_is_known_by_its_key_after_a_kill(tmp_path: Path) -> None:
    """Its pages were written, so whoever opens the file after the crash may count it as committed: whether it was done
    is not known, and the same key must find it either way."""
    file, mail = tmp_path / "day.db", free_port()
    key, start = furnish(file), format_instant(Instant(now() // 86_400 * 86_400 + 3 * 86_400))
    wish = {"serviceId": "visit", "startTime": start, "resourceIds": ["r0"], "customer": {"name": "Ada"}}
    with running(file, mail) as server, Client(server.port, key) as client:
        server.tell("fail", "sync", 1)
        refused = client.post("/appointments", wish, idempotency_key="mine")
        server.process.kill()

    with running(file, mail) as server, Client(server.port, key) as client:
        again = client.post("/appointments", wish, idempotency_key="mine")
        other = client.post("/appointments", wish, idempotency_key="another's")

    assert (refused.status, again.status, other.status) == (503, 201, 409)
