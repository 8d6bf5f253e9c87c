"""Import and export: bad rows are named and the rest goes on, twice is once, and a whole business moves house."""

import csv
import json
import os
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slotkeeper.cli import importing
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Unreachable
from slotkeeper.core.ticks import format_instant
from slotkeeper.documents import decoded
from slotkeeper.stores.sqlite import SqliteStore
from tests.cli.command_line import Shell, process

pytestmark = pytest.mark.slow


def row(id: str, start: str, **others: Any) -> dict[str, Any]:
    return {"id": id, "startTime": start, "serviceId": "visit"} | others


def bad_lines(errors: str) -> dict[int, str]:
    return {bad["line"]: bad["code"] for bad in map(json.loads, Path(errors).read_text().splitlines())}


def stored(folder: Path) -> list[Appointment]:
    store = SqliteStore(folder / "slotkeeper.db")
    try:
        page = store.list("start", "practice", limit=1000)
        return [decoded(doc, Appointment) for doc in page.docs]
    finally:
        store.close()


def test_each_bad_line_is_named_and_the_rest_is_booked(shell: Shell) -> None:
    shell.a_practice()
    name = shell.write(
        "rows.jsonl",
        row("1", "2026-11-24 09:00", resourceIds=["ada"]),
        row("2", "2026-11-24 09:15", resourceIds=["ada"]),
        "this is no JSON",
        b"\xff\xfe",
        "",
        row("6", "2026-11-24 18:00"),
        row("7", "2026-11-24 09:01"),
        row("8", "2026-03-29 02:30"),
        row("9", "2026-11-24 09:30", serviceId="nope"),
        row("10", "2026-11-24 09:30", colour="red"),
        "x" * 1_100_000,
        row("12", "2026-11-24T09:30:00+01:00", resourceIds=["ada"]),
        row("1", "2026-11-25 09:00"),
        {"startTime": "2026-11-24 10:00", "endTime": "2026-11-24 10:07", "userId": "bob"},
        row("15", "2026-11-24 11:00", status="gone"),
    )

    result = shell("import", name, "--errors", "bad.jsonl", code=1)

    assert bad_lines("bad.jsonl") == {
        2: "taken",
        3: "invalid",
        4: "unreadable",
        6: "closed",
        7: "off-step",
        8: "invalid",
        9: "missing",
        10: "invalid",
        11: "unreadable",
        13: "key-reused",
        15: "invalid",
    }
    assert "14 rows read: 3 entered, 11 bad." in result.stdout
    assert "line 13: a row with this id came before, with another content" in result.stderr
    assert "line 15: status: a status is one of pending, booked, checkedIn" in result.stderr
    assert "line 8: startTime: 2026-03-29 02:30 does not exist in Europe/Berlin" in result.stderr
    assert len(stored(shell.folder)) == 3
    shell("doctor")


def test_csv_is_read_in_the_same_way(shell: Shell) -> None:
    shell.a_practice()
    name = shell.write(
        "rows.csv",
        "externalId,startTime,serviceId,resourceIds,customerName,customerPhone,description",
        "1,2026-11-24 09:00,visit,ada,Grace,'+1 202,\"two",
        'lines"',
        "2,2026-11-24 09:00,visit,ada,Bob,,",
        "3,2026-11-24 10:00,visit,ada",
        b"4,2026-11-24 10:00,visit,ada,\xe9,,",
        "",
        '5,2026-11-24 11:00,visit,ada,"Bob" x,,',
        "6,2026-11-24 11:00,visit,ada,=SUM(A1),+1,",
    )

    shell("import", name, "--errors", "bad.jsonl", code=1)

    assert bad_lines("bad.jsonl") == {4: "taken", 5: "invalid", 6: "unreadable", 8: "unreadable"}
    first, last = stored(shell.folder)
    assert (first.contact.name, first.contact.phone, first.details["description"]) == ("Grace", "+1 202", "two\nlines")
    assert last.contact.name == "=SUM(A1)"


