"""`slotkeeper aws`: package, deploy, outputs and delete."""

from collections.abc import Callable
from dataclasses import asdict
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from slotkeeper.aws.account import Account, sign_in, told
from slotkeeper.aws.deploying import REVIEW, TABLES, Plan, Stack, check_ready, no_stack
from slotkeeper.aws.hindered import Hindered
from slotkeeper.aws.packing import PACKAGE
from slotkeeper.aws.parameters import pairs
from slotkeeper.aws.uploading import package_key, read_template, shelf
from slotkeeper.aws.wheels import ARCHITECTURES, PYTHONS, Architecture
from slotkeeper.cli.complaints import Needs
from slotkeeper.cli.release import DEFAULT_ARCHITECTURE, DEFAULT_PYTHON, packed, release, tell_compiler, uploaded
from slotkeeper.cli.screen import as_json, json_option, panel, program, table
from slotkeeper.cli.stack import show, watched
from slotkeeper.core.errors import Invalid
from slotkeeper.settings import DEFAULT_REGION, aws_access

TEMPLATE = PACKAGE / "aws" / "template.json"


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """Tell of what hinders the command as of any other need."""

    def called(*args: Any, **others: Any) -> None:
        try:
            command(*args, **others)
        except Hindered as error:
            raise Needs(str(error), error.hint) from error

    return update_wrapper(called, command)


def _at_stack(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--stack", default="slotkeeper", show_default=True, metavar="NAME", help="The stack.")(
        command
    )
    return _at_region(command)


def _at_region(command: Callable[..., None]) -> Callable[..., None]:
    meaning = f"The region; without it the one of AWS_REGION, else {DEFAULT_REGION}."
    return click.option("--region", metavar="REGION", help=meaning)(command)


@click.group()
def aws() -> None:
    """Deploy to AWS, and look after what runs there.

    Credentials come from where AWS's own tools find them: AWS_PROFILE, AWS_ACCESS_KEY_ID, or this machine's role.
    """


@aws.command()
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    default=DEFAULT_ARCHITECTURE,
    show_default=True,
    help="The processor that the functions run on.",
)
@click.option(
    "--python",
    type=click.Choice(PYTHONS),
    default=DEFAULT_PYTHON,
    show_default=True,
    help="The Python that the functions run on.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; without it slotkeeper-ARCHITECTURE.zip here.",
)
@click.option("--sources-only", is_flag=True, help="Compile no modules: smaller, but a cold start takes longer.")
@click.option("--bucket", metavar="NAME", help="Upload it into this bucket too; it is made when there is none.")
@_at_region
@json_option
@_told
def package(
    architecture: Architecture,
    python: str,
    output: Path | None,
    sources_only: bool,
    bucket: str | None,
    region: str | None,
    is_json: bool,
) -> None:
    """Put the code of all functions into one zip.

    It holds Slotkeeper and the locked packages for Lambda's machines, whatever machine this is. The same sources give
    the same bytes each time.
    """
    output = output or Path(f"slotkeeper-{architecture}.zip")
    target = shelf(_account(region), bucket) if bucket else None
    made = packed(output, architecture, python, is_compiled=not sources_only)
    if target is not None:
        target.ensure()
        uploaded(target, made)
    if is_json:
        facts = asdict(made) | {"path": str(made.path), "key": package_key(made)}
        as_json(facts | ({"bucket": bucket} if bucket else {}))
        return
    click.echo(f"{made.path} holds {made.size:,} bytes ({made.unpacked:,} unzipped).")
    if not sources_only:
        tell_compiler(made)
    place = f"s3://{bucket}/" if bucket else "Its key in a bucket: "
    click.echo(f"{place}{package_key(made)}")


