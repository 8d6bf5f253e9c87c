"""Mail over SMTP, many letters to a connection."""

import asyncio

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
from slotkeeper.senders.mail import domain_of, written
from slotkeeper.senders.options import SmtpSettings

__all__ = ["SmtpSender", "SmtpSettings"]

CLOSING = 421
"""RFC 5321 3.8: the server closes the connection, often because it has carried enough letters."""


class SmtpSender:
    """A `contracts.Sender` for mail. Connections stay open between letters; a broken one is replaced."""

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._domain = domain_of(settings.sender)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate = asyncio.Semaphore(settings.connections)
        self._idle: list[aiosmtplib.SMTP] = []

    async def send(self, letter: Letter) -> str:
        """Hand the letter to the server; returns what it answered.

        Raises:
            Unreachable: there is no connection or login, or the server says "later" (4xx).
            Undeliverable: the server refuses this letter for good (5xx), or it cannot be written as mail.
        """
        body = written(letter, self._settings.sender, self._clock())
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
