"""One zip with the code of all functions: the same bytes each time, whole, and with nothing of this machine in it."""

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import get_args
from zipfile import ZipFile

import pytest
from babel import localedata

from slotkeeper.aws.hindered import Hindered
from slotkeeper.aws.packing import LEFT_OUT, PACKAGE, compiled, digest, find_python, our_files, pack
from slotkeeper.aws.wheels import ARCHITECTURES, LANGUAGES, LOCK, PLATFORMS, PYTHONS, Architecture, contents, fetch
from slotkeeper.web.look.languages import CODES
from tests.aws.wheelhouse import wheels_for

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
MACHINE: Architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
ROOT = Path(__file__).parents[2]
SITE = Path(pytest.__file__).parents[1]

TEMPLATE = json.loads((PACKAGE / "aws" / "template.json").read_text())
HANDLERS = sorted(
    each["Properties"]["Handler"].removesuffix(".handler")
    for each in TEMPLATE["Resources"].values()
    if each["Type"] == "AWS::Lambda::Function"
)
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
"""What Lambda's runtime has beside Python (Lambda guide: the SDK that the runtime includes)."""

Wheels = dict[Architecture, list[Path]]


@pytest.fixture(scope="session")
def wheels() -> Wheels:
    """The locked wheels for this Python, by architecture."""
    return {each: wheels_for(each, HERE) for each in ARCHITECTURES}


