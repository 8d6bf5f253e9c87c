"""Random credentials: made once, shown once, kept as hashes.

A token is `<kind>_<prefix>_<secret>`: the prefix finds the document, the SHA-256 of the whole token proves it. The
secret has 160 random bits, so a fast hash is enough: there is nothing to guess.
"""

import hashlib
import hmac
import re
import secrets
from functools import cache

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NO_HASH = hashlib.sha256(b"no token has this hash").hexdigest()


def new_token(kind: str) -> tuple[str, str]:
    """A new token's prefix, and the token itself."""
    prefix = _letters(12)
    return prefix, f"{kind}_{prefix}_{_letters(32)}"


def prefix_of(kind: str, token: str) -> str | None:
    """The prefix, by which the token's document is found; None when it has not the form of such a token."""
    form = _form(kind).fullmatch(token)
    return form[1] if form else None


def hash_of(token: str) -> str:
    """What is kept of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_proved(token: str, kept: str | None) -> bool:
    """Whether the hash that is kept is the token's. Where none is kept it takes as long to say no."""
    return hmac.compare_digest(hash_of(token), _NO_HASH if kept is None else kept)


@cache
def _form(kind: str) -> re.Pattern[str]:
    return re.compile(rf"{kind}_([a-z2-7]{{12}})_[a-z2-7]{{32}}")


def _letters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))
