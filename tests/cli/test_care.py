"""Looking after the database: the doctor finds what is planted, backups come back."""

import sqlite3
import threading
from pathlib import Path

import pytest

from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Instant, day_of
from slotkeeper.documents import encoded, sheet_key
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import at
from tests.cli.command_line import Shell

pytestmark = pytest.mark.slow

DAY = day_of(at("2026-11-24T08:00:00Z"))


def execute(sql: str, *values: object) -> None:
    """Do to the file what no Slotkeeper would."""
    connection = sqlite3.connect("slotkeeper.db")
    with connection:
        assert connection.execute(sql, values).rowcount > 0
    connection.close()


def a_booked_practice(shell: Shell) -> str:
    shell.a_practice()
    made = shell.json("book", "visit", "2026-11-24 09:00", "--resource", "ada")
    assert "All is well" in shell("doctor").stdout
    return str(made["id"])


def test_a_claim_that_is_lost_is_found(shell: Shell) -> None:
    id = a_booked_practice(shell)
    execute("UPDATE doc SET body = '[]' WHERE part = 'practice/sheet/ada'")

    result = shell("doctor", code=1)

    assert f"booked appointment {id} has 0 claims in practice/sheet/ada/2026-11-24" in result.stdout
    assert "slotkeeper backup" in result.stdout


def test_a_double_booking_is_found(shell: Shell) -> None:
    id = a_booked_practice(shell)
    twin = "apt_" + "0" * 32
    execute(
        "INSERT INTO doc (part, sort, version, body, places) "
        "SELECT replace(part, ?1, ?2), sort, 1, replace(body, ?1, ?2), '{}' FROM doc WHERE part LIKE '%' || ?1",
        id,
        twin,
    )
    key = sheet_key("practice", "ada", DAY)
    start = at("2026-11-24T08:00:00Z")
    claims = [Claim(owner, start, Instant(start + 1800)) for owner in (id, twin)]
    execute("UPDATE doc SET body = ? WHERE part = ? AND sort = ?", encoded(claims), *key)

    found = shell.complaints()

    assert any("overlap in practice/sheet/ada/2026-11-24 at 2026-11-24T08:00:00Z" in each for each in found)


def test_a_claim_of_nobody_is_found(shell: Shell) -> None:
    id = a_booked_practice(shell)
    execute("DELETE FROM doc WHERE part = ?", f"practice/appointment/{id}")

    found = shell.complaints()

    assert any(f"the claim of {id}" in each and "belongs to nothing" in each for each in found)


def test_a_list_that_leads_nowhere_is_found(shell: Shell) -> None:
    a_booked_practice(shell)
    execute("UPDATE place SET sort = sort || 'x' WHERE list = 'start'")

    assert any("leads to no document" in each for each in shell.complaints())


def test_a_document_that_cannot_be_read_is_found(shell: Shell) -> None:
    id = a_booked_practice(shell)
    execute("UPDATE doc SET body = 'nonsense' WHERE part = ?", f"practice/appointment/{id}")

    assert any("cannot be read" in each for each in shell.complaints())


def test_a_document_of_which_nothing_can_be_read_keeps_no_complaint_from_being_told(shell: Shell) -> None:
    id = a_booked_practice(shell)
    execute("UPDATE doc SET body = '[]' WHERE part = 'practice/sheet/ada'")
    execute("UPDATE doc SET places = 'nonsense' WHERE part = ?", f"practice/appointment/{id}")

    found = shell.complaints()

    assert any("leads to no document" in each for each in found)
    assert any(f"booked appointment {id} has 0 claims" in each for each in found)


def test_a_backup_comes_back_and_what_was_there_is_kept(shell: Shell) -> None:
    a_booked_practice(shell)
    shell("backup", "backup.db")
    shell("services", "change", "visit", "--name", "Changed")

    shell("restore", "backup.db", "--yes")

    assert shell.json("services", "show", "visit")["name"] == "Visit"
    [kept] = shell.folder.glob("slotkeeper.db.before-*")
    assert shell.json("--database", str(kept), "services", "show", "visit")["name"] == "Changed"
    shell("doctor")


def test_a_backup_is_whole_while_others_write(shell: Shell) -> None:
    a_booked_practice(shell)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            shell("customers", "add", f"c{number}", "--name", "X")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        shell("backup", "backup.db")
    finally:
        stop.set()
        writer.join()

    assert "All is well" in shell("--database", "backup.db", "doctor").stdout


def test_a_backup_writes_over_nothing_unless_told_to(shell: Shell) -> None:
    a_booked_practice(shell)
    shell("backup", "backup.db")

    assert "say --force" in shell.complaint("backup", "backup.db", code=1)
    shell("backup", "backup.db", "--force")
    assert Path("backup.db").stat().st_mode & 0o077 == 0
    assert not list(shell.folder.glob("*.partial"))


def test_a_restore_is_refused_while_the_database_is_in_use(shell: Shell) -> None:
    a_booked_practice(shell)
    shell("backup", "backup.db")
    store = SqliteStore("slotkeeper.db")
    store.read([])

    try:
        assert "Stop the server" in shell.complaint("restore", "backup.db", "--yes", code=1)
    finally:
        store.close()


@pytest.mark.parametrize("body", [b"", b"not a database at all, but long enough to look at" * 100])
def test_what_is_no_backup_is_not_restored(shell: Shell, body: bytes) -> None:
    a_booked_practice(shell)
    Path("other.db").write_bytes(body)

    assert "is not a backup" in shell.complaint("restore", "other.db", "--yes", code=1)

    assert Path("other.db").read_bytes() == body
    assert shell.json("services", "list")


def test_another_program_s_database_is_neither_restored_nor_changed(shell: Shell) -> None:
    a_booked_practice(shell)
    other = sqlite3.connect("other.db")
    with other:
        other.execute("CREATE TABLE precious (x)")
    other.close()
    body = Path("other.db").read_bytes()

    shell.complaint("restore", "other.db", "--yes", code=1)

    assert Path("other.db").read_bytes() == body


def test_a_restore_asks_first(shell: Shell) -> None:
    a_booked_practice(shell)
    shell("backup", "backup.db")

    shell("restore", "backup.db", given="n\n", code=1)

    assert not list(shell.folder.glob("*before*"))


def test_a_restore_makes_a_database_where_none_is(shell: Shell) -> None:
    a_booked_practice(shell)
    shell("backup", "backup.db")

    shell("--database", "new.db", "restore", "backup.db")

    assert shell.json("--database", "new.db", "services", "list")