def test_a_second_reading_enters_nothing(shell: Shell) -> None:
    shell.a_practice()
    name = shell.write("rows.jsonl", *(row(str(n), f"2026-11-24 {9 + n:02}:00") for n in range(8)))

    assert "8 rows read: 8 entered, 0 bad." in shell("import", name).stdout
    assert "8 rows read: 0 entered, 8 were here already, 0 bad." in shell("import", name).stdout


def test_an_export_read_into_its_own_home_enters_nothing(shell: Shell) -> None:
    shell.a_practice()
    shell("book", "visit", "2026-11-24 09:00", "--name", "-Grace", "--email", "g@example.com")
    for name in ("out.csv", "out.jsonl"):
        shell("export", name)

        assert "1 rows read: 0 entered, 1 were here already, 0 bad." in shell("import", name).stdout


def test_rows_keep_their_state_and_the_past_is_judged_as_of_then(shell: Shell) -> None:
    shell.a_practice()
    shell("services", "change", "visit", "--notice-minutes", "600", "--needs-confirmation")
    name = shell.write(
        "rows.jsonl",
        row("1", "2026-11-16 09:00", status="completed", resourceIds=["ada"]),
        row("2", "2026-11-17 09:00", status="noShow"),
        row("3", "2026-11-16 09:00", status="cancelled", resourceIds=["ada"]),
        row("4", "2026-11-18 09:00"),
        row("5", "2026-11-24 09:00", status="declined"),
        row("6", "2026-11-24 09:00"),
        row("7", "2026-11-24 10:00", status="booked"),
        row("8", "2026-11-16 18:00", status="completed"),
        row("9", "2026-11-23 09:00", status="booked"),
        row("10", "2026-11-23 09:30", status="booked", createdTime="2026-11-20T08:00:00Z"),
    )

    shell("import", name, "--errors", "bad.jsonl", code=1)

    assert bad_lines("bad.jsonl") == {8: "closed", 9: "too-soon"}
    assert sorted((format_instant(each.start)[5:13], each.status) for each in stored(shell.folder)) == [
        ("11-16T08", "cancelled"),
        ("11-16T08", "completed"),
        ("11-17T08", "noShow"),
        ("11-18T08", "booked"),
        ("11-23T08", "booked"),
        ("11-24T08", "declined"),
        ("11-24T08", "pending"),
        ("11-24T09", "booked"),
    ]
    shell("doctor")


def test_nobody_is_told_of_what_is_read_in_but_reminders_to_come_are_owed(shell: Shell) -> None:
    shell.a_practice()
    shell("import", shell.write("quiet.jsonl", row("1", "2026-11-25 09:00"), row("2", "2026-11-16 09:00")))
    shell("import", shell.write("loud.jsonl", row("3", "2026-11-25 10:00")), "--notify")

    past, quiet, loud = stored(shell.folder)

    assert not past.messages
    assert [each.kind for each in quiet.messages] == ["reminder", "reminder"]
    assert sorted(each.kind for each in loud.messages) == ["booked", "reminder", "reminder"]


def test_a_file_that_cannot_be_meant_is_refused_at_once(shell: Shell) -> None:
    shell.a_practice()

    assert "say --format jsonl" in shell.complaint("import", shell.write("rows.txt", "x"), code=2)
    assert "there is no column 'when'" in shell.complaint("import", shell.write("a.csv", "when,startTime"), code=2)
    assert "commas between" in shell.complaint("import", shell.write("c.csv", "id;startTime"), code=2)
    assert "no first line" in shell.complaint("import", shell.write("b.csv"), code=2)
    shell.complaint("import", "none.csv", code=2)


def test_rows_alone_make_no_database(shell: Shell) -> None:
    name = shell.write("rows.jsonl", row("1", "2026-11-24 09:00"))

    assert "slotkeeper init" in shell.complaint("import", name, code=1)
    assert not (shell.folder / "slotkeeper.db").exists()


