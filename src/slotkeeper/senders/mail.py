"""A letter as mail (RFC 5322): what every sender of mail hands over, whoever carries it then."""

import re
from binascii import b2a_qp
from email.header import Header
from email.utils import formataddr, formatdate
from functools import lru_cache

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Undeliverable
from slotkeeper.core.ticks import Instant

MAX_LINE = 900
KEPT = 1024

_UNSAFE = re.compile(r"[\r\n\0]")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def written(letter: Letter, sender: str, now: Instant) -> bytes:
    """The letter as mail from the address `sender`, with an id that is the same for every try.

    Raises:
        Undeliverable: an address is none, or a header holds a line break.
    """
    # Put together by hand: the library's writer took 0.4 ms for such a letter, measured, and this takes a tenth.
    heads = {
        "From": _address(sender, letter.sender),
        "To": _address(letter.to),
        "Subject": letter.subject,
        "Message-ID": f"<{letter.id}@{domain_of(sender)}>",
        "Date": _date(now),
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        **letter.headers,
    }
    head = "".join(_header(name, value) for name, value in heads.items())
    return head.encode("ascii") + _body(letter)


def _body(letter: Letter) -> bytes:
    """The text, or the text and the HTML for whichever of the two the reader's program shows."""
    text = _part(letter.text, "plain")
    if not letter.html:
        return text
    # "=_" never stands in what is quoted-printable (RFC 2045 6.7), so no text can end its part.
    boundary = f"=_{letter.id}".encode()
    return (
        b'Content-Type: multipart/alternative; boundary="%b"\r\n\r\n' % boundary
        + b"--%b\r\n%b\r\n--%b\r\n%b\r\n--%b--\r\n" % (boundary, text, boundary, _part(letter.html, "html"), boundary)
    )


def _part(text: str, subtype: str) -> bytes:
    """A part of a mail, quoted-printable (RFC 2045 6.7): it has short lines and is ASCII, whatever stands in it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n") + "\n"
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode() + b2a_qp(lines.replace("\n", "\r\n").encode())


@lru_cache(maxsize=8)
def _date(now: Instant) -> str:
    return formatdate(now, usegmt=True)


def _address(address: str, name: str = "") -> str:
    """One mail address as a header has it, so that a list of them, or a header after it, cannot hide in it.

    Raises:
        Undeliverable: it is none, or not ASCII: few servers take others (RFC 6531).
    """
    if _UNSAFE.search(address + name):
        raise Undeliverable("an address holds a line break")
    if not _ADDRESS.fullmatch(address):
        raise Undeliverable("not a mail address that we can write to")
    return formataddr((name, address)) if name else address


def _header(name: str, value: str) -> str:
    """One header, encoded where it is not ASCII (RFC 2047).

    Raises:
        Undeliverable: it holds a line break, or is longer than a line of mail may be.
    """
    if _UNSAFE.search(value) or len(value) > MAX_LINE:
        raise Undeliverable(f"the header {name} holds a line break or is too long")
    return f"{name}: {value if value.isascii() else _encoded(name, value)}\r\n"


@lru_cache(maxsize=KEPT)
def _encoded(name: str, value: str) -> str:
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")
