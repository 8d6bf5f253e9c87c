"""Whether a history of concurrent operations could have come from one object that did them one at a time.

Each operation must seem to have been done at one instant between its call and its return (Herlihy and Wing, 1990). The
search is Wing and Gong's with Lowe's memory: of what is not placed yet, whatever was called before any of it returned
may be next, and no pair of placed operations and state is looked at twice.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

A = TypeVar("A")
S = TypeVar("S")


class Operation(msgspec.Struct, Generic[A], frozen=True):
    """What was asked and answered, and when, on one clock.

    `returned` is None when no answer came: it may have been done at any instant since it was called, or never.
    """

    what: A
    called: int
    returned: int | None


class Verdict(msgspec.Struct, Generic[A], frozen=True):
    """Whether the history is legal. If not, `stuck` are the operations of which one had to come next, and none could,
    after as many as possible were placed."""

    is_legal: bool
    stuck: tuple[Operation[A], ...] = ()


def judge(history: Sequence[Operation[A]], step: Callable[[S, A], S | None], start: S) -> Verdict[A]:
    """Look for an order in which the object, `start` at first, answers as it did.

    `step` gives the state after an operation; None where the object could not have answered so in that state. For an
    operation without an answer: the state after it was done, None where it can not be done.
    """
    operations = sorted(history, key=lambda each: each.called)
    answered = sum(1 << number for number, each in enumerate(operations) if each.returned is not None)
    seen: set[tuple[int, S]] = set()
    todo = [(0, start)]
    most, stuck = -1, tuple[Operation[A], ...]()
    while todo:
        placed, state = todo.pop()
        if placed & answered == answered:
            return Verdict(True)
        near = _next(operations, placed)
        for number in near:
            after = step(state, operations[number].what)
            found = (placed | 1 << number, after)
            if after is not None and found not in seen:
                seen.add((found[0], after))
                todo.append((found[0], after))
        if (count := (placed & answered).bit_count()) > most:
            most, stuck = count, tuple(operations[number] for number in near)
    return Verdict(False, stuck)


def _next(operations: Sequence[Operation[A]], placed: int) -> list[int]:
    """The numbers of those that may come next: not placed, and called before any other such one returned. Those
    without an answer first, so that they are tried last."""
    left = [(number, each) for number, each in enumerate(operations) if not placed >> number & 1]
    first_return = min(each.returned for _, each in left if each.returned is not None)
    near = [(number, each) for number, each in left if each.called < first_return]
    return [number for number, _ in sorted(near, key=lambda pair: pair[1].returned is not None)]
