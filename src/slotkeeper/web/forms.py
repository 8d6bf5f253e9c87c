"""Reading what HTML forms send, as strictly as JSON bodies are read."""

import re
from collections.abc import Mapping
from typing import ClassVar, TypeVar
from urllib.parse import parse_qsl

import msgspec

from slotkeeper.web.bodies import MAX_BYTES, Malformed, TooLarge, WrongMedia, fitted
from slotkeeper.web.http import Request

T = TypeVar("T", bound=msgspec.Struct)

MEDIA = "application/x-www-form-urlencoded"
MAX_FIELDS = 20

Typed = Mapping[str, tuple[str, ...]]
"""What was typed, by the names of the fields; a field of check boxes, or one of several rows, has many texts."""


class MemberForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of what pages for members send: `csrf` shows that the form was one of ours."""

    csrf: str = ""


class DeclaredForm(MemberForm, frozen=True, kw_only=True):
    """A form whose fields its handler declares, and judges: see `staff.fields.read`."""

    MAX_FIELDS: ClassVar[int] = 2000

    typed: Typed = msgspec.field(default_factory=dict)


_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_form(request: Request, kind: type[T], max_bytes: int = MAX_BYTES) -> T:
    """The form as a value, its texts as they were typed: line breaks are `\\n`, and nothing else is changed.

    Which characters may stand in them is for the reader to judge, who can show the form again with what was typed. So
    is, for a `DeclaredForm`, which fields there may be, and how often each.

    Raises:
        TooLarge: it has too many bytes. WrongMedia: it is not said to be a form.
        Malformed: it cannot be read, or has a field twice. Invalid: it has a field that `kind` has not.
    """
    if len(request.body) > max_bytes:
        raise TooLarge(max_bytes)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA:
        raise WrongMedia(f"send the form as {MEDIA}")
    if issubclass(kind, DeclaredForm):
        typed = _by_name(_pairs(request.body, DeclaredForm.MAX_FIELDS))
        csrf = once(typed, "csrf")
        return fitted({"csrf": csrf, "typed": {name: typed[name] for name in typed if name != "csrf"}}, kind)
    typed = _by_name(_pairs(request.body, MAX_FIELDS))
    return fitted({name: once(typed, name) for name in typed}, kind)


def once(typed: Typed, name: str) -> str:
    """The text of a field that may come once; empty when it has not come. Raises `Malformed` when it came twice."""
    texts = typed.get(name, ("",))
    if len(texts) > 1:
        raise Malformed("this field may come only once", field=repr(name[:40])[1:-1])
    return texts[0]


def _by_name(pairs: list[tuple[str, str]]) -> Typed:
    typed: dict[str, list[str]] = {}
    for name, text in pairs:
        typed.setdefault(name, []).append(text)
    return {name: tuple(texts) for name, texts in typed.items()}


def _pairs(body: bytes, most: int) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        if _BAD_ESCAPE.search(text):
            raise Malformed("a % in the form must begin an escape such as %20")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=most)
    except ValueError:
        raise Malformed(f"the form is not percent-encoded UTF-8 of at most {most} fields") from None
    # HTML, "constructing the entry list": every line break of a form is sent as CR LF.
    return [(name, text.replace("\r\n", "\n")) for name, text in pairs]
