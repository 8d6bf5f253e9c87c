"""What the tests of the command line share."""

from pathlib import Path

import pytest

from tests.builders import MONDAY
from tests.cli.command_line import Shell
from tests.clock import VirtualClock


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A command line in an empty folder, early on a Monday."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLOTKEEPER_CONFIG", raising=False)
    return Shell(tmp_path, VirtualClock(MONDAY))
