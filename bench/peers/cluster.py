"""A PostgreSQL of our own, in a temporary folder and on a socket in it, as long as a measurement lasts."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDERS = ("/usr/lib/postgresql/15/bin",)
OWNER = "postgres"
"""PostgreSQL refuses to be run by root. Debian's package makes this user for it."""

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "512MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "wal_buffers": "16MB",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
}
"""What one tunes for many small writes, with every commit on disk before it is acknowledged."""

START_SECONDS, STOP_SECONDS = 30, 30


class Absent(Exception):
    """There is no PostgreSQL here; says how to get it."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL that runs, with one empty database."""

    folder: Path
    programs: Path

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def dsn(self) -> str:
        return f"postgresql://{OWNER}@/postgres?host={self.folder}"

    def run(self, script: str, variables: Mapping[str, object] | None = None) -> str:
        """Run SQL by psql, with its variables; returns what it prints. Raises CalledProcessError."""
        settings = [f"--set={name}={text}" for name, text in (variables or {}).items()]
        options = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--no-align", "--tuples-only"]
        command = [str(self.programs / "psql"), *options, *settings, self.dsn]
        return subprocess.run(command, input=script, text=True, check=True, stdout=subprocess.PIPE).stdout


def find() -> Path:
    """The folder of PostgreSQL's programs. Raises `Absent`."""
    on_path = shutil.which("postgres")
    places = [Path(folder) for folder in FOLDERS] + ([Path(on_path).resolve().parent] if on_path else [])
    for place in places:
        if all((place / name).exists() for name in ("postgres", "initdb", "psql")):
            return place
    raise Absent("there is no PostgreSQL here (on Debian: apt-get install postgresql-15)")


def version(programs: Path) -> str:
    """Such as `15.18`."""
    return subprocess.check_output([programs / "postgres", "--version"], text=True).split()[2]


@contextmanager
def running() -> Iterator[Cluster]:
    """A new cluster, gone when the block ends. Raises `Absent`."""
    programs = find()
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        folder = Path(name)
        cluster = Cluster(folder, programs)
        who = _unprivileged(folder)
        data = str(folder / "data")
        create = [str(programs / "initdb"), "--pgdata", data, "--username", OWNER, "--auth=trust", "--no-sync"]
        create += ["--encoding=UTF8", "--no-locale"]
        subprocess.run(create, check=True, cwd=folder, stdout=subprocess.DEVNULL, **who)
        settings = [f"--{setting}={text}" for setting, text in SETTINGS.items()]
        command = [str(programs / "postgres"), "-D", data, "-k", name, *settings]
        with cluster.log.open("wb") as log:
            server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **who)
        try:
            _wait_for(cluster, server)
            yield cluster
        finally:
            server.send_signal(signal.SIGINT)  # it ends its clients, puts everything away, and leaves
            server.wait(STOP_SECONDS)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Whose processes PostgreSQL's are, as `subprocess` wants it told; the folder becomes theirs."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, OWNER, OWNER)
    return {"user": OWNER, "group": OWNER, "extra_groups": []}


def _wait_for(cluster: Cluster, server: "subprocess.Popen[bytes]") -> None:
    ready = [str(cluster.programs / "pg_isready"), "--quiet", "--host", str(cluster.folder)]
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {cluster.log.read_text()}")
