"""How large a picture is, from its first bytes: a page that knows it keeps the room free until the picture is there."""

Size = tuple[int, int]

_NO_FRAMES = {0xC4, 0xC8, 0xCC}


def size_of(media: str, data: bytes) -> Size | None:
    """Its width and height in pixels; None where they cannot be read, as of a file that is cut off."""
    read = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}[media]
    size = read(data)
    return size if size and all(size) else None


def _png(data: bytes) -> Size | None:
    """PNG 11.2.2: IHDR comes first."""
    return (_big(data[16:20]), _big(data[20:24])) if len(data) >= 24 else None


def _jpeg(data: bytes) -> Size | None:
    """ISO/IEC 10918-1 B.2.2: the first frame header (SOF) tells."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
        at += 2 + max(2, _big(data[at + 2 : at + 4]))
    return None


def _webp(data: bytes) -> Size | None:
    """RFC 9649 2.5 to 2.7: the simple, the lossless and the extended form."""
    if len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if kind == b"VP8L":
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF


def _big(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _little(part: bytes) -> int:
    return int.from_bytes(part, "little")
