"""Asking as fast as one process can: requests as bytes, over connections that are kept open."""

import asyncio
import zlib
from http import HTTPStatus

import msgspec

PATIENCE_SECONDS = 30.0
_GZIP = 31
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Hung(Exception):
    """The server did not answer."""


class Reply(msgspec.Struct, frozen=True):
    """What was answered; the names of `headers` are in lower case. Without a `status` the connection was closed."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """What the header says; empty when it is not there."""
        return next((text for each, text in self.headers if each == name), "")


class Line:
    """One connection, which is opened anew when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes, *, is_head: bool = False) -> Reply:
        """What is answered to the request.

        Raises:
            Hung: nothing is, for half a minute.
        """
        try:
            return await asyncio.wait_for(self._ask(request, is_head), PATIENCE_SECONDS)
        except TimeoutError:
            await self.close()
            raise Hung from None

    async def say(self, noise: bytes) -> Reply:
        """What is answered to what is hardly a request, before the server closes the connection or waits for more."""
        await self.close()
        try:
            return await asyncio.wait_for(self._ask(noise, is_head=False, is_again=True), 0.5)
        except (TimeoutError, ValueError):
            return Reply(0)
        finally:
            await self.close()

    async def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _ask(self, request: bytes, is_head: bool, is_again: bool = False) -> Reply:
        was_open = self._writer is not None
        try:
            reader, writer = await self._opened()
            writer.write(request)
            reply = await _read(reader, is_head)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self.close()
            # It may have been closed after the last answer, before this was sent.
            return await self._ask(request, is_head, True) if was_open and not is_again else Reply(0)
        if reply.header("connection") == "close" or reply.header("content-type").startswith("text/event-stream"):
            await self.close()
        return reply

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        return self._reader, self._writer


async def _read(reader: asyncio.StreamReader, is_head: bool) -> Reply:
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    headers = tuple((name.lower(), text.strip()) for name, _, text in (line.partition(":") for line in lines))
    reply = Reply(int(first.split(" ", 2)[1]), headers)
    if is_head or reply.status in _BODILESS:
        return reply
    if length := reply.header("content-length"):
        body = await reader.readexactly(int(length))
    elif reply.header("transfer-encoding") == "chunked":
        body = await _chunks(reader, is_endless=reply.header("content-type").startswith("text/event-stream"))
    else:
        body = await reader.read()
    return Reply(reply.status, headers, _unpacked(body) if reply.header("content-encoding") == "gzip" else body)


async def _chunks(reader: asyncio.StreamReader, *, is_endless: bool) -> bytes:
    """The body; of a stream that goes on for ever its first part."""
    parts = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
        if is_endless:
            return parts[0]
    await reader.readexactly(2)
    return b"".join(parts)


def _unpacked(body: bytes) -> bytes:
    return zlib.decompress(body, _GZIP)
