"""Who migrates, backs up or restores a file is killed at it: what is found is what was before, or what was to be."""

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from bench.proof.crashing import victims
from bench.proof.crashing.disk import Image
from bench.proof.crashing.killing import Fate, Victim
from bench.proof.crashing.lives import laid_out
from bench.proof.crashing.recording import contents
from bench.proof.crashing.works import COPY, EMPTY, FILE, NEWER, NONE, OURS, Doctor
from slotkeeper.cli.main import cli
from slotkeeper.contracts import Change, Key, Put
from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.sqlite import SqliteStore

LONGER = 1.1
"""A moment is drawn from a time this much longer than the work takes: some deaths come just too late."""


@dataclass(slots=True)
class Deaths:
    """What was seen of so many kills; `late` are those that came when all was done."""

    kills: int = 0
    late: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Usual:
    """How long the work takes when nobody is killed, and how many calls."""

    seconds: float
    calls: int


class Filing:
    """A clinic's file, and what is done to it; `breaking` names a build that is broken on purpose."""

    def __init__(self, clinic: bytes, chance: random.Random, breaking: str) -> None:
        self._chance, self._breaking = chance, breaking
        self._clinic, self._busy = clinic, with_a_log(clinic)
        self._doctor = Doctor()
        self._state, self._busy_state = self._state_in({FILE: clinic}), self._state_in(self._busy)
        self._usual: dict[Callable[..., object], Usual] = {}
        self.deaths = Deaths()

    def migrate(self) -> None:
        """A later version opens the file; one time in four there is none yet, and it makes one."""
        is_new = self._chance.random() < 0.25
        with laid_out({} if is_new else {FILE: self._clinic}) as folder:
            is_done = self._kill(self.migrate, victims.migrate, str(folder / FILE))
            state, first = (EMPTY, 0) if is_new else (self._state, OURS)
            allowed = [f"{version} {state}" for version in range(NEWER if is_done else first, NEWER + 1)]
            self._judge(lambda: self._doctor.migrated(folder), allowed)

    def restore(self) -> None:
        """A backup takes the place of a database whose server was killed: some of that is in its log still."""
        with laid_out({**self._busy, COPY: self._clinic}) as folder:
            is_done = self._kill(self.restore, victims.command, _restoring(folder))
            before, after = self._busy_state, f"{self._state} {self._busy_state}"
            allowed = [after] if is_done else [f"{before} {NONE}", f"{before} {before}", after]
            self._judge(lambda: self._with_what_is_kept(folder), allowed)

    def back_up(self) -> None:
        """The file is copied while a rival writes to it, half of the time in the place of an earlier copy. Whatever
        was left behind, the next backup succeeds."""
        earlier = {COPY: self._clinic} if self._chance.random() < 0.5 else {}
        with laid_out({FILE: self._clinic, **earlier}) as folder, Rival(folder / FILE).writing() as rival:
            begun = rival.written
            is_done = self._kill(self.back_up, victims.command, _backing_up(folder))
            rival.stop()
            fresh = {f"{count}" for count in range(begun, rival.written + 1)}
            self._judge(lambda: self._letters(folder / COPY), fresh if is_done else fresh | {"0" if earlier else NONE})
            self._judge(lambda: self._letters(folder / FILE), {f"{rival.written}"})
            again = CliRunner().invoke(cli, _backing_up(folder))
            self.deaths.wrong += [again.output] if again.exit_code else []

    def _kill(self, work: Callable[[], None], target: Callable[..., object], *args: object) -> bool:
        """Have it done, and whoever does it killed; whether all was done before. The first time nobody is killed, to
        see how long it takes."""
        usual = self._usual.get(work)
        if usual is None:
            fate = Fate(calls=10**9)
        else:
            fate = Fate.drawn(self._chance, seconds=usual.seconds * LONGER, calls=int(usual.calls * LONGER))
        victim = Victim(target, *args, self._breaking, fate=fate)
        victim.begun()
        began = time.perf_counter()
        words = victim.end()
        is_done = victims.DONE in words
        if usual is None:
            self._usual[work] = Usual(time.perf_counter() - began, words[-1])
        self.deaths.kills += victim.was_killed
        self.deaths.late += victim.was_killed and is_done
        return is_done

    def _judge(self, look: Callable[[], str], allowed: Collection[str]) -> None:
        try:
            state = look()
        except Unreachable as error:
            self.deaths.wrong.append(str(error))
            return
        if state not in allowed:
            self.deaths.wrong.append(f"{state} was found, which is none of {allowed}")

    def _state_in(self, image: Image) -> str:
        with laid_out(image) as folder:
            return self._doctor.database(folder)

    def _with_what_is_kept(self, folder: Path) -> str:
        kept = [path for path in folder.glob(f"{FILE}.before-*") if path.name.endswith("Z")]
        return f"{self._doctor.database(folder)} {self._doctor.whole(kept[0]) if kept else NONE}"

    def _letters(self, path: Path) -> str:
        """How many of the rival's letters are in the file, which must be whole."""
        if not path.exists():
            return NONE
        self._doctor.whole(path)
        with closing(SqliteStore(path)) as store:
            numbers = [int(doc.key.sort) for doc in store.walk(Rival.PART)]
        if numbers != list(range(len(numbers))):
            raise Unreachable(f"of {len(numbers)} letters some are missing in between")
        return str(len(numbers))


def _restoring(folder: Path) -> list[str]:
    return ["--database", str(folder / FILE), "restore", str(folder / COPY), "--yes"]


def _backing_up(folder: Path) -> list[str]:
    return ["--database", str(folder / FILE), "backup", str(folder / COPY), "--force"]


def with_a_log(clinic: bytes) -> Image:
    """What is found of the clinic when its server was killed after some more writes: they are in the log alone."""
    with laid_out({FILE: clinic}) as folder, closing(SqliteStore(folder / FILE)) as store:
        for number in range(20):
            _write(store, number)
        return contents(folder)


def _write(store: SqliteStore, number: int) -> None:
    key = Key(Rival.PART, f"{number:06d}")
    store.commit(Change({key: 0}, [Put(key, b'"%d"' % number)]))


class Rival:
    """Who writes numbered letters to the file, one after the other; `written` were acknowledged."""

    PART = "rival/letter"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.written = 0

    @contextmanager
    def writing(self) -> Iterator["Rival"]:
        """Write for as long as the block lasts, or until `stop`."""
        self._thread.start()
        try:
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _write(self) -> None:
        with closing(SqliteStore(self._path)) as store:
            while not self._stopping.is_set():
                _write(store, self.written)
                self.written += 1
