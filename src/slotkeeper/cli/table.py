"""Opening a DynamoDB table from here: with whose credentials, and what is said when it cannot be opened."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from slotkeeper.cli.complaints import Needs
from slotkeeper.contracts import Key
from slotkeeper.settings import AwsAccess
from slotkeeper.stores.connection import Connection, Rejected
from slotkeeper.stores.dynamodb import DynamoStore
from slotkeeper.stores.signing import Credentials

BUDGET_SECONDS, TRY_SECONDS = 20.0, 5.0
"""Whoever sits at a terminal, far from the region, would rather wait than start anew."""

APP = "cli"
NOBODY = Key("-", "-")
"""Where no document is: asking for it first shows whether the table can be read."""

SIGN_IN = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or run: aws configure"
AGAIN = "Sign in again, for example: aws sso login"
HINTS = {
    "AccessDeniedException": "Use credentials that may read and write the table and its indexes.",
    "ExpiredTokenException": AGAIN,
    "UnrecognizedClientException": SIGN_IN,
    "InvalidSignatureException": "The secret does not belong to the access key, or this machine's clock is wrong.",
    "MissingAuthenticationTokenException": SIGN_IN,
}


@contextmanager
def a_table(name: str, access: AwsAccess) -> Iterator[DynamoStore]:
    """The store in the table of that name, until the block ends.

    Raises:
        Needs: the table, or credentials that may do what is done within, are missing. Unreachable: no answer comes.
    """
    if not name:
        raise Needs("the database is a table without a name", "Name it: --database dynamodb:TABLE")
    connection = Connection(
        credentials(access),
        access.region,
        endpoint=access.dynamodb_endpoint,
        app=access.app or APP,
        budget_seconds=BUDGET_SECONDS,
        try_seconds=TRY_SECONDS,
    )
    with closing(DynamoStore(connection, name)) as store:
        try:
            store.read([NOBODY])
            yield store
        except Rejected as error:
            raise _explained(error, name, access) from error


def credentials(access: AwsAccess) -> Credentials | Callable[[], Credentials]:
    """Those of the environment, else those that boto3 finds: a profile's, a single sign-on's, the machine's own.

    Raises:
        Needs: there are none.
    """
    if access.key_id and access.secret:
        return Credentials(access.key_id, access.secret, access.token)
    try:
        from boto3.session import Session
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError as error:
        raise Needs(
            "there are no AWS credentials in the environment, and boto3, which finds others, is not installed",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or install it: "
            "make setup in a clone, else pip install 'slotkeeper[aws]'",
        ) from error
    try:
        found = Session().get_credentials()
    except BotoCoreError as error:
        raise Needs(f"the AWS credentials cannot be had: {error}", SIGN_IN) from error
    if found is None:
        raise Needs("there are no AWS credentials", SIGN_IN)
    return lambda: _frozen(found, BotoCoreError)


def _frozen(found: Any, failure: type[Exception]) -> Credentials:
    """What is good now: credentials that expire are renewed by boto3."""
    try:
        now = found.get_frozen_credentials()
    except failure as error:
        raise Needs(f"the AWS credentials cannot be renewed: {error}", AGAIN) from error
    return Credentials(now.access_key, now.secret_key, now.token or "")


def _explained(error: Rejected, table: str, access: AwsAccess) -> Needs:
    if error.code == "ResourceNotFoundException":
        return Needs(
            f"there is no table {table!r} in {access.region}",
            "Deploy the stack that makes one: slotkeeper aws deploy; or name another region: AWS_REGION=...",
        )
    return Needs(str(error), HINTS.get(error.code, "Look at the table, and at who may do what with it."))
