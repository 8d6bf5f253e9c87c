"""Writes the pages of docs/reference that follow from the code: `python -m tests.reference_pages`.

Tests compare what it would write with what is committed.
"""

from collections.abc import Iterator
from inspect import cleandoc
from itertools import groupby
from pathlib import Path

import click

from slotkeeper.cli.main import SECTIONS, cli
from slotkeeper.settings import CONFIG_FILE, CONFIG_VARIABLE, Entry, entries
from slotkeeper.web.problems import explained
from slotkeeper.web.routes import Route
from slotkeeper.web.table import API

FOLDER = Path(__file__).parent.parent / "docs" / "reference"

SETTINGS_HEAD = f"""# Settings

Slotkeeper reads its settings, in this order, from its own defaults, from one TOML file, from the environment, and
from the command line; what comes later wins. The file is `{CONFIG_FILE}` in the working directory, or the one that
`--config` or `{CONFIG_VARIABLE}` names. A setting that is not listed here is refused by its name, and so is a value
that is not allowed: nothing is guessed.

```toml
database = "/var/lib/slotkeeper/slotkeeper.db"
public_url = "https://book.example.com"
trusted_proxies = 1

[smtp]
host = "mail.example.com"
username = "desk@example.com"
from_address = "desk@example.com"
```

Secrets are best kept out of files: `SLOTKEEPER_SMTP_PASSWORD` in the environment sets `smtp.password`.

| in TOML | in the environment | default | may be | meaning |
|---|---|---|---|---|
"""


def settings_page() -> str:
    """docs/reference/settings.md."""
    return SETTINGS_HEAD + "".join(f"| {' | '.join(_cells(entry))} |\n" for entry in entries())


def _cells(entry: Entry) -> Iterator[str]:
    yield f"`{entry.name}`"
    yield f"`{entry.variable}`"
    yield f"`{str(entry.default).lower()}`" if isinstance(entry.default, bool) else _default(entry.default)
    yield entry.kind.allowed
    yield entry.meaning


def _default(value: object) -> str:
    return f"`{value}`" if value or value == 0 else "none"


CLI_HEAD = """# Commands

All commands work on the database that the [settings](settings.md) name, also beside a running server.
`slotkeeper COMMAND --help` shows what stands here. `--business` names whose data is meant; it is needed only when
there are several.

Times are read on the clock of the place, as `2026-11-24 09:30`; a time that the clocks skip is refused, and for one
that comes twice an offset is asked for. Any RFC 3339 time with an offset, such as `2026-11-24T09:30:00+01:00`, will do
too.

Exit codes: 0 done; 1 refused, or not there; 2 not understood, or wrong settings; 3 the database cannot be reached; 70 a
fault of Slotkeeper's own. `slotkeeper --debug COMMAND` shows where in the program an error comes from.

The formats that `import` and `export` read and write are described in [files](files.md).
"""


def cli_page() -> str:
    """docs/reference/cli.md."""
    context = click.Context(cli, info_name="slotkeeper")
    parts = [CLI_HEAD, "\n## `slotkeeper`\n", *_options(cli, context)]
    for section, commands in SECTIONS.items():
        parts.append(f"\n## {section}\n")
        for name in commands:
            command = cli.get_command(context, name)
            assert command is not None
            parts += _command(command, click.Context(command, info_name=name, parent=context), 3)
    return "".join(parts)


def _command(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"\n{'#' * level} `{context.command_path}`\n\n"
    yield f"    {context.command_path} {usage}\n\n"
    yield cleandoc(command.help or "") + "\n"
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _command(below, click.Context(below, info_name=name, parent=context), level + 1)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [each.get_help_record(context) for each in command.params if isinstance(each, click.Option)]
    rows = [f"| `{flag.replace('|', ', ')}` | {text} |\n" for flag, text in filter(None, records)]
    if rows:
        yield "\n| option | meaning |\n|---|---|\n"
        yield from rows


API_HEAD = """# The API

`/docs` of a running service shows the same with every field and an example, and `/openapi.json` is the document for
programs. Times are RFC 3339 with an offset. Bodies are JSON in UTF-8; unknown fields are refused. Lists answer
`{"items": [...], "nextCursor": ...}` and go on with `?cursor=`.

A key goes into `Authorization: Bearer sk_...` or `X-API-Key`. What a route asks of it stands under *key*: a scope, or
*none* for what anyone may do. A route marked *repeatable* takes an `Idempotency-Key`, one marked *conditional* an
`If-Match` with the `ETag` of what the caller has seen. Limited routes answer with `RateLimit` and `RateLimit-Policy`.
"""


def api_page() -> str:
    """docs/reference/api.md."""
    parts = [API_HEAD]
    for topic, routes in groupby(sorted(API, key=lambda route: route.topic), lambda route: route.topic):
        parts.append(f"\n## {topic}\n\n| route | what it does | key | takes |\n|---|---|---|---|\n")
        parts += [_route(route) for route in routes]
    parts.append("\n## Problems\n\nErrors are `application/problem+json` (RFC 9457) with `code` for programs.\n\n")
    parts.append("| status | code | meaning |\n|---|---|---|\n")
    parts += [f"| {kind.status} | `{kind.code}` | {meaning} |\n" for kind, meaning in explained()]
    return "".join(parts)


def _route(route: Route) -> str:
    key = "none" if route.access in ("open", "public") else f"`{route.access}`"
    takes = [
        name for name, does in (("repeatable", route.is_repeatable), ("conditional", route.is_conditional)) if does
    ]
    return f"| `{route.method} {route.pattern}` | {route.summary} | {key} | {', '.join(takes)} |\n"


PAGES = {"settings.md": settings_page, "cli.md": cli_page, "api.md": api_page}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), "utf-8")
