"""Writes the pages of docs/reference that follow from the code: `python -m tests.reference_pages`.

Tests compare what it would write with what is committed.
"""

from collections.abc import Iterator
from pathlib import Path

from slotkeeper.settings import CONFIG_FILE, CONFIG_VARIABLE, Entry, entries

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


PAGES = {"settings.md": settings_page}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), "utf-8")
