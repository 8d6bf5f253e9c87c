"""Every headline figure, beside its peer, in one table.

python -m bench [--quick] [NAME ...]
"""

import argparse
import importlib
import time

from rich.console import Console

from bench.figures import Figure, machine, table_of

BENCHES: dict[str, tuple[str, str]] = {
    "slots": ("bench.slots", "finding slots, beside a plain walk"),
    "searching": ("bench.searching", "searching over HTTP while bookings go on"),
    "day": ("bench.day", "the reference day over HTTP, beside FastAPI and PostgreSQL"),
    "start": ("bench.start", "starting, memory, and what is done with a large file"),
    "growth": ("bench.growth", "bookings a second as the file grows"),
    "reminders": ("bench.reminders", "100,000 reminders due in one minute, to a real mail server"),
    "aws": ("bench.aws.headlines", "the home on AWS, without AWS"),
}
"""The benches by name: a module with `figures(scale) -> Iterator[Figure]`, and what it is about."""


def main() -> None:
    about = "\n".join(f"{name:8} {text}" for name, (_, text) in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure every headline figure.",
        epilog=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; all when none is named")
    parser.add_argument("--quick", action="store_true", help="two minutes in all: to see that it works, not how fast")
    wanted = parser.parse_args()
    if unknown := set(wanted.names) - BENCHES.keys():
        parser.error(f"there is no bench named {min(unknown)}: there are {', '.join(BENCHES)}")
    console, found = Console(), list[Figure]()
    for name in wanted.names or BENCHES:
        module, text = BENCHES[name]
        began = time.perf_counter()
        with console.status(f"{name}: {text}"):
            found += importlib.import_module(module).figures("quick" if wanted.quick else "full")
        console.print(f"{name}: {time.perf_counter() - began:,.0f} s")
    console.print(machine())
    console.print(table_of(found))


if __name__ == "__main__":
    main()
