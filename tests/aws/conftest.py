"""What the tests of the home on AWS share."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws.cloud import Cloud
    from tests.aws.emulator import Emulator


@pytest.fixture
def cloud(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A command line whose AWS is the emulator, in an empty folder, for a stack of its own name."""
    from tests.aws.cloud import Cloud, variables

    for name, value in variables(emulator.endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Cloud(emulator, tmp_path, f"stack-{uuid4().hex[:8]}")
