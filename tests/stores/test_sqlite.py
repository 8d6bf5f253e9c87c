"""The SQLite store: the contract of every store, and what is its own."""

import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext, suppress
from pathlib import Path

import msgspec
import pytest

from slotkeeper.contracts import Change, Doc, Key, Place, Put, Stale, Store
from slotkeeper.core.errors import Busy, Unreachable
from slotkeeper.stores import rows
from slotkeeper.stores.restoring import restore
from slotkeeper.stores.schema import Damaged
from slotkeeper.stores.sqlite import CACHE_KIBIBYTES, SqliteStore
from tests.contracts.store import A, B, C, StoreContract, put

OPEN = Path("/proc/self/fd")


class TestInMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = SqliteStore(":memory:")
        yield store
        store.close()


class TestInAFile(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = SqliteStore(tmp_path / "test.db")
        yield store
        store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


def test_the_file_is_written_ahead_and_synced_in_full_and_waited_for_as_long_as_was_said(path: Path) -> None:
    store = SqliteStore(path, wait_seconds=1.5)

    names = ("journal_mode", "synchronous", "busy_timeout", "cache_size")
    settings = [store._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert settings == ["wal", 2, 1500, -CACHE_KIBIBYTES]
    store.close()


def test_a_new_file_is_its_owners_alone_and_an_old_one_stays_as_it_is(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    modes = [each.stat().st_mode & 0o777 for each in path.parent.iterdir()]
    store.close()

    path.chmod(0o640)
    SqliteStore(path).close()

    assert modes == [0o600] * 3
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No such file"):
        SqliteStore(tmp_path / "none" / "test.db")


def test_two_stores_on_one_file_see_each_other(path: Path) -> None:
    one, two = SqliteStore(path), SqliteStore(path)

    put(one, A, b"one")
    put(two, A, b"two", version=1)

    assert one.read([A])[A].body == b"two"
    with pytest.raises(Stale):
        put(one, A, b"three", version=1)
    before = one.stamps([A.part])
    put(two, A, b"three", version=2)
    assert one.stamps([A.part]) != before
    one.close()
    two.close()


def test_while_one_thread_has_a_batch_another_reads_what_was_there_before(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")

    with ThreadPoolExecutor(1) as another, store.batch():
        put(store, A, b"two", version=1)
        assert another.submit(store.read, [A, B]).result(timeout=5) == {A: Doc(A, 1, b"one")}

    assert store.read([A]) == {A: Doc(A, 2, b"two")}
    store.close()


def test_who_asks_for_stamps_while_another_writes_waits_a_moment_only(path: Path) -> None:
    store, waited = SqliteStore(path), list[float]()

    with ThreadPoolExecutor(1) as another, store.batch():
        for _ in range(3):
            began = time.monotonic()
            assert another.submit(store.stamps, [A.part]).result(timeout=5) is None
            waited.append(time.monotonic() - began)

    assert min(waited) < 1
    store.close()


def when_all_wait(store: SqliteStore, threads: ThreadPoolExecutor, *keys: Key) -> list[Future[None]]:
    """A write of each key, which waits for the batch that is open."""
    writes = [threads.submit(put, store, key, b"one") for key in keys]
    while len(store._queue) < len(keys):
        time.sleep(0.001)
    return writes


def test_all_who_wait_are_committed_together(path: Path) -> None:
    store, said = SqliteStore(path), list[str]()

    with ThreadPoolExecutor(3) as threads:
        with store.batch():
            writes = when_all_wait(store, threads, A, B, C)
            store._writer.set_trace_callback(said.append)
        for write in writes:
            write.result()

    assert store.read([A, B, C]).keys() == {A, B, C}
    assert [each for each in said if each.startswith(("BEGIN", "COMMIT"))] == ["COMMIT", "BEGIN IMMEDIATE", "COMMIT"]
    store.close()


def test_when_nobody_can_write_all_who_wait_are_told(path: Path) -> None:
    store, rival = SqliteStore(path, wait_seconds=0), sqlite3.connect(path, isolation_level=None)

    with ThreadPoolExecutor(3) as threads:
        with store._writing:
            writes = when_all_wait(store, threads, A, B, C)
            rival.execute("BEGIN IMMEDIATE")
        for write in writes:
            with pytest.raises(Unreachable, match="locked"):
                write.result()

    rival.close()
    assert store.read([A, B, C]) == {}
    store.close()


def test_a_batch_that_fails_to_commit_leaves_nothing(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")

    with pytest.raises(ZeroDivisionError), store.batch():  # noqa: PT012 - what happens within is the test
        put(store, A, b"two", version=1)
        put(store, B, b"one")
        raise ZeroDivisionError

    assert {key: doc.version for key, doc in store.read([A, B]).items()} == {A: 1}
    store.close()


def test_a_change_that_failed_half_way_is_never_kept(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")

    with pytest.raises(Unreachable, match="half-way"), store.batch():  # noqa: PT012 - what happens within is the test
        store.commit(Change({A: 1, B: 0}, [Put(A, b"two"), Put(B, b"x" * 1_000_000)]))
        with pytest.raises(Unreachable, match="full"):
            store.list("due", "due", limit=1)

    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert {key: doc.body for key, doc in store.read([A, B]).items()} == {A: b"one"}
    with store.batch():
        put(store, A, b"two", version=1)
    assert store.read([A])[A].version == 2
    store.close()


def test_what_a_batch_has_undone_is_not_remembered(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    before = store.stamps([A.part, B.part])

    with pytest.raises(ZeroDivisionError), store.batch():  # noqa: PT012 - what happens within is the test
        put(store, A, b"two", version=1)
        store.commit(Change({B: 0}, [Put(B, b"one")]))
        store.commit(Change({B: 1}, deletes=[B]))
        within = store.stamps([A.part, B.part])
        raise ZeroDivisionError

    assert store.read([A, B]) == {A: Doc(A, 1, b"one")}
    assert not {*before, *within} & {*store.stamps([A.part, B.part])}  # type: ignore[misc]
    store.close()


def test_a_batch_that_is_given_up_leaves_the_file_to_others(path: Path) -> None:
    mine, theirs = SqliteStore(path, wait_seconds=0), SqliteStore(path, wait_seconds=0)

    with pytest.raises(KeyError), mine.batch():  # noqa: PT012 - what happens within is the test
        put(mine, A, b"never")
        list(mine.walk())  # so that it stands in the open transaction
        raise KeyError
    put(theirs, B, b"theirs")
    put(mine, A, b"mine")

    assert {key: doc.body for key, doc in theirs.read([A, B]).items()} == {A: b"mine", B: b"theirs"}
    mine.close()
    theirs.close()


def test_a_document_may_come_go_and_come_again_in_one_batch(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one", start=Place("shop", "1"), due=Place("due", "1"))

    with store.batch():
        store.commit(Change({A: 1}, deletes=[A]))
        put(store, B, b"fleeting", start=Place("shop", "1"))
        store.commit(Change({B: 1}, deletes=[B]))
        put(store, A, b"again", start=Place("shop", "1"))
        put(store, B, b"new", due=Place("due", "1"))
        put(store, A, b"once more", version=1, start=Place("shop", "2"))

    again = SqliteStore(path)
    assert again.read([A, B]) == {A: Doc(A, 2, b"once more"), B: Doc(B, 1, b"new")}
    assert [doc.key for doc in again.list("start", "shop", limit=9).docs] == [A]
    assert [doc.key for doc in again.list("due", "due", limit=9).docs] == [B]
    assert list(again.problems()) == []
    store.close()
    again.close()


@pytest.mark.parametrize("is_batch", [False, True], ids=["alone", "batch"])
def test_what_is_known_wrongly_costs_a_refusal_and_no_document(path: Path, is_batch: bool) -> None:
    """The file is the last to judge, whatever memory says."""
    store = SqliteStore(path)
    put(store, A, b"one")
    row = store._rows._young[A]
    put(store, A, b"two", version=1)
    store._rows._young[A] = row

    with pytest.raises(Unreachable, match="not as it was known"), store.batch() if is_batch else nullcontext():
        put(store, A, b"mine", version=1)

    assert store.read([A]) == {A: Doc(A, 2, b"two")}
    store.close()


def test_memory_is_bounded_and_what_is_forgotten_is_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "KNOWN_BYTES", 50_000)
    store = SqliteStore(path)

    for number in range(300):
        with store.batch():
            put(store, Key("k", f"{number}"), b"x" * 500)
            store.read([Key("k", "0")])

    kept = store._rows._young.keys() | store._rows._old.keys()
    assert Key("k", "0") in kept
    assert len(kept) < 120
    assert len(store.read([Key("k", f"{number}") for number in range(300)])) == 300
    store.close()


def test_what_a_full_disk_has_undone_is_not_remembered(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    size = path.with_name(path.name + "-wal").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096, limits[1]))

    try:
        with pytest.raises(Unreachable, match="cannot commit"), store.batch():
            put(store, B, b"x" * 50_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with store.batch():
        remembered = store.read([A, B])

    assert remembered.keys() == {A}
    store.close()


@pytest.mark.parametrize("is_batch", [False, True], ids=["alone", "batch"])
def test_a_document_that_cannot_be_read_is_not_judged(path: Path, is_batch: bool) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    with closing(sqlite3.connect(path)) as other:
        other.execute("ALTER TABLE doc RENAME TO lost")

    with pytest.raises(Unreachable, match="cannot write: no such table"), store.batch() if is_batch else nullcontext():
        put(store, B, b"two")
    with closing(sqlite3.connect(path)) as other:
        other.execute("ALTER TABLE lost RENAME TO doc")

    assert store.read([A, B]).keys() == {A}
    store.close()


def test_who_waits_with_somebody_that_comes_too_late_is_kept(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")

    with ThreadPoolExecutor(2) as threads:
        with store._writing:
            good, late = when_all_wait(store, threads, B, A)
        good.result()
        with pytest.raises(Stale):
            late.result()

    assert store.read([A, B]) == {A: Doc(A, 1, b"one"), B: Doc(B, 1, b"one")}
    store.close()


def test_a_batch_of_which_a_part_was_written_is_not_kept_though_the_failure_was_passed_over(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    row = store._rows._young[A]
    put(store, A, b"two", version=1)
    store._rows._young[A] = row

    with pytest.raises(Unreachable, match="half-way"), store.batch():  # noqa: PT012 - what happens within is the test
        put(store, A, b"mine", version=1)
        put(store, B, b"mine")
        with suppress(Unreachable):
            list(store.walk())
        assert store._writer.in_transaction

    assert store.read([A, B]) == {A: Doc(A, 2, b"two")}
    store.close()


def test_who_waits_with_somebody_that_cannot_be_judged_is_told_that_nothing_is_kept(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE doc SET places = 'damaged'")

    with ThreadPoolExecutor(2) as threads:
        with store._writing:
            writes = when_all_wait(store, threads, B, A)
        for write in writes:
            with pytest.raises(msgspec.MsgspecError):
                write.result()

    assert store.read([B]) == {}
    store.close()


def test_a_batch_that_sqlite_has_undone_by_itself_is_not_kept_by_halves(path: Path) -> None:
    store = SqliteStore(path)

    with pytest.raises(Unreachable, match="half-way"), store.batch():  # noqa: PT012 - what happens within is the test
        put(store, A, b"one")
        store._writer.execute("ROLLBACK")  # as after an I/O error
        put(store, B, b"two")

    assert store.read([A, B]) == {}
    store.close()


@pytest.mark.parametrize("is_batch", [False, True], ids=["alone", "batch"])
def test_nothing_is_written_into_a_file_that_was_moved_away(path: Path, is_batch: bool) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    path.rename(path.with_name("elsewhere"))

    with pytest.raises(Unreachable, match="moved"), store.batch() if is_batch else nullcontext():
        put(store, B, b"two")
    path.with_name("elsewhere").rename(path)
    put(store, B, b"two")

    assert store.read([A, B]).keys() == {A, B}
    store.close()


@pytest.mark.parametrize("is_batch", [False, True], ids=["alone", "batch"])
def test_a_locked_file_is_unreachable_not_empty(path: Path, is_batch: bool) -> None:
    store = SqliteStore(path, wait_seconds=0.05)
    rival = sqlite3.connect(path, isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unreachable, match="locked"), store.batch() if is_batch else nullcontext():
        put(store, A, b"one")
    rival.execute("ROLLBACK")
    put(store, A, b"one")

    assert store.read([A])[A].version == 1
    rival.close()
    store.close()


@pytest.mark.parametrize("look", [SqliteStore.read, SqliteStore.stamps])
def test_a_closed_file_is_unreachable_not_empty(path: Path, look: Callable[[SqliteStore, list[str]], object]) -> None:
    store = SqliteStore(path)
    store.close()

    with pytest.raises(Unreachable, match="closed"):
        look(store, [])


def test_each_thread_opens_the_file_once_and_a_backup_lets_go_of_it(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)
    store.list("due", "due", limit=1)
    opened = list(store._opened)

    store.list("due", "due", limit=1)
    store.backup(tmp_path / "copy.db")

    assert store._opened == opened
    store.close()


@pytest.mark.skipif(not OPEN.exists(), reason="asks Linux which files are open")
def test_a_backup_that_is_broken_off_lets_go_of_its_file(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)

    with pytest.raises(ZeroDivisionError) as caught:
        store.backup(tmp_path / "copy.db", lambda done, pages: 1 // 0)

    assert caught.value.__traceback__  # and so all that was in hand when it happened
    assert tmp_path / "copy.db" not in [each.resolve() for each in OPEN.iterdir()]
    store.close()


def test_a_walk_finds_documents_as_they_are(path: Path) -> None:
    store = SqliteStore(path)
    put(store, A, b"one")
    put(store, A, b"two", version=1)

    assert list(store.walk()) == [Doc(A, 2, b"two")]
    store.close()


def test_a_damaged_file_is_unreachable_not_empty(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(200):
        put(store, Key("k", str(number)), b"x" * 1000)
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\0" * (len(whole) - 8192))

    broken = SqliteStore(path)
    with pytest.raises(Unreachable):
        broken.read([Key("k", str(number)) for number in range(200)])
    broken.close()


def test_what_is_no_database_is_told_so(path: Path) -> None:
    path.write_bytes(b"this is not a database, only a text that is long enough" * 100)

    with pytest.raises(Unreachable, match="not a database"):
        SqliteStore(path)


@pytest.mark.parametrize("opens", [SqliteStore, lambda path: restore(path, path.with_name("other.db"))])
def test_another_programs_database_is_left_alone(path: Path, opens: Callable[[Path], object]) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipe (name TEXT)")
    other.commit()
    other.close()
    before = path.read_bytes()

    with pytest.raises(Damaged, match="not a Slotkeeper database"):
        opens(path)

    assert path.read_bytes() == before


def test_a_newer_database_is_left_alone(path: Path) -> None:
    SqliteStore(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 9999")
    newer.close()

    with pytest.raises(Damaged, match="newer"):
        SqliteStore(path)


def test_a_backup_is_whole_while_others_write(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)
    for number in range(300):
        put(store, Key("k", str(number)), b"x" * 20_000, start=Place("shop", str(number)))
    seen: list[tuple[int, int]] = []

    store.backup(tmp_path / "copy.db", lambda done, pages: seen.append((done, pages)))

    copy = SqliteStore(tmp_path / "copy.db")
    assert list(copy.problems()) == []
    assert sum(1 for _ in copy.walk()) == 300
    assert [done for done, _ in seen] == [1000, seen[0][1]]
    copy.close()
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE doc SET places = 'nonsense' WHERE part = 'shop/a'",
        """UPDATE doc SET places = '{"start": 1}' WHERE part = 'shop/a'""",
        "DELETE FROM place WHERE sort = '1'",
        "UPDATE place SET sort = '9' WHERE sort = '1'",
        "INSERT INTO place VALUES ('due', 'shop', '1', 1)",
        "DELETE FROM doc WHERE part = 'shop/a'",
    ],
)
def test_lists_that_disagree_with_their_documents_are_found(path: Path, damage: str) -> None:
    store = SqliteStore(path)
    put(store, A, b"one", start=Place("shop", "1"))
    put(store, B, b"one", start=Place("shop", "2"))
    assert list(store.problems()) == []

    store._writer.execute(damage)

    assert list(store.problems())
    store.close()


KILLED = """
import os, sys
from slotkeeper.contracts import Change, Key, Put
from slotkeeper.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
for number in range(10_000):
    key = Key("k", f"{number:05d}")
    store.commit(Change({key: 0}, [Put(key, b"x" * 500)]))
    os.write(1, b"%d\\n" % number)
"""


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    acknowledged = -1
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, env=os.environ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged == 200:
                writer.kill()
                break
        rest = writer.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else acknowledged

    store = SqliteStore(path)
    assert sum(1 for _ in store.walk("k")) >= acknowledged + 1
    assert list(store.problems()) == []
    store.close()


def test_a_batch_reads_what_others_have_committed_before_it_and_keeps_them_from_writing(tmp_path: Path) -> None:
    ours, theirs = SqliteStore(tmp_path / "a.db"), SqliteStore(tmp_path / "a.db", wait_seconds=0.05)

    before = ours.stamps([A.part])
    assert ours.read([A]) == {}
    theirs.commit(Change({A: 0}, [Put(A, b"1")]))
    with ours.batch():
        assert ours.read([A])[A].body == b"1"
        assert ours.stamps([A.part]) != before
        with pytest.raises(Busy):
            theirs.commit(Change({A: 1}, [Put(A, b"2")]))
        with pytest.raises(Busy), theirs.batch():
            pytest.fail("the other batch had begun already")
    theirs.commit(Change({A: 1}, [Put(A, b"2")]))

    assert ours.read([A])[A].body == b"2"
    ours.close()
    theirs.close()
