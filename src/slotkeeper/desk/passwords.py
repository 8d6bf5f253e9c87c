"""Passwords: how they are kept, and which ones are refused. Nothing here touches the store.

argon2id with 19 MiB, 2 passes and 1 lane (OWASP Password Storage Cheat Sheet). Hashing takes tens of milliseconds, so
it is done off the event loop.
"""

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from slotkeeper.core.errors import Invalid

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST, MOST = 10, 200
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1

_COMMON = """
0123456789 01234567890 0987654321 1020304050 111222333444 1122334455 12345678900 123456789000 1234567890 12345678910
123456789a 123456789abc 1234567890a 12345qwert 123qweasdzxc 1234qwerasdf 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc
1qazxsw23edc 9876543210 abc1234567 abcd123456 abcdefghij administrator appointment basketball changeme123 computer123
football123 iloveyou123 letmein123 letmein1234 monkey1234 mypassword p@ssw0rd123 p@ssword123 passw0rd123 password01
password10 password11 password12 password123 password1234 password12345 password123456 passwordpassword princess123
q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedcrfv qwe123456789 qwer123456 qwerasdfzxcv qwert12345 qwerty1234 qwerty12345
qwerty123456 qwertyqwerty qwertyuiop qwertyuiop123 qwertzuiop slotkeeper superman123 sunshine123 welcome123
welcome1234 zaq12wsxcde3 zxcvbnm123 zxcvbnmasdfghjkl
"""

COMMON = frozenset(_COMMON.split())
"""The most common ones of at least 10 characters, and our own name."""

_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$QUFBQUFBQUFBQUFBQUFBQQ$y0kyIlnpUsJptGeFT2v5KkySJd0wpdLSEZImz9TVxM8"
"""Stands where there is no hash, so that an unknown address costs as much as a wrong password."""

_LETTERS = re.compile(r"[\W\d_]+")


def hashed(password: str) -> str:
    """The hash to keep. It blocks for tens of milliseconds."""
    return _hasher().hash(_normal(password))


def matches(hashed: str, password: str) -> bool:
    """Whether the hash is the password's. An empty one, or one that is none, is nobody's, and costs the same."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        _hasher().verify(hashed or _NOBODYS, _normal(password))
    except InvalidHashError:
        matches("", password)
        return False
    except VerificationError:
        return False
    return bool(hashed)


def check_password(password: str, email: str = "", name: str = "") -> None:
    """Raises `Invalid` for a password that is too short or too long, is the member's own address or name, or is one of
    those that everybody tries first."""
    if not LEAST <= len(password) <= MOST:
        raise Invalid(f"a password has {LEAST} to {MOST} characters", field="password")
    plain = _normal(password).casefold()
    if plain in COMMON or len(set(plain)) < 3:
        raise Invalid("this is one of the first passwords that anybody would try: choose another", field="password")
    own = {_letters(each) for each in (email, email.partition("@")[0], name)} - {""}
    if _letters(plain) in own:
        raise Invalid("this is your name or address: choose another password", field="password")


def _normal(password: str) -> str:
    """The same characters, however the keyboard composed them."""
    return unicodedata.normalize("NFKC", password)


def _letters(text: str) -> str:
    return _LETTERS.sub("", _normal(text).casefold())


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # who does not sign in need not load it

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
