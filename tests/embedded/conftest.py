"""What the tests of the embedded home share."""

from pathlib import Path

import pytest

from tests.builders import MONDAY
from tests.clock import VirtualClock
from tests.embedded.command_line import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A command line in an empty folder, early on a Monday."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLOTKEEPER_CONFIG", raising=False)
    return Shell(tmp_path, VirtualClock(MONDAY))
