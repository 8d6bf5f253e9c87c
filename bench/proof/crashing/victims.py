"""What is done in processes that are killed: serving, migrating, and the command line's own commands."""

import socket
from collections.abc import Sequence

from bench.proof.crashing import broken
from bench.proof.crashing.killing import Say
from bench.proof.crashing.works import newer
from slotkeeper.cli.main import cli
from slotkeeper.core.ticks import Instant
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.server import Server, configured
from slotkeeper.senders.smtp import SmtpSettings
from slotkeeper.stores.sqlite import SqliteStore
from tests.serving import UNLIMITED

BEGUN, DONE = "begun", "done"


def mail(port: int) -> SmtpSettings:
    """The mail server on that port of this machine."""
    return SmtpSettings(host="127.0.0.1", port=port, sender="clinic@example.com", security="none")


def serve(say: Say, database: str, mail_port: int, now: int, breaking: str) -> None:
    """Serve and deliver, at a time that stands still; says its port."""
    with broken.build(breaking), socket.create_server(("127.0.0.1", 0)) as listener:
        house = build(Plan(database=database, rules=UNLIMITED, smtp=mail(mail_port)), lambda: Instant(now))
        say(listener.getsockname()[1])
        Server(configured(house.app, grace_seconds=1), house.app.streams).run([listener])


def migrate(say: Say, database: str, breaking: str) -> None:
    """Open the file with a later version."""
    with broken.build(breaking), newer():
        say(BEGUN)
        SqliteStore(database).close()
        say(DONE)


def command(say: Say, args: Sequence[str], breaking: str) -> None:
    """Do what one calls on the command line."""
    with broken.build(breaking):
        say(BEGUN)
        if cli(args, standalone_mode=False):  # its exit code
            raise RuntimeError(f"{args} did not succeed")
        say(DONE)
