"""The DynamoDB store: the contract of every store, and what is its own."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from json import dumps
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slotkeeper.contracts import Change, Doc, Key, ListName, Place, Put, Range, Stale, Store
from slotkeeper.core.errors import Invalid, Unreachable
from slotkeeper.core.ticks import Instant
from slotkeeper.stores.connection import Connection, Rejected
from slotkeeper.stores.dynamodb import Counts, DynamoStore
from slotkeeper.stores.items import BODY, DEFLATED, LISTS, doc_of, item_of, place_of, size_of
from slotkeeper.stores.signing import Credentials
from slotkeeper.stores.sqlite import SqliteStore
from tests.aws.emulator import Emulator
from tests.aws.tables import a_connection, a_store, a_table
from tests.contracts.store import A, B, C, StoreContract, put
from tests.stores.peer import a_peer, answer
from tests.stores.sized import a_put_of

pytestmark = pytest.mark.slow

D = Key("shop/d", "1")


class TestDynamoStore(StoreContract):
    @pytest.fixture
    def store(self, emulator: Emulator) -> Iterator[Store]:
        store = a_store(emulator)
        yield store
        store.close()


class Spy(Connection):
    """Notes what it calls, and in which reads it did not insist on what is there now."""

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self.operations: list[str] = []
        self.lax: list[str] = []

    def call(self, operation: str, payload: Any) -> dict[str, Any]:
        self.operations.append(operation)
        if operation in ("GetItem", "BatchGetItem", "Query", "Scan") and '"ConsistentRead": true' not in dumps(payload):
            self.lax.append(f"{operation} {payload.get('IndexName', '')}")
        return super().call(operation, payload)


class Lagging(Connection):
    """Its indexes are asked once, and stay as they were then: as if the table's changes took long to reach them."""

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self.known: dict[str, dict[str, Any]] = {}

    def call(self, operation: str, payload: Any) -> dict[str, Any]:
        if "IndexName" not in payload:
            return super().call(operation, payload)
        asked = str(payload)
        if asked not in self.known:
            self.known[asked] = super().call(operation, payload)
        return self.known[asked]


class Sparing(Connection):
    """Gives two documents of a batch at a time, as a busy DynamoDB does."""

    given = 2

    def call(self, operation: str, payload: Any) -> dict[str, Any]:
        if operation != "BatchGetItem":
            return super().call(operation, payload)
        [(table, wanted)] = payload["RequestItems"].items()
        keys = wanted["Keys"]
        asked = {table: {**wanted, "Keys": keys[: self.given]}}
        answer = super().call(operation, {"RequestItems": asked}) if self.given else {"Responses": {}}
        left = {table: {**wanted, "Keys": keys[self.given :]}} if keys[self.given :] else {}
        return {**answer, "UnprocessedKeys": left}


class GivingNothing(Sparing):
    given = 0


Opening = Callable[..., DynamoStore]


@pytest.fixture
def opened(emulator: Emulator) -> Iterator[Opening]:
    """Opens stores on one table, over a connection of their own or a given one, and closes them."""
    table = a_table(emulator)
    made: list[DynamoStore] = []

    def opening(connection: Connection | None = None, **others: Any) -> DynamoStore:
        made.append(DynamoStore(connection or a_connection(emulator.access, Connection), table, **others))
        return made[-1]

    yield opening
    for each in made:
        each.close()


@pytest.fixture
def store(opened: Opening) -> DynamoStore:
    return opened()


def keys_of(store: Store, name: ListName, part: str, **others: Any) -> list[Key]:
    """Who stands in the list."""
    return [doc.key for doc in store.list(name, part, **({"limit": 9} | others)).docs]


def test_one_document_costs_a_put_and_several_a_transaction(opened: Opening, emulator: Emulator) -> None:
    spy = a_connection(emulator.access, Spy)
    store = opened(spy)

    put(store, A, b"one")
    put(store, A, b"two", version=1)
    store.commit(Change({A: 2, B: 0}, [Put(B, b"one")]))
    store.commit(Change({B: 1}, deletes=[B]))
    store.commit(Change({}))

    assert spy.operations == ["PutItem", "PutItem", "TransactWriteItems", "TransactWriteItems"]
    assert store.counts == Counts(calls=4, retries=0, stale=0)


