"""`slotkeeper outbox`: the messages that were sent, or are kept because there is no mail server."""

import click
import msgspec

from slotkeeper.cli.screen import as_json, json_option, panel, table
from slotkeeper.cli.session import Office, at_business
from slotkeeper.cli.walltime import shown
from slotkeeper.courier.log import MAX_PAGE, Notification, notification, notifications
from slotkeeper.senders.outbox import KEPT


@click.command()
@click.argument("id", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, MAX_PAGE), help="How many.")
@json_option
@at_business
def outbox(office: Office, id: str | None, limit: int, is_json: bool) -> None:
    """Show the latest messages, or the message ID whole.

    Without a mail server (smtp.host) messages are kept here and go nowhere.
    """
    if id:
        _one(office, notification(office.home.store, office.actor.business, id), is_json)
        return
    found = notifications(office.home.store, office.actor.business, limit=limit).notifications
    show(office, "Messages, latest first", found, is_json, "No message has been sent yet: the server sends them.")


def show(office: Office, title: str, found: tuple[Notification, ...], is_json: bool, empty: str) -> None:
    """Show some messages, one a line."""
    if is_json:
        as_json([msgspec.to_builtins(each) for each in found])
        return
    table(
        title,
        ("id", "when", "state", "kind", "by", "to", "subject", "answer"),
        [
            (
                each.id,
                shown(each.at, office.zone),
                _state(each),
                each.kind,
                each.channel,
                each.to or "(no address)",
                each.subject,
                each.answer,
            )
            for each in found
        ],
        empty,
    )


def _state(found: Notification) -> str:
    """What became of it; what only the outbox took has not been sent to anyone."""
    return "kept" if found.state == "sent" and found.answer == KEPT else found.state


def _one(office: Office, found: Notification, is_json: bool) -> None:
    if is_json:
        as_json(msgspec.to_builtins(found))
        return
    head = [
        f"When     {shown(found.at, office.zone)}, try {found.attempts}",
        f"State    {_state(found)}: {found.answer}",
        f"To       {found.to or '(no address)'} by {found.channel}",
        f"About    appointment {found.appointment_id} ({found.kind})",
        f"Subject  {found.subject}",
    ]
    panel(found.id, [*head, "", *found.text.splitlines()])


COMMANDS = {"outbox": outbox}
