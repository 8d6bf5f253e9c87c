"""`slotkeeper book`: one appointment."""

from typing import Any

import click

from slotkeeper.cli.rows import row_of
from slotkeeper.cli.screen import as_json, json_option, panel
from slotkeeper.cli.session import Office, at_business
from slotkeeper.cli.walltime import clock, read_time, shown
from slotkeeper.core.appointment import Appointment, Contact
from slotkeeper.desk.booking import book as book_at_desk
from slotkeeper.desk.orders import Order
from slotkeeper.web.appointments import checked
from slotkeeper.web.bodies import fitted, safe_text


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[SERVICE] START")
@click.option("--until", metavar="TIME", help="The end; needed without a service.")
@click.option("--resource", "resources", multiple=True, metavar="ID", help="Who or what it is with; repeatable.")
@click.option("--customer", default="", metavar="ID", help="Whom it is for.")
@click.option("--name", default="", help="The customer's name.")
@click.option("--email", default="", help="Where messages go.")
@click.option("--phone", default="", help="The customer's phone.")
@click.option("--note", default="", help="What it is about.")
@click.option("--override", default="", metavar="REASON", help="Book against the rules; the reason is kept.")
@click.option("--once", default="", metavar="KEY", help="With the same key again nothing more is booked.")
@json_option
@at_business
def book(
    office: Office,
    words: tuple[str, ...],
    until: str | None,
    resources: tuple[str, ...],
    customer: str,
    note: str,
    override: str,
    once: str,
    is_json: bool,
    **contact: str,
) -> None:
    """Book SERVICE at START, such as '2026-11-24 09:30' on the clock of the place, or any time with an offset.

    Without a SERVICE it is a bare span of time, up to --until, of a --resource or a --customer.
    """
    if len(words) > 2:
        raise click.UsageError("name a service and a start, the start in quotes: '2026-11-24 09:30'")
    service, start = words if len(words) == 2 else ("", words[0])
    details: dict[str, Any] = {"description": safe_text(note, "note", is_multi_line=True)} if note else {}
    order = Order(
        start=read_time(start, office.zone),
        end=read_time(until, office.zone) if until else None,
        service_id=service,
        resource_ids=resources,
        customer_id=customer,
        contact=checked(fitted({key: safe_text(value, key) for key, value in contact.items()}, Contact)),
        details=details,
        override=override,
        request_key=once,
    )
    booked = book_at_desk(office.desk, office.actor, order)
    for warning in booked.warnings:
        click.secho(f"Overridden: {warning}", fg="yellow", err=True)
    show(office, booked.appointment, "Booked before" if booked.is_repeat else "", is_json)


def show(office: Office, appointment: Appointment, title: str, is_json: bool) -> None:
    """Show one appointment."""
    if is_json:
        as_json(row_of(appointment))
        return
    zone = appointment.zone
    lines = [
        f"When    {shown(appointment.start, zone)} to {clock(appointment.end, zone)} ({zone})",
        f"What    {appointment.service_id or 'a span of time'}",
        f"With    {', '.join(appointment.resource_ids) or 'nobody in particular'}",
        f"For     {appointment.contact.name or appointment.customer_id or 'a walk-in'}",
        f"Id      {appointment.id}",
    ]
    if appointment.status == "pending" and appointment.expires:
        lines.append(f"Waits   to be confirmed until {shown(appointment.expires, zone)}")
    panel(title or appointment.status.capitalize(), lines)


COMMANDS = {"book": book}
