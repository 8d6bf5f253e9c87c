"""The simulator's store in memory keeps what every store promises."""

import random

import pytest

from bench.simulation.memory import MemoryStore
from bench.simulation.ordered import BLOCK, Ordered
from slotkeeper.contracts import Change, Key, Place, Put, Store
from tests.contracts.store import A, StoreContract, put


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


def test_a_batch_that_fails_leaves_nothing() -> None:
    store = MemoryStore()
    put(store, A, b"one", due=Place("due", "1"))

    with pytest.raises(RuntimeError), store.batch():  # noqa: PT012 - what was done before it failed is undone
        put(store, A, b"two", version=1, due=Place("due", "2"))
        store.commit(Change({A: 2, Key("b", "1"): 0}, [Put(Key("b", "1"), b"new")], [A]))
        raise RuntimeError

    assert [(doc.key, doc.version, doc.body) for doc in store.walk()] == [(A, 1, b"one")]
    assert [doc.body for doc in store.list("due", "due", limit=9).docs] == [b"one"]
    assert store.list("due", "due", first="2", limit=9).docs == []


def test_texts_are_in_order_whatever_was_added_and_removed() -> None:
    dice, ordered, plain = random.Random(1), Ordered(), set[str]()
    for _ in range(12 * BLOCK):
        text = f"{dice.randrange(10 * BLOCK):06d}"
        if text in plain:
            plain.remove(text)
            ordered.remove(text)
        else:
            plain.add(text)
            ordered.add(text)
        if dice.random() < 0.01:
            first, last = (f"{dice.randrange(10 * BLOCK):06d}" for _ in "ab")
            within = sorted(each for each in plain if first <= each <= last)
            assert list(ordered.forth(first, last)) == within
            assert list(ordered.back(first, last)) == within[::-1]
    for text in list(plain):
        ordered.remove(text)
    assert list(ordered.forth("", "9")) == list(ordered.back("", "9")) == []
