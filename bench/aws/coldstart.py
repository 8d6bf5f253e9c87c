"""A cold start of the booking handler, as a whole process, beside the same handler as most would build it.

Ours is what Lambda gets: the zip of all functions, unpacked, and nothing else to import from. The peer is FastAPI with
mangum and a boto3 client, in the environment that requirements-peers.lock makes. Both run on this Python, in turn, so
that whatever else the machine does happens to both. Neither asks a table: that is the network's time.

    python -m bench.aws.coldstart [--rounds 20]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from bench.aws.units import show
from slotkeeper.aws.packing import Package, pack
from slotkeeper.aws.wheels import Architecture

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".venv-peers"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HERE: Architecture = "x86_64" if os.uname().machine == "x86_64" else "arm64"
SHOWN = 12
OURS_BUILT, PEER_BUILT = "ours: imported and built", "FastAPI + mangum + boto3: imported and built"

START = "import sys; sys.path.insert(0, sys.argv[1])\n"

OURS = """
from slotkeeper.aws import conflict_detector
conflict_detector._api()
handler = conflict_detector.handler
"""

PEER = """
import boto3
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

class Booking(BaseModel):
    serviceId: str
    startTime: str
    customerId: str | None = None

table = boto3.client("dynamodb")
app = FastAPI()

@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}

@app.post("/appointments", status_code=201)
def book(booking: Booking) -> dict[str, str]:
    table.put_item(TableName="appointments", Item={"start": {"S": booking.startTime}})
    return {"appointmentId": booking.serviceId}

handler = Mangum(app, lifespan="off")
"""

ANSWER = """
class Context:
    aws_request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
    def get_remaining_time_in_millis(self):
        return 10_000
event = {
    "resource": "/health", "path": "/health", "httpMethod": "GET",
    "headers": {"Host": "example.com"}, "multiValueHeaders": {"Host": ["example.com"]},
    "queryStringParameters": None, "multiValueQueryStringParameters": None, "pathParameters": None,
    "body": None, "isBase64Encoded": False,
    "requestContext": {"requestId": "1", "path": "/v1/health", "stage": "v1", "identity": {"sourceIp": "192.0.2.1"}},
}
assert handler(event, Context())["statusCode"] == 200
"""

ENVIRONMENT = {
    "SLOTKEEPER_DATABASE": "dynamodb:slotkeeper",
    "SLOTKEEPER_LOG_FORMAT": "json",
    "AWS_REGION": "us-west-1",
    "AWS_DEFAULT_REGION": "us-west-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Start:
    """A process: its name, what it runs, and where it may import from."""

    name: str
    code: str
    place: Path

    def seconds(self) -> float:
        """How long it takes from nothing to its end."""
        began = time.perf_counter()
        subprocess.run(self._command(), env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    def imports(self) -> Counter[str]:
        """The microseconds that each package takes for itself while it is imported."""
        command = self._command("-X", "importtime")
        told = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stderr
        spent: Counter[str] = Counter()
        for line in told.splitlines():
            own, _, name = (part.strip() for part in line.removeprefix("import time:").split("|"))
            if own.isdigit():
                spent[_package(name)] += int(own)
        return spent

    def _command(self, *options: str) -> list[str]:
        # Without `site` there is nothing but the standard library and what the process is given.
        return [sys.executable, "-S", *options, "-c", START + self.code, str(self.place)]


def _package(name: str) -> str:
    """Our own modules by folder, others by package."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "slotkeeper" else parts[0]


def starts(ours: Path) -> list[Start]:
    """What is measured, each of ours before the peer's."""
    peer = PEERS / "lib" / f"python{PYTHON}" / "site-packages"
    return [
        Start("Python alone", "", ours),
        Start(OURS_BUILT, OURS, ours),
        Start(PEER_BUILT, PEER, peer),
        Start("ours: and one answer to GET /health", OURS + ANSWER, ours),
        Start("FastAPI + mangum + boto3: and one answer", PEER + ANSWER, peer),
    ]


def unpacked(folder: Path) -> tuple[Path, Package]:
    """The zip as Lambda would unpack it, for this machine and this Python."""
    package = pack(folder / "slotkeeper.zip", HERE, PYTHON)
    place = folder / "task"
    with ZipFile(package.path) as archive:
        archive.extractall(place)
    return place, package


def measured(processes: Sequence[Start], rounds: int) -> Iterator[tuple[Start, list[float]]]:
    """The milliseconds of each, taken in turn; a first round, whose files come from the disk, does not count."""
    taken: dict[str, list[float]] = {start.name: [] for start in processes}
    for number in range(rounds + 1):
        for start in processes:
            seconds = start.seconds()
            if number:
                taken[start.name].append(seconds * 1000)
    return ((start, taken[start.name]) for start in processes)


def in_turn(rounds: int) -> Iterator[tuple[Start, list[float]]]:
    """As `measured`, of a zip made for it. Raises `SystemExit` when the peers are not installed."""
    _check_peers()
    with tempfile.TemporaryDirectory() as folder:
        yield from measured(starts(unpacked(Path(folder))[0]), rounds)


def _check_peers() -> None:
    if not (PEERS / "bin").exists():
        raise SystemExit("the peers are not installed: run `make .venv-peers/.stamp`")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    _check_peers()
    with tempfile.TemporaryDirectory() as folder:
        place, package = unpacked(Path(folder))
        processes = starts(place)
        results = list(measured(processes, rounds))
        nothing, ours, peer, ours_answer, peer_answer = (statistics.median(times) for _, times in results)
        rows = [
            [start.name, f"{statistics.median(times):.0f}", f"{min(times):.0f} to {max(times):.0f}"]
            for start, times in results
        ]
        show(("whole process", "median ms", "least to most"), rows)
        print(f"\nOurs takes {ours / peer:.0%} of the peer's time, {ours_answer / peer_answer:.0%} with an answer;")
        print(f"without Python's own start {(ours - nothing) / (peer - nothing):.0%}.")
        print(f"The zip has {package.size / 1e6:.2f} MB, {package.unpacked / 1e6:.2f} MB unpacked.\n")
        spent = processes[1].imports().most_common(SHOWN)
        show(
            ("our import time by package", "ms of its own"), [[name, f"{micros / 1000:.1f}"] for name, micros in spent]
        )


if __name__ == "__main__":
    main()