def test_when_the_database_fails_midway_a_second_reading_goes_on(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.a_practice()
    monkeypatch.setattr(importing, "BATCH", 2)
    name = shell.write("rows.jsonl", *(row(str(n), f"2026-11-24 {9 + n:02}:00") for n in range(6)))
    commit, calls = SqliteStore.commit, []

    def failing(self: SqliteStore, change: Any) -> None:
        calls.append(change)
        if len(calls) == 4:
            raise Unreachable("the disk is full")
        commit(self, change)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "commit", failing)
        assert "the disk is full" in shell.complaint("import", name, code=3)

    assert len(stored(shell.folder)) == 2
    assert "6 rows read: 4 entered, 2 were here already, 0 bad." in shell("import", name).stdout


def test_an_exported_csv_holds_no_formulas(shell: Shell) -> None:
    shell.a_practice()
    shell("book", "visit", "2026-11-24 09:00", "--name", "=HYPERLINK(1)", "--phone", "+49 30")

    shell("export", "out.csv")

    with Path("out.csv").open(newline="") as file:
        [cells] = list(csv.DictReader(file))
    assert (cells["customerName"], cells["customerPhone"]) == ("'=HYPERLINK(1)", "'+49 30")
    assert Path("out.csv").stat().st_mode & 0o077 == 0


def test_an_export_can_be_of_some_days_only_and_goes_to_standard_output(shell: Shell) -> None:
    shell.a_practice()
    for day in (24, 25, 26):
        shell("book", "visit", f"2026-11-{day} 09:00")

    lines = shell("export", "-", "--format", "jsonl", "--from", "2026-11-25", "--to", "2026-11-26").stdout

    assert [json.loads(line)["startTime"] for line in lines.splitlines()] == ["2026-11-25T08:00:00Z"]


def test_an_export_writes_over_nothing_unless_told_to(shell: Shell) -> None:
    shell.a_practice()
    shell.write("out.csv", "precious")

    assert "is there already" in shell.complaint("export", "out.csv", code=1)
    assert Path("out.csv").read_text() == "precious\n"
    shell("export", "out.csv", "--force")
    assert sorted(path.name for path in shell.folder.glob("*partial*")) == []
    assert "--all writes JSON Lines" in shell.complaint("export", "x.csv", "--all", code=2)


@pytest.mark.parametrize("command", [("export", "--format", "csv"), ("backup",)], ids=["export", "backup"])
def test_what_is_no_ordinary_file_is_not_replaced(shell: Shell, command: tuple[str, ...]) -> None:
    shell.a_practice()
    os.mkfifo("pipe")

    assert "ordinary file" in shell.complaint(*command, "pipe", "--force", code=1)
    assert Path("pipe").is_fifo()


