"""Reading files of any size line by line: a bad line is told of and passed over, whatever is wrong with it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

MAX_LINE_BYTES = 1_048_576
MAX_CELL = 262_144
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot even be read; `number` counts from 1."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, without its end."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record of a CSV file; `number` is that of the line on which it begins."""

    number: int
    cells: list[str]


@dataclass(slots=True)
class Source:
    """An open file, and how many of its bytes have been read."""

    file: BinaryIO
    bytes_read: int = 0
    _bad: list[BadLine] = field(default_factory=list)

    def lines(self) -> Iterator[Line | BadLine]:
        """Its lines, in constant memory."""
        number = 0
        while raw := self.file.readline(MAX_LINE_BYTES + 1):
            number += 1
            self.bytes_read += len(raw)
            if len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
                self._skip_rest()
                yield BadLine(number, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
                continue
            raw = raw.removeprefix(_BOM) if number == 1 else raw
            try:
                yield Line(number, raw.decode().rstrip("\r\n"))
            except UnicodeDecodeError as error:
                yield BadLine(number, f"the line is not UTF-8: byte 0x{raw[error.start]:02x} at {error.start + 1}")

    def records(self) -> Iterator[Record | BadLine]:
        """Its records as CSV (RFC 4180). A record that has a bad line in it is not given."""
        csv.field_size_limit(MAX_CELL)
        reader = csv.reader(self._texts(), strict=True)
        while True:
            first = reader.line_num + 1
            record: Record | BadLine | None = None
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                record = BadLine(first, f"this is not CSV: {error}")
            else:
                record = Record(first, cells) if cells else None
            yield from self._bad
            if record is not None and not self._bad:
                yield record
            self._bad.clear()
        yield from self._bad

    def _texts(self) -> Iterator[str]:
        """The lines for the CSV reader; a bad one is noted, and an empty one takes its place."""
        for line in self.lines():
            if isinstance(line, BadLine):
                self._bad.append(line)
                yield "\n"
            else:
                yield line.text + "\n"

    def _skip_rest(self) -> None:
        while (more := self.file.readline(MAX_LINE_BYTES)) and not more.endswith(b"\n"):
            self.bytes_read += len(more)
        self.bytes_read += len(more)
