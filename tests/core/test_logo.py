"""Which pictures may be a logo."""

from base64 import b64decode

import pytest

from slotkeeper.core.errors import Invalid
from slotkeeper.core.logo import MAX_BYTES, Logo, Media, check_logo

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 "
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
GIF = b64decode("R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==")


@pytest.mark.parametrize(("media", "data"), [("image/png", PNG), ("image/jpeg", JPEG), ("image/webp", WEBP)])
def test_a_picture_is_known_by_its_first_bytes(media: Media, data: bytes) -> None:
    check_logo(Logo(media=media, data=data + bytes(100)))


@pytest.mark.parametrize(
    ("media", "data"),
    [("image/png", SVG), ("image/png", JPEG), ("image/jpeg", PNG), ("image/webp", GIF), ("image/webp", b"RIFF")],
)
def test_what_is_no_such_picture_is_refused(media: Media, data: bytes) -> None:
    with pytest.raises(Invalid, match="this is no image/"):
        check_logo(Logo(media=media, data=data))


def test_a_logo_is_small() -> None:
    check_logo(Logo(media="image/png", data=PNG + bytes(MAX_BYTES - len(PNG))))

    with pytest.raises(Invalid, match="make it smaller") as refused:
        check_logo(Logo(media="image/png", data=PNG + bytes(MAX_BYTES)))
    assert refused.value.field == "data"
