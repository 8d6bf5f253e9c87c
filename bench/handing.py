"""Loops that hand ready-made mails to an SMTP server and do nothing else: what a sender can be measured against."""

import asyncio
import smtplib

import aiosmtplib
import uvloop

from slotkeeper.contracts import Letter
from slotkeeper.core.ticks import Instant
from slotkeeper.senders.mail import written

SENDER, READER = "desk@example.com", "ada@example.com"
CONNECTIONS = 16
TEXT = "A reminder of your appointment, and what to bring along, in a few words that fill a line.\n"


def mails(count: int) -> list[bytes]:
    """So many mails of text and HTML, about as large as a reminder."""
    letters = (
        Letter(f"msg_{number:032x}", "email", READER, "Reminder", TEXT * 3, TEXT * 30) for number in range(count)
    )
    return [written(letter, SENDER, Instant(0)) for letter in letters]


def by_smtplib(port: int, count: int) -> None:
    """One connection of the standard library's, letter by letter."""
    waiting = mails(count)
    with smtplib.SMTP("127.0.0.1", port) as server:
        for mail in waiting:
            server.sendmail(SENDER, READER, mail)


def by_aiosmtplib(port: int, count: int) -> None:
    """Several connections in one event loop."""
    waiting = iter(mails(count))

    async def lane() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as server:
            for mail in waiting:
                await server.sendmail(SENDER, READER, mail)

    async def all_lanes() -> None:
        await asyncio.gather(*(lane() for _ in range(CONNECTIONS)))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(all_lanes())
