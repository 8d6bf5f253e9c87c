"""What every store promises, as one class of tests; `test_*` modules subclass it with a fixture named `store`."""

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from slotkeeper.contracts import Change, Doc, Key, Place, Put, Range, Stale, Store

A, B, C = Key("shop/a", "1"), Key("shop/b", "1"), Key("shop/c", "1")


def put(store: Store, key: Key, body: bytes, version: int = 0, **places: Place) -> None:
    store.commit(Change({key: version}, [Put(key, body, places)]))  # type: ignore[arg-type]  # names are literals


class StoreContract:
    """The promises of `contracts.Store`."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        raise NotImplementedError("each subclass brings its store")

    def test_a_key_without_a_document_is_left_out(self, store: Store) -> None:
        put(store, A, b"one")

        found = store.read([A, B])

        assert found == {A: Doc(A, 1, b"one")}

    def test_each_write_adds_one_to_the_version(self, store: Store) -> None:
        put(store, A, b"one")
        put(store, A, b"two", version=1)

        assert store.read([A])[A] == Doc(A, 2, b"two")

    def test_a_wrong_version_is_stale_and_shows_what_is_there(self, store: Store) -> None:
        put(store, A, b"one")
        put(store, A, b"two", version=1)

        with pytest.raises(Stale) as caught:
            put(store, A, b"three", version=1)

        assert caught.value.docs == {A: Doc(A, 2, b"two")}
        assert store.read([A])[A].body == b"two"

    def test_a_document_that_was_expected_to_be_absent_is_stale(self, store: Store) -> None:
        put(store, A, b"one")

        with pytest.raises(Stale):
            put(store, A, b"again", version=0)

        assert store.read([A])[A] == Doc(A, 1, b"one")

    def test_a_document_that_was_expected_is_stale_when_absent(self, store: Store) -> None:
        with pytest.raises(Stale) as caught:
            put(store, A, b"one", version=3)

        assert caught.value.docs == {A: None}
        assert store.read([A]) == {}

    def test_a_stale_expectation_stops_every_write_of_the_change(self, store: Store) -> None:
        put(store, A, b"one")
        put(store, B, b"one")

        with pytest.raises(Stale) as caught:
            store.commit(Change({A: 1, B: 7, C: 0}, [Put(A, b"x"), Put(B, b"x"), Put(C, b"x")]))

        assert list(caught.value.docs) == [B]
        assert {key: doc.body for key, doc in store.read([A, B, C]).items()} == {A: b"one", B: b"one"}

    def test_what_is_only_expected_is_checked_and_left_as_it_is(self, store: Store) -> None:
        put(store, A, b"one")

        store.commit(Change({A: 1, B: 0}, [Put(B, b"new")]))
        with pytest.raises(Stale):
            store.commit(Change({A: 2, C: 0}, [Put(C, b"new")]))

        assert store.read([A])[A].version == 1
        assert store.read([C]) == {}

    def test_every_stale_key_is_named(self, store: Store) -> None:
        put(store, A, b"one")

        with pytest.raises(Stale) as caught:
            store.commit(Change({A: 5, B: 5, C: 0}, [Put(A, b"x"), Put(B, b"x"), Put(C, b"x")]))

        assert set(caught.value.docs) == {A, B}

    def test_a_delete_takes_the_document_and_its_places(self, store: Store) -> None:
        put(store, A, b"one", start=Place("shop", "5"))

        store.commit(Change({A: 1}, deletes=[A]))

        assert store.read([A]) == {}
        assert store.list("start", "shop", limit=9).docs == []

    def test_a_delete_of_a_changed_document_is_stale(self, store: Store) -> None:
        put(store, A, b"one")
        put(store, A, b"two", version=1)

        with pytest.raises(Stale):
            store.commit(Change({A: 1}, deletes=[A]))

        assert store.read([A])[A].body == b"two"

    def test_bodies_come_back_byte_for_byte(self, store: Store) -> None:
        body = "ünï\u202ecode \U0001f600 \\ \" ' %".encode() + bytes(range(1, 32)) * 500

        put(store, A, body)

        assert store.read([A])[A].body == body

    def test_a_range_holds_its_ends_and_is_in_order(self, store: Store) -> None:
        for sort in ("2026-03-02", "2026-02-28", "2026-03-01", "2026-03-05"):
            put(store, Key("sheet", sort), sort.encode())
        put(store, Key("sheet2", "2026-03-01"), b"other")

        [found, none] = store.read_ranges([Range("sheet", "2026-02-28", "2026-03-02"), Range("nowhere", "", "z")])

        assert [doc.body.decode() for doc in found] == ["2026-02-28", "2026-03-01", "2026-03-02"]
        assert none == []

    def test_sort_keys_go_by_code_points(self, store: Store) -> None:
        names = ["a", "B", "é", "10", "9", "\U0001f600", "\uff5e"]
        for name in names:
            put(store, Key("part", name), b"x")

        [found] = store.read_ranges([Range("part", "", "\U0010ffff")])

        assert [doc.key.sort for doc in found] == sorted(names)

    def test_a_list_goes_by_place_both_ways(self, store: Store) -> None:
        for number in range(5):
            put(store, Key(f"a{number}", "1"), b"%d" % number, start=Place("shop", f"{9 - number}"))
        put(store, B, b"other", start=Place("elsewhere", "7"), due=Place("shop", "7"))

        forth = [doc.body for doc in store.list("start", "shop", limit=9).docs]
        back = [doc.body for doc in store.list("start", "shop", limit=9, reverse=True).docs]

        assert forth == [b"4", b"3", b"2", b"1", b"0"]
        assert back == forth[::-1]

    def test_a_list_keeps_to_its_bounds(self, store: Store) -> None:
        for number in range(6):
            put(store, Key(f"a{number}", "1"), b"%d" % number, due=Place("due", f"{number}"))

        page = store.list("due", "due", first="1", last="3", limit=9)

        assert [doc.body for doc in page.docs] == [b"1", b"2", b"3"]
        assert page.after is None

    @pytest.mark.parametrize("reverse", [False, True])
    def test_pages_join_without_gap_or_repeat(self, store: Store, reverse: bool) -> None:
        for number in range(7):
            put(store, Key(f"a{number}", "1"), b"%d" % number, log=Place("log", f"{number}"))

        seen: list[bytes] = []
        after: str | None = None
        pages = 0
        while pages == 0 or after is not None:
            page = store.list("log", "log", first="1", last="5", after=after, limit=2, reverse=reverse)
            seen += [doc.body for doc in page.docs]
            after = page.after
            pages += 1

        expected = [b"1", b"2", b"3", b"4", b"5"]
        assert seen == (expected[::-1] if reverse else expected)

    def test_a_rewrite_moves_the_document_in_its_lists(self, store: Store) -> None:
        put(store, A, b"one", start=Place("shop", "1"), due=Place("due", "1"))
        put(store, A, b"two", version=1, start=Place("shop", "2"))

        assert [doc.body for doc in store.list("start", "shop", limit=9).docs] == [b"two"]
        assert store.list("start", "shop", last="1", limit=9).docs == []
        assert store.list("due", "due", limit=9).docs == []

    def test_a_part_that_has_changed_has_another_stamp(self, store: Store) -> None:
        put(store, A, b"one")
        put(store, B, b"one")
        parts = [A.part, B.part, C.part]
        stamps = [store.stamps(parts)]

        for change in (
            Change({A: 1}, [Put(A, b"two")]),
            Change({C: 0}, [Put(C, b"one")]),
            Change({A: 2}, deletes=[A]),
            Change({Key(A.part, "2"): 0}, [Put(Key(A.part, "2"), b"other")]),
        ):
            store.commit(change)
            stamps.append(store.stamps(parts))

        if None in stamps:
            assert stamps == [None] * 5
            return
        a, b, c = ([each[at] for each in stamps if each is not None] for at in range(3))
        assert [one != two for one, two in pairwise(a)] == [True, False, True, True]
        assert len(set(b)) == 1
        assert [one != two for one, two in pairwise(c)] == [False, True, False, False]

    def test_a_walk_sees_each_document_of_the_prefix_once(self, store: Store) -> None:
        keys = [Key(f"shop/{number:04d}", sort) for number in range(700) for sort in ("a", "b")]
        for first in range(0, len(keys), 50):
            some = keys[first : first + 50]
            store.commit(Change(dict.fromkeys(some, 0), [Put(key, b"x") for key in some]))
        put(store, Key("shoq", "z"), b"other")

        assert sorted(doc.key for doc in store.walk("shop/")) == keys
        assert sum(1 for _ in store.walk()) == len(keys) + 1

    def test_a_batch_is_seen_by_its_own_thread_at_once(self, store: Store) -> None:
        with store.batch():
            put(store, A, b"one", start=Place("shop", "1"))
            put(store, A, b"two", version=1, start=Place("shop", "1"))

            assert store.read([A])[A].body == b"two"
            assert len(store.list("start", "shop", limit=9).docs) == 1

        assert store.read([A])[A].version == 2

    def test_a_stale_commit_in_a_batch_leaves_the_others(self, store: Store) -> None:
        with store.batch():
            put(store, A, b"one")
            with pytest.raises(Stale):
                put(store, A, b"two", version=0)
            put(store, B, b"one")

        assert set(store.read([A, B])) == {A, B}

    def test_of_many_threads_that_write_one_version_one_wins(self, store: Store) -> None:
        rounds, threads = 30, 8
        wins = [0] * rounds
        lock = threading.Lock()
        gate = threading.Barrier(threads)

        def race() -> None:
            for number in range(rounds):
                gate.wait()
                try:
                    put(store, A, b"x", version=number)
                except Stale:
                    continue
                with lock:
                    wins[number] += 1

        racers = [threading.Thread(target=race) for _ in range(threads)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()

        assert wins == [1] * rounds

    def test_two_swaps_of_the_same_documents_never_mix(self, store: Store) -> None:
        """Each change writes its number into both documents, so they must be equal after any number of races."""
        put(store, A, b"-")
        put(store, B, b"-")

        def swap(name: str) -> None:
            for number in range(40):
                docs = store.read([A, B])
                mark = f"{name}{number}".encode()
                try:
                    store.commit(Change({key: docs[key].version for key in (A, B)}, [Put(A, mark), Put(B, mark)]))
                except Stale:
                    continue

        racers = [threading.Thread(target=swap, args=(name,)) for name in "pqrs"]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()

        docs = store.read([A, B])
        assert docs[A].body == docs[B].body
        assert docs[A].version == docs[B].version
