"""A peer that is down, slow or failing for an hour loses nothing, and holds up nobody else's letters."""

import pytest

from bench.proof.faults.post import DropsWhatFailed, Trouble, endure, troubles

pytestmark = pytest.mark.slow

ALL = troubles()


def named(trouble: Trouble) -> str:
    return f"{trouble.channel} {trouble.name}"


@pytest.mark.parametrize("trouble", ALL, ids=named)
def test_what_is_owed_arrives_after_an_hour_with_a_peer_that(trouble: Trouble) -> None:
    hours = endure(trouble)

    assert hours.complaints == []
    assert hours.letters == 4


@pytest.mark.parametrize("channel", ["email", "webhook"])
def test_a_courier_that_drops_what_failed_is_found_out(channel: str) -> None:
    trouble = next(each for each in troubles() if each.channel == channel)

    assert endure(trouble, kind=DropsWhatFailed).complaints
