"""A plugin of pytest: keeps the wanted tests of those that were collected, and writes down how each one went.

    pytest -p readiness.recorder --record=FILE --wanted=FILE tests/...

`wanted` names tests as pytest does, one a line: a folder, a file, a class or a test; each stands for all below it. The
record has a line of JSON for the number of tests, and one for each phase of each test.
"""

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("readiness")
    group.addoption("--record", help="where to write how each test went")
    group.addoption("--wanted", help="a file with the names of the tests to keep")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--record") and not hasattr(
        config, "workerinput"
    ):  # workers of xdist report to their controller
        config.pluginmanager.register(Recorder(Path(config.getoption("--record"))), "readiness-recorder")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    path = config.getoption("--wanted")
    if not path:
        return
    wanted = frozenset(Path(path).read_text("utf-8").split("\n"))
    dropped = [item for item in items if not is_wanted(item.nodeid, wanted)]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if is_wanted(item.nodeid, wanted)]


def is_wanted(test: str, wanted: frozenset[str]) -> bool:
    """Whether the test, or something that it is part of, is among them."""
    return any(name in wanted for name in enclosing(test))


def enclosing(test: str) -> Sequence[str]:
    """The test itself, then what it is part of: without its parameters, its class, its file, the folders of that."""
    parts = test.partition("[")[0].split("::")
    above = [str(folder) for folder in PurePosixPath(parts[0]).parents if folder.name]
    return [test, *("::".join(parts[:length]) for length in range(len(parts), 0, -1)), *above]


class Recorder:
    """Writes a line as soon as something is known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._write({"total": len(session.items)})

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        self._write({"total": len(ids)})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write({"test": report.nodeid, "phase": "collect", "outcome": "failed"})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._write({"test": report.nodeid, "phase": report.when, "outcome": report.outcome})

    def _write(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
