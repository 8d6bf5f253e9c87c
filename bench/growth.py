"""Bookings a second as the file grows: the same day is booked into small and large files, in turn. What a booking takes
of the processor, and what must be fetched from the disk for it, tell where the time goes.

The largest takes half an hour and 20 GB to make, so it must be asked for.

    python -m bench.growth [--large]
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from bench import day, filling, load
from bench.figures import Figure, Measured, machine, table_of
from bench.proof.table import Scale
from bench.server import serving
from slotkeeper.cli.screen import progress

SIZES: dict[Scale, tuple[int, ...]] = {"quick": (1_000, 8_000), "full": (10_000, 1_000_000)}
LARGEST = 10_000_000
ROUNDS: dict[Scale, int] = {"quick": 1, "full": 7}
LEAST_RATIO = 0.8
ASKED = "BENCH_LARGE"


@dataclass(slots=True)
class Grown:
    """A file that holds `count` appointments, and of each round: how many a second could be added to it, the ms of
    processor that each took, and the KB that were read from the disk for it."""

    count: int
    path: Path
    key: str
    rates: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    fetched: list[float] = field(default_factory=list)


def figures(scale: Scale) -> Iterator[Figure]:
    """Each size beside the smallest; with the largest where BENCH_LARGE asks for it."""
    is_large = scale == "full" and bool(os.environ.get(ASKED))
    yield from beside_the_smallest((*SIZES[scale], LARGEST) if is_large else SIZES[scale], ROUNDS[scale])
    if scale == "full" and not is_large:
        told = f"left out: {ASKED}=1 takes half an hour more, and 20 GB"
        yield Figure(name=f"bookings a second with {LARGEST:,} appointments stored", ours=told)


def beside_the_smallest(sizes: Sequence[int], rounds: int) -> Iterator[Figure]:
    """The figures of some sizes, smallest first."""
    with tempfile.TemporaryDirectory() as folder:
        files = [_made(Path(folder) / f"{count}.db", count) for count in sizes]
        for number in range(rounds):
            for each in files:
                _measure(each, number)
    first = Measured(files[0].rates, "/s")
    for each in files:
        ours = Measured(each.rates, "/s")
        name = f"bookings a second with {each.count:,} appointments stored"
        if each is files[0]:
            yield Figure(name=name, ours=ours)
        else:
            ratio = ours.median / first.median
            yield Figure(
                name=name,
                ours=ours,
                beside=first,
                peer=f"with {files[0].count:,}",
                ratio=f"{ratio:.2f}x",
                target=f">= {LEAST_RATIO}x",
                is_reached=ratio >= LEAST_RATIO,
            )
        processor, fetched = Measured(each.processor, "ms"), Measured(each.fetched, "KB")
        yield Figure(name="each of these: of the processor, and read from the disk", ours=f"{processor}; {fetched}")


def _made(path: Path, count: int) -> Grown:
    with progress(f"Making a file of {count:,} appointments", count) as advance:
        return Grown(count, path, filling.filled(path, count, is_delivered=False, progress=advance))


def _measure(file: Grown, number: int) -> None:
    """Book a day. No worker: the file is as bookings left it, so all that it holds would be delivered now."""
    free = filling.after(file.count) + 2 * number
    with serving(file.path, WORKER_ENABLED="no") as server:
        _booked(server.port, file.key, free, day.WARM_UP)
        processor, fetched = server.processor_seconds, server.read_megabytes
        file.rates.append(day.BOOKINGS / _booked(server.port, file.key, free + 1, day.BOOKINGS))
        file.processor.append((server.processor_seconds - processor) * 1000 / day.BOOKINGS)
        file.fetched.append((server.read_megabytes - fetched) * 1000 / day.BOOKINGS)


def _booked(port: int, key: str, ahead: int, count: int) -> float:
    """The seconds that so many bookings take, on a day that is still free, by customers whom nobody knows yet."""
    waiting = day.requests(key, count=count, day=ahead, name=f"day-{ahead}", has_customers=False)
    booked = load.run(day.run_day(port, waiting))
    assert booked.made == count, (booked.made, count)
    return booked.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help=f"also {LARGEST:,} appointments")
    sizes = (*SIZES["full"], LARGEST) if parser.parse_args().large else SIZES["full"]
    console = Console()
    console.print(machine())
    console.print(table_of(beside_the_smallest(sizes, ROUNDS["full"])))


if __name__ == "__main__":
    main()
