"""The code of all functions as one zip: our package and the locked ones, the same bytes each time.

The same sources and lock, the same Python that compiles and the same zlib give the same zip, wherever and whenever it
is made. Another zlib may deflate otherwise; `Package.digest` is of what is inside, so it stays the same even then.
"""

import hashlib
import re
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from slotkeeper.aws.hindered import Hindered
from slotkeeper.aws.wheels import Architecture, contents, fetch

PACKAGE = Path(__file__).parents[1]
MAX_UNPACKED_BYTES = 250 * 2**20
"""Lambda quotas: the deployment package, unzipped."""

LEFT_OUT = (
    "__main__.py",
    "aws/account.py",
    "aws/deploying.py",
    "aws/hindered.py",
    "aws/packing.py",
    "aws/parameters.py",
    "aws/requirements-lambda.lock",
    "aws/stack/",
    "aws/template.json",
    "aws/uploading.py",
    "aws/wheels.py",
    "cli/",
    "doctor.py",
    "embedded/",
    "py.typed",
    "senders/smtp.py",
    "stores/lookout.py",
    "stores/migrations/",
    "stores/restoring.py",
    "stores/rows.py",
    "stores/schema.py",
    "stores/sqlite.py",
)
"""What of our package no function uses: the other home, the command line, what deploys, and what files are made of."""

SOURCES = (".po", ".pot")
"""What catalogues are made of."""

_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can tell (APPNOTE 4.4.6)."""
_UNIX = 3
_LEVEL = 9

_COMPILE = """\
import py_compile, sys
from pathlib import Path
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
for file in sorted(Path().rglob("*.py")):
    py_compile.compile(str(file), dfile=file.as_posix(), doraise=True, optimize=0, invalidation_mode=mode)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A zip that was made. `size` and `unpacked` count bytes; `digest` is of its contents, in hex; `compiler` is the
    Python that compiled the modules, empty when they are sources only."""

    path: Path
    architecture: Architecture
    python: str
    size: int
    unpacked: int
    digest: str
    compiler: str


def pack(
    path: Path,
    architecture: Architecture = "arm64",
    python: str = "3.13",
    *,
    is_compiled: bool = True,
    wheels: Iterable[Path] | None = None,
) -> Package:
    """Write the zip to `path`; without `wheels` pip brings those of the lock.

    Modules are compiled when this machine has the Python that the function will run on: it spares a cold start that
    work, and another Python cannot do it.

    Raises:
        Hindered: pip fails, a module does not compile, or the package is larger than Lambda takes. OSError: no place.
    """
    with TemporaryDirectory() as folder:
        files = dict(our_files())
        files.update(contents(fetch(Path(folder), architecture, python) if wheels is None else wheels))
    compiler = find_python(python) if is_compiled else ""
    if compiler:
        files.update(compiled(files, compiler))
    unpacked = sum(map(len, files.values()))
    if unpacked > MAX_UNPACKED_BYTES:
        raise Hindered(f"the package has {unpacked:,} bytes unzipped: Lambda takes {MAX_UNPACKED_BYTES:,}")
    _write(path, files)
    return Package(
        path=path,
        architecture=architecture,
        python=python,
        size=path.stat().st_size,
        unpacked=unpacked,
        digest=digest(files),
        compiler=compiler,
    )


def our_files(folder: Path = PACKAGE) -> Iterator[tuple[str, bytes]]:
    """What of our own package goes into the zip: (path in the zip, bytes)."""
    for file in folder.rglob("*"):
        place = file.relative_to(folder)
        is_hidden = any(part.startswith(".") or part == "__pycache__" for part in place.parts)
        is_left_out = place.as_posix().startswith(LEFT_OUT) or place.suffix in SOURCES
        if file.is_file() and not is_hidden and not is_left_out:
            yield f"{folder.name}/{place.as_posix()}", file.read_bytes()


def digest(files: Mapping[str, bytes]) -> str:
    """The SHA-256 of all names and contents, in hex."""
    whole = hashlib.sha256()
    for name, body in sorted(files.items()):
        whole.update(f"{name}\0{hashlib.sha256(body).hexdigest()}\n".encode())
    return whole.hexdigest()


def find_python(version: str) -> str:
    """The path of a Python of that version, such as 3.13; empty when this machine has none that starts."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = which(f"python{version}")
    if found is None:
        return ""
    question = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    try:
        told = subprocess.run(  # noqa: S603 - found on the PATH, as any command is
            [found, "-I", "-c", question], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""  # such as a shim without a Python behind it
    is_version, _, path = told.strip().partition(" ")
    return path if is_version == version else ""


def compiled(files: Mapping[str, bytes], interpreter: str) -> Iterator[tuple[str, bytes]]:
    """The modules among `files`, compiled: (path in the zip, bytes). Sources are not looked at again when they run
    (PEP 552, unchecked).

    Raises:
        Hindered: a module is no Python that the interpreter understands.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        for place, body in sorted(files.items()):
            if place.endswith(".py"):
                (folder / place).parent.mkdir(parents=True, exist_ok=True)
                (folder / place).write_bytes(body)
        done = subprocess.run(  # noqa: S603 - our own script
            [interpreter, "-s", "-S", "-c", _COMPILE],
            cwd=folder,
            env={"PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise Hindered(f"{interpreter} cannot compile the package: {said}")
        for file in folder.rglob("*.pyc"):
            yield file.relative_to(folder).as_posix(), file.read_bytes()


def _write(path: Path, files: Mapping[str, bytes]) -> None:
    """A zip in which nothing tells of the machine that made it; it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        with ZipFile(partial, "w") as archive:
            for name, body in sorted(files.items()):
                entry = ZipInfo(name, _TIME)
                entry.create_system = _UNIX
                entry.external_attr = (stat.S_IFREG | (0o755 if _is_library(name) else 0o644)) << 16
                entry.compress_type = ZIP_DEFLATED
                archive.writestr(entry, body, compresslevel=_LEVEL)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _is_library(name: str) -> bool:
    return re.search(r"\.so(\.\d+)*$", name) is not None
