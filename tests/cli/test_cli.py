"""The command line as a whole: its help, its exit codes, and how errors are told."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from slotkeeper.cli.complaints import code_of
from slotkeeper.cli.main import COMMANDS, SECTIONS, cli
from slotkeeper.cli.session import Session
from slotkeeper.core.errors import SlotkeeperError
from tests.cli.command_line import Shell, process
from tests.reference_pages import FOLDER, cli_page


def every_command(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that name each command, groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*path, name)
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_each_command_has_help_with_every_option_explained(shell: Shell, words: tuple[str, ...]) -> None:
    assert "Usage: " in shell(*words, "--help").stdout
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    assert command.help
    assert all(each.help for each in command.params if isinstance(each, click.Option))


def test_help_lists_every_command_under_its_section(shell: Shell) -> None:
    text = shell("--help").stdout

    assert all(section in text for section in SECTIONS)
    assert all(f"  {name} " in text for name in COMMANDS)


def test_help_loads_neither_tables_nor_the_desk_nor_a_server() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from slotkeeper.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0\n"
        "print([name for name in ('rich', 'msgspec', 'uvicorn', 'jinja2', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_help_asks_for_no_settings(shell: Shell) -> None:
    Path("slotkeeper.toml").write_text("nonsense = 1\n")

    shell("agenda", "--help")


def test_an_unknown_command_is_answered_with_the_nearest(shell: Shell) -> None:
    assert "Did you mean 'agenda'?" in shell.complaint("agend", code=2)


def test_wrong_settings_are_told_of_and_exit_with_2(shell: Shell) -> None:
    Path("slotkeeper.toml").write_text("prot = 1\n")

    assert "there is no setting 'prot': did you mean port?" in shell.complaint("agenda", code=2)


def test_without_a_database_it_says_how_to_make_one(shell: Shell) -> None:
    said = shell.complaint("agenda", code=1)

    assert "there is no database at slotkeeper.db" in said
    assert "slotkeeper init" in said
    assert not list(shell.folder.iterdir())


def test_a_database_that_cannot_be_opened_exits_with_3(shell: Shell) -> None:
    shell.write("junk.db", "this is no database")

    assert "file is not a database" in shell.complaint("--database", "junk.db", "agenda", code=3)


def test_a_refusal_exits_with_1_and_says_what_is_free_on_the_clock_of_the_place(shell: Shell) -> None:
    shell.a_practice()
    for _ in range(2):
        shell("book", "visit", "2026-11-24 09:00")

    said = shell.complaint("book", "visit", "2026-11-24 09:00", code=1)

    assert "Refused: " in said
    assert "In the way: apt_" in said
    assert "Tue 2026-11-24 09:00 to 09:30" in said
    assert "Free instead: Tue 2026-11-24 09:30, Tue 2026-11-24 09:45" in said


def test_what_is_missing_exits_with_1_and_says_where_to_look(shell: Shell) -> None:
    shell.a_practice()

    assert "slotkeeper services list" in shell.complaint("slots", "vist", code=1)
    assert "there is no appointment 'apt_0'" in shell.complaint("cancel", "apt_0", code=1)


def test_a_fault_of_ours_is_one_line_unless_one_asks_for_more(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Session) -> None:
        raise ZeroDivisionError("oh dear")

    monkeypatch.setattr(Session, "opened", broken)

    assert "something unforeseen: ZeroDivisionError: oh dear" in shell.complaint("doctor", code=70)
    assert isinstance(shell("--debug", "doctor", code=1).exception, ZeroDivisionError)


def test_every_error_of_ours_has_an_exit_code_of_the_three() -> None:
    def below(kind: type[SlotkeeperError]) -> Iterator[type[SlotkeeperError]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    assert {code_of(kind.__new__(kind)) for kind in below(SlotkeeperError)} == {1, 2, 3}


def test_with_several_businesses_one_must_be_named(shell: Shell) -> None:
    shell("init", "One", "--zone", "UTC")
    shell("init", "Two", "--zone", "UTC")

    assert "there are several businesses: one, two" in shell.complaint("keys", "list", code=1)
    assert len(shell.json("keys", "list", "--business", "two")) == 1
    complaint = shell.complaint("agenda", "--business", "three", code=1)
    assert "there is no business 'three'" in complaint
    assert "These are there: one, two" in complaint


def test_a_business_without_keys_is_found_all_the_same(shell: Shell) -> None:
    shell.a_practice()
    shell("export", "copy.jsonl", "--all")

    shell("--database", "other.db", "import", "copy.jsonl")

    assert shell("--database", "other.db", "services", "list").exit_code == 0


def test_a_business_that_was_moved_in_is_never_passed_over(shell: Shell) -> None:
    shell.a_practice()
    shell("export", "copy.jsonl", "--all")

    shell("--database", "other.db", "init", "Other", "--zone", "UTC")
    moved = shell("--database", "other.db", "import", "copy.jsonl").stdout
    again = shell("--database", "other.db", "import", "copy.jsonl").stdout

    assert "A new one, shown this once: sk_" in moved
    assert "sk_" not in again
    assert "there are several businesses: other, practice" in shell.complaint(
        "--database", "other.db", "services", "list", code=1
    )


def test_init_says_what_comes_next_and_refuses_what_is_there(shell: Shell) -> None:
    made = shell.json("init", "Zahnärzte am Fluß", "--zone", "Europe/Berlin")

    assert made["business"] == "zahnarzte-am-flu"
    assert made["secret"].startswith(f"sk_{made['keyId']}_")
    assert "there is a business" in shell.complaint("init", "Zahnärzte am Fluß", "--zone", "UTC", code=1)
    assert "slotkeeper serve" in shell("init", "Other", "--zone", "UTC").stdout


def test_init_knows_what_zone_was_meant(shell: Shell) -> None:
    assert "did you mean Europe/Berlin" in shell.complaint("init", "X", "--zone", "Europe/Berln", code=2)
    assert "Europe/Berlin" in shell.complaint("init", "X", "--zone", "berlin", code=2)
    assert not (shell.folder / "slotkeeper.db").exists()


@pytest.mark.slow
def test_a_process_of_its_own_exits_in_the_same_way(tmp_path: Path) -> None:
    missing = process(tmp_path, "agenda")
    wrong = process(tmp_path, "agenda", "--day")

    assert (missing.returncode, wrong.returncode) == (1, 2)
    assert b"Traceback" not in missing.stderr + wrong.stderr
    assert process(tmp_path, "--version").stdout.startswith(b"slotkeeper ")


def test_names_cannot_steer_the_terminal(shell: Shell) -> None:
    shell.a_practice()

    assert "U+001B" in shell.complaint("keys", "create", "\x1b[31mred", code=2)
    assert "U+001B" in shell.complaint("book", "visit", "2026-11-24 09:00", "--name", "\x1b[2J", code=2)
    shell("keys", "create", "[bold]x[/bold]")
    assert "[bold]x[/bold]" in shell("keys", "list").stdout


def test_keys_are_made_listed_and_revoked(shell: Shell) -> None:
    shell.a_practice()

    made = shell.json("keys", "create", "website", "--scope", "read")
    shell("keys", "revoke", made["id"])

    [first, *_] = [key for key in shell.json("keys", "list") if key["id"] == made["id"]]
    assert (first["scopes"], first["isRevoked"]) == (["read"], True)
    assert made["secret"] not in shell("keys", "list").output
    assert "slotkeeper keys list" in shell.complaint("keys", "revoke", "nonsense", code=1)
    assert "may only read and book" in shell.complaint(
        "keys", "create", "x", "--scope", "staff", "--customer", "c", code=2
    )


def test_the_page_of_commands_lists_each_as_it_is() -> None:
    page = (FOLDER / "cli.md").read_text("utf-8")

    assert page == cli_page(), "remake it with: python -m tests.reference_pages"
    assert all(f"`slotkeeper {' '.join(words)}`" in page for words in every_command())


@pytest.mark.slow
def test_help_answers_at_once(tmp_path: Path) -> None:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        process(tmp_path, "--help")
        times.append(time.perf_counter() - start)

    assert min(times) < 0.3, f"{times} on {os.cpu_count()} cores; it is 0.1 on a quiet machine"
