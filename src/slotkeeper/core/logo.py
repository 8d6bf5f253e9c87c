"""A business's logo: a small picture, of a kind that carries no script."""

from typing import Annotated, Literal

from msgspec import Meta

from slotkeeper.core.errors import Invalid
from slotkeeper.core.value import Value

Media = Literal["image/png", "image/jpeg", "image/webp"]

MAX_BYTES = 40_960


class Logo(Value, frozen=True, kw_only=True):
    """A picture of at most 40 KB: its media type and its bytes. SVG is none of the types: it can carry script."""

    media: Media
    data: Annotated[bytes, Meta(max_length=MAX_BYTES)]


def check_logo(logo: Logo) -> None:
    """Raises `Invalid` unless the bytes begin as files of that type do, and are no more than 40 KB."""
    if len(logo.data) > MAX_BYTES:
        raise Invalid(f"a logo has at most {MAX_BYTES} bytes: make it smaller", field="data")
    if _media_of(logo.data) != logo.media:
        raise Invalid(f"this is no {logo.media}: send a PNG, JPEG or WebP picture with its type", field="data")


def _media_of(data: bytes) -> Media | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None
