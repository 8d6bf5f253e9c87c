"""Every headline figure, beside its peer, in one table."""

import statistics
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from bench import day, slots
from bench.aws import coldstart, crowd, cutting, month, units

PEOPLE = 500


def main() -> None:
    console = Console()
    table = Table(title="Slotkeeper beside its peers (medians, this machine, this run)")
    for name in ("figure", "ours", "peer"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    with console.status("finding slots"):
        for name, ours, walk in slots.rows():
            table.add_row(f"slots, {name}, to JSON", f"{ours:.2f} ms", f"{walk:.2f} ms (plain walk)")
    with console.status("booking the reference day"):
        (_, ours_day), (_, idle) = day.rows()
    table.add_row(
        f"reference day, {ours_day.made} of {day.BOOKINGS} bookings over HTTP, {day.CONNECTIONS} connections",
        f"{ours_day.seconds:.2f} s",
        f"{idle.seconds:.2f} s (uvicorn that does nothing)",
    )
    with console.status("going to AWS"):
        for row in aws_rows():
            table.add_row(*row)
    console.print(table)


def aws_rows() -> Iterator[tuple[str, str, str]]:
    """The home on AWS, as far as it can be known without AWS: each has a page or a command that tells more."""
    with units.an_emulator() as emulator:
        found = month.measured(emulator)
    yield "a booking of one resource, DynamoDB", f"{found.lines[units.BOOK].ours.writes:g} write units", "2, unsafe"
    whole, beyond = month.totals(list(month.bills(found)))
    figure = f"a month at {month.DAY_BOOKINGS:,} bookings a day: beyond what is free (list price)"
    yield figure, f"${beyond:.2f} (${whole:.2f})", "$14 (the reviewed design)"
    rush = crowd.CROWDS[-1]
    ways = (crowd.gather(rush, cutting.DAY, way, PEOPLE, seed=1) for way in (crowd.OURS, crowd.HASTY))
    ours, hasty = (f"{max(each.seconds):.2f} s, {each.bill.wasted:,} units wasted" for each in ways)
    yield f"{PEOPLE} at once for one day's {rush.name}, simulated", ours, f"{hasty} (hasty retries)"
    starts = {start.name: statistics.median(times) for start, times in coldstart.in_turn(rounds=10)}
    yield (
        "cold import of the booking handler, whole process",
        f"{starts[coldstart.OURS_BUILT]:.0f} ms",
        f"{starts[coldstart.PEER_BUILT]:.0f} ms (FastAPI + mangum + boto3)",
    )


if __name__ == "__main__":
    main()
