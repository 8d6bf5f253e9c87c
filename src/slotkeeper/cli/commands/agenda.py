"""`slotkeeper agenda`: who has which appointments, by resource, for a day or a week."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

import click

from slotkeeper.cli.copying import appointments
from slotkeeper.cli.rows import row_of
from slotkeeper.cli.screen import as_json, json_option, table
from slotkeeper.cli.session import Office, at_business
from slotkeeper.cli.walltime import clock, day_start, read_date
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.service import Resource
from slotkeeper.core.zones import local
from slotkeeper.desk import catalogue

NOBODY = ""
MOST = 20_000


@click.command()
@click.option("--day", default="today", show_default=True, metavar="DATE", help="The day, or the first of the week.")
@click.option("--week", is_flag=True, help="Seven days, a column each.")
@click.option("--resource", "resources", multiple=True, metavar="ID", help="Only of these; repeatable.")
@click.option("--all", "is_all", is_flag=True, help="Also what was cancelled, declined or has expired.")
@json_option
@at_business
def agenda(office: Office, day: str, week: bool, resources: tuple[str, ...], is_all: bool, is_json: bool) -> None:
    """Show the appointments of a day or a week, a table for each resource."""
    first = read_date(day, office.zone, office.desk.now())
    days = [first + timedelta(days=number) for number in range(7 if week else 1)]
    found = [
        each
        for each in _between(office, days[0], days[-1] + timedelta(days=1))
        if (is_all or each.is_claiming) and (not resources or set(resources) & set(each.resource_ids))
    ]
    if is_json:
        as_json([row_of(each) for each in found])
        return
    if not found:
        click.echo(f"No appointments {_name(days)}. Book one: slotkeeper book SERVICE START --name NAME")
        return
    names = {each.id: each.value for each in catalogue.items(office.desk, office.actor, "resource")}
    for id, mine in _by_resource(found, names, resources).items():
        title = _title(id, names)
        if week:
            _show_week(office, title, days, mine)
        else:
            _show_day(office, f"{title}, {first:%a %Y-%m-%d}", mine)


def _between(office: Office, first: date, end: date) -> Iterable[Appointment]:
    """Those that start on one of the days, by start; never more than a person could read."""
    bounds = (f"{day_start(day, office.zone):012d}" for day in (first, end))
    for number, each in enumerate(appointments(office, *bounds)):
        if number == MOST:
            click.secho(f"Only the first {MOST:,} are shown.", fg="yellow", err=True)
            return
        yield each


def _by_resource(
    found: Iterable[Appointment], names: dict[str, Resource], wanted: tuple[str, ...]
) -> dict[str, list[Appointment]]:
    """The appointments of each resource that has some, staff first; those with nobody come last."""
    mine: dict[str, list[Appointment]] = defaultdict(list)
    for each in found:
        for id in each.resource_ids or (NOBODY,):
            if not wanted or id in wanted:
                mine[id].append(each)
    kinds = {"staff": 0, "room": 1, "equipment": 2}
    order = sorted(mine, key=lambda id: (kinds[names[id].kind] if id in names else 3, id))
    return {id: mine[id] for id in order}


def _title(id: str, names: dict[str, Resource]) -> str:
    if id == NOBODY:
        return "Without a resource"
    return f"{names[id].name} ({id})" if id in names else id


def _show_day(office: Office, title: str, mine: list[Appointment]) -> None:
    table(
        title,
        ("from", "to", "service", "customer", "status", "id"),
        [
            (
                clock(each.start, office.zone),
                clock(each.end, office.zone),
                each.service_id,
                _who(each),
                each.status,
                each.id,
            )
            for each in mine
        ],
        "",
    )


def _show_week(office: Office, title: str, days: list[date], mine: list[Appointment]) -> None:
    by_day: dict[date, list[str]] = defaultdict(list)
    for each in mine:
        by_day[local(each.start, office.zone).date()].append(
            f"{clock(each.start, office.zone)} {_who(each)}" + ("" if each.status == "booked" else f" ({each.status})")
        )
    columns = [f"{day:%a %d %b}" for day in days]
    longest = max(map(len, by_day.values()))
    cells = [by_day[day] + [""] * (longest - len(by_day[day])) for day in days]
    table(title, columns, zip(*cells, strict=True), "")


def _who(appointment: Appointment) -> str:
    return appointment.contact.name or appointment.customer_id or "(walk-in)"


def _name(days: list[date]) -> str:
    return f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"


COMMANDS = {"agenda": agenda}
