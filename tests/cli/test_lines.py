"""Reading files line by line, whatever is wrong with some of the lines."""

import io

import pytest

from slotkeeper.cli import lines
from slotkeeper.cli.lines import BadLine, Line, Record, Source


def lines_of(body: bytes) -> list[Line | BadLine]:
    return list(Source(io.BytesIO(body)).lines())


def records_of(body: bytes) -> list[Record | BadLine]:
    return list(Source(io.BytesIO(body)).records())


def test_lines_are_numbered_from_one_and_lose_their_ends() -> None:
    assert lines_of(b"\xef\xbb\xbfa\r\n\nb") == [Line(1, "a"), Line(2, ""), Line(3, "b")]


def test_a_line_that_is_no_utf_8_is_told_of_and_the_next_is_read() -> None:
    found = lines_of(b"a\nb\xe9\nc\n")

    assert found == [Line(1, "a"), BadLine(2, "the line is not UTF-8: byte 0xe9 at 2"), Line(3, "c")]


def test_a_line_that_is_too_long_is_passed_over_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)

    found = lines_of(b"a\n" + b"x" * 1000 + b"\nb\n" + b"y" * 10 + b"\nc")

    assert [each.number for each in found] == [1, 2, 3, 4, 5]
    assert isinstance(found[1], BadLine)
    assert "longer than 10 bytes" in found[1].reason
    assert found[2:] == [Line(3, "b"), Line(4, "y" * 10), Line(5, "c")]


def test_all_bytes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)
    body = b"a\n" + b"x" * 1000 + b"\n\xff\nb"
    source = Source(io.BytesIO(body))

    list(source.lines())

    assert source.bytes_read == len(body)


def test_a_record_has_the_number_of_its_first_line() -> None:
    assert records_of(b'a,b\n"x\ny",2\n\n3,4\n') == [
        Record(1, ["a", "b"]),
        Record(2, ["x\ny", "2"]),
        Record(5, ["3", "4"]),
    ]


def test_a_record_with_a_bad_line_in_it_is_not_given() -> None:
    found = records_of(b'a\n"x\n\xff\ny"\nb\n')

    assert [each for each in found if isinstance(each, Record)] == [Record(1, ["a"]), Record(5, ["b"])]
    assert [each.number for each in found if isinstance(each, BadLine)] == [3]


def test_text_after_a_closing_quote_is_no_csv() -> None:
    [first, bad, last] = records_of(b'a\n"x"y\nb\n')

    assert (first, last) == (Record(1, ["a"]), Record(3, ["b"]))
    assert isinstance(bad, BadLine)
    assert bad.number == 2


def test_a_quote_that_is_never_closed_costs_no_more_than_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_CELL", 100)

    found = records_of(b'a\n"x\n' + b"row\n" * 100)

    assert isinstance(found[1], BadLine)
    assert found[1].number == 2
    assert found[-1] == Record(102, ["row"])


def test_an_empty_file_has_no_lines() -> None:
    assert lines_of(b"") == records_of(b"") == []
