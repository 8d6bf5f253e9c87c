"""The size of a picture is read from its first bytes, whatever these are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.web.look.pictures import size_of

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (300).to_bytes(4, "big") + (100).to_bytes(4, "big")
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    b"\xff\xc4\x00\x04\0\0\xff\xc2\x00\x0b\x08" + (100).to_bytes(2, "big") + (300).to_bytes(2, "big") + b"\x01\x11\0"
)
VP8 = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + (300).to_bytes(2, "little") + (100).to_bytes(2, "little")
VP8L = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + (299 | 99 << 14).to_bytes(4, "little") + bytes(8)
VP8X = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0" + (299).to_bytes(3, "little") + (99).to_bytes(3, "little")


@pytest.mark.parametrize(
    ("media", "data"),
    [("image/png", PNG), ("image/jpeg", JPEG), ("image/webp", VP8), ("image/webp", VP8L), ("image/webp", VP8X)],
    ids=["png", "jpeg", "webp", "webp-lossless", "webp-extended"],
)
def test_every_kind_of_logo_tells_its_size(media: str, data: bytes) -> None:
    assert size_of(media, data) == (300, 100)


@pytest.mark.parametrize(
    ("media", "data"),
    [
        ("image/png", b""),
        ("image/png", PNG[:20]),
        ("image/png", PNG[:16] + bytes(8)),
        ("image/jpeg", JPEG[:3]),
        ("image/jpeg", JPEG[:30]),
        ("image/webp", VP8[:20]),
    ],
)
def test_what_is_cut_off_has_no_size(media: str, data: bytes) -> None:
    assert size_of(media, data) is None


@given(st.sampled_from(["image/png", "image/jpeg", "image/webp"]), st.binary(max_size=64))
def test_no_bytes_are_too_odd_to_look_at(media: str, data: bytes) -> None:
    for head in (b"", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8X"):
        size = size_of(media, head + data)
        assert size is None or min(size) > 0
