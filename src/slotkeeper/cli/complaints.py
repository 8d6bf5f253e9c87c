"""How each error is told on the command line: what is wrong, what to do about it, and the exit code."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from slotkeeper.cli.walltime import shown
from slotkeeper.core.errors import Invalid, Missing, Refused, SlotkeeperError, Taken, Unreachable
from slotkeeper.core.ticks import parse_instant
from slotkeeper.settings import WrongSettings
from slotkeeper.stores.schema import Damaged

REFUSED, WRONG, UNREACHABLE, FAULT = 1, 2, 3, 70

LISTS = {
    "service": "services",
    "resource": "resources",
    "pool": "pools",
    "schedule": "schedules",
    "customer": "customers",
    "key": "keys",
    "notification": "dead-letters",
}
"""For what may be missing the command that lists what there is."""


class Needs(SlotkeeperError):
    """Something must be done first; `hint` says what."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def tell(error: Exception) -> int:
    """Write the error to standard error; returns the exit code."""
    click.secho(f"{_title(error)}: ", fg="red", bold=True, nl=False, err=True)
    for line in str(_message(error)).splitlines() or [type(error).__name__]:
        click.echo(line, err=True)
    for hint in _hints(error):
        click.secho(f"  {hint}", fg="yellow", err=True)
    return code_of(error)


def code_of(error: Exception) -> int:
    """1: refused or not there; 2: not understood; 3: the database cannot be reached or read; 70: our fault."""
    match error:
        case Invalid():
            return WRONG
        case Unreachable() | msgspec.MsgspecError() | sqlite3.Error():
            return UNREACHABLE
        case SlotkeeperError() | OSError():
            return REFUSED
        case _:
            return FAULT


def _title(error: Exception) -> str:
    match error:
        case Refused():
            return "Refused"
        case WrongSettings():
            return "Settings"
        case Invalid():
            return "Not understood"
        case _:
            return "Error"


def _message(error: Exception) -> str:
    match error:
        case Invalid(field=field) if field:
            return f"{field}: {error.message}"
        case Missing(kind=kind, id=id):
            return f"there is no {kind} {id!r}"
        case msgspec.MsgspecError():
            return f"the database holds a document that cannot be read: {error}"
        case OSError() if error.filename:
            return f"{str(error.filename).removesuffix('.partial')}: {error.strerror}"
        case SlotkeeperError() | OSError():
            return str(error)
        case _:
            return f"something unforeseen: {type(error).__name__}: {error}"


def _hints(error: Exception) -> Iterator[str]:
    match error:
        case Needs(hint=hint):
            yield from [hint] if hint else []
        case Refused():
            yield from _facts(error)
        case Missing(kind=kind) if kind in LISTS:
            yield f"See what there is: slotkeeper {LISTS[kind]} list"
        case Missing(kind="appointment"):
            yield "See what there is: slotkeeper agenda --week"
        case Damaged():
            yield "Restore a backup: slotkeeper restore BACKUP"
        case Unreachable():
            yield "Try again. If it stays so: look at the file, its folder and the free space."
            yield "A table on AWS: look at the network, AWS_REGION and AWS_ENDPOINT_URL."
        case msgspec.MsgspecError():
            yield "Look for what is damaged: slotkeeper doctor"
        case WrongSettings():
            yield "All settings are described in docs/reference/settings.md."
        case SlotkeeperError() | OSError():
            pass
        case _:
            yield "Run it again as `slotkeeper --debug ...` to see where this comes from."


def _facts(error: Refused) -> Iterator[str]:
    """Who stands in the way, and what would do instead, in the zone that the command noted in the facts."""
    zone = str(error.facts.get("zone", "UTC"))
    rival, offers = error.facts.get("conflictingAppointment"), error.facts.get("alternatives")
    if isinstance(error, Taken) and isinstance(rival, dict):
        owner = error.private.get("appointmentId", "a hold")
        yield f"In the way: {owner}, {_span(rival, zone)}"
    if isinstance(offers, list) and offers:
        yield "Free instead: " + ", ".join(_start(offer, zone) for offer in offers)


def _span(times: dict[str, Any], zone: str) -> str:
    return f"{_start(times, zone)} to {shown(parse_instant(times['endTime']), zone)[-5:]}"


def _start(times: dict[str, Any], zone: str) -> str:
    return shown(parse_instant(times["startTime"]), zone)
