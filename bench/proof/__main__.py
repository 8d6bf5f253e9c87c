"""Every proof, each with its table as it ends; exits with 1 when a promise was found false, or a broken build was not
caught.

python -m bench.proof [--quick] [NAME ...]
"""

import argparse
import importlib
import sys
import time

from rich import get_console

from bench.proof.table import Row, table_of

PROOFS: dict[str, str] = {
    "contended": "a million attempts to book what others want too",
    "histories": "whether concurrent clients are answered as if they came one by one",
    "zones": "every change of the clocks of every zone, 2020 to 2037",
    "kills": "kill -9 at random moments",
    "power": "power cuts under the real store",
    "faults": "disks that fail, clocks that jump, and peers that are slow or down",
    "soak": "bookings and searches for half an hour: nothing grows",
    "simulation": "the whole service in virtual time, where a seed decides what fails",
    "fuzz": "hostile requests to every route of the running service",
    "access": "who may ask what, and what is somebody else's",
    "mutants": "small faults in the code are noticed by the tests",
}
"""The proofs by name, and what each is about. A proof is a module here with `rows(scale) -> Iterator[Row]`."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.proof",
        description="Try to show each promise false.",
        epilog="\n".join(f"{name:12} {about}" for name, about in PROOFS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; all when none is named")
    parser.add_argument("--quick", action="store_true", help="what every build runs: minutes in all")
    wanted = parser.parse_args()
    if unknown := set(wanted.names) - PROOFS.keys():
        parser.error(f"there is no proof named {min(unknown)}: there are {', '.join(PROOFS)}")
    console, found = get_console(), list[Row]()
    for name in wanted.names or PROOFS:
        began = time.perf_counter()
        with console.status(f"{name}: {PROOFS[name]}"):
            proof = importlib.import_module(f"bench.proof.{name}")
            rows = list[Row](proof.rows("quick" if wanted.quick else "full"))
        console.print(table_of(rows))
        console.print(f"{name}: {time.perf_counter() - began:,.0f} s")
        found += rows
    bad = [row.claim for row in found if not row.is_good]
    console.print(*bad or [f"All {len(found)} claims held, and every build broken on purpose was caught."], sep="\n")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
