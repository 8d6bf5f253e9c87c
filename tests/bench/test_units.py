"""What a booking costs on DynamoDB, metered on real calls; the emulator must agree on every write."""

import pytest

from bench.aws.units import BOOK, LIFE, REFUSED, SLOTS, Line, measure
from tests.aws.emulator import emulating


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Line]:
    with emulating(tmp_path_factory.mktemp("units")) as emulator:
        return {line.name: line for line in measure(emulator)}


pytestmark = pytest.mark.slow


def test_a_booking_of_one_resource_costs_six_write_units(lines: dict[str, Line]) -> None:
    ours = lines[BOOK].ours

    assert (ours.table, ours.indexes) == (4, 2)


def test_a_refusal_writes_nothing(lines: dict[str, Line]) -> None:
    assert lines[REFUSED].ours.writes == 0


def test_a_week_of_slots_costs_a_read_for_the_sheets_and_six_for_the_rest(lines: dict[str, Line]) -> None:
    assert lines[SLOTS].ours.reads == 7


def test_the_emulator_agrees_on_every_write(lines: dict[str, Line]) -> None:
    assert [name for name, line in lines.items() if line.ours.writes and "writes" not in line.agrees] == []


def test_a_whole_life_costs_no_more_than_it_did(lines: dict[str, Line]) -> None:
    assert sum(lines[name].ours.writes for name in LIFE) <= 54
