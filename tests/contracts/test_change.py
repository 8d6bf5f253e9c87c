"""A change that no store could keep is refused before one is asked."""

import pytest

from slotkeeper.contracts import Change, Key, Put

A, B = Key("a", "1"), Key("b", "1")


def test_a_written_key_must_be_expected() -> None:
    with pytest.raises(ValueError, match="must be expected"):
        Change({A: 0}, [Put(B, b"")])


def test_a_key_is_written_once() -> None:
    with pytest.raises(ValueError, match="written once"):
        Change({A: 0}, [Put(A, b"")], [A])


def test_a_change_has_a_limit() -> None:
    keys = [Key("a", str(number)) for number in range(101)]

    with pytest.raises(ValueError, match="more than the 100"):
        Change(dict.fromkeys(keys, 0))
