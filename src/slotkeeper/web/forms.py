"""Reading what HTML forms send, as strictly as JSON bodies are read."""

import re
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from slotkeeper.web.bodies import MAX_BYTES, Malformed, TooLarge, WrongMedia, fitted
from slotkeeper.web.http import Request

T = TypeVar("T", bound=msgspec.Struct)

MEDIA = "application/x-www-form-urlencoded"
MAX_FIELDS = 20


class MemberForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of what pages for members send: `csrf` shows that the form was one of ours."""

    csrf: str = ""


_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_form(request: Request, kind: type[T], max_bytes: int = MAX_BYTES) -> T:
    """The form as a value, its texts as they were typed: line breaks are `\\n`, and nothing else is changed.

    Which characters may stand in them is for the reader to judge, who can show the form again with what was typed.

    Raises:
        TooLarge: it has too many bytes. WrongMedia: it is not said to be a form.
        Malformed: it cannot be read, or has a field twice. Invalid: it has a field that `kind` has not.
    """
    if len(request.body) > max_bytes:
        raise TooLarge(max_bytes)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA:
        raise WrongMedia(f"send the form as {MEDIA}")
    values: dict[str, str] = {}
    for name, text in _pairs(request.body):
        if name in values:
            raise Malformed("this field may come only once", field=repr(name[:40])[1:-1])
        # HTML, "constructing the entry list": every line break of a form is sent as CR LF.
        values[name] = text.replace("\r\n", "\n")
    return fitted(values, kind)


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        if _BAD_ESCAPE.search(text):
            raise Malformed("a % in the form must begin an escape such as %20")
        return parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Malformed(f"the form is not percent-encoded UTF-8 of at most {MAX_FIELDS} fields") from None
