"""Passwords: which ones are refused, and what is kept of the others."""

import subprocess
import sys
import time
import unicodedata

import pytest

from slotkeeper.core.errors import Invalid
from slotkeeper.desk.passwords import COMMON, LEAST, check_password, hashed, matches

PASSWORD = "a long way home"


def test_a_hash_is_its_passwords_alone() -> None:
    kept = hashed(PASSWORD)

    assert matches(kept, PASSWORD)
    assert not matches(kept, PASSWORD + " ")
    assert not matches(kept, "")
    assert kept != hashed(PASSWORD), "each has a salt of its own"


def test_it_is_argon2id_as_owasp_has_it() -> None:
    assert hashed(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("kept", ["", "rubbish", "$argon2id$v=19$m=19456,t=2,p=1$broken"])
def test_no_hash_is_nobodys(kept: str) -> None:
    assert not matches(kept, PASSWORD)
    assert not matches(kept, "")


def test_a_password_is_the_same_however_it_was_typed() -> None:
    composed = "caf\u00e9 am See, 10 Uhr"

    assert matches(hashed(composed), unicodedata.normalize("NFD", composed))


def test_an_unknown_address_costs_as_much_as_a_wrong_password() -> None:
    kept = hashed(PASSWORD)

    def best(kept: str) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            assert not matches(kept, "not this one")
            times.append(time.process_time() - start)
        return min(times)

    wrong, unknown, broken = best(kept), best(""), best("rubbish")
    assert unknown > wrong / 2, "an unknown address is answered faster than a wrong password"
    assert broken > wrong / 2, "a hash that is none is answered faster than a wrong password"


@pytest.mark.parametrize(
    "password", [PASSWORD, "x" * 3 + "y" * 4 + "z" * 3, "correct horse battery", "密码密码密码 ☂ ☂ ok"]
)
def test_a_good_password_may_say_anything(password: str) -> None:
    check_password(password, "ada@example.com", "Ada Lovelace")


def test_a_password_has_up_to_200_characters_and_need_have_no_letters() -> None:
    check_password("8317460295")
    check_password("abc" * 66 + "de")
    check_password("xxxx 12345")
    with pytest.raises(Invalid, match="10 to 200 characters"):
        check_password("abc" * 67)


def test_a_password_is_not_what_stands_before_the_at_sign() -> None:
    with pytest.raises(Invalid, match="your name or address"):
        check_password("Countess.Ada", "countess.ada@example.com", "Augusta King")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "x" * 201,
        "Password123",
        "QWERTYUIOP",
        "1234567890",
        "aaaaaaaaaaaa",
        "abababababab",
        "ada.lovelace@example.com",
        "Ada Lovelace",
        "adalovelace1815",
        "ada_lovelace!",
    ],
)
def test_a_password_that_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_password(password, "ada.lovelace@example.com", "Ada Lovelace")

    assert caught.value.field == "password"
    assert not password or password not in caught.value.message


def test_the_common_ones_are_long_enough_to_be_tried() -> None:
    assert min(map(len, COMMON)) >= LEAST
    assert all(each == each.casefold() for each in COMMON)


def test_argon2_is_loaded_by_who_signs_in_alone() -> None:
    code = "import sys, slotkeeper.desk.passwords, slotkeeper.desk.sessions; print('argon2' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
