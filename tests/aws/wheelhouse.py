"""The wheels that our lock names, brought once and kept for all tests: pip takes seconds each time."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from slotkeeper.aws.wheels import LOCK, Architecture, fetch
from tests.aws.emulator import ROOT

KEPT = ROOT / "build" / "kept-by-tests"


def wheels_for(architecture: Architecture, python: str) -> list[Path]:
    """The wheels for that machine and Python, sorted: those of another lock are never among them."""
    KEPT.mkdir(parents=True, exist_ok=True)
    folder = KEPT / f"wheels-{architecture}-{python}-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    if not folder.exists():
        with TemporaryDirectory(dir=KEPT) as name:
            fetch(Path(name) / "wheels", architecture, python)
            try:
                (Path(name) / "wheels").rename(folder)
            except OSError:  # another process was faster
                assert folder.exists()
    return sorted(folder.glob("*.whl"))
