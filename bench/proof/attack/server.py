"""The service as `slotkeeper serve` runs it, in a process of its own, with limits that no load reaches.

`python -m bench.proof.attack.server FILE [FAULT]` serves the file until it is told to stop; it prints its port first.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.proof.attack.premises import NOW
from slotkeeper.embedded.app import Plan, build
from slotkeeper.embedded.server import Server, configured
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota
from slotkeeper.web.provider import Provider
from tests.clock import VirtualClock

ROOT = Path(__file__).parent.parent.parent.parent
RULES = Rules(
    key_quota=Quota("key", 10**9),
    address_quota=Quota("address", 10**9),
    trusted_proxies=1,
    streams=True,
    provider=Provider(issuer="http://127.0.0.1:9", client_id="x", client_secret="y", name="Nobody", origin="http://x"),  # noqa: S106 - nobody is there
)
"""Behind one proxy, so that whoever asks says which address it comes from: signing in is limited by address alone."""


@contextmanager
def serving(path: Path, log: Path, fault: str = "") -> Iterator[int]:
    """Serve the file until the block ends; yields the port. What the server logs goes to `log`."""
    command = [sys.executable, "-m", "bench.proof.attack.server", str(path), *([fault] if fault else [])]
    own = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": os.environ["PATH"]}
    with (
        log.open("ab") as errors,
        subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the server did not start:\n{log.read_text()}"
            yield int(line)
        finally:
            process.terminate()


def main() -> None:
    """Serve as the command line says."""
    path, *faults = sys.argv[1:]
    for name in faults:
        _break(name)
    house = build(Plan(database=path, rules=RULES, delivers=False), VirtualClock(NOW))
    config = configured(house.app, grace_seconds=1)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        Server(config, house.app.streams).run(sockets=[listener])
    house.close()


def _break(name: str) -> None:
    """Break this process in the way that is called so."""
    # Imported here: a sound build must not have even loaded what breaks it.
    from bench.proof.attack.faults import FAULTS
    from bench.proof.attack.holes import HOLES

    (FAULTS | HOLES)[name].plant()


if __name__ == "__main__":
    main()
