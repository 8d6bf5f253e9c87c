"""`slotkeeper dead-letters`: what could not be delivered, and its second chance."""

import click

from slotkeeper.cli.commands.outbox import show
from slotkeeper.cli.screen import json_option
from slotkeeper.cli.session import Office, at_business
from slotkeeper.core.errors import WrongState
from slotkeeper.courier.log import MAX_PAGE, dead_letters, replay

NONE = "There are no dead letters: everything was delivered, or is still tried."


@click.group("dead-letters")
def letters() -> None:
    """Messages that could not be delivered.

    A message that fails is tried again for about four hours; then it is dead, until it is replayed.
    """


@letters.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, MAX_PAGE), help="How many.")
@json_option
@at_business
def list_(office: Office, limit: int, is_json: bool) -> None:
    """List the dead letters, latest first."""
    found = dead_letters(office.home.store, office.actor.business, limit=limit).notifications
    show(office, "Dead letters, latest first", found, is_json, NONE)


@letters.command("replay")
@click.argument("id", required=False)
@click.option("--all", "is_all", is_flag=True, help="Replay all that can still be of use.")
@at_business
def replay_(office: Office, id: str | None, is_all: bool) -> None:
    """Send the message ID again, with all its tries; the server does it."""
    if bool(id) == is_all:
        raise click.UsageError("name one ID, or say --all")
    if id:
        replay(office.home.store, office.actor.business, id, office.desk.now())
        click.echo(f"{id} is owed again: the server sends it next.")
        return
    click.echo(f"{_all(office)} messages are owed again: the server sends them next.")


def _all(office: Office) -> int:
    """Replay every dead letter that is still of use; returns how many."""
    store, business, count, after = office.home.store, office.actor.business, 0, None
    while True:
        page = dead_letters(store, business, after=after, limit=MAX_PAGE)
        for each in page.notifications:
            try:
                replay(store, business, each.id, office.desk.now())
                count += 1
            except WrongState as error:
                click.secho(f"{each.id}: {error}", fg="yellow", err=True)
        if page.after is None:
            return count
        after = page.after


COMMANDS = {"dead-letters": letters}
