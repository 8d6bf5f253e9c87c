"""The command line: which commands there are, and how their errors are told.

Nothing but click is loaded before a command is called: `slotkeeper --help` answers at once.
"""

from importlib import import_module
from typing import Any

import click

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Begin": {
        "init": ("init", "Make a database, a business and its first key."),
        "demo": ("demo", "Make a clinic with two weeks of appointments, to try things."),
        "serve": ("serve", "Serve the API and the pages, and send what is due."),
    },
    "Appointments": {
        "slots": ("slots", "Show when a service can be booked."),
        "book": ("book", "Book an appointment."),
        "move": ("change", "Move an appointment to another time."),
        "confirm": ("change", "Confirm an appointment that waits for it."),
        "decline": ("change", "Decline an appointment that waits to be confirmed."),
        "cancel": ("change", "Cancel an appointment."),
        "agenda": ("agenda", "Show who has which appointments."),
    },
    "What can be booked": {
        "services": ("catalogue", "What customers book."),
        "resources": ("catalogue", "Who or what can be busy."),
        "pools": ("catalogue", "Resources of which any one will do."),
        "schedules": ("catalogue", "Opening hours."),
        "customers": ("catalogue", "Who appointments are for."),
    },
    "Access and messages": {
        "members": ("members", "Who signs in to the staff pages."),
        "keys": ("keys", "Keys for the API."),
        "outbox": ("outbox", "Show the messages that were sent, or are kept."),
        "dead-letters": ("dead_letters", "Messages that could not be delivered."),
    },
    "Data": {
        "import": ("transfer", "Read appointments, or a whole business, from a file."),
        "export": ("transfer", "Write appointments, or a whole business, to a file."),
        "backup": ("backup", "Copy the database while it is in use."),
        "restore": ("backup", "Put a backup in the place of the database."),
        "doctor": ("doctor", "Prove that nothing is double-booked or damaged."),
    },
    "On AWS": {
        "aws": ("aws", "Deploy to AWS, and look after what runs there."),
    },
}
"""For each command the module that has it, and what it does in one line."""

COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}

EPILOG = """\
Try it:  slotkeeper demo --serve

Settings come from slotkeeper.toml and from SLOTKEEPER_... in the environment.
Exit codes: 0 done, 1 refused or not there, 2 not understood, 3 the database cannot be reached."""


class Commands(click.Group):
    """The root: commands are loaded when they are named, and every error that is ours is told in a few lines."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"slotkeeper.cli.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args[0].startswith("-") and args[0] not in COMMANDS:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in SECTIONS.items():
            with formatter.section(click.style(title, bold=True)):
                formatter.write_dl([(click.style(name, fg="cyan"), line) for name, (_, line) in section.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\n" + EPILOG + "\n")

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise  # click tells of these, and leaves without a word when nobody reads on
        except Exception as error:  # the last boundary: told in a few lines, or raised again
            if ctx.params.get("debug"):
                raise
            from slotkeeper.cli.complaints import tell

            ctx.exit(tell(error))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--database", metavar="FILE", help="The database, in place of the one that the settings name.")
@click.option("--config", type=click.Path(dir_okay=False), help="The settings file, in place of slotkeeper.toml.")
@click.option("--debug", is_flag=True, help="Show where in the program an error comes from.")
@click.version_option(package_name="slotkeeper", message="slotkeeper %(version)s")
@click.pass_context
def cli(ctx: click.Context, database: str | None, config: str | None, debug: bool) -> None:
    """Appointments, never double-booked.

    The commands work on the database file itself, also beside a running server.
    """
    from slotkeeper.cli.session import Session

    session = ctx.obj if isinstance(ctx.obj, Session) else Session()
    session.config = config
    session.given = {"database": database} if database else {}
    ctx.obj = session


def main() -> None:
    """Run the command line of this process."""
    cli(prog_name="slotkeeper")
