"""An open SMTP connection that carries one letter after another (RFC 5321), with as few waits as the server allows.

aiosmtplib connects, encrypts and logs in. What comes then is the same for every letter, and its way of one command at a
time, each with a lock, a timer and a wait, took longer than all else that is done for a letter. So this takes the
connection over, and announces a letter in one breath where the server has PIPELINING (RFC 2920).
"""

import asyncio
from contextlib import suppress

import msgspec

DONE, GO_ON, CLOSING = 250, 354, 421
MAX_REPLY = 32_768

_FINE = (2, 2, 3)
"""How the codes begin that let a letter come: those of the replies to MAIL, RCPT and DATA."""


class Reply(msgspec.Struct, frozen=True):
    """What the server answered to one command."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Refused(Exception):
    """The server does not take the letter, as `reply` says; the connection serves on."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class Lost(Exception):
    """The server does not answer, or went away: whether it took the letter is not known."""


class Worn(Lost):
    """The server has closed the connection, as it may after a while or some letters: it was not given this one."""


class Session(asyncio.Protocol):
    """Carries one letter at a time. Who is cut off while one is carried must close the session."""

    def __init__(self, transport: asyncio.Transport, *, pipelines: bool, timeout_seconds: float) -> None:
        """Take over a transport on which no reply is awaited; each may take `timeout_seconds`."""
        self._transport = transport
        self._pipelines = pipelines
        self._timeout_seconds = timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._lines: list[bytes] = []
        self._replies: list[Reply] = []
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._gone = asyncio.Event()
        self._why = "the connection was closed"
        self._is_silent = False
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether a letter may be carried: the server is there, and has said nothing unasked."""
        return not (self._replies or self._transport.is_closing())

    async def carry(self, sender: str, to: str, mail: bytes) -> Reply:
        """Hand the mail over; returns what the server said when it took it. Both are plain addresses, and the lines of
        the mail end in CRLF.

        Raises:
            Refused: the server does not take this letter. Worn, Lost: the connection is of no use any more.
        """
        if not self.is_open:
            raise Worn(self._why)
        await self._announce(f"MAIL FROM:<{sender}>\r\n", f"RCPT TO:<{to}>\r\n", "DATA\r\n")
        self._transport.write(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        try:
            [reply] = await self._heard(1)
        except Worn as worn:
            raise Lost(str(worn)) from worn
        if reply.code != DONE:
            raise Refused(reply)
        return reply

    async def quit(self) -> None:
        """Take leave. Raises `Lost` or TimeoutError when the server does not answer any more."""
        await self._ask("QUIT\r\n")
        self.close()
        async with asyncio.timeout(self._timeout_seconds):
            await self._gone.wait()  # the loop may end right after, and would leave it open

    def close(self) -> None:
        """End the connection, whatever state it is in."""
        self._transport.close()

    async def _announce(self, *commands: str) -> None:
        """Ask whether a letter may come. Raises as `carry`."""
        replies = await self._answers(commands)
        refusals = [reply for reply, fine in zip(replies, _FINE, strict=False) if reply.code // 100 != fine]
        if not refusals:
            return
        with suppress(Lost):
            if replies[-1].code == GO_ON:
                await self._ask(".\r\n")  # it waits for a letter all the same (RFC 2920 3.1): there is none
            await self._ask("RSET\r\n")
        raise Refused(refusals[0])

    async def _answers(self, commands: tuple[str, ...]) -> list[Reply]:
        """The reply to each command; to no more after one that refuses, where each has to wait for the last."""
        if self._pipelines:
            self._transport.write("".join(commands).encode("ascii"))
            return await self._heard(len(commands))
        replies = [await self._ask(commands[0])]
        while len(replies) < len(commands) and replies[-1].code < 400:
            replies.append(await self._ask(commands[len(replies)]))
        return replies

    async def _ask(self, command: str) -> Reply:
        self._transport.write(command.encode("ascii"))
        [reply] = await self._heard(1)
        return reply

    async def _heard(self, count: int) -> list[Reply]:
        """The next replies.

        Raises:
            Worn: the connection is closed. Lost: so much did not come in time.
        """
        self._wanted = count
        while len(self._replies) < count:
            if self._transport.is_closing():
                raise (Lost if self._is_silent else Worn)(self._why)
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(self._timeout_seconds, self._give_up)
            try:
                await self._waiter
            finally:
                timer.cancel()
        replies, self._replies = self._replies[:count], self._replies[count:]
        return replies

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.append(line[4:].strip())
            if line[3:4] != b"-":
                self._take(Reply(_code(line), b"\n".join(self._lines).decode(errors="replace")))
                self._lines.clear()
        if len(self._rest) + sum(map(len, self._lines)) > MAX_REPLY:
            self._end("the server's reply does not end")
        if len(self._replies) >= self._wanted:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if exc is not None:
            self._why = str(exc)
        self._gone.set()
        self._wake()

    def _take(self, reply: Reply) -> None:
        """Keep the reply for who waits for it; with one of them the server closes (RFC 5321 3.8)."""
        if reply.code == CLOSING:
            self._end(str(reply))
        else:
            self._replies.append(reply)

    def _give_up(self) -> None:
        self._is_silent = True
        self._end(f"no answer within {self._timeout_seconds:g} seconds")

    def _end(self, why: str) -> None:
        self._why = why
        self.close()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _code(line: bytes) -> int:
    """A line that is no reply is taken for one that refuses, and not for good."""
    return int(line[:3]) if line[:3].isdigit() else 0
