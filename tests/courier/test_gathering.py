"""Outcomes are noted a few at a time, and none waits for long."""

import asyncio
from collections.abc import Sequence

import pytest

from slotkeeper.core.errors import Unreachable
from slotkeeper.core.reminders import Message
from slotkeeper.core.ticks import Instant
from slotkeeper.courier import gathering
from slotkeeper.courier.claiming import Job
from slotkeeper.courier.gathering import Gathered
from slotkeeper.courier.noting import Outcome

NOW = Instant(1_800_000_000)
FIRST, SECOND = (
    Outcome(Job("clinic", "apt_1", "", Message(id=id, kind="booked", channel="email", due=NOW)), "sent")
    for id in ("first", "second")
)


@pytest.mark.parametrize(
    ("error", "level"), [(Unreachable("the disk is full"), "WARNING"), (RuntimeError("the disk is full"), "ERROR")]
)
def test_who_fails_to_note_says_so_and_goes_on_with_the_next(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, level: str
) -> None:
    monkeypatch.setattr(gathering, "NOTED_WITHIN_SECONDS", 0.01)
    told: list[Sequence[Outcome]] = []

    def note(outcomes: Sequence[Outcome]) -> None:
        told.append(outcomes)
        if len(told) == 1:
            raise error

    async def run() -> None:
        gathered = Gathered(lambda: NOW, note)
        keeper = asyncio.create_task(gathered.note_in_time())
        for number, outcome in enumerate((FIRST, SECOND), 1):
            gathered.add(outcome)
            async with asyncio.timeout(5):
                while len(told) < number:  # noqa: ASYNC110 - it is told to no event
                    await asyncio.sleep(0.005)
        keeper.cancel()

    asyncio.run(run())

    assert told == [[FIRST], [SECOND]]
    [record] = caplog.records
    assert record.levelname == level
    assert "the disk is full" in caplog.text


def test_a_crash_doubles_no_more_than_left_within_a_second() -> None:
    assert 0 < gathering.NOTED_WITHIN_SECONDS <= 1
