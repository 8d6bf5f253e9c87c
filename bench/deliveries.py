"""Deliveries: what a message takes of a core, from being due to being noted as sent; in one process, sweep by sweep.

    python -m bench.deliveries [--to outbox|smtp] [--count N] [--profile]

A busy machine makes every sweep slower, by more or less: the fastest tells what the work is, the median how busy the
machine was.
"""

import argparse
import asyncio
import cProfile
import pstats
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import uvloop

from bench.due import furnish
from bench.sink import Sink
from slotkeeper.contracts import Sender
from slotkeeper.core.ticks import Instant
from slotkeeper.courier.courier import Courier
from slotkeeper.senders.outbox import OutboxSender
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from slotkeeper.stores.sqlite import SqliteStore

NOW = Instant(1_795_420_800)
SWEEP = 128
LINES = 40
BASE_URL = "https://book.example.com"


def delivered(folder: Path, count: int, senders: Mapping[str, Sender]) -> list[float]:
    """Deliver so many reminders; returns what a message took of a core in each whole sweep, in microseconds."""
    store, took = SqliteStore(folder / "due.db"), list[float]()
    furnish(store, count, NOW)
    courier = Courier(store, lambda: NOW, senders, OutboxSender(), base_url=BASE_URL)

    async def all_sweeps() -> None:
        while True:
            began = time.process_time()
            swept = await courier.sweep(SWEEP)
            if swept.sent < SWEEP:
                break
            took.append((time.process_time() - began) / SWEEP * 1e6)
        for sender in senders.values():
            if isinstance(sender, SmtpSender):
                await sender.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(all_sweeps())
    store.close()
    return took


@contextmanager
def senders_to(where: str, folder: Path) -> Iterator[Mapping[str, Sender]]:
    """None for the outbox, or mail to a server in a process of its own."""
    if where == "outbox":
        yield {}
        return
    sink = Sink(folder / "mails")
    with sink.running():
        smtp = SmtpSettings(host="127.0.0.1", port=sink.port, sender="desk@example.com", security="none")
        yield {"email": SmtpSender(smtp, lambda: NOW)}


def main() -> None:
    parser = argparse.ArgumentParser(description="What a message takes of a core.")
    parser.add_argument("--to", choices=("outbox", "smtp"), default="outbox")
    parser.add_argument("--count", type=int, default=10_000, help="how many reminders are due")
    parser.add_argument(
        "--profile", action="store_true", help="show where the time goes, which takes three times as long"
    )
    asked = parser.parse_args()
    profile = cProfile.Profile() if asked.profile else None
    with (
        tempfile.TemporaryDirectory() as folder,
        senders_to(asked.to, Path(folder)) as senders,
        profile or nullcontext(),
    ):
        took = delivered(Path(folder), asked.count, senders)
    print(f"to the {asked.to}: {min(took):,.0f} us of a core a message in the fastest sweep of {len(took)},", end=" ")
    print(f"{statistics.median(took):,.0f} in the median one; {1e6 / min(took):,.0f} messages/s")
    if profile is not None:
        pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(LINES)


if __name__ == "__main__":
    main()