@pytest.mark.slow
def test_an_export_that_nobody_reads_to_its_end_stops_without_a_word(shell: Shell) -> None:
    shell("demo")
    command = [sys.executable, "-m", "slotkeeper", "export", "-", "--format", "jsonl"]

    with subprocess.Popen(command, cwd=shell.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        export.stdout.close()
        said = export.stderr.read()

    assert b"pipe" not in said


def a_full_house(shell: Shell) -> None:
    """The demonstration clinic, with everything in it that a business may have."""
    shell("demo")
    shell("book", "checkup", "2026-11-25 08:00", "--name", "Grace", "--email", "grace@example.com")
    shell("book", "2026-11-25 08:00", "--until", "2026-11-25 08:07", "--customer", "bob")
    shell("book", "checkup", "2026-11-25 03:00", "--override", "an emergency", "--resource", "okafor")


def test_a_whole_business_moves_into_an_empty_home_and_comes_out_the_same(shell: Shell) -> None:
    a_full_house(shell)
    shell("export", "one.jsonl", "--all")

    shell("--database", "new.db", "import", "one.jsonl")
    shell("--database", "new.db", "export", "two.jsonl", "--all")

    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()
    shell("--database", "new.db", "doctor")
    assert shell.json("--database", "new.db", "agenda", "--week") == shell.json("agenda", "--week")
    assert shell.json("--database", "new.db", "slots", "checkup") == shell.json("slots", "checkup")
    assert ", 0 bad." in shell("--database", "new.db", "import", "two.jsonl").stdout


def test_a_copy_can_be_read_in_under_another_name(shell: Shell) -> None:
    a_full_house(shell)
    shell("export", "one.jsonl", "--all")

    shell("--database", "new.db", "import", "one.jsonl", "--business", "other")

    shell("--database", "new.db", "doctor")
    assert shell.json("--database", "new.db", "services", "list", "--business", "other")


def test_a_copy_never_overwrites_and_never_double_books(shell: Shell) -> None:
    shell.a_practice()
    made = shell.json("book", "visit", "2026-11-24 09:00", "--resource", "ada")
    shell("export", "copy.jsonl", "--all")
    shell("cancel", made["id"])
    shell("services", "change", "visit", "--name", "Other")
    shell("book", "visit", "2026-11-24 09:00", "--resource", "ada")
    body = Path("copy.jsonl").read_text()
    Path("copy.jsonl").write_text(body + body.splitlines()[-1].replace(made["id"], "apt_" + "0" * 32) + "\n")

    shell("import", "copy.jsonl", "--errors", "bad.jsonl", code=1)

    numbers = {line: number for number, line in enumerate(Path("copy.jsonl").read_text().splitlines(), 1)}
    service = next(number for line, number in numbers.items() if line.startswith('{"kind":"service"'))
    assert bad_lines("bad.jsonl") == {service: "refused", len(numbers) - 1: "refused", len(numbers): "taken"}
    shell("doctor")


@pytest.mark.parametrize(
    "line",
    [
        '{"kind": "planet", "id": "x", "value": {}}',
        '{"kind": "service", "id": "x"}',
        '{"kind": "service", "id": "x", "value": {"name": "X"}}',
        '{"kind": "appointment", "id": "x", "value": []}',
        '{"kind": "timeOff", "id": "nobody", "value": [{"id": "off_1", "start": 1, "end": 2}]}',
        '{"kind": "pool", "id": "x", "value": {"name": "X", "resourceIds": ["nobody"]}}',
    ],
)
def test_a_line_of_a_copy_that_cannot_be_is_a_bad_row(shell: Shell, line: str) -> None:
    shell.a_practice()

    shell("import", shell.write("copy.jsonl", line), "--errors", "bad.jsonl", code=1)

    assert list(bad_lines("bad.jsonl")) == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 10**18, "end": 10**18 + 600},
        {"start": -(10**12), "end": 600 - 10**12},
        {"end": 10**14},
        {"end": 1},
        {"start": 2_100_000_000, "end": 2_100_000_000},
        {"bufferBefore": 10**13},
        {"bufferAfter": -(10**9)},
        {"calendars": ["x/y"]},
        {"calendars": []},
        {"zone": "Mars/Phobos"},
        {"expires": 10**18},
        {"events": []},
        {"published": 50},
        {"id": "a/b"},
        {"customerId": "a/b"},
        {"messages": [{"id": "m", "kind": "reminder", "channel": "email", "due": 10**18}]},
    ],
    ids=str,
)
def test_an_impossible_appointment_of_a_copy_is_a_bad_row(shell: Shell, wrong: dict[str, object]) -> None:
    shell.a_practice()
    bare = {"serviceId": None, "userId": "u"}
    first = row("1", "2036-11-24 09:00", endTime="2036-11-24 09:30", **bare)
    shell("import", shell.write("rows.jsonl", json.dumps(first)))
    shell("export", "all.jsonl", "--all")
    copied = next(
        line for line in map(json.loads, Path("all.jsonl").read_text().splitlines()) if line["kind"] == "appointment"
    )
    copied["value"] |= {"id": "another"} | wrong
    second = row("2", "2036-11-24 10:00", endTime="2036-11-24 10:30", **bare)
    lines = [json.dumps(copied | {"id": "another"}), json.dumps(second)]

    shell("import", shell.write("copy.jsonl", "\n".join(lines)), "--errors", "bad.jsonl", code=1)

    assert list(bad_lines("bad.jsonl")) == [1]
    assert "well" in shell("doctor").output


