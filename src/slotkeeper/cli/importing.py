"""Reading a file in: row by row through the desk, a batch at a time, in constant memory."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Literal

import msgspec

from slotkeeper.cli import copying
from slotkeeper.cli.history import Past, enter
from slotkeeper.cli.lines import BadLine, Record, Source
from slotkeeper.cli.rows import Row, check_columns, row_from_cells, row_from_json
from slotkeeper.cli.session import Office
from slotkeeper.cli.together import together
from slotkeeper.cli.walltime import read_time
from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Invalid, KeyReused, Missing, Refused
from slotkeeper.core.service import Service
from slotkeeper.core.ticks import Instant
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.orders import Order
from slotkeeper.documents import appointment_key, kind_key
from slotkeeper.ledger import Reading

BATCH = 200
PAUSE_SECONDS = 0.005
"""Between batches others may write: the server goes on serving."""

IMPORT = "import"
"""Who books what is read in: the same each time, so that the same id is the same request."""

Format = Literal["jsonl", "csv"]


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that was not taken, and why."""

    number: int
    reason: str
    code: str
    field: str = ""


@dataclass(slots=True)
class Tally:
    """What has become of the rows so far."""

    rows: int = 0
    entered: int = 0
    known: int = 0
    bad: int = 0
    codes: Counter[str] = field(default_factory=Counter)


Took = Literal["entered", "known"] | Bad
Entering = Callable[[], Took]
"""Enters one row; called within a batch."""


class Importer:
    """Reads one file into one business."""

    def __init__(self, office: Office, *, is_told: bool) -> None:
        """With `is_told` customers get the messages of a new booking; else only reminders still to come."""
        self._desk: Desk = office.desk
        self._actor = Actor(business=office.actor.business, id=IMPORT, scopes=office.actor.scopes)
        self._zone = office.zone
        self._is_told = is_told
        self._services: dict[str, Service | None] = {}

    def run(self, source: Source, kind: Format) -> Iterator[tuple[Tally, list[Bad]]]:
        """Read the file; after each batch that is durable come the tally so far and the batch's bad rows.

        Raises:
            Invalid: the head of a CSV file is none. Unreachable: the store failed; what was tallied is done, and
                reading the file again enters nothing twice.
        """
        tally = Tally()
        rows = self._from_json(source) if kind == "jsonl" else self._from_csv(source)
        while batch := list(islice(rows, BATCH)):
            with self._desk.store.batch():
                took = [enter_row() for enter_row in batch]
            yield tally, _counted(tally, took)
            time.sleep(PAUSE_SECONDS)

    def _from_json(self, source: Source) -> Iterator[Entering]:
        for line in source.lines():
            if isinstance(line, BadLine):
                yield _refusing(line)
            elif line.text.strip():
                yield partial(self._took, line.number, partial(self._enter_line, line.text))

    def _from_csv(self, source: Source) -> Iterator[Entering]:
        records = source.records()
        columns = _columns(records)
        for record in records:
            if isinstance(record, BadLine):
                yield _refusing(record)
            else:
                yield partial(self._took, record.number, partial(self._enter_cells, columns, record.cells))

    def _took(self, number: int, entering: Callable[[], bool]) -> Took:
        """Enter one row. What is wrong with the row is the row's; what is wrong with the store ends the import."""
        try:
            return "known" if entering() else "entered"
        except Invalid as error:
            return Bad(number, error.message, "invalid", error.field)
        except Missing as error:
            return Bad(number, f"there is no {error.kind} {error.id!r}", "missing")
        except KeyReused as error:
            return Bad(number, "a row with this id came before, with another content", error.code)
        except Refused as error:
            return Bad(number, error.message, error.code)

    def _enter_line(self, text: str) -> bool:
        """A line of a copy says its kind; any other is a row."""
        if _is_copied(text):
            return together(self._desk, lambda desk: copying.put(desk, self._actor, text))
        return self._enter(row_from_json(text.encode()))

    def _enter_cells(self, columns: list[str], cells: list[str]) -> bool:
        return self._enter(row_from_cells(columns, cells))

    def _enter(self, row: Row) -> bool:
        """Book the row; returns whether it was here already."""
        external = row.external_id or row.id
        if row.id and self._is_here(row.id):
            return True
        order = self._order(row, external)
        booked_at = self._booked_at(row, order)
        status = row.status
        if status is None and order.start <= self._desk.now():
            status = "booked"
        past = Past(booked_at=booked_at, status=status, is_told=self._is_told)
        return enter(self._desk, self._actor, order, past).is_repeat

    def _is_here(self, id: str) -> bool:
        """Whether the row is one of our own that was written out, and is read back."""
        key = appointment_key(self._actor.business, id)
        return bool(self._desk.store.read([key]))

    def _order(self, row: Row, external: str) -> Order:
        end = self._time(row.end_time, "endTime") if row.end_time else None
        return Order(
            start=self._time(row.start_time, "startTime"),
            end=end,
            service_id=row.service_id or "",
            resource_ids=row.resource_ids,
            customer_id=row.customer_id or row.user_id or "",
            contact=row.customer,
            details=row.details,
            request_key=external,
        )

    def _time(self, text: str, field: str) -> Instant:
        try:
            return read_time(text, self._zone)
        except Invalid as error:
            raise error.within(field) from None

    def _booked_at(self, row: Row, order: Order) -> Instant:
        """As of when the row is judged: when it was booked, if it says so; else now, or for what is past the latest
        time at which it could have been."""
        if row.created_time:
            return min(self._time(row.created_time, "createdTime"), self._desk.now())
        service = self._service(order.service_id) if order.service_id else None
        notice = service.notice_minutes * 60 if service else 0
        now = self._desk.now()
        return now if order.start > now else Instant(order.start - notice)

    def _service(self, id: str) -> Service | None:
        if id not in self._services:
            key = kind_key(self._actor.business, "service", id)
            if len(self._services) > 1000:
                self._services.clear()
            self._services[id] = Reading(self._desk.store).value(key, Service)
        return self._services[id]


class _Kind(msgspec.Struct):
    kind: str = ""


def _is_copied(text: str) -> bool:
    try:
        return bool(msgspec.json.decode(text, type=_Kind).kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False


def _refusing(line: BadLine) -> Entering:
    bad = Bad(line.number, line.reason, "unreadable")
    return lambda: bad


def _columns(records: Iterator[Record | BadLine]) -> list[str]:
    """The names in the first record. Raises `Invalid` when they are none of ours."""
    head = next(records, None)
    if not isinstance(head, Record):
        raise Invalid("the file has no first line that names the columns")
    columns = [name.strip() for name in head.cells]
    check_columns(columns)
    return columns


def _counted(tally: Tally, took: Iterable[Took]) -> list[Bad]:
    bad = []
    for each in took:
        tally.rows += 1
        if isinstance(each, Bad):
            bad.append(each)
            tally.bad += 1
            tally.codes[each.code] += 1
        elif each == "known":
            tally.known += 1
        else:
            tally.entered += 1
    return bad
