"""Processes that are killed at random: from outside, by the clock or by what they have done; or at one of their calls.

They are forked from one that has loaded everything, so a life begins within some hundredths of a second and knows
nothing of the one before. SIGKILL leaves no time for anything: no `finally`, no flush, no goodbye.
"""

import logging
import multiprocessing
import os
import random
import signal
import sys
import threading
import types
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

PATIENCE_SECONDS, MOMENT_SECONDS = 20.0, 0.005
LOADED = ["bench.proof.crashing.rehearsed"]

Say = Callable[[object], None]
"""How a victim tells of itself. Its first word is that it has begun: from then on its calls are counted."""


@dataclass(frozen=True, slots=True)
class Fate:
    """When a victim is killed: so many `seconds` after it was made (`is_early`), after it has begun, or after so much
    was `heard` of it; or when it has made so many `calls` of functions in C."""

    seconds: float = PATIENCE_SECONDS
    is_early: bool = False
    heard: int = 0
    calls: int = 0

    @classmethod
    def drawn(cls, chance: random.Random, *, seconds: float, calls: int, heard: int = 0) -> "Fate":
        """Any moment: by the clock, by calls, and where anything is heard of a victim, a moment after some of that."""
        match chance.randrange(4 if heard else 2):
            case 0:
                return cls(seconds=chance.uniform(0, seconds), is_early=chance.random() < 0.2)
            case 1:
                return cls(calls=chance.randint(1, calls))
            case _:
                return cls(heard=chance.randint(1, heard), seconds=chance.uniform(0, MOMENT_SECONDS))


class Failed(Exception):
    """A victim could not do what it was to do."""


class Victim:
    """A process that is to be killed."""

    def __init__(self, target: Callable[..., object], *args: object, fate: Fate) -> None:
        """`target` is called with a `Say` and the arguments."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(LOADED)
        self._fate = fate
        self._left = fate.heard
        self._listening = threading.Lock()
        self._ear, mouth = context.Pipe(duplex=False)
        self._process = context.Process(target=_live, args=(mouth, fate.calls, target, args), daemon=True)
        # Or each victim would load our main module again, which is nothing to it.
        with patch.dict(sys.modules, {"__main__": types.ModuleType("__main__")}):
            self._process.start()
        mouth.close()
        self._timers = [threading.Timer(PATIENCE_SECONDS, self._process.kill)]
        self._timers[0].start()
        if fate.is_early:
            self._kill_soon()

    def heard(self) -> None:
        """Something was heard of it, by whatever way."""
        with self._listening:
            self._left -= 1
            if self._left == 0:
                self._kill_soon()

    def begun(self) -> Any:
        """Its first word; None when it was killed before."""
        word = self._word()
        if not (self._fate.is_early or self._fate.heard or self._fate.calls):
            self._kill_soon()
        return word

    def end(self) -> list[Any]:
        """Wait until it is dead, or has done all that it had to do; returns what it said in the end.

        Raises:
            Failed: it ended by an error of its own. No death of ours, nor a proof of anything.
        """
        words = []
        while (word := self._word()) is not None:
            words.append(word)
        self._process.join()
        self._ear.close()
        for timer in self._timers:
            timer.cancel()
            timer.join()
        if self._process.exitcode not in (0, -signal.SIGKILL):
            raise Failed(f"a victim ended by itself with {self._process.exitcode}: {words}")
        return words

    @property
    def was_killed(self) -> bool:
        """Whether it did not end by itself."""
        return self._process.exitcode == -signal.SIGKILL

    def _kill_soon(self) -> None:
        self._timers.append(threading.Timer(self._fate.seconds, self._process.kill))
        self._timers[-1].start()

    def _word(self) -> Any:
        try:
            return self._ear.recv()
        except (EOFError, OSError):
            return None  # it is dead, perhaps in the middle of a word


def _live(mouth: Connection, calls: int, target: Callable[..., object], args: tuple[object, ...]) -> None:
    """What happens in the victim's process. Last of all it says how many calls it has made since it began, if anybody
    counts."""
    logging.disable()
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process
    made: list[int] = []

    def say(word: object) -> None:
        mouth.send(word)
        if calls and not made:
            _die_after(calls, made)

    try:
        target(say, *args)
    except BaseException as error:
        mouth.send(repr(error))
        raise
    sys.setprofile(None)
    mouth.send(sum(made))


def _die_after(calls: int, made: list[int]) -> None:
    """Be killed when a function in C is called, in whatever thread: all that others can see is done by such calls, so
    this is between any two steps."""
    made.append(0)

    def count(_: object, event: str, __: object) -> None:
        if event == "c_call":
            made[0] += 1
            if made[0] >= calls:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)
    sys.setprofile(count)