@pytest.mark.parametrize(
    "line",
    [
        '{"kind": "customer", "id": "../x", "value": {"name": "X"}}',
        '{"kind": "timeOff", "id": "ada", "value": [{"id": "off_1", "start": -9999999999999, "end": -9999999999998}]}',
    ],
)
def test_no_copy_brings_what_could_not_be_shown(shell: Shell, line: str) -> None:
    shell.a_practice()

    shell("import", shell.write("copy.jsonl", line), "--errors", "bad.jsonl", code=1)

    assert list(bad_lines("bad.jsonl")) == [1]


def test_rows_come_from_standard_input_in_a_process_of_its_own(shell: Shell) -> None:
    shell.a_practice()
    lines = "".join(
        json.dumps(
            row(str(n), f"2036-11-24 {9 + n:02}:00", serviceId=None, endTime=f"2036-11-24 {9 + n:02}:30", userId="u")
        )
        + "\n"
        for n in range(3)
    )

    done = process(shell.folder, "import", "-", "--format", "jsonl", given=lines.encode())

    assert (done.returncode, done.stdout) == (0, b"3 rows read: 3 entered, 0 bad.\n")


def test_a_copy_comes_from_standard_input_too(shell: Shell) -> None:
    shell.a_practice()
    shell("export", "copy.jsonl", "--all")

    done = process(
        shell.folder, "--database", "new.db", "import", "-", "--format", "jsonl",
        given=Path("copy.jsonl").read_bytes(),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_a_hundred_thousand_bad_rows_take_no_more_memory_than_a_few(shell: Shell) -> None:
    shell.a_practice()
    filler = "x" * 200
    for name, count in (("few.jsonl", 1), ("many.jsonl", 100_000)):
        shell.write(name, *(row(str(number), "never", details={"filler": filler}) for number in range(count)))

    few, many = (
        peak_bytes(shell.folder, "import", name, "--errors", "bad.jsonl") for name in ("few.jsonl", "many.jsonl")
    )

    assert len(bad_lines("bad.jsonl")) == 100_000
    assert many - few < 20_000_000, f"{few:,} and {many:,}; the file has {Path('many.jsonl').stat().st_size:,}"


def peak_bytes(folder: Path, *args: str) -> int:
    """The most memory that a command holds, in a process of its own."""
    script = (
        "import resource, sys\nfrom slotkeeper.cli.main import cli\n"
        "try:\n    cli(sys.argv[1:])\n"
        "finally:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *args], cwd=folder, capture_output=True, text=True, check=False
    )
    return int(done.stdout.split()[-1]) * 1024


def test_an_export_of_many_takes_no_more_memory_than_of_a_few(shell: Shell) -> None:
    shell.a_practice()
    first = datetime(2030, 1, 1, tzinfo=UTC)
    starts = (first + timedelta(minutes=30 * number) for number in range(5_000))
    spans = ({"startTime": f"{start:%FT%TZ}", "endTime": f"{start:%FT%H}:{start.minute + 25}:00Z"} for start in starts)
    shell.write("rows.jsonl", *(span | {"resourceIds": ["ada"]} for span in spans))
    shell("import", "rows.jsonl")

    tracemalloc.start()
    for name in ("out.csv", "out.jsonl"):
        shell("export", name)
    shell("export", "all.jsonl", "--all")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(Path("out.jsonl").read_text().splitlines()) == 5_000
    assert peak < 6_000_000, f"{peak:,} bytes; the file has {Path('all.jsonl').stat().st_size:,}"
    shell("doctor")
