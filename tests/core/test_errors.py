"""Errors carry facts, and their messages say what is wrong."""

import inspect

from slotkeeper.core import errors
from slotkeeper.core.errors import Missing, Outdated, Refused, SlotkeeperError, Unreachable


def test_each_refusal_has_a_code_of_its_own() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Refused)]

    assert len({kind.code for kind in kinds}) == len(kinds)


def test_the_codes_that_programs_go_by_never_change() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Refused)]

    assert {kind.__name__: kind.code for kind in kinds} == {
        "Refused": "refused",
        "OffStep": "off-step",
        "TooSoon": "too-soon",
        "TooFar": "too-far",
        "Closed": "closed",
        "DayFull": "day-full",
        "CustomerFull": "customer-full",
        "Taken": "taken",
        "WrongState": "wrong-state",
        "TooLate": "too-late",
        "HoldGone": "hold-gone",
        "KeyReused": "key-reused",
        "InUse": "in-use",
    }


def test_every_error_is_one_of_ours_and_says_what_it_means() -> None:
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if kind.__module__ == errors.__name__:
            assert issubclass(kind, SlotkeeperError)
            assert kind.__doc__


def test_what_is_private_is_kept_apart() -> None:
    refused = Refused("no", facts={"a": 1}, private={"b": 2})

    assert (refused.facts, refused.private, str(refused)) == ({"a": 1}, {"b": 2}, "no")


def test_errors_carry_their_facts() -> None:
    missing, outdated = Missing("service", "svc_1"), Outdated("3", "5")

    assert (missing.kind, missing.id, str(missing)) == ("service", "svc_1", "no service 'svc_1'")
    assert (outdated.asked, outdated.current) == ("3", "5")
    assert "the current one is 5" in str(outdated)
    assert Unreachable("no disk").retry_after == 1
