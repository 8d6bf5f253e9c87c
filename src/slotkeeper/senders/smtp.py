"""Mail over SMTP, many letters to a connection."""

import asyncio
from contextlib import suppress
from typing import cast

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPHeloError, SMTPResponseException

from slotkeeper.contracts import Clock, Letter
from slotkeeper.core.errors import Undeliverable, Unreachable
from slotkeeper.senders.mail import domain_of, written
from slotkeeper.senders.options import SmtpSettings
from slotkeeper.senders.session import Lost, Refused, Session, Worn

__all__ = ["SmtpSender", "SmtpSettings"]

FOR_GOOD = 500
"""RFC 5321 4.2.1: from here on a reply is final."""


class SmtpSender:
    """A `contracts.Sender` for mail. Connections stay open between letters; a broken one is replaced."""

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._domain = domain_of(settings.sender)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate = asyncio.Semaphore(settings.connections)
        self._idle: list[Session] = []

    async def send(self, letter: Letter) -> str:
        """Hand the letter to the server; returns what it answered.

        Raises:
            Unreachable: there is no connection or login, or the server says "later" (4xx).
            Undeliverable: the server refuses this letter for good (5xx), or it cannot be written as mail.
        """
        mail = written(letter, self._settings.sender, self._clock())
        self._forget_other_loops()
        async with self._gate:
            try:
                return await self._carried(letter.to, mail)
            except Lost as lost:
                raise Unreachable(f"the mail server: {lost}") from lost

    async def close(self) -> None:
        """Take leave of the server."""
        self._forget_other_loops()
        while self._idle:
            with suppress(Lost, TimeoutError):
                await self._idle.pop().quit()

    async def _carried(self, to: str, mail: bytes) -> str:
        """The answer to the mail, by a session that is kept or a new one. Raises `Lost`, and as `send`."""
        while self._idle:
            session = self._idle.pop()
            with suppress(Worn):
                return await self._carried_by(session, to, mail)
        return await self._carried_by(await self._connected(), to, mail)

    async def _carried_by(self, session: Session, to: str, mail: bytes) -> str:
        """As `_carried`, by this session, which is kept while it is good for another letter."""
        try:
            return str(await session.carry(self._settings.sender, to, mail))
        except Refused as refused:
            raise (Undeliverable if refused.reply.code >= FOR_GOOD else Unreachable)(str(refused)) from refused
        except BaseException:
            session.close()  # cut off in the midst of a letter: what the server makes of it is anyone's guess
            raise
        finally:
            if session.is_open:
                self._idle.append(session)
            else:
                session.close()

    async def _connected(self) -> Session:
        """A new session, encrypted and logged in as the settings say.

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
            await _greet(connection)
        except (SMTPException, OSError) as error:
            connection.close()
            said = f"{error.code} {error.message}" if isinstance(error, SMTPResponseException) else str(error)
            raise Unreachable(f"the mail server: {said}") from error
        transport = cast("asyncio.Transport", connection.transport)
        pipelines = connection.supports_extension("pipelining")
        return Session(transport, pipelines=pipelines, timeout_seconds=settings.timeout_seconds)

    def _forget_other_loops(self) -> None:
        """Connections belong to the event loop they were opened in."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._idle = loop, []
            self._gate = asyncio.Semaphore(self._settings.connections)


async def _greet(connection: aiosmtplib.SMTP) -> None:
    """Say who we are, where connecting has not (RFC 5321 3.2)."""
    if connection.is_ehlo_or_helo_needed:
        try:
            await connection.ehlo()
        except SMTPHeloError:
            await connection.helo()
