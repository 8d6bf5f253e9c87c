"""Everything that a program does to the files of one folder, in order: SQLite's own calls, by a VFS, and Python's.

The files are real and hold what was written. What is recorded can be done to a `Disk` again and be cut anywhere.
"""

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw

from bench.proof.crashing.disk import Disk, Image

Step = Callable[[Disk], None]

JOURNALS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
BLOCK = 4096
SHARED_MEMORY = "-shm"
"""The index of the log is memory, not data: SQLite makes it anew after a cut, whatever is in the file."""


class Recording:
    """The steps that were taken in the folder so far, from the files that it held at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[Step] = []
        self.first: Image = contents(folder)

    def name_in(self, path: str | Path) -> str | None:
        """What the file is called in the folder; None for one that is elsewhere, or is no data."""
        path = Path(path)
        return path.name if path.parent == self.folder and not path.name.endswith(SHARED_MEMORY) else None

    def disk(self) -> Disk:
        """The disk as it is now."""
        disk = Disk.holding(self.first)
        for step in self.steps:
            step(disk)
        return disk

    def notice(self) -> None:
        """Take down what Python's own file functions have written meanwhile: whatever differs from what is known."""
        disk = self.disk()
        for name, content in contents(self.folder).items():
            self.steps += _differences(name, disk.names[name].now() if name in disk.names else None, content)


def contents(folder: Path) -> Image:
    """The files of a folder, but for shared memory."""
    paths = (path for path in folder.iterdir() if not path.name.endswith(SHARED_MEMORY))
    return {path.name: path.read_bytes() for path in paths}


def _differences(name: str, known: bytes | None, content: bytes) -> Iterator[Step]:
    if known is None:
        yield lambda disk: disk.create(name)
    known = known or b""
    if len(content) < len(known):
        yield _truncating(name, len(content))
    for offset in range(0, len(content), BLOCK):
        block = content[offset : offset + BLOCK]
        if block != known[offset : offset + BLOCK]:
            yield _writing(name, offset, block)


def _writing(name: str, offset: int, data: bytes) -> Step:
    return lambda disk: disk.write(name, offset, data)


def _truncating(name: str, size: int) -> Step:
    return lambda disk: disk.truncate(name, size)


class RecordingVfs(apsw.VFS):
    """SQLite's calls go to the files as ever, and are taken down."""

    def __init__(self, recording: Recording) -> None:
        self.name = f"recording-{secrets.token_hex(4)}"
        self.recording = recording
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - apsw's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        known = self.recording.name_in(path) if path else None
        if known is None:
            return apsw.VFSFile("", name, flags)
        self.recording.steps.append(lambda disk: disk.create(known))
        return _RecordedFile(self.recording, known, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's name
        super().xDelete(filename, syncdir)
        name = self.recording.name_in(filename)
        if name is not None:
            self.recording.steps.append(lambda disk: disk.delete(name))
        if syncdir:
            self.recording.steps.append(Disk.sync_folder)


class _RecordedFile(apsw.VFSFile):
    def __init__(self, recording: Recording, known: str, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._recording = recording
        self._known = known
        # SQLite's unixOpen and unixSync: the first sync of a journal or log syncs the folder too.
        self._owes_folder = bool(flags[0] & JOURNALS)
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - apsw's name
        super().xWrite(data, offset)
        self._recording.steps.append(_writing(self._known, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's name
        super().xTruncate(newsize)
        self._recording.steps.append(_truncating(self._known, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        super().xSync(flags)
        known = self._known
        self._recording.steps.append(lambda disk: disk.sync(known))
        if self._owes_folder:
            self._owes_folder = False
            self._recording.steps.append(Disk.sync_folder)


@contextmanager
def recorded_calls(recording: Recording) -> Iterator[None]:
    """Take down what Python's own functions do to the files within the block."""
    with patch.multiple(
        os,
        replace=_noted(recording, os.replace, _renamed),
        unlink=_noted(recording, os.unlink, _deleted),
        link=_noted(recording, os.link, _linked),
        fsync=_noted(recording, os.fsync, _synced),
    ):
        yield
    recording.notice()


def _noted(recording: Recording, call: Callable[..., Any], steps: Callable[..., Iterator[Step]]) -> Callable[..., Any]:
    def noted(*args: Any, **others: Any) -> Any:
        recording.notice()
        taken = list(steps(recording, *args))
        answer = call(*args, **others)
        recording.steps += taken
        return answer

    return noted


def _renamed(recording: Recording, old: str | Path, new: str | Path) -> Iterator[Step]:
    source, target = recording.name_in(old), recording.name_in(new)
    if source is not None and target is not None:
        yield lambda disk: disk.rename(source, target)


def _linked(recording: Recording, old: str | Path, new: str | Path) -> Iterator[Step]:
    source, target = recording.name_in(old), recording.name_in(new)
    if source is not None and target is not None:
        yield lambda disk: disk.link(source, target)


def _deleted(recording: Recording, path: str | Path) -> Iterator[Step]:
    name = recording.name_in(path)
    if name is not None and Path(path).exists():
        yield lambda disk: disk.delete(name)


def _synced(recording: Recording, handle: int) -> Iterator[Step]:
    """Which file or folder it was is told by its number on the real disk."""
    found = os.fstat(handle)
    if stat.S_ISDIR(found.st_mode):
        if found.st_ino == recording.folder.stat().st_ino:
            yield Disk.sync_folder
        return
    for path in recording.folder.iterdir():
        name = recording.name_in(path)
        if name is not None and path.stat().st_ino == found.st_ino:
            yield _syncing(name)
            return


def _syncing(name: str) -> Step:
    return lambda disk: disk.sync(name)
