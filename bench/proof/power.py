"""Power cuts under the real store: whatever the disk had not synced is lost, torn or reordered, and nothing that was
acknowledged is gone, nothing half done, no file damaged.

The store's own code runs over a VFS that records every write and sync (`bench.proof.crashing`). One run is cut at many
points; each time the files are laid out as a disk may have left them, and the store opens them again.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.proof.crashing import broken, works
from bench.proof.crashing.disk import Image
from bench.proof.crashing.lives import Life, Look, Verdict, judged, laid_out
from bench.proof.crashing.works import EMPTY, FILE, Doctor, Witness
from bench.proof.table import Row, Scale
from slotkeeper.contracts import Change
from slotkeeper.stores.sqlite import SqliteStore

SEED = 20_260_401
CUTS: dict[Scale, dict[str, int]] = {
    "quick": {"booking": 240, "migrating": 40, "backing up": 40, "restoring": 40, "broken": 80},
    "full": {"booking": 7000, "migrating": 1000, "backing up": 1000, "restoring": 1000, "broken": 500},
}
CUTS_OF_A_LIFE, DOINGS, GENERATIONS = 40, 8, 10

Left = tuple[Image, str]
"""The files that a cut has left, and what the store held in them."""


@dataclass(slots=True)
class Found:
    """In how many cuts what was found; `checkpoints` are those that met the database file itself half written."""

    cuts: int = 0
    checkpoints: int = 0
    lost: int = 0
    half: int = 0
    damaged: int = 0

    def add(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            self.cuts += 1
            self.checkpoints += FILE in verdict.cut.busy
            self.lost += verdict.lost > 0
            self.half += verdict.is_half
            self.damaged += bool(verdict.complaint)

    @property
    def is_whole(self) -> bool:
        return not (self.lost or self.half or self.damaged)

    def __str__(self) -> str:
        return f"acknowledged writes lost in {self.lost}, half a change in {self.half}, damage in {self.damaged}"


class Normal(Witness):
    """A broken one: it does not wait for the disk before it acknowledges."""

    def _connect(self) -> Any:
        connection = super()._connect()
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


class OneByOne(Witness):
    """A broken one: not all or nothing, each document in a commit of its own."""

    def commit(self, change: Change) -> None:
        for put in change.puts[1:]:
            SqliteStore.commit(self, Change({put.key: change.expects[put.key]}, [put]))
        done = {put.key for put in change.puts[1:]}
        rest = {key: version for key, version in change.expects.items() if key not in done}
        super().commit(Change(rest, change.puts[:1], change.deletes))


def rows(scale: Scale) -> Iterator[Row]:
    """See `bench.proof`."""
    cuts, doctor = CUTS[scale], Doctor()
    found, left = booked(random.Random(SEED), doctor, cuts["booking"])
    normal, one_by_one = (cut_again(left, doctor, cuts["broken"], kind) for kind in (Normal, OneByOne))
    liar = cut_again(left, doctor, cuts["broken"], is_lying=True)
    yield Row(
        claim="3. An acknowledged write survives a power cut",
        tried=f"{found.cuts:,} cuts while people book, move, cancel and are reminded, {found.checkpoints:,} of them in "
        "a checkpoint; each life begins with what a cut has left",
        found=str(found),
        holds=found.is_whole,
        broken=f"synchronous=NORMAL, of {normal.cuts} cuts: {normal}. Documents written one by one, of "
        f"{one_by_one.cuts}: {one_by_one}. A disk that lies about syncing, of {liar.cuts}: {liar}",
        is_caught=normal.lost > 0 and not one_by_one.is_whole and liar.lost > 0 and liar.damaged > 0,
    )
    for name, trial, breaking in TRIALS:
        found = trial(left, doctor, cuts[name])
        with broken.build(breaking):
            caught = trial(left, doctor, cuts["broken"])
        yield Row(
            claim="3. ... whatever is being done",
            tried=f"{found.cuts:,} cuts while {name}",
            found=str(found),
            holds=found.is_whole,
            broken=f"{breaking}, of {caught.cuts} cuts: {caught}",
            is_caught=not caught.is_whole,
        )


def booked(chance: random.Random, doctor: Doctor, cuts: int) -> tuple[Found, list[Left]]:
    """Cut lives of a busy clinic, each of which begins with what a cut of the one before has left; some of that goes
    back as well, to begin other things with."""
    found, left = Found(), list[Left]()
    image: Image = {}
    state = EMPTY
    for number in range(cuts // CUTS_OF_A_LIFE):
        if number % GENERATIONS == 0:
            image, state = {}, EMPTY
        life = works.booking(image, state, chance, DOINGS)
        verdicts = [judged(life, cut, doctor.database) for cut in life.cuts(chance, CUTS_OF_A_LIFE)]
        found.add(verdicts)
        good = [verdict for verdict in verdicts if verdict.is_good and verdict.state != EMPTY]
        if good:
            last = chance.choice(good)
            image, state = last.cut.image, last.state
            left.append((image, state))
    return found, left


def cut_again(
    left: Sequence[Left], doctor: Doctor, cuts: int, kind: type[Witness] = Witness, *, is_lying: bool = False
) -> Found:
    """Cut lives of another kind of store, or on another kind of disk."""
    work = partial(works.booking, chance=random.Random(SEED + 1), doings=DOINGS, kind=kind)
    return _cut(left, work, doctor.database, cuts, is_lying=is_lying)


def migrated(left: Sequence[Left], doctor: Doctor, cuts: int) -> Found:
    return _cut(left, works.migrating, doctor.migrated, cuts)


def backed_up(left: Sequence[Left], doctor: Doctor, cuts: int) -> Found:
    return _cut(left, works.backing_up, doctor.both, cuts)


def restored(left: Sequence[Left], doctor: Doctor, cuts: int) -> Found:
    image, state = left[0]
    with laid_out(image) as folder:
        SqliteStore(folder / FILE).close()
        backup = (folder / FILE).read_bytes()
    work = partial(works.restoring, backup=backup, backed_up=state)
    return _cut(left[1:], work, doctor.database, cuts)


def _cut(
    left: Sequence[Left], work: Callable[[Image, str], Life], look: Look, cuts: int, *, is_lying: bool = False
) -> Found:
    """Begin so many times with one of what was left, and cut each life a few times."""
    found, chance = Found(), random.Random(SEED)
    while found.cuts < cuts:
        life = work(*chance.choice(left))
        each = min(CUTS_OF_A_LIFE // 2, cuts - found.cuts)
        found.add(judged(life, cut, look) for cut in life.cuts(chance, each, is_lying=is_lying))
    return found


Trial = Callable[[Sequence[Left], Doctor, int], Found]

TRIALS: list[tuple[str, Trial, str]] = [
    ("migrating", migrated, "migrates statement by statement"),
    ("backing up", backed_up, "renames without syncing"),
    ("restoring", restored, "renames without syncing"),
]
"""What else is done to a file, and the broken build that does it wrongly."""
