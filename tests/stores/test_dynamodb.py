"""The DynamoDB store: the contract of every store, and what is its own."""

from collections.abc import Iterator

import pytest

from slotkeeper.contracts import Store
from tests.aws.emulator import Emulator
from tests.aws.tables import a_store
from tests.contracts.store import StoreContract


class TestDynamoStore(StoreContract):
    @pytest.fixture
    def store(self, emulator: Emulator) -> Iterator[Store]:
        store = a_store(emulator)
        yield store
        store.close()
