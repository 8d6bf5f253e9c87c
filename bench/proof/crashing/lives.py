"""Lives of files on a disk that loses power: what was acknowledged in each, and what is found after a cut.

One life is recorded once and cut at many points, each with a fate of its own for what was not synced. The next life may
begin with what a cut has left. What is found is judged by the store itself, over Python's own SQLite.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from bench.proof.crashing.disk import Disk, Image
from bench.proof.crashing.driver import on_disk
from bench.proof.crashing.recording import SHARED_MEMORY, Recording, RecordingVfs
from slotkeeper.core.errors import Unreachable
from slotkeeper.stores import sqlite

CHECKPOINTS = "wal_autocheckpoint = 12"
"""In pages: a checkpoint every few commits, so that many cuts fall into one."""

CACHE_KIBIBYTES = 120
"""Little memory, so that large transactions spill into the log before they are committed."""

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it for each use
INDEX_BYTES = 32_768

Look = Callable[[Path], str]
"""Says what a folder holds. Raises `Unreachable` when it is not whole."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is found after a cut; `acknowledged` is the number of the last state that must have survived, and `busy` are
    the files of which something was in the cache."""

    image: Image
    acknowledged: int
    busy: frozenset[str]


@dataclass(slots=True)
class Life:
    """What was done to the files, and the states that they were to be in, in order.

    `marks` say from which step on which state must survive.
    """

    recording: Recording
    states: list[str] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)

    def acknowledge(self, state: str) -> None:
        """From here on this state must survive."""
        self.states.append(state)
        self.marks.append((len(self.recording.steps), len(self.states) - 1))

    def cuts(self, chance: random.Random, count: int, *, is_lying: bool = False) -> Iterator[Cut]:
        """The life, cut at so many points, one after the other."""
        disk = Disk.holding(self.recording.first, is_lying=is_lying)
        done = 0
        for point in sorted(self._point(chance) for _ in range(count)):
            for step in self.recording.steps[done:point]:
                step(disk)
            done = point
            acknowledged = max((state for mark, state in self.marks if mark <= point), default=0)
            yield Cut(disk.after_cut(chance), acknowledged, frozenset(disk.waits))

    def _point(self, chance: random.Random) -> int:
        """Any step, and one time in three the very moment at which something was acknowledged."""
        if chance.random() < 1 / 3:
            return chance.choice(self.marks)[0]
        return chance.randint(0, len(self.recording.steps))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a cut has done. `lost` counts acknowledged writes; `is_half`: what is there was never to be there."""

    cut: Cut
    state: str = ""
    lost: int = 0
    is_half: bool = False
    complaint: str = ""

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.is_half or self.complaint)


def judged(life: Life, cut: Cut, look: Look) -> Verdict:
    """What is found when somebody looks at what the cut has left."""
    with laid_out(cut.image) as folder:
        _spoil_indexes(folder)
        try:
            state = look(folder)
        except Unreachable as error:
            return Verdict(cut, complaint=str(error))
    if state in life.states[cut.acknowledged :]:
        return Verdict(cut, state)
    if state in life.states:
        return Verdict(cut, state, lost=cut.acknowledged - life.states.index(state))
    return Verdict(cut, state, is_half=True)


def _spoil_indexes(folder: Path) -> None:
    """What was in shared memory may be on the disk, in any shape."""
    for log in folder.glob("*-wal"):
        log.with_name(log.name.removesuffix("-wal") + SHARED_MEMORY).write_bytes(random.randbytes(INDEX_BYTES))


@contextmanager
def laid_out(image: Image) -> Iterator[Path]:
    """A folder that holds these files, for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="slotkeeper-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        for name, content in image.items():
            (folder / name).write_bytes(content)
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def recorded(image: Image, *states: str) -> Iterator[Life]:
    """A life that begins with these files, in the last of these states. Whatever opens one of them within the block is
    recorded."""
    with laid_out(image) as folder:
        recording = Recording(folder)
        vfs = RecordingVfs(recording)
        life = Life(recording)
        for state in states:
            life.acknowledge(state)
        with on_disk(vfs.name, CHECKPOINTS), patch.object(sqlite, "CACHE_KIBIBYTES", CACHE_KIBIBYTES):
            yield life
        vfs.unregister()