def test_every_read_but_that_of_an_index_insists_on_what_is_there_now(opened: Opening, emulator: Emulator) -> None:
    spy = a_connection(emulator.access, Spy)
    store = opened(spy)
    for key in (A, B):
        put(store, key, b"one", start=Place("shop", key.part))

    store.read([A])
    store.read([A, B])
    store.read_ranges([Range("shop/a", "", "z")])
    list(store.walk("shop/"))
    assert keys_of(store, "start", "shop") == [A, B]

    assert spy.lax == ["Query start"]


def test_commits_that_come_too_late_are_counted(store: DynamoStore) -> None:
    put(store, A, b"one")
    for change in (Change({A: 0}, [Put(A, b"x")]), Change({A: 5}, deletes=[A])):
        with pytest.raises(Stale):
            store.commit(change)

    assert store.counts.stale == 2


def test_a_change_that_only_expects_is_judged(store: DynamoStore) -> None:
    put(store, A, b"one")

    store.commit(Change({A: 1, B: 0}))
    with pytest.raises(Stale) as caught:
        store.commit(Change({A: 2, B: 0}))

    assert caught.value.docs == {A: Doc(A, 1, b"one")}


def test_where_a_stream_tells_of_new_documents_they_are_due_from_their_second_writing_on(opened: Opening) -> None:
    store = opened(leaves_first_due=True)
    places: dict[ListName, Place] = {"due": Place("due", "1"), "start": Place("shop", "1")}

    store.commit(Change({A: 0}, [Put(A, b"one", places)]))
    store.commit(Change({B: 0, C: 0}, [Put(B, b"one", {"due": Place("due", "2")}), Put(C, b"one")]))
    first = keys_of(store, "due", "due"), keys_of(store, "start", "shop")
    store.commit(Change({A: 1}, [Put(A, b"two", places)]))

    assert first == ([], [A])
    assert keys_of(store, "due", "due") == [A]


SORTS = ["0", "1", "10", "2", "a", "a/", "a\0", "B", "é", "\uff5e", "\U0001f600", "\U0010ffff"]
BOUNDS = st.sampled_from(["", *SORTS]) | st.text(max_size=3) | st.just("a" * 2000)


@pytest.fixture(scope="module")
def twins(emulator: Emulator) -> Iterator[tuple[Store, Store]]:
    """The same documents in both kinds of store."""
    pair = a_store(emulator), SqliteStore(":memory:")
    for number, sort in enumerate(SORTS):
        for each in pair:
            put(each, Key("part", sort), b"x", start=Place("shop", sort), log=Place(f"log{number % 2}", sort))
    yield pair
    for each in pair:
        each.close()


@given(
    part=st.sampled_from(["shop", "log0", "", "a" * 3000]),
    first=BOUNDS,
    last=BOUNDS,
    after=st.none() | BOUNDS,
    limit=st.integers(1, 5),
    reverse=st.booleans(),
)
@example(part="shop", first="", last="\U0010ffff", after="\U0010ffff", limit=1, reverse=False)
@example(part="shop", first="1", last="a", after="0", limit=5, reverse=False)
def test_a_page_is_the_one_that_sqlite_has(
    twins: tuple[Store, Store], part: str, first: str, last: str, after: str | None, limit: int, reverse: bool
) -> None:
    name: ListName = "log" if part == "log0" else "start"

    ours, theirs = (
        each.list(name, part, first=first, last=last, after=after, limit=limit, reverse=reverse) for each in twins
    )

    assert (list(ours.docs), ours.after) == (list(theirs.docs), theirs.after)


@given(
    ranges=st.lists(st.builds(Range, st.sampled_from(["part", "none", "", "p" * 3000]), BOUNDS, BOUNDS), max_size=12)
)
def test_ranges_hold_what_sqlite_has(twins: tuple[Store, Store], ranges: list[Range]) -> None:
    ours, theirs = (each.read_ranges(ranges) for each in twins)

    assert ours == theirs


def test_where_no_document_can_be_there_is_none(store: DynamoStore) -> None:
    put(store, A, b"one")
    nowhere = [Key("", "1"), Key("shop", ""), Key("p" * 2049, "1"), Key("shop", "é" * 513)]

    assert store.read([*nowhere, A]).keys() == {A}
    assert store.read(nowhere[:1]) == {}
    for key in nowhere:
        with pytest.raises(Invalid, match="key"):
            put(store, key, b"x")
        with pytest.raises(Invalid, match="key"):
            store.commit(Change({A: 1}, [Put(A, b"two", {"start": Place(*key)})]))


