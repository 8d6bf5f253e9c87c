"""The command line on a table of DynamoDB: the same commands, and kind words for those that need a file."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from slotkeeper.cli import table as opening
from tests.aws.emulator import REGION, Emulator
from tests.aws.tables import a_table
from tests.cli.command_line import Shell
from tests.stores.peer import Act, a_peer, failure, forward

pytestmark = pytest.mark.slow


@dataclass
class TableShell(Shell):
    """A command line whose database is a table."""

    table: str = ""

    def __call__(self, *args: str, code: int = 0, given: str | bytes | None = None) -> Result:
        """As `Shell` does, on the table."""
        return super().__call__("--database", f"dynamodb:{self.table}", *args, code=code, given=given)


@pytest.fixture
def on_table(shell: Shell, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> TableShell:
    """A command line on a new, empty table."""
    for name, value in {
        "AWS_ENDPOINT_URL_DYNAMODB": emulator.endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": emulator.key_id,
        "AWS_SECRET_ACCESS_KEY": emulator.secret,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(shell.folder),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    return TableShell(shell.folder, shell.clock, a_table(emulator))


def test_a_practice_is_made_booked_and_looked_after_in_a_table(on_table: TableShell) -> None:
    on_table.a_practice()
    made = on_table.json("book", "visit", "2026-11-24 09:00", "--resource", "ada", "--name", "Grace", "--once", "k1")
    again = on_table.json("book", "visit", "2026-11-24 09:00", "--resource", "ada", "--name", "Grace", "--once", "k1")
    taken = on_table.complaint("book", "visit", "2026-11-24 09:00", "--resource", "ada", code=1)
    key = on_table.json("keys", "create", "web")
    on_table("move", made["id"], "2026-11-24 10:00")
    on_table("book", "visit", "2026-11-24 09:00", "--resource", "ada")
    on_table("cancel", made["id"])

    assert again["id"] == made["id"]
    assert "Refused" in taken
    assert [each["startTime"] for each in on_table.json("agenda", "--day", "2026-11-24", "--all")] == [
        "2026-11-24T08:00:00Z",
        "2026-11-24T09:00:00Z",
    ]
    assert key["id"] in {each["id"] for each in on_table.json("keys", "list")}
    assert "2026-11-24T08:00:00Z" not in {
        each["startTime"] for each in on_table.json("slots", "visit", "--resource", "ada")
    }
    assert "All is well" in on_table("doctor").stdout
    assert "there is a business 'practice' already" in on_table.complaint(
        "init", "X", "--zone", "UTC", "--id", "practice", code=1
    )


def a_full_house(shell: Shell) -> None:
    """A practice with everything in it that a business may have, and some history."""
    shell.a_practice()
    shell("customers", "add", "bob", "--name", "Bob", "--email", "bob@example.com")
    shell("book", "visit", "2026-11-24 09:00", "--customer", "bob", "--email", "bob@example.com")
    shell("book", "2026-11-25 08:00", "--until", "2026-11-25 08:07", "--customer", "bob")
    shell("book", "visit", "2026-11-25 03:00", "--override", "an emergency", "--resource", "ada")
    rows = [
        {"id": "1", "startTime": "2026-11-16 09:00", "serviceId": "visit", "status": "completed"},
        {"id": "2", "startTime": "2026-11-16 09:00", "serviceId": "visit", "status": "cancelled"},
        {"id": "3", "startTime": "2026-11-17 09:00", "serviceId": "visit", "status": "noShow"},
        {"id": "4", "startTime": "2026-11-26 09:00", "serviceId": "visit"},
    ]
    shell("import", shell.write("rows.jsonl", *rows))


def test_a_business_moves_from_a_file_into_a_table_and_comes_out_the_same(shell: Shell, on_table: TableShell) -> None:
    a_full_house(shell)
    shell("export", "file.jsonl", "--all")

    taken = on_table("import", "file.jsonl")
    on_table("export", "table.jsonl", "--all")

    assert ", 0 bad." in taken.stdout
    assert Path("table.jsonl").read_bytes() == Path("file.jsonl").read_bytes()
    for each in (shell, on_table):
        assert "All is well" in each("doctor").stdout
    assert on_table.json("agenda", "--week") == shell.json("agenda", "--week")
    assert ": 0 entered, " in on_table("import", "file.jsonl", "--business", "practice").stdout


def test_rows_are_read_into_a_table_as_into_a_file(shell: Shell, on_table: TableShell) -> None:
    found = []
    for each in (shell, on_table):
        a_full_house(each)
        each("export", "out.jsonl", "--force")
        lines = map(json.loads, Path("out.jsonl").read_text().splitlines())
        found.append([(line["startTime"], line["status"], line.get("resourceIds")) for line in lines])

    assert found[0] == found[1]
    assert len(found[0]) == 7


def test_a_named_business_is_exported_without_reading_all_others(
    on_table: TableShell, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_table.a_practice()
    with a_peer(forward(emulator.endpoint)) as peer:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", peer.endpoint)
        on_table("export", "out.jsonl", "--all", "--business", "practice")

    called = {asked.headers["x-amz-target"].partition(".")[2] for asked in peer.asked}
    assert called == {"GetItem", "Query"}
    assert {asked.headers["user-agent"].partition(" ")[2] for asked in peer.asked} == {"app/cli"}


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (("backup", "copy.db"), "slotkeeper export"),
        (("restore", "rows.jsonl", "--yes"), "slotkeeper export"),
        (("serve",), "slotkeeper aws deploy"),
        (("demo", "--serve", "--port", "8099"), "slotkeeper aws deploy"),
    ],
)
def test_what_needs_a_file_says_what_to_do_instead(on_table: TableShell, words: tuple[str, ...], instead: str) -> None:
    on_table.write("rows.jsonl", "x")
    before = set(on_table.folder.iterdir())

    said = on_table.complaint(*words, code=1)

    assert "not" in said
    assert "DynamoDB" in said
    assert instead in said
    assert set(on_table.folder.iterdir()) == before


def test_a_table_that_is_missing_or_has_no_name_is_told_of(on_table: TableShell) -> None:
    missing = TableShell(on_table.folder, on_table.clock, "nowhere").complaint("doctor", code=1)
    nameless = TableShell(on_table.folder, on_table.clock, "").complaint("doctor", code=1)

    assert f"there is no table 'nowhere' in {REGION}" in missing
    assert "slotkeeper aws deploy" in missing
    assert "dynamodb:TABLE" in nameless
    assert not list(on_table.folder.iterdir())


@pytest.mark.parametrize(
    ("refusal", "hint"),
    [
        (failure("AccessDeniedException"), "may read and write the table"),
        (failure("ExpiredTokenException"), "aws sso login"),
        (failure("UnrecognizedClientException"), "aws configure"),
        (failure("SomethingElseException"), "Look at the table"),
    ],
)
def test_credentials_that_are_refused_are_told_of(
    on_table: TableShell, monkeypatch: pytest.MonkeyPatch, refusal: Act, hint: str
) -> None:
    with a_peer(refusal) as peer:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", peer.endpoint)
        said = on_table.complaint("agenda", code=1)

    assert "what it says" in said
    assert hint in said


def test_a_refusal_in_the_middle_is_told_of_as_well(
    on_table: TableShell, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_table.a_practice()
    with a_peer(forward(emulator.endpoint), failure("AccessDeniedException")) as peer:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", peer.endpoint)
        said = on_table.complaint("agenda", "--business", "practice", code=1)

    assert "may read and write the table" in said


def test_a_region_that_does_not_answer_is_told_of(on_table: TableShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUDGET_SECONDS", 0.3)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")

    assert "at the network" in on_table.complaint("doctor", code=3)


def test_without_credentials_in_the_environment_those_of_a_profile_are_taken(
    on_table: TableShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "there are no AWS credentials" in on_table.complaint("doctor", code=1)

    (on_table.folder / ".aws").mkdir()
    (on_table.folder / ".aws" / "credentials").write_text("[clinic]\naws_access_key_id=k\naws_secret_access_key=s\n")
    monkeypatch.setenv("AWS_PROFILE", "clinic")
    assert "All is well" in on_table("doctor").stdout

    monkeypatch.setenv("AWS_PROFILE", "other")
    assert "other" in on_table.complaint("doctor", code=1)


def test_without_credentials_and_boto3_both_ways_are_told_of(
    on_table: TableShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "boto3.session", raising=False)

    said = on_table.complaint("doctor", code=1)

    assert "AWS_ACCESS_KEY_ID" in said
    assert "slotkeeper[aws]" in said
