"""schemathesis, an outsider: it knows the service by its OpenAPI document alone, and has its own environment."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.proof.attack.furnishing import furnish
from bench.proof.attack.server import ROOT, serving

PROGRAM = ROOT / ".venv-fuzz" / "bin" / "st"
PHASES = ("examples", "coverage", "fuzzing", "stateful")

CONFIG = """
# What our rules refuse, a schema cannot say: that a place is closed, or a zone none.
[checks.positive_data_acceptance]
enabled = false

# By default a refusal is 400, 401, 403, 404, 406, 422 or 428.
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429]

# Nobody guesses what there is.
[parameters]
"path.business" = "clinic"
"query.serviceId" = "visit-clinic"
"""

SELF_HARM = "deleteKeysId"
"""It would soon revoke the key that it asks with; our own cases see to that operation."""


class Said(msgspec.Struct, frozen=True):
    """What it found: how many cases it sent to how many operations, and its complaints with the operations."""

    cases: int
    operations: int
    complaints: tuple[str, ...]


def asked(
    examples: int, seed: int, *, phases: Sequence[str] = PHASES, only: Sequence[str] = (), fault: str = ""
) -> Said:
    """Let it attack, with at most so many cases for each operation in some of its phases; `only` names operations, such
    as `GET /slots`. `fault` names a build that is broken on purpose: there the first failure is enough.

    Raises:
        FileNotFoundError: its environment has not been made. RuntimeError: it gave up.
    """
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        [clinic] = furnish(folder / "clinic.db", ["clinic"], visits=6)
        (folder / "schemathesis.toml").write_text(CONFIG)
        with serving(folder / "clinic.db", folder / "log", fault) as port:
            command = [
                PROGRAM, "--config-file", folder / "schemathesis.toml", "--no-color", "run",
                f"http://127.0.0.1:{port}/openapi.json", "--header", f"Authorization: Bearer {clinic.keys['all']}",
                "--max-examples", str(examples), "--seed", str(seed), "--phases", ",".join(phases),
                "--exclude-operation-id", SELF_HARM, "--report", "json", "--report-json-path", folder / "said.json",
                "--no-shrink", "--generation-database", "none", "--warnings", "off",
                *(["--max-failures", "1"] if fault else ["--continue-on-failure"]),
                *(f"--include-name={name}" for name in only),
            ]  # fmt: skip
            run = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
        if not (folder / "said.json").exists():
            raise RuntimeError(f"schemathesis gave up: {run.stdout[-2000:]}{run.stderr[-2000:]}")
        return _said(json.loads((folder / "said.json").read_text()))


def _said(report: dict[str, Any]) -> Said:
    complaints = [f"{each['title']}: {', '.join(each['operations'])}" for each in report["failures"] + report["errors"]]
    return Said(report["test_cases"]["generated"], report["operations"]["tested"], tuple(complaints))
