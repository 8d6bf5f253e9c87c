"""Mail over SMTP, many letters to a connection."""

import asyncio
import re
from dataclasses import dataclass, field
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import Compat32
from email.utils import formataddr, formatdate
from typing import Literal

import aiosmtplib
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from slotkeeper.contracts import Clock, Letter
from slotkeeper.core.errors import Undeliverable, Unreachable

CLOSING = 421
"""RFC 5321 3.8: the server closes the connection, often because it has carried enough letters."""

MAX_LINE = 900

# The stdlib's newer `EmailMessage` parses what it writes: 3.3 ms for such a letter, measured; this way 0.5 ms.
_POLICY = Compat32(linesep="\r\n")
_QUOTED = Charset("utf-8")
_QUOTED.body_encoding = QP
_UNSAFE = re.compile(r"[\r\n\0]")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """The server, how to log in, and the address that letters come from. At most `connections` are open at a time."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    security: Literal["starttls", "tls", "none"] = "starttls"
    timeout_seconds: float = 30.0
    connections: int = 16


class SmtpSender:
    """A `contracts.Sender` for mail. Connections stay open between letters; a broken one is replaced."""

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._domain = settings.sender.rpartition("@")[2]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate = asyncio.Semaphore(settings.connections)
        self._idle: list[aiosmtplib.SMTP] = []

    async def send(self, letter: Letter) -> str:
        """Hand the letter to the server; returns what it answered.

        Raises:
            Unreachable: there is no connection or login, or the server says "later" (4xx).
            Undeliverable: the server refuses this letter for good (5xx), or it cannot be written as mail.
        """
        body = self._written(letter)
        self._forget_other_loops()
        async with self._gate:
            connection = self._idle.pop() if self._idle else None
            if connection is not None and connection.is_connected:
                try:
                    return await self._transfer(connection, letter.to, body)
                except _Worn:
                    connection.close()
            return await self._transfer(await self._connected(), letter.to, body, is_fresh=True)

    async def close(self) -> None:
        """Take leave of the server."""
        self._forget_other_loops()
        while self._idle:
            try:
                await self._idle.pop().quit()
            except (SMTPException, OSError):
                continue

    def _written(self, letter: Letter) -> bytes:
        """The letter as mail (RFC 5322), with an id that is the same for every try.

        Raises:
            Undeliverable: an address is none, or a header holds a line break.
        """
        body: Message = _part(letter.text, "plain")
        if letter.html:
            # The boundary is given: a random one costs the library a regular expression to compile for each letter.
            parts = [body, _part(letter.html, "html")]
            body = MIMEMultipart("alternative", boundary=f"=_{letter.id}", _subparts=parts)
        heads = {
            "From": _address(self._settings.sender, letter.sender),
            "To": _address(letter.to),
            "Subject": letter.subject,
            "Message-ID": f"<{letter.id}@{self._domain}>",
            "Date": formatdate(self._clock(), usegmt=True),
            "Auto-Submitted": "auto-generated",
            **letter.headers,
        }
        head = "".join(_header(name, value) for name, value in heads.items())
        return head.encode("ascii") + body.as_bytes(policy=_POLICY)

    async def _transfer(self, connection: aiosmtplib.SMTP, to: str, body: bytes, *, is_fresh: bool = False) -> str:
        """One mail transaction. The connection goes back to the idle ones unless it broke.

        Raises:
            _Worn: a connection that was kept is of no use any more, and nothing was sent over it.
        """
        try:
            try:
                await connection.mail(self._settings.sender)
            except SMTPServerDisconnected as error:
                if not is_fresh:
                    raise _Worn from error
                raise
            except SMTPSenderRefused as error:
                if error.code == CLOSING and not is_fresh:
                    raise _Worn from error
                raise
            await connection.rcpt(to)
            answer = await connection.data(body)
        except (SMTPSenderRefused, SMTPRecipientRefused, SMTPDataError) as error:
            await self._put_back(connection)
            said = f"{error.code} {error.message}"
            raise (Unreachable(said) if error.code < 500 else Undeliverable(said)) from error
        except (SMTPException, OSError) as error:
            connection.close()
            raise Unreachable(f"the mail server: {error}") from error
        except BaseException:
            # Cut off in the middle of a transaction: the connection's state is anyone's guess.
            connection.close()
            raise
        self._idle.append(connection)
        return f"{answer.code} {answer.message}"

    async def _put_back(self, connection: aiosmtplib.SMTP) -> None:
        """Keep a connection after a refusal, its transaction reset (RFC 5321 4.1.1.5)."""
        try:
            await connection.rset()
        except (SMTPException, OSError):
            connection.close()
        else:
            self._idle.append(connection)

    async def _connected(self) -> aiosmtplib.SMTP:
        """A new connection, encrypted and logged in as the settings say.

        Raises:
            Unreachable: it could not be made; a refused login is no letter's fault.
        """
        settings = self._settings
        connection = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password or None,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            timeout=settings.timeout_seconds,
            local_hostname=self._domain,
        )
        try:
            await connection.connect()
        except SMTPResponseException as error:
            raise Unreachable(f"the mail server: {error.code} {error.message}") from error
        except (SMTPException, OSError) as error:
            raise Unreachable(f"the mail server: {error}") from error
        return connection

    def _forget_other_loops(self) -> None:
        """Connections belong to the event loop they were opened in."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._idle = loop, []
            self._gate = asyncio.Semaphore(self._settings.connections)


class _Worn(Exception):
    """A kept connection turned out to be closed before anything was sent over it."""


def _header(name: str, value: str) -> str:
    """One header, encoded where it is not ASCII (RFC 2047).

    Raises:
        Undeliverable: it holds a line break, or is longer than a line of mail may be.
    """
    if _UNSAFE.search(value) or len(value) > MAX_LINE:
        raise Undeliverable(f"the header {name} holds a line break or is too long")
    text = value if value.isascii() else Header(value, "utf-8", header_name=name).encode(linesep="\r\n")
    return f"{name}: {text}\r\n"


def _part(text: str, subtype: str) -> MIMEText:
    """A part of a mail: as it is when it is short-lined ASCII, else quoted-printable (RFC 5322 2.1.1)."""
    is_plain = text.isascii() and all(len(line) <= MAX_LINE for line in text.splitlines())
    return MIMEText(text, subtype, "us-ascii") if is_plain else MIMEText(text, subtype, _QUOTED)  # type: ignore[arg-type] # typeshed forgets Charset


def _address(address: str, name: str = "") -> str:
    """One mail address as a header has it, so that a list of them, or a header after it, cannot hide in it.

    Raises:
        Undeliverable: it is none, or not ASCII: few servers take others (RFC 6531).
    """
    if _UNSAFE.search(address + name):
        raise Undeliverable("an address holds a line break")
    if not _ADDRESS.fullmatch(address):
        raise Undeliverable("not a mail address that we can write to")
    return formataddr((name, address))
