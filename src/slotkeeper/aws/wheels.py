"""The locked packages as wheels for Lambda's machines, brought by pip, whatever machine this is."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, get_args
from zipfile import ZipFile

from slotkeeper.aws.hindered import Hindered

Architecture = Literal["arm64", "x86_64"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Lambda's runtimes that we support: python3.11 and so on."""

LOCK = Path(__file__).with_name("requirements-lambda.lock")
"""It lies here, not beside the other locks, so that an installed Slotkeeper can be deployed too."""

PLATFORMS: dict[Architecture, tuple[str, ...]] = {
    "arm64": ("manylinux_2_26_aarch64", "manylinux2014_aarch64"),
    "x86_64": ("manylinux_2_26_x86_64", "manylinux2014_x86_64"),
}
"""glibc 2.26 at most, which the python3.11 runtime has; the newer ones have 2.34."""

LANGUAGES = ("en", "es", "fr", "de", "ar")
"""The languages that our pages speak. What Babel knows of all others is two thirds of its 31 MB."""

PIP_SECONDS = 300
_KEPT_METADATA = ("METADATA", "licenses/")
"""Scanners such as Amazon Inspector tell from METADATA what is deployed; licences travel with the code."""
_UNUSED_SUFFIXES = (".pyi", ".typed", ".pyc", ".c", ".h")
_UNUSED_FOLDERS = frozenset({"tests", "__pycache__"})
_UNUSED_PLACES = (
    "babel/messages/",  # what makes catalogues
    "cffi/",  # argon2's library needs the compiled part of it alone, which lies beside
    "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz",  # zones come from tzdata
    "pycparser/",
)
_LOCALE = re.compile(rf"babel/locale-data/(?!(root|({'|'.join(LANGUAGES)})(_\w+)?)\.dat$|LICENSE)")
"""A file of Babel about a language that we do not speak. A region's rests on its language's, and that on `root`."""


def fetch(folder: Path, architecture: Architecture, python: str, lock: Path = LOCK) -> list[Path]:
    """Bring the wheels that `lock` names into the empty folder, each checked against its hash; returns them sorted.

    Raises:
        Hindered: pip is missing, cannot reach its index, finds no wheel for Lambda, or finds another hash.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", python]
    command += [word for platform in PLATFORMS[architecture] for word in ("--platform", platform)]
    try:
        done = subprocess.run(  # noqa: S603 - our own words, and paths that pip takes as paths
            [*command, "--dest", folder, "--requirement", lock],
            capture_output=True,
            text=True,
            timeout=PIP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Hindered(f"pip did not finish within {PIP_SECONDS} seconds", "Look at the network.") from error
    if done.returncode:
        raise _told(done.stderr)
    return sorted(folder.glob("*.whl"))


def contents(wheels: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """The files of the wheels that a function can use: (path, bytes), in no order that matters."""
    for wheel in wheels:
        with ZipFile(wheel) as archive:
            for name in archive.namelist():
                place = _place(name)
                if place is not None:
                    yield place, archive.read(name)


def _place(name: str) -> str | None:
    """Where a file of a wheel goes (binary distribution format: *.data, *.dist-info); None when it is of no use."""
    top, _, rest = name.partition("/")
    if not rest or rest.endswith("/"):
        return name if not name.endswith("/") else None
    if top.endswith(".dist-info"):
        return name if rest.startswith(_KEPT_METADATA) else None
    if top.endswith(".data"):
        scheme, _, name = rest.partition("/")
        return name if scheme in ("purelib", "platlib") else None
    if name.endswith(_UNUSED_SUFFIXES) or _UNUSED_FOLDERS.intersection(name.split("/")[:-1]):
        return None
    return None if name.startswith(_UNUSED_PLACES) or _LOCALE.match(name) else name


def _told(stderr: str) -> Hindered:
    if "No module named pip" in stderr:
        return Hindered("pip is needed to bring the packages for Lambda", "Install it: python -m ensurepip")
    errors = [line.removeprefix("ERROR: ").strip() for line in stderr.splitlines() if line.startswith("ERROR: ")]
    said = errors[0] if errors else (stderr.strip().splitlines() or ["nothing"])[-1]
    if "HASHES" in stderr or "hashes" in said:
        hint = "What came is not what was locked: do not deploy it. Look at the package index in use."
    else:
        hint = "Look at the network, and at pip's settings: python -m pip config list"
    return Hindered(f"pip could not bring the packages: {said}", hint)
