"""The floors hold, and the checks that guard them can fail."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
CORE = ROOT / "src" / "slotkeeper" / "core"
CLOCK_CALLS = {"now", "utcnow", "today"}
SOUND_HOUSE = {
    "core/rules": "import math",
    "contracts": "import slotkeeper.core.rules",
    "desk/book": "import slotkeeper.contracts",
    "courier": "import slotkeeper.contracts",
    "stores/sqlite": "import sqlite3, slotkeeper.contracts",
    "web/api": "import slotkeeper.desk.book",
    "settings": "import os",
    "embedded/app": "import slotkeeper.settings, slotkeeper.web.api, slotkeeper.stores.sqlite",
}


def clock_calls(source: str) -> list[str]:
    """Every call in `source` that would read a clock, in the order met."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_CALLS
    ]


def lint_imports(package_folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter, with our own contracts, says of a `slotkeeper` under `package_folder`."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(config_filename=sys.argv[2], no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", script, str(package_folder), str(ROOT / "pyproject.toml")],
        cwd=package_folder,
        capture_output=True,
        text=True,
        check=False,
    )


def house(folder: Path, modules: dict[str, str]) -> Path:
    """A `slotkeeper` package under `folder` of the named modules; `web/api` stands for slotkeeper.web.api."""
    for name, source in modules.items():
        path = folder / "slotkeeper" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        for package in (path.parent, folder / "slotkeeper"):
            (package / "__init__.py").touch()
    return folder


def test_the_core_never_asks_what_time_it_is() -> None:
    found = {path.name: calls for path in CORE.rglob("*.py") if (calls := clock_calls(path.read_text()))}

    assert not found


def test_a_call_for_the_time_is_seen() -> None:
    assert clock_calls("from datetime import datetime, UTC\nx = datetime.now(UTC)") == ["datetime.now(UTC)"]


def test_arrows_that_point_down_are_let_through(tmp_path: Path) -> None:
    verdict = lint_imports(house(tmp_path, SOUND_HOUSE))

    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("core/rules", "sqlite3"),
        ("core/rules", "time"),
        ("core/rules", "os.path"),
        ("core/rules", "slotkeeper.contracts"),
        ("contracts", "slotkeeper.stores.sqlite"),
        ("desk/book", "slotkeeper.stores.sqlite"),
        ("stores/sqlite", "slotkeeper.courier"),
        ("desk/book", "slotkeeper.web.api"),
        ("web/api", "slotkeeper.settings"),
        ("aws/app", "slotkeeper.embedded.app"),
    ],
)
def test_an_arrow_that_points_elsewhere_is_refused(tmp_path: Path, importer: str, imported: str) -> None:
    verdict = lint_imports(house(tmp_path, SOUND_HOUSE | {importer: f"import {imported}"}))

    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    assert re.search(r"\bBROKEN\b", verdict.stdout)


def test_a_module_without_a_floor_is_refused(tmp_path: Path) -> None:
    verdict = lint_imports(house(tmp_path, SOUND_HOUSE | {"helpers": ""}))

    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    assert "slotkeeper.helpers" in verdict.stdout
