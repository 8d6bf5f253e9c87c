"""A disk with a write cache: what was written may be lost, torn or reordered by a power cut until it is synced.

A file's content is on the disk once the file was synced, a file's name once its folder was (POSIX `fsync`). What waits
in the cache survives by chance: whole, in parts of a sector, or in any order. What is beside the bytes that were being
written stays as it was: SQLite takes that for granted (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

SECTOR = 512

Image = Mapping[str, bytes]
"""The files that are found after a cut, by name."""

Fate = Literal["all lost", "all kept", "in order", "any write", "any sector", "junk"]
FATES: tuple[Fate, ...] = ("all lost", "all kept", "in order", "any write", "any sector", "junk")
"""What becomes of the cache. `in order`: a part of it, the last write torn. `junk`: as `any sector`, and some sectors
hold neither what was nor what was to be."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A write that waits in the cache, or a cut of the file to `size`; `at` numbers them over all files."""

    at: int
    offset: int = 0
    data: bytes = b""
    size: int = -1


@dataclass(slots=True)
class File:
    """What is on the disk for sure, and what waits."""

    kept: bytes = b""
    waiting: list[Piece] = field(default_factory=list)

    def now(self) -> bytes:
        """What programs read."""
        return _applied(self.kept, self.waiting)

    def sync(self) -> None:
        self.kept, self.waiting = self.now(), []


@dataclass(slots=True)
class Disk:
    """One folder. With `is_lying` it says that it has synced and has not, as some disks do."""

    names: dict[str, File] = field(default_factory=dict)
    is_lying: bool = False
    _kept: dict[str, File] = field(default_factory=dict)
    _changes: list[tuple[int, dict[str, File | None]]] = field(default_factory=list)
    _clock: Iterator[int] = field(default_factory=count)

    @classmethod
    def holding(cls, image: Image, *, is_lying: bool = False) -> "Disk":
        """A disk on which these files are, all of them for sure."""
        files = {name: File(content) for name, content in image.items()}
        return cls(dict(files), is_lying, dict(files))

    def create(self, name: str) -> None:
        if name not in self.names:
            self._change({name: File()})

    def write(self, name: str, offset: int, data: bytes) -> None:
        self.names[name].waiting.append(Piece(next(self._clock), offset, data))

    def truncate(self, name: str, size: int) -> None:
        self.names[name].waiting.append(Piece(next(self._clock), size=size))

    def delete(self, name: str) -> None:
        self._change({name: None})

    def rename(self, old: str, new: str) -> None:
        self._change({new: self.names[old], old: None})

    def link(self, old: str, new: str) -> None:
        self._change({new: self.names[old]})

    def sync(self, name: str) -> None:
        if not self.is_lying:
            self.names[name].sync()

    def sync_folder(self) -> None:
        if not self.is_lying:
            self._kept, self._changes = dict(self.names), []

    @property
    def waits(self) -> set[str]:
        """The names of the files of which something waits."""
        return {name for name, file in self.names.items() if file.waiting}

    def after_cut(self, chance: random.Random) -> Image:
        """What is found when the power comes back: one of all the ways it may have gone."""
        waiting = [at for at, _ in self._changes]
        waiting += [piece.at for file in self.names.values() for piece in file.waiting]
        survivors = _survivors(chance.choice(FATES), chance, chance.choice(waiting or [0]))
        names = dict(self._kept)
        for at, changed in self._changes:
            if survivors(Piece(at)):
                names.update({name: file for name, file in changed.items() if file is not None})
                for name in (name for name, file in changed.items() if file is None):
                    names.pop(name, None)
        contents: dict[int, bytes] = {}
        for file in names.values():
            if id(file) not in contents:
                contents[id(file)] = _applied(file.kept, [part for each in file.waiting for part in survivors(each)])
        return {name: contents[id(file)] for name, file in names.items()}

    def _change(self, changed: dict[str, File | None]) -> None:
        self._changes.append((next(self._clock), changed))
        for name, file in changed.items():
            if file is None:
                self.names.pop(name, None)
            else:
                self.names[name] = file


def _applied(content: bytes, pieces: list[Piece]) -> bytes:
    """The content after the pieces; what lies beyond its end and was never written is zeros."""
    if not pieces:
        return content
    after = bytearray(content)
    for piece in pieces:
        if piece.size >= 0:
            del after[piece.size :]
            continue
        after.extend(bytes(max(piece.offset + len(piece.data) - len(after), 0)))
        after[piece.offset : piece.offset + len(piece.data)] = piece.data
    return bytes(after)


def _survivors(fate: Fate, chance: random.Random, last: int) -> Callable[[Piece], list[Piece]]:
    """Which parts of a piece survive; `last` is the last that does where they go in order."""
    share = chance.random()

    def survivors(piece: Piece) -> list[Piece]:
        match fate:
            case "all lost":
                return []
            case "all kept":
                return [piece]
            case "in order":
                parts = list(_sectors(piece))
                return parts[: len(parts) if piece.at < last else chance.randrange(len(parts) + 1) * (piece.at == last)]
            case "any write":
                return [piece] if chance.random() < share else []
            case "any sector":
                return [part for part in _sectors(piece) if chance.random() < share]
            case "junk":
                return [
                    part if chance.random() < share else Piece(part.at, part.offset, chance.randbytes(len(part.data)))
                    for part in _sectors(piece)
                    if chance.random() < share or (part.data and chance.random() < share)
                ]

    return survivors


def _sectors(piece: Piece) -> Iterator[Piece]:
    """The piece in parts that each lie within one sector of the file."""
    if not piece.data:
        yield piece
        return
    start, end = piece.offset, piece.offset + len(piece.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Piece(piece.at, start, piece.data[start - piece.offset : stop - piece.offset])
        start = stop
