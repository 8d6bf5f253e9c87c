"""The judge of histories: small ones whose verdict is plain, and random ones that are judged by trying every order."""

import random
from collections.abc import Sequence
from itertools import chain, combinations, permutations

import pytest

from bench.proof.diary import EMPTY, Act, Answer, Book, Cancel, Look, LookForRoom, Move, State, Visit, parted, step
from bench.proof.linearizable import Operation, judge

History = list[Operation[Act]]


def visit(name: str, start: int = 9, *, on: str = "a", hours: int = 1) -> Visit:
    """A visit on the calendars that are named by a letter each."""
    return Visit(name, frozenset(on), start, start + hours)


def book(name: str, start: int = 9, answer: Answer = "done", on: str = "a") -> Act:
    return Book(visit(name, start, on=on), answer)


def move(name: str, start: int, answer: Answer = "done", on: str = "a") -> Act:
    return Move(visit(name, start, on=on), frozenset("ab"), answer)


def cancel(name: str, answer: Answer = "done") -> Act:
    return Cancel(name, frozenset("a"), answer)


def look(*visits: Visit, on: str = "a") -> Act:
    return Look(on, frozenset(visits))


def at(called: int, returned: int | None, act: Act) -> Operation[Act]:
    return Operation(act, called, returned)


def one_by_one(*acts: Act) -> History:
    return [at(2 * number, 2 * number + 1, act) for number, act in enumerate(acts)]


def is_legal(history: History) -> bool:
    return all(judge(part, step, EMPTY).is_legal for part in parted(history))


LEGAL: dict[str, History] = {
    "nothing": [],
    "one after another": one_by_one(
        book("x"), book("y", answer="refused"), cancel("x"), book("y"), look(visit("y")), cancel("x", "refused")
    ),
    "neighbours": one_by_one(book("x", 9), book("y", 10), look(visit("x", 9), visit("y", 10))),
    "two at once, one of them refused": [at(0, 9, book("x")), at(1, 2, book("y", answer="refused"))],
    "a look at the same time sees it": [at(0, 9, book("x")), at(1, 2, look(visit("x")))],
    "a look at the same time does not see it": [at(0, 9, book("x")), at(1, 8, look())],
    "no answer, and seen": [at(0, None, book("x", answer="unknown")), at(8, 9, look(visit("x")))],
    "no answer, and never seen": [at(0, None, book("x", answer="unknown")), at(8, 9, look())],
    "no answer, and done late": [
        at(0, None, book("x", answer="unknown")),
        at(4, 5, look()),
        at(8, 9, look(visit("x"))),
    ],
    "no answer, and in the way": [at(0, None, book("x", answer="unknown")), at(8, 9, book("y", answer="refused"))],
    "a move without an answer makes room": [
        at(0, 1, book("x")),
        at(2, None, move("x", 12, "unknown")),
        at(4, 5, book("y")),
    ],
    "a swap of two": one_by_one(
        book("x", 9),
        book("y", 10),
        move("x", 10, "refused"),
        move("y", 11),
        move("x", 10),
        look(visit("x", 10), visit("y", 11)),
    ),
    "to another calendar": one_by_one(book("x"), move("x", 9, on="b"), book("y"), look(visit("x", on="b"), on="b")),
    "room on both sides": one_by_one(
        book("x", 10), LookForRoom("a", ((9, 10), (10, 11), (11, 12)), frozenset({9, 11}))
    ),
}

