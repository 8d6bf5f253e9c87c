"""`slotkeeper members`: who signs in to the staff pages."""

import sys

import click

from slotkeeper.cli.screen import as_json, json_option, panel, table
from slotkeeper.cli.session import Office, at_business
from slotkeeper.cli.walltime import shown
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.desk import members as desk_members
from slotkeeper.desk.catalogue import Item
from slotkeeper.desk.members import ROLES, Member, Role
from slotkeeper.linking import INVITED_DAYS, Links
from slotkeeper.web.bodies import safe_text

INVITATION = "/staff/{business}/welcome/{token}"
"""Where an invitation leads."""


@click.group()
def members() -> None:
    """Who signs in to the staff pages.

    Each has a role. owner: everything, also services, members and keys; staff: appointments, customers and time off;
    viewer: look at all that staff see, and change nothing. There is always an active owner.
    """


role_option = click.option("--role", type=click.Choice(tuple(ROLES)), help="What they may do.")


@members.command("add")
@click.argument("email")
@click.option("--name", required=True, help="What they are called.")
@click.option("--role", type=click.Choice(tuple(ROLES)), default="staff", show_default=True, help="What they may do.")
@click.option("--password", "has_password", is_flag=True, help="Set a password at once, in place of an invitation.")
@at_business
def add(office: Office, email: str, name: str, role: Role, has_password: bool) -> None:
    """Add a member with the mail address EMAIL, and print the link by which they set their password."""
    email, name = safe_text(email, "email"), safe_text(name, "name")
    password = _password(email, name) if has_password else ""
    made = desk_members.add(office.desk, office.actor, email, name, role)
    if password:
        _set(office, made, password)
        click.echo(f"{made.value.email} may sign in as {role}.")
        return
    _invite(office, made)


@members.command("list")
@json_option
@at_business
def list_(office: Office, is_json: bool) -> None:
    """List the members."""
    found = desk_members.members(office.desk, office.actor.business)
    if is_json:
        as_json([_row(item) for item in found])
        return
    table(
        "Members",
        ("address", "name", "role", "added", "state"),
        [
            (
                item.value.email,
                item.value.name,
                item.value.role,
                shown(item.value.created, office.zone),
                _state(item.value),
            )
            for item in found
        ],
        "There are no members yet. Add one: slotkeeper members add EMAIL --name NAME --role owner",
    )


@members.command("change")
@click.argument("email")
@click.option("--name", help="What they are called.")
@role_option
@click.option("--active/--inactive", "active", default=None, help="Let them sign in, or not any more.")
@at_business
def change(office: Office, email: str, name: str | None, role: Role | None, active: bool | None) -> None:
    """Change the member with the address EMAIL; what is not named stays."""
    name = None if name is None else safe_text(name, "name")
    item = _found(office, email)
    after = desk_members.change(office.desk, office.actor, item.id, name=name, role=role, active=active)
    click.echo(f"{after.value.email} is {after.value.name}, {after.value.role}, {_state(after.value)}.")


@members.command("invite")
@click.argument("email")
@at_business
def invite(office: Office, email: str) -> None:
    """Print a link by which the member sets a new password, for 7 days and once."""
    _invite(office, _found(office, email))


@members.command("password")
@click.argument("email")
@at_business
def set_password(office: Office, email: str) -> None:
    """Set the password of the member with the address EMAIL, and sign them out everywhere.

    It is typed unseen, or read from standard input.
    """
    item = _found(office, email)
    _set(office, item, _password(item.value.email, item.value.name))
    click.echo(f"{item.value.email} has a new password.")


@members.command("remove")
@click.argument("email")
@at_business
def remove(office: Office, email: str) -> None:
    """Take the member away; they are signed out everywhere."""
    item = _found(office, email)
    desk_members.remove(office.desk, office.actor, item.id)
    click.echo(f"{item.value.email} is no member any more.")


def _found(office: Office, email: str) -> Item[Member]:
    found = desk_members.by_email(office.desk, office.actor.business, email)
    if found is None:
        raise Missing("member", email)
    return found


def _invite(office: Office, item: Item[Member]) -> None:
    business, proof = office.actor.business, desk_members.proof_of(item.value)
    if not item.value.active:
        raise Invalid(f"{item.value.email} is inactive: make them active first, with --active")
    token = Links(office.home.store).invitation_token(business, item.id, proof, office.desk.now())
    where = office.home.settings.base_url + INVITATION.format(business=business, token=token)
    said = f"Give {item.value.name} this link, by a way that nobody else reads. It works once, for {INVITED_DAYS} days:"
    panel(f"{item.value.email}, {item.value.role}", [said])
    # Outside the frame, which would break it into lines that cannot be pasted.
    click.echo(where)


def _set(office: Office, item: Item[Member], password: str) -> None:
    from slotkeeper.desk.passwords import hashed  # what hashes is loaded by those who need it

    desk_members.set_password_hash(office.desk, office.actor, item.id, hashed(password))


def _password(email: str, name: str) -> str:
    """A new password, typed unseen and twice, or the first line of standard input. Raises `Invalid` for a bad one."""
    from slotkeeper.desk.passwords import check_password

    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    check_password(typed, email, name)
    return typed


def _row(item: Item[Member]) -> dict[str, object]:
    member = item.value
    return {
        "id": item.id,
        "email": member.email,
        "name": member.name,
        "role": member.role,
        "active": member.active,
        "hasPassword": bool(member.password),
    }


def _state(member: Member) -> str:
    if not member.active:
        return "inactive"
    return "active" if member.password else "invited"


COMMANDS = {"members": members}
