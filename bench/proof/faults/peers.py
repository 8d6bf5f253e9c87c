"""Servers on the loopback that misbehave, as mail servers and webhook endpoints do: ways to hold a conversation."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DRIP_SECONDS = 0.05


class Taken(list[str]):
    """What a peer took before it misbehaved: the heads of the mails and requests."""


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and never say a word."""
    await reader.read()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say something without end, a byte at a time."""
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and close at once."""


async def is_full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 5321 3.8: not now, from the first word on."""
    writer.write(b"421 4.3.2 too many connections\r\n")
    await writer.drain()


def mail_server(end: bytes | None, *, rcpt: bytes = b"250 OK\r\n", taken: Taken | None = None) -> Talk:
    """A mail server that answers `end` when it has the whole letter; empty: it closes; None: it says nothing more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 peer ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                letter = await reader.readuntil(b"\r\n.\r\n")
                if taken is not None:
                    taken.append(letter.decode())
                if end is None:
                    await reader.read()
                if not end:
                    return
                writer.write(end)
            else:
                writer.write(rcpt if verb == b"RCPT" else b"221 bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")

    return talk


def endpoint(answer: bytes | None, taken: Taken | None = None) -> Talk:
    """An HTTP endpoint that reads a request and answers so; empty: it closes; None: it says nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
        await reader.readexactly(length)
        if taken is not None:
            taken.append(head)
        if answer is None:
            await reader.read()
        elif answer:
            writer.write(answer)
            await writer.drain()

    return talk


@contextmanager
def listening(talk: Talk, port: int) -> Iterator[None]:
    """Hold such conversations at the port until the block ends."""
    loop = asyncio.new_event_loop()
    talks = set[asyncio.Task[None]]()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = asyncio.current_task()
        assert mine is not None
        talks.add(mine)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            writer.close()

    async def end() -> None:
        server.close()
        for each in talks:
            each.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        loop.stop()

    server = loop.run_until_complete(asyncio.start_server(hold, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop)
        thread.join()
        loop.close()
