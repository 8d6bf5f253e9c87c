"""What the tests of the home on AWS share."""

from collections.abc import Iterator

import pytest

from tests.aws.emulator import Emulator, emulating


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests of a process: each test makes what it needs under names of its own."""
    with emulating(tmp_path_factory.mktemp("emulator")) as running:
        yield running