@pytest.fixture(scope="session")
def unpacked(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this machine, unpacked as Lambda does."""
    folder = tmp_path_factory.mktemp("unpacked")
    pack(folder.with_suffix(".zip"), MACHINE, HERE, wheels=wheels[MACHINE])
    ZipFile(folder.with_suffix(".zip")).extractall(folder)
    return folder


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with boto3 and what it needs, and nothing else, as on Lambda."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        (folder / name).symlink_to(SITE / name)
    return folder


def imported(module: str, *folders: Path) -> str:
    """What is said when a Python that has nothing but these folders imports the module; empty when all is well."""
    script = f"import sys; sys.path[:0] = {[str(each) for each in folders]!r}; import {module}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_two_builds_are_equal_byte_for_byte(
    wheels: Wheels, architecture: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pack(tmp_path / "a.zip", architecture, HERE, wheels=wheels[architecture])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    monkeypatch.setenv("PYTHONHASHSEED", "4711")
    time.tzset()
    mask = os.umask(0o077)
    try:
        second = pack(Path("b.zip"), architecture, HERE, wheels=reversed(wheels[architecture]))
    finally:
        os.umask(mask)
        monkeypatch.undo()
        time.tzset()

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "elsewhere" / "b.zip").read_bytes()
    assert first.digest == second.digest
    assert first.size < 6 * 2**20, f"{first.size:,} bytes: what has come along?"


@pytest.mark.slow
def test_modules_compile_the_same_in_another_process_and_folder(tmp_path: Path) -> None:
    files = dict(our_files())

    assert dict(compiled(files, sys.executable)) == dict(compiled(files, sys.executable))


def test_a_package_that_is_copied_elsewhere_has_the_same_files(tmp_path: Path) -> None:
    copytree(PACKAGE, tmp_path / "slotkeeper")
    for file in (tmp_path / "slotkeeper").rglob("*"):
        os.utime(file, (1, 1))
        file.chmod(0o700)

    assert dict(our_files(tmp_path / "slotkeeper")) == dict(our_files())


def _stamped(files: dict[str, bytes]) -> dict[str, bytes]:
    return files | {"built": str(time.time_ns()).encode()}


def _nested(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{Path.cwd()}/{name}": body for name, body in files.items()}


@pytest.mark.parametrize("broken", [_stamped, _nested])
def test_what_depends_on_time_or_place_would_be_seen(
    broken: Callable[[dict[str, bytes]], dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.py": b""}

    first = digest(broken(files))
    monkeypatch.chdir(tmp_path)

    assert digest(broken(files)) != first


@pytest.mark.slow
@pytest.mark.parametrize("handler", HANDLERS)
def test_each_handler_imports_where_nothing_else_is(unpacked: Path, runtime: Path, handler: str) -> None:
    folders = (unpacked,) if handler.endswith("conflict_detector") else (unpacked, runtime)

    assert imported(f"{handler}; {handler}.handler", *folders) == ""


@pytest.mark.slow
def test_every_module_of_ours_imports_where_nothing_else_is(unpacked: Path, runtime: Path) -> None:
    assert imported(modules(unpacked), unpacked, runtime) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["msgspec", "jinja2", "httpcore", "standardwebhooks", "certifi", "h11", "itsdangerous"]
)
def test_a_missing_package_is_caught(unpacked: Path, runtime: Path, name: str) -> None:
    missing = unpacked / name
    missing.rename(unpacked / "hidden")
    try:
        assert f"No module named '{name}" in imported(modules(unpacked), unpacked, runtime)
    finally:
        (unpacked / "hidden").rename(missing)


@pytest.mark.slow
def test_zones_come_from_the_package_where_the_machine_has_none(unpacked: Path) -> None:
    script = "zoneinfo; zoneinfo.reset_tzpath(()); zoneinfo.ZoneInfo('Europe/Berlin')"

    assert imported(script, unpacked) == ""
    assert "No time zone found" in imported(script)


SPEAKING = """
import json
from babel import Locale
from slotkeeper.core.ticks import parse_day
from slotkeeper.web.look.languages import Speech
first = parse_day("2026-03-02")
def said(tag):
    speech = Speech(Locale.parse(tag))
    start, end = first + 34_200, first + 90_000
    return [
        speech.span(start, end, "America/Los_Angeles"),
        [speech.part(__import__("datetime").date(2026, 3, 2), each) for each in ("E", "MMM", "MMMd", "yMMMM", "MMMEd")],
        speech.zone("Europe/Berlin", first),
        speech.length(90),
        speech.number(12345.5),
    ]
print(json.dumps({tag: said(tag) for tag in tags}))
"""
"""What the pages write by Babel, for each of `tags`."""


def spoken(tags: list[str], *folders: Path) -> str:
    """What a Python that has these folders says, or what went wrong."""
    script = f"import sys; sys.path[:0] = {[str(each) for each in folders]!r}; tags = {tags!r}\n{SPEAKING}"
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", script], capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


@pytest.mark.slow
def test_our_languages_are_written_as_with_all_of_babel_in_every_region(unpacked: Path) -> None:
    ours = rf"({'|'.join(CODES)})(_[A-Z]{{2}})?"
    tags = sorted(name for name in localedata.locale_identifiers() if re.fullmatch(ours, name))
    whole = spoken(tags, PACKAGE.parent, SITE)

    assert len(tags) > 200
    assert json.loads(spoken(tags, unpacked)) == json.loads(whole)
    (unpacked / "babel/locale-data/es_419.dat").rename(unpacked / "hidden")
    try:
        assert spoken(tags, unpacked) != whole
    finally:
        (unpacked / "hidden").rename(unpacked / "babel/locale-data/es_419.dat")


def test_the_languages_that_are_packed_are_those_of_the_pages() -> None:
    assert LANGUAGES == CODES


SIGNING = "json; from slotkeeper.desk import passwords; assert passwords.matches(passwords.hashed('a b'), 'a b')"
FILING = """json
from slotkeeper.notices.calendar import calendar_file
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.service import Business
apt = Appointment(id='a', created=0, start=3600, end=7200, zone='UTC', status='booked', service_id='')
assert b'DTSTART:19700101T010000Z' in calendar_file(Business(name='x', zone='UTC'), None, apt, (), '', 'example.com')
"""


@pytest.mark.slow
@pytest.mark.parametrize("script", [SIGNING, FILING], ids=["passwords", "calendar files"])
def test_what_is_loaded_late_is_there_too(unpacked: Path, script: str) -> None:
    assert imported(script, unpacked) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "script"),
    [("argon2", SIGNING), ("_argon2_cffi_bindings", SIGNING), ("icalendar", FILING), ("dateutil", FILING)],
)
def test_a_missing_package_that_is_loaded_late_is_caught(unpacked: Path, name: str, script: str) -> None:
    (unpacked / name).rename(unpacked / "hidden")
    try:
        assert f"No module named '{name}" in imported(script, unpacked)
    finally:
        (unpacked / "hidden").rename(unpacked / name)


def modules(unpacked: Path) -> str:
    """The names of all our modules in the package, with commas between."""
    files = sorted((unpacked / "slotkeeper").rglob("*.py"))
    return ", ".join(".".join(file.relative_to(unpacked).with_suffix("").parts) for file in files)


@pytest.mark.slow
def test_nothing_of_this_machine_and_no_secret_is_in_it(unpacked: Path) -> None:
    assert list(telltales(unpacked)) == []


@pytest.mark.parametrize("planted", [f"{ROOT}/src", f"{Path.home()}/x", "sk_" + "a" * 40, "AKIA" + "A" * 16])
def test_a_planted_path_or_secret_is_found(tmp_path: Path, planted: str) -> None:
    (tmp_path / "module.py").write_text(f"x = {planted!r}")

    assert list(telltales(tmp_path)) == ["module.py"]


def telltales(folder: Path) -> Iterator[str]:
    """The files that hold a path of this machine, or what looks like a key of ours or of AWS."""
    secrets = "sk_[A-Za-z0-9_-]{32}|AKIA[A-Z0-9]{16}"
    ours = "|".join(re.escape(f"{each}/") for each in (ROOT, SITE, Path(sys.executable).parent))
    for file in sorted(folder.rglob("*")):
        # A library was linked on its maker's machine, whose home may be called like ours.
        home = "" if file.suffix == ".so" else "|" + re.escape(f"{Path.home()}/")
        if file.is_file() and re.search(f"{secrets}|{ours}{home}".encode(), file.read_bytes()):
            yield str(file.relative_to(folder))


def test_only_what_functions_use_is_taken_of_our_package() -> None:
    names = {name for name, _ in our_files()}

    assert {"slotkeeper/web/app.py", "slotkeeper/desk/booking.py", "slotkeeper/web/static/visitors.css"} <= names
    assert "slotkeeper/notices/templates/en/reminder.txt" in names
    unused = ("cli/", "embedded/", "aws/stack", "aws/template.json", "aws/packing.py", "stores/sqlite.py", "py.typed")
    assert not [name for name in names if name.endswith((".po", ".pot", "package-lock.json"))]
    assert not [name for name in names if name.startswith(tuple(f"slotkeeper/{each}" for each in unused))]
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_what_is_left_out_is_there_to_be_left_out() -> None:
    places = [file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*") if file.is_file()]

    assert [name for name in LEFT_OUT if not any(place.startswith(name) for place in places)] == []


def test_the_template_names_four_handlers() -> None:
    assert len(HANDLERS) == 4


@pytest.mark.slow
def test_of_other_packages_come_code_zones_and_licences_and_no_noise(unpacked: Path) -> None:
    names = [str(file.relative_to(unpacked)) for file in unpacked.rglob("*") if file.is_file()]
    zones = {file.name for file in (SITE / "tzdata").rglob("*") if file.is_file() and file.suffix != ".pyc"}

    assert zones <= {Path(name).name for name in names}
    assert [name for name in names if re.search("msgspec.*METADATA", name)]
    assert [name for name in names if re.search("jinja2.*LICENSE", name)]
    noise = "RECORD|INSTALLER|WHEEL|direct_url|REQUESTED|\\.pyi$|/tests?/|boto|uvicorn|uvloop|httptools|click|/rich"
    assert [name for name in names if re.search(noise, name)] == []


@pytest.mark.slow
def test_everyone_may_read_the_files_and_modules_are_compiled_unchecked(wheels: Wheels, tmp_path: Path) -> None:
    made = pack(tmp_path / "a.zip", MACHINE, HERE, wheels=wheels[MACHINE])

    with ZipFile(made.path) as archive:
        modes = {entry.external_attr >> 16 for entry in archive.infolist()}
        stamps = {(entry.date_time, entry.create_system) for entry in archive.infolist()}
        modules = {entry.filename for entry in archive.infolist() if entry.filename.endswith(".pyc")}
        flags = {int.from_bytes(archive.read(name)[4:8], "little") for name in modules}

    assert made.compiler == sys.executable
    assert modes == {0o100644, 0o100755}
    assert stamps == {((1980, 1, 1, 0, 0, 0), 3)}
    assert len(modules) > 100
    assert flags == {0b01}, "PEP 552: bit 0 for hash-based, bit 1 for checked"


def test_without_a_fitting_python_it_holds_sources_only(
    wheels: Wheels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = pack(tmp_path / "a.zip", MACHINE, "3.14" if HERE != "3.14" else "3.13", wheels=[])

    assert made.compiler == ""
    with ZipFile(made.path) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".pyc")]


@pytest.mark.parametrize("script", ["exit 127", "echo 3.9 /usr/bin/python3.9", "echo"])
def test_a_command_that_is_not_that_python_is_not_taken_for_it(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python3.99").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "python3.99").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_python("3.99") == ""
    assert find_python(HERE) == sys.executable


def test_a_module_that_no_python_reads_is_told_of() -> None:
    with pytest.raises(Hindered, match="cannot compile"):
        dict(compiled({"broken.py": b"def"}, sys.executable))


def test_a_package_that_lambda_would_not_take_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slotkeeper.aws.packing.MAX_UNPACKED_BYTES", 1000)

    with pytest.raises(Hindered, match="Lambda takes 1,000"):
        pack(tmp_path / "a.zip", MACHINE, HERE, is_compiled=False, wheels=[])
    assert list(tmp_path.iterdir()) == []


def test_each_locked_version_is_the_one_that_our_tests_run_with() -> None:
    locked, tested = requirements(LOCK), requirements(ROOT / "requirements-dev.lock")

    assert locked.items() <= tested.items()
    assert locked.keys() >= {"msgspec", "jinja2", "babel", "httpcore", "anyio", "standardwebhooks", "tzdata"}
    assert locked.keys() >= {"argon2-cffi", "itsdangerous", "icalendar"}
    assert not locked.keys() & {"boto3", "uvicorn", "uvloop", "httptools", "click", "rich", "aiosmtplib"}


def test_the_lock_has_no_markers_which_pip_would_judge_by_its_own_python() -> None:
    assert [line for line in LOCK.read_text().splitlines() if ";" in line] == []


def requirements(lock: Path) -> dict[str, str]:
    """The version of each package in a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_there_is_a_platform_for_each_architecture_and_a_runtime_for_each_python() -> None:
    assert set(get_args(Architecture)) == set(PLATFORMS)
    assert all(re.fullmatch(r"3\.\d\d", each) for each in PYTHONS)


@pytest.mark.slow
def test_a_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", LOCK.read_text()))

    with pytest.raises(Hindered, match=r"HASHES|hash") as caught:
        fetch(tmp_path / "wheels", MACHINE, HERE, lock)
    assert "do not deploy" in caught.value.hint


@pytest.mark.slow
def test_a_package_without_a_wheel_for_lambda_is_named(tmp_path: Path) -> None:
    with pytest.raises(Hindered, match="could not bring the packages") as caught:
        fetch(tmp_path, MACHINE, "3.3")
    assert "pip config" in caught.value.hint


def test_without_pip_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} -I -S -m pip "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))

    with pytest.raises(Hindered) as caught:
        fetch(tmp_path, MACHINE, HERE)
    assert "ensurepip" in caught.value.hint


