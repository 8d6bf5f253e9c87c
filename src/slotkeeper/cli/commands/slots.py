"""`slotkeeper slots`: when a service can be booked."""

from collections import defaultdict
from datetime import timedelta

import click

from slotkeeper.cli.screen import as_json, json_option, table
from slotkeeper.cli.session import Office, at_business
from slotkeeper.cli.walltime import clock, day_start, read_date, shown
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.desk.search import MAX_DAYS, Search, service_slots


@click.command()
@click.argument("service")
@click.option("--from", "first", default="today", show_default=True, metavar="DATE", help="The first day.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, MAX_DAYS - 1), help="How many days.")
@click.option("--resource", "resources", multiple=True, metavar="ID", help="Only with these; repeatable.")
@json_option
@at_business
def slots(office: Office, service: str, first: str, days: int, resources: tuple[str, ...], is_json: bool) -> None:
    """Show when SERVICE can be booked, by exactly the rules that a booking is judged by."""
    day = read_date(first, office.zone, office.desk.now())
    search = Search(
        first=day_start(day, office.zone),
        last=day_start(day + timedelta(days=days), office.zone),
        resource_ids=resources,
    )
    offers = service_slots(office.desk, office.actor, service, search)
    if is_json:
        as_json(
            [
                {"startTime": format_instant(start), "endTime": format_instant(Instant(start + offers.seconds))}
                for start in offers.starts
            ]
        )
        return
    by_day: dict[str, list[str]] = defaultdict(list)
    for start in offers.starts:
        by_day[shown(start, offers.zone)[:-6]].append(clock(start, offers.zone))
    table(
        f"{service}: {offers.seconds // 60} minutes, times in {offers.zone}",
        ("day", "starts"),
        [(name, "  ".join(starts)) for name, starts in by_day.items()],
        f"Nothing is free in these {days} days. Look further: slotkeeper slots {service} --days {min(days * 4, 91)}",
    )


COMMANDS = {"slots": slots}
