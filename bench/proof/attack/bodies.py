"""JSON bodies as no serializer writes them: good ones in which something is out of place."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench.proof.attack.corpus import (
    ADDRESSES,
    CLOCKS,
    CURSORS,
    DATES,
    FRAGMENTS,
    IDS,
    LANGUAGES,
    MAILS,
    MARKUP,
    NUMBERS,
    STRANGE,
    TEXTS,
    TIMES,
    UNSAFE,
    ZONES,
)

APT: dict[str, Sequence[str]] = {
    "zone": ZONES, "language": LANGUAGES, "lang": LANGUAGES, "email": MAILS, "url": ADDRESSES, "cursor": CURSORS,
    "after": CURSORS, "startTime": TIMES, "endTime": TIMES, "from": (*TIMES, *CLOCKS, *DATES),
    "to": (*TIMES, *CLOCKS, *DATES),
    "start": TIMES, "end": TIMES, "date": DATES, "day": DATES, "time": CLOCKS, "quietFrom": CLOCKS, "quietTo": CLOCKS,
    "next": (*ADDRESSES, "//evil.example", "/\\evil.example", "/staff/clinic/../../x"),
}  # fmt: skip
"""The hostile texts that are made for some fields."""


class Raw(str):
    """What stands in the body as it is."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object whose keys may come more than once."""


Place = tuple[Any, Any]
"""A container, and the key or index of one of its values."""


def hostile_text(chance: random.Random, name: str) -> str:
    """A hostile text for a field of that name."""
    if name in APT and chance.random() < 0.6:
        return chance.choice(APT[name])
    return chance.choice(chance.choice((MARKUP, UNSAFE, STRANGE, STRANGE, IDS, TIMES)))


def mutated(chance: random.Random, value: Any) -> bytes:
    """The value as a body in which one to three things are out of place."""
    value = _copied(value)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(value))
        if not places:
            return written(Raw(chance.choice(FRAGMENTS))).encode("utf-8", "surrogatepass")
        chance.choice(_CHANGES)(chance, *chance.choice(places))
    return written(value).encode("utf-8", "surrogatepass")


def garbled(chance: random.Random, body: bytes) -> bytes:
    """The body as bytes that are no JSON, or JSON that few would read."""
    text = body.decode("utf-8", "replace")
    return chance.choice(
        (
            lambda: b"",
            lambda: b"\xef\xbb\xbf" + body,
            lambda: text.encode("utf-16"),
            lambda: text.encode("utf-32-be"),
            lambda: body[: chance.randrange(len(body) + 1)],
            lambda: body + chance.choice((b"}", b"\x00", b"{}", b"\n\n\n", b",", b"\xff", b"//")),
            lambda: _flipped(chance, body),
            lambda: body.replace(b'"', b"'"),
            lambda: body.replace(b":", b"=", 1),
            lambda: body[:-1] + b',"\xc3\x28":1}',
            lambda: body[:-1] + b',"a":"\xed\xa0\x80"}',
            lambda: body[:-1] + b',"a":"\xc0\x80\xf8\x88\x80\x80\x80"}',
            lambda: chance.choice(FRAGMENTS).encode("utf-8", "surrogatepass"),
            lambda: b'{"a":' * 5000 + b"1" + b"}" * 5000,
            lambda: b"[" * 60_000,
            lambda: b'{"details":"' + b"a" * 66_000 + b'"}',
            lambda: b" " * 65_000 + body,
            lambda: b"name=x&startTime=2026-12-01T09%3A00%3A00Z",
            lambda: b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n",
            lambda: bytes(chance.randrange(256) for _ in range(chance.randrange(1, 200))),
        )
    )()


def written(value: Any) -> str:
    """The value as JSON, with what is `Raw` as it is."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{_quoted(name)}:{written(each)}" for name, each in value) + "}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(name)}:{written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    # Half of what is strange goes as escapes, the other half as it is: they take different ways through a reader.
    return json.dumps(text, ensure_ascii=len(text) % 2 == 0)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return Pairs((name, _copied(each)) for name, each in value.items())
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _places(value: Any) -> Iterator[Place]:
    if not isinstance(value, list):
        return
    for at, each in enumerate(value):
        yield value, at
        yield from _places(each[1] if isinstance(value, Pairs) else each)


def _put(inside: Any, at: int, new: Any) -> None:
    inside[at] = (inside[at][0], new) if isinstance(inside, Pairs) else new


def _name(inside: Any, at: int) -> str:
    return inside[at][0] if isinstance(inside, Pairs) else ""


def _value(inside: Any, at: int) -> Any:
    return inside[at][1] if isinstance(inside, Pairs) else inside[at]


def _put_text(chance: random.Random, inside: Any, at: int) -> None:
    _put(inside, at, hostile_text(chance, _name(inside, at)))


def _put_fragment(chance: random.Random, inside: Any, at: int) -> None:
    _put(inside, at, Raw(chance.choice(chance.choice((FRAGMENTS, NUMBERS)))))


def _leave_out(chance: random.Random, inside: Any, at: int) -> None:
    del inside[at]


def _repeat(chance: random.Random, inside: Any, at: int) -> None:
    inside.insert(at, inside[at])


def _repeat_often(chance: random.Random, inside: Any, at: int) -> None:
    if isinstance(inside, Pairs):
        _put(inside, at, [_value(inside, at)] * chance.choice((2, 21, 1500)))
    else:
        inside.extend([inside[at]] * chance.choice((1, 20, 1500)))


def _rename(chance: random.Random, inside: Any, at: int) -> None:
    if isinstance(inside, Pairs):
        inside[at] = (chance.choice(TEXTS), inside[at][1])


def _add(chance: random.Random, inside: Any, at: int) -> None:
    if isinstance(inside, Pairs):
        name = chance.choice(("id", "business", "status", "version", "csrf", "by", chance.choice(TEXTS)))
        inside.append((name, chance.choice((1, "x", None, [], {}))))


def _wrap(chance: random.Random, inside: Any, at: int) -> None:
    value = _value(inside, at)
    for _ in range(chance.choice((1, 2, 15, 40))):
        value = [value] if chance.random() < 0.5 else Pairs([("a", value)])
    _put(inside, at, value)


_CHANGES: tuple[Callable[[random.Random, Any, int], None], ...] = (
    _put_text, _put_text, _put_text, _put_text, _put_fragment, _put_fragment, _put_fragment, _leave_out, _repeat,
    _repeat_often, _rename, _add, _wrap,
)  # fmt: skip


def _flipped(chance: random.Random, body: bytes) -> bytes:
    found = bytearray(body or b"{}")
    for _ in range(chance.choice((1, 2, 8))):
        found[chance.randrange(len(found))] = chance.randrange(256)
    return bytes(found)