def test_of_a_wheels_data_only_what_is_importable_is_taken(tmp_path: Path) -> None:
    inside = {
        "module.py": "module.py",
        "pack/code.py": "pack/code.py",
        "pack/code.pyi": None,
        "pack/tests/test_code.py": None,
        "pack-1.data/platlib/pack/fast.so": "pack/fast.so",
        "pack-1.data/scripts/pack": None,
        "pack-1.dist-info/METADATA": "pack-1.dist-info/METADATA",
        "pack-1.dist-info/licenses/LICENSE": "pack-1.dist-info/licenses/LICENSE",
        "pack-1.dist-info/RECORD": None,
        "babel/core.py": "babel/core.py",
        "babel/global.dat": "babel/global.dat",
        "babel/messages/catalog.py": None,
        "babel/locale-data/root.dat": "babel/locale-data/root.dat",
        "babel/locale-data/de.dat": "babel/locale-data/de.dat",
        "babel/locale-data/de_AT.dat": "babel/locale-data/de_AT.dat",
        "babel/locale-data/den.dat": None,
        "babel/locale-data/nl_BE.dat": None,
        "babel/locale-data/LICENSE.unicode": "babel/locale-data/LICENSE.unicode",
    }
    with ZipFile(tmp_path / "a.whl", "w") as archive:
        for name in inside:
            archive.writestr(name, name)

    taken = {body.decode(): place for place, body in contents([tmp_path / "a.whl"])}

    assert taken == {name: place for name, place in inside.items() if place}
