"""What tests of more than one folder share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.aws.emulator import Emulator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests of a process: each test makes what it needs under names of its own."""
    from tests.aws.emulator import emulating  # boto3 takes its time to load: only who asks waits for it

    with emulating(tmp_path_factory.mktemp("emulator")) as running:
        yield running
