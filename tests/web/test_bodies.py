"""Input that two readers could take in two ways, or that could harm one, is refused, and nothing is written."""

import json
import unicodedata
from typing import Any

import pytest

from slotkeeper.core.errors import Invalid
from slotkeeper.web.bodies import MAX_BYTES, MAX_DEPTH, Malformed, parse, safe_text
from tests.web.asking import TUESDAY, Asker, a_web

BOOKING: dict[str, Any] = {"customerId": "ada", "startTime": TUESDAY, "endTime": "2026-11-24T09:30:00Z"}


def booking(**others: Any) -> bytes:
    return json.dumps(BOOKING | others).encode()


def with_details(details: str) -> bytes:
    return booking().removesuffix(b"}") + b', "details": ' + details.encode() + b"}"


def with_text(text: str) -> bytes:
    return with_details('{"note": "' + text + '"}')


NOT_JSON = {
    "empty": b" ",
    "half an object": b'{"startTime": ',
    "single quotes": b"{'startTime': 1}",
    "a trailing comma": b'{"startTime": "x",}',
    "a comment": b'{"startTime": "x" /* y */}',
    "two values": booking() + booking(),
    "a byte order mark": b"\xef\xbb\xbf" + booking(),
    "latin-1": b'{"customerId": "\xe9"}',
    "utf-16": booking().decode().encode("utf-16"),
    "an overlong encoding": b'{"customerId": "\xc0\xaf"}',
    "a surrogate as bytes": b'{"customerId": "\xed\xa0\x80"}',
    "NaN": with_details('{"x": NaN}'),
    "Infinity": with_details('{"x": Infinity}'),
    "minus Infinity": with_details('{"x": -Infinity}'),
    "a number that overflows": with_details('{"x": 1e999}'),
    "a huge integer": with_details('{"x": ' + "9" * 5000 + "}"),
    "an integer beyond 2**53": with_details('{"x": 9007199254740993}'),
    "a key twice": booking().removesuffix(b"}") + b', "customerId": "eve"}',
    "a key twice, deep": with_details('{"a": [{"b": 1, "b": 2}]}'),
    "a key twice, escaped": with_details('{"ab": 1, "a\\u0062": 2}'),
    "a key twice after NFC": with_details('{"\\u00e9": 1, "e\\u0301": 2}'),
    "deep arrays": with_details('{"x": ' + "[" * 10_000 + "]" * 10_000 + "}"),
    "deep objects": with_details('{"x":' * 5_000 + "1" + "}" * 5_000),
    "just too deep": with_details('{"x": ' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}"),
    "a lone high surrogate": with_text("\\ud800"),
    "a lone low surrogate": with_text("\\udfff x"),
    "a bidi override": with_text("\\u202e"),
    "a bidi override, raw": with_text("\u202e"),
    "a bidi isolate": with_text("\\u2066"),
    "NUL": with_text("\\u0000"),
    "a raw newline": with_text("\n"),
    "a carriage return": with_text("\\r\\nBcc: eve@example.com"),
    "escape": with_text("\\u001b[2J"),
    "DEL": with_text("\x7f"),
    "a C1 control": with_text("\u0085"),
    "a noncharacter": with_text("\\uffff"),
    "a line break in a name": booking(customer={"name": "Ada\nBcc: eve@example.com"}),
    "a line break in an id": booking(customerId="ada\n"),
    "a tab in a name": booking(customer={"name": "Ada\t"}),
    "a control character in a key": with_details('{"\\u0007": 1}'),
}

DOES_NOT_FIT = {
    "null": b"null",
    "a list": b"[]",
    "a text": b'"startTime"',
    "a number": b"17",
    "nothing in it": b"{}",
    "an unknown field": booking(status="completed"),
    "an unknown field, deep": booking(customer={"name": "Ada", "isAdmin": True}),
    "a field of the server's": booking(id="apt_1"),
    "the business": booking(business="other"),
    "a number for a time": booking(startTime=1_764_000_000),
    "null for a time": booking(startTime=None),
    "no start": json.dumps({"customerId": "ada", "endTime": TUESDAY}).encode(),
    "no end": json.dumps({"customerId": "ada", "startTime": TUESDAY}).encode(),
    "a naive time": booking(startTime="2026-11-24T09:00:00"),
    "a date": booking(startTime="2026-11-24"),
    "a blank for the T": booking(startTime="2026-11-24 09:00:00Z"),
    "a blank for the plus": booking(startTime="2026-11-24T09:00:00 01:00"),
    "a week date": booking(startTime="2026-W48-2T09:00:00Z"),
    "the end of time": booking(startTime="9999-12-31T23:59:59-01:00"),
    "the year 0": booking(startTime="0000-01-01T00:00:00Z"),
    "the 31st of February": booking(startTime="2026-02-31T09:00:00Z"),
    "hour 24": booking(startTime="2026-11-24T24:00:00Z"),
    "a leap second": booking(startTime="2026-06-30T23:59:60Z"),
    "digits of another script": booking(startTime="٢٠٢٦-11-24T09:00:00Z"),
    "a long text for a time": booking(startTime="2" * 5000),
    "end before start": booking(endTime="2026-11-24T08:30:00Z"),
    "end at start": booking(endTime=TUESDAY),
    "ten years": booking(endTime="2036-11-24T09:00:00Z"),
    "an id with a slash": booking(customerId="../other"),
    "an empty id": booking(customerId=""),
    "a long id": booking(customerId="a" * 129),
    "a number for an id": booking(customerId=17),
    "two customers": booking(userId="eve"),
    "a list for details": with_details("[]"),
    "a text for details": with_details('"x"'),
    "large details": with_details('{"x": "' + "y" * 9000 + '"}'),
    "many resources": booking(resourceIds=[f"r{n}" for n in range(50)]),
    "a resource twice": booking(resourceIds=["d0", "d0"]),
    "an empty override": booking(override={"reason": ""}),
    "a bad mail address": booking(customer={"email": "ada"}),
    "two mail addresses": booking(customer={"email": "a@example.com,b@example.com"}),
    "a name for a mail address": booking(customer={"email": "Ada <ada@example.com>"}),
    "a folder for a zone": booking(customer={"zone": "Europe"}),
    "a path for a zone": booking(customer={"zone": "../../etc/passwd"}),
    "the machine's zone": booking(customer={"zone": "localtime"}),
    "a posix zone": booking(customer={"zone": "posix/Europe/Berlin"}),
    "a zone of 5,000 characters": booking(customer={"zone": "A" * 5000}),
    "a zone with NUL after escape": booking(customer={"zone": "Europe/Berlin "}),
    "a long name": booking(customer={"name": "A" * 201}),
}


