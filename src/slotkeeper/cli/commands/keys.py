"""`slotkeeper keys`: make, list and revoke keys for the API."""

import click

from slotkeeper.cli.screen import as_json, json_option, panel, table
from slotkeeper.cli.session import Office, at_business
from slotkeeper.cli.walltime import shown
from slotkeeper.core.actor import SCOPES, Scope
from slotkeeper.desk import keys as desk_keys
from slotkeeper.web.bodies import safe_text


@click.group()
def keys() -> None:
    """Keys for the API.

    Each has scopes. read: see services, slots and appointments; book: also book, move and cancel; staff: also other
    people's details, states and overrides; admin: also the catalogue, keys and dead letters.
    """


@keys.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="What it may do; repeatable.")
@click.option("--customer", default="", metavar="ID", help="Let it act for this customer alone.")
@json_option
@at_business
def create(office: Office, name: str, scopes: tuple[Scope, ...], customer: str, is_json: bool) -> None:
    """Make a key called NAME; without --scope it may read and book."""
    made = desk_keys.create_key(
        office.desk, office.actor, safe_text(name, "name"), scopes or ("read", "book"), customer
    )
    if is_json:
        as_json({"id": made.id, "secret": made.secret, "name": name, "scopes": made.key.scopes})
        return
    panel(
        f"Key {made.id}",
        [made.secret, "", f"It may {', '.join(made.key.scopes)}. It is shown this once: keep it safe."],
    )


@keys.command("list")
@json_option
@at_business
def list_(office: Office, is_json: bool) -> None:
    """List the keys, revoked ones too."""
    found = desk_keys.keys(office.desk, office.actor)
    if is_json:
        as_json(
            [
                {
                    "id": id,
                    "name": key.name,
                    "scopes": key.scopes,
                    "customerId": key.customer_id,
                    "isRevoked": bool(key.revoked),
                }
                for id, key in found
            ]
        )
        return
    table(
        "Keys",
        ("id", "name", "scopes", "made", "revoked"),
        [
            (
                id,
                key.name + (f" (for {key.customer_id})" if key.customer_id else ""),
                " ".join(key.scopes),
                shown(key.created, office.zone),
                shown(key.revoked, office.zone) if key.revoked else "",
            )
            for id, key in found
        ],
        "There are no keys yet. Make one: slotkeeper keys create NAME --scope admin",
    )


@keys.command("revoke")
@click.argument("id")
@at_business
def revoke(office: Office, id: str) -> None:
    """Make the key ID useless from now on."""
    desk_keys.revoke_key(office.desk, office.actor, id)
    click.echo(f"Key {id} is revoked.")


COMMANDS = {"keys": keys}
