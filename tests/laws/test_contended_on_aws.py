"""What the competition on DynamoDB stands on: tables are swept like files, and one without conditions is unsafe.

The competition itself takes a deployment and many minutes: `python -m bench.proof contended`. With fewer clients it is
in `tests/e2e/test_aws.py`, and amid failures in `tests/e2e/test_aws_in_a_storm.py`.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench.proof.contended_on_aws import dump
from bench.proof.sweep import swept
from bench.proof.unconditional import unconditional, without_conditions
from slotkeeper.contracts import Change, Key, Put, Stale
from slotkeeper.stores.connection import Connection
from slotkeeper.stores.dynamodb import DynamoStore
from slotkeeper.stores.signing import Credentials
from tests.aws.emulator import REGION, Emulator
from tests.aws.tables import a_store, a_table
from tests.builders import a_clinic
from tests.laws.test_contended import UNCLAIMED, a_used_clinic


@pytest.mark.slow
def test_a_table_of_dynamodb_is_swept_like_a_file(emulator: Emulator, tmp_path: Path) -> None:
    name, path = a_table(emulator), tmp_path / "table.db"
    store = a_store(emulator, name)
    a_used_clinic(a_clinic(store))
    store.close()
    dump(emulator.client("dynamodb"), name, path)

    assert swept(path) == {}
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE doc SET body = '[]' WHERE part = 'clinic/sheet/d0'")
    assert swept(path).keys() == {UNCLAIMED}


@pytest.mark.slow
def test_a_dynamodb_without_conditions_lets_two_have_one_time(emulator: Emulator) -> None:
    name, key, other = a_table(emulator), Key("shop/a", "1"), Key("shop/b", "1")
    with unconditional(emulator.endpoint.removeprefix("http://")) as endpoint:
        careless = DynamoStore(Connection(Credentials("test", "test"), REGION, endpoint=endpoint), name)
        for body in (b"1", b"2"):
            careless.commit(Change({key: 0}, [Put(key, body)]))
            careless.commit(Change({key: 0, other: 0}, [Put(other, body)]))
        careless.close()
    sound = a_store(emulator, name)

    assert {doc.body for doc in sound.read([key, other]).values()} == {b"2"}
    with pytest.raises(Stale):
        sound.commit(Change({key: 0}, [Put(key, b"3")]))
    sound.close()


def test_no_call_but_a_write_loses_its_conditions() -> None:
    query = {"TableName": "t", "ExpressionAttributeNames": {"#part": "part"}}

    assert without_conditions("Query", query) == query
