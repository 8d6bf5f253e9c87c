"""`slotkeeper move`, `confirm`, `decline` and `cancel`: changing one appointment."""

import click

from slotkeeper.cli.commands.book import show
from slotkeeper.cli.screen import json_option
from slotkeeper.cli.session import Office, at_business
from slotkeeper.cli.walltime import read_time
from slotkeeper.core.appointment import Action
from slotkeeper.desk.changing import Move, Request, act
from slotkeeper.desk.changing import move as move_at_desk
from slotkeeper.web.bodies import safe_text


@click.command()
@click.argument("id")
@click.argument("start")
@click.option("--until", metavar="TIME", help="The end; without it the length stays.")
@click.option("--resource", "resources", multiple=True, metavar="ID", help="Who serves then; repeatable.")
@click.option("--override", default="", metavar="REASON", help="Move against the rules; the reason is kept.")
@json_option
@at_business
def move(
    office: Office,
    id: str,
    start: str,
    until: str | None,
    resources: tuple[str, ...],
    override: str,
    is_json: bool,
) -> None:
    """Move the appointment ID to START. Its old time is kept until the new one is won."""
    wish = Move(
        id=id,
        start=read_time(start, office.zone),
        end=read_time(until, office.zone) if until else None,
        resource_ids=resources,
        override=override,
    )
    show(office, move_at_desk(office.desk, office.actor, wish), "Moved", is_json)


def _command(action: Action, summary: str) -> click.Command:
    @click.command(action, help=summary)
    @click.argument("id")
    @click.option("--reason", default="", help="Why; it is kept, and told to the customer.")
    @json_option
    @at_business
    def change(office: Office, id: str, reason: str, is_json: bool) -> None:
        request = Request(id=id, reason=safe_text(reason, "reason"))
        show(office, act(office.desk, office.actor, action, request), "", is_json)

    return change


COMMANDS: dict[str, click.Command] = {
    "move": move,
    "confirm": _command("confirm", "Confirm the appointment ID that waits for it."),
    "decline": _command("decline", "Decline the appointment ID that waits to be confirmed."),
    "cancel": _command("cancel", "Cancel the appointment ID and free its time."),
}
