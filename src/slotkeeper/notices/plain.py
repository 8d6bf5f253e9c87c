"""Text on one line, as subjects, headers and calendars want it."""

import re
from functools import lru_cache

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@lru_cache(maxsize=4096)
def one_line(text: str) -> str:
    """The text on one line, without control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())