def test_a_document_that_its_index_has_not_followed_is_shown_as_it_is_now_or_not_at_all(
    opened: Opening, emulator: Emulator
) -> None:
    store, behind = opened(), opened(a_connection(emulator.access, Lagging))
    for number, key in enumerate((A, B, C, D)):
        put(store, key, b"one", start=Place("shop", str(number)))
    before = [keys_of(behind, "start", "shop", limit=limit) for limit in (1, 9)]

    put(store, A, b"moved", version=1, start=Place("shop", "8"))
    put(store, B, b"left", version=1)
    put(store, C, b"two", version=1, start=Place("shop", "2"))
    store.commit(Change({D: 1}, deletes=[D]))

    assert before == [[A], [A, B, C, D]]
    assert [doc.body for doc in behind.list("start", "shop", limit=9).docs] == [b"two"]
    assert [doc.body for doc in behind.list("start", "shop", limit=1).docs] == [b"two"]
    assert keys_of(store, "start", "shop") == [C, A]


def test_a_page_that_its_index_would_have_left_short_is_filled_and_no_further(
    opened: Opening, emulator: Emulator
) -> None:
    store, behind = opened(), opened(a_connection(emulator.access, Lagging))
    for number, key in enumerate((A, B, C, D)):
        put(store, key, b"one", start=Place("shop", str(number)))
    before = keys_of(behind, "start", "shop", limit=2)

    put(store, A, b"moved", version=1, start=Place("shop", "8"))
    page = behind.list("start", "shop", limit=2)

    assert before == [A, B]
    assert ([doc.key for doc in page.docs], page.after) == ([B, C], "2")


def test_more_than_a_hundred_documents_are_read_at_once(opened: Opening, emulator: Emulator) -> None:
    spy = a_connection(emulator.access, Spy)
    store = opened(spy)
    keys = [Key("part", f"{number:03}") for number in range(230)]
    for first in range(0, 230, 100):
        some = keys[first : first + 100]
        store.commit(Change(dict.fromkeys(some, 0), [Put(key, key.sort.encode()) for key in some]))
    spy.operations.clear()

    found = store.read([*keys[::-1], *keys, A])

    assert list(found) == keys[::-1]
    assert all(doc.body.decode() == key.sort for key, doc in found.items())
    assert spy.operations == ["BatchGetItem"] * 3


def test_ranges_and_walks_go_on_over_pages_of_a_megabyte(opened: Opening, emulator: Emulator) -> None:
    spy = a_connection(emulator.access, Spy)
    store = opened(spy)
    noise = random.Random(20)
    bodies = {Key("part", f"{number:02}"): noise.randbytes(200_000) for number in range(11)}
    for key, body in bodies.items():
        put(store, key, body)
    spy.operations.clear()

    [ranged] = store.read_ranges([Range("part", "01", "\U0010ffff")])
    walked = {doc.key: doc.body for doc in store.walk("par")}

    assert [(doc.key, doc.body) for doc in ranged] == list(bodies.items())[1:]
    assert walked == bodies
    assert spy.operations.count("Query") >= 2
    assert spy.operations.count("Scan") >= 2


def test_what_a_busy_table_leaves_for_later_is_asked_for_until_it_is_there(opened: Opening, emulator: Emulator) -> None:
    store = opened(a_connection(emulator.access, Sparing))
    keys = [Key("part", str(number)) for number in range(9)]
    store.commit(Change(dict.fromkeys(keys, 0), [Put(key, b"x") for key in keys]))

    assert store.read(keys).keys() == set(keys)


def test_what_a_busy_table_never_gives_is_not_taken_for_missing(opened: Opening, emulator: Emulator) -> None:
    store = opened(a_connection(emulator.access, GivingNothing, budget_seconds=0.3))
    put(store, A, b"one")

    with pytest.raises(Unreachable, match="throttled"):
        store.read([A, B])