@aws.command()
@_at_stack
@click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the template.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="A tag for all that is made.")
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    help=f"The processor; {DEFAULT_ARCHITECTURE} unless the stack has another.",
)
@click.option(
    "--python",
    type=click.Choice(PYTHONS),
    help=f"The Python that the functions run on; {DEFAULT_PYTHON} unless the stack has another.",
)
@click.option("--bucket", metavar="NAME", help="The bucket for the code; without it one is made for it.")
@click.option(
    "--template",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=TEMPLATE,
    show_default="the one that comes along",
    help="Another template, as JSON.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_told
def deploy(
    stack: str,
    region: str | None,
    parameters: tuple[str, ...],
    tags: tuple[str, ...],
    architecture: Architecture | None,
    python: str | None,
    bucket: str | None,
    path: Path,
    yes: bool,
) -> None:
    """Make the stack, or bring it up to date.

    What would change is shown first, and nothing changes without your yes. Parameters that are not given stay as they
    are. When something fails, all goes back to what it was.
    """
    template = read_template(path)
    given = pairs(parameters)
    account = _account(region)
    there = Stack(account, stack)
    check_ready(stack, there.state())
    code = release(shelf(account, bucket), template, given, there.parameters(), architecture, python)
    code.check()
    url, values = code.uploaded()
    plan = there.plan(url, values, pairs(tags, "tag"))
    if plan is None:
        click.echo(f"Nothing changes: {stack} is as the template says.")
        return
    show(plan, stack)
    if not yes:
        _ask(there, plan, f"Change the stack {stack} in {account.region}?")
    watched(there.carry_out(plan), "Changing", stack, total=len(plan.changes))
    _tell_outputs(there)
    if plan.is_first:
        _next_steps(there.outputs(), stack, account)


@aws.command()
@_at_stack
@click.option("--gateway-key", is_flag=True, help="Only the key that the gateway asks for: a secret.")
@json_option
@_told
def outputs(stack: str, region: str | None, gateway_key: bool, is_json: bool) -> None:
    """Show the addresses and names of what was deployed."""
    account = _account(region)
    there = Stack(account, stack)
    if gateway_key:
        key = _gateway_key(account, there.outputs())
        as_json({"gatewayKey": key}) if is_json else click.echo(key)
    elif is_json:
        as_json(there.outputs())
    else:
        _tell_outputs(there)


@aws.command()
@_at_stack
@click.option("--confirm", metavar="NAME", help="The stack's name once more, in place of being asked for it.")
@_told
def delete(stack: str, region: str | None, confirm: str | None) -> None:
    """Delete the stack.

    What the template retains stays, such as the table with all appointments; it is named, with how to remove it. The
    bucket of code stays too.
    """
    account = _account(region)
    there = Stack(account, stack)
    state = there.state()
    if not state:
        raise no_stack(stack)
    kept = there.kept() if state != REVIEW else []
    lines = [f"Everything of the stack {stack} in {account.region} goes, and what used it stops."]
    lines += [f"Kept: {each.id}, the {each.type} {each.name}" for each in kept] or ["Nothing is kept."]
    panel("Delete", lines)
    if confirm is None:
        confirm = click.prompt("The stack's name, to go on")
    if confirm != stack:
        raise Invalid(f"{confirm[:60]!r} is not the stack's name: nothing was deleted")
    watched(there.delete(), "Deleting", stack, total=None)
    click.echo(f"The stack {stack} is gone.")
    for each in kept:
        click.echo(f"Kept: {each.type} {each.name}")
        if each.type in TABLES:
            click.echo(f"  Read it:    {program()} --database dynamodb:{each.name} export FILE.jsonl --all")
            where = f"--table-name {each.name} --region {account.region}"
            click.echo(f"  Remove it:  aws dynamodb update-table --no-deletion-protection-enabled {where}")
            click.echo(f"              aws dynamodb delete-table {where}")


def _account(region: str | None) -> Account:
    return sign_in(region or aws_access().region)


def _ask(there: Stack, plan: Plan, question: str) -> None:
    """Raises `click.Abort` for anything but a yes, with the change set forgotten."""
    try:
        click.confirm(question, abort=True)
    except click.Abort:
        there.discard(plan.arn, with_stack=plan.made_stack)
        click.echo("Nothing was changed.")
        raise


def _tell_outputs(there: Stack) -> None:
    rows = sorted(there.outputs().items())
    table(f"Stack {there.name}", ("name", "value"), rows, f"The stack {there.name} tells nothing of itself.")


def _gateway_key(account: Account, found: dict[str, str]) -> str:
    if not found.get("ApiKeyId"):
        raise Hindered("the gateway of this stack asks for no key", "It was deployed with Authentication=Cognito.")
    with told():
        answer = account.client("apigateway").get_api_key(apiKey=found["ApiKeyId"], includeValue=True)
    return str(answer["value"])


def _next_steps(found: dict[str, str], stack: str, account: Account) -> None:
    if "TableName" not in found:
        return
    name = program()
    where = f" --stack {stack}" if stack != "slotkeeper" else ""
    where += f" --region {account.region}" if account.region != aws_access().region else ""
    lines = [
        f"export AWS_REGION={account.region}",
        f"{name} --database dynamodb:{found['TableName']} init 'My practice' --zone Europe/Berlin",
        "    makes a business and prints its first key, sk_...",
    ]
    if found.get("ApiKeyId"):
        lines += [f"{name} aws outputs --gateway-key{where}", "    prints the key that the gateway asks for"]
    if found.get("ApiUrl"):
        url = found["ApiUrl"].rstrip("/")
        ask = "-H 'X-API-Key: GATEWAY_KEY' " if found.get("ApiKeyId") else ""
        lines += [f"curl {ask}-H 'Authorization: Bearer sk_...' {url}/services"]
    panel("Next", lines)


COMMANDS = {"aws": aws}
