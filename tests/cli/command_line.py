"""A command line in a folder of its own, with a clock that stands still."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from slotkeeper.cli.main import cli
from slotkeeper.cli.session import Session
from tests.clock import VirtualClock

ZONE = "Europe/Berlin"


@dataclass
class Shell:
    """`shell("agenda", "--json")` runs a command; its settings and files lie in `folder`, the working directory."""

    folder: Path
    clock: VirtualClock

    def __call__(self, *args: str, code: int = 0, given: str | bytes | None = None) -> Result:
        """Run a command and insist on its exit code."""
        result = CliRunner().invoke(cli, args, obj=Session(clock=self.clock), input=given)
        assert result.exit_code == code, f"{args}: {result.output}\n{result.exception!r}"
        return result

    def json(self, *args: str) -> Any:
        """What a command answers in JSON."""
        return json.loads(self(*args, "--json").stdout)

    def complaint(self, *args: str, code: int) -> str:
        """What is said on standard error when a command fails."""
        result = self(*args, code=code)
        assert "Traceback" not in result.output
        return result.stderr

    def complaints(self) -> list[str]:
        """What the doctor, who must be unhappy, complains of."""
        found = json.loads(self("doctor", "--json", code=1).stdout)
        assert not found["isClean"]
        return list(found["complaints"])

    def write(self, name: str, *lines: str | bytes | dict[str, Any]) -> str:
        """A file with these lines; returns its name."""
        parts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
        body = b"".join((part.encode() if isinstance(part, str) else part) + b"\n" for part in parts)
        (self.folder / name).write_bytes(body)
        return name

    def a_practice(self) -> None:
        """A business in Berlin, open 9 to 17 on weekdays, with two doctors and a visit of 30 minutes with any."""
        self("init", "Practice", "--zone", ZONE, "--id", "practice")
        self("schedules", "add", "week", "--name", "Week", "--open", "mon-fri 09:00-17:00")
        for name in ("ada", "ben"):
            self("resources", "add", name, "--name", f"Dr {name.title()}", "--schedule", "week")
        self("pools", "add", "doctors", "--name", "Doctors", "--resource", "ada", "--resource", "ben")
        self("services", "add", "visit", "--name", "Visit", "--minutes", "30", "--need", "pool:doctors")


def process(folder: Path, *args: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run `python -m slotkeeper` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "slotkeeper", *args], cwd=folder, input=given, capture_output=True, check=False
    )
