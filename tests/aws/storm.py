"""microburst, a proxy before the emulator that makes AWS's failures happen: a process of its own, on a free port."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.aws.emulator import ENVIRONMENT, START_SECONDS, free_port

Rule = dict[str, Any]


def failing(code: str, probability: float, operation: str = "", status: int = 400, **fields: Any) -> Rule:
    """DynamoDB answers with an error, and does nothing."""
    error = {"code": code, "status": status, "message": "made up", "fields": fields}
    return _rule(probability, operation) | {"error": error}


def conflicting(probability: float, keys: int) -> Rule:
    """A transaction of up to `keys` keys is cancelled because of another one."""
    reasons = [{"Code": "TransactionConflict", "Message": "made up"}, *[{"Code": "None"}] * (keys - 1)]
    return failing("TransactionCanceledException", probability, "TransactWriteItems", CancellationReasons=reasons)


def breaking(probability: float, operation: str = "") -> Rule:
    """The connection is reset before anything is done."""
    return _rule(probability, operation) | {"reset": True}


def losing(probability: float, operation: str = "") -> Rule:
    """What was asked is done, and the answer is lost on its way."""
    return _rule(probability, operation) | {"response": {"abort_bytes": 0}}


def _rule(probability: float, operation: str) -> Rule:
    return {"service": "dynamodb", "probability": probability} | ({"operation": operation} if operation else {})


@dataclass(frozen=True, slots=True)
class Storm:
    """A running microburst; calls go to `endpoint`."""

    endpoint: str

    def blow(self, rules: Sequence[Rule]) -> None:
        """Let these rules be the only ones, and forget what they did."""
        self._ask("rules", "POST", list(rules))
        self._ask("fired", "DELETE")

    def fired(self) -> Counter[str]:
        """How often each kind of failure was made to happen."""
        return Counter(each["action"] for each in self._ask("fired?limit=100000", "GET"))

    def _ask(self, what: str, method: str, value: Any = None) -> Any:
        body = None if value is None else json.dumps(value).encode()
        with urlopen(Request(f"{self.endpoint}/_microburst/{what}", body, method=method), timeout=30) as response:
            return json.load(response)


@contextmanager
def storming(upstream: str, folder: Path) -> Iterator[Storm]:
    """Run one before `upstream` until the block ends; it does nothing until it is given rules."""
    # By any longer name it takes ten seconds: it looks for a service of that name in every model of botocore's.
    storm = Storm(f"http://localhost:{free_port()}")
    with (folder / "microburst.log").open("wb") as log:
        program, port = str(ENVIRONMENT / "microburst"), storm.endpoint.rpartition(":")[2]
        process = subprocess.Popen(
            [program, "--upstream", upstream, "--port", port],
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(storm, process)
            yield storm
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(storm: Storm, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{storm.endpoint}/_microburst/health", timeout=5):
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError("microburst did not start: see microburst.log")
