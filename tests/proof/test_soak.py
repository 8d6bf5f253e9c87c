"""A soak finds what grows, and a server of ours does not."""

import pytest

from bench.proof.soak import rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_nothing_grows_and_a_server_that_keeps_things_is_seen_through() -> None:
    [row] = rows("quick")

    assert row.holds, row.found
    assert row.is_caught, row.broken
