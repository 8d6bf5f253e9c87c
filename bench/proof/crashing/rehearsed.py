"""What victims will do, done once: the process that they are forked from loads this, so that they begin warm."""

import asyncio

import click
import uvicorn

from bench.proof.crashing import victims
from slotkeeper.cli.main import cli
from tests.builders import a_clinic, contact
from tests.post import LetterBox, a_courier

START = "2026-11-24T09:00:00Z"


def rehearse() -> None:
    """Load what a server and the command line load when they are needed, book, and write a mail that goes nowhere."""
    uvicorn.Config(victims.serve, ws="none", log_config=None).load()
    for name in ("backup", "restore"):
        cli.get_command(click.Context(cli), name)
    clinic = a_clinic()
    clinic.book(START, contact=contact())
    asyncio.run(a_courier(clinic, LetterBox()).sweep())


rehearse()
