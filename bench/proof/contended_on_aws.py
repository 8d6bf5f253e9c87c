"""The same competition at the functions that our template deploys, on an emulator of AWS."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zlib import decompress

from bench.proof.contended import CLAIM, Outcome, Size, competed, judged, said
from bench.proof.shop import furnish
from bench.proof.table import Row
from bench.proof.unconditional import unconditional
from bench.proof.wire import Target
from tests.aws.deployed import Deployment, deployed, the_zip
from tests.aws.emulator import Emulator, emulating, free_port

SIZE = Size(20_000, 2, 4, 96)
BROKEN_SIZE = Size(240, 2, 4, 16)
BUSINESS = "clinic"
"""What a deployment has from its beginning."""


def rows() -> Iterator[Row]:
    """One row: the table, and a table whose conditions are lost on the way."""
    with tempfile.TemporaryDirectory() as folder, emulating(Path(folder)) as emulator:
        sound = on_aws(emulator, SIZE, "DynamoDB")
    with tempfile.TemporaryDirectory() as folder, careless(Path(folder)) as emulator:
        broken = on_aws(emulator, BROKEN_SIZE, "DynamoDB without conditions")
    yield Row(
        claim=f"{CLAIM}, on DynamoDB",
        tried=f"{said(SIZE)} through API Gateway and Lambda on the emulator",
        found=sound.text,
        holds=sound.is_right,
        broken=f"writes without their conditions: {broken.text}",
        is_caught=not broken.is_right,
    )


@contextmanager
def careless(folder: Path) -> Iterator[Emulator]:
    """An emulator whose functions write to a table that checks nothing."""
    port = free_port()
    with (
        unconditional(f"127.0.0.1:{port}") as endpoint,
        emulating(folder, port=port, AWS_ENDPOINT_URL_DYNAMODB=endpoint) as emulator,
    ):
        yield emulator


def on_aws(emulator: Emulator, size: Size, title: str) -> Outcome:
    """Deploy, let rivals compete, and look through what they left behind in the table."""
    with deployed(emulator, the_zip()) as home:
        # The emulator has no queue of asynchronous calls: each would be a process that unpacks its code first.
        emulator.client("lambda").put_function_concurrency(
            FunctionName=home.ids["ReminderSender"], ReservedConcurrentExecutions=1
        )
        target = target_of(home)
        furnish(target)
        told, seconds = competed(target, size, title)
        path = emulator.folder / "table.db"
        dump(emulator.client("dynamodb"), home.outputs["TableName"], path)
        return Outcome(told, judged(path, BUSINESS, told), seconds)


def target_of(home: Deployment) -> Target:
    """Where the deployment is asked."""
    base = f"/restapis/{home.outputs['ApiId']}/{home.outputs['StageName']}/_user_request_"
    headers = {"x-api-key": home.gateway_key, "Authorization": f"Bearer {home.key}"}
    return Target((urlsplit(home.emulator.endpoint).port or 0,), headers, base)


def dump(client: Any, table: str, path: Path) -> None:
    """Copy the documents of a DynamoDB table, as they stand there, to a new SQLite file."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    rows = ((item["part"]["S"], item["sort"]["S"], _body(item)) for page in pages for item in page["Items"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE doc (part TEXT, sort TEXT, body TEXT, PRIMARY KEY (part, sort))")
        connection.executemany("INSERT INTO doc VALUES (?, ?, ?)", rows)


def _body(item: dict[str, dict[str, Any]]) -> str:
    """The JSON of a document: as text, or deflated."""
    if "body" in item:
        return str(item["body"]["S"])
    return decompress(item["deflated"]["B"]).decode()
