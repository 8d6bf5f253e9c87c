"""Reading JSON bodies strictly: whatever two readers could take in two ways, or could harm one, is refused.

A body that is no JSON is `Malformed`, one that says something that we cannot use is `Invalid`; both say where and
what to do.
"""

import json
import math
import re
import unicodedata
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

import msgspec

from slotkeeper.core.errors import Invalid, SlotkeeperError
from slotkeeper.core.ticks import Instant, parse_instant
from slotkeeper.web.http import Request

T = TypeVar("T")

MAX_BYTES = 65_536
MAX_DEPTH = 16
MAX_DETAILS_BYTES = 8_192
MAX_INTEGER = 2**53 - 1  # RFC 7493 2.2: what every reader of JSON can hold exactly

MULTI_LINE = frozenset({"description", "location", "notes", "reason", "text", "html", "details"})
"""The fields whose text may have line breaks and tabs; so may all that stands within them."""

_SHOWN = 40
_JSON_TYPE = re.compile(
    r"application/(?:[a-z0-9!#$&^_.-]+\+)?json\s*(?:;\s*charset=(?:utf-8|\"utf-8\")\s*)?", re.IGNORECASE
)
# C0, DEL and C1 controls but \n and \t; bidi overrides and isolates (Trojan Source); lone surrogates; noncharacters.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff\ufeff\ufdd0-\ufdef\ufffe\uffff]"
)
_LINES = re.compile("[\n\t]")


class Malformed(Invalid):
    """The body or the query cannot be read at all."""


class TooLarge(SlotkeeperError):
    """The body is larger than we take."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes: send less at a time")
        self.limit = limit


class WrongMedia(SlotkeeperError):
    """The body is not said to be JSON."""


def read_body(request: Request, kind: type[T], max_bytes: int = MAX_BYTES) -> T:
    """The request's body as a value.

    Raises:
        TooLarge: it has too many bytes. WrongMedia: it is not said to be JSON.
        Malformed: it is not JSON that every reader takes alike. Invalid: it does not fit `kind`.
    """
    if len(request.body) > max_bytes:
        raise TooLarge(max_bytes)
    if not _is_json(request.headers.get("content-type", "")):
        raise WrongMedia("send the body as JSON, with the header Content-Type: application/json")
    return fitted(parse(request.body), kind)


def parse(body: bytes) -> Any:
    """The JSON value that the body holds, its texts in NFC.

    Raises:
        Malformed: it is none, or has a key twice, a number out of range, an unsafe text or too many levels.
    """
    try:
        text = body.decode("utf-8")
        value = _decoder.decode(text)
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise Malformed(_TOO_DEEP) from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise Malformed(_TOO_DEEP)
    # ASCII without escapes is in NFC, and the decoder has let no control character through but DEL.
    if text.isascii() and "\\" not in text and "\x7f" not in text:
        return value
    return _safe(value, "", is_multi_line=False)


def fitted(value: Any, kind: type[T], *, is_text: bool = False) -> T:
    """The value as a `kind`; with `is_text` its numbers and booleans may be texts, as in a query.

    Raises:
        Invalid: it does not fit; the field names the first place that does not.
    """
    try:
        return msgspec.convert(value, kind, strict=not is_text)
    except msgspec.ValidationError as error:
        raise _complaint(str(error)) from None


def safe_text(text: str, field: str, *, is_multi_line: bool = False) -> str:
    """The text in NFC.

    Raises:
        Malformed: it holds what could mislead a reader or a terminal.
    """
    if text.isascii() and text.isprintable():
        return text
    found = _UNSAFE.search(text) or (None if is_multi_line else _LINES.search(text))
    if found:
        raise Malformed(
            f"the character U+{ord(found[0]):04X} is not allowed here: leave out control characters, bidi controls "
            "and lone surrogates",
            field=field,
        )
    return unicodedata.normalize("NFC", text)


def without_unsafe(text: str, *, is_multi_line: bool = False) -> str:
    """The text in NFC without what `safe_text` would refuse; where it may have one line only, breaks become blanks."""
    text = _UNSAFE.sub("", text)
    return unicodedata.normalize("NFC", text if is_multi_line else _LINES.sub(" ", text))


def instant(text: str, field: str) -> Instant:
    """The instant that a field names. Raises `Invalid` when it names none."""
    try:
        return parse_instant(text)
    except Invalid as error:
        raise error.within(field) from None


def bounded(details: dict[str, Any]) -> dict[str, Any]:
    """The details, if they are not too large. Raises `Invalid` otherwise."""
    if len(msgspec.json.encode(details)) > MAX_DETAILS_BYTES:
        raise Invalid(f"details may have at most {MAX_DETAILS_BYTES} bytes as JSON", field="details")
    return details


_TOO_DEEP = f"the body is nested deeper than {MAX_DEPTH} levels"


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    return _JSON_TYPE.fullmatch(content_type.strip()) is not None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value] # add returns None
        raise Malformed(f"the key {_shown(twice)} stands twice in one object: send it once")
    return members


def _integer(digits: str) -> int:
    if len(digits) > len(str(MAX_INTEGER)) + 1 or abs(int(digits)) > MAX_INTEGER:
        raise Malformed(f"the number {_shown(digits)} is out of range: integers go to +-{MAX_INTEGER}")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Malformed(f"the number {_shown(digits)} is out of range")
    return number


def _no_number(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON: send null or leave it out")


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_fraction, parse_constant=_no_number
)


def _depth(value: Any) -> int:
    """How many levels of arrays and objects there are; level by level, so that no depth exhausts the stack."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, (dict, list))]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _safe(value: Any, path: str, *, is_multi_line: bool) -> Any:
    """The value with its texts in NFC and found safe."""
    if isinstance(value, str):
        return safe_text(value, path, is_multi_line=is_multi_line)
    if isinstance(value, list):
        return [_safe(each, f"{path}[{at}]", is_multi_line=is_multi_line) for at, each in enumerate(value)]
    if isinstance(value, dict):
        return _unique([_safe_member(*member, path, is_multi_line=is_multi_line) for member in value.items()])
    return value


def _safe_member(name: str, value: Any, path: str, *, is_multi_line: bool) -> tuple[str, Any]:
    name = safe_text(name, path)
    within = f"{path}.{name}" if path else name
    return name, _safe(value, within, is_multi_line=is_multi_line or name in MULTI_LINE)


def _complaint(message: str) -> Invalid:
    """msgspec's complaint in our words: `Expected ... - at `$.needs[0].count`` names the place at its end."""
    said, _, place = message.partition(" - at `")
    field = place.removesuffix("`").removeprefix("key in ").removeprefix("$").removeprefix(".")
    if missing := re.fullmatch(r"Object missing required field `(.+)`", said):
        return Invalid("this field is needed", field=_join(field, missing[1]))
    if unknown := re.fullmatch(r"Object contains unknown field `(.+)`", said, re.DOTALL):
        name = unknown[1] if len(unknown[1]) <= _SHOWN else unknown[1][:_SHOWN] + "..."
        return Invalid("there is no such field: leave it out", field=_join(field, name))
    return Invalid(said[:1].lower() + said[1:500].replace("`", ""), field=field)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
