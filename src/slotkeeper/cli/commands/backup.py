"""`slotkeeper backup` and `restore`."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

import click

from slotkeeper.cli.complaints import Needs
from slotkeeper.cli.screen import progress
from slotkeeper.cli.session import Session
from slotkeeper.core.errors import InUse, Unreachable
from slotkeeper.stores.restoring import put_in_place, put_log_away, sync
from slotkeeper.stores.restoring import restore as restore_file

OF_A_TABLE = (
    "DynamoDB keeps its last 35 days, to the second: restore it to a new table in the AWS console, under Backups.\n"
    "For a copy of your own: slotkeeper export FILE.jsonl --all, which slotkeeper import reads."
)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Write over FILE.")
@click.pass_obj
def backup(session: Session, file: Path, force: bool) -> None:
    """Copy the database to FILE while it is in use.

    FILE is there whole or not at all.
    """
    if file.exists() and not file.is_file():
        raise InUse(f"{file} is no ordinary file, and would be replaced by one: name another")
    if file.exists() and not force:
        raise InUse(f"{file} is there already: name another file, or say --force")
    partial = file.with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    with session.opened() as home:
        if home.file is None:
            raise Needs("only a file can be copied, not a table in DynamoDB", OF_A_TABLE)
        try:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with progress("Copying") as advance:
                home.file.backup(partial, advance)
            put_in_place(partial, file)
        finally:
            partial.unlink(missing_ok=True)
    click.echo(f"{file} holds the whole database ({file.stat().st_size:,} bytes).")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def restore(session: Session, file: Path, yes: bool) -> None:
    """Put the backup FILE in the place of the database.

    The server must be stopped. The database that was there is kept beside it.
    """
    settings = session.settings()
    if settings.table:
        raise Needs("a backup takes the place of a file only, not of a table in DynamoDB", OF_A_TABLE)
    path = Path(settings.database)
    _check_backup(file)
    if path.exists():
        _check_unused(path)
        if not yes:
            click.confirm(f"Put {file} in the place of {path}?", abort=True)
        kept = path.with_name(f"{path.name}.before-{datetime.fromtimestamp(session.clock(), UTC):%Y%m%dT%H%M%SZ}")
        _keep(path, kept)
        click.echo(f"What was there is kept as {kept}.")
    restore_file(file, path)
    click.echo(f"{path} is now what {file} was.")


def _check_unused(path: Path) -> None:
    """Raises `Needs` while another program has the database open: only then can its log be put away for good."""
    try:
        put_log_away(path)
    except Unreachable as error:
        raise Needs(str(error), "Stop the server, and every other slotkeeper command, first.") from error


def _check_backup(file: Path) -> None:
    """Raises `Needs` unless the file is a Slotkeeper database: to open another would make one of it."""
    try:
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
        with closing(connection):
            is_ours = bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'place'").fetchone())
    except sqlite3.Error:
        is_ours = False
    if not is_ours:
        raise Needs(f"{file} is not a backup of a Slotkeeper database", "Make backups with: slotkeeper backup FILE")


def _keep(path: Path, kept: Path) -> None:
    """Let the database be found under another name too; where there are no such links, copy it."""
    try:
        kept.hardlink_to(path)
    except OSError:
        copyfile(path, kept)
        sync(kept)


COMMANDS = {"backup": backup, "restore": restore}
