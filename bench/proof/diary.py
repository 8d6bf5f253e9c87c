"""A diary that is used by one client at a time: what it answers, and how its calendars are parted for a check."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from bench.proof.linearizable import Operation

Answer = Literal["done", "refused", "unknown"]


class Visit(msgspec.Struct, frozen=True):
    """A half-open span of time on some calendars, under the name that its booker gave it."""

    name: str
    calendars: frozenset[str]
    start: int
    end: int

    def clashes(self, other: "Visit") -> bool:
        """Whether the two can not both be: one visit never clashes with itself."""
        return (
            self.name != other.name
            and bool(self.calendars & other.calendars)
            and self.start < other.end
            and other.start < self.end
        )


class Book(msgspec.Struct, frozen=True):
    """A wish for a visit that is not there yet."""

    visit: Visit
    answer: Answer


class Move(msgspec.Struct, frozen=True):
    """A wish to have the visit of that name as it is described here; `calendars` are all that it may ever be on."""

    visit: Visit
    calendars: frozenset[str]
    answer: Answer


class Cancel(msgspec.Struct, frozen=True):
    """A wish to have the visit of that name no more."""

    name: str
    calendars: frozenset[str]
    answer: Answer


class Look(msgspec.Struct, frozen=True):
    """What stands on one calendar."""

    calendar: str
    visits: frozenset[Visit]


class LookForRoom(msgspec.Struct, frozen=True):
    """Which of the spans of one calendar are free."""

    calendar: str
    spans: tuple[tuple[int, int], ...]
    free: frozenset[int]


Act = Book | Move | Cancel | Look | LookForRoom
State = frozenset[Visit]
EMPTY: State = frozenset()


def step(state: State, act: Act) -> State | None:
    """The diary after the act; None where it would not have answered so (`linearizable.Step`)."""
    match act:
        case Book(visit, answer):
            return _answered(state, _booked(state, visit), answer)
        case Move(visit, _, answer):
            before = {each for each in state if each.name == visit.name}
            return _answered(state, _booked(state - before, visit) if before else None, answer)
        case Cancel(name, _, answer):
            after = frozenset(each for each in state if each.name != name)
            return _answered(state, after if after != state else None, answer)
        case Look(calendar, visits):
            return state if visits == {each for each in state if calendar in each.calendars} else None
        case LookForRoom(calendar, spans, free):
            room = {start for start, end in spans if _is_free(state, Visit("", frozenset({calendar}), start, end))}
            return state if room == free else None


def _booked(state: State, visit: Visit) -> State | None:
    return state | {visit} if _is_free(state, visit) else None


def _is_free(state: State, visit: Visit) -> bool:
    return not any(visit.clashes(each) for each in state)


def _answered(before: State, after: State | None, answer: Answer) -> State | None:
    """What is, after the answer, when what was asked leads from one state to the other, or (None) is impossible."""
    if answer == "refused":
        return before if after is None else None
    return after


def parted(history: Iterable[Operation[Act]]) -> list[list[Operation[Act]]]:
    """The history in parts that share no calendar: it is linearizable if and only if each part is (Herlihy and Wing's
    locality)."""
    parts: list[tuple[frozenset[str], list[Operation[Act]]]] = []
    for each in history:
        own, together = calendars_of(each.what), [each]
        apart = []
        for calendars, operations in parts:
            if calendars & own:
                own, together = own | calendars, operations + together
            else:
                apart.append((calendars, operations))
        parts = [*apart, (own, together)]
    return [operations for _, operations in parts]


def calendars_of(act: Act) -> frozenset[str]:
    """The calendars that the act is about."""
    match act:
        case Book(visit):
            return visit.calendars
        case Move(_, calendars) | Cancel(_, calendars):
            return calendars
        case Look(calendar) | LookForRoom(calendar):
            return frozenset({calendar})


def shown(stuck: Sequence[Operation[Act]]) -> str:
    """The operations, a line each, for people."""
    return "\n".join(f"{each.called}-{each.returned or '?'}: {each.what}" for each in stuck)