ILLEGAL: dict[str, History] = {
    "two that overlap": one_by_one(book("x"), book("y")),
    "two that overlap, at once": [at(0, 9, book("x")), at(0, 9, book("y"))],
    "two that share one of their calendars": one_by_one(book("x", on="ab"), book("y", on="bc")),
    "refused, and nothing was there": one_by_one(book("x", answer="refused")),
    "refused after it was free again": one_by_one(book("x"), cancel("x"), book("y", answer="refused")),
    "promised, and lost": one_by_one(book("x"), look()),
    "an old answer": [at(0, 1, book("x")), at(2, 9, look()), at(3, 8, look(visit("x")))],
    "seen, and gone again": [
        at(0, None, book("x", answer="unknown")),
        at(4, 5, look(visit("x"))),
        at(8, 9, look()),
    ],
    "seen before it was asked for": [at(0, 1, look(visit("x"))), at(2, 3, book("x"))],
    "done twice": [
        at(0, None, move("x", 12, "unknown")),
        at(0, 1, book("x")),
        at(4, 5, look(visit("x", 12))),
        at(6, 7, move("x", 9)),
        at(8, 9, look(visit("x", 12))),
    ],
    "neither here nor there": [at(0, 1, book("x")), at(2, 9, move("x", 12)), at(3, 4, look())],
    "here and there": [at(0, 1, book("x")), at(2, 9, move("x", 12)), at(3, 4, look(visit("x"), visit("x", 12)))],
    "moved, and the old time kept": one_by_one(book("x"), move("x", 12), book("y", answer="refused")),
    "ended, and moved": one_by_one(book("x"), cancel("x"), move("x", 12)),
    "refused to end what is there": one_by_one(book("x"), cancel("x", "refused")),
    "a slot where somebody is": one_by_one(book("x", 10), LookForRoom("a", ((9, 10), (10, 11)), frozenset({9, 10}))),
    "no slot where nobody is": one_by_one(book("x", 10), LookForRoom("a", ((9, 10), (10, 11)), frozenset())),
    "two that saw the other order": [
        at(0, 9, book("x", 9)),
        at(0, 9, book("y", 10)),
        at(1, 2, look(visit("x", 9))),
        at(3, 4, look(visit("y", 10))),
    ],
}


@pytest.mark.parametrize("history", LEGAL.values(), ids=LEGAL)
def test_what_can_have_been_one_by_one_is_legal(history: History) -> None:
    assert is_legal(history)


@pytest.mark.parametrize("history", ILLEGAL.values(), ids=ILLEGAL)
def test_what_no_order_explains_is_illegal(history: History) -> None:
    assert not is_legal(history)


def test_it_says_what_could_not_come_next() -> None:
    history = one_by_one(book("x"), book("y", 12), book("z"), cancel("x"))

    assert judge(history, step, EMPTY).stuck == (history[2],)


def test_calendars_that_nothing_joins_are_judged_apart() -> None:
    history = one_by_one(book("x", on="a"), book("y", on="b"), book("z", 12, on="bc"), look(on="d"))

    parts = parted(history)

    assert sorted(sorted(history.index(each) for each in part) for part in parts) == [[0], [1, 2], [3]]


def test_what_a_move_may_join_is_judged_together() -> None:
    history = one_by_one(book("x", on="a"), book("y", on="b"), move("x", 12))

    assert len(parted(history)) == 1


def a_random_history(draw: random.Random) -> History:
    """A few acts on one calendar, about two names and three starts, with any answers: legal about half of the time."""
    acts = [_a_random_act(draw) for _ in range(draw.randint(2, 5))]
    history = []
    for act in acts:
        called = draw.randrange(12)
        is_unknown = isinstance(act, Book | Move | Cancel) and act.answer == "unknown"
        history.append(at(called, None if is_unknown else called + draw.randint(1, 8), act))
    return history


def _a_random_act(draw: random.Random) -> Act:
    name, start = draw.choice("xy"), draw.randint(9, 10)
    answer: Answer = draw.choice(("done", "done", "refused", "unknown"))
    acts: list[Act] = [book(name, start, answer), move(name, start, answer), cancel(name, answer)]
    return draw.choice([*acts, acts[0], look(*([visit(name, start)] if draw.random() < 0.6 else []))])


def by_trying_everything(history: History) -> bool:
    """Whether any order of all that was answered, and any of the rest, explains it and keeps to the clock."""
    answered = [each for each in history if each.returned is not None]
    unknown = [each for each in history if each.returned is None]
    some = chain.from_iterable(combinations(unknown, count) for count in range(len(unknown) + 1))
    return any(_explains(order) for extra in some for order in permutations([*answered, *extra]))


def _explains(order: Sequence[Operation[Act]]) -> bool:
    latest_call = -1
    state: State | None = EMPTY
    for each in order:
        latest_call = max(latest_call, each.called)
        if each.returned is not None and each.returned <= latest_call:
            return False
        state = step(state, each.what) if state is not None else None
    return state is not None


def test_the_search_agrees_with_trying_every_order() -> None:
    draw = random.Random(1990)
    histories = [a_random_history(draw) for _ in range(3000)]

    verdicts = [judge(history, step, EMPTY).is_legal for history in histories]

    assert verdicts == [by_trying_everything(history) for history in histories]
    assert 0.2 < sum(verdicts) / len(verdicts) < 0.8