def test_what_is_larger_than_dynamodb_takes_is_told_so_and_not_written(store: DynamoStore) -> None:
    noise = random.Random(20)
    keys = [Key("part", str(number)) for number in range(11)]

    with pytest.raises(Invalid, match="bytes"):
        put(store, A, noise.randbytes(410_000))
    with pytest.raises(Invalid, match="at once"):
        store.commit(Change(dict.fromkeys(keys, 0), [Put(key, noise.randbytes(395_000)) for key in keys]))
    put(store, B, b"x" * 1_000_000)

    assert [doc.key for doc in store.walk()] == [B]
    assert store.read([B])[B].body == b"x" * 1_000_000


def test_a_transaction_may_have_all_the_bytes_that_dynamodb_takes_and_not_one_more() -> None:
    sizes = [381_300] * 10 + [381_304]
    puts = [a_put_of(Key("part", f"{number:02}"), size) for number, size in enumerate(sizes)]
    expects = {put.key: 0 for put in puts}
    larger = a_put_of(puts[-1].key, sizes[-1] + 1)
    with a_peer(answer({})) as peer:
        connection = Connection(Credentials("key", "secret"), "eu-central-1", endpoint=peer.endpoint)
        with closing(DynamoStore(connection, "table")) as store:
            with pytest.raises(Invalid, match="4,194,305 bytes at once, DynamoDB takes 4,194,304"):
                store.commit(Change(expects, [*puts[:-1], larger]))
            assert peer.asked == []

            store.commit(Change(expects, puts))

    assert len(peer.asked) == 1


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
PLACES = st.dictionaries(st.sampled_from(LISTS), st.builds(Place, TEXTS, TEXTS))
BODIES = (
    st.binary(max_size=3000) | st.text(max_size=900).map(str.encode) | st.integers(0, 5000).map(lambda n: b"ab" * n)
)


@given(
    put=st.builds(Put, st.builds(Key, TEXTS, TEXTS), BODIES, PLACES, st.integers(0, 2**33).map(Instant)),
    version=st.integers(1, 10**9),
    write=st.just("") | TEXTS,
)
def test_an_item_is_its_document_and_deflated_only_where_that_is_cheaper(put: Put, version: int, write: str) -> None:
    item = item_of(put, version, write=write)

    assert doc_of(item) == Doc(put.key, version, put.body)
    assert {name: place_of(item, name) for name in LISTS} == {name: put.places.get(name) for name in LISTS}
    assert item.get("until") == ({"N": str(put.until)} if put.until else None)
    if DEFLATED in item:
        whole = size_of(item) - size_of({DEFLATED: item[DEFLATED]}) + len(BODY) + len(put.body)
        assert -(-size_of(item) // 1024) < -(-whole // 1024) or not _is_text(put.body)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_sizes_are_those_that_are_billed(emulator: Emulator) -> None:
    table, client = a_table(emulator), emulator.client("dynamodb")
    empty = item_of(Put(A, b"", {"start": Place("shöp", "1")}, Instant(1_800_000_000)), 12, write="token")
    filler = 1024 - size_of(empty)

    units = []
    for length in (filler, filler + 1):
        item = empty | {BODY: {"S": "x" * length}}
        answer = client.put_item(TableName=table, Item=item, ReturnConsumedCapacity="INDEXES")
        units.append((size_of(item), answer["ConsumedCapacity"]["Table"]["CapacityUnits"]))

    assert units == [(1024, 1), (1025, 2)]


def test_batches_are_not_opened_within_each_other(store: DynamoStore) -> None:
    with store.batch():
        with pytest.raises(RuntimeError, match="within a batch"), store.batch():
            pass
        other = threading.Thread(target=lambda: put_in_a_batch(store))
        other.start()
        other.join()
    put_in_a_batch(store, version=1)

    assert store.read([A])[A].version == 2


def put_in_a_batch(store: Store, version: int = 0) -> None:
    with store.batch():
        put(store, A, b"x", version=version)


def test_a_table_that_is_not_there_is_not_an_empty_one(emulator: Emulator) -> None:
    store = a_store(emulator, "no-such-table")

    for ask in (
        lambda: store.read([A]),
        lambda: store.read([A, B]),
        lambda: store.read_ranges([Range("a", "a", "b")]),
        lambda: store.list("due", "due", limit=1),
        lambda: list(store.walk()),
        lambda: put(store, A, b"x"),
        lambda: store.commit(Change({A: 0, B: 0}, [Put(A, b"x")])),
    ):
        with pytest.raises(Rejected) as caught:
            ask()
        assert caught.value.code == "ResourceNotFoundException"
    store.close()
