"""A power cut loses nothing that was acknowledged and leaves nothing half done; builds that are broken are caught."""

import random

import pytest

from bench.proof import power
from bench.proof.crashing import broken
from bench.proof.crashing.works import Doctor
from bench.proof.power import Found, Left, Normal, OneByOne, Trial

pytestmark = pytest.mark.slow

CUTS, BROKEN_CUTS = 120, 80


@pytest.fixture(scope="module")
def doctor() -> Doctor:
    return Doctor()


@pytest.fixture(scope="module")
def booked(doctor: Doctor) -> tuple[Found, list[Left]]:
    return power.booked(random.Random(power.SEED), doctor, CUTS)


@pytest.fixture(scope="module")
def left(booked: tuple[Found, list[Left]]) -> list[Left]:
    return booked[1]


def test_no_cut_loses_what_was_acknowledged_nor_halves_nor_damages_anything(booked: tuple[Found, list[Left]]) -> None:
    found, _ = booked

    assert found.cuts == CUTS
    assert found.checkpoints > 0, "no cut fell into a checkpoint"
    assert found.is_whole, str(found)


def test_a_store_that_does_not_wait_for_the_disk_loses_what_it_acknowledged(left: list[Left], doctor: Doctor) -> None:
    found = power.cut_again(left, doctor, BROKEN_CUTS, Normal)

    assert found.lost > 0
    assert (found.half, found.damaged) == (0, 0)


def test_a_store_that_writes_one_document_after_the_other_leaves_half_a_change(
    left: list[Left], doctor: Doctor
) -> None:
    assert not power.cut_again(left, doctor, BROKEN_CUTS, OneByOne).is_whole


def test_no_store_is_safe_on_a_disk_that_lies(left: list[Left], doctor: Doctor) -> None:
    found = power.cut_again(left, doctor, BROKEN_CUTS, is_lying=True)

    assert found.lost > 0
    assert found.damaged > 0


@pytest.mark.parametrize(("name", "trial", "breaking"), power.TRIALS, ids=[name for name, _, _ in power.TRIALS])
def test_whatever_is_done_to_the_file_is_done_or_not(
    name: str, trial: Trial, breaking: str, left: list[Left], doctor: Doctor
) -> None:
    found = trial(left, doctor, BROKEN_CUTS // 2)
    with broken.build(breaking):
        caught = trial(left, doctor, BROKEN_CUTS)

    assert found.is_whole, f"{name}: {found}"
    assert not caught.is_whole, f"{name}: a build that {breaking} was not caught"
