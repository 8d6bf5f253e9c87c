"""kill -9 at any moment loses nothing that was acknowledged or owed; builds that are broken are caught."""

from collections import Counter

import pytest

from bench.proof import kills
from bench.proof.crashing.service import Load, Post
from bench.proof.crashing.sink import Sink
from slotkeeper.core.reminders import Message, MessageState
from slotkeeper.core.ticks import Instant

KILLS = 6


@pytest.mark.slow
def test_a_server_that_is_killed_loses_nothing_it_has_acknowledged() -> None:
    found = kills.served(kills.BOOKING, KILLS)

    assert found.wrong == []
    assert found.kills == KILLS
    assert found.acknowledged > 0


@pytest.mark.slow
def test_a_server_that_is_killed_loses_no_message_and_repeats_none_that_was_noted() -> None:
    found = kills.served(kills.DELIVERING, KILLS)

    assert found.wrong == []
    assert found.delivered > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "breaking", "complaint"),
    [
        (kills.BOOKING, "answers before it commits", "was told that"),
        (kills.DELIVERING, "notes before it sends", ""),
    ],
    ids=["answers-first", "notes-first"],
)
def test_a_broken_server_is_caught(load: Load, breaking: str, complaint: str) -> None:
    wrong = kills.served(load, kills.BROKEN_KILLS, breaking).wrong

    assert wrong
    assert all(complaint in each for each in wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", kills.FILINGS)
def test_who_is_killed_at_a_file_leaves_it_as_it_was_or_was_to_be(name: str) -> None:
    found = kills.filed(name, KILLS)

    assert found.wrong == []
    assert found.kills == KILLS


@pytest.mark.slow
@pytest.mark.parametrize("name", kills.FILINGS)
def test_whoever_does_it_wrongly_is_caught(name: str) -> None:
    assert kills.filed(name, kills.BROKEN_KILLS, kills.FILINGS[name][1]).wrong


def a_message(state: MessageState, due: int = 100) -> dict[str, Message]:
    return {"m": Message(id="m", kind="reminder", channel="email", due=Instant(due), state=state)}


def told(before: MessageState, *, arrived: int, then: MessageState, again: int) -> list[str]:
    """What the post complains of after two lives of one message, with so many arrivals in each."""
    post = Post(Sink())
    post.sink.arrived = Counter(m=arrived)
    first = list(post.complaints(a_message(before)))
    post.sink.arrived["m"] += again
    return first + list(post.complaints(a_message(then)))


def test_the_post_lets_a_message_come_again_that_was_not_noted() -> None:
    assert told("claimed", arrived=1, then="sent", again=1) == []


def test_the_post_complains_of_what_comes_again_though_it_was_noted() -> None:
    assert "came again" in told("sent", arrived=1, then="sent", again=1)[0]


def test_the_post_complains_of_what_comes_twice_in_one_life() -> None:
    assert "2 times in one life" in told("claimed", arrived=2, then="sent", again=0)[0]


def test_the_post_complains_of_what_was_void_and_came() -> None:
    assert "was void" in told("void", arrived=0, then="void", again=1)[0]


def test_the_post_complains_of_what_was_noted_and_never_came() -> None:
    assert "never came" in told("sent", arrived=0, then="sent", again=0)[0]


def test_the_post_complains_of_what_is_owed_in_the_end() -> None:
    post = Post(Sink())

    assert list(post.debts(a_message("claimed", due=500), Instant(100)))
    assert list(post.debts(a_message("waiting", due=50), Instant(100)))
    assert list(post.debts(a_message("waiting", due=500), Instant(100))) == []
    assert list(post.debts(a_message("sent"), Instant(100))) == []
