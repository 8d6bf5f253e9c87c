"""What victims will do, done once: the process that they are forked from loads this, so that they begin warm."""

import asyncio

import click

from bench.proof.crashing import victims
from slotkeeper.cli.main import cli
from slotkeeper.embedded.server import configured
from tests.builders import a_clinic, contact
from tests.post import LetterBox, a_courier

START = "2026-11-24T09:00:00Z"


def rehearse() -> None:
    """Load what a server and the command line load when they are needed, book, and write a mail that goes nowhere."""
    configured(victims.serve, grace_seconds=1).load()
    for name in ("backup", "restore"):
        cli.get_command(click.Context(cli), name)
    clinic = a_clinic()
    clinic.book(START, contact=contact())
    asyncio.run(a_courier(clinic, LetterBox()).sweep())


rehearse()
