"""`slotkeeper doctor`: a proof on live data that nothing is double-booked or damaged."""

import click
import msgspec

from slotkeeper.cli.screen import as_json, json_option, progress
from slotkeeper.cli.session import Home, Session
from slotkeeper.doctor import CheckUp, examine

SHOWN = 100


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, is_json: bool) -> None:
    """Prove that nothing is double-booked or damaged.

    Every claim is held against its appointment, every appointment against its claims, and a file against SQLite's
    own check. The server may run meanwhile. Exit code 1: something is wrong.
    """
    session: Session = ctx.obj
    with session.opened() as home:
        found = _examined(home)
        care = "slotkeeper backup FILE" if home.file else "slotkeeper export FILE.jsonl --all"
    if is_json:
        as_json({"isClean": found.is_clean, **msgspec.to_builtins(found)})
    else:
        _tell(found, care)
    ctx.exit(0 if found.is_clean else 1)


def _examined(home: Home) -> CheckUp:
    with progress("Looking at everything") as advance:
        complaints = list(home.file.problems()) if home.file else []
        found = examine(home.store, home.desk.now(), lambda documents: advance(documents, note=f"{documents:,}"))
    found.complaints[:0] = complaints
    return found


def _tell(found: CheckUp, care: str) -> None:
    seen = f"{found.documents:,} documents, {found.appointments:,} appointments, {found.claims:,} claims"
    allowed = f"; {found.overrides:,} overlaps that staff allowed" if found.overrides else ""
    if found.is_clean:
        click.secho("All is well: ", fg="green", bold=True, nl=False)
        click.echo(seen + allowed)
        return
    click.secho(f"{len(found.complaints):,} things are wrong", fg="red", bold=True, nl=False)
    click.echo(f" ({seen}{allowed}):")
    for complaint in found.complaints[:SHOWN]:
        click.echo(f"  {complaint}")
    if len(found.complaints) > SHOWN:
        click.echo(f"  ... and {len(found.complaints) - SHOWN:,} more: slotkeeper doctor --json shows all")
    click.secho(f"Keep a copy before anything is mended: {care}", fg="yellow")


COMMANDS = {"doctor": doctor}