@pytest.fixture(scope="module")
def asker() -> Asker:
    return a_web()


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_refused(asker: Asker, body: bytes) -> None:
    before = asker.dump()

    reply = asker.post("/appointments", raw=body)

    assert (reply.status, reply.code) == (400, "malformed")
    assert asker.dump() == before


@pytest.mark.parametrize("body", DOES_NOT_FIT.values(), ids=DOES_NOT_FIT)
def test_what_does_not_fit_is_refused(asker: Asker, body: bytes) -> None:
    before = asker.dump()

    reply = asker.post("/appointments", raw=body)

    assert (reply.status, reply.code) == (422, "invalid")
    assert len(reply.json["detail"]) < 600
    assert asker.dump() == before


def test_a_body_of_ten_megabytes_is_refused(asker: Asker) -> None:
    before = asker.dump()

    reply = asker.post("/appointments", raw=b'{"x": "' + b"y" * 10_000_000 + b'"}')

    assert (reply.status, reply.code) == (413, "too-large")
    assert str(MAX_BYTES) in reply.json["detail"]
    assert asker.dump() == before


@pytest.mark.parametrize(
    "media",
    ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "json"],
)
def test_only_json_is_taken(asker: Asker, media: str) -> None:
    reply = asker.post("/appointments", raw=booking(), headers={"content-type": media})

    assert (reply.status, reply.code) == (415, "wrong-media")


@pytest.mark.parametrize(
    "media", ["application/json", "Application/JSON; charset=UTF-8", "application/vnd.example+json"]
)
def test_json_is_taken_by_any_of_its_names(media: str) -> None:
    assert a_web().post("/appointments", raw=booking(), headers={"content-type": media}).status == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (booking(startTime=3), "startTime"),
        (booking(startTime="x"), "startTime"),
        (json.dumps({"customerId": "ada"}).encode(), "startTime"),
        (booking(resourceIds=["d0", 7]), "resourceIds[1]"),
        (booking(customer={"name": 1}), "customer.name"),
        (booking(customer={"age": 1}), "customer.age"),
        (booking(color="red"), "color"),
        (with_details('{"a": [0, {"b": "\\u202e"}]}'), "details.a[1].b"),
    ],
)
def test_the_complaint_names_the_field(asker: Asker, body: bytes, field: str) -> None:
    reply = asker.post("/appointments", raw=body)

    assert reply.json["field"] == field
    assert reply.json["detail"].startswith(field)


def test_texts_are_stored_in_one_form() -> None:
    asker = a_web()

    reply = asker.post("/appointments", raw=booking(details={"note": "Cafe\u0301", "lines": "a\n\tb"}))

    details = reply.json["appointment"]["details"]
    assert details["note"] == unicodedata.normalize("NFC", "Café")
    assert details["lines"] == "a\n\tb"


@pytest.mark.parametrize("text", ["Zoë", "山田太郎", "Łukasz 🎉", "שלום", "مرحبا", "👩‍👩‍👧"])
def test_names_of_all_scripts_are_welcome(text: str) -> None:
    reply = a_web().post("/appointments", {**BOOKING, "customer": {"name": text}})

    assert reply.json["appointment"]["customer"]["name"] == text


def test_details_go_as_deep_as_is_allowed() -> None:
    levels = MAX_DEPTH - 2
    assert parse(with_details('{"x": ' + "[" * levels + "]" * levels + "}"))


@pytest.mark.parametrize("text", ["0", "-0", "1.5", "-9007199254740991", "9007199254740991", "1e3"])
def test_numbers_in_range_pass(text: str) -> None:
    assert parse(f'{{"x": {text}}}'.encode()) == {"x": json.loads(text)}


def test_a_complaint_about_a_key_never_grows_with_the_key() -> None:
    with pytest.raises(Malformed) as caught:
        parse(('{"' + "k" * 5000 + '": 1, "' + "k" * 5000 + '": 2}').encode())

    assert len(str(caught.value)) < 200


def test_an_emoji_is_no_lone_surrogate() -> None:
    assert parse(b'{"x": "\\ud83d\\ude00"}') == {"x": "\U0001f600"}


def test_only_texts_take_line_breaks() -> None:
    assert safe_text("a\nb", "notes", is_multi_line=True) == "a\nb"
    with pytest.raises(Invalid):
        safe_text("a\nb", "name")
