"""Every headline figure, beside its peer, in one table."""

from rich.console import Console
from rich.table import Table

from bench import day, slots


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
    console.print(table)


if __name__ == "__main__":
    main()
