"""Whatever clients do at the same time over HTTP, each calendar answers as if they had come one after another."""

import pytest

from bench.proof.histories import BROKEN, HISTORIES, judged

pytestmark = pytest.mark.slow


def test_histories_of_concurrent_clients_are_linearizable() -> None:
    found = judged(HISTORIES["quick"])

    assert not found.illegal, "\n\n".join(found.illegal)
    assert found.acts["unknown"] > HISTORIES["quick"] // 2
    assert {"Book", "Move", "Cancel", "Look", "LookForRoom"} <= found.acts.keys()


@pytest.mark.parametrize("broken", BROKEN)
def test_histories_tell_of_a_store_that(broken: str) -> None:
    assert judged(BROKEN[broken], broken).illegal
