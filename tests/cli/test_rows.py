"""Appointments as rows: what is guarded is unguarded again, and what cannot be a row is refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.cli.rows import (
    COLUMNS,
    cells_of,
    check_columns,
    guarded,
    row_from_cells,
    row_from_json,
    row_of,
    unguarded,
)
from slotkeeper.core.errors import Invalid
from tests.builders import a_clinic, contact


@pytest.mark.parametrize("cell", ["=1+1", "+49 30", "-1", "@x", "\tx", "\rx", "\nx", "'=1", "''@"])
def test_a_cell_that_could_be_a_formula_gets_a_quote(cell: str) -> None:
    assert guarded(cell) == "'" + cell
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["", "x", "1-1", "'", "'x", "O'Hara", "a=b"])
def test_any_other_cell_stays_as_it_is(cell: str) -> None:
    assert guarded(cell) == cell
    assert unguarded(cell) == cell


@given(st.text())
def test_what_is_guarded_comes_back_and_never_begins_like_a_formula(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_an_appointment_reads_back_as_what_was_booked() -> None:
    clinic = a_clinic()
    who = contact("=cmd|' /C calc'!A0", phone="+49 30 1", language="de", zone="Europe/Berlin")
    made = clinic.book("2026-11-24T08:00:00Z", "exam", contact=who, details={"description": "a\nb", "n": [1]})

    from_json = row_from_json(msgspec.json.encode(row_of(made)))
    from_cells = row_from_cells(list(COLUMNS), cells_of(made))

    for row in (from_json, from_cells):
        assert (row.id, row.status, row.start_time) == (made.id, "booked", "2026-11-24T08:00:00Z")
        assert (row.resource_ids, row.customer, row.details) == (made.resource_ids, who, made.details)


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ("[]", "", "object"),
        ("{", "", "the line is not JSON"),
        ("[" * 100_000, "", "nested deeper"),
        ('{"startTime": NaN}', "", "NaN is not JSON"),
        ("{}", "startTime", "needed"),
        ('{"startTime": 5}', "startTime", "expected"),
        ('{"startTime": "x", "colour": 1}', "colour", "no such field"),
        ('{"startTime": "x", "startTime": "y"}', "", "stands twice"),
        ('{"startTime": "x", "serviceId": "a b"}', "serviceId", ""),
        ('{"startTime": "x", "status": "gone"}', "status", ""),
        ('{"startTime": "x", "customer": {"email": "nobody"}}', "customer.email", "mail address"),
        ('{"startTime": "x", "customer": {"name": "\\u001b[2J"}}', "customer.name", "U+001B"),
        ('{"startTime": "x", "customerId": "a", "userId": "b"}', "userId", "another name"),
        ('{"startTime": "x", "details": {"a": "' + "x" * 9000 + '"}}', "details", "at most"),
        ('{"startTime": "x", "customer": {"zone": "Mars/Olympus"}}', "customer.zone", "time zone"),
    ],
)
def test_a_line_that_is_no_row_is_refused_with_the_field(line: str, field: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        row_from_json(line.encode())

    assert caught.value.field == field
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"startTime": "x", "details": "[1]"}, "details", "JSON object"),
        ({"startTime": "x", "details": "{"}, "details", "the cell is not JSON"),
        ({"startTime": "x", "customerName": "a\x1bb"}, "customerName", "U+001B"),
        ({"startTime": "x", "status": "gone"}, "status", ""),
        ({"startTime": ""}, "startTime", "needed"),
    ],
)
def test_cells_that_are_no_row_are_refused_with_the_field(given: dict[str, str], field: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        row_from_cells(list(given), list(given.values()))

    assert caught.value.field == field
    assert said in caught.value.message


def test_there_must_be_a_cell_under_each_column() -> None:
    with pytest.raises(Invalid, match="1 cells under 2 columns"):
        row_from_cells(["startTime", "id"], ["x"])


@pytest.mark.parametrize("separated", ["a b", "a;b", "a, b", "a|b"])
def test_several_resources_stand_in_one_cell(separated: str) -> None:
    row = row_from_cells(["startTime", "resourceIds", "description"], ["x", separated, "Knee"])

    assert row.resource_ids == ("a", "b")
    assert row.details == {"description": "Knee"}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["startTime", "color"], "there is no column 'color'"),
        (["id"], "among them startTime"),
        (["startTime", "startTime"], "named twice"),
    ],
)
def test_a_head_that_we_do_not_understand_is_refused(columns: list[str], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        check_columns(columns)


def test_every_column_that_is_written_can_be_read() -> None:
    check_columns(list(COLUMNS))
    values: dict[str, Any] = dict.fromkeys(COLUMNS, "")

    assert row_from_cells(list(COLUMNS), list((values | {"startTime": "x"}).values())).start_time == "x"
