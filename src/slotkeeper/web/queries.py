"""Reading query strings and the opaque cursors in them."""

import base64
import binascii
import re
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from slotkeeper.core.errors import Invalid
from slotkeeper.core.ticks import Instant
from slotkeeper.web.bodies import Malformed, fitted, instant, safe_text

T = TypeVar("T", bound=msgspec.Struct)

MAX_BYTES = 8_192
MAX_FIELDS = 200
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,400}\Z")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_query(query: str, kind: type[T], repeatable: frozenset[str]) -> T:
    """The query as a value; a parameter may come more than once when it is `repeatable`.

    Raises:
        Malformed: it cannot be read. Invalid: it does not fit `kind`.
    """
    if not query:
        empty: T = _empty(kind)
        return empty
    values: dict[str, Any] = {}
    for name, text in _pairs(query):
        if name in repeatable:
            values.setdefault(name, []).append(text)
        elif name in values:
            raise Malformed("this parameter may come only once", field=safe_text(name[:40], ""))
        else:
            values[name] = text
    return fitted(values, kind, is_text=True)


def moment(text: str, parameter: str) -> Instant:
    """The instant that a parameter names. A blank before the offset is a `+` that a client forgot to escape.

    Raises:
        Invalid: it names none.
    """
    return instant(text.replace(" ", "+"), parameter)


def cursor_of(after: str | None) -> str | None:
    """Where to go on, in a form that callers do not take apart."""
    return None if after is None else base64.urlsafe_b64encode(after.encode()).rstrip(b"=").decode()


def after_of(cursor: str, form: re.Pattern[str]) -> str | None:
    """Where a cursor says to go on; None for no cursor.

    Raises:
        Invalid: it is none of ours.
    """
    if not cursor:
        return None
    after = _decoded(cursor) if _CURSOR.match(cursor) else ""
    if not form.fullmatch(after):
        raise Invalid("this is not a cursor of ours: use nextCursor as it came, or start again", field="cursor")
    return after


def _decoded(cursor: str) -> str:
    """What a cursor says; empty when it says nothing."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        return ""


@cache
def _empty(kind: Any) -> Any:
    """The query without parameters; it is frozen, so it can be shared."""
    return fitted({}, kind, is_text=True)


def _pairs(query: str) -> list[tuple[str, str]]:
    if len(query) > MAX_BYTES or not query.isascii() or _BAD_ESCAPE.search(query):
        raise Malformed(f"the query must be percent-encoded ASCII of at most {MAX_BYTES} bytes")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Malformed(f"the query is not UTF-8, or has more than {MAX_FIELDS} parameters") from None
    return [(name, safe_text(text, name[:40])) for name, text in pairs]
