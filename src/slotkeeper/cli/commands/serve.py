"""`slotkeeper serve`: the API, the pages, and the worker that sends what is due."""

from pathlib import Path

import click

from slotkeeper.cli.complaints import Needs
from slotkeeper.cli.session import Session
from slotkeeper.settings import Settings


@click.command()
@click.option("--host", help="The address to listen on, in place of the one that the settings name.")
@click.option("--port", metavar="NUMBER", help="The port, in place of the one that the settings name.")
@click.pass_obj
def serve(session: Session, host: str | None, port: str | None) -> None:
    """Serve the API and the pages, and send what is due, until Ctrl-C."""
    from slotkeeper.cli.serving import listen, run

    settings = session.settings(host=host, port=port)
    check_file(settings)
    if not Path(settings.database).exists():
        raise Needs(
            f"there is no database at {settings.database}",
            "Make one with `slotkeeper init`, or try things with `slotkeeper demo --serve`.",
        )
    run(settings, listen(settings), lambda: announce(settings))


def check_file(settings: Settings) -> None:
    """Raises `Needs` for a table: its stack serves it."""
    if settings.table:
        raise Needs(
            "the server works on a file only, not on a table in DynamoDB",
            "A table is served on AWS: slotkeeper aws deploy makes it so, slotkeeper aws outputs tells where.",
        )


def announce(settings: Settings) -> None:
    """Say where the server is."""
    click.echo(
        f"Slotkeeper serves {settings.database} at {settings.base_url} (docs: {settings.base_url}/docs).", err=True
    )
    if not settings.smtp.host:
        click.echo("No mail server is set (smtp.host): messages stay in the outbox, `slotkeeper outbox`.", err=True)


COMMANDS = {"serve": serve}
