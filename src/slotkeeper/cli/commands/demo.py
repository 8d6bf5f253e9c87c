"""`slotkeeper demo`: a clinic to try things with."""

from collections.abc import Iterator
from pathlib import Path

import click

from slotkeeper.cli import demo as clinic
from slotkeeper.cli.commands.serve import announce, check_file
from slotkeeper.cli.screen import panel, program, progress
from slotkeeper.cli.session import Session
from slotkeeper.core.actor import SCOPES
from slotkeeper.desk.keys import Made as MadeKey
from slotkeeper.desk.keys import create_key
from slotkeeper.settings import Settings
from slotkeeper.web.table import ALL

ADDRESSES = {
    "Booking page": "/{business}",
    "Staff calendar": "/staff/{business}",
    "API docs": "/docs",
    "OpenAPI": "/openapi.json",
    "Its services": "/public/{business}/services",
}
"""What is worth a look, as far as the server has it."""


@click.command()
@click.option("--serve", "is_served", is_flag=True, help="Serve it, until Ctrl-C.")
@click.option("--host", help="The address to listen on, in place of the one that the settings name.")
@click.option("--port", metavar="NUMBER", help="The port, in place of the one that the settings name.")
@click.pass_obj
def demo(session: Session, is_served: bool, host: str | None, port: str | None) -> None:
    """Make a clinic with two weeks of appointments, to try things.

    It has 6 staff, 3 rooms and 5 services. When it is there already it stays as it is; each time a new key is made, and
    its members, an owner and a viewer, get a new password for the staff pages.
    """
    settings = session.settings(host=host, port=port)
    if not is_served:
        _make(session, settings, is_served=False)
        return
    from slotkeeper.cli.serving import listen, run

    check_file(settings)
    listener = listen(settings)
    _make(session, settings, is_served=True)
    run(settings, listener, lambda: announce(settings))


def _make(session: Session, settings: Settings, *, is_served: bool) -> None:
    with session.opened(is_new_allowed=True) as home:
        with progress("Making the clinic") as advance:
            made = clinic.make(home.desk, advance)
        key = create_key(home.desk, home.office(clinic.BUSINESS).actor, "demo", SCOPES)
        password = clinic.let_in(home.desk)
    done = f"{made.appointments} appointments made" if made.is_new else "It was here already"
    panel(clinic.PROFILE.name, _lines(settings, key, password, done, is_served=is_served))
    # Outside the frame, which would break it into lines that cannot be pasted.
    click.echo("Paste this into another window:" if is_served else "Once it is served, paste this:")
    click.echo(f"curl -H 'Authorization: Bearer {key.secret}' '{settings.base_url}/appointments?limit=3'")


def _lines(settings: Settings, key: MadeKey, password: str, done: str, *, is_served: bool) -> Iterator[str]:
    patterns = {route.pattern for route in ALL if route.method == "GET"}
    yield f"{done}, in {Path(settings.database).name}, times in {clinic.ZONE}."
    yield ""
    for name, pattern in ADDRESSES.items():
        if pattern in patterns:
            yield f"{name + ':':<16}{settings.base_url}{pattern.format(business=clinic.BUSINESS)}"
    for email, (_, role) in clinic.MEMBERS.items():
        yield f"{'Sign in as:':<16}{email} ({role})"
    yield f"{'Password:':<16}{password}"
    yield f"{'Admin key:':<16}{key.secret}"
    yield ""
    if not settings.table:
        yield "Ctrl-C stops the server." if is_served else f"Serve it: {program()} serve"
    yield f"See the week: {program()} agenda --week --business {clinic.BUSINESS}"


COMMANDS = {"demo": demo}
