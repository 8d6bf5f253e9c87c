"""The pages on deploying and moving show commands that there are, with parameters that the template has."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from slotkeeper.cli.commands.aws import TEMPLATE
from slotkeeper.cli.main import cli

PAGES = [Path(__file__).parents[2] / "docs" / "how-to" / name for name in ("deploy-to-aws.md", "move-between-homes.md")]


def shown(page: str) -> Iterator[list[str]]:
    """The words of each command of ours in a page's blocks and in its table cells, without the program's name."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)).replace("\\\n", " ")
    for line in [*blocks.splitlines(), *re.findall(r"`(slotkeeper [^`]*)`", page)]:
        for command in re.findall(r"(?:^|\$\()(slotkeeper (?:[^|#)']|'[^']*')*)", line):
            yield shlex.split(command)[1:]


def parsed(words: list[str]) -> None:
    """Read the words as click would, without running anything.

    Raises:
        click.UsageError: there is no such command or option, or an argument is missing.
    """
    group: click.Command = cli
    context = cli.make_context("slotkeeper", list(words))
    while isinstance(group, click.Group):
        name, found, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        context = found.make_context(name, rest, parent=context)
        group = found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_on_the_page_can_be_called_so(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moved.jsonl").touch()
    commands = list(shown(page.read_text("utf-8")))

    assert len(commands) > 5
    for words in commands:
        parsed(words)


@pytest.mark.parametrize("words", ["aws deploi", "aws deploy --parameters A=b", "export", "aws outputs now"])
def test_a_command_that_cannot_be_called_would_be_seen(words: str) -> None:
    page = f"```sh\nslotkeeper {words}   # so\n```"

    with pytest.raises(click.UsageError):
        parsed(next(shown(page)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_parameter_and_output_on_the_page_is_the_templates(page: Path) -> None:
    template = json.loads(TEMPLATE.read_text())
    text = page.read_text("utf-8")

    used = {*re.findall(r"--parameter (\w+)=", text), *re.findall(r"\b(Code\w+)=", text)}
    used |= {name for name in re.findall(r"`([A-Z][A-Za-z]+[a-z])`", text) if name not in template["Outputs"]}

    assert used
    assert used <= {*template["Parameters"], *template["Resources"]}
