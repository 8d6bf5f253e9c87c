"""A function has threads for all that it may send at once."""

import asyncio
import threading

from slotkeeper.aws.delivering import CHANNELS, run
from slotkeeper.courier.gates import AT_ONCE

PATIENCE_SECONDS = 10


def test_a_channel_that_hangs_takes_no_thread_from_the_others() -> None:
    together = threading.Barrier(CHANNELS * AT_ONCE)

    async def all_at_once() -> list[int]:
        waiting = (asyncio.to_thread(together.wait, PATIENCE_SECONDS) for _ in range(CHANNELS * AT_ONCE))
        return await asyncio.gather(*waiting)

    assert sorted(run(all_at_once())) == list(range(CHANNELS * AT_ONCE))
