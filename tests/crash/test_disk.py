"""The disk that loses power: what is synced stays, what is not may go in every way that a disk knows."""

import random

from bench.proof.crashing.disk import SECTOR, Disk, Image

OLD, NEW = b"o" * 4 * SECTOR, b"n" * 4 * SECTOR


def found(disk: Disk, times: int = 300) -> list[Image]:
    return [disk.after_cut(random.Random(seed)) for seed in range(times)]


def a_disk_being_written(*, is_lying: bool = False) -> Disk:
    disk = Disk.holding({"a": OLD}, is_lying=is_lying)
    disk.write("a", 0, NEW)
    return disk


def test_what_is_synced_survives_every_cut() -> None:
    disk = a_disk_being_written()
    disk.sync("a")

    assert all(image == {"a": NEW} for image in found(disk))


def test_what_is_not_synced_is_kept_lost_and_torn_at_sectors() -> None:
    seen = {image["a"] for image in found(a_disk_being_written())}

    assert {OLD, NEW} < seen
    assert NEW[:SECTOR] + OLD[SECTOR:] in seen
    assert OLD[:SECTOR] + NEW[SECTOR:] in seen


def test_a_disk_that_lies_may_lose_what_it_has_synced() -> None:
    disk = a_disk_being_written(is_lying=True)
    disk.sync("a")

    assert {"a": OLD} in found(disk)


def test_later_writes_may_survive_earlier_ones() -> None:
    disk = Disk.holding({"a": OLD, "b": OLD})
    disk.write("a", 0, NEW)
    disk.write("b", 0, NEW)

    assert {"a": OLD, "b": NEW} in found(disk)


def test_what_lies_beside_a_write_is_never_touched() -> None:
    disk = Disk.holding({"a": OLD})
    disk.write("a", 100, b"n" * SECTOR)

    for image in found(disk):
        assert image["a"][:100] + image["a"][100 + SECTOR :] == OLD[SECTOR:]


def test_a_hole_that_was_never_written_is_zeros() -> None:
    disk = Disk.holding({"a": b""})
    disk.write("a", 0, NEW)
    disk.write("a", len(NEW), NEW)

    assert {"a": bytes(len(NEW)) + NEW} in found(disk)


def test_a_synced_file_has_no_name_before_its_folder_is_synced() -> None:
    disk = Disk.holding({})
    disk.create("a")
    disk.write("a", 0, NEW)
    disk.sync("a")
    before = found(disk)
    disk.sync_folder()

    assert {} in before
    assert all(image == {"a": NEW} for image in found(disk))


def test_a_rename_comes_back_until_the_folder_is_synced() -> None:
    disk = Disk.holding({"a": OLD, "b": NEW})
    disk.rename("b", "a")
    before = found(disk)
    disk.sync_folder()

    assert {"a": OLD, "b": NEW} in before
    assert {"a": NEW} in before
    assert all(image == {"a": NEW} for image in found(disk))


def test_a_file_that_was_made_shorter_may_be_as_long_as_ever() -> None:
    disk = Disk.holding({"a": OLD})
    disk.truncate("a", SECTOR)
    before = {image["a"] for image in found(disk)}
    disk.sync("a")

    assert before == {OLD, OLD[:SECTOR]}
    assert all(image == {"a": OLD[:SECTOR]} for image in found(disk))
