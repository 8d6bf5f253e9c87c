"""Tables of DynamoDB for tests: made from the names that the store goes by, and stores on them."""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from slotkeeper.settings import AwsAccess
from slotkeeper.stores.connection import Connection
from slotkeeper.stores.dynamodb import DynamoStore
from slotkeeper.stores.items import LISTS, PART, SORT, list_attributes
from slotkeeper.stores.signing import Credentials
from tests.aws.emulator import Emulator

K = TypeVar("K", bound=Connection)


def table_definition(name: str) -> dict[str, Any]:
    """What `create_table` is given."""
    pairs = {None: (PART, SORT)} | {each: list_attributes(each) for each in LISTS}
    schemas = {
        each: [{"AttributeName": part, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
        for each, (part, sort) in pairs.items()
    }
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": schemas.pop(None),
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"} for pair in pairs.values() for attribute in pair
        ],
        "GlobalSecondaryIndexes": [
            {"IndexName": each, "KeySchema": schema, "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for each, schema in schemas.items()
        ],
    }


def a_table(emulator: Emulator) -> str:
    """A new, empty table; returns its name."""
    name = f"test-{secrets.token_hex(4)}"
    emulator.client("dynamodb").create_table(**table_definition(name))
    return name


def a_connection(access: AwsAccess, kind: Callable[..., K], **others: Any) -> K:
    """A connection as `access` says, of our own kind or one that a test has made of it. It has time: the machine may
    be busy."""
    usual = {"endpoint": access.dynamodb_endpoint, "app": access.app, "budget_seconds": 30, "try_seconds": 10}
    facts: dict[str, Any] = usual | others
    return kind(Credentials(access.key_id, access.secret, access.token), access.region, **facts)


def a_store(emulator: Emulator, table: str | None = None, **others: Any) -> DynamoStore:
    """A store on the table, or on a new one."""
    return DynamoStore(a_connection(emulator.access, Connection), table or a_table(emulator), **others)
